/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A run: its parameters, its cells (one for each container and operation), and
 * its end.
 */
#ifndef _DSBENCH_CORE_RUN_H
#define _DSBENCH_CORE_RUN_H

#include <linux/list.h>
#include <linux/types.h>

#include <dsbench/bench.h>

#include "params.h"
#include "stats.h"

struct dsbench_run;

/**
 * struct dsbench_sharing - further data of a try with readers
 * @elapsed: time of the readers, in ticks
 * @reads: elements that all readers looked up or visited in that time
 * @writes: erasures and insertions meanwhile
 */
struct dsbench_sharing {
	u64 elapsed;
	u64 reads;
	u32 writes;
};

/**
 * struct dsbench_cell - the samples of one container and operation
 * @node: entry in the run's cells
 * @run: the run of the cell
 * @container: name of the container
 * @op: the operation
 * @n: elements in the container
 * @elements: divisor of a try: @n, or the number of lookups
 * @burst: packets between two softirqs; 0 for the operation's own number
 * @slice: elements or lookups in a slice
 * @threads: readers that share the container; 0 if it is not shared
 * @writes: writes per second beside the readers; 0 for no writer
 * @readers: protection of the readers; "" if the container is not shared
 * @writer: protection of the writer
 * @unshared: the container was to be shared, but cannot be
 * @tries: samples wanted; fewer than the run's once they are precise enough
 * @done: samples taken
 * @check_at: number of samples at which the precision is checked next
 * @disturbed: samples that an interrupt hit, or that shared the core
 * @samples: cycles of each try, without the clock's overhead; with readers, the
 *	mean of one reader
 * @sharing: further data of each try; NULL if the container is not shared
 * @is_disturbed: bitmap of the disturbed samples
 * @irqs_on: slices run with interrupts on, since the operation enables them
 * @sleeps: slices run with preemption enabled
 * @stats: statistics of @samples, once the run has ended
 * @x_floor: cost divided by the floor's, in thousandths; 0 if there is no floor
 * @source: the container during the run; NULL once it has left
 * @set: the set of the tries, shared with other cells
 * @slice_ticks: duration of the longest slice of the last try; 0 before the
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
	u32 burst;
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
	bool irqs_on;
	bool sleeps;
	struct dsbench_stats stats;
	u64 x_floor;
	struct dsbench_subject *source;
	struct dsbench_set *set;
	u64 slice_ticks;
	u64 write_wait;
};

/**
 * struct dsbench_absent - an operation that the container lacks
 * @node: entry in the run's absent
 * @container: name of the container
 * @op: the missing operation
 */
struct dsbench_absent {
	struct list_head node;
	char container[DSBENCH_NAME_LEN];
	enum dsbench_op op;
};

/* Room for the reason why a container cannot be loaded. */
#define DSBENCH_REASON_LEN	64

/**
 * struct dsbench_unloaded - a container that was selected and cannot be loaded
 * @node: entry in the run's unloaded
 * @container: name of the container
 * @reason: why, for people
 */
struct dsbench_unloaded {
	struct list_head node;
	char container[DSBENCH_NAME_LEN];
	char reason[DSBENCH_REASON_LEN];
};

enum dsbench_run_state {
	DSBENCH_RUN_COMPLETE,
	DSBENCH_RUN_INTERRUPTED,
	DSBENCH_RUN_FAILED,
};

/* Warning of a run whose frequency moved: its id, and the rate before and after. */
#define DSBENCH_CORE_RATE_MOVED \
	"run %u: the core's frequency moved from %u to %u core cycles per 1000 ticks of the TSC: fix it, or compare minima"

/**
 * struct dsbench_run - a run, in progress and as a result
 * @node: entry in the results
 * @id: number of the run, from 1
 * @params: the parameters at its start
 * @cpu: the CPU that it is bound to
 * @cells: list of struct dsbench_cell
 * @absent: list of struct dsbench_absent
 * @unloaded: list of struct dsbench_unloaded
 * @nr_cells: number of cells with samples, once it has ended
 * @state: how it ended
 * @ms: duration in ms
 * @problem: a sentence if @state is not complete
 * @interrupted: it must end after its current slice
 * @clock: tries of the clock itself; not among @cells
 * @clock_p10: their 10th percentile, in milli-cycles beyond the clock's overhead
 * @clock_p50: their median, subtracted from each sample of @cells
 * @clock_p90: their 90th percentile
 * @core_rate_begin: core cycles per 1000 ticks before the first try; 0: unknown
 * @core_rate_end: the same after the last try
 */
struct dsbench_run {
	struct list_head node;
	u32 id;
	struct dsbench_params params;
	int cpu;
	struct list_head cells;
	struct list_head absent;
	struct list_head unloaded;
	u32 nr_cells;
	enum dsbench_run_state state;
	u64 ms;
	char problem[256];
	bool interrupted;
	struct dsbench_cell *clock;
	s64 clock_p10;
	s64 clock_p50;
	s64 clock_p90;
	u32 core_rate_begin;
	u32 core_rate_end;
};

struct dsbench_run *dsbench_run_alloc(const struct dsbench_params *p);
void dsbench_run_free(struct dsbench_run *run);
void dsbench_cell_free(struct dsbench_cell *cell);
void dsbench_run_interrupt(struct dsbench_run *run);
bool dsbench_run_interrupted(const struct dsbench_run *run);
bool dsbench_run_rate_moved(const struct dsbench_run *run);
__printf(3, 4) void dsbench_run_problem(struct dsbench_run *run,
					enum dsbench_run_state state,
					const char *fmt, ...);

#endif /* _DSBENCH_CORE_RUN_H */
