// SPDX-License-Identifier: GPL-2.0
/*
 * dsbench_kunit.ko: all suites. They find the containers in the registry, like
 * the core. Load the core with autorun=0, the containers, and then this module.
 */

#include <linux/module.h>

#include "suites.h"

kunit_test_suites(&dsbench_stats_suite, &dsbench_params_suite,
		  &dsbench_plan_suite,
		  &dsbench_clock_suite, &dsbench_precision_suite,
		  &dsbench_set_suite, &dsbench_floor_suite,
		  &dsbench_try_suite,
		  &dsbench_list_suite, &dsbench_hashtable_suite,
		  &dsbench_rbtree_suite, &dsbench_xarray_suite,
		  &dsbench_maple_suite, &dsbench_rhashtable_suite,
		  &dsbench_llist_suite, &dsbench_idr_suite,
		  &dsbench_sorted_array_suite);

MODULE_SOFTDEP("pre: dsbench_list dsbench_hashtable dsbench_rbtree dsbench_xarray dsbench_maple dsbench_rhashtable dsbench_llist dsbench_idr dsbench_sorted_array");
MODULE_DESCRIPTION("dsbench: KUnit suites");
MODULE_LICENSE("GPL");
