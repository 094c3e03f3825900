/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the containers with planted faults: an array with a slot per key. */
#ifndef _SLOTS_H
#define _SLOTS_H

#include <linux/slab.h>

#include <dsbench/bench.h>

static inline int slots_create(struct dsbench_set *set)
{
	set->priv = kcalloc(set->n + DSBENCH_CHURN_MAX, sizeof(void *),
			    GFP_KERNEL);
	return set->priv ? 0 : -ENOMEM;
}

static inline void slots_destroy(struct dsbench_set *set)
{
	kfree(set->priv);
}

static inline int slots_fill(struct dsbench_set *set, u32 first, u32 last)
{
	struct dsbench_elem **slot = set->priv;
	u32 i;

	for (i = first; i < last; i++)
		slot[set->keys[i]] = set->elems[i];
	return 0;
}

static inline int slots_verify(struct dsbench_set *set)
{
	struct dsbench_elem **slot = set->priv;
	u32 i;

	for (i = 0; i < set->n; i++) {
		if (slot[i] && dsbench_see(set, slot[i]))
			return -EUCLEAN;
	}
	return 0;
}

#endif /* _SLOTS_H */
