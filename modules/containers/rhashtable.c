// SPDX-License-Identifier: GPL-2.0
/*
 * struct rhashtable with a fixed key, the default comparison, and automatic
 * shrinking, like most of its users.
 *
 * A worker resizes the table at a time of its own choice. So that every try
 * does the same work, the table gets a hint of the number of elements: up to
 * 24576 it never grows or shrinks. The hints have 16 bits, so from 98304
 * elements on the table does grow: between two slices, outside the clock, while
 * settle waits for the worker. The user of a growing table pays for that in a
 * kernel thread, too.
 *
 * The hash function is the default one, jhash2, apart from its seed. Users'
 * tables have random seeds. Ours all have the same seed, so chains are equally
 * long in every try, at the same cost of computing the hash.
 *
 * If shared, readers hold the RCU read lock, and the writer holds the lock of a
 * bucket, one bit of it, inside rhashtable's own functions. The churn is too
 * small for the table to be resized while it is read.
 */

#include <linux/jhash.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/rhashtable.h>

#include <dsbench/bench.h>
#include <dsbench/compat.h>

/* The largest power of two that fits into min_size. */
#define MIN_SIZE_MAX	32768

/* Limit for a worker that cannot get memory and reschedules itself. */
#define SETTLE_ROUNDS	100

struct rhashtable_elem {
	struct dsbench_elem e;
	struct rhash_head link;
};

static_assert(sizeof(struct rhashtable_elem) <= DSBENCH_ELEM_SIZE);

/* Read from memory, like a table's own seed. */
static u32 hash_seed __read_mostly = 0x9e3779b9;

static __always_inline u32 hash_key(const void *key, u32 len, u32 seed)
{
	return jhash2(key, len / sizeof(u32), READ_ONCE(hash_seed));
}

static const struct rhashtable_params params = {
	.key_len = sizeof_field(struct rhashtable_elem, e.key),
	.key_offset = offsetof(struct rhashtable_elem, e.key),
	.head_offset = offsetof(struct rhashtable_elem, link),
	.hashfn = hash_key,
	.automatic_shrinking = true,
};

/*
 * Size that rhashtable_init() derives from the hint: three quarters full with
 * n.
 */
static u64 table_size(u32 n)
{
	return roundup_pow_of_two(max(div_u64((u64)n * 4, 3), 4ULL));
}

static int table_create(struct dsbench_set *set)
{
	struct rhashtable_params p = params;
	struct rhashtable *ht;
	int err;

	p.nelem_hint = min_t(u32, set->n, U16_MAX);
	p.min_size = min_t(u64, table_size(set->n), MIN_SIZE_MAX);

	ht = kmalloc(sizeof(*ht), GFP_KERNEL);
	if (!ht)
		return -ENOMEM;

	err = rhashtable_init(ht, &p);
	if (err) {
		kfree(ht);
		return err;
	}
	set->priv = ht;
	return 0;
}

/* Waits for the worker, which calls hash_key(). */
static void table_destroy(struct dsbench_set *set)
{
	struct rhashtable *ht = set->priv;

	rhashtable_destroy(ht);
	kfree(ht);
}

static void table_settle(struct dsbench_set *set)
{
	struct rhashtable *ht = set->priv;
	int rounds = SETTLE_ROUNDS;

	dsbench_rhashtable_kick_sync(ht);
	while (flush_work(&ht->run_work) && --rounds)
		;
}

static __always_inline int table_fill_as(struct dsbench_set *set, u32 first,
					 u32 last, bool inline_alloc)
{
	struct rhashtable *ht = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = dsbench_elem_get(set, i, inline_alloc);
		struct rhashtable_elem *re;
		int err;

		if (unlikely(!e))
			return -ENOMEM;
		re = container_of(e, struct rhashtable_elem, e);
		err = rhashtable_insert_fast(ht, &re->link, params);
		if (unlikely(err)) {
			dsbench_elem_put(e, inline_alloc);
			return err;
		}
	}
	return 0;
}

dsbench_by_alloc(table_fill)

