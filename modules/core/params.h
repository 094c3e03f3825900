/* SPDX-License-Identifier: GPL-2.0 */
/* The parameters of a run, and what follows from them. */
#ifndef _DSBENCH_CORE_PARAMS_H
#define _DSBENCH_CORE_PARAMS_H

#include <linux/types.h>

/* Size of the list of containers to run, including its terminator. */
#define DSBENCH_SELECT_LEN	512

/* Maximum number of different numbers of readers in one run. */
#define DSBENCH_THREADS_MAX	16

/* Arguments: the CPUs that are needed, and those online. */
#define DSBENCH_TOO_FEW_CPUS \
	"threads= and writes= need %u CPUs, one each for the readers and for a writer: %u are online; take fewer readers, or writes=0 for no writer"

/**
 * struct dsbench_params - parameters of a run, copied at its start
 * @n: elements
 * @tries: samples of each container and operation
 * @precision: thousandths of the median: a cell gets no more tries once both
 *	ends of the 95 % interval of its median are that close; 0 for all
 *	tries
 * @warmup: ms of uncounted tries, at least one round
 * @patience: average ms that a try may wait for an unshared core
 * @seed: seed of everything random
 * @lookups: maximum number of keys that a find try looks up; 0 for n, or fewer
 *	if each lookup passes many elements
 * @misses: percent of the lookups whose key is absent
 * @slice: elements in a slice of fill, find and erase at the most; 0 for the
 *	core's choice
 * @cpu: the CPU of the run; -1 for the last CPU online
 * @sequential: keys and elements in ascending order instead of shuffled
 * @inline_alloc: as in struct dsbench_set
 * @erase_as_inserted: erase in the order of insertion instead of key order
 * @floors: time the floors, too
 * @ops: bitmap of the operations to time
 * @containers: "all" or a comma-separated list of names
 * @threads: numbers of readers that share the containers
 * @nr_threads: number of entries in @threads; 0 for no sharing
 * @writes: erasures and insertions per second of the writer beside them
 */
struct dsbench_params {
	u32 n;
	u32 tries;
	u32 precision;
	u32 warmup;
	u32 patience;
	u64 seed;
	u32 lookups;
	u32 misses;
	u32 slice;
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

u32 dsbench_threads_cpus(const struct dsbench_params *p);
bool dsbench_select_all(const struct dsbench_params *p);
bool dsbench_selected(const struct dsbench_params *p, const char *name);
u32 dsbench_lookups(const struct dsbench_params *p, u32 size, u32 steps);

#endif /* _DSBENCH_CORE_PARAMS_H */
