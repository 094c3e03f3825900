// SPDX-License-Identifier: GPL-2.0
/*
 * An array of pointers to elements, sorted by key once it is complete, and
 * searched by bsearch(): the sort() and bsearch() of lib/, which call the
 * comparison through a pointer, as for every module.
 *
 * There is no erase: the removal of one element moves all elements behind it,
 * so to remove them one by one moves n * n / 2 pointers. Users of a sorted
 * array free it or build a new one.
 */

#include <linux/bsearch.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sort.h>

#include <dsbench/bench.h>

/*
 * sort() of more elements takes seconds, on a busy machine tens of seconds. Their
 * comparison lets others run once per this number of calls, for two more
 * instructions. Whatever delays RCU and the watchdogs for that long is reported
 * as a stall.
 */
#define LONG_SORT	(256 * 1024)
#define PAUSES		(1024 * 1024)

/**
 * struct sorted_array - the container
 * @count: number of elements
 * @slot: the elements, in key order once it is complete
 */
struct sorted_array {
	u32 count;
	struct dsbench_elem *slot[];
};

static u64 sorted_array_bytes(u32 n)
{
	return sizeof(struct sorted_array) + (u64)n * sizeof(void *);
}

static int sorted_array_create(struct dsbench_set *set)
{
	struct sorted_array *a;

	a = kvmalloc(struct_size(a, slot, set->n), GFP_KERNEL | __GFP_NOWARN);
	if (!a)
		return -ENOMEM;

	a->count = 0;
	set->priv = a;
	return 0;
}

static void sorted_array_destroy(struct dsbench_set *set)
{
	kvfree(set->priv);
}

static int by_key(const void *a, const void *b)
{
	const struct dsbench_elem *x = *(struct dsbench_elem * const *)a;
	const struct dsbench_elem *y = *(struct dsbench_elem * const *)b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* Only one run sorts at a time, so one counter is enough. */
static int by_key_pausing(const void *a, const void *b)
{
	static u32 calls;

	if (!(++calls % PAUSES))
		cond_resched();
	return by_key(a, b);
}

static int key_to_elem(const void *key, const void *slot)
{
	const struct dsbench_elem *e = *(struct dsbench_elem * const *)slot;
	u64 wanted = *(const u64 *)key;

	return wanted < e->key ? -1 : wanted > e->key;
}

static __always_inline int sorted_array_fill_as(struct dsbench_set *set,
						u32 first, u32 last,
						bool inline_alloc)
{
	struct sorted_array *a = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = dsbench_elem_get(set, i, inline_alloc);

		if (unlikely(!e))
			return -ENOMEM;
		a->slot[a->count++] = e;
	}
	if (a->count == set->n)
		sort(a->slot, a->count, sizeof(a->slot[0]),
		     a->count > LONG_SORT ? by_key_pausing : by_key, NULL);
	return 0;
}

dsbench_by_alloc(sorted_array_fill)

static int sorted_array_find(struct dsbench_set *set, u32 first, u32 last)
{
	struct sorted_array *a = set->priv;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		u64 key = set->lookup[i];
		struct dsbench_elem **slot;

		slot = bsearch(&key, a->slot, a->count, sizeof(a->slot[0]),
			       key_to_elem);
		if (slot) {
			sum += (*slot)->value;
			hits++;
		}
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int sorted_array_for_each(struct dsbench_set *set, u32 first, u32 last)
{
	struct sorted_array *a = set->priv;
	u32 i;

	for (i = 0; i < a->count; i++)
		a->slot[i]->value++;
	return 0;
}

static int sorted_array_verify(struct dsbench_set *set)
{
	struct sorted_array *a = set->priv;
	u32 i;

	for (i = 0; i < a->count; i++) {
		struct dsbench_elem *e = a->slot[i];

		/*
		 * The keys are 0 to n - 1, so in order they are their
		 * positions.
		 */
		if (a->count == set->n && e->key != i)
			return -EUCLEAN;
		if (dsbench_see(set, e))
			return -EUCLEAN;
	}
	return 0;
}

static const struct dsbench_ops sorted_array_ops = {
	.create = sorted_array_create,
	.destroy = sorted_array_destroy,
	.verify = sorted_array_verify,
	.op = {
		[DSBENCH_FILL] = sorted_array_fill,
		[DSBENCH_FIND] = sorted_array_find,
		[DSBENCH_FOR_EACH] = sorted_array_for_each,
	},
	.bytes = sorted_array_bytes,
	.long_fill = LONG_SORT,
};

dsbench_container_module(sorted_array);
MODULE_DESCRIPTION("dsbench: sorted array of pointers, sort() and bsearch()");
