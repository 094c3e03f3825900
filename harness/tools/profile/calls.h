/* SPDX-License-Identifier: GPL-2.0 */
/* The tree of calls: which block called what, seen from calls and returns. */
#ifndef CALLS_H
#define CALLS_H

#include <stddef.h>
#include <stdint.h>

#include "block.h"

/* The node of the window itself, which nothing in it has called. */
#define CALLS_ROOT	0

/**
 * struct calls - the tree of one CPU; all zeroes is an empty tree
 * @nodes: its nodes
 * @room: number of nodes that fit
 * @used: number of nodes
 * @table: hash table from a node and a call in it to the node of the callee
 * @table_room: its size, a power of 2
 */
struct calls {
	struct call_node *nodes;
	size_t room;
	size_t used;
	uint32_t *table;
	size_t table_room;
};

/**
 * struct call_node - a function that runs, called from a certain place
 * @parent: node of the caller
 * @site: the block that ends with the call, or that an interrupt came after
 * @depth: number of callers
 * @back: where the callee returns to; 0 for an interrupt
 * @named: the node was described in the stream
 */
struct call_node {
	uint32_t parent;
	const struct block *site;
	unsigned int depth;
	uint64_t back;
	bool named;
};

/*
 * Return the node that @block runs in, when the block before it was @before in
 * node @node.
 */
uint32_t calls_follow(struct calls *calls, uint32_t node,
		      const struct block *before, const struct block *block);

#endif /* CALLS_H */
