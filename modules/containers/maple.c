// SPDX-License-Identifier: GPL-2.0
/*
 * struct maple_tree as initialised by mt_init(): with its own lock for writers,
 * and nodes changed in place. The keys are the indices, each a range of one.
 *
 * mtree_erase() falls back to GFP_KERNEL when it needs a node, so atomic
 * context must not call it. The erase here does the same work, a lookup and a
 * store of NULL, with flags that never sleep.
 *
 * If shared, the tree is in RCU mode, as its documentation requires: nodes are
 * replaced instead of changed in place, and freed after a grace period. The
 * writer uses the tree's lock.
 */

#include <linux/maple_tree.h>
#include <linux/math.h>
#include <linux/rcupdate.h>

#include <dsbench/bench.h>
#include <dsbench/compat.h>

static int maple_create(struct dsbench_set *set)
{
	struct maple_tree *mt = kmalloc(sizeof(*mt), GFP_KERNEL);

	if (!mt)
		return -ENOMEM;

	mt_init(mt);
	set->priv = mt;
	return 0;
}

static void maple_destroy(struct dsbench_set *set)
{
	struct maple_tree *mt = set->priv;

	mtree_destroy(mt);
	kfree(mt);
}

static __always_inline int maple_fill_as(struct dsbench_set *set, u32 first,
					 u32 last, bool inline_alloc)
{
	struct maple_tree *mt = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = dsbench_elem_get(set, i, inline_alloc);
		int err;

		if (unlikely(!e))
			return -ENOMEM;
		err = mtree_insert(mt, e->key, e, DSBENCH_GFP);
		if (unlikely(err)) {
			dsbench_elem_put(e, inline_alloc);
			return err;
		}
	}
	return 0;
}

dsbench_by_alloc(maple_fill)

static int maple_find(struct dsbench_set *set, u32 first, u32 last)
{
	struct maple_tree *mt = set->priv;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = mtree_load(mt, set->lookup[i]);

		if (e) {
			sum += e->value;
			hits++;
		}
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int maple_visit_all(struct dsbench_set *set, u32 first, u32 last)
{
	MA_STATE(mas, set->priv, 0, 0);
	struct dsbench_elem *e;

	rcu_read_lock();
	mas_for_each(&mas, e, ULONG_MAX)
		e->value++;
	rcu_read_unlock();
	return 0;
}

/* mtree_erase() with DSBENCH_GFP; an ERR_PTR if memory is short. */
static __always_inline struct dsbench_elem *
maple_erase_one(struct maple_tree *mt, unsigned long index)
{
	MA_STATE(mas, mt, index, index);
	struct dsbench_elem *e;
	int err = 0;

	mas_lock(&mas);
	e = mas_walk(&mas);
	if (likely(e))
		err = mas_store_gfp(&mas, NULL, DSBENCH_GFP);
	mas_unlock(&mas);
	return unlikely(err) ? ERR_PTR(err) : e;
}

static __always_inline int maple_erase_as(struct dsbench_set *set, u32 first,
					  u32 last, bool inline_alloc)
{
	struct maple_tree *mt = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = maple_erase_one(mt, set->erase[i]);

		if (IS_ERR_OR_NULL(e))
			return e ? PTR_ERR(e) : -EUCLEAN;
		dsbench_elem_put(e, inline_alloc);
	}
	return 0;
}

dsbench_by_alloc(maple_erase)

/* Each step takes the lock again, since dsbench_see() may sleep. */
static int maple_verify(struct dsbench_set *set)
{
	struct maple_tree *mt = set->priv;
	unsigned long index = 0;
	struct dsbench_elem *e;

	while ((e = mt_find(mt, &index, ULONG_MAX))) {
		if (e->key != index - 1)
			return -EUCLEAN;
		if (dsbench_see(set, e))
			return -EUCLEAN;
	}
	return 0;
}

/*
 * A node has 256 bytes. Shuffled or sequential, fill uses 12 of its 16 entries
 * on average; 10 leave room for the upper levels and for variation.
 */
static u64 maple_bytes(u32 n)
{
	return 256 * (DIV_ROUND_UP_ULL(n, 10) + 4);
}

static void maple_begin(struct dsbench_set *set)
{
	mt_set_in_rcu(set->priv);
}

static int maple_find_shared(struct dsbench_set *set, u32 first, u32 last)
{
	struct maple_tree *mt = set->priv;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e;

		rcu_read_lock();
		e = mtree_load(mt, set->lookup[i]);
		if (e) {
			sum += e->value;
			hits++;
		}
		rcu_read_unlock();
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int maple_visit_shared(struct dsbench_set *set, u32 first, u32 last)
{
	MA_STATE(mas, set->priv, 0, 0);
	struct dsbench_elem *paused = NULL;
	struct dsbench_elem *e;
	u32 part = last - first;
	u64 n = set->n;
	u32 hits = 0;
	u64 sum = 0;

	if (set->at)
		mas_set(&mas, set->at->key + 1);
	rcu_read_lock();
	mas_for_each(&mas, e, ULONG_MAX) {
		if (e->key >= n)
			continue;
		sum += e->value;
		if (++hits == part) {
			paused = e;
			break;
		}
	}
	rcu_read_unlock();
	set->at = paused;
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int maple_put_in(struct dsbench_set *set, struct dsbench_elem *e)
{
	return mtree_insert(set->priv, e->key, e, GFP_KERNEL);
}

static int maple_take_out(struct dsbench_set *set, struct dsbench_elem *e)
{
	return mtree_erase(set->priv, e->key) == e ? 0 : -EUCLEAN;
}

static const struct dsbench_shared_ops maple_shared = {
	.readers = "rcu_read_lock",
	.writer = "mtree_lock",
	.rcu = true,
	.begin = maple_begin,
	.find = maple_find_shared,
	.for_each = maple_visit_shared,
	.insert = maple_put_in,
	.erase = maple_take_out,
};

static const struct dsbench_ops maple_ops = {
	.create = maple_create,
	.destroy = maple_destroy,
	.verify = maple_verify,
	.op = {
		[DSBENCH_FILL] = maple_fill,
		[DSBENCH_FIND] = maple_find,
		[DSBENCH_FOR_EACH] = maple_visit_all,
		[DSBENCH_ERASE] = maple_erase,
	},
	.shared = &maple_shared,
	.irqs_on = DSBENCH_MAPLE_IRQS_ON,
	.bytes = maple_bytes,
};

dsbench_container_module(maple);
MODULE_DESCRIPTION("dsbench: struct maple_tree");
