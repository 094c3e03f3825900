// SPDX-License-Identifier: GPL-2.0
/* One suite for each container, all with the same cases. */

#include "container_cases.h"

/* A suite has the cases, and an init that finds the container. */
#define CONTAINER_SUITE(container)					\
static int dsbench_##container##_init(struct kunit *test)		\
{									\
	return container_init(test, #container);			\
}									\
									\
struct kunit_suite dsbench_##container##_suite = {			\
	.name = "dsbench_" #container,					\
	.init = dsbench_##container##_init,				\
	.exit = container_exit,						\
	.test_cases = cases,						\
}

CONTAINER_SUITE(list);
CONTAINER_SUITE(hashtable);
CONTAINER_SUITE(rbtree);
CONTAINER_SUITE(xarray);
CONTAINER_SUITE(maple);
CONTAINER_SUITE(rhashtable);
CONTAINER_SUITE(llist);
CONTAINER_SUITE(idr);
CONTAINER_SUITE(sorted_array);
