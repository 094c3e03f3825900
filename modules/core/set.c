// SPDX-License-Identifier: GPL-2.0
/* Elements and keys that tries work on, and the verification of each try. */

#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include <dsbench/compat.h>

#include "export.h"
#include "memory.h"
#include "random.h"
#include "set.h"

/* Loops over a set reschedule once per this number of elements. */
#define RESCHED_ELEMENTS		4096

/* Number of elements that fit in a 4 KiB page. */
#define CHUNK		64

/* A pool has this many elements at most for each of three further choices. */
#define POOL_EXTRA	4096U

/*
 * Elements have slabs of their own. Among other objects they would be spread
 * over more pages, by an amount that differs between loads of the module, and
 * so would their cost.
 */
static struct kmem_cache *elem_cache;

/**
 * dsbench_sets_init() - create the cache of elements
 *
 * Context: may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int dsbench_sets_init(void)
{
	elem_cache = dsbench_cache_create("dsbench_elem", DSBENCH_ELEM_SIZE);
	return elem_cache ? 0 : -ENOMEM;
}

/**
 * dsbench_sets_exit() - destroy the cache of elements
 *
 * Context: may sleep; no set is left.
 */
void dsbench_sets_exit(void)
{
	kmem_cache_destroy(elem_cache);
}

static void maybe_resched(u32 i)
{
	if (!(i % RESCHED_ELEMENTS))
		cond_resched();
}

static void shuffle_elems(struct dsbench_set *set)
{
	u32 i;

	for (i = set->n; i > 1; i--) {
		u32 other = ((u64)prandom_u32_state(&set->rnd) * i) >> 32;

		swap(set->elems[i - 1], set->elems[other]);
		maybe_resched(i);
	}
}

static void count_up(u32 *array, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		array[i] = i;
}

/*
 * A lookup that misses uses a key behind the last one, and behind those of the
 * churn if the container is shared.
 */
static void plant_misses(struct dsbench_set *set,
			 const struct dsbench_params *p)
{
	u32 behind = set->n + (p->nr_threads ? DSBENCH_CHURN_MAX : 0);
	u32 i;

	for (i = 0; i < set->lookups; i++) {
		if ((((u64)prandom_u32_state(&set->rnd) * 100) >> 32) < p->misses)
			set->lookup[i] += behind;
		maybe_resched(i);
	}
}

/**
 * dsbench_pool_size() - number of elements that tries choose from
 * @n: elements of a try
 *
 * The pages of a small set decide which of its cache lines compete with each
 * other and with those of the arrays beside it. The cost of a load would depend
 * on them, by up to a half. So there are more elements than a try uses, and
 * each try chooses some of them.
 *
 * Context: any.
 *
 * Return: the number, at most four times @n.
 */
u32 dsbench_pool_size(u32 n)
{
	return n + 3 * min(n, POOL_EXTRA);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_pool_size);

/**
 * dsbench_pool_choose() - choose the elements of a try
 * @n: elements of the try
 * @rnd: source of randomness
 *
 * Context: any.
 *
 * Return: index of the first element. The elements are neighbours in the pool,
 * as they would be without a choice.
 */
u32 dsbench_pool_choose(u32 n, struct rnd_state *rnd)
{
	u32 choices = (dsbench_pool_size(n) - n) / CHUNK + 1;

	return CHUNK * (((u64)prandom_u32_state(rnd) * choices) >> 32);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_pool_choose);

static void choose_elems(struct dsbench_set *set)
{
	memcpy(set->elems,
	       set->pool + dsbench_pool_choose(set->n, &set->rnd),
	       set->n * sizeof(*set->elems));
}

static int alloc_elems(struct dsbench_set *set)
{
	u32 size = dsbench_pool_size(set->n);
	u32 i;

	set->elems = kvmalloc_array(set->n, sizeof(*set->elems), DSBENCH_RUN_GFP);
	set->pool = kvcalloc(size, sizeof(*set->pool), DSBENCH_RUN_GFP);
	if (!set->elems || !set->pool)
		return -ENOMEM;

	for (i = 0; i < size; i++) {
		set->pool[i] = kmem_cache_alloc(elem_cache, DSBENCH_RUN_GFP);
		if (!set->pool[i])
			return -ENOMEM;
		maybe_resched(i);
	}
	memcpy(set->elems, set->pool, set->n * sizeof(*set->elems));
	return 0;
}

/**
 * dsbench_set_bytes() - memory of a set
 * @n: elements
 *
 * Context: any.
 *
 * Return: bytes, including the elements, without the container's own memory.
 */
