// SPDX-License-Identifier: GPL-2.0
/*
 * Tries and rounds of a scripted subject: how long its operation takes, what
 * goes wrong in it, and when.
 */

#include <linux/bitmap.h>
#include <linux/irqflags.h>
#include <linux/kernel_stat.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "../core/churn.h"
#include "../core/clock.h"
#include "../core/neighbour.h"
#include "../core/resolution.h"
#include "../core/rounds.h"
#include "../core/run.h"
#include "../core/set.h"
#include "../core/stolen.h"
#include "../core/try.h"
#include "suites.h"

#define N	64
#define TRIES	20

/**
 * struct script - what the operation of a subject does
 * @ticks: time that it takes, at the least
 * @per_element: time that each element takes on top
 * @interrupted: calls, from the first on, that an interrupt hits
 * @enables: it enables interrupts
 * @starved: calls, from the first on, that fail with -ENOMEM
 * @famine: first call from which on all fail with -ENOMEM; 0 for none
 * @wrong_from: first call of verify that finds a wrong answer; 0 for none
 * @calls: number of calls
 * @settled: number of calls of settle
 * @verified: number of calls of verify
 * @irqs_off: calls with interrupts disabled
 * @order: position of each call among the calls of all scripts
 */
struct script {
	u64 ticks;
	u64 per_element;
	u32 interrupted;
	bool enables;
	u32 starved;
	u32 famine;
	u32 wrong_from;
	u32 calls;
	u32 settled;
	u32 verified;
	u32 irqs_off;
	u32 order[4 * TRIES];
};

/**
 * struct actor - a subject with its script
 * @subject: the subject
 * @script: its script
 */
struct actor {
	struct dsbench_subject subject;
	struct script script;
};

static u32 all_calls;

/* The core only passes the subject on, so its script may change. */
static struct script *script_of(const struct dsbench_set *set)
{
	struct dsbench_subject *subject = (struct dsbench_subject *)set->subject;

	return &container_of(subject, struct actor, subject)->script;
}

static int scripted_create(struct dsbench_set *set)
{
	return 0;
}

static void scripted_destroy(struct dsbench_set *set)
{
}

static int scripted_verify(struct dsbench_set *set)
{
	struct script *s = script_of(set);
	int err = 0;
	u32 i;

	s->verified++;
	for (i = 0; !err && i < set->n; i++)
		err = dsbench_see(set, set->elems[i]);
	return s->wrong_from && s->verified >= s->wrong_from ? -EUCLEAN : err;
}

static void scripted_settle(struct dsbench_set *set)
{
	(script_of(set))->settled++;
}

static int scripted_fill(struct dsbench_set *set, u32 first, u32 last)
{
	struct script *s = script_of(set);
	u64 end = dsbench_clock() + s->ticks + s->per_element * (last - first);

	if (s->calls < ARRAY_SIZE(s->order))
		s->order[s->calls] = all_calls;
	all_calls++;
	s->calls++;
	s->irqs_off += irqs_disabled();
	if (s->calls <= s->starved || (s->famine && s->calls >= s->famine))
		return -ENOMEM;
	if (s->calls <= s->interrupted)
		__this_cpu_inc(kstat.irqs_sum);
	if (s->enables)
		local_irq_enable();
	while (dsbench_clock() < end)
		;
	return 0;
}

static const struct dsbench_ops scripted_ops = {
	.create = scripted_create,
	.destroy = scripted_destroy,
	.verify = scripted_verify,
	.settle = scripted_settle,
	.op = { [DSBENCH_FILL] = scripted_fill },
};

static int add_cell(struct dsbench_run *run, struct actor *actor,
		    struct dsbench_set *set)
{
	struct dsbench_cell *cell = kzalloc(sizeof(*cell), GFP_KERNEL);

	if (!cell)
		return -ENOMEM;

	list_add_tail(&cell->node, &run->cells);
	strscpy(cell->container, actor->subject.name, sizeof(cell->container));
	cell->run = run;
	cell->source = &actor->subject;
	cell->n = N;
	cell->elements = N;
	cell->slice = N;
	cell->slice_ticks = 1;
	cell->tries = TRIES;
	cell->set = set;
	cell->samples = kvcalloc(TRIES, sizeof(*cell->samples), GFP_KERNEL);
	cell->is_disturbed = kvcalloc(BITS_TO_LONGS(TRIES),
				      sizeof(*cell->is_disturbed), GFP_KERNEL);
	return cell->samples && cell->is_disturbed ? 0 : -ENOMEM;
}

