// SPDX-License-Identifier: GPL-2.0
/* Sequential stopping: the interval of a median, and when a cell needs no more tries. */

#include "../core/precision.h"
#include "../core/stats.h"
#include "suites.h"

#define PERCENT	10	/* thousandths */

/* Exact ranks: the largest whose binomial tail is at most 2.5 %. */
static void ranks_are_those_of_the_binomial(struct kunit *test)
{
	static const u32 exact[][2] = {
		{ 1, 0 }, { 5, 0 }, { 6, 1 }, { 8, 1 }, { 9, 2 }, { 10, 2 },
		{ 12, 3 }, { 15, 4 }, { 20, 6 }, { 25, 8 }, { 100, 40 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(exact); i++)
		KUNIT_EXPECT_EQ_MSG(test, dsbench_interval_rank(exact[i][0]),
				    exact[i][1], "count %u", exact[i][0]);
}

static void interval_is_between_two_samples(struct kunit *test)
{
	static const s64 samples[] = { 70, 10, 100, 30, 90, 50, 20, 80, 40, 60 };
	struct dsbench_interval i;

	KUNIT_ASSERT_EQ(test, dsbench_median_interval(&i, samples, 10), 0);
	KUNIT_EXPECT_EQ(test, i.low, 20);
	KUNIT_EXPECT_EQ(test, i.median, 55);
	KUNIT_EXPECT_EQ(test, i.high, 90);
	KUNIT_EXPECT_EQ(test, dsbench_median_interval(&i, samples, 5), -EINVAL);
}

/* Take samples one by one, as a run does; return how many the cell needs. */
static u32 tries_of(const s64 *samples, u32 count, u32 precision)
{
	s64 taken[64];
	struct dsbench_cell cell = { .samples = taken };

	while (cell.done < count) {
		taken[cell.done] = samples[cell.done];
		cell.done++;
		if (dsbench_cell_is_precise(&cell, precision))
			break;
	}
	return cell.done;
}

static void constant_samples_need_the_fewest_tries(struct kunit *test)
{
	s64 samples[40];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(samples); i++)
		samples[i] = 1000 + i % 2;
	KUNIT_EXPECT_EQ(test, tries_of(samples, 40, PERCENT),
			DSBENCH_PRECISION_TRIES);
}

static void scattered_samples_need_all_tries(struct kunit *test)
{
	s64 samples[40];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(samples); i++)
		samples[i] = i % 2 ? 1000 : 1100;
	KUNIT_EXPECT_EQ(test, tries_of(samples, 40, PERCENT), 40);
	KUNIT_EXPECT_EQ(test, tries_of(samples, 40, 20 * PERCENT),
			DSBENCH_PRECISION_TRIES);
}

static void samples_that_settle_need_some(struct kunit *test)
{
	s64 samples[40];
	u32 i, tries;

	for (i = 0; i < ARRAY_SIZE(samples); i++)
		samples[i] = i < 6 ? 2000 : 1000;
	tries = tries_of(samples, 40, PERCENT);
	KUNIT_EXPECT_GT(test, tries, DSBENCH_PRECISION_TRIES);
	KUNIT_EXPECT_LT(test, tries, 40);
}

static void no_precision_means_all_tries(struct kunit *test)
{
	static const s64 samples[40];
	s64 constant[40];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(constant); i++)
		constant[i] = 1000;
	KUNIT_EXPECT_EQ(test, tries_of(constant, 40, 0), 40);
	/* nothing but zeros is below the clock's resolution */
	KUNIT_EXPECT_EQ(test, tries_of(samples, 40, PERCENT), 40);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(ranks_are_those_of_the_binomial),
	KUNIT_CASE(interval_is_between_two_samples),
	KUNIT_CASE(constant_samples_need_the_fewest_tries),
	KUNIT_CASE(scattered_samples_need_all_tries),
	KUNIT_CASE(samples_that_settle_need_some),
	KUNIT_CASE(no_precision_means_all_tries),
	{}
};

struct kunit_suite dsbench_precision_suite = {
	.name = "dsbench_precision",
	.test_cases = cases,
};
