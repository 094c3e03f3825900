// SPDX-License-Identifier: GPL-2.0
/*
 * struct rb_root with the interface of an RBTree in Rust: the tree owns its
 * nodes, each with a key of its own beside the element, insertion looks for an
 * equal key, and erase is by key, so it searches first. Beside rust_rbtree it
 * shows what the language costs, beside rbtree what the interface costs.
 */

#include <linux/rbtree.h>

#include "owned.h"

struct rbtree_owned_elem {
	struct dsbench_elem e;
	struct rb_node link;
	u64 key;
};

static_assert(sizeof(struct rbtree_owned_elem) <= DSBENCH_ELEM_SIZE);

struct rbtree_owned {
	struct rb_root root;
	struct owned_stock stock;
};

static struct rbtree_owned_elem *elem_of(struct rb_node *node)
{
	return rb_entry(node, struct rbtree_owned_elem, link);
}

static int rbtree_owned_create(struct dsbench_set *set)
{
	struct rbtree_owned *tree = kmalloc(sizeof(*tree), GFP_KERNEL);
	int err;
	u32 i;

	if (!tree)
		return -ENOMEM;

	tree->root = RB_ROOT;
	err = owned_stock_fill(&tree->stock, set);
	if (err) {
		kfree(tree);
		return err;
	}
	for (i = 0; i < tree->stock.count; i++) {
		struct dsbench_elem *e = tree->stock.elem[i];

		container_of(e, struct rbtree_owned_elem, e)->key = e->key;
	}
	set->priv = tree;
	return 0;
}

static void rbtree_owned_destroy(struct dsbench_set *set)
{
	struct rbtree_owned *tree = set->priv;
	struct rbtree_owned_elem *re, *next;

	rbtree_postorder_for_each_entry_safe(re, next, &tree->root, link)
		kfree(re);
	owned_stock_free(&tree->stock);
	kfree(tree);
}

static __always_inline bool rbtree_owned_insert(struct rb_root *root,
						struct rbtree_owned_elem *re)
{
	struct rb_node **link = &root->rb_node;
	struct rb_node *parent = NULL;
	u64 key = re->key;

	while (*link) {
		parent = *link;
		if (key < elem_of(parent)->key)
			link = &parent->rb_left;
		else if (key > elem_of(parent)->key)
			link = &parent->rb_right;
		else
			return false;
	}
	rb_link_node(&re->link, parent, link);
	rb_insert_color(&re->link, root);
	return true;
}

static __always_inline int rbtree_owned_fill_as(struct dsbench_set *set,
						u32 first, u32 last,
						bool inline_alloc)
{
	struct rbtree_owned *tree = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = owned_take(set, &tree->stock, i,
						    inline_alloc);
		struct rbtree_owned_elem *re;

		if (unlikely(!e))
			return -ENOMEM;
		re = container_of(e, struct rbtree_owned_elem, e);
		if (inline_alloc)
			re->key = e->key;
		if (unlikely(!rbtree_owned_insert(&tree->root, re))) {
			owned_give_back(&tree->stock, e, inline_alloc);
			return -EUCLEAN;
		}
	}
	return 0;
}

dsbench_by_alloc(rbtree_owned_fill)

static __always_inline struct rbtree_owned_elem *
rbtree_owned_lookup(struct rb_root *root, u64 key)
{
	struct rb_node *node = root->rb_node;

	while (node) {
		struct rbtree_owned_elem *re = elem_of(node);

		if (key < re->key)
			node = node->rb_left;
		else if (key > re->key)
			node = node->rb_right;
		else
			return re;
	}
	return NULL;
}

static int rbtree_owned_find(struct dsbench_set *set, u32 first, u32 last)
{
	struct rbtree_owned *tree = set->priv;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		struct rbtree_owned_elem *re =
			rbtree_owned_lookup(&tree->root, set->lookup[i]);

		if (re) {
			sum += re->e.value;
			hits++;
		}
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int rbtree_owned_for_each(struct dsbench_set *set, u32 first, u32 last)
{
	struct rbtree_owned *tree = set->priv;
	struct rb_node *node;

	for (node = rb_first(&tree->root); node; node = rb_next(node))
		elem_of(node)->e.value++;
	return 0;
}

static __always_inline int rbtree_owned_erase_as(struct dsbench_set *set,
						 u32 first, u32 last,
						 bool inline_alloc)
{
	struct rbtree_owned *tree = set->priv;
	u32 i;

	for (i = first; i < last; i++) {
		struct rbtree_owned_elem *re =
			rbtree_owned_lookup(&tree->root, set->erase[i]);

		if (unlikely(!re))
			return -EUCLEAN;
		rb_erase(&re->link, &tree->root);
		owned_give_back(&tree->stock, &re->e, inline_alloc);
	}
	return 0;
}

dsbench_by_alloc(rbtree_owned_erase)

static int rbtree_owned_verify(struct dsbench_set *set)
{
	struct rbtree_owned *tree = set->priv;
	struct rb_node *node;
	u64 next = 0;

	for (node = rb_first(&tree->root); node; node = rb_next(node)) {
		struct rbtree_owned_elem *re = elem_of(node);

		if (re->key < next || re->e.key != re->key)
			return -EUCLEAN;
		next = re->key + 1;
		if (dsbench_see(set, &re->e))
			return -EUCLEAN;
	}
	return 0;
}

static const struct dsbench_ops rbtree_owned_ops = {
	.create = rbtree_owned_create,
	.destroy = rbtree_owned_destroy,
	.verify = rbtree_owned_verify,
	.op = {
		[DSBENCH_FILL] = rbtree_owned_fill,
		[DSBENCH_FIND] = rbtree_owned_find,
		[DSBENCH_FOR_EACH] = rbtree_owned_for_each,
		[DSBENCH_ERASE] = rbtree_owned_erase,
	},
	.bytes = owned_bytes,
	.owns_elems = true,
};

dsbench_container_module(rbtree_owned);
MODULE_DESCRIPTION("dsbench: struct rb_root that owns its nodes");
