// SPDX-License-Identifier: GPL-2.0
/*
 * struct xarray with the interface of an XArray in Rust: it keeps track of free
 * indices, since the kernel crate offers no other kind, and a lookup takes the
 * xa_lock. Beside rust_xarray it shows what the language costs, beside xarray
 * what the interface costs.
 */

#include <linux/math.h>
#include <linux/xarray.h>

#include <dsbench/bench.h>

static int xarray_owned_create(struct dsbench_set *set)
{
	struct xarray *xa = kmalloc(sizeof(*xa), GFP_KERNEL);

	if (!xa)
		return -ENOMEM;

	xa_init_flags(xa, XA_FLAGS_ALLOC);
	set->priv = xa;
	return 0;
}

static void xarray_owned_destroy(struct dsbench_set *set)
{
	struct xarray *xa = set->priv;
	struct dsbench_elem *e;
	unsigned long index;

	if (set->inline_alloc) {
		xa_for_each(xa, index, e)
			kfree(e);
	}
	xa_destroy(xa);
	kfree(xa);
}

static __always_inline int xarray_owned_fill_as(struct dsbench_set *set,
						u32 first, u32 last,
						bool inline_alloc)
{
	struct xarray *xa = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = dsbench_elem_get(set, i, inline_alloc);
		void *old;

		if (unlikely(!e))
			return -ENOMEM;
		xa_lock(xa);
		old = __xa_store(xa, e->key, e, DSBENCH_GFP);
		xa_unlock(xa);
		if (unlikely(old)) {
			dsbench_elem_put(e, inline_alloc);
			return xa_err(old) ?: -EUCLEAN;
		}
	}
	return 0;
}

dsbench_by_alloc(xarray_owned_fill)

static int xarray_owned_find(struct dsbench_set *set, u32 first, u32 last)
{
	struct xarray *xa = set->priv;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e;

		xa_lock(xa);
		e = xa_load(xa, set->lookup[i]);
		if (e) {
			sum += e->value;
			hits++;
		}
		xa_unlock(xa);
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int xarray_owned_for_each(struct dsbench_set *set, u32 first, u32 last)
{
	struct xarray *xa = set->priv;
	struct dsbench_elem *e;
	unsigned long index;

	xa_for_each(xa, index, e)
		e->value++;
	return 0;
}

static __always_inline int xarray_owned_erase_as(struct dsbench_set *set,
						 u32 first, u32 last,
						 bool inline_alloc)
{
	struct xarray *xa = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e;

		xa_lock(xa);
		e = __xa_erase(xa, set->erase[i]);
		xa_unlock(xa);
		if (unlikely(!e))
			return -EUCLEAN;
		dsbench_elem_put(e, inline_alloc);
	}
	return 0;
}

dsbench_by_alloc(xarray_owned_erase)

static int xarray_owned_verify(struct dsbench_set *set)
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

static u64 xarray_owned_bytes(u32 n)
{
	return sizeof(struct xa_node) * (DIV_ROUND_UP_ULL(n, XA_CHUNK_SIZE - 1) + 4);
}

static const struct dsbench_ops xarray_owned_ops = {
	.create = xarray_owned_create,
	.destroy = xarray_owned_destroy,
	.verify = xarray_owned_verify,
	.op = {
		[DSBENCH_FILL] = xarray_owned_fill,
		[DSBENCH_FIND] = xarray_owned_find,
		[DSBENCH_FOR_EACH] = xarray_owned_for_each,
		[DSBENCH_ERASE] = xarray_owned_erase,
	},
	.bytes = xarray_owned_bytes,
	.owns_elems = true,
};

dsbench_container_module(xarray_owned);
MODULE_DESCRIPTION("dsbench: struct xarray, locked for each access");
