// SPDX-License-Identifier: GPL-2.0
/*
 * A container that loses the first element that is put into it, for the tests:
 * whoever erased what it should have would follow a NULL pointer.
 */

#include <dsbench/bench.h>

static int lossy_create(struct dsbench_set *set)
{
	set->priv = kcalloc(set->n, sizeof(void *), GFP_KERNEL);
	return set->priv ? 0 : -ENOMEM;
}

static void lossy_destroy(struct dsbench_set *set)
{
	kfree(set->priv);
}

static int lossy_fill(struct dsbench_set *set, u32 first, u32 last)
{
	struct dsbench_elem **slot = set->priv;
	u32 i;

	for (i = max(first, 1U); i < last; i++)
		slot[set->keys[i]] = set->elems[i];
	return 0;
}

static int lossy_erase(struct dsbench_set *set, u32 first, u32 last)
{
	struct dsbench_elem **slot = set->priv;
	u32 i;

	for (i = first; i < last; i++)
		slot[set->by_key[i]->key] = NULL;
	return 0;
}

static int lossy_verify(struct dsbench_set *set)
{
	struct dsbench_elem **slot = set->priv;
	u32 i;

	for (i = 0; i < set->n; i++) {
		if (slot[i] && dsbench_see(set, slot[i]))
			return -EUCLEAN;
	}
	return 0;
}

static const struct dsbench_ops lossy_ops = {
	.create = lossy_create,
	.destroy = lossy_destroy,
	.verify = lossy_verify,
	.op = {
		[DSBENCH_FILL] = lossy_fill,
		[DSBENCH_ERASE] = lossy_erase,
	},
};

dsbench_container_module(lossy);
MODULE_DESCRIPTION("dsbench: a container that loses an element");
