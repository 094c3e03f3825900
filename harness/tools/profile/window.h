/* SPDX-License-Identifier: GPL-2.0 */
/* Windows: what runs on a CPU between two reads of the clock in a module. */
#ifndef WINDOW_H
#define WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "block.h"
#include "cache.h"

/**
 * struct window_options - what windows record
 * @brief: the sums only, not the blocks
 * @calls: blocks by the path of calls to them
 * @cache: record the misses of this model; it has no levels for none
 * @warm: the model keeps its lines from window to window, and sees what runs
 *	between windows; otherwise each window begins with an empty cache
 */
struct window_options {
	bool brief;
	bool calls;
	struct cache_shape cache;
	bool warm;
};

/* Set the options, before the first block. */
void window_setup(const struct window_options *chosen);

/* A block begins to run on a CPU. */
void window_block(unsigned int cpu, struct block *block);

/* An instruction of a block has accessed memory. */
void window_access(unsigned int cpu, const struct block *block, uint64_t address,
		   unsigned int bytes, bool store);

#endif /* WINDOW_H */
