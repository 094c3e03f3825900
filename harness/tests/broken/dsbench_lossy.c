// SPDX-License-Identifier: GPL-2.0
/*
 * A container with a planted fault, for the tests: fill() loses the first
 * element. An erase of every key would dereference a NULL pointer.
 */

#include "slots.h"

static int lossy_fill(struct dsbench_set *set, u32 first, u32 last)
{
	return slots_fill(set, max(first, 1U), last);
}

static int lossy_erase(struct dsbench_set *set, u32 first, u32 last)
{
	struct dsbench_elem **slot = set->priv;
	u32 i;

	for (i = first; i < last; i++)
		slot[set->by_key[i]->key] = NULL;
	return 0;
}

static const struct dsbench_ops lossy_ops = {
	.create = slots_create,
	.destroy = slots_destroy,
	.verify = slots_verify,
	.op = {
		[DSBENCH_FILL] = lossy_fill,
		[DSBENCH_ERASE] = lossy_erase,
	},
};

dsbench_container_module(lossy);
MODULE_DESCRIPTION("dsbench: a container that loses an element");
