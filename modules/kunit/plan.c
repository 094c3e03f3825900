// SPDX-License-Identifier: GPL-2.0
/* The plan of a run: how large its slices are, and which of them let others run. */

#include "../core/plan.h"
#include "../core/run.h"
#include "suites.h"

#define LONG_FILL	1000

static int no_work(struct dsbench_set *set, u32 first, u32 last)
{
	return 0;
}

static const struct dsbench_ops ops = {
	.op = {
		[DSBENCH_FILL] = no_work,
		[DSBENCH_FIND] = no_work,
		[DSBENCH_FOR_EACH] = no_work,
		[DSBENCH_ERASE] = no_work,
	},
	.long_fill = LONG_FILL,
};

static void free_run(struct kunit *test)
{
	if (test->priv)
		dsbench_run_free(test->priv);
	test->priv = NULL;
}

/* Plan a run of one container. free_run() frees it. */
static struct dsbench_run *plan(struct kunit *test, u32 n, u32 slice)
{
	struct dsbench_params p = some_params();
	static struct dsbench_subject subject;
	struct dsbench_run *run;

	subject = (struct dsbench_subject) { .name = "planned", .ops = &ops };
	p.n = n;
	p.slice = slice;
	free_run(test);
	run = dsbench_run_alloc(&p);
	KUNIT_ASSERT_NOT_NULL(test, run);
	test->priv = run;
	KUNIT_ASSERT_EQ(test, dsbench_run_add(run, &subject), 0);
	return run;
}

static struct dsbench_cell *cell_of(struct kunit *test, struct dsbench_run *run,
				    enum dsbench_op op)
{
	struct dsbench_cell *cell, *found = NULL;

	list_for_each_entry(cell, &run->cells, node) {
		if (cell->op == op)
			found = cell;
	}
	KUNIT_ASSERT_NOT_NULL(test, found);
	return found;
}

static void only_a_long_fill_lets_others_run(struct kunit *test)
{
	struct dsbench_run *run = plan(test, LONG_FILL, 0);

	KUNIT_EXPECT_FALSE(test, cell_of(test, run, DSBENCH_FILL)->sleeps);

	run = plan(test, LONG_FILL + 1, 0);
	KUNIT_EXPECT_TRUE(test, cell_of(test, run, DSBENCH_FILL)->sleeps);
	KUNIT_EXPECT_FALSE(test, cell_of(test, run, DSBENCH_FIND)->sleeps);
	KUNIT_EXPECT_FALSE(test, cell_of(test, run, DSBENCH_ERASE)->sleeps);
}

static void the_user_makes_slices_smaller(struct kunit *test)
{
	struct dsbench_run *run = plan(test, 100, 1);

	KUNIT_EXPECT_EQ(test, cell_of(test, run, DSBENCH_FILL)->slice, 1);
	KUNIT_EXPECT_EQ(test, cell_of(test, run, DSBENCH_FIND)->slice, 1);
	KUNIT_EXPECT_EQ(test, cell_of(test, run, DSBENCH_ERASE)->slice, 1);
	KUNIT_EXPECT_EQ(test, cell_of(test, run, DSBENCH_FOR_EACH)->slice, 100);

	run = plan(test, 100, DSBENCH_N_MAX);
	KUNIT_EXPECT_EQ(test, cell_of(test, run, DSBENCH_FILL)->slice,
			DSBENCH_SLICE);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(only_a_long_fill_lets_others_run),
	KUNIT_CASE(the_user_makes_slices_smaller),
	{}
};

struct kunit_suite dsbench_plan_suite = {
	.name = "dsbench_plan",
	.exit = free_run,
	.test_cases = cases,
};
