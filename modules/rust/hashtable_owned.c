// SPDX-License-Identifier: GPL-2.0
/*
 * The hash table of hlist_head with the interface of one in Rust: erase is by
 * key, so it searches the bucket. Beside rust_hashtable it shows what the
 * language costs, beside hashtable what the interface costs.
 */

#include <linux/hash.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>

#include <dsbench/bench.h>

struct hashtable_owned {
	unsigned int bits;
	struct hlist_head bucket[];
};

struct hashtable_owned_elem {
	struct dsbench_elem e;
	struct hlist_node link;
};

static_assert(sizeof(struct hashtable_owned_elem) <= DSBENCH_ELEM_SIZE);

static u64 hashtable_owned_bytes(u32 n)
{
	return sizeof(struct hashtable_owned) +
	       (sizeof(struct hlist_head) << order_base_2(n));
}

static int hashtable_owned_create(struct dsbench_set *set)
{
	unsigned int bits = order_base_2(set->n);
	struct hashtable_owned *t;

	t = kvzalloc(struct_size(t, bucket, 1UL << bits),
		     GFP_KERNEL | __GFP_NOWARN);
	if (!t)
		return -ENOMEM;

	t->bits = bits;
	set->priv = t;
	return 0;
}

static void hashtable_owned_destroy(struct dsbench_set *set)
{
	struct hashtable_owned *t = set->priv;
	struct hashtable_owned_elem *he;
	struct hlist_node *next;
	u32 b;

	for (b = 0; set->inline_alloc && b < 1U << t->bits; b++)
		hlist_for_each_entry_safe(he, next, &t->bucket[b], link)
			kfree(he);
	kvfree(t);
}

static __always_inline struct hlist_head *
hashtable_owned_bucket(struct hashtable_owned *t, u64 key)
{
	return &t->bucket[t->bits ? hash_64(key, t->bits) : 0];
}

static __always_inline int hashtable_owned_fill_as(struct dsbench_set *set,
						   u32 first, u32 last,
						   bool inline_alloc)
{
	struct hashtable_owned *t = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = dsbench_elem_get(set, i, inline_alloc);
		struct hashtable_owned_elem *he;

		if (unlikely(!e))
			return -ENOMEM;
		he = container_of(e, struct hashtable_owned_elem, e);
		hlist_add_head(&he->link, hashtable_owned_bucket(t, e->key));
	}
	return 0;
}

dsbench_by_alloc(hashtable_owned_fill)

static __always_inline struct hashtable_owned_elem *
hashtable_owned_lookup(struct hashtable_owned *t, u64 key)
{
	struct hashtable_owned_elem *he;

	hlist_for_each_entry(he, hashtable_owned_bucket(t, key), link) {
		if (he->e.key == key)
			return he;
	}
	return NULL;
}

static int hashtable_owned_find(struct dsbench_set *set, u32 first, u32 last)
{
	struct hashtable_owned *t = set->priv;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		struct hashtable_owned_elem *he =
			hashtable_owned_lookup(t, set->lookup[i]);

		if (he) {
			sum += he->e.value;
			hits++;
		}
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int hashtable_owned_for_each(struct dsbench_set *set, u32 first,
				    u32 last)
{
	struct hashtable_owned *t = set->priv;
	struct hashtable_owned_elem *he;
	u32 b;

	for (b = 0; b < 1U << t->bits; b++)
		hlist_for_each_entry(he, &t->bucket[b], link)
			he->e.value++;
	return 0;
}

static __always_inline int hashtable_owned_erase_as(struct dsbench_set *set,
						    u32 first, u32 last,
						    bool inline_alloc)
{
	struct hashtable_owned *t = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct hashtable_owned_elem *he =
			hashtable_owned_lookup(t, set->erase[i]);

		if (unlikely(!he))
			return -EUCLEAN;
		hlist_del(&he->link);
		dsbench_elem_put(&he->e, inline_alloc);
	}
	return 0;
}

dsbench_by_alloc(hashtable_owned_erase)

static int hashtable_owned_verify(struct dsbench_set *set)
{
	struct hashtable_owned *t = set->priv;
	struct hashtable_owned_elem *he;
	u32 b;

	for (b = 0; b < 1U << t->bits; b++) {
		hlist_for_each_entry(he, &t->bucket[b], link) {
			if (hashtable_owned_bucket(t, he->e.key) != &t->bucket[b])
				return -EUCLEAN;
			if (dsbench_see(set, &he->e))
				return -EUCLEAN;
		}
		if (!(b % 4096))
			cond_resched();
	}
	return 0;
}

static const struct dsbench_ops hashtable_owned_ops = {
	.create = hashtable_owned_create,
	.destroy = hashtable_owned_destroy,
	.verify = hashtable_owned_verify,
	.op = {
		[DSBENCH_FILL] = hashtable_owned_fill,
		[DSBENCH_FIND] = hashtable_owned_find,
		[DSBENCH_FOR_EACH] = hashtable_owned_for_each,
		[DSBENCH_ERASE] = hashtable_owned_erase,
	},
	.bytes = hashtable_owned_bytes,
	.owns_elems = true,
};

dsbench_container_module(hashtable_owned);
MODULE_DESCRIPTION("dsbench: hash table of struct hlist_head, erased by key");