u64 dsbench_set_bytes(u32 n)
{
	/* the pool; elems and by_key; keys, lookup and erase */
	return (u64)dsbench_pool_size(n) * (DSBENCH_ELEM_SIZE + sizeof(void *)) +
	       (u64)n * (2 * sizeof(void *) + 3 * sizeof(u32));
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_set_bytes);

static void arrange_insertions(struct dsbench_set *set)
{
	if (set->sequential)
		return;

	dsbench_shuffle(set->keys, set->n, &set->rnd);
	if (set->elems)
		shuffle_elems(set);
}

/**
 * dsbench_set_alloc() - allocate the elements and keys of one size
 * @p: seed, orders, misses and way of allocation
 * @n: elements
 *
 * When shuffled, three orders are independent: the order of insertion of the
 * keys, the place in memory of a key's element, and the order of the lookups.
 * So no container visits memory in the order of allocation, whatever order it
 * keeps its elements in.
 *
 * Context: may sleep.
 *
 * Return: the set, or NULL if memory is short.
 */
struct dsbench_set *dsbench_set_alloc(const struct dsbench_params *p, u32 n)
{
	struct dsbench_set *set;

	set = kzalloc(sizeof(*set), GFP_KERNEL);
	if (!set)
		return NULL;

	set->n = n;
	set->lookups = n;
	set->inline_alloc = p->inline_alloc;
	set->sequential = p->sequential;
	set->keys = kvmalloc_array(n, sizeof(*set->keys), DSBENCH_RUN_GFP);
	set->lookup = kvmalloc_array(n, sizeof(*set->lookup), DSBENCH_RUN_GFP);
	set->erase = p->erase_as_inserted ? set->keys :
		     kvmalloc_array(n, sizeof(*set->erase), DSBENCH_RUN_GFP);
	set->by_key = kvmalloc_array(n, sizeof(*set->by_key), DSBENCH_RUN_GFP);
	if (!set->keys || !set->lookup || !set->erase || !set->by_key)
		goto err;
	if (!set->inline_alloc && alloc_elems(set))
		goto err;

	dsbench_random_seed(&set->rnd, p->seed, DSBENCH_STREAM_SETS);
	count_up(set->keys, n);
	count_up(set->lookup, n);
	count_up(set->erase, n);
	dsbench_shuffle(set->lookup, n, &set->rnd);
	plant_misses(set, p);
	arrange_insertions(set);
	return set;

err:
	dsbench_set_free(set);
	return NULL;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_set_alloc);

/**
 * dsbench_set_alloc_bare() - allocate a set without elements and keys
 * @n: size, with a meaning that the subject defines
 *
 * Context: may sleep.
 *
 * Return: the set, for dsbench_set_free(), or NULL if memory is short.
 */
struct dsbench_set *dsbench_set_alloc_bare(u32 n)
{
	struct dsbench_set *set = kzalloc(sizeof(*set), GFP_KERNEL);

	if (set)
		set->n = n;
	return set;
}

/**
 * dsbench_set_free() - free a set and what its owner attached to it
 * @set: the set, in no container, or NULL
 *
 * Context: may sleep.
 */
void dsbench_set_free(struct dsbench_set *set)
{
	u32 i;

	if (!set)
		return;

	for (i = 0; set->pool && i < dsbench_pool_size(set->n); i++) {
		if (set->pool[i])
			kmem_cache_free(elem_cache, set->pool[i]);
		maybe_resched(i);
	}
	if (set->release)
		set->release(set);
	kvfree(set->pool);
	kvfree(set->elems);
	kvfree(set->by_key);
	if (set->erase != set->keys)
		kvfree(set->erase);
	kvfree(set->lookup);
	kvfree(set->keys);
	kfree(set);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_set_free);

/**
 * dsbench_set_arrange() - give a try its own elements and orders
 * @set: a set with keys that is in no container
 * @lookups: keys that the try looks up
 *
 * The keys stay the same, including those that are looked up, but everything
 * that is shuffled is shuffled again. A branch predictor learns an order of a
 * thousand keys within a few tries, which a user's data would not allow, and
 * forgets it when other code runs.
 *
 * Context: may sleep.
 */
void dsbench_set_arrange(struct dsbench_set *set, u32 lookups)
{
	dsbench_shuffle(set->lookup, lookups, &set->rnd);
	if (set->elems)
		choose_elems(set);
	arrange_insertions(set);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_set_arrange);

/**
 * dsbench_set_reset() - restore the key and the first value of every element
 * @set: a set that is in no container
 *
 * Context: may sleep.
 */