/**
 * struct stage - a run with two cells, each with a subject of its own
 * @run: the run
 * @set: the set of both cells
 * @actor: the subjects
 * @cell: the first cell
 * @overhead: the clock's overhead before the case
 */
struct stage {
	struct dsbench_run *run;
	struct dsbench_set *set;
	struct actor actor[2];
	struct dsbench_cell *cell;
	u64 overhead;
};

static int stage_init(struct kunit *test)
{
	struct stage *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct dsbench_params p = some_params();
	static const char * const names[] = { "first", "second" };
	int i, err;

	if (!s)
		return -ENOMEM;

	test->priv = s;
	all_calls = 0;
	s->overhead = dsbench_clock_info()->overhead;
	s->run = dsbench_run_alloc(&p);
	s->set = dsbench_set_alloc(&p, N);
	if (!s->run || !s->set)
		return -ENOMEM;

	for (i = 0; i < ARRAY_SIZE(s->actor); i++) {
		s->actor[i].subject.name = names[i];
		s->actor[i].subject.ops = &scripted_ops;
		err = add_cell(s->run, &s->actor[i], s->set);
		if (err)
			return err;
	}
	s->cell = list_first_entry(&s->run->cells, struct dsbench_cell, node);
	return 0;
}

static void stage_exit(struct kunit *test)
{
	struct stage *s = test->priv;

	if (!s)
		return;

	dsbench_clock_set_overhead(s->overhead);
	if (s->run)
		dsbench_run_free(s->run);
	if (s->set)
		dsbench_set_free(s->set);
}

static void a_sample_is_the_time_of_the_operation(struct kunit *test)
{
	struct stage *s = test->priv;
	u64 ticks = 100000;

	s->actor[0].script.ticks = ticks;
	KUNIT_ASSERT_EQ(test, dsbench_try(s->cell, true), 0);
	KUNIT_EXPECT_EQ(test, s->cell->done, 1);
	KUNIT_EXPECT_GE(test, s->cell->samples[0] + (s64)s->overhead, ticks);
	/* A busy host may have disturbed the try, so that it was repeated. */
	KUNIT_EXPECT_EQ(test, s->actor[0].script.verified,
			s->actor[0].script.calls);
	KUNIT_EXPECT_EQ(test, s->actor[0].script.settled,
			s->actor[0].script.calls);
}

static void a_sample_is_the_sum_of_its_slices(struct kunit *test)
{
	struct stage *s = test->priv;
	u64 ticks = 50000;

	s->cell->slice = N / 4;
	s->actor[0].script.ticks = ticks;
	KUNIT_ASSERT_EQ(test, dsbench_try(s->cell, true), 0);
	KUNIT_EXPECT_EQ(test, s->actor[0].script.calls % 4, 0);
	KUNIT_EXPECT_GE(test, s->cell->samples[0] + 4 * (s64)s->overhead,
			4 * ticks);
}

static void the_overhead_is_subtracted(struct kunit *test)
{
	struct stage *s = test->priv;

	dsbench_clock_set_overhead(1ULL << 40);
	KUNIT_ASSERT_EQ(test, dsbench_try(s->cell, true), 0);
	KUNIT_EXPECT_LT(test, s->cell->samples[0], 0);
}

static void a_warm_up_is_not_kept(struct kunit *test)
{
	struct stage *s = test->priv;

	KUNIT_ASSERT_EQ(test, dsbench_try(s->cell, false), 0);
	KUNIT_EXPECT_GE(test, s->actor[0].script.calls, 1);
	KUNIT_EXPECT_EQ(test, s->cell->done, 0);
}

static void a_disturbed_try_is_repeated(struct kunit *test)
{
	struct stage *s = test->priv;

	s->actor[0].script.interrupted = 1;
	KUNIT_ASSERT_EQ(test, dsbench_try(s->cell, true), 0);
	KUNIT_EXPECT_GE(test, s->actor[0].script.calls, 2);
	KUNIT_EXPECT_EQ(test, s->cell->done, 1);
}

