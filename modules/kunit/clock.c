// SPDX-License-Identifier: GPL-2.0
/*
 * The clock counts, and a slice runs with the requested interrupts and
 * preemption.
 */

#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/preempt.h>
#include <linux/processor.h>
#include <linux/string.h>

#include "../core/clock.h"
#include "../core/neighbour.h"
#include "../core/slice.h"
#include "suites.h"

static void clock_never_goes_back(struct kunit *test)
{
	u64 before = dsbench_clock();
	int i;

	for (i = 0; i < 1000; i++) {
		u64 now = dsbench_clock();

		KUNIT_ASSERT_GE(test, now, before);
		before = now;
	}
}

static void clock_is_described(struct kunit *test)
{
	static const char * const units[] = {
		DSBENCH_UNIT_TSC, DSBENCH_UNIT_INSTRUCTIONS, DSBENCH_UNIT_NS,
		NULL
	};
	const struct dsbench_clock_info *info = dsbench_clock_info();

	KUNIT_EXPECT_GT(test, strlen(info->name), 0);
	KUNIT_EXPECT_GE(test, match_string(units, -1, info->unit), 0);
	KUNIT_EXPECT_GT(test, info->khz, 0);
	KUNIT_EXPECT_NE(test, info->overhead, U64_MAX);
}

static void moments_follow_each_other(struct kunit *test)
{
	struct dsbench_moment before, after;

	dsbench_clock_moment(&before);
	/* User Mode Linux's ktime goes by steps of 256 ns. */
	while (ktime_get_ns() <= before.ns)
		cpu_relax();
	dsbench_clock_moment(&after);
	KUNIT_EXPECT_GT(test, before.ticks, 0);
	KUNIT_EXPECT_GT(test, after.ticks, before.ticks);
	KUNIT_EXPECT_GT(test, after.ns, before.ns);
}

static bool irqs_were_off;

static int look_around(struct dsbench_set *set, u32 first, u32 last)
{
	irqs_were_off = irqs_disabled();
	return first == 3 && last == 7 ? -EUCLEAN : 0;
}

static void slice_keeps_interrupts_out(struct kunit *test)
{
	struct dsbench_slice slice = { .op = look_around, .irqs_off = true };

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "PREEMPT_RT lets interrupts in");

	dsbench_time_slice(&slice);
	KUNIT_EXPECT_TRUE(test, irqs_were_off);
	KUNIT_EXPECT_FALSE(test, slice.disturbed);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());

	slice.irqs_off = false;
	dsbench_time_slice(&slice);
	KUNIT_EXPECT_FALSE(test, irqs_were_off);
	KUNIT_EXPECT_EQ(test, preempt_count(), 0);
}

/* A timer tick becomes due during this operation. */
static int outlast_a_tick(struct dsbench_set *set, u32 first, u32 last)
{
	u64 tick = dsbench_clock_info()->khz * jiffies_to_msecs(1);
	u64 end = dsbench_clock() + 3 * tick;

	while (dsbench_clock() < end)
		;
	return 0;
}

/*
 * A real interrupt waits until the slice has ended. Under UML its signal runs
 * a handler within the slice, even with interrupts disabled.
 */
static void a_pending_interrupt_of_uml_disturbs(struct kunit *test)
{
	struct dsbench_slice slice = { .op = outlast_a_tick, .irqs_off = true };

	if (!IS_ENABLED(CONFIG_UML))
		kunit_skip(test, "only a host's signals run within a slice");

	dsbench_time_slice(&slice);
	KUNIT_EXPECT_TRUE(test, slice.disturbed);
}

static void slice_passes_range_and_error(struct kunit *test)
{
	struct dsbench_slice slice = {
		.op = look_around,
		.first = 3,
		.last = 7,
	};

	dsbench_time_slice(&slice);
	KUNIT_EXPECT_EQ(test, slice.err, -EUCLEAN);
	KUNIT_EXPECT_GT(test, slice.ticks, 0);
}

static void a_shared_core_is_told_from_a_slow_one(struct kunit *test)
{
	const struct dsbench_pace alone = {
		.chain = 320, .wide = 330, .jumps = 600 };
	const struct dsbench_pace narrow = {
		.chain = 320, .wide = 430, .jumps = 600 };
	const struct dsbench_pace fetching = {
		.chain = 320, .wide = 330, .jumps = 700 };

	KUNIT_EXPECT_FALSE(test, dsbench_pace_shared(&alone, &alone));
	KUNIT_EXPECT_FALSE(test, dsbench_pace_shared(&narrow, &narrow));
	KUNIT_EXPECT_TRUE(test, dsbench_pace_shared(&narrow, &alone));
	KUNIT_EXPECT_TRUE(test, dsbench_pace_shared(&fetching, &alone));
	/* At half the frequency all loops take twice as long. */
	KUNIT_EXPECT_FALSE(test, dsbench_pace_shared(&(struct dsbench_pace) {
		.chain = 640, .wide = 660, .jumps = 1200 }, &alone));
	KUNIT_EXPECT_TRUE(test, dsbench_pace_shared(&(struct dsbench_pace) {
		.chain = 340, .wide = 640, .jumps = 600 }, &alone));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(clock_never_goes_back),
	KUNIT_CASE(clock_is_described),
	KUNIT_CASE(moments_follow_each_other),
	KUNIT_CASE(slice_keeps_interrupts_out),
	KUNIT_CASE(a_pending_interrupt_of_uml_disturbs),
	KUNIT_CASE(slice_passes_range_and_error),
	KUNIT_CASE(a_shared_core_is_told_from_a_slow_one),
	{}
};

struct kunit_suite dsbench_clock_suite = {
	.name = "dsbench_clock",
	.test_cases = cases,
};
