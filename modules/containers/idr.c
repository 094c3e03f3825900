// SPDX-License-Identifier: GPL-2.0
/*
 * struct idr: the key of an element is its id. An IDR leaves locking to its
 * users, so no lock is timed here; the XArray's figures include its own.
 * idr_preload() may sleep, so atomic operations cannot use it: nodes come from
 * the slab when they are needed.
 *
 * If shared, readers hold the RCU read lock, which idr_find() and
 * idr_get_next() support. The writer holds a spinlock and preloads, like users
 * that need ranges of ids.
 */

#include <linux/idr.h>
#include <linux/math.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#include <dsbench/bench.h>

struct ids {
	struct idr idr;
	spinlock_t lock;	/* held by the writer */
};

static struct idr *idr_of(const struct dsbench_set *set)
{
	struct ids *ids = set->priv;

	return &ids->idr;
}

static int ids_create(struct dsbench_set *set)
{
	struct ids *ids = kmalloc(sizeof(*ids), GFP_KERNEL);

	if (!ids)
		return -ENOMEM;

	idr_init(&ids->idr);
	spin_lock_init(&ids->lock);
	set->priv = ids;
	return 0;
}

static void ids_destroy(struct dsbench_set *set)
{
	struct ids *ids = set->priv;

	idr_destroy(&ids->idr);
	kfree(ids);
}

static __always_inline int ids_fill_as(struct dsbench_set *set, u32 first,
				       u32 last, bool inline_alloc)
{
	struct idr *idr = idr_of(set);
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

dsbench_by_alloc(ids_fill)

static int ids_find(struct dsbench_set *set, u32 first, u32 last)
{
	struct idr *idr = idr_of(set);
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
	struct idr *idr = idr_of(set);
	struct dsbench_elem *e;
	int id;

	idr_for_each_entry(idr, e, id)
		e->value++;
	return 0;
}

static __always_inline int ids_erase_as(struct dsbench_set *set, u32 first,
					u32 last, bool inline_alloc)
{
	struct idr *idr = idr_of(set);
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = idr_remove(idr, set->erase[i]);

		if (unlikely(!e))
			return -EUCLEAN;
		dsbench_elem_put(e, inline_alloc);
	}
	return 0;
}

dsbench_by_alloc(ids_erase)

static int ids_verify(struct dsbench_set *set)
{
	struct idr *idr = idr_of(set);
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

/*
 * As in the XArray, leaves are full, and each level above has 1/64 of the
 * nodes.
 */
static u64 ids_bytes(u32 n)
{
	return sizeof(struct xa_node) * (DIV_ROUND_UP_ULL(n, XA_CHUNK_SIZE - 1) + 4);
}

static int ids_find_shared(struct dsbench_set *set, u32 first, u32 last)
{
	struct idr *idr = idr_of(set);
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e;

		rcu_read_lock();
		e = idr_find(idr, set->lookup[i]);
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

static int ids_visit_shared(struct dsbench_set *set, u32 first, u32 last)
{
	int id = set->at ? set->at->key + 1 : 0;
	struct dsbench_elem *paused = NULL;
	struct idr *idr = idr_of(set);
	struct dsbench_elem *e;
	u32 part = last - first;
	u64 n = set->n;
	u32 hits = 0;
	u64 sum = 0;

	rcu_read_lock();
	idr_for_each_entry_continue(idr, e, id) {
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

static int ids_insert_one(struct dsbench_set *set, struct dsbench_elem *e)
{
	struct ids *ids = set->priv;
	int id;

	idr_preload(GFP_KERNEL);
	spin_lock(&ids->lock);
	id = idr_alloc(&ids->idr, e, e->key, e->key + 1, GFP_NOWAIT);
	spin_unlock(&ids->lock);
	idr_preload_end();
	return min(id, 0);
}

static int ids_erase_one(struct dsbench_set *set, struct dsbench_elem *e)
{
	struct ids *ids = set->priv;
	struct dsbench_elem *erased;

	spin_lock(&ids->lock);
	erased = idr_remove(&ids->idr, e->key);
	spin_unlock(&ids->lock);
	return erased == e ? 0 : -EUCLEAN;
}

static const struct dsbench_shared_ops ids_shared = {
	.readers = "rcu_read_lock",
	.writer = "spin_lock",
	.rcu = true,
	.find = ids_find_shared,
	.for_each = ids_visit_shared,
	.insert = ids_insert_one,
	.erase = ids_erase_one,
};

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
	.shared = &ids_shared,
	.bytes = ids_bytes,
};

dsbench_container_module(idr);
MODULE_DESCRIPTION("dsbench: struct idr");
