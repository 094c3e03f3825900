// SPDX-License-Identifier: GPL-2.0
/*
 * struct rb_root with the descent that every user writes. If shared, the tree
 * is under a rwlock, since an rbtree cannot be walked while it is rebalanced.
 * btrfs protects its extent maps and block groups in the same way.
 */

#include <linux/rbtree.h>
#include <linux/spinlock.h>

#include <dsbench/bench.h>

struct rbtree_elem {
	struct dsbench_elem e;
	struct rb_node link;
};

static_assert(sizeof(struct rbtree_elem) <= DSBENCH_ELEM_SIZE);

struct tree {
	struct rb_root root;
	rwlock_t lock;
};

static struct rb_root *root_of(const struct dsbench_set *set)
{
	struct tree *tree = set->priv;

	return &tree->root;
}

static int rbtree_create(struct dsbench_set *set)
{
	struct tree *tree = kmalloc(sizeof(*tree), GFP_KERNEL);

	if (!tree)
		return -ENOMEM;

	tree->root = RB_ROOT;
	rwlock_init(&tree->lock);
	set->priv = tree;
	return 0;
}

static void rbtree_destroy(struct dsbench_set *set)
{
	kfree(set->priv);
}

static __always_inline void rbtree_insert(struct rb_root *root,
					  struct rbtree_elem *re)
{
	struct rb_node **link = &root->rb_node;
	struct rb_node *parent = NULL;
	u64 key = re->e.key;

	while (*link) {
		parent = *link;
		if (key < rb_entry(parent, struct rbtree_elem, link)->e.key)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&re->link, parent, link);
	rb_insert_color(&re->link, root);
}

static __always_inline int rbtree_fill_as(struct dsbench_set *set, u32 first,
					  u32 last, bool inline_alloc)
{
	struct rb_root *root = root_of(set);
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = dsbench_elem_get(set, i, inline_alloc);

		if (unlikely(!e))
			return -ENOMEM;
		rbtree_insert(root, container_of(e, struct rbtree_elem, e));
	}
	return 0;
}

dsbench_by_alloc(rbtree_fill)

static __always_inline struct rbtree_elem *rbtree_lookup(struct rb_root *root,
							 u64 key)
{
	struct rb_node *node = root->rb_node;

	while (node) {
		struct rbtree_elem *re = rb_entry(node, struct rbtree_elem,
						  link);

		if (key < re->e.key)
			node = node->rb_left;
		else if (key > re->e.key)
			node = node->rb_right;
		else
			return re;
	}
	return NULL;
}

static int rbtree_find(struct dsbench_set *set, u32 first, u32 last)
{
	struct rb_root *root = root_of(set);
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		struct rbtree_elem *re = rbtree_lookup(root, set->lookup[i]);

		if (re) {
			sum += re->e.value;
			hits++;
		}
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int rbtree_for_each(struct dsbench_set *set, u32 first, u32 last)
{
	struct rb_root *root = root_of(set);
	struct rb_node *node;

	for (node = rb_first(root); node; node = rb_next(node))
		rb_entry(node, struct rbtree_elem, link)->e.value++;
	return 0;
}

static __always_inline int rbtree_erase_as(struct dsbench_set *set, u32 first,
					   u32 last, bool inline_alloc)
{
	struct rb_root *root = root_of(set);
	u32 i;

	for (i = first; i < last; i++) {
		struct dsbench_elem *e = set->by_key[i];

		rb_erase(&container_of(e, struct rbtree_elem, e)->link, root);
		dsbench_elem_put(e, inline_alloc);
	}
	return 0;
}

dsbench_by_alloc(rbtree_erase)

static int rbtree_verify(struct dsbench_set *set)
{
	struct rb_root *root = root_of(set);
	struct rb_node *node;
	u64 next = 0;

	for (node = rb_first(root); node; node = rb_next(node)) {
		struct rbtree_elem *re = rb_entry(node, struct rbtree_elem,
						  link);

		if (re->e.key < next)
			return -EUCLEAN;
		next = re->e.key + 1;
		if (dsbench_see(set, &re->e))
			return -EUCLEAN;
	}
	return 0;
}

static int rbtree_find_shared(struct dsbench_set *set, u32 first, u32 last)
{
	struct tree *tree = set->priv;
	u32 hits = 0;
	u64 sum = 0;
	u32 i;

	for (i = first; i < last; i++) {
		struct rbtree_elem *re;

		read_lock(&tree->lock);
		re = rbtree_lookup(&tree->root, set->lookup[i]);
		if (re) {
			sum += re->e.value;
			hits++;
		}
		read_unlock(&tree->lock);
	}
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int rbtree_visit_shared(struct dsbench_set *set, u32 first, u32 last)
{
	struct tree *tree = set->priv;
	struct dsbench_elem *paused = NULL;
	struct rb_node *node;
	u32 part = last - first;
	u64 n = set->n;
	u32 hits = 0;
	u64 sum = 0;

	read_lock(&tree->lock);
	node = set->at ?
	       rb_next(&container_of(set->at, struct rbtree_elem, e)->link) :
	       rb_first(&tree->root);
	for (; node; node = rb_next(node)) {
		struct rbtree_elem *re = rb_entry(node, struct rbtree_elem,
						  link);

		if (re->e.key >= n)
			continue;
		sum += re->e.value;
		if (++hits == part) {
			paused = &re->e;
			break;
		}
	}
	read_unlock(&tree->lock);
	set->at = paused;
	set->hits += hits;
	set->sum += sum;
	return 0;
}

static int rbtree_insert_one(struct dsbench_set *set, struct dsbench_elem *e)
{
	struct tree *tree = set->priv;

	write_lock(&tree->lock);
	rbtree_insert(&tree->root, container_of(e, struct rbtree_elem, e));
	write_unlock(&tree->lock);
	return 0;
}

static int rbtree_erase_one(struct dsbench_set *set, struct dsbench_elem *e)
{
	struct tree *tree = set->priv;

	write_lock(&tree->lock);
	rb_erase(&container_of(e, struct rbtree_elem, e)->link, &tree->root);
	write_unlock(&tree->lock);
	return 0;
}

static const struct dsbench_shared_ops rbtree_shared = {
	.readers = "read_lock",
	.writer = "write_lock",
	.find = rbtree_find_shared,
	.for_each = rbtree_visit_shared,
	.insert = rbtree_insert_one,
	.erase = rbtree_erase_one,
};

static const struct dsbench_ops rbtree_ops = {
	.create = rbtree_create,
	.destroy = rbtree_destroy,
	.verify = rbtree_verify,
	.op = {
		[DSBENCH_FILL] = rbtree_fill,
		[DSBENCH_FIND] = rbtree_find,
		[DSBENCH_FOR_EACH] = rbtree_for_each,
		[DSBENCH_ERASE] = rbtree_erase,
	},
	.shared = &rbtree_shared,
};

dsbench_container_module(rbtree);
MODULE_DESCRIPTION("dsbench: struct rb_root");
