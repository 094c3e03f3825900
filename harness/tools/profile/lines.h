/* SPDX-License-Identifier: GPL-2.0 */
/* A set of cache lines, emptied in no time. */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line has 64 bytes. */
#define LINE_SHIFT	6

/**
 * struct lines - a set of lines; all zeroes is an empty set
 * @entries: a hash table
 * @room: its size, a power of 2
 * @used: number of lines in the set
 * @generation: entries of other generations are free
 */
struct lines {
	struct line_entry *entries;
	size_t room;
	size_t used;
	uint32_t generation;
};

void lines_clear(struct lines *lines);

/* Add a line. Return false if the set is full. */
bool lines_add(struct lines *lines, uint64_t line);

#endif /* LINES_H */
