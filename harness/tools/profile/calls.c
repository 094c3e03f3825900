// SPDX-License-Identifier: GPL-2.0
/*
 * The tree of calls. The stack of the guest cannot be read, so calls and
 * returns are followed. A return leaves all functions up to the one whose call
 * it goes back behind. Where none did, as in a thunk that returns to a target
 * that it has pushed, it leaves one: retpolines do that after a call for it.
 */

#include <stdlib.h>

#include "calls.h"
#include "memory.h"

#define LEAST_TABLE	1024
#define DEPTH_MAX	256

static size_t place_of(const struct calls *calls, uint32_t parent, uint32_t site,
		       uint64_t back)
{
	uint64_t key = ((uint64_t)parent << 32 | site) ^ !back;

	return key * 0x9e3779b97f4a7c15ULL >> 32 & (calls->table_room - 1);
}

/* Return the entry of the table for a call, which is 0 if there is no node. */
static uint32_t *entry_of(const struct calls *calls, uint32_t parent,
			  const struct block *site, uint64_t back)
{
	size_t place = place_of(calls, parent, site->id, back);

	for (;; place = (place + 1) & (calls->table_room - 1)) {
		uint32_t *entry = &calls->table[place];
		const struct call_node *node = &calls->nodes[*entry];

		if (!*entry || (node->parent == parent && node->site == site &&
				node->back == back))
			return entry;
	}
}

static void grow_table(struct calls *calls)
{
	uint32_t i;

	free(calls->table);
	calls->table_room = calls->table_room ? 2 * calls->table_room : LEAST_TABLE;
	calls->table = allocate(calls->table_room, sizeof(*calls->table));
	for (i = 1; i < calls->used; i++) {
		const struct call_node *node = &calls->nodes[i];

		*entry_of(calls, node->parent, node->site, node->back) = i;
	}
}

static uint32_t callee(struct calls *calls, uint32_t parent,
		       const struct block *site, uint64_t back)
{
	uint32_t *entry;

	if (!calls->used)
		calls->used = 1;	/* the root */
	else if (calls->nodes[parent].depth >= DEPTH_MAX)
		return parent;
	calls->nodes = enlarge(calls->nodes, calls->used, &calls->room,
			       sizeof(*calls->nodes));
	if (2 * calls->used >= calls->table_room)
		grow_table(calls);

	entry = entry_of(calls, parent, site, back);
	if (!*entry) {
		*entry = calls->used++;
		calls->nodes[*entry] = (struct call_node) {
			.parent = parent,
			.site = site,
			.depth = calls->nodes[parent].depth + 1,
			.back = back,
		};
	}
	return *entry;
}

/*
 * Leave the functions up to the one that returns to @back; 0: an interrupt. Go to
 * @otherwise if there is none.
 */
static uint32_t leave(const struct calls *calls, uint32_t node, uint64_t back,
		      uint32_t otherwise)
{
	uint32_t at;

	for (at = node; at != CALLS_ROOT; at = calls->nodes[at].parent) {
		if (calls->nodes[at].back == back)
			return calls->nodes[at].parent;
	}
	return otherwise;
}

static uint32_t caller(const struct calls *calls, uint32_t node)
{
	return node == CALLS_ROOT ? CALLS_ROOT : calls->nodes[node].parent;
}

uint32_t calls_follow(struct calls *calls, uint32_t node,
		      const struct block *before, const struct block *block)
{
	switch (before->ending) {
	case ENDS_CALL:
		return callee(calls, node, before, block_end(before));
	case ENDS_RETURN:
		return leave(calls, node, block->address, caller(calls, node));
	case ENDS_INTERRUPT_RETURN:
		return leave(calls, node, 0, node);
	case ENDS_NEXT:
		/*
		 * Only an interrupt or a fault goes elsewhere from here. A string
		 * instruction repeats itself.
		 */
		if (block->address >= before->address &&
		    block->address <= block_end(before))
			return node;
		return callee(calls, node, before, 0);
	default:
		return node;
	}
}
