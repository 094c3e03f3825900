/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock of all timings.
 *
 * On x86, including User Mode Linux, it is the time-stamp counter between two
 * LFENCEs, at both ends: the first waits until all earlier instructions have
 * completed, the second keeps later ones from starting before the counter is
 * read (Intel SDM volume 2, RDTSC; AMD APM volume 3 with the dispatch
 * serialising LFENCE that Linux sets up). RDTSCP would save the first fence of
 * the end, but not every (virtual) CPU has it. CPUID is never used to
 * serialise, since it traps in guests. On other architectures it is ktime: what
 * get_cycles() reads there, such as arm64's virtual counter, is a slow timer and
 * no count of cycles.
 */
#ifndef _DSBENCH_CLOCK_H
#define _DSBENCH_CLOCK_H

#include <linux/ktime.h>
#include <linux/types.h>

/**
 * dsbench_clock() - read the clock
 *
 * Context: any.
 *
 * Return: ticks since an unspecified time, in the unit of dsbench_clock_info().
 */
static __always_inline u64 dsbench_clock(void)
{
#ifdef __x86_64__
	u32 low, high;

	asm volatile("lfence\n\trdtsc\n\tlfence"
		     : "=a" (low), "=d" (high) : : "memory");
	return ((u64)high << 32) | low;
#else
	return ktime_get_ns();
#endif
}

/**
 * struct dsbench_clock_info - properties of the clock
 * @name: how it is read
 * @unit: "tsc" (cycles of the time-stamp counter, whose rate is constant: see
 *	dsbench_clock_core_rate() for those of the core), "instructions" (a TSC
 *	that counts retired instructions, as under QEMU's -icount) or "ns"
 * @khz: ticks per millisecond
 * @overhead: ticks of an empty slice, subtracted from every timed slice
 */
struct dsbench_clock_info {
	const char *name;
	const char *unit;
	u64 khz;
	u64 overhead;
};

const struct dsbench_clock_info *dsbench_clock_info(void);

#endif /* _DSBENCH_CLOCK_H */
