// SPDX-License-Identifier: GPL-2.0
/*
 * Facts of the machine and the kernel that change costs, for the header of a
 * report.
 */

#include <linux/cpumask.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/utsname.h>

#include "clock.h"
#include "cpuid.h"
#include "environ.h"
#include "stolen.h"
#include "version.h"

/*
 * A config option that changes costs; @warning if it makes measurements
 * useless.
 */
struct fact {
	const char *name;
	bool on;
	const char *warning;
};

#define FACT(option, advice) \
	{ .name = #option, .on = IS_ENABLED(CONFIG_##option), .warning = advice }

static const char slow_memory[] = "every memory access costs more";
static const char slow_locks[] = "every lock costs more";
static const char slow_alloc[] = "every allocation costs more";

static const struct fact facts[] = {
	FACT(SMP, NULL),
	FACT(PREEMPT_NONE, NULL),
	FACT(PREEMPT_VOLUNTARY, NULL),
	FACT(PREEMPT_LAZY, NULL),
	FACT(PREEMPT, NULL),
	FACT(PREEMPT_RT, NULL),
	FACT(PREEMPT_DYNAMIC, NULL),
	FACT(LIST_HARDENED, NULL),
	FACT(DEBUG_LIST, NULL),
	FACT(RETPOLINE, NULL),
	FACT(MITIGATION_RETPOLINE, NULL),
	FACT(CFI_CLANG, NULL),
	FACT(KFENCE, NULL),
	FACT(SLAB_FREELIST_HARDENED, NULL),
	FACT(SLAB_FREELIST_RANDOM, NULL),
	FACT(RANDOM_KMALLOC_CACHES, NULL),
	FACT(INIT_ON_ALLOC_DEFAULT_ON, NULL),
	FACT(INIT_ON_FREE_DEFAULT_ON, NULL),
	FACT(MEMCG, NULL),
	FACT(KASAN, slow_memory),
	FACT(KCSAN, slow_memory),
	FACT(KMSAN, slow_memory),
	FACT(UBSAN, "arithmetic and indexing cost more"),
	FACT(GCOV_KERNEL, "every branch costs more"),
	FACT(PROVE_LOCKING, slow_locks),
	FACT(DEBUG_SPINLOCK, slow_locks),
	FACT(PROVE_RCU, "every RCU read section costs more"),
	FACT(SLUB_DEBUG_ON, slow_alloc),
	FACT(DEBUG_KMEMLEAK, slow_alloc),
	FACT(DEBUG_PAGEALLOC_ENABLE_DEFAULT, slow_alloc),
	FACT(XARRAY_DEBUG, "the XArray checks itself"),
	FACT(DEBUG_PREEMPT, "switching preemption costs more"),
};

#ifdef __x86_64__
static void show_cpu_model(struct seq_file *m)
{
	char model[3 * 16 + 1] = {};
	u32 regs[4];
	u32 i;

	dsbench_cpuid(0x80000000, regs);
	if (regs[0] < 0x80000004)
		return;
	for (i = 0; i < 3; i++) {
		dsbench_cpuid(0x80000002 + i, regs);
		memcpy(model + 16 * i, regs, sizeof(regs));
	}
	seq_printf(m, "# cpu_model: %s\n", strim(model));
}

static void show_machine(struct seq_file *m)
{
	char name[DSBENCH_HYPERVISOR_LEN];

	dsbench_hypervisor(name);
	if (IS_ENABLED(CONFIG_UML))
		seq_printf(m, "# machine: uml on %s\n",
			   name[0] ? name : "bare metal");
	else
		seq_printf(m, "# machine: %s\n", name[0] ? name : "bare metal");
}

static bool clock_may_drift(void)
{
	u32 regs[4];

	if (!dsbench_clock_is_tsc())
		return false;

	dsbench_cpuid(0x80000000, regs);
	if (regs[0] < 0x80000007)
		return true;
	dsbench_cpuid(0x80000007, regs);
	return !(regs[3] & BIT(8));
}
#else
static void show_cpu_model(struct seq_file *m)
{
}

static void show_machine(struct seq_file *m)
{
	seq_printf(m, "# machine: %s\n", init_utsname()->machine);
}

static bool clock_may_drift(void)
{
	return false;
}
#endif

static void show_warnings(struct seq_file *m)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(facts); i++) {
		if (facts[i].on && facts[i].warning)
			seq_printf(m, "# warning: this kernel has %s, so %s: measure on one without it\n",
				   facts[i].name, facts[i].warning);
	}
	if (clock_may_drift())
		seq_puts(m, "# warning: the CPU does not promise a constant TSC: fix its frequency before you compare cycles\n");
}

/**
 * dsbench_environ_show() - print the header lines that do not depend on a run
 * @m: the output
 *
 * Context: may sleep.
 */
void dsbench_environ_show(struct seq_file *m)
{
	const struct dsbench_clock_info *clock = dsbench_clock_info();
	int i;

	seq_puts(m, "# dsbench: " DSBENCH_VERSION "\n");
	seq_puts(m, "# revision: " DSBENCH_REVISION "\n");
	seq_printf(m, "# kernel: %s %s\n", init_utsname()->release,
		   init_utsname()->machine);
	seq_puts(m, "# compiler: " CONFIG_CC_VERSION_TEXT "\n");
	show_machine(m);
	show_cpu_model(m);
	seq_printf(m, "# cpus: %u\n", num_online_cpus());
	seq_printf(m, "# clock: %s\n", clock->name);
	seq_printf(m, "# unit: %s\n", clock->unit);
	seq_printf(m, "# clock_khz: %llu\n", clock->khz);
	seq_printf(m, "# clock_overhead: %llu\n", READ_ONCE(clock->overhead));
	seq_printf(m, "# stolen_time: %s\n", dsbench_stolen_source());
	seq_puts(m, "# config:");
	for (i = 0; i < ARRAY_SIZE(facts); i++) {
		if (facts[i].on)
			seq_printf(m, " %s", facts[i].name);
	}
	seq_putc(m, '\n');
	show_warnings(m);
}
