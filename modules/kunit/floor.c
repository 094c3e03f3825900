// SPDX-License-Identifier: GPL-2.0
/* The floors: each does its work, and verify detects one that does not. */

#include "../core/clock.h"
#include "../core/floor.h"
#include "../core/set.h"
#include "suites.h"

#define N	500

/* Prepare a set as at the start of a try. */
static struct dsbench_set *begin_with(struct kunit *test,
				      const struct dsbench_params *p,
				      enum dsbench_op op, u32 n)
{
	struct dsbench_set *set = dsbench_floor_alloc(p, n);

	KUNIT_ASSERT_NOT_NULL(test, set);
	test->priv = set;
	set->subject = &dsbench_floor_subject;
	set->op = op;
	KUNIT_ASSERT_EQ(test, dsbench_floor_subject.ops->create(set), 0);
	return set;
}

static struct dsbench_set *begin(struct kunit *test, enum dsbench_op op)
{
	struct dsbench_params p = some_params();

	return begin_with(test, &p, op, N);
}

static void run(struct kunit *test, u32 first, u32 last)
{
	struct dsbench_set *set = test->priv;
	dsbench_op_fn op = dsbench_floor_subject.ops->op[set->op];

	KUNIT_ASSERT_NOT_NULL(test, op);
	KUNIT_ASSERT_EQ(test, op(set, first, last), 0);
}

static int verify(struct kunit *test)
{
	return dsbench_floor_subject.ops->verify(test->priv);
}

static void end(struct kunit *test)
{
	dsbench_set_free(test->priv);
	test->priv = NULL;
}

static void empty_takes_every_turn(struct kunit *test)
{
	struct dsbench_set *set = begin(test, DSBENCH_EMPTY);

	run(test, 0, 0);
	KUNIT_EXPECT_EQ(test, set->hits, 0);
	run(test, 0, 200);
	KUNIT_EXPECT_EQ(test, set->hits, 200);
	run(test, 200, N);
	KUNIT_EXPECT_EQ(test, verify(test), 0);
}

static void walk_increments_every_value(struct kunit *test)
{
	struct dsbench_set *set = begin(test, DSBENCH_WALK);
	void *nodes = set->priv;

	run(test, 0, 200);
	KUNIT_EXPECT_EQ(test, verify(test), -EUCLEAN);
	run(test, 200, N);
	KUNIT_EXPECT_EQ(test, verify(test), 0);
	set->priv = nodes;
	run(test, 0, 1);
	KUNIT_EXPECT_EQ(test, verify(test), -EUCLEAN);
}

static void random_reads_every_value(struct kunit *test)
{
	struct dsbench_set *set = begin(test, DSBENCH_RANDOM);

	run(test, 0, 200);
	KUNIT_EXPECT_NE(test, set->sum, 200 * 199 / 2);
	run(test, 200, N);
	KUNIT_EXPECT_EQ(test, set->sum, N * (N - 1) / 2);
	KUNIT_EXPECT_EQ(test, verify(test), 0);
}

static void chase_comes_to_the_end(struct kunit *test)
{
	begin(test, DSBENCH_CHASE);
	run(test, 0, 200);
	KUNIT_EXPECT_EQ(test, verify(test), -EUCLEAN);
	run(test, 200, N);
	KUNIT_EXPECT_EQ(test, verify(test), 0);
}

/* Key of the node that the chase has reached. */
static u64 reached(const struct dsbench_set *set)
{
	return ((const struct dsbench_elem *)set->priv)->key;
}

static void chase_follows_the_order(struct kunit *test)
{
	struct dsbench_params p = some_params();
	struct dsbench_set *set;
	u32 strides = 0;
	u32 i;

	set = begin_with(test, &p, DSBENCH_CHASE, N);
	for (i = 0; i < N; i++) {
		strides += reached(set) != i;
		run(test, i, i + 1);
	}
	KUNIT_EXPECT_GT(test, strides, N / 2);
	end(test);

	p.sequential = true;
	set = begin_with(test, &p, DSBENCH_CHASE, N);
	for (i = 0; i < N; i++) {
		KUNIT_ASSERT_EQ(test, reached(set), i);
		run(test, i, i + 1);
	}
}

static void idleness_is_caught(struct kunit *test)
{
	struct dsbench_set *set = begin(test, DSBENCH_EMPTY);

	for (set->op = DSBENCH_EMPTY; set->op < DSBENCH_NR_OPS; set->op++)
		KUNIT_EXPECT_EQ(test, verify(test), -EUCLEAN);
}

static void a_lost_step_is_caught(struct kunit *test)
{
	struct dsbench_set *set = begin(test, DSBENCH_EMPTY);

	for (set->op = DSBENCH_EMPTY; set->op < DSBENCH_NR_OPS; set->op++) {
		set->hits = 0;
		set->sum = 0;
		KUNIT_ASSERT_EQ(test, dsbench_floor_subject.ops->create(set), 0);
		run(test, 0, N - 1);
		KUNIT_EXPECT_EQ(test, verify(test), -EUCLEAN);
	}
}

