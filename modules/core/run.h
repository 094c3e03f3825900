/* SPDX-License-Identifier: GPL-2.0 */
/* A run: its parameters, its cells, one a container and operation, and how it ended. */
#ifndef _DSBENCH_CORE_RUN_H
#define _DSBENCH_CORE_RUN_H

#include <linux/list.h>
#include <linux/types.h>

#include <dsbench/bench.h>

#include "params.h"
#include "stats.h"

struct dsbench_run;

/**
 * struct dsbench_sharing - what else is known of a try with readers
 * @elapsed: how long they read, in ticks
 * @reads: elements that all of them looked up, or met, in that time
 * @writes: erasures and insertions beside them
 */
struct dsbench_sharing {
	u64 elapsed;
	u64 reads;
	u32 writes;
};

/**
 * struct dsbench_cell - the samples of one container and operation
 * @node: in the run's cells
 * @run: the run that it belongs to
 * @container: its name
 * @op: the operation
 * @n: elements in the container
 * @elements: what one try is divided by: @n, or the number of lookups
 * @slice: elements or lookups in a slice
 * @threads: readers that share the container; 0 where it is not shared
 * @writes: what the writer beside them does, a second; 0 for no writer
 * @readers: what protects the readers; "" where it is not shared
 * @writer: what protects the writer
 * @unshared: its container was to be shared, but can't be
 * @tries: samples wanted; fewer than the run's once they are precise enough
 * @done: samples taken
 * @check_at: samples at which their precision is checked next
 * @disturbed: samples of those that an interrupt fell into, or that shared the
 *	core with others
 * @samples: cycles of each try, without the clock's own; of one reader, where
 *	there are more
 * @sharing: the rest of each try; NULL where it is not shared
 * @is_disturbed: which of them were
 * @stats: of @samples, once the run has ended
 * @x_floor: thousandths: how many times its floor it costs; 0 where it has none
 * @source: the container while the run lasts; NULL once it has left
 * @set: what the tries work on, shared with other cells
 * @slice_ticks: how long the longest slice of the last try took; 0 before the
 *	first
 * @write_wait: ticks from the end of the last try to the next write
 */
struct dsbench_cell {
	struct list_head node;
	struct dsbench_run *run;
	char container[DSBENCH_NAME_LEN];
	enum dsbench_op op;
	u32 n;
	u32 elements;
	u32 slice;
	u32 threads;
	u32 writes;
	char readers[DSBENCH_NAME_LEN];
	char writer[DSBENCH_NAME_LEN];
	bool unshared;
	u32 tries;
	u32 done;
	u32 check_at;
	u32 disturbed;
	s64 *samples;
	struct dsbench_sharing *sharing;
	unsigned long *is_disturbed;
	struct dsbench_stats stats;
	u64 x_floor;
	struct dsbench_subject *source;
	struct dsbench_set *set;
	u64 slice_ticks;
	u64 write_wait;
};

/**
 * struct dsbench_absent - an operation that a run wanted of a container
 * @node: in the run's absent
 * @container: its name
 * @op: what it does not have
 */
struct dsbench_absent {
	struct list_head node;
	char container[DSBENCH_NAME_LEN];
	enum dsbench_op op;
};

enum dsbench_run_state {
	DSBENCH_RUN_COMPLETE,
	DSBENCH_RUN_INTERRUPTED,
	DSBENCH_RUN_FAILED,
};

/**
 * struct dsbench_run - one run, while it lasts and as a result
 * @node: in the results
 * @id: counts from 1
 * @params: as they were when it started
 * @cpu: the CPU it was bound to
 * @cells: of struct dsbench_cell
 * @absent: of struct dsbench_absent, what there are no cells for
 * @nr_cells: how many of them have samples, once it has ended
 * @state: how it ended
 * @ms: how long it took, in ms
 * @problem: a sentence where @state is not complete
 * @interrupted: it is to end after its current slice
 */
struct dsbench_run {
	struct list_head node;
	u32 id;
	struct dsbench_params params;
	int cpu;
	struct list_head cells;
	struct list_head absent;
	u32 nr_cells;
	enum dsbench_run_state state;
	u64 ms;
	char problem[256];
	bool interrupted;
};

struct dsbench_run *dsbench_run_alloc(const struct dsbench_params *p);
void dsbench_run_free(struct dsbench_run *run);
void dsbench_cell_free(struct dsbench_cell *cell);
void dsbench_run_interrupt(struct dsbench_run *run);
bool dsbench_run_interrupted(const struct dsbench_run *run);
__printf(3, 4) void dsbench_run_problem(struct dsbench_run *run,
					enum dsbench_run_state state,
					const char *fmt, ...);

#endif /* _DSBENCH_CORE_RUN_H */
