/* SPDX-License-Identifier: GPL-2.0 */
/* Random orders that a seed reproduces. */
#ifndef _DSBENCH_CORE_RANDOM_H
#define _DSBENCH_CORE_RANDOM_H

#include <linux/prandom.h>
#include <linux/types.h>

/**
 * enum dsbench_stream - users of random numbers, each with a stream of its own
 * @DSBENCH_STREAM_SETS: keys, elements and lookups of the sets
 * @DSBENCH_STREAM_FLOORS: nodes of the floors
 * @DSBENCH_STREAM_ROUNDS: the order of the cells in a round
 */
enum dsbench_stream {
	DSBENCH_STREAM_SETS,
	DSBENCH_STREAM_FLOORS,
	DSBENCH_STREAM_ROUNDS,
};

void dsbench_random_seed(struct rnd_state *rnd, u64 seed,
			 enum dsbench_stream stream);
void dsbench_shuffle(u32 *array, u32 n, struct rnd_state *rnd);

#endif /* _DSBENCH_CORE_RANDOM_H */
