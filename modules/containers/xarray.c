// SPDX-License-Identifier: GPL-2.0
/*
 * struct xarray through its normal API: each store and erase takes the xa_lock,
 * each load and step of the iteration takes the RCU read lock, as for every
 * user who leaves locking to the XArray. The keys are the indices. If shared,
 * this is all the locking there is. Readers hold the RCU read lock around it
 * for the elements, as the XArray's documentation requires of users that free
 * erased elements.
 */

#include <linux/math.h>
#include <linux/rcupdate.h>
#include <linux/xarray.h>

#include <dsbench/bench.h>

static int xarray_create(struct dsbench_set *set)
{
	struct xarray *xa = kmalloc(sizeof(*xa), GFP_KERNEL);

	if (!xa)
		return -ENOMEM;

	xa_init(xa);
	set->priv = xa;
	return 0;
}

static void xarray_destroy(struct dsbench_set *set)
{
	struct xarray *xa = set->priv;

	xa_destroy(xa);
	kfree(xa);
}

static __always_inline int xarray_fill_as(struct dsbench_set *set, u32 first,
					  u32 last, bool inline_alloc)
{
	struct xarray *xa = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = dsbench_elem_get(set, i, inline_alloc);
		void *old;

		if (unlikely(!e))
			return -ENOMEM;
		old = xa_store(xa, e->key, e, DSBENCH_GFP);
		if (unlikely(old)) {
			dsbench_elem_put(e, inline_alloc);
			return xa_err(old) ?: -EUCLEAN;
		}
	}
	return 0;
}

dsbench_by_alloc(xarray_fill)

static int xarray_find(struct dsbench_set *set, u32 first, u32 last)
{
	struct xarray *xa = set->priv;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = xa_load(xa, set->lookup[i]);

		if (e) {
			sum += e->value;
			hits++;
		}
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int xarray_for_each(struct dsbench_set *set, u32 first, u32 last)
{
	struct xarray *xa = set->priv;
	struct dsbench_elem *e;
	unsigned long index;

	xa_for_each(xa, index, e)
		e->value++;
	return 0;
}

static __always_inline int xarray_erase_as(struct dsbench_set *set, u32 first,
					   u32 last, bool inline_alloc)
{
	struct xarray *xa = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = xa_erase(xa, set->erase[i]);

		if (unlikely(!e))
			return -EUCLEAN;
		dsbench_elem_put(e, inline_alloc);
	}
	return 0;
}

dsbench_by_alloc(xarray_erase)

static int xarray_verify(struct dsbench_set *set)
{
	struct xarray *xa = set->priv;
	struct dsbench_elem *e;
	unsigned long index;

	xa_for_each(xa, index, e) {
		if (e->key != index)
			return -EUCLEAN;
		if (dsbench_see(set, e))
			return -EUCLEAN;
	}
	return 0;
}

/*
 * Leaves are full, since the keys are dense, and each level above has 1/64 of
 * the nodes.
 */
static u64 xarray_bytes(u32 n)
{
	return sizeof(struct xa_node) * (DIV_ROUND_UP_ULL(n, XA_CHUNK_SIZE - 1) + 4);
}

static int xarray_find_shared(struct dsbench_set *set, u32 first, u32 last)
{
	struct xarray *xa = set->priv;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e;

		rcu_read_lock();
		e = xa_load(xa, set->lookup[i]);
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

static int xarray_visit_shared(struct dsbench_set *set, u32 first, u32 last)
{
	unsigned long start = set->at ? set->at->key + 1 : 0;
	struct dsbench_elem *paused = NULL;
	struct xarray *xa = set->priv;
	struct dsbench_elem *e;
	unsigned long index;
	u32 part = last - first;
	u64 n = set->n;
	u32 hits = 0;
	u64 sum = 0;

	rcu_read_lock();
	xa_for_each_start(xa, index, e, start) {
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

static int xarray_insert_one(struct dsbench_set *set, struct dsbench_elem *e)
{
	return xa_err(xa_store(set->priv, e->key, e, GFP_KERNEL));
}

static int xarray_erase_one(struct dsbench_set *set, struct dsbench_elem *e)
{
	return xa_erase(set->priv, e->key) == e ? 0 : -EUCLEAN;
}

static const struct dsbench_shared_ops xarray_shared = {
	.readers = "rcu_read_lock",
	.writer = "xa_lock",
	.rcu = true,
	.find = xarray_find_shared,
	.for_each = xarray_visit_shared,
	.insert = xarray_insert_one,
	.erase = xarray_erase_one,
};

static const struct dsbench_ops xarray_ops = {
	.create = xarray_create,
	.destroy = xarray_destroy,
	.verify = xarray_verify,
	.op = {
		[DSBENCH_FILL] = xarray_fill,
		[DSBENCH_FIND] = xarray_find,
		[DSBENCH_FOR_EACH] = xarray_for_each,
		[DSBENCH_ERASE] = xarray_erase,
	},
	.shared = &xarray_shared,
	.bytes = xarray_bytes,
};

dsbench_container_module(xarray);
MODULE_DESCRIPTION("dsbench: struct xarray");
