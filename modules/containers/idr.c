// SPDX-License-Identifier: GPL-2.0
/*
 * struct idr: each element is allocated the id that is its key. An IDR leaves
 * the locking to its users, so none is timed here; the XArray's figures have
 * its own in them. idr_preload(), which may sleep, has no place in an atomic
 * operation: nodes come from the slab as they are needed.
 */

#include <linux/idr.h>
#include <linux/math.h>

#include <dsbench/bench.h>

static int ids_create(struct dsbench_set *set)
{
	struct idr *idr = kmalloc(sizeof(*idr), GFP_KERNEL);

	if (!idr)
		return -ENOMEM;

	idr_init(idr);
	set->priv = idr;
	return 0;
}

static void ids_destroy(struct dsbench_set *set)
{
	struct idr *idr = set->priv;

	idr_destroy(idr);
	kfree(idr);
}

static __always_inline int ids_fill_as(struct dsbench_set *set, u32 first,
				       u32 last, bool inline_alloc)
{
	struct idr *idr = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = dsbench_elem_get(set, i, inline_alloc);
		int id;

		if (unlikely(!e))
			return -ENOMEM;
		id = idr_alloc(idr, e, e->key, e->key + 1, DSBENCH_GFP);
		if (unlikely(id < 0)) {
			dsbench_elem_put(e, inline_alloc);
			return id;
		}
	}
	return 0;
}

static int ids_fill(struct dsbench_set *set, u32 first, u32 last)
{
	return set->inline_alloc ? ids_fill_as(set, first, last, true) :
				   ids_fill_as(set, first, last, false);
}

static int ids_find(struct dsbench_set *set, u32 first, u32 last)
{
	struct idr *idr = set->priv;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = idr_find(idr, set->lookup[i]);

		if (e) {
			sum += e->value;
			hits++;
		}
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int ids_visit_all(struct dsbench_set *set, u32 first, u32 last)
{
	struct idr *idr = set->priv;
	struct dsbench_elem *e;
	int id;

	idr_for_each_entry(idr, e, id)
		e->value++;
	return 0;
}

static __always_inline int ids_erase_as(struct dsbench_set *set, u32 first,
					u32 last, bool inline_alloc)
{
	struct idr *idr = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = idr_remove(idr, set->erase[i]);

		if (unlikely(!e))
			return -EUCLEAN;
		dsbench_elem_put(e, inline_alloc);
	}
	return 0;
}

static int ids_erase(struct dsbench_set *set, u32 first, u32 last)
{
	return set->inline_alloc ? ids_erase_as(set, first, last, true) :
				   ids_erase_as(set, first, last, false);
}

static int ids_verify(struct dsbench_set *set)
{
	struct idr *idr = set->priv;
	struct dsbench_elem *e;
	int id;

	idr_for_each_entry(idr, e, id) {
		if (e->key != id || idr_find(idr, id) != e)
			return -EUCLEAN;
		if (dsbench_see(set, e))
			return -EUCLEAN;
	}
	return idr_is_empty(idr) == !set->seen ? 0 : -EUCLEAN;
}

/* As the XArray's: leaves are full, each level above is 1/64 of that. */
static u64 ids_bytes(u32 n)
{
	return sizeof(struct xa_node) * (DIV_ROUND_UP_ULL(n, XA_CHUNK_SIZE - 1) + 4);
}

static const struct dsbench_ops idr_ops = {
	.create = ids_create,
	.destroy = ids_destroy,
	.verify = ids_verify,
	.op = {
		[DSBENCH_FILL] = ids_fill,
		[DSBENCH_FIND] = ids_find,
		[DSBENCH_FOR_EACH] = ids_visit_all,
		[DSBENCH_ERASE] = ids_erase,
	},
	.bytes = ids_bytes,
};

dsbench_container_module(idr);
MODULE_DESCRIPTION("dsbench: struct idr");
