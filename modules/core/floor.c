// SPDX-License-Identifier: GPL-2.0
/*
 * Floors: what the machine can do at best, which containers are measured
 * against. The floors are a subject like any other, timed by the same runner,
 * but part of the core: they join every run that has a container, at its sizes.
 *
 * Their nodes are an array of elements of their own, so that nothing but the
 * work separates two nodes, whatever way of allocation the run uses.
 */

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/mm.h>

#include "clock.h"
#include "export.h"
#include "floor.h"
#include "memory.h"
#include "random.h"
#include "set.h"

/* Loops outside the clock reschedule once per this number of nodes. */
#define RESCHED_ELEMENTS		4096

/* A node is as large as an element, and as far from its neighbours. */
struct floor_node {
	struct dsbench_elem e;
	struct floor_node *next;
	u8 pad[DSBENCH_ELEM_SIZE - sizeof(struct dsbench_elem) -
	       sizeof(struct floor_node *)];
};

static_assert(sizeof(struct floor_node) == DSBENCH_ELEM_SIZE);

/**
 * struct dsbench_floor - the data of the floors of one size
 * @pool: more nodes than a try uses, as for elements
 * @nodes: n of them, in the order of walk
 * @index: the order of random, always shuffled
 * @sequential: chase follows the nodes in memory order, instead of the order of
 *	random
 * @rnd: chooses the nodes of each try
 * @first: first node of the chase, which passes every node once
 * @end: end of the chase; its own successor, so that the chase cannot overrun
 */
struct dsbench_floor {
	struct floor_node *pool;
	struct floor_node *nodes;
	u32 *index;
	bool sequential;
	struct rnd_state rnd;
	struct floor_node *first;
	struct floor_node end;
};

/*
 * An empty loop of @turns turns, at least one. On x86 a turn is exactly two
 * instructions, sub and jnz, whatever the compiler: a clock that counts
 * instructions must report 2 per element, and the excess is the runner's.
 */
static u32 turn(u32 turns)
{
#ifdef __x86_64__
	asm volatile(".p2align 4\n"
		     "1:\n\t"
		     "subl $1, %0\n\tjnz 1b"
		     : "+r" (turns) : : "cc");
#else
	do {
		barrier();
	} while (--turns);
#endif
	return turns;
}

static int floor_empty(struct dsbench_set *set, u32 first, u32 last)
{
	if (first < last)
		set->hits += last - first - turn(last - first);
	return 0;
}

/*
 * A slice has at least one node, and continues where the one before ended: with
 * few nodes, what precedes the loop counts, and a floor must not cost more than a
 * container. Nor may the compiler compute the end to compare with.
 */
static int floor_walk(struct dsbench_set *set, u32 first, u32 last)
{
	struct floor_node *node = set->priv;
	u32 left = last - first;

	do {
		node->e.value++;
		node++;
		OPTIMIZER_HIDE_VAR(left);
	} while (--left);
	set->priv = node;
	return 0;
}

static int floor_random(struct dsbench_set *set, u32 first, u32 last)
{
	const struct floor_node *nodes = set->floor->nodes;
	const u32 *index = set->floor->index;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++)
		sum += nodes[index[i]].e.value;
	set->hits += last - first;
	set->sum += sum;
	return 0;
}

/*
 * The address of each node is known only once the previous node has been
 * loaded.
 */
static int floor_chase(struct dsbench_set *set, u32 first, u32 last)
{
	struct floor_node *node = set->priv;
	u32 i;

	for (i = first; i < last; i++)
		node = node->next;
	set->priv = node;
	return 0;
}

static void link_nodes(struct dsbench_floor *floor, u32 n)
{
	struct floor_node **link = &floor->first;
	u32 i;

	for (i = 0; i < n; i++) {
		struct floor_node *node;

		node = &floor->nodes[floor->sequential ? i : floor->index[i]];
		*link = node;
		link = &node->next;
		if (!(i % RESCHED_ELEMENTS))
			cond_resched();
	}
	*link = &floor->end;
	floor->end.next = &floor->end;
}

/*
 * A try starts with nodes and an order of its own, as one of a container does,
 * with the first values of the nodes, and with all data that it reads in the
 * caches, as far as they have room. Counts of instructions do not depend on the
 * order.
 */
static int floor_create(struct dsbench_set *set)
{
	struct dsbench_floor *floor = set->floor;
	const u32 *index = floor->index;
	struct floor_node *nodes;
	u32 i;

	if (!dsbench_clock_is_exact())
		dsbench_shuffle(floor->index, set->n, &floor->rnd);
	floor->nodes = floor->pool + dsbench_pool_choose(set->n, &floor->rnd);
	link_nodes(floor, set->n);
	nodes = floor->nodes;
	for (i = 0; i < set->n; i++) {
		nodes[i].e.key = i;
		nodes[i].e.value = i;
		READ_ONCE(index[i]);
		if (!(i % RESCHED_ELEMENTS))
			cond_resched();
	}
	set->priv = set->op == DSBENCH_WALK ? nodes : floor->first;
	return 0;
}

static void floor_destroy(struct dsbench_set *set)
{
}

static u64 sum_of_keys(u32 n)
{
	return (u64)n * (n - 1) / 2;
}

