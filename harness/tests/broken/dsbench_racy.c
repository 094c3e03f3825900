// SPDX-License-Identifier: GPL-2.0
/*
 * A container with a planted fault, for the tests: readers miss key 0 while the
 * first of the elements that the writer inserts and erases is absent. Without a
 * writer the answers are right; the contents are right at any time.
 */

#include <linux/rcupdate.h>

#include "slots.h"

static void count(struct dsbench_set *set, u32 key)
{
	struct dsbench_elem **slot = set->priv;

	if (!key && !READ_ONCE(slot[set->n]))
		return;
	set->hits++;
	set->sum += slot[key]->value;
}

static int racy_find(struct dsbench_set *set, u32 first, u32 last)
{
	u32 i;

	for (i = first; i < last; i++)
		count(set, set->lookup[i]);
	return 0;
}

static int racy_visit_all(struct dsbench_set *set, u32 first, u32 last)
{
	u32 key;

	for (key = 0; key < set->n; key++)
		count(set, key);
	return 0;
}

static int racy_insert(struct dsbench_set *set, struct dsbench_elem *e)
{
	struct dsbench_elem **slot = set->priv;

	WRITE_ONCE(slot[e->key], e);
	return 0;
}

static int racy_erase(struct dsbench_set *set, struct dsbench_elem *e)
{
	struct dsbench_elem **slot = set->priv;

	WRITE_ONCE(slot[e->key], NULL);
	return 0;
}

static const struct dsbench_shared_ops racy_shared = {
	.readers = "nothing",
	.writer = "nothing",
	.rcu = true,
	.find = racy_find,
	.for_each = racy_visit_all,
	.insert = racy_insert,
	.erase = racy_erase,
};

static const struct dsbench_ops racy_ops = {
	.create = slots_create,
	.destroy = slots_destroy,
	.verify = slots_verify,
	.op = { [DSBENCH_FILL] = slots_fill },
	.shared = &racy_shared,
};

dsbench_container_module(racy);
MODULE_DESCRIPTION("dsbench: a container whose readers go wrong beside a writer");
