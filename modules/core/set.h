/* SPDX-License-Identifier: GPL-2.0 */
/* The elements and keys that tries work on, and the check of each try. */
#ifndef _DSBENCH_CORE_SET_H
#define _DSBENCH_CORE_SET_H

#include <linux/prandom.h>
#include <linux/types.h>

#include <dsbench/bench.h>

#include "params.h"

int dsbench_sets_init(void);
void dsbench_sets_exit(void);
struct dsbench_set *dsbench_set_alloc(const struct dsbench_params *p, u32 n);
struct dsbench_set *dsbench_set_alloc_bare(u32 n);
void dsbench_set_free(struct dsbench_set *set);
u32 dsbench_pool_size(u32 n);
u32 dsbench_pool_choose(u32 n, struct rnd_state *rnd);
u64 dsbench_set_bytes(u32 n);
void dsbench_set_arrange(struct dsbench_set *set, u32 lookups);
void dsbench_set_reset(struct dsbench_set *set);
int dsbench_set_collect(struct dsbench_set *set, const struct dsbench_ops *ops);
int dsbench_set_order(struct dsbench_set *set);
void dsbench_set_expect_find(const struct dsbench_set *set, u32 lookups,
			     u32 *hits, u64 *sum);
int dsbench_set_verify(struct dsbench_set *set, const struct dsbench_ops *ops,
		       enum dsbench_op op, u32 lookups);
void dsbench_set_empty(struct dsbench_set *set, const struct dsbench_ops *ops);

#endif /* _DSBENCH_CORE_SET_H */