/* Every value is the first value, or one more after walk. */
static int check_nodes(const struct dsbench_set *set)
{
	const struct floor_node *nodes = set->floor->nodes;
	u32 more = set->op == DSBENCH_WALK;
	u32 i;

	for (i = 0; i < set->n; i++) {
		if (nodes[i].e.key != i || nodes[i].e.value != i + more)
			return -EUCLEAN;
		if (!(i % RESCHED_ELEMENTS))
			cond_resched();
	}
	return 0;
}

/* The chase has reached the end, and no shorter path leads there. */
static int check_chase(const struct dsbench_set *set)
{
	const struct dsbench_floor *floor = set->floor;
	const struct floor_node *node = floor->first;
	u64 sum = 0;
	u32 i;

	for (i = 0; i < set->n && node != &floor->end; i++) {
		sum += node->e.key;
		node = node->next;
		if (!(i % RESCHED_ELEMENTS))
			cond_resched();
	}
	return i == set->n && node == &floor->end && set->priv == node &&
	       sum == sum_of_keys(set->n) ? 0 : -EUCLEAN;
}

static int floor_verify(struct dsbench_set *set)
{
	int err = check_nodes(set);

	if (err)
		return err;

	switch (set->op) {
	case DSBENCH_EMPTY:
		return set->hits == set->n ? 0 : -EUCLEAN;
	case DSBENCH_RANDOM:
		return set->hits == set->n && set->sum == sum_of_keys(set->n) ?
		       0 : -EUCLEAN;
	case DSBENCH_CHASE:
		return check_chase(set);
	default:
		return 0;
	}
}

static const struct dsbench_ops floor_ops = {
	.create = floor_create,
	.destroy = floor_destroy,
	.verify = floor_verify,
	.op = {
		[DSBENCH_EMPTY] = floor_empty,
		[DSBENCH_WALK] = floor_walk,
		[DSBENCH_RANDOM] = floor_random,
		[DSBENCH_CHASE] = floor_chase,
	},
	.bare = true,
};

/*
 * The floors are not in the registry: they cannot be selected and never leave.
 */
struct dsbench_subject dsbench_floor_subject = {
	.name = "floor",
	.ops = &floor_ops,
};
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_floor_subject);

/**
 * dsbench_floor_of() - the floor that an operation is measured against
 * @op: operation of a container
 * @sequential: the run inserts and erases elements in memory order
 *
 * Context: any.
 *
 * Return: operation of the floor, or DSBENCH_NR_OPS if there is none.
 */
enum dsbench_op dsbench_floor_of(enum dsbench_op op, bool sequential)
{
	switch (op) {
	case DSBENCH_FIND:
		return DSBENCH_RANDOM;
	case DSBENCH_FILL:
	case DSBENCH_ERASE:
		return sequential ? DSBENCH_WALK : DSBENCH_RANDOM;
	case DSBENCH_FOR_EACH:
		return DSBENCH_WALK;
	default:
		return DSBENCH_NR_OPS;
	}
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_floor_of);

/**
 * dsbench_floor_bytes() - memory of the floors of one size
 * @n: nodes
 *
 * Context: any.
 *
 * Return: bytes.
 */
u64 dsbench_floor_bytes(u32 n)
{
	return (u64)dsbench_pool_size(n) * sizeof(struct floor_node) +
	       (u64)n * sizeof(u32);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_floor_bytes);

static void free_floor(struct dsbench_floor *floor)
{
	kvfree(floor->index);
	kvfree(floor->pool);
	kfree(floor);
}

static void release_floor(struct dsbench_set *set)
{
	free_floor(set->floor);
}

static struct dsbench_floor *alloc_floor(const struct dsbench_params *p, u32 n)
{
	struct dsbench_floor *floor = kzalloc(sizeof(*floor), GFP_KERNEL);
	u32 i;

	if (!floor)
		return NULL;

	floor->pool = kvmalloc_array(dsbench_pool_size(n), sizeof(*floor->pool),
				     DSBENCH_RUN_GFP);
	floor->index = kvmalloc_array(n, sizeof(*floor->index), DSBENCH_RUN_GFP);
	if (!floor->pool || !floor->index) {
		free_floor(floor);
		return NULL;
	}

	for (i = 0; i < n; i++)
		floor->index[i] = i;
	dsbench_random_seed(&floor->rnd, p->seed, DSBENCH_STREAM_FLOORS);
	dsbench_shuffle(floor->index, n, &floor->rnd);
	floor->sequential = p->sequential;
	return floor;
}

/**
 * dsbench_floor_alloc() - allocate the data of the floors of one size
 * @p: seed and order
 * @n: nodes
 *
 * Context: may sleep.
 *
 * Return: the set, for dsbench_set_free(), or NULL if memory is short.
 */
struct dsbench_set *dsbench_floor_alloc(const struct dsbench_params *p, u32 n)
{
	struct dsbench_set *set = dsbench_set_alloc_bare(n);

	if (!set)
		return NULL;

	set->floor = alloc_floor(p, n);
	if (!set->floor) {
		dsbench_set_free(set);
		return NULL;
	}
	set->release = release_floor;
	return set;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_floor_alloc);
