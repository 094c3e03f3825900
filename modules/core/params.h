/* SPDX-License-Identifier: GPL-2.0 */
/* The parameters of a run, and what follows from them. */
#ifndef _DSBENCH_CORE_PARAMS_H
#define _DSBENCH_CORE_PARAMS_H

#include <linux/types.h>

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
 * @precision: thousandths of the median: a cell gets no more tries once the 95 %
 *	interval of its median is that close to it on both sides; 0 for all tries
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
	u32 precision;
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

u32 dsbench_threads_cpus(const struct dsbench_params *p);
bool dsbench_select_all(const struct dsbench_params *p);
bool dsbench_selected(const struct dsbench_params *p, const char *name);
u32 dsbench_lookups(const struct dsbench_params *p, u32 size, u32 steps);

#endif /* _DSBENCH_CORE_PARAMS_H */
