// SPDX-License-Identifier: GPL-2.0
/*
 * A chained hash table of hlist_head, with the hash function that
 * <linux/hashtable.h> uses for a 64-bit key. That header sizes its tables at
 * compile time. This table follows n, so that a bucket holds about one element
 * at every size, unless bits= is given. If shared, readers hold the RCU read
 * lock and the writer a spinlock for the table, like users of hash_add_rcu().
 */

#include <linux/hash.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <dsbench/bench.h>

#define BITS_MAX	24

static unsigned int bits;

/* The value of bits= when the run began. */
static unsigned int run_bits;

static int bits_set(const char *val, const struct kernel_param *kp)
{
	unsigned int value;

	if (kstrtouint(val, 0, &value) || value > BITS_MAX) {
		pr_err("bits=%.*s: must be a whole number from 0 (about one element a bucket) to %u\n",
		       (int)strcspn(val, "\n"), val, BITS_MAX);
		return -EINVAL;
	}
	WRITE_ONCE(bits, value);
	return 0;
}

static const struct kernel_param_ops bits_param_ops = {
	.set = bits_set,
	.get = param_get_uint,
};

module_param_cb(bits, &bits_param_ops, &bits, 0644);
MODULE_PARM_DESC(bits, "log2 of the number of buckets (default 0: about one element a bucket)");

struct table {
	unsigned int bits;
	spinlock_t lock;	/* held by the writer */
	struct hlist_head bucket[];
};

struct hashtable_elem {
	struct dsbench_elem e;
	struct hlist_node link;
};

static_assert(sizeof(struct hashtable_elem) <= DSBENCH_ELEM_SIZE);

static void hashtable_begin_run(void)
{
	run_bits = READ_ONCE(bits);
}

static unsigned int table_bits(u32 n)
{
	return run_bits ?: order_base_2(n);
}

static u64 hashtable_bytes(u32 n)
{
	return sizeof(struct table) +
	       (sizeof(struct hlist_head) << table_bits(n));
}

static u32 hashtable_find_steps(u32 n)
{
	return max(n >> table_bits(n), 1U);
}

static int hashtable_create(struct dsbench_set *set)
{
	unsigned int size = table_bits(set->n);
	struct table *t;

	t = kvzalloc(struct_size(t, bucket, 1UL << size),
		     GFP_KERNEL | __GFP_NOWARN);
	if (!t)
		return -ENOMEM;

	t->bits = size;
	spin_lock_init(&t->lock);
	set->priv = t;
	return 0;
}

static void hashtable_destroy(struct dsbench_set *set)
{
	kvfree(set->priv);
}

static __always_inline struct hlist_head *bucket_of(struct table *t, u64 key)
{
	return &t->bucket[t->bits ? hash_64(key, t->bits) : 0];
}

static __always_inline int hashtable_fill_as(struct dsbench_set *set, u32 first,
					     u32 last, bool inline_alloc)
{
	struct table *t = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = dsbench_elem_get(set, i, inline_alloc);

		if (unlikely(!e))
			return -ENOMEM;
		hlist_add_head(&container_of(e, struct hashtable_elem, e)->link,
			       bucket_of(t, e->key));
	}
	return 0;
}

dsbench_by_alloc(hashtable_fill)

static int hashtable_find(struct dsbench_set *set, u32 first, u32 last)
{
	struct table *t = set->priv;
	struct hashtable_elem *he;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		u64 key = set->lookup[i];

		hlist_for_each_entry(he, bucket_of(t, key), link) {
			if (he->e.key == key) {
				sum += he->e.value;
				hits++;
				break;
			}
		}
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int hashtable_for_each(struct dsbench_set *set, u32 first, u32 last)
{
	struct table *t = set->priv;
	struct hashtable_elem *he;
	u32 b;

	for (b = 0; b < 1U << t->bits; b++)
		hlist_for_each_entry(he, &t->bucket[b], link)
			he->e.value++;
	return 0;
}

static __always_inline int hashtable_erase_as(struct dsbench_set *set,
					      u32 first, u32 last,
					      bool inline_alloc)
{
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = set->by_key[i];

		hlist_del(&container_of(e, struct hashtable_elem, e)->link);
		dsbench_elem_put(e, inline_alloc);
	}
	return 0;
}

