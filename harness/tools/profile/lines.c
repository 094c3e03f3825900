// SPDX-License-Identifier: GPL-2.0
/* A set of cache lines: a hash table with open addressing. */

#include <stdlib.h>

#include "lines.h"
#include "memory.h"

#define LEAST_ROOM	4096
#define MOST_ROOM	16777216

struct line_entry {
	uint64_t line;
	uint32_t generation;
};

void lines_clear(struct lines *lines)
{
	size_t i;

	lines->used = 0;
	if (++lines->generation)
		return;

	/* The generations begin anew: no entry may be of one to come. */
	for (i = 0; i < lines->room; i++)
		lines->entries[i].generation = 0;
	lines->generation = 1;
}

static struct line_entry *find(const struct lines *lines, uint64_t line)
{
	size_t place = line * 0x9e3779b97f4a7c15ULL >> 32;

	for (;; place++) {
		struct line_entry *entry;

		entry = &lines->entries[place & (lines->room - 1)];
		if (entry->generation != lines->generation || entry->line == line)
			return entry;
	}
}

static void grow(struct lines *lines)
{
	struct lines more = {
		.room = lines->room ? 2 * lines->room : LEAST_ROOM,
		.used = lines->used,
		.generation = 1,
	};
	size_t i;

	more.entries = allocate(more.room, sizeof(*more.entries));
	for (i = 0; i < lines->room; i++) {
		struct line_entry *entry = &lines->entries[i];

		if (entry->generation == lines->generation)
			*find(&more, entry->line) = (struct line_entry) {
				.line = entry->line,
				.generation = more.generation,
			};
	}
	free(lines->entries);
	*lines = more;
}

bool lines_add(struct lines *lines, uint64_t line)
{
	struct line_entry *entry;

	if (2 * lines->used >= lines->room) {
		if (lines->room == MOST_ROOM)
			return false;
		grow(lines);
	}
	entry = find(lines, line);
	if (entry->generation != lines->generation) {
		entry->generation = lines->generation;
		entry->line = line;
		lines->used++;
	}
	return true;
}
