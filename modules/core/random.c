// SPDX-License-Identifier: GPL-2.0
/* Random orders that a seed reproduces. */

#include <linux/minmax.h>
#include <linux/sched.h>

#include "export.h"
#include "random.h"

/* Loops over an array reschedule once per this number of entries. */
#define RESCHED_ENTRIES	4096

/* An odd number without a pattern: 2^64 over the golden ratio. */
#define STREAM_DISTANCE	0x9e3779b97f4a7c15ULL

/**
 * dsbench_random_seed() - start a stream of random numbers
 * @rnd: the generator
 * @seed: seed of the run. prandom folds it to 32 bits, so a few seeds share
 *	their orders
 * @stream: who uses it: with the same numbers for all, the order of the cells
 *	would follow the order of the keys. The sets have the plain seed, for
 *	counts of instructions depend on it
 *
 * Context: any.
 */
void dsbench_random_seed(struct rnd_state *rnd, u64 seed,
			 enum dsbench_stream stream)
{
	prandom_seed_state(rnd, seed + stream * STREAM_DISTANCE);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_random_seed);

/**
 * dsbench_shuffle() - shuffle an array (Fisher and Yates)
 * @array: the array
 * @n: number of entries
 * @rnd: source of randomness
 *
 * Context: may sleep.
 */
void dsbench_shuffle(u32 *array, u32 n, struct rnd_state *rnd)
{
	u32 i;

	for (i = n; i > 1; i--) {
		u32 other = ((u64)prandom_u32_state(rnd) * i) >> 32;

		swap(array[i - 1], array[other]);
		if (!(i % RESCHED_ENTRIES))
			cond_resched();
	}
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_shuffle);