static int table_find(struct dsbench_set *set, u32 first, u32 last)
{
	struct rhashtable *ht = set->priv;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		u64 key = set->lookup[i];
		struct rhashtable_elem *re;

		re = rhashtable_lookup_fast(ht, &key, params);
		if (re) {
			sum += re->e.value;
			hits++;
		}
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

/* -EAGAIN: the table was resized, so elements may be visited twice. */
static int table_visit_all(struct dsbench_set *set, u32 first, u32 last)
{
	struct rhashtable_iter iter;
	struct rhashtable_elem *re;

	rhashtable_walk_enter(set->priv, &iter);
	rhashtable_walk_start(&iter);
	while ((re = rhashtable_walk_next(&iter))) {
		if (IS_ERR(re))
			continue;
		re->e.value++;
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	return 0;
}

static __always_inline int table_erase_as(struct dsbench_set *set, u32 first,
					  u32 last, bool inline_alloc)
{
	struct rhashtable *ht = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = set->by_key[i];
		struct rhashtable_elem *re;

		re = container_of(e, struct rhashtable_elem, e);
		if (unlikely(rhashtable_remove_fast(ht, &re->link, params)))
			return -EUCLEAN;
		dsbench_elem_put(e, inline_alloc);
	}
	return 0;
}

dsbench_by_alloc(table_erase)

/* Every element is found by its key, and the table's count is right. */
static int table_verify(struct dsbench_set *set)
{
	struct rhashtable *ht = set->priv;
	struct rhashtable_iter iter;
	struct rhashtable_elem *re;
	int err = 0;

	table_settle(set);
	rhashtable_walk_enter(ht, &iter);
	rhashtable_walk_start(&iter);
	while (!err && (re = rhashtable_walk_next(&iter))) {
		if (IS_ERR(re) ||
		    rhashtable_lookup_fast(ht, &re->e.key, params) != re) {
			err = -EUCLEAN;
			break;
		}
		/* dsbench_see() may sleep, but a walk in progress must not. */
		rhashtable_walk_stop(&iter);
		err = dsbench_see(set, &re->e);
		rhashtable_walk_start(&iter);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);

	if (!err && atomic_read(&ht->nelems) != set->seen)
		err = -EUCLEAN;
	return err;
}

static int table_find_shared(struct dsbench_set *set, u32 first, u32 last)
{
	struct rhashtable *ht = set->priv;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		u64 key = set->lookup[i];
		struct rhashtable_elem *re;

		rcu_read_lock();
		re = rhashtable_lookup(ht, &key, params);
		if (re) {
			sum += re->e.value;
			hits++;
		}
		rcu_read_unlock();
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

/*
 * A walk cannot be left and resumed in another call, so it continues to the end
 * and lets grace periods pass once per part. -EAGAIN: the table was resized,
 * and the walk starts again.
 */
static int table_visit_shared(struct dsbench_set *set, u32 first, u32 last)
{
	struct rhashtable_iter iter;
	struct rhashtable_elem *re;
	u32 part = last - first;
	u64 n = set->n;
	u32 hits = 0;
	u64 sum = 0;

	rhashtable_walk_enter(set->priv, &iter);
	rhashtable_walk_start(&iter);
	while ((re = rhashtable_walk_next(&iter))) {
		if (IS_ERR(re)) {
			hits = 0;
			sum = 0;
			continue;
		}
		if (re->e.key >= n)
			continue;
		sum += re->e.value;
		if (++hits % part)
			continue;
		rhashtable_walk_stop(&iter);
		rhashtable_walk_start(&iter);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int table_insert_one(struct dsbench_set *set, struct dsbench_elem *e)
{
	struct rhashtable_elem *re = container_of(e, struct rhashtable_elem, e);

	return rhashtable_insert_fast(set->priv, &re->link, params);
}

static int table_erase_one(struct dsbench_set *set, struct dsbench_elem *e)
{
	struct rhashtable_elem *re = container_of(e, struct rhashtable_elem, e);

	return rhashtable_remove_fast(set->priv, &re->link, params) ?
	       -EUCLEAN : 0;
}

static const struct dsbench_shared_ops table_shared = {
	.readers = "rcu_read_lock",
	.writer = "rht_lock",
	.rcu = true,
	.find = table_find_shared,
	.for_each = table_visit_shared,
	.insert = table_insert_one,
	.erase = table_erase_one,
};

/* While it grows, a table also has a copy of half its size. */
static u64 table_bytes(u32 n)
{
	return table_size(n) * sizeof(void *) / 2 * 3;
}

static const struct dsbench_ops rhashtable_ops = {
	.create = table_create,
	.destroy = table_destroy,
	.settle = table_settle,
	.verify = table_verify,
	.op = {
		[DSBENCH_FILL] = table_fill,
		[DSBENCH_FIND] = table_find,
		[DSBENCH_FOR_EACH] = table_visit_all,
		[DSBENCH_ERASE] = table_erase,
	},
	.shared = &table_shared,
	.irqs_on = DSBENCH_RHASHTABLE_IRQS_ON,
	.bytes = table_bytes,
};

dsbench_container_module(rhashtable);
MODULE_DESCRIPTION("dsbench: struct rhashtable");
