// SPDX-License-Identifier: GPL-2.0
/*
 * Windows. Under icount a block ends at rdtsc, and the difference of two reads
 * is the number of instructions from behind the first to the second, so whole
 * blocks are counted. The block that ends with rdtsc still accesses memory
 * after QEMU has announced it: a border is crossed when the next block begins.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "lines.h"
#include "memory.h"
#include "stream.h"
#include "window.h"

/*
 * A window begins and ends in one function: its end lies this far behind its
 * begin at the most. Any other pair of reads is no window.
 */
#define FUNCTION_MAX	4096

/*
 * After this number of equal pairs in a row, all other reads are no borders: the
 * suite's core measures many empty slices when it is loaded and at the start of
 * each run. Before that it compares its clock with another one as often.
 */
#define LEARNT_AFTER	256

/* Number of blocks at the begin of a window that name its operation. */
#define FIRST_BLOCKS	8

/**
 * struct tally - what a block did in a window
 * @runs: how often it ran
 * @loads: its loads
 * @stores: its stores
 */
struct tally {
	uint64_t runs;
	uint64_t loads;
	uint64_t stores;
};

/**
 * struct path_tally - how often a block ran in a node of the tree of calls
 * @key: node and block, plus one; 0 for none
 * @runs: how often
 */
struct path_tally {
	uint64_t key;
	uint64_t runs;
};

/**
 * struct window - the state of one CPU
 * @open: a window is open
 * @begin: address of the rdtsc that opened it
 * @border: the block that runs ends with rdtsc
 * @before: the previous block of the window
 * @instructions: sum over its blocks
 * @loads: likewise
 * @stores: likewise
 * @taken: branches to elsewhere than the next instruction
 * @lines: the lines that it touched
 * @cache: model of the caches; NULL for none
 * @misses: of each level
 * @tallies: of all blocks, by id
 * @tally_room: number of tallies that fit
 * @touched: the blocks that ran, in the order of their first run
 * @touched_room: number of blocks that fit
 * @touched_count: number of blocks
 * @tree: the tree of calls
 * @node: the function that runs
 * @paths: hash table of tallies by path
 * @path_room: its size, a power of 2
 * @path_count: number of its entries
 */
struct window {
	bool open;
	uint64_t begin;
	const struct block *border;
	const struct block *before;
	uint64_t instructions;
	uint64_t loads;
	uint64_t stores;
	uint64_t taken;
	struct lines lines;
	struct cache *cache;
	uint64_t misses[CACHE_LEVELS];
	struct tally *tallies;
	size_t tally_room;
	struct block **touched;
	size_t touched_room;
	size_t touched_count;
	struct calls tree;
	uint32_t node;
	struct path_tally *paths;
	size_t path_room;
	size_t path_count;
};

/**
 * struct pair - the two reads of the clock around an operation
 * @begin: address of the first rdtsc
 * @end: address of the second
 * @streak: how often it came in a row
 */
struct pair {
	uint64_t begin;
	uint64_t end;
	unsigned int streak;
};

/* The slice, once it is known; the pair that may be one; the read before. */
static struct pair slice, candidate;
static uint64_t read_before;
static const struct window_options *options;
static struct window **windows;
static size_t window_room;

void window_setup(const struct window_options *chosen)
{
	options = chosen;
}

static struct window *window_of(unsigned int cpu)
{
	struct window *w;

	windows = enlarge(windows, cpu, &window_room, sizeof(*windows));
	w = windows[cpu];
	if (!w) {
		w = allocate(1, sizeof(*w));
		if (options->cache.levels)
			w->cache = cache_new(&options->cache);
		windows[cpu] = w;
	}
	return w;
}

static void open_window(struct window *w, uint64_t begin)
{
	size_t i;

	for (i = 0; i < w->touched_count; i++)
		w->tallies[w->touched[i]->id] = (struct tally) { 0 };
	w->touched_count = 0;
	if (w->path_count)
		memset(w->paths, 0, w->path_room * sizeof(*w->paths));
	w->path_count = 0;
	w->instructions = 0;
	w->loads = 0;
	w->stores = 0;
	w->taken = 0;
	memset(w->misses, 0, sizeof(w->misses));
	lines_clear(&w->lines);
	if (w->cache && !options->warm)
		cache_empty(w->cache);
	w->before = NULL;
	w->node = CALLS_ROOT;
	w->begin = begin;
	w->open = true;
}

static void describe_block(struct block *block)
{
	if (block->named)
		return;

	stream_describe("b %u %lx %u %u\n", block->id, block->address,
			block->instructions, block->bytes);
	block->named = true;
}

static void describe_node(struct calls *tree, uint32_t id)
{
	struct call_node *node = &tree->nodes[id];

	if (id == CALLS_ROOT || node->named)
		return;

	describe_node(tree, node->parent);
	stream_describe("n %u %u %u\n", id, node->parent, node->site->id);
	node->named = true;
}

static const char *misses_of(const struct window *w)
{
	static char text[CACHE_LEVELS * 24];
	size_t length = 0;
	unsigned int i;

	if (!w->cache)
		return "-";
	for (i = 0; i < options->cache.levels; i++)
		length += snprintf(text + length, sizeof(text) - length, "%s%lu",
				   i ? "," : "", w->misses[i]);
	return text;
}