dsbench_by_alloc(hashtable_erase)

static int hashtable_verify(struct dsbench_set *set)
{
	struct table *t = set->priv;
	struct hashtable_elem *he;
	u32 b;

	for (b = 0; b < 1U << t->bits; b++) {
		hlist_for_each_entry(he, &t->bucket[b], link) {
			if (bucket_of(t, he->e.key) != &t->bucket[b])
				return -EUCLEAN;
			if (dsbench_see(set, &he->e))
				return -EUCLEAN;
		}
		if (!(b % 4096))
			cond_resched();
	}
	return 0;
}

static int hashtable_find_shared(struct dsbench_set *set, u32 first, u32 last)
{
	struct table *t = set->priv;
	struct hashtable_elem *he;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		u64 key = set->lookup[i];

		rcu_read_lock();
		hlist_for_each_entry_rcu(he, bucket_of(t, key), link) {
			if (he->e.key == key) {
				sum += he->e.value;
				hits++;
				break;
			}
		}
		rcu_read_unlock();
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static struct hashtable_elem *first_in(struct hlist_head *bucket)
{
	return hlist_entry_safe(rcu_dereference(hlist_first_rcu(bucket)),
				struct hashtable_elem, link);
}

static struct hashtable_elem *behind(struct dsbench_elem *e)
{
	struct hashtable_elem *he = container_of(e, struct hashtable_elem, e);

	return hlist_entry_safe(rcu_dereference(hlist_next_rcu(&he->link)),
				struct hashtable_elem, link);
}

static int hashtable_visit_shared(struct dsbench_set *set, u32 first,
				  u32 last)
{
	struct table *t = set->priv;
	struct hlist_head *end = t->bucket + (1UL << t->bits);
	struct hlist_head *bucket = t->bucket;
	struct dsbench_elem *paused = NULL;
	struct hashtable_elem *he;
	u32 part = last - first;
	u64 n = set->n;
	u32 hits = 0;
	u64 sum = 0;

	rcu_read_lock();
	if (set->at) {
		bucket = bucket_of(t, set->at->key);
		he = behind(set->at);
	} else {
		he = first_in(bucket);
	}
	for (;;) {
		hlist_for_each_entry_from_rcu(he, link) {
			if (he->e.key >= n)
				continue;
			sum += he->e.value;
			if (++hits == part) {
				paused = &he->e;
				goto out;
			}
		}
		if (++bucket == end)
			break;
		he = first_in(bucket);
	}
out:
	rcu_read_unlock();
	set->at = paused;
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int hashtable_insert_one(struct dsbench_set *set, struct dsbench_elem *e)
{
	struct table *t = set->priv;

	spin_lock(&t->lock);
	hlist_add_head_rcu(&container_of(e, struct hashtable_elem, e)->link,
			   bucket_of(t, e->key));
	spin_unlock(&t->lock);
	return 0;
}

static int hashtable_erase_one(struct dsbench_set *set, struct dsbench_elem *e)
{
	struct table *t = set->priv;

	spin_lock(&t->lock);
	hlist_del_rcu(&container_of(e, struct hashtable_elem, e)->link);
	spin_unlock(&t->lock);
	return 0;
}

static const struct dsbench_shared_ops hashtable_shared = {
	.readers = "rcu_read_lock",
	.writer = "spin_lock",
	.rcu = true,
	.find = hashtable_find_shared,
	.for_each = hashtable_visit_shared,
	.insert = hashtable_insert_one,
	.erase = hashtable_erase_one,
};

static const struct dsbench_ops hashtable_ops = {
	.begin_run = hashtable_begin_run,
	.create = hashtable_create,
	.destroy = hashtable_destroy,
	.verify = hashtable_verify,
	.op = {
		[DSBENCH_FILL] = hashtable_fill,
		[DSBENCH_FIND] = hashtable_find,
		[DSBENCH_FOR_EACH] = hashtable_for_each,
		[DSBENCH_ERASE] = hashtable_erase,
	},
	.shared = &hashtable_shared,
	.find_steps = hashtable_find_steps,
	.bytes = hashtable_bytes,
};

dsbench_container_module(hashtable);
MODULE_DESCRIPTION("dsbench: hash table of struct hlist_head");
