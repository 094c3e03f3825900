// SPDX-License-Identifier: GPL-2.0
/*
 * One slice of a try: the code between two readings of the clock, with
 * preemption disabled, and with interrupts disabled if the slice is short.
 */

#include <linux/irqflags.h>
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/smp.h>

#include <dsbench/compat.h>

#include "clock.h"
#include "export.h"
#include "slice.h"

#define OVERHEAD_TRIES	1000

/*
 * On PREEMPT_RT, the locks of the allocator and the XArray sleep, so the thread
 * is only kept on its CPU.
 */
static bool may_only_stay(const struct dsbench_slice *slice)
{
	return IS_ENABLED(CONFIG_PREEMPT_RT) || slice->sleeps;
}

static bool masks_irqs(const struct dsbench_slice *slice)
{
	return slice->irqs_off && !may_only_stay(slice);
}

/*
 * Preemption is disabled beside interrupts: an operation that enables
 * interrupts must not be preempted, either.
 */
static unsigned long quiet_begin(const struct dsbench_slice *slice)
{
	unsigned long flags = 0;

	if (may_only_stay(slice))
		migrate_disable();
	else
		preempt_disable();
	if (masks_irqs(slice))
		local_irq_save(flags);
	return flags;
}

static void quiet_end(const struct dsbench_slice *slice, unsigned long flags)
{
	if (masks_irqs(slice))
		local_irq_restore(flags);
	if (may_only_stay(slice))
		migrate_enable();
	else
		preempt_enable();
}

/**
 * dsbench_time_slice() - run one slice of an operation under the clock
 * @slice: the slice; gets its time and whether it was disturbed
 *
 * noinline: the empty op must go through the same call as every other op, so
 * that the clock's overhead includes the indirect call.
 *
 * Context: process context; the operation runs with preemption disabled.
 */
noinline void dsbench_time_slice(struct dsbench_slice *slice)
{
	unsigned long flags = quiet_begin(slice);
	unsigned int cpu = raw_smp_processor_id();
	unsigned long irqs = dsbench_irq_count(cpu);
	dsbench_op_fn op = slice->op;
	struct dsbench_set *set = slice->set;
	u32 first = slice->first;
	u32 last = slice->last;
	unsigned long irqs_after;
	u64 start, end;
	int err;

	start = dsbench_clock();
	err = op(set, first, last);
	end = dsbench_clock();

	slice->ticks = end - start;
	slice->err = err;
	slice->opened = masks_irqs(slice) && !irqs_disabled();
	slice->disturbed = raw_smp_processor_id() != cpu || slice->opened;
	irqs_after = dsbench_irq_count(cpu);
	quiet_end(slice, flags);
	/*
	 * UML disables interrupts by a flag. The host's signal for one still
	 * runs its handler within the slice, which notes the interrupt; it is
	 * served, and counted, now.
	 */
	if (IS_ENABLED(CONFIG_UML))
		irqs_after = dsbench_irq_count(cpu);
	slice->disturbed |= irqs_after != irqs;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_time_slice);

static int nothing(struct dsbench_set *set, u32 first, u32 last)
{
	return 0;
}

/**
 * dsbench_slice_overhead() - measure the overhead of an empty slice
 *
 * The minimum of many slices, since a larger overhead would subtract too much.
 *
 * Context: may sleep; bound to the CPU to measure.
 */
void dsbench_slice_overhead(void)
{
	u64 overhead = U64_MAX;
	int i;

	for (i = 0; i < OVERHEAD_TRIES; i++) {
		struct dsbench_slice slice = {
			.op = nothing,
			.irqs_off = true,
		};

		dsbench_time_slice(&slice);
		overhead = min(overhead, slice.ticks);
	}
	dsbench_clock_set_overhead(overhead);
}