static void a_try_that_is_always_disturbed_is_marked(struct kunit *test)
{
	struct stage *s = test->priv;

	s->actor[0].script.interrupted = U32_MAX;
	KUNIT_ASSERT_EQ(test, dsbench_try(s->cell, true), 0);
	KUNIT_EXPECT_EQ(test, s->actor[0].script.calls, 4);
	KUNIT_EXPECT_EQ(test, s->cell->done, 1);
	KUNIT_EXPECT_EQ(test, s->cell->disturbed, 1);
	KUNIT_EXPECT_TRUE(test, test_bit(0, s->cell->is_disturbed));
}

static void a_wrong_answer_is_no_sample(struct kunit *test)
{
	struct stage *s = test->priv;

	s->actor[0].script.wrong_from = 1;
	KUNIT_EXPECT_EQ(test, dsbench_try(s->cell, true), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, s->cell->done, 0);
}

static void a_try_without_memory_is_repeated(struct kunit *test)
{
	struct stage *s = test->priv;

	s->actor[0].script.starved = 2;
	KUNIT_ASSERT_EQ(test, dsbench_try(s->cell, true), 0);
	KUNIT_EXPECT_GE(test, s->actor[0].script.calls, 3);
	KUNIT_EXPECT_EQ(test, s->cell->done, 1);

	s->actor[0].script.starved = U32_MAX;
	KUNIT_EXPECT_EQ(test, dsbench_try(s->cell, true), -ENOMEM);
	KUNIT_EXPECT_EQ(test, s->cell->done, 1);
}

/* From the second attempt on, the operation runs with interrupts on. */
static void an_operation_may_enable_interrupts(struct kunit *test)
{
	struct stage *s = test->priv;

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "PREEMPT_RT lets interrupts in");

	s->actor[0].script.enables = true;
	KUNIT_ASSERT_EQ(test, dsbench_try(s->cell, true), 0);
	KUNIT_EXPECT_TRUE(test, s->cell->irqs_on);
	KUNIT_EXPECT_GE(test, s->actor[0].script.calls, 2);
	KUNIT_EXPECT_EQ(test, s->actor[0].script.irqs_off, 1);
	KUNIT_EXPECT_EQ(test, preempt_count(), 0);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
}

static void too_long_slices_become_shorter(struct kunit *test)
{
	struct stage *s = test->priv;

	s->actor[0].script.per_element = 150 * dsbench_clock_info()->khz / N;
	KUNIT_ASSERT_EQ(test, dsbench_try(s->cell, true), 0);
	KUNIT_EXPECT_LT(test, s->cell->slice, N);
	KUNIT_EXPECT_EQ(test, s->cell->done, 1);
}

static void a_long_operation_lets_others_run(struct kunit *test)
{
	struct stage *s = test->priv;

	s->cell->sleeps = true;
	KUNIT_ASSERT_EQ(test, dsbench_try(s->cell, true), 0);
	KUNIT_EXPECT_EQ(test, s->actor[0].script.irqs_off, 0);
	KUNIT_EXPECT_EQ(test, s->cell->done, 1);
}

static void an_interrupted_run_ends_its_try(struct kunit *test)
{
	struct stage *s = test->priv;

	dsbench_run_interrupt(s->run);
	KUNIT_EXPECT_EQ(test, dsbench_try(s->cell, true), -EINTR);
	KUNIT_EXPECT_EQ(test, s->cell->done, 0);
}

/* Cycles depend on the order of the keys, so each try has an order of its own. */
static void tries_have_orders_of_their_own(struct kunit *test)
{
	struct stage *s = test->priv;
	u32 before[N];

	if (!dsbench_clock_is_tsc())
		kunit_skip(test, "counts repeat with the order, which stays");

	memcpy(before, s->set->keys, sizeof(before));
	KUNIT_ASSERT_EQ(test, dsbench_try(s->cell, true), 0);
	KUNIT_EXPECT_NE(test, memcmp(before, s->set->keys, sizeof(before)), 0);
}

/* Each cell gets all its tries, in an order that changes from round to round. */
static void rounds_are_shuffled(struct kunit *test)
{
	struct stage *s = test->priv;
	const u32 *first = s->actor[0].script.order;
	const u32 *second = s->actor[1].script.order;
	struct dsbench_cell *other = list_next_entry(s->cell, node);
	u32 i, ahead = 0;

	s->run->params.tries = TRIES;
	KUNIT_ASSERT_EQ(test, dsbench_resolution_begin(s->run), 0);
	s->actor[0].script.ticks = 1000;
	s->actor[1].script.ticks = 1000;
	KUNIT_EXPECT_EQ(test, dsbench_rounds(s->run), 0);
	KUNIT_EXPECT_EQ(test, s->run->clock->done, TRIES);
	dsbench_set_free(s->run->clock->set);
	s->run->clock->set = NULL;
	KUNIT_EXPECT_EQ(test, s->cell->done, TRIES);
	KUNIT_EXPECT_EQ(test, other->done, TRIES);
	for (i = 0; i < TRIES; i++)
		ahead += first[i] < second[i];
	KUNIT_EXPECT_GT(test, ahead, 0);
	KUNIT_EXPECT_LT(test, ahead, TRIES);
}

