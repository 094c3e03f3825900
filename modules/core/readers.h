/* SPDX-License-Identifier: GPL-2.0 */
/* The threads of a shared try: readers of a container, and a writer beside them. */
#ifndef _DSBENCH_CORE_READERS_H
#define _DSBENCH_CORE_READERS_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <dsbench/bench.h>

#include "churn.h"
#include "run.h"

struct dsbench_reader;
struct task_struct;

/**
 * struct dsbench_tally - slices that were timed
 * @ticks: how long they took, without the clock's own
 * @elements: that were looked up, or met, in them
 */
struct dsbench_tally {
	s64 ticks;
	u64 elements;
};

/**
 * struct dsbench_crew - the threads of a try
 * @cell: what they work on
 * @churn: what the writer changes
 * @hits: what each pass of each reader must count
 * @sum: and add up
 * @absent: threads that have not come to the start
 * @measuring: readers that have not yet measured long enough
 * @busy: threads that have not yet finished
 * @over: waits for @busy to become 0
 * @err: what went wrong first
 * @writes: what the writer did
 * @writer: its thread, or NULL
 * @readers: one for each of the cell's threads
 */
struct dsbench_crew {
	struct dsbench_cell *cell;
	struct dsbench_churn *churn;
	u32 hits;
	u64 sum;
	atomic_t absent;
	atomic_t measuring;
	atomic_t busy;
	wait_queue_head_t over;
	int err;
	u32 writes;
	struct task_struct *writer;
	struct dsbench_reader *readers[];
};

/**
 * struct dsbench_reader - one of them, in cache lines of its own
 * @crew: all of them
 * @task: its thread
 * @set: the cell's, with counts and a place of its own
 * @all: all slices that it timed
 * @clean: those of them that no interrupt fell into
 * @window: how long it measured, in ticks
 */
struct dsbench_reader {
	struct dsbench_crew *crew;
	struct task_struct *task;
	struct dsbench_set set;
	struct dsbench_tally all;
	struct dsbench_tally clean;
	u64 window;
} ____cacheline_aligned;

/* The shared operations of a cell's container. */
static inline const struct dsbench_shared_ops *
dsbench_shared_of(const struct dsbench_cell *cell)
{
	return cell->source->ops->shared;
}

int dsbench_read_along(void *data);
int dsbench_write_along(void *data);

#endif /* _DSBENCH_CORE_READERS_H */
