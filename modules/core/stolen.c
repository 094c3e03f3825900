// SPDX-License-Identifier: GPL-2.0
/*
 * Time that others took from a try without an interrupt of this kernel. Under
 * User Mode Linux the host knows: involuntary switches, and the difference of
 * wall time and CPU time. Under KVM the hypervisor reports steal time, which
 * the timer tick adds up.
 */

#include <linux/kernel_stat.h>
#include <linux/math64.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "clock.h"
#include "cpuid.h"
#include "export.h"
#include "host.h"
#include "stolen.h"

/* Two readings of the host's clocks differ by this time at most. */
#define NOISE_NS	10000

#ifdef __x86_64__
#define CPUID_KVM_FEATURES	0x40000001
#define CPUID_KVM_STEAL		BIT(5)		/* eax */

static const char *hypervisor_source(void)
{
	char name[DSBENCH_HYPERVISOR_LEN];
	u32 regs[4];

	if (!dsbench_hypervisor(name))
		return "none: no hypervisor";

	if (IS_ENABLED(CONFIG_PARAVIRT) && !strcmp(name, "KVMKVMKVM")) {
		dsbench_cpuid(CPUID_KVM_FEATURES, regs);
		if (regs[0] & CPUID_KVM_STEAL)
			return "seen by the hypervisor's steal time";
	}
	return "not seen here: mean, p99 and max may include it";
}
#else
static const char *hypervisor_source(void)
{
	return "not seen here: mean, p99 and max may include it";
}
#endif

/**
 * dsbench_stolen_source() - how stolen time is detected
 *
 * Context: any.
 *
 * Return: a text for the header of a report.
 */
const char *dsbench_stolen_source(void)
{
	if (dsbench_clock_is_exact())
		return "none: instructions are counted";
	if (DSBENCH_HAS_HOST)
		return "seen by the host's CPU time and involuntary switches";
	return hypervisor_source();
}

/**
 * dsbench_stolen_exceeds() - whether CPU time fell behind wall time
 * @wall_ns: wall time
 * @cpu_ns: CPU time, measured with the host's clock
 *
 * Context: any.
 *
 * Return: true if more is missing than the clocks may differ by: 10 us, plus
 * 1/128 for the calibration of the rate.
 */
bool dsbench_stolen_exceeds(u64 wall_ns, u64 cpu_ns)
{
	return wall_ns > cpu_ns + NOISE_NS + (wall_ns >> 7);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_stolen_exceeds);

static u64 steal_time(void)
{
	return kcpustat_cpu(raw_smp_processor_id()).cpustat[CPUTIME_STEAL];
}

/**
 * dsbench_stolen_begin() - note what is known before a try
 * @before: set to it
 *
 * The host is asked by system calls, which leave caches and branch predictors
 * as the host's kernel used them: a slice right behind them would cost up to
 * half as much again. So call this before the try touches what it measures.
 *
 * Context: any, on the CPU of the try.
 */
void dsbench_stolen_begin(struct dsbench_stolen *before)
{
	before->steal = steal_time();
	before->preemptions = dsbench_host_preemptions();
	before->cpu_ns = dsbench_host_cpu_ns();
	before->ticks = dsbench_clock();
}

/**
 * dsbench_stolen_end() - whether time was stolen since dsbench_stolen_begin()
 * @before: as set by it
 *
 * The tick that was due during a theft comes once interrupts are enabled, and
 * adds the steal time; so call this with interrupts enabled.
 *
 * Context: process context, on the CPU of the try.
 *
 * Return: true if time was stolen.
 */
bool dsbench_stolen_end(const struct dsbench_stolen *before)
{
	u64 ticks = dsbench_clock() - before->ticks;
	u64 khz = dsbench_clock_info()->khz;

	if (steal_time() != before->steal)
		return true;
	if (!DSBENCH_HAS_HOST)
		return false;
	return dsbench_stolen_exceeds(mul_u64_u64_div_u64(ticks, NSEC_PER_MSEC,
							  khz),
				      dsbench_host_cpu_ns() - before->cpu_ns) ||
	       dsbench_host_preemptions() != before->preemptions;
}