static void one_failure_leaves_the_others(struct kunit *test)
{
	struct stage *s = test->priv;
	struct dsbench_cell *other = list_next_entry(s->cell, node);

	s->actor[0].script.starved = U32_MAX;
	KUNIT_ASSERT_EQ(test, dsbench_rounds(s->run), 0);
	KUNIT_EXPECT_EQ(test, s->run->state, DSBENCH_RUN_FAILED);
	KUNIT_EXPECT_EQ(test, s->cell->done, 0);
	KUNIT_EXPECT_EQ(test, other->done, TRIES);
}

/* A lack of memory ends a cell; its tries are right. A wrong answer is not. */
static void memory_that_runs_out_keeps_the_tries(struct kunit *test)
{
	struct stage *s = test->priv;
	struct dsbench_cell *other = list_next_entry(s->cell, node);

	s->actor[0].script.famine = 2 * TRIES / 3;
	s->actor[1].script.wrong_from = 2 * TRIES / 3;
	KUNIT_ASSERT_EQ(test, dsbench_rounds(s->run), 0);
	KUNIT_EXPECT_EQ(test, s->run->state, DSBENCH_RUN_FAILED);
	KUNIT_EXPECT_GT(test, s->cell->done, 0);
	KUNIT_EXPECT_LT(test, s->cell->done, TRIES);
	KUNIT_EXPECT_EQ(test, other->done, 0);
}

/* Medians within the spread of the clock, 10 to 30 cycles here, are no figures. */
static void medians_within_the_spread_are_below_resolution(struct kunit *test)
{
	struct stage *s = test->priv;
	struct dsbench_cell *other = list_next_entry(s->cell, node);
	u32 i;

	s->run->params.tries = 5;
	KUNIT_ASSERT_EQ(test, dsbench_resolution_begin(s->run), 0);
	for (i = 0; i < 5; i++)
		s->run->clock->samples[i] = 10 * i;
	s->run->clock->done = 5;
	other->samples[0] = 50;
	other->done = 1;
	other->threads = 2;
	s->cell->samples[0] = 50;
	s->cell->done = 1;
	dsbench_set_free(s->run->clock->set);
	s->run->clock->set = NULL;

	dsbench_resolution_finish(s->run);
	KUNIT_EXPECT_EQ(test, s->run->clock_p10, 4000);
	KUNIT_EXPECT_EQ(test, s->run->clock_p50, 20000);
	KUNIT_EXPECT_EQ(test, s->run->clock_p90, 36000);
	KUNIT_EXPECT_EQ(test, s->cell->samples[0], 30);
	KUNIT_EXPECT_EQ(test, other->samples[0], 50);

	s->cell->stats.p50 = 32000;
	KUNIT_EXPECT_TRUE(test, dsbench_below_resolution(s->cell));
	s->cell->stats.p50 = 33000;
	KUNIT_EXPECT_FALSE(test, dsbench_below_resolution(s->cell));
}

static void stolen_time_is_what_is_missing(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, dsbench_stolen_exceeds(1000, 0));
	KUNIT_EXPECT_FALSE(test, dsbench_stolen_exceeds(50000, 50000));
	KUNIT_EXPECT_TRUE(test, dsbench_stolen_exceeds(50000, 30000));
	KUNIT_EXPECT_FALSE(test, dsbench_stolen_exceeds(10000000, 9930000));
	KUNIT_EXPECT_TRUE(test, dsbench_stolen_exceeds(10000000, 9800000));
	KUNIT_EXPECT_FALSE(test, dsbench_stolen_exceeds(30000, 50000));
}

static int no_change(struct dsbench_set *set, struct dsbench_elem *e)
{
	return 0;
}

