// SPDX-License-Identifier: GPL-2.0
/*
 * struct maple_tree with the interface of a MapleTree in Rust: a lookup and a
 * walk take the tree's lock. Beside rust_maple it shows what the language
 * costs, beside maple what the interface costs.
 */

#include <linux/maple_tree.h>
#include <linux/math.h>

#include <dsbench/bench.h>
#include <dsbench/compat.h>

static int maple_owned_create(struct dsbench_set *set)
{
	struct maple_tree *mt = kmalloc(sizeof(*mt), GFP_KERNEL);

	if (!mt)
		return -ENOMEM;

	mt_init(mt);
	set->priv = mt;
	return 0;
}

static void maple_owned_destroy(struct dsbench_set *set)
{
	struct maple_tree *mt = set->priv;
	unsigned long index = 0;
	struct dsbench_elem *e;

	if (set->inline_alloc) {
		while ((e = mt_find(mt, &index, ULONG_MAX)))
			kfree(e);
	}
	mtree_destroy(mt);
	kfree(mt);
}

static __always_inline int maple_owned_fill_as(struct dsbench_set *set,
					       u32 first, u32 last,
					       bool inline_alloc)
{
	struct maple_tree *mt = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = dsbench_elem_get(set, i, inline_alloc);
		int err;

		if (unlikely(!e))
			return -ENOMEM;
		err = mtree_insert_range(mt, e->key, e->key, e, DSBENCH_GFP);
		if (unlikely(err)) {
			dsbench_elem_put(e, inline_alloc);
			return err;
		}
	}
	return 0;
}

dsbench_by_alloc(maple_owned_fill)

static int maple_owned_find(struct dsbench_set *set, u32 first, u32 last)
{
	struct maple_tree *mt = set->priv;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e;

		mtree_lock(mt);
		e = mtree_load(mt, set->lookup[i]);
		if (e) {
			sum += e->value;
			hits++;
		}
		mtree_unlock(mt);
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int maple_owned_for_each(struct dsbench_set *set, u32 first, u32 last)
{
	MA_STATE(mas, set->priv, 0, 0);
	struct dsbench_elem *e;

	mas_lock(&mas);
	mas_for_each(&mas, e, ULONG_MAX)
		e->value++;
	mas_unlock(&mas);
	return 0;
}

static __always_inline struct dsbench_elem *
maple_owned_erase_one(struct maple_tree *mt, unsigned long index)
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

static __always_inline int maple_owned_erase_as(struct dsbench_set *set,
						u32 first, u32 last,
						bool inline_alloc)
{
	struct maple_tree *mt = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = maple_owned_erase_one(mt,
							       set->erase[i]);

		if (IS_ERR_OR_NULL(e))
			return e ? PTR_ERR(e) : -EUCLEAN;
		dsbench_elem_put(e, inline_alloc);
	}
	return 0;
}

dsbench_by_alloc(maple_owned_erase)

/* Each step takes the lock again, since dsbench_see() may sleep. */
static int maple_owned_verify(struct dsbench_set *set)
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

/* As for maple: a node has 256 bytes, of whose 16 entries 10 are used. */
static u64 maple_owned_bytes(u32 n)
{
	return 256 * (DIV_ROUND_UP_ULL(n, 10) + 4);
}

static const struct dsbench_ops maple_owned_ops = {
	.create = maple_owned_create,
	.destroy = maple_owned_destroy,
	.verify = maple_owned_verify,
	.op = {
		[DSBENCH_FILL] = maple_owned_fill,
		[DSBENCH_FIND] = maple_owned_find,
		[DSBENCH_FOR_EACH] = maple_owned_for_each,
		[DSBENCH_ERASE] = maple_owned_erase,
	},
	.irqs_on = DSBENCH_MAPLE_IRQS_ON,
	.bytes = maple_owned_bytes,
	.owns_elems = true,
};

dsbench_container_module(maple_owned);
MODULE_DESCRIPTION("dsbench: struct maple_tree, locked for each access");
