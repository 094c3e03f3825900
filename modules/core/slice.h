/* SPDX-License-Identifier: GPL-2.0 */
/* One slice of a try, under the clock. */
#ifndef _DSBENCH_CORE_SLICE_H
#define _DSBENCH_CORE_SLICE_H

#include <linux/types.h>

#include <dsbench/bench.h>

/**
 * struct dsbench_slice - a slice to run, and its result
 * @op: the operation
 * @set: argument of @op
 * @first: argument of @op
 * @last: argument of @op
 * @irqs_off: disable interrupts as well as preemption
 * @sleeps: disable neither
 * @ticks: its time, including the clock's overhead
 * @err: return value of @op
 * @disturbed: an interrupt hit the slice, the CPU changed, or @opened
 * @opened: the operation enabled interrupts that the slice had disabled
 */
struct dsbench_slice {
	dsbench_op_fn op;
	struct dsbench_set *set;
	u32 first;
	u32 last;
	bool irqs_off;
	bool sleeps;
	u64 ticks;
	int err;
	bool disturbed;
	bool opened;
};

void dsbench_time_slice(struct dsbench_slice *slice);
void dsbench_slice_overhead(void);

#endif /* _DSBENCH_CORE_SLICE_H */
