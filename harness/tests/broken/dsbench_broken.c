// SPDX-License-Identifier: GPL-2.0
/*
 * A container that lies, for the tests: its find forgets the last key that it
 * was asked for. Built outside the tree, as a user's own container would be.
 */

#include <dsbench/bench.h>

static int broken_create(struct dsbench_set *set)
{
	set->priv = kcalloc(set->n, sizeof(void *), GFP_KERNEL);
	return set->priv ? 0 : -ENOMEM;
}

static void broken_destroy(struct dsbench_set *set)
{
	kfree(set->priv);
}

static int broken_fill(struct dsbench_set *set, u32 first, u32 last)
{
	struct dsbench_elem **slot = set->priv;
	u32 i;

	for (i = first; i < last; i++)
		slot[set->keys[i]] = set->elems[i];
	return 0;
}

static int broken_find(struct dsbench_set *set, u32 first, u32 last)
{
	struct dsbench_elem **slot = set->priv;
	u32 i;

	for (i = first; i < last - 1; i++) {
		set->sum += slot[set->lookup[i]]->value;
		set->hits++;
	}
	return 0;
}

static int broken_verify(struct dsbench_set *set)
{
	struct dsbench_elem **slot = set->priv;
	u32 i;

	for (i = 0; i < set->n; i++) {
		if (slot[i] && dsbench_see(set, slot[i]))
			return -EUCLEAN;
	}
	return 0;
}

static const struct dsbench_ops broken_ops = {
	.create = broken_create,
	.destroy = broken_destroy,
	.verify = broken_verify,
	.op = {
		[DSBENCH_FILL] = broken_fill,
		[DSBENCH_FIND] = broken_find,
	},
};

dsbench_container_module(broken);
MODULE_DESCRIPTION("dsbench: a container that gives wrong answers");
