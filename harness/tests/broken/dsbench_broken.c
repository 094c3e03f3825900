// SPDX-License-Identifier: GPL-2.0
/*
 * A container with a planted fault, for the tests: find() skips the last key
 * of its range. Built outside the tree, as a user builds a container.
 */

#include "slots.h"

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

static const struct dsbench_ops broken_ops = {
	.create = slots_create,
	.destroy = slots_destroy,
	.verify = slots_verify,
	.op = {
		[DSBENCH_FILL] = slots_fill,
		[DSBENCH_FIND] = broken_find,
	},
};

dsbench_container_module(broken);
MODULE_DESCRIPTION("dsbench: a container that gives wrong answers");
