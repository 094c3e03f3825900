// SPDX-License-Identifier: GPL-2.0
/*
 * The plan of a run: how large its slices are, which of them let others run, and
 * the bursts of devices.
 */

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

/* Plan a run of one subject. free_run() frees it. */
static struct dsbench_run *plan_of(struct kunit *test,
				   const struct dsbench_ops *subject_ops,
				   u32 n, u32 slice)
{
	struct dsbench_params p = some_params();
	static struct dsbench_subject subject;
	struct dsbench_run *run;

	subject = (struct dsbench_subject) { .name = "planned", .ops = subject_ops };
	p.n = n;
	p.slice = slice;
	free_run(test);
	run = dsbench_run_alloc(&p);
	KUNIT_ASSERT_NOT_NULL(test, run);
	test->priv = run;
	KUNIT_ASSERT_EQ(test, dsbench_run_add(run, &subject), 0);
	return run;
}

static struct dsbench_run *plan(struct kunit *test, u32 n, u32 slice)
{
	return plan_of(test, &ops, n, slice);
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

static u32 two_sizes(u32 index)
{
	static const u32 sizes[] = { 64, 9000 };

	return index < ARRAY_SIZE(sizes) ? sizes[index] : 0;
}

/* The larger size has no bursts. */
static u32 two_bursts(u32 n, u32 index)
{
	static const u32 bursts[] = { 1, 8 };

	return n == 64 && index < ARRAY_SIZE(bursts) ? bursts[index] : 0;
}

static u32 packets(u32 n, u32 burst)
{
	return 10 + burst;
}

static const struct dsbench_ops device_ops = {
	.op = {
		[DSBENCH_TX] = no_work,
		[DSBENCH_PATH] = no_work,
	},
	.bare = true,
	.size = two_sizes,
	.burst = two_bursts,
	.batch = packets,
};

static void each_burst_has_cells_of_its_own(struct kunit *test)
{
	static const struct {
		enum dsbench_op op;
		u32 n;
		u32 burst;
	} wanted[] = {
		{ DSBENCH_TX, 64, 0 }, { DSBENCH_PATH, 64, 0 },
		{ DSBENCH_TX, 64, 1 }, { DSBENCH_PATH, 64, 1 },
		{ DSBENCH_TX, 64, 8 }, { DSBENCH_PATH, 64, 8 },
		{ DSBENCH_TX, 9000, 0 }, { DSBENCH_PATH, 9000, 0 },
	};
	struct dsbench_run *run = plan_of(test, &device_ops, 1, 0);
	struct dsbench_cell *cell;
	unsigned int i = 0;

	list_for_each_entry(cell, &run->cells, node) {
		KUNIT_ASSERT_LT(test, i, ARRAY_SIZE(wanted));
		KUNIT_EXPECT_EQ(test, cell->op, wanted[i].op);
		KUNIT_EXPECT_EQ(test, cell->n, wanted[i].n);
		KUNIT_EXPECT_EQ(test, cell->burst, wanted[i].burst);
		KUNIT_EXPECT_EQ(test, cell->elements, 10 + wanted[i].burst);
		i++;
	}
	KUNIT_EXPECT_EQ(test, i, ARRAY_SIZE(wanted));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(each_burst_has_cells_of_its_own),
	KUNIT_CASE(only_a_long_fill_lets_others_run),
	KUNIT_CASE(the_user_makes_slices_smaller),
	{}
};

struct kunit_suite dsbench_plan_suite = {
	.name = "dsbench_plan",
	.exit = free_run,
	.test_cases = cases,
};