static const char *first_blocks(const struct window *w)
{
	static char text[FIRST_BLOCKS * 12];
	size_t length = 0;
	size_t i;

	for (i = 0; i < w->touched_count && i < FIRST_BLOCKS; i++)
		length += snprintf(text + length, sizeof(text) - length, "%s%u",
				   i ? "," : "", w->touched[i]->id);
	return text;
}

static void add_paths(struct window *w)
{
	size_t i;

	for (i = 0; i < w->path_room; i++) {
		const struct path_tally *path = &w->paths[i];
		uint32_t node = (path->key - 1) >> 32;

		if (!path->key)
			continue;
		describe_node(&w->tree, node);
		stream_add("s %u %u %lu\n", node, (uint32_t)(path->key - 1),
			   path->runs);
	}
}

static void close_window(struct window *w, unsigned int cpu, uint64_t end)
{
	size_t i;

	w->open = false;
	for (i = 0; i < w->touched_count; i++)
		describe_block(w->touched[i]);

	stream_add("w %u %lx %lx %lu %lu %lu %lu %zu %s %s\n", cpu, w->begin,
		   end, w->instructions, w->loads, w->stores, w->taken,
		   w->lines.used, misses_of(w), first_blocks(w));
	for (i = 0; i < w->touched_count && !options->brief; i++) {
		const struct block *block = w->touched[i];
		const struct tally *tally = &w->tallies[block->id];

		stream_add("c %u %lu %lu %lu\n", block->id, tally->runs,
			   tally->loads, tally->stores);
	}
	if (options->calls)
		add_paths(w);
	stream_window();
}

static bool is_pair(uint64_t begin, uint64_t end)
{
	return begin && end > begin && end - begin < FUNCTION_MAX;
}

/* Take the last pair that came often in a row for the slice. */
static void learn(uint64_t here)
{
	uint64_t before = read_before;

	read_before = here;
	if (!is_pair(before, here))
		return;

	read_before = 0;
	if (candidate.begin != before || candidate.end != here)
		candidate = (struct pair) { .begin = before, .end = here };
	if (++candidate.streak == LEARNT_AFTER)
		slice = candidate;
}

static void cross_border(struct window *w, unsigned int cpu)
{
	uint64_t here = w->border->clock;

	w->border = NULL;
	learn(here);
	if (slice.begin && here != slice.begin && here != slice.end)
		return;

	if (w->open && is_pair(w->begin, here))
		close_window(w, cpu, here);
	else if (!slice.begin || here == slice.begin)
		open_window(w, here);
}

static struct path_tally *path_entry(const struct window *w, uint64_t key)
{
	size_t place = key * 0x9e3779b97f4a7c15ULL >> 32;

	for (;; place++) {
		struct path_tally *entry;

		entry = &w->paths[place & (w->path_room - 1)];
		if (!entry->key || entry->key == key)
			return entry;
	}
}

static void grow_paths(struct window *w)
{
	struct path_tally *old = w->paths;
	size_t room = w->path_room;
	size_t i;

	w->path_room = room ? 2 * room : 256;
	w->paths = allocate(w->path_room, sizeof(*w->paths));
	for (i = 0; i < room; i++) {
		if (old[i].key)
			*path_entry(w, old[i].key) = old[i];
	}
	free(old);
}

static void count_path(struct window *w, const struct block *block)
{
	uint64_t key = ((uint64_t)w->node << 32 | block->id) + 1;
	struct path_tally *entry;

	if (2 * w->path_count >= w->path_room)
		grow_paths(w);
	entry = path_entry(w, key);
	w->path_count += !entry->key;
	entry->key = key;
	entry->runs++;
}

static void count_block(struct window *w, struct block *block)
{
	struct tally *tally;

	if (block->id >= w->tally_room)
		w->tallies = enlarge(w->tallies, block_count(), &w->tally_room,
				     sizeof(*w->tallies));
	tally = &w->tallies[block->id];
	if (!tally->runs) {
		w->touched = enlarge(w->touched, w->touched_count,
				     &w->touched_room, sizeof(*w->touched));
		w->touched[w->touched_count++] = block;
	}
	tally->runs++;
	w->instructions += block->instructions;

	if (w->before) {
		w->taken += w->before->ending != ENDS_NEXT &&
			    block->address != block_end(w->before);
		if (options->calls)
			w->node = calls_follow(&w->tree, w->node, w->before,
					       block);
	}
	if (options->calls)
		count_path(w, block);
	w->before = block;
}

void window_block(unsigned int cpu, struct block *block)
{
	struct window *w = window_of(cpu);

	if (w->border)
		cross_border(w, cpu);
	if (w->open)
		count_block(w, block);
	if (block->clock)
		w->border = block;
}

void window_access(unsigned int cpu, const struct block *block, uint64_t address,
		   unsigned int bytes, bool store)
{
	struct window *w = window_of(cpu);
	uint64_t last = (address + bytes - 1) >> LINE_SHIFT;
	uint64_t line;

	if (w->cache && (w->open || options->warm)) {
		for (line = address >> LINE_SHIFT; line <= last; line++)
			cache_access(w->cache, line, w->misses);
	}
	if (!w->open)
		return;

	w->loads += !store;
	w->stores += store;
	if (block->id < w->tally_room) {
		w->tallies[block->id].loads += !store;
		w->tallies[block->id].stores += store;
	}
	for (line = address >> LINE_SHIFT; line <= last; line++) {
		/* So much belongs to no operation: a read without a partner. */
		if (!lines_add(&w->lines, line))
			w->open = false;
	}
}
