// SPDX-License-Identifier: GPL-2.0
/*
 * struct llist_head: elements are pushed to and popped from its head by atomic
 * operations. It is not searched by key, so there is no find. Erase pops the
 * elements, last one first, not in key order.
 */

#include <linux/llist.h>

#include <dsbench/bench.h>

struct llist_elem {
	struct dsbench_elem e;
	struct llist_node link;
};

static_assert(sizeof(struct llist_elem) <= DSBENCH_ELEM_SIZE);

static int llist_create(struct dsbench_set *set)
{
	struct llist_head *head = kmalloc(sizeof(*head), GFP_KERNEL);

	if (!head)
		return -ENOMEM;

	init_llist_head(head);
	set->priv = head;
	return 0;
}

static void llist_destroy(struct dsbench_set *set)
{
	kfree(set->priv);
}

static __always_inline int llist_fill_as(struct dsbench_set *set, u32 first,
					 u32 last, bool inline_alloc)
{
	struct llist_head *head = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = dsbench_elem_get(set, i, inline_alloc);

		if (unlikely(!e))
			return -ENOMEM;
		llist_add(&container_of(e, struct llist_elem, e)->link, head);
	}
	return 0;
}

dsbench_by_alloc(llist_fill)

static int llist_visit_all(struct dsbench_set *set, u32 first, u32 last)
{
	struct llist_head *head = set->priv;
	struct llist_elem *le;

	llist_for_each_entry(le, head->first, link)
		le->e.value++;
	return 0;
}

/* The only consumer, so llist_del_first() needs no lock. */
static __always_inline int llist_erase_as(struct dsbench_set *set, u32 first,
					  u32 last, bool inline_alloc)
{
	struct llist_head *head = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct llist_node *node = llist_del_first(head);

		if (unlikely(!node))
			return -EUCLEAN;
		dsbench_elem_put(&llist_entry(node, struct llist_elem, link)->e,
				 inline_alloc);
	}
	return 0;
}

dsbench_by_alloc(llist_erase)

static int llist_verify(struct dsbench_set *set)
{
	struct llist_head *head = set->priv;
	struct llist_elem *le;

	llist_for_each_entry(le, head->first, link) {
		if (dsbench_see(set, &le->e))
			return -EUCLEAN;
	}
	return 0;
}

static const struct dsbench_ops llist_ops = {
	.create = llist_create,
	.destroy = llist_destroy,
	.verify = llist_verify,
	.op = {
		[DSBENCH_FILL] = llist_fill,
		[DSBENCH_FOR_EACH] = llist_visit_all,
		[DSBENCH_ERASE] = llist_erase,
	},
};

dsbench_container_module(llist);
MODULE_DESCRIPTION("dsbench: struct llist_head");
