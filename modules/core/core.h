/* SPDX-License-Identifier: GPL-2.0 */
/* What the core's files share; each group names the file that owns it. */
#ifndef _DSBENCH_CORE_H
#define _DSBENCH_CORE_H

#include <linux/cache.h>
#include <linux/list.h>
#include <linux/prandom.h>
#include <linux/types.h>

#include <dsbench/bench.h>
#include <dsbench/clock.h>

#define DSBENCH_VERSION	"0.1.0"

struct seq_file;

/* The KUnit suites are a module of their own: they see what is exported so. */
#if IS_ENABLED(CONFIG_KUNIT)
#define EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(symbol)	EXPORT_SYMBOL_GPL(symbol)
#else
#define EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(symbol)	static_assert(sizeof(typeof(symbol) *))
#endif

/* params.c */

/* Room for the list of containers to run, with its terminator. */
#define DSBENCH_SELECT_LEN	128

/* The most numbers of readers that one run tries. */
#define DSBENCH_THREADS_MAX	16

/* Takes what is needed, and what is online. */
#define DSBENCH_TOO_FEW_CPUS \
	"threads= and writes= need %u CPUs, one each for the readers and for a writer: %u are online; take fewer readers, or writes=0 for no writer"

/**
 * struct dsbench_params - the parameters of one run, copied when it starts
 * @n: elements
 * @tries: samples of each container and operation
 * @warmup: ms of tries that do not count, one round at least
 * @patience: ms that a try may wait for a core of its own, on average
 * @seed: of all that is random
 * @lookups: keys that one find try looks up at the most; 0 for n, or fewer
 *	where each passes many elements
 * @misses: percent of the lookups whose key is absent
 * @cpu: where the run is bound; -1 for the last CPU online
 * @sequential: keys and elements in ascending order instead of shuffled
 * @inline_alloc: as in struct dsbench_set
 * @erase_as_inserted: erase in the order of insertion instead of the keys'
 * @floors: time the floors too
 * @ops: a bit for each operation to time
 * @containers: "all" or names with commas between
 * @threads: numbers of readers to share the containers among
 * @nr_threads: how many numbers; 0 for no sharing
 * @writes: erasures and insertions of the writer beside them, a second
 */
struct dsbench_params {
	u32 n;
	u32 tries;
	u32 warmup;
	u32 patience;
	u64 seed;
	u32 lookups;
	u32 misses;
	int cpu;
	bool sequential;
	bool inline_alloc;
	bool erase_as_inserted;
	bool floors;
	unsigned long ops;
	char containers[DSBENCH_SELECT_LEN];
	u32 threads[DSBENCH_THREADS_MAX];
	u32 nr_threads;
	u32 writes;
};

void dsbench_params_get(struct dsbench_params *p);
u32 dsbench_threads_cpus(const struct dsbench_params *p);
bool dsbench_autorun(void);
bool dsbench_select_all(const struct dsbench_params *p);
bool dsbench_selected(const struct dsbench_params *p, const char *name);
u32 dsbench_lookups(const struct dsbench_params *p, u32 size, u32 steps);
u64 dsbench_memory_available(void);

/* registry.c */

extern const char * const dsbench_op_names[DSBENCH_NR_OPS];

typedef int (*dsbench_visit_fn)(struct dsbench_subject *container, void *arg);

int dsbench_registry_visit(dsbench_visit_fn visit, void *arg);
void dsbench_registry_borrowing(bool on);
void dsbench_container_leave_run(struct dsbench_subject *container);

/* autoload.c */

void dsbench_autoload(const struct dsbench_params *p);
void dsbench_autoload_release(void);

/* set.c */

int dsbench_sets_init(void);
void dsbench_sets_exit(void);
struct dsbench_set *dsbench_set_alloc(const struct dsbench_params *p, u32 n);
struct dsbench_set *dsbench_set_alloc_bare(u32 n);
void dsbench_set_free(struct dsbench_set *set);
u32 dsbench_pool_size(u32 n);
u32 dsbench_pool_choose(u32 n, struct rnd_state *rnd);
u64 dsbench_set_bytes(u32 n);
void dsbench_set_arrange(struct dsbench_set *set, u32 lookups);
void dsbench_set_reset(struct dsbench_set *set);
int dsbench_set_collect(struct dsbench_set *set, const struct dsbench_ops *ops);
int dsbench_set_order(struct dsbench_set *set);
void dsbench_set_expect_find(const struct dsbench_set *set, u32 lookups,
			     u32 *hits, u64 *sum);
int dsbench_set_verify(struct dsbench_set *set, const struct dsbench_ops *ops,
		       enum dsbench_op op, u32 lookups);
void dsbench_set_empty(struct dsbench_set *set, const struct dsbench_ops *ops);
void dsbench_shuffle(u32 *array, u32 n, struct rnd_state *rnd);

/* floor.c */

extern struct dsbench_subject dsbench_floor_subject;

enum dsbench_op dsbench_floor_of(enum dsbench_op op, bool sequential);

