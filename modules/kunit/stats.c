// SPDX-License-Identifier: GPL-2.0
/* Percentiles, mean and spread of samples with results calculated by hand. */

#include "../core/stats.h"
#include "suites.h"

static void percentile_interpolates(struct kunit *test)
{
	static const s64 sorted[] = { 10, 20, 30, 40 };

	/* position 0.9 * 3 = 2.7: between 30 and 40 */
	KUNIT_EXPECT_EQ(test, dsbench_percentile(sorted, 4, 90), 37000);
	KUNIT_EXPECT_EQ(test, dsbench_percentile(sorted, 4, 50), 25000);
	KUNIT_EXPECT_EQ(test, dsbench_percentile(sorted, 4, 0), 10000);
	KUNIT_EXPECT_EQ(test, dsbench_percentile(sorted, 4, 100), 40000);
}

static void percentile_of_one(struct kunit *test)
{
	static const s64 sorted[] = { 7 };

	KUNIT_EXPECT_EQ(test, dsbench_percentile(sorted, 1, 0), 7000);
	KUNIT_EXPECT_EQ(test, dsbench_percentile(sorted, 1, 99), 7000);
	KUNIT_EXPECT_EQ(test, dsbench_percentile(sorted, 1, 100), 7000);
}

static void percentile_below_zero(struct kunit *test)
{
	static const s64 sorted[] = { -20, -10, 5 };

	KUNIT_EXPECT_EQ(test, dsbench_percentile(sorted, 3, 50), -10000);
	KUNIT_EXPECT_EQ(test, dsbench_percentile(sorted, 3, 25), -15000);
}

static void compute_unsorted(struct kunit *test)
{
	static const s64 samples[] = { 9, 1, 2, 6, 3, 4, 2 };
	struct dsbench_stats s;

	KUNIT_ASSERT_EQ(test, dsbench_stats_compute(&s, samples, 7), 0);
	KUNIT_EXPECT_EQ(test, s.min, 1000);
	KUNIT_EXPECT_EQ(test, s.p50, 3000);
	KUNIT_EXPECT_EQ(test, s.mean, 3857);	/* 27 / 7 */
	KUNIT_EXPECT_EQ(test, s.p90, 7200);	/* position 5.4: between 6 and 9 */
	KUNIT_EXPECT_EQ(test, s.p99, 8820);	/* position 5.94 */
	KUNIT_EXPECT_EQ(test, s.max, 9000);
	/* distances from 3: 6 2 1 3 0 1 1 */
	KUNIT_EXPECT_EQ(test, s.mad, 1000);
}

static void compute_keeps_order_of_samples(struct kunit *test)
{
	s64 samples[] = { 3, 1, 2 };
	struct dsbench_stats s;

	KUNIT_ASSERT_EQ(test, dsbench_stats_compute(&s, samples, 3), 0);
	KUNIT_EXPECT_EQ(test, samples[0], 3);
	KUNIT_EXPECT_EQ(test, samples[1], 1);
	KUNIT_EXPECT_EQ(test, samples[2], 2);
}

static void compute_half_cycles(struct kunit *test)
{
	static const s64 samples[] = { 10, 11 };
	struct dsbench_stats s;

	KUNIT_ASSERT_EQ(test, dsbench_stats_compute(&s, samples, 2), 0);
	KUNIT_EXPECT_EQ(test, s.p50, 10500);
	KUNIT_EXPECT_EQ(test, s.mean, 10500);
	KUNIT_EXPECT_EQ(test, s.mad, 500);
}

static void compute_large(struct kunit *test)
{
	static const s64 samples[] = { 1000000000000LL, 1000000000002LL };
	struct dsbench_stats s;

	KUNIT_ASSERT_EQ(test, dsbench_stats_compute(&s, samples, 2), 0);
	KUNIT_EXPECT_EQ(test, s.mean, 1000000000001000LL);
	KUNIT_EXPECT_EQ(test, s.p50, 1000000000001000LL);
}

static void per_element_rounds(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, dsbench_per_element(10000, 4), 2500);
	KUNIT_EXPECT_EQ(test, dsbench_per_element(10000, 3), 3333);
	KUNIT_EXPECT_EQ(test, dsbench_per_element(20000, 3), 6667);
	KUNIT_EXPECT_EQ(test, dsbench_per_element(-20000, 3), -6667);
	KUNIT_EXPECT_EQ(test, dsbench_per_element(0, 1), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(percentile_interpolates),
	KUNIT_CASE(percentile_of_one),
	KUNIT_CASE(percentile_below_zero),
	KUNIT_CASE(compute_unsorted),
	KUNIT_CASE(compute_keeps_order_of_samples),
	KUNIT_CASE(compute_half_cycles),
	KUNIT_CASE(compute_large),
	KUNIT_CASE(per_element_rounds),
	{}
};

struct kunit_suite dsbench_stats_suite = {
	.name = "dsbench_stats",
	.test_cases = cases,
};
