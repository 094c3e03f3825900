// SPDX-License-Identifier: GPL-2.0
/* A model of caches. A level is asked for what the levels above it miss. */

#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "lines.h"
#include "memory.h"

#define WAYS_MAX	64
#define BYTES_MAX	0x100000000ULL

/**
 * struct cache - the state of a model
 * @shape: its levels
 * @lines: of each level, set after set, the newest line of a set first. A line
 *	is stored plus one, so that 0 is none
 */
struct cache {
	const struct cache_shape *shape;
	uint64_t *lines[CACHE_LEVELS];
};

static bool parse_size(const char **text, uint64_t *bytes)
{
	char *end;

	*bytes = strtoull(*text, &end, 10);
	if (end == *text || *bytes > BYTES_MAX)
		return false;
	if (*end == 'k')
		*bytes <<= 10;
	else if (*end == 'M')
		*bytes <<= 20;
	else
		return false;
	*text = end + 1;
	return *bytes && *bytes <= BYTES_MAX;
}

static bool parse_ways(const char **text, unsigned int *ways)
{
	unsigned long value;
	char *end;

	if (**text != ':')
		return false;
	value = strtoul(*text + 1, &end, 10);
	if (end == *text + 1 || value < 1 || value > WAYS_MAX)
		return false;
	*ways = value;
	*text = end;
	return true;
}

bool cache_parse(const char *text, struct cache_shape *shape)
{
	uint64_t bytes, set;

	for (shape->levels = 0; shape->levels < CACHE_LEVELS;) {
		unsigned int level = shape->levels++;

		if (!parse_size(&text, &bytes) ||
		    !parse_ways(&text, &shape->ways[level]))
			return false;
		set = (uint64_t)shape->ways[level] << LINE_SHIFT;
		if (bytes < set || bytes % set)
			return false;
		shape->sets[level] = bytes / set;
		if (!*text)
			return true;
		if (*text++ != ':')
			return false;
	}
	return false;
}

static size_t lines_in(const struct cache_shape *shape, unsigned int level)
{
	return shape->sets[level] * shape->ways[level];
}

struct cache *cache_new(const struct cache_shape *shape)
{
	struct cache *cache = allocate(1, sizeof(*cache));
	unsigned int i;

	cache->shape = shape;
	for (i = 0; i < shape->levels; i++)
		cache->lines[i] = allocate(lines_in(shape, i), sizeof(uint64_t));
	return cache;
}

void cache_empty(struct cache *cache)
{
	unsigned int i;

	for (i = 0; i < cache->shape->levels; i++)
		memset(cache->lines[i], 0,
		       lines_in(cache->shape, i) * sizeof(uint64_t));
}

/* Put a line in front of its set. Return whether the set had it. */
static bool touch(uint64_t *set, unsigned int ways, uint64_t line)
{
	unsigned int i = 0;
	bool had;

	while (i < ways && set[i] != line)
		i++;
	had = i < ways;
	memmove(set + 1, set, (had ? i : ways - 1) * sizeof(*set));
	set[0] = line;
	return had;
}

void cache_access(struct cache *cache, uint64_t line, uint64_t *misses)
{
	const struct cache_shape *shape = cache->shape;
	unsigned int i;

	for (i = 0; i < shape->levels; i++) {
		uint64_t *set = cache->lines[i] +
				line % shape->sets[i] * shape->ways[i];

		if (touch(set, shape->ways[i], line + 1))
			return;
		misses[i]++;
	}
}