/* Within a read section no grace period ends, so the writer must wait for one. */
static void erased_elements_wait_for_a_grace_period(struct kunit *test)
{
	static const struct dsbench_shared_ops ops = {
		.rcu = true, .insert = no_change, .erase = no_change,
	};
	struct stage *s = test->priv;
	struct dsbench_churn *churn = dsbench_churn_alloc(s->set, &ops);
	u32 steps;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, churn);
	KUNIT_EXPECT_EQ(test, dsbench_churn_begin(churn), 0);
	rcu_read_lock();
	err = 0;
	for (steps = 0; !err && steps < 10000; steps++)
		err = dsbench_churn_step(churn);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, err, -EAGAIN);

	synchronize_rcu();
	KUNIT_EXPECT_EQ(test, dsbench_churn_step(churn), 0);
	KUNIT_EXPECT_EQ(test, dsbench_churn_end(churn), 0);
	dsbench_churn_free(churn);
}

/* Beside an impossible reference, every core is shared. */
static void a_neighbour_is_seen(struct kunit *test)
{
	static const struct dsbench_pace impossible = {
		.chain = 1000000, .wide = 1, .jumps = 1,
	};
	bool busy;

	if (!dsbench_clock_is_tsc())
		kunit_skip(test, "only cycles depend on a neighbour");

	dsbench_neighbour_begin(1);
	dsbench_neighbour_set_reference(&impossible);
	busy = dsbench_neighbour_busy();
	dsbench_neighbour_begin(0);
	KUNIT_EXPECT_TRUE(test, busy);
	KUNIT_EXPECT_FALSE(test, dsbench_neighbour_busy());
}

/* No core runs at five times the TSC's rate, nor at a twentieth of it. */
static void a_core_has_a_rate(struct kunit *test)
{
	u32 rate = dsbench_clock_core_rate();

	if (!dsbench_clock_is_tsc()) {
		KUNIT_EXPECT_EQ(test, rate, 0);
		return;
	}
	KUNIT_EXPECT_GT(test, rate, 50);
	KUNIT_EXPECT_LT(test, rate, 5000);
}

static void a_change_of_the_rate_is_told_from_noise(struct kunit *test)
{
	struct stage *s = test->priv;

	s->run->core_rate_begin = 1000;
	s->run->core_rate_end = 1030;
	KUNIT_EXPECT_FALSE(test, dsbench_run_rate_moved(s->run));
	s->run->core_rate_end = 1031;
	KUNIT_EXPECT_TRUE(test, dsbench_run_rate_moved(s->run));
	s->run->core_rate_end = 969;
	KUNIT_EXPECT_TRUE(test, dsbench_run_rate_moved(s->run));
	s->run->core_rate_end = 0;
	KUNIT_EXPECT_FALSE(test, dsbench_run_rate_moved(s->run));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_sample_is_the_time_of_the_operation),
	KUNIT_CASE(a_sample_is_the_sum_of_its_slices),
	KUNIT_CASE(the_overhead_is_subtracted),
	KUNIT_CASE(a_warm_up_is_not_kept),
	KUNIT_CASE(a_disturbed_try_is_repeated),
	KUNIT_CASE(a_try_that_is_always_disturbed_is_marked),
	KUNIT_CASE(a_wrong_answer_is_no_sample),
	KUNIT_CASE(a_try_without_memory_is_repeated),
	KUNIT_CASE(an_operation_may_enable_interrupts),
	KUNIT_CASE(too_long_slices_become_shorter),
	KUNIT_CASE(a_long_operation_lets_others_run),
	KUNIT_CASE(an_interrupted_run_ends_its_try),
	KUNIT_CASE(tries_have_orders_of_their_own),
	KUNIT_CASE(rounds_are_shuffled),
	KUNIT_CASE(one_failure_leaves_the_others),
	KUNIT_CASE(memory_that_runs_out_keeps_the_tries),
	KUNIT_CASE(medians_within_the_spread_are_below_resolution),
	KUNIT_CASE(stolen_time_is_what_is_missing),
	KUNIT_CASE(erased_elements_wait_for_a_grace_period),
	KUNIT_CASE(a_neighbour_is_seen),
	KUNIT_CASE(a_core_has_a_rate),
	KUNIT_CASE(a_change_of_the_rate_is_told_from_noise),
	{}
};

struct kunit_suite dsbench_try_suite = {
	.name = "dsbench_try",
	.init = stage_init,
	.exit = stage_exit,
	.test_cases = cases,
};
