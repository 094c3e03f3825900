/* SPDX-License-Identifier: GPL-2.0 */
/* One slice of a try, under the clock. */
#ifndef _DSBENCH_CORE_SLICE_H
#define _DSBENCH_CORE_SLICE_H

#include <linux/types.h>

#include <dsbench/bench.h>

/**
 * struct dsbench_slice - what runs between two readings of the clock
 * @op: the operation
 * @set: passed to it, as are
 * @first: and
 * @last:
 * @irqs_off: keep interrupts out, besides preemption
 * @sleeps: keep neither out
 * @ticks: how long it took, with the clock's own
 * @err: what the operation returned
 * @disturbed: an interrupt fell into it all the same, or the CPU changed
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
};

void dsbench_time_slice(struct dsbench_slice *slice);
void dsbench_slice_overhead(void);

#endif /* _DSBENCH_CORE_SLICE_H */
