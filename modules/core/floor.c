// SPDX-License-Identifier: GPL-2.0
/*
 * What the machine can do at best: the floors that containers are measured
 * against. They are a subject like any other, timed by the same runner, but
 * part of the core: they join every run that has a container, at its sizes.
 *
 * Their nodes are an array of elements of their own, so that nothing but the
 * work stands between two of them, whatever way of allocation the run has.
 */

#include <linux/build_bug.h>
#include <linux/mm.h>
#include <linux/prandom.h>

#include "export.h"
#include "floor.h"
#include "set.h"

#define FLOOR_GFP	(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY)

/* Loops outside the clock give way to others once in so many nodes. */
#define BREATH		4096

/* As large as an element, and as far from its neighbours. */
struct floor_node {
	struct dsbench_elem e;
	struct floor_node *next;
	u8 pad[DSBENCH_ELEM_SIZE - sizeof(struct dsbench_elem) -
	       sizeof(struct floor_node *)];
};

static_assert(sizeof(struct floor_node) == DSBENCH_ELEM_SIZE);

/**
 * struct dsbench_floor - what the floors of one size work on
 * @pool: more nodes than a try takes, as there are more elements
 * @nodes: n of them, in the order that walk takes
 * @index: the order that random takes, always shuffled
 * @sequential: the chase takes the nodes as they lie in memory, instead of as
 *	random does
 * @rnd: chooses each try's nodes
 * @first: where the chase begins; it passes every node once
 * @end: where it ends; its own successor, so that nobody falls off
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
 * Nothing, @turns times, at least once. On x86 a turn is exactly two
 * instructions, sub and jnz, whatever the compiler: a clock that counts
 * instructions must find 2 an element, and what it finds above is the runner's.
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

static int floor_walk(struct dsbench_set *set, u32 first, u32 last)
{
	struct floor_node *end = set->floor->nodes + last;
	struct floor_node *node;

	for (node = set->floor->nodes + first; node < end; node++)
		node->e.value++;
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

/* The address of each node is known only when the one before it is there. */
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
		if (!(i % BREATH))
			cond_resched();
	}
	*link = &floor->end;
	floor->end.next = &floor->end;
}

/*
 * A try begins with nodes of its own choice, with their first values, and with
 * all that it reads in the caches, as far as there is room.
 */
static int floor_create(struct dsbench_set *set)
{
	struct dsbench_floor *floor = set->floor;
	const u32 *index = floor->index;
	struct floor_node *nodes;
	u32 i;

	floor->nodes = floor->pool + dsbench_pool_choose(set->n, &floor->rnd);
	link_nodes(floor, set->n);
	nodes = floor->nodes;
	for (i = 0; i < set->n; i++) {
		nodes[i].e.key = i;
		nodes[i].e.value = i;
		READ_ONCE(index[i]);
		if (!(i % BREATH))
			cond_resched();
	}
	set->priv = floor->first;
	return 0;
}

static void floor_destroy(struct dsbench_set *set)
{
}

static u64 sum_of_keys(u32 n)
{
	return (u64)n * (n - 1) / 2;
}

/* Every value is as it was, or one more where walk has been. */
static int check_nodes(const struct dsbench_set *set)
{
	const struct floor_node *nodes = set->floor->nodes;
	u32 more = set->op == DSBENCH_WALK;
	u32 i;

	for (i = 0; i < set->n; i++) {
		if (nodes[i].e.key != i || nodes[i].e.value != i + more)
			return -EUCLEAN;
		if (!(i % BREATH))
			cond_resched();
	}
	return 0;
}

/* The chase has come to the end, and no shorter way leads there. */
static int check_chase(const struct dsbench_set *set)
{
	const struct dsbench_floor *floor = set->floor;
	const struct floor_node *node = floor->first;
	u64 sum = 0;
	u32 i;

	for (i = 0; i < set->n && node != &floor->end; i++) {
		sum += node->e.key;
		node = node->next;
		if (!(i % BREATH))
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

/* Not in the registry: nobody selects it, and it never leaves. */
struct dsbench_subject dsbench_floor_subject = {
	.name = "floor",
	.ops = &floor_ops,
};
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_floor_subject);

/**
 * dsbench_floor_of() - which floor an operation is measured against
 * @op: a container's operation
 * @sequential: the run's order: where it is sequential, elements are inserted
 *	and erased as they lie in memory
 *
 * Context: any.
 *
 * Return: a floor's operation, or DSBENCH_NR_OPS where there is none.
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

/**
 * dsbench_floor_bytes() - the memory that the floors of one size take
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
				     FLOOR_GFP);
	floor->index = kvmalloc_array(n, sizeof(*floor->index), FLOOR_GFP);
	if (!floor->pool || !floor->index) {
		free_floor(floor);
		return NULL;
	}

	for (i = 0; i < n; i++)
		floor->index[i] = i;
	prandom_seed_state(&floor->rnd, p->seed);
	dsbench_shuffle(floor->index, n, &floor->rnd);
	floor->sequential = p->sequential;
	return floor;
}

/**
 * dsbench_floor_alloc() - make what the floors of one size work on
 * @p: seed and order
 * @n: nodes
 *
 * Context: may sleep.
 *
 * Return: the set, for dsbench_set_free(), or NULL when memory is short.
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