static inline bool dsbench_is_floor(enum dsbench_op op)
{
	return op >= DSBENCH_EMPTY;
}

u64 dsbench_floor_bytes(u32 n);
struct dsbench_set *dsbench_floor_alloc(const struct dsbench_params *p, u32 n);
void dsbench_floor_free(struct dsbench_floor *floor);

/* stats.c */

/**
 * struct dsbench_stats - what is reported of a cell, in milli-cycles a try
 * @min: smallest sample
 * @p50: median
 * @mean: arithmetic mean
 * @p90: 90th percentile
 * @p99: 99th percentile
 * @max: largest sample
 * @mad: median absolute deviation from the median
 *
 * Percentiles interpolate linearly between the two nearest samples.
 */
struct dsbench_stats {
	s64 min;
	s64 p50;
	s64 mean;
	s64 p90;
	s64 p99;
	s64 max;
	s64 mad;
};

s64 dsbench_percentile(const s64 *sorted, u32 count, u32 percent);
int dsbench_stats_compute(struct dsbench_stats *stats, const s64 *samples,
			  u32 count);
s64 dsbench_per_element(s64 milli_cycles, u32 elements);

/* run.c: a run is its cells, one a container and operation */

/*
 * A slice is what runs between two readings of the clock: the whole try at the
 * usual sizes, a part of it where it would keep others waiting for too long.
 */
#define DSBENCH_SLICE	4096U

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
 * @tries: samples wanted
 * @done: samples taken
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
};

struct dsbench_run *dsbench_run_alloc(const struct dsbench_params *p);
void dsbench_run_free(struct dsbench_run *run);
void dsbench_cell_free(struct dsbench_cell *cell);
int dsbench_run_add(struct dsbench_run *run, struct dsbench_subject *subject);
int dsbench_run_add_floors(struct dsbench_run *run);
void dsbench_run_drop(struct dsbench_run *run,
		      struct dsbench_subject *container);
int dsbench_run_prepare(struct dsbench_run *run);
void dsbench_run_finish(struct dsbench_run *run);
__printf(3, 4) void dsbench_run_problem(struct dsbench_run *run,
					enum dsbench_run_state state,
					const char *fmt, ...);

/* clock.c */

/**
 * struct dsbench_moment - one moment by two clocks
 * @ticks: dsbench_clock()
 * @ns: ktime_get_ns()
 */
struct dsbench_moment {
	u64 ticks;
	u64 ns;
};

void dsbench_clock_init(void);
void dsbench_clock_moment(struct dsbench_moment *moment);
void dsbench_clock_overhead(void);

/* neighbour.c: who else runs on the core */

/**
 * struct dsbench_pace - what three loops took, in cycles
 * @chain: additions that wait for each other
 * @wide: four times as many that do not
 * @jumps: a loop of nothing else
 */
struct dsbench_pace {
	u32 chain;
	u32 wide;
	u32 jumps;
};

bool dsbench_pace_shared(const struct dsbench_pace *now,
			 const struct dsbench_pace *alone);
void dsbench_neighbour_begin(u32 ms);
bool dsbench_neighbour_busy(void);
void dsbench_neighbour_wait(u64 ticks, bool again);

/* try.c: one try */

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
bool dsbench_cell_must_end(const struct dsbench_cell *cell);
int dsbench_cell_begin(struct dsbench_cell *cell);
int dsbench_cell_fill(struct dsbench_cell *cell);
void dsbench_cell_settle(const struct dsbench_cell *cell);
int dsbench_try(struct dsbench_cell *cell, bool keep);

/* churn.c: elements that come and go */

struct dsbench_churn;

struct dsbench_churn *dsbench_churn_alloc(struct dsbench_set *set,
					  const struct dsbench_shared_ops *ops);
void dsbench_churn_free(struct dsbench_churn *c);
int dsbench_churn_begin(struct dsbench_churn *c);
int dsbench_churn_step(struct dsbench_churn *c);
int dsbench_churn_end(struct dsbench_churn *c);

/* readers.c: one try with readers beside a writer */

int dsbench_try_shared(struct dsbench_cell *cell, bool keep);

/* runner.c: the thread that loads, runs and releases */

int dsbench_runner_start(void);
void dsbench_runner_stop(void);
int dsbench_runner_request(void);
void dsbench_runner_kick(void);
int dsbench_runner_wait(bool nonblock);
void dsbench_runner_interrupt(void);
bool dsbench_runner_interrupted(void);
void dsbench_runner_show(struct seq_file *m);

/* results.c: what has been run */

void dsbench_results_publish(struct dsbench_run *run);
void dsbench_results_free(void);
void dsbench_results_lock(void);
void dsbench_results_unlock(void);
extern struct list_head dsbench_results;

/* environ.c */

void dsbench_environ_show(struct seq_file *m);

/* procfs.c, debugfs.c */

int dsbench_procfs_init(void);
void dsbench_procfs_exit(void);
void dsbench_debugfs_init(void);
void dsbench_debugfs_exit(void);

#endif /* _DSBENCH_CORE_H */
