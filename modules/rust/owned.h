/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Elements of a container that owns them, as bench/supply.rs has them: with
 * alloc=prealloc they wait in an array, from whose end fill takes them and
 * where erase puts them.
 */
#ifndef _DSBENCH_RUST_OWNED_H
#define _DSBENCH_RUST_OWNED_H

#include <linux/mm.h>

#include <dsbench/bench.h>

/**
 * struct owned_stock - elements that are in no container
 * @elem: array of elements; NULL if the set allocates each of them
 * @count: number of elements
 */
struct owned_stock {
	struct dsbench_elem **elem;
	u32 count;
};

static inline void owned_stock_free(struct owned_stock *stock)
{
	while (stock->count)
		kfree(stock->elem[--stock->count]);
	kvfree(stock->elem);
}

static inline int owned_stock_fill(struct owned_stock *stock,
				   const struct dsbench_set *set)
{
	u32 i;

	stock->count = 0;
	stock->elem = NULL;
	if (set->inline_alloc)
		return 0;

	stock->elem = kvmalloc_array(set->n, sizeof(*stock->elem), GFP_KERNEL);
	if (!stock->elem)
		return -ENOMEM;
	for (i = set->n; i > 0; i--) {
		struct dsbench_elem *e = kmalloc(DSBENCH_ELEM_SIZE, GFP_KERNEL);

		if (!e) {
			owned_stock_free(stock);
			return -ENOMEM;
		}
		e->key = set->keys[i - 1];
		e->value = e->key;
		stock->elem[stock->count++] = e;
	}
	return 0;
}

/* The i-th element to insert; NULL if memory is short or the stock is empty. */
static __always_inline struct dsbench_elem *
owned_take(struct dsbench_set *set, struct owned_stock *stock, u32 i,
	   bool inline_alloc)
{
	if (inline_alloc)
		return dsbench_elem_get(set, i, true);
	return likely(stock->count) ? stock->elem[--stock->count] : NULL;
}

/* Take back an erased element. */
static __always_inline void owned_give_back(struct owned_stock *stock,
					    struct dsbench_elem *e,
					    bool inline_alloc)
{
	if (inline_alloc)
		kfree(e);
	else
		stock->elem[stock->count++] = e;
}

/* Memory of the elements and of the array. */
static inline u64 owned_bytes(u32 n)
{
	return (u64)n * (DSBENCH_ELEM_SIZE + sizeof(struct dsbench_elem *));
}

#endif /* _DSBENCH_RUST_OWNED_H */
