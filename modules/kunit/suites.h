/* SPDX-License-Identifier: GPL-2.0 */
/* The suites, one for each concern of the core and one for each container. */
#ifndef _DSBENCH_KUNIT_SUITES_H
#define _DSBENCH_KUNIT_SUITES_H

#include <kunit/test.h>

#include <dsbench/bench.h>

#include "../core/params.h"

extern struct kunit_suite dsbench_clock_suite;
extern struct kunit_suite dsbench_floor_suite;
extern struct kunit_suite dsbench_params_suite;
extern struct kunit_suite dsbench_plan_suite;
extern struct kunit_suite dsbench_precision_suite;
extern struct kunit_suite dsbench_set_suite;
extern struct kunit_suite dsbench_stats_suite;
extern struct kunit_suite dsbench_try_suite;

extern struct kunit_suite dsbench_list_suite;
extern struct kunit_suite dsbench_hashtable_suite;
extern struct kunit_suite dsbench_rbtree_suite;
extern struct kunit_suite dsbench_xarray_suite;
extern struct kunit_suite dsbench_maple_suite;
extern struct kunit_suite dsbench_rhashtable_suite;
extern struct kunit_suite dsbench_llist_suite;
extern struct kunit_suite dsbench_idr_suite;
extern struct kunit_suite dsbench_sorted_array_suite;

/* A small run's parameters, for a test to change. */
static inline struct dsbench_params some_params(void)
{
	return (struct dsbench_params) {
		.n = 100,
		.tries = 1,
		.seed = 1,
		.cpu = -1,
		.ops = BIT(DSBENCH_NR_OPS) - 1,
		.containers = "all",
	};
}

#endif /* _DSBENCH_KUNIT_SUITES_H */
