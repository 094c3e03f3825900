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
 * struct dsbench_tally - sum of timed slices
 * @ticks: their time, without the clock's overhead
 * @elements: elements that were looked up or visited in them
 */
struct dsbench_tally {
	s64 ticks;
	u64 elements;
};

/**
 * struct dsbench_crew - the threads of a shared try
 * @cell: the cell of the try
 * @churn: the elements that the writer exchanges
 * @hits: expected count of each pass of a reader
 * @sum: expected sum of each pass of a reader
 * @absent: threads that have not reached the start
 * @measuring: readers that have not measured long enough
 * @busy: threads that have not finished
 * @over: waits for @busy to become 0
 * @err: the first error
 * @writes: erasures and insertions of the writer
 * @writer: thread of the writer, or NULL
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
 * struct dsbench_reader - a reader, in cache lines of its own
 * @crew: the threads of the try
 * @task: thread of the reader
 * @set: copy of the cell's set, with counts and a position of its own
 * @all: all slices that it timed
 * @clean: the slices that no interrupt hit
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