void dsbench_set_reset(struct dsbench_set *set)
{
	u32 i;

	set->hits = 0;
	set->sum = 0;
	if (!set->elems)
		return;

	for (i = 0; i < set->n; i++) {
		set->elems[i]->key = set->keys[i];
		set->elems[i]->value = set->keys[i];
		maybe_resched(i);
	}
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_set_reset);

/**
 * dsbench_set_collect() - walk the container and record its elements
 * @set: gets by_key, seen and sum
 * @ops: operations of the container
 *
 * Context: may sleep.
 *
 * Return: 0, or -EUCLEAN if the container is damaged.
 */
int dsbench_set_collect(struct dsbench_set *set, const struct dsbench_ops *ops)
{
	memset(set->by_key, 0, set->n * sizeof(*set->by_key));
	set->seen = 0;
	set->sum = 0;
	return ops->verify(set);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_set_collect);

/**
 * dsbench_set_order() - sort the elements into the order of their erasure
 * @set: as left by dsbench_set_collect(), with every key found
 *
 * Erase is then the same loop over by_key for every order.
 *
 * Context: may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int dsbench_set_order(struct dsbench_set *set)
{
	struct dsbench_elem **ordered;
	u32 i;

	if (set->erase != set->keys)
		return 0;

	ordered = kvmalloc_array(set->n, sizeof(*ordered), DSBENCH_RUN_GFP);
	if (!ordered)
		return -ENOMEM;

	for (i = 0; i < set->n; i++) {
		ordered[i] = set->by_key[set->erase[i]];
		maybe_resched(i);
	}
	swap(set->by_key, ordered);
	kvfree(ordered);
	return 0;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_set_order);

/**
 * dsbench_set_expect_find() - calculate the expected result of find
 * @set: the set, with its lookups
 * @lookups: number of lookups
 * @hits: set to the number of lookups whose key is present
 * @sum: set to the sum of their values
 *
 * Context: may sleep.
 */
void dsbench_set_expect_find(const struct dsbench_set *set, u32 lookups,
			     u32 *hits, u64 *sum)
{
	u32 i;

	*hits = 0;
	*sum = 0;
	for (i = 0; i < lookups; i++) {
		if (set->lookup[i] < set->n) {
			*sum += set->lookup[i];
			++*hits;
		}
		maybe_resched(i);
	}
}

static int check_find(const struct dsbench_set *set, u32 lookups)
{
	u32 hits;
	u64 sum;

	dsbench_set_expect_find(set, lookups, &hits, &sum);
	return set->hits == hits && set->sum == sum ? 0 : -EUCLEAN;
}

/* An element visited twice and one visited never leave the sum as it was. */
static int check_values(const struct dsbench_set *set, u32 more)
{
	u32 key;

	for (key = 0; key < set->n; key++) {
		if (set->by_key[key]->value != (u64)key + more)
			return -EUCLEAN;
		maybe_resched(key);
	}
	return 0;
}

/**
 * dsbench_set_verify() - verify the container after an operation
 * @set: the set of the operation
 * @ops: operations of the container
 * @op: the operation that has just run
 * @lookups: number of keys that find looked up
 *
 * The check covers the count, every key exactly once, the value of every element,
 * and for find every key that it had to find.
 *
 * Context: may sleep.
 *
 * Return: 0, or -EUCLEAN for a wrong answer.
 */
int dsbench_set_verify(struct dsbench_set *set, const struct dsbench_ops *ops,
		       enum dsbench_op op, u32 lookups)
{
	u32 count = op == DSBENCH_ERASE ? 0 : set->n;
	u64 sum = (u64)count * (set->n - 1) / 2;
	int err;

	if (op == DSBENCH_FIND) {
		err = check_find(set, lookups);
		if (err)
			return err;
	}
	if (op == DSBENCH_FOR_EACH)
		sum += count;

	err = dsbench_set_collect(set, ops);
	if (err)
		return err;
	if (set->seen != count || set->sum != sum)
		return -EUCLEAN;
	return count ? check_values(set, op == DSBENCH_FOR_EACH) : 0;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_set_verify);

/**
 * dsbench_set_empty() - take back all elements and destroy the container
 * @set: a set with a container in any state that an operation left
 * @ops: operations of the container
 *
 * Unreachable elements of a damaged container are leaked rather than freed
 * twice, unless the container owns them.
 *
 * Context: may sleep.
 */
void dsbench_set_empty(struct dsbench_set *set, const struct dsbench_ops *ops)
{
	bool frees = set->inline_alloc && !ops->owns_elems;
	u32 key;

	if (frees)
		dsbench_set_collect(set, ops);

	ops->destroy(set);
	set->priv = NULL;

	for (key = 0; frees && key < set->n; key++) {
		kfree(set->by_key[key]);
		maybe_resched(key);
	}
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_set_empty);