static void a_wrong_value_is_caught(struct kunit *test)
{
	struct dsbench_set *set = begin(test, DSBENCH_CHASE);

	run(test, 0, N / 2);
	((struct dsbench_elem *)set->priv)->value++;
	run(test, N / 2, N);
	KUNIT_EXPECT_EQ(test, verify(test), -EUCLEAN);
}

/* A node's link lies behind its element: a -> b -> c becomes a -> c. */
static void a_shorter_chase_is_caught(struct kunit *test)
{
	struct dsbench_set *set = begin(test, DSBENCH_CHASE);
	void **link = set->priv + sizeof(struct dsbench_elem);
	void **next = *link + sizeof(struct dsbench_elem);

	*link = *next;
	run(test, 0, N);
	KUNIT_EXPECT_EQ(test, verify(test), -EUCLEAN);
}

/* The sum of the keys is as before, since the node that is left out has key 0. */
static void a_chase_without_the_first_key_is_caught(struct kunit *test)
{
	struct dsbench_set *set = begin(test, DSBENCH_CHASE);
	void **link = set->priv + sizeof(struct dsbench_elem);
	u32 i;

	for (i = 0; i < N && ((struct dsbench_elem *)*link)->key; i++)
		link = *link + sizeof(struct dsbench_elem);
	KUNIT_ASSERT_LT(test, i, N - 1);
	*link = *(void **)(*link + sizeof(struct dsbench_elem));
	run(test, 0, N);
	KUNIT_EXPECT_EQ(test, verify(test), -EUCLEAN);
}

static void operations_have_their_floors(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, dsbench_floor_of(DSBENCH_FIND, false), DSBENCH_RANDOM);
	KUNIT_EXPECT_EQ(test, dsbench_floor_of(DSBENCH_FIND, true), DSBENCH_RANDOM);
	KUNIT_EXPECT_EQ(test, dsbench_floor_of(DSBENCH_FILL, false), DSBENCH_RANDOM);
	KUNIT_EXPECT_EQ(test, dsbench_floor_of(DSBENCH_ERASE, true), DSBENCH_WALK);
	KUNIT_EXPECT_EQ(test, dsbench_floor_of(DSBENCH_FOR_EACH, false), DSBENCH_WALK);
	KUNIT_EXPECT_EQ(test, dsbench_floor_of(DSBENCH_TX, false), DSBENCH_NR_OPS);
}

static void one_node(struct kunit *test)
{
	struct dsbench_params p = some_params();
	enum dsbench_op op;

	for (op = DSBENCH_EMPTY; op < DSBENCH_NR_OPS; op++) {
		begin_with(test, &p, op, 1);
		run(test, 0, 1);
		KUNIT_EXPECT_EQ(test, verify(test), 0);
		end(test);
	}
}

/* Caches and predictors would learn an order that stays. */
static void a_try_has_an_order_of_its_own(struct kunit *test)
{
	struct dsbench_set *set;
	u32 moved = 0;
	u64 *before;
	u32 i;

	if (dsbench_clock_is_exact())
		kunit_skip(test, "counts of instructions do not depend on the order");

	before = kunit_kcalloc(test, N, sizeof(*before), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, before);
	set = begin(test, DSBENCH_CHASE);
	for (i = 0; i < N; i++) {
		before[i] = reached(set);
		run(test, i, i + 1);
	}
	KUNIT_ASSERT_EQ(test, dsbench_floor_subject.ops->create(set), 0);
	for (i = 0; i < N; i++) {
		moved += reached(set) != before[i];
		run(test, i, i + 1);
	}
	KUNIT_EXPECT_EQ(test, verify(test), 0);
	KUNIT_EXPECT_GT(test, moved, N / 2);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(empty_takes_every_turn),
	KUNIT_CASE(walk_increments_every_value),
	KUNIT_CASE(random_reads_every_value),
	KUNIT_CASE(chase_comes_to_the_end),
	KUNIT_CASE(chase_follows_the_order),
	KUNIT_CASE(idleness_is_caught),
	KUNIT_CASE(a_lost_step_is_caught),
	KUNIT_CASE(a_wrong_value_is_caught),
	KUNIT_CASE(a_shorter_chase_is_caught),
	KUNIT_CASE(a_chase_without_the_first_key_is_caught),
	KUNIT_CASE(operations_have_their_floors),
	KUNIT_CASE(one_node),
	KUNIT_CASE(a_try_has_an_order_of_its_own),
	{}
};

struct kunit_suite dsbench_floor_suite = {
	.name = "dsbench_floor",
	.exit = end,
	.test_cases = cases,
};
