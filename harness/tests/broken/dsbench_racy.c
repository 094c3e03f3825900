// SPDX-License-Identifier: GPL-2.0
/*
 * A container that is right as long as nobody writes, for the tests: its readers
 * lose key 0 while the first of the elements that come and go is away. What it
 * holds is right at any time.
 */

#include <linux/rcupdate.h>

#include <dsbench/bench.h>

static int racy_create(struct dsbench_set *set)
{
	set->priv = kcalloc(set->n + DSBENCH_CHURN_MAX, sizeof(void *),
			    GFP_KERNEL);
	return set->priv ? 0 : -ENOMEM;
}

static void racy_destroy(struct dsbench_set *set)
{
	kfree(set->priv);
}

static int racy_fill(struct dsbench_set *set, u32 first, u32 last)
{
	struct dsbench_elem **slot = set->priv;
	u32 i;

	for (i = first; i < last; i++)
		slot[set->keys[i]] = set->elems[i];
	return 0;
}

static int racy_verify(struct dsbench_set *set)
{
	struct dsbench_elem **slot = set->priv;
	u32 i;

	for (i = 0; i < set->n; i++) {
		if (slot[i] && dsbench_see(set, slot[i]))
			return -EUCLEAN;
	}
	return 0;
}

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
	.create = racy_create,
	.destroy = racy_destroy,
	.verify = racy_verify,
	.op = { [DSBENCH_FILL] = racy_fill },
	.shared = &racy_shared,
};

dsbench_container_module(racy);
MODULE_DESCRIPTION("dsbench: a container whose readers go wrong beside a writer");
