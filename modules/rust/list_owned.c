// SPDX-License-Identifier: GPL-2.0
/*
 * struct list_head with the interface of a list in Rust: the list owns its
 * elements, and erase is by key, so it walks the list. Beside rust_list it
 * shows what the language costs, beside list what the interface costs.
 */

#include <linux/list.h>

#include "owned.h"

struct list_owned_elem {
	struct dsbench_elem e;
	struct list_head link;
};

static_assert(sizeof(struct list_owned_elem) <= DSBENCH_ELEM_SIZE);

struct list_owned {
	struct list_head head;
	struct owned_stock stock;
};

static int list_owned_create(struct dsbench_set *set)
{
	struct list_owned *list = kmalloc(sizeof(*list), GFP_KERNEL);
	int err;

	if (!list)
		return -ENOMEM;

	INIT_LIST_HEAD(&list->head);
	err = owned_stock_fill(&list->stock, set);
	if (err) {
		kfree(list);
		return err;
	}
	set->priv = list;
	return 0;
}

static void list_owned_destroy(struct dsbench_set *set)
{
	struct list_owned *list = set->priv;
	struct list_owned_elem *le, *next;

	list_for_each_entry_safe(le, next, &list->head, link)
		kfree(le);
	owned_stock_free(&list->stock);
	kfree(list);
}

static __always_inline int list_owned_fill_as(struct dsbench_set *set,
					      u32 first, u32 last,
					      bool inline_alloc)
{
	struct list_owned *list = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = owned_take(set, &list->stock, i,
						    inline_alloc);

		if (unlikely(!e))
			return -ENOMEM;
		list_add_tail(&container_of(e, struct list_owned_elem, e)->link,
			      &list->head);
	}
	return 0;
}

dsbench_by_alloc(list_owned_fill)

static __always_inline struct list_owned_elem *
list_owned_lookup(struct list_owned *list, u64 key)
{
	struct list_owned_elem *le;

	list_for_each_entry(le, &list->head, link) {
		if (le->e.key == key)
			return le;
	}
	return NULL;
}

static int list_owned_find(struct dsbench_set *set, u32 first, u32 last)
{
	struct list_owned *list = set->priv;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		struct list_owned_elem *le = list_owned_lookup(list,
							       set->lookup[i]);

		if (le) {
			sum += le->e.value;
			hits++;
		}
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int list_owned_for_each(struct dsbench_set *set, u32 first, u32 last)
{
	struct list_owned *list = set->priv;
	struct list_owned_elem *le;

	list_for_each_entry(le, &list->head, link)
		le->e.value++;
	return 0;
}

static __always_inline int list_owned_erase_as(struct dsbench_set *set,
					       u32 first, u32 last,
					       bool inline_alloc)
{
	struct list_owned *list = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct list_owned_elem *le = list_owned_lookup(list,
							       set->erase[i]);

		if (unlikely(!le))
			return -EUCLEAN;
		list_del(&le->link);
		owned_give_back(&list->stock, &le->e, inline_alloc);
	}
	return 0;
}

dsbench_by_alloc(list_owned_erase)

static int list_owned_verify(struct dsbench_set *set)
{
	struct list_owned *list = set->priv;
	struct list_owned_elem *le;

	list_for_each_entry(le, &list->head, link) {
		if (le->link.next->prev != &le->link)
			return -EUCLEAN;
		if (dsbench_see(set, &le->e))
			return -EUCLEAN;
	}
	return 0;
}

static u32 list_owned_find_steps(u32 n)
{
	return n;
}

static const struct dsbench_ops list_owned_ops = {
	.create = list_owned_create,
	.destroy = list_owned_destroy,
	.verify = list_owned_verify,
	.op = {
		[DSBENCH_FILL] = list_owned_fill,
		[DSBENCH_FIND] = list_owned_find,
		[DSBENCH_FOR_EACH] = list_owned_for_each,
		[DSBENCH_ERASE] = list_owned_erase,
	},
	.find_steps = list_owned_find_steps,
	.bytes = owned_bytes,
	.owns_elems = true,
};

dsbench_container_module(list_owned);
MODULE_DESCRIPTION("dsbench: struct list_head that owns its elements");
