/* SPDX-License-Identifier: GPL-2.0 */
/* A model of caches: levels of sets, each of which evicts its oldest line. */
#ifndef CACHE_H
#define CACHE_H

#include <stdbool.h>
#include <stdint.h>

#define CACHE_LEVELS	4

/**
 * struct cache_shape - the levels of a model
 * @levels: number of levels
 * @sets: number of sets of each level
 * @ways: number of lines of a set of each level
 */
struct cache_shape {
	unsigned int levels;
	uint64_t sets[CACHE_LEVELS];
	unsigned int ways[CACHE_LEVELS];
};

struct cache;

/*
 * Parse a shape in the form "32k:8:2M:16", size and ways of each level. Return
 * false if it is none.
 */
bool cache_parse(const char *text, struct cache_shape *shape);

struct cache *cache_new(const struct cache_shape *shape);

/* Forget all lines. */
void cache_empty(struct cache *cache);

/* Access a line. Count a miss in @misses for each level that does not have it. */
void cache_access(struct cache *cache, uint64_t line, uint64_t *misses);

#endif /* CACHE_H */
