/* SPDX-License-Identifier: GPL-2.0 */
/* The floors: what the machine can do at best. */
#ifndef _DSBENCH_CORE_FLOOR_H
#define _DSBENCH_CORE_FLOOR_H

#include <linux/types.h>

#include <dsbench/bench.h>

#include "params.h"

extern struct dsbench_subject dsbench_floor_subject;

enum dsbench_op dsbench_floor_of(enum dsbench_op op, bool sequential);

static inline bool dsbench_is_floor(enum dsbench_op op)
{
	return op >= DSBENCH_EMPTY;
}

u64 dsbench_floor_bytes(u32 n);
struct dsbench_set *dsbench_floor_alloc(const struct dsbench_params *p, u32 n);

#endif /* _DSBENCH_CORE_FLOOR_H */
