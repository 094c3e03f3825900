// SPDX-License-Identifier: GPL-2.0
/* Elements and keys: the expected permutations, the same for every seed. */

#include <kunit/resource.h>
#include <linux/bitmap.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "../core/memory.h"
#include "../core/random.h"
#include "../core/set.h"
#include "suites.h"

#define N	100

static int init_set(struct kunit_resource *res, void *params)
{
	res->data = dsbench_set_alloc(params, N);
	return res->data ? 0 : -ENOMEM;
}

static void free_set(struct kunit_resource *res)
{
	dsbench_set_free(res->data);
}

/* Free the set at the end of the test, also after a failed assertion. */
static struct dsbench_set *alloc_set(struct kunit *test,
				     struct dsbench_params *p)
{
	struct dsbench_set *set;

	set = kunit_alloc_resource(test, init_set, free_set, GFP_KERNEL, p);
	KUNIT_ASSERT_NOT_NULL(test, set);
	return set;
}

static void expect_permutation(struct kunit *test, const u32 *array)
{
	DECLARE_BITMAP(seen, N) = {};
	int i;

	for (i = 0; i < N; i++) {
		KUNIT_ASSERT_LT(test, array[i], N);
		__set_bit(array[i], seen);
	}
	KUNIT_EXPECT_TRUE(test, bitmap_full(seen, N));
}

static bool ascends(const u32 *array)
{
	int i;

	for (i = 0; i < N; i++) {
		if (array[i] != i)
			return false;
	}
	return true;
}

static int by_number(const void *a, const void *b)
{
	u32 one = *(const u32 *)a, other = *(const u32 *)b;

	return one < other ? -1 : one > other;
}

static void keys_are_shuffled(struct kunit *test)
{
	struct dsbench_params p = some_params();
	struct dsbench_set *set = alloc_set(test, &p);

	expect_permutation(test, set->keys);
	expect_permutation(test, set->lookup);
	KUNIT_EXPECT_FALSE(test, ascends(set->keys));
	KUNIT_EXPECT_FALSE(test, ascends(set->lookup));
	KUNIT_EXPECT_NE(test, memcmp(set->keys, set->lookup,
				     N * sizeof(*set->keys)), 0);
}

static void keys_are_sequential(struct kunit *test)
{
	struct dsbench_params p = some_params();
	struct dsbench_set *set;

	p.sequential = true;
	set = alloc_set(test, &p);
	KUNIT_EXPECT_TRUE(test, ascends(set->keys));
	expect_permutation(test, set->lookup);
	KUNIT_EXPECT_FALSE(test, ascends(set->lookup));
}

static void seed_decides(struct kunit *test)
{
	struct dsbench_params p = some_params();
	struct dsbench_set *one = alloc_set(test, &p);
	struct dsbench_set *same = alloc_set(test, &p);
	struct dsbench_set *other;

	p.seed = 2;
	other = alloc_set(test, &p);
	KUNIT_EXPECT_EQ(test, memcmp(one->keys, same->keys,
				     N * sizeof(*one->keys)), 0);
	KUNIT_EXPECT_EQ(test, memcmp(one->lookup, same->lookup,
				     N * sizeof(*one->lookup)), 0);
	KUNIT_EXPECT_NE(test, memcmp(one->keys, other->keys,
				     N * sizeof(*one->keys)), 0);
}

static void arranging_keeps_keys(struct kunit *test)
{
	struct dsbench_params p = some_params();
	struct dsbench_set *set;
	u32 keys[N], lookup[N];
	int i;

	p.misses = 50;
	set = alloc_set(test, &p);
	memcpy(keys, set->keys, sizeof(keys));
	memcpy(lookup, set->lookup, sizeof(lookup));
	dsbench_set_arrange(set, N);
	expect_permutation(test, set->keys);
	KUNIT_EXPECT_NE(test, memcmp(set->keys, keys, sizeof(keys)), 0);
	KUNIT_EXPECT_NE(test, memcmp(set->lookup, lookup, sizeof(lookup)), 0);

	sort(set->lookup, N, sizeof(*lookup), by_number, NULL);
	sort(lookup, N, sizeof(*lookup), by_number, NULL);
	KUNIT_EXPECT_EQ(test, memcmp(set->lookup, lookup, sizeof(lookup)), 0);

	dsbench_set_reset(set);
	for (i = 0; i < N; i++)
		KUNIT_EXPECT_EQ(test, set->elems[i]->key, set->keys[i]);
}

static void arranging_keeps_looked_up_keys(struct kunit *test)
{
	struct dsbench_params p = some_params();
	struct dsbench_set *set = alloc_set(test, &p);
	u32 first[10];
	int i;

	memcpy(first, set->lookup, sizeof(first));
	for (i = 0; i < 5; i++)
		dsbench_set_arrange(set, ARRAY_SIZE(first));
	KUNIT_EXPECT_NE(test, memcmp(first, set->lookup, sizeof(first)), 0);
	sort(first, ARRAY_SIZE(first), sizeof(*first), by_number, NULL);
	sort(set->lookup, ARRAY_SIZE(first), sizeof(*first), by_number, NULL);
	KUNIT_EXPECT_EQ(test, memcmp(first, set->lookup, sizeof(first)), 0);
}

static void arranging_does_without_elements(struct kunit *test)
{
	struct dsbench_params p = some_params();
	struct dsbench_set *set;

	p.inline_alloc = true;
	p.erase_as_inserted = true;
	set = alloc_set(test, &p);
	dsbench_set_arrange(set, N);
	expect_permutation(test, set->keys);
	KUNIT_EXPECT_PTR_EQ(test, set->erase, set->keys);
}

static void choices_lie_in_the_pool(struct kunit *test)
{
	static const u32 sizes[] = { 1, 2, 21, 22, 63, 64, 65, 500, 4095, 4096,
				     4097, DSBENCH_N_MAX };
	struct rnd_state rnd;
	int i, draw;

	prandom_seed_state(&rnd, 1);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (draw = 0; draw < 500; draw++)
			KUNIT_ASSERT_LE(test,
					dsbench_pool_choose(sizes[i], &rnd) +
					sizes[i],
					dsbench_pool_size(sizes[i]));
	}
}

static void arranging_keeps_order(struct kunit *test)
{
	struct dsbench_params p = some_params();
	struct dsbench_set *set;
	int first, i;

	p.sequential = true;
	set = alloc_set(test, &p);
	dsbench_set_arrange(set, N);
	KUNIT_EXPECT_TRUE(test, ascends(set->keys));
	for (first = 0; set->pool[first] != set->elems[0]; first++)
		KUNIT_ASSERT_LT(test, first, 3 * N);
	for (i = 0; i < N; i++)
		KUNIT_EXPECT_PTR_EQ(test, set->elems[i], set->pool[first + i]);
	KUNIT_EXPECT_FALSE(test, ascends(set->lookup));
}

/* by_key as left by collect: element i has key i. */
static void collect_all(struct dsbench_set *set)
{
	int i;

	dsbench_set_reset(set);
	for (i = 0; i < N; i++)
		set->by_key[set->elems[i]->key] = set->elems[i];
}

static void erase_goes_by_key(struct kunit *test)
{
	struct dsbench_params p = some_params();
	struct dsbench_set *set = alloc_set(test, &p);
	int i;

	KUNIT_EXPECT_TRUE(test, ascends(set->erase));
	collect_all(set);
	KUNIT_EXPECT_EQ(test, dsbench_set_order(set), 0);
	for (i = 0; i < N; i++)
		KUNIT_EXPECT_EQ(test, set->by_key[i]->key, i);
}

static void erase_goes_as_inserted(struct kunit *test)
{
	struct dsbench_params p = some_params();
	struct dsbench_set *set;
	int i;

	p.erase_as_inserted = true;
	set = alloc_set(test, &p);
	KUNIT_EXPECT_EQ(test, memcmp(set->erase, set->keys,
				     N * sizeof(*set->keys)), 0);
	collect_all(set);
	KUNIT_EXPECT_EQ(test, dsbench_set_order(set), 0);
	for (i = 0; i < N; i++)
		KUNIT_EXPECT_PTR_EQ(test, set->by_key[i], set->elems[i]);
}

static u32 count_misses(const struct dsbench_set *set)
{
	u32 misses = 0;
	int i;

	for (i = 0; i < N; i++)
		misses += set->lookup[i] >= N;
	return misses;
}

static void misses_are_absent_keys(struct kunit *test)
{
	struct dsbench_params p = some_params();
	struct dsbench_set *set;

	p.misses = 100;
	set = alloc_set(test, &p);
	KUNIT_EXPECT_EQ(test, count_misses(set), N);

	p.misses = 50;
	set = alloc_set(test, &p);
	KUNIT_EXPECT_GT(test, count_misses(set), 0);
	KUNIT_EXPECT_LT(test, count_misses(set), N);
}

static void inline_sets_have_no_elements(struct kunit *test)
{
	struct dsbench_params p = some_params();
	struct dsbench_set *set;

	p.inline_alloc = true;
	set = alloc_set(test, &p);
	KUNIT_EXPECT_NULL(test, set->elems);
}

static void reset_restores_elements(struct kunit *test)
{
	struct dsbench_params p = some_params();
	struct dsbench_set *set = alloc_set(test, &p);
	int i;

	dsbench_set_reset(set);
	set->elems[3]->value += 5;
	set->elems[4]->key = 9999;
	dsbench_set_reset(set);
	for (i = 0; i < N; i++) {
		KUNIT_EXPECT_EQ(test, set->elems[i]->key, set->keys[i]);
		KUNIT_EXPECT_EQ(test, set->elems[i]->value, set->keys[i]);
	}
}

/* Else the order of the cells would follow the order of the keys. */
static void users_of_a_seed_have_streams_of_their_own(struct kunit *test)
{
	u32 first[DSBENCH_STREAM_ROUNDS + 1];
	struct rnd_state rnd;
	int i, j;

	for (i = 0; i < ARRAY_SIZE(first); i++) {
		dsbench_random_seed(&rnd, 1, i);
		first[i] = prandom_u32_state(&rnd);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_NE(test, first[i], first[j]);
	}
}

/* Sixteen times an eighth of it would be too much if any stayed away. */
static void reclaimed_memory_is_free(struct kunit *test)
{
	u64 available = dsbench_memory_available();
	int i;

	for (i = 0; i < 16; i++)
		KUNIT_ASSERT_EQ(test, dsbench_memory_reclaim(available / 8), 0);
	KUNIT_EXPECT_EQ(test, dsbench_memory_reclaim(2 * available), -ENOMEM);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(keys_are_shuffled),
	KUNIT_CASE(keys_are_sequential),
	KUNIT_CASE(seed_decides),
	KUNIT_CASE(arranging_keeps_keys),
	KUNIT_CASE(arranging_keeps_looked_up_keys),
	KUNIT_CASE(arranging_does_without_elements),
	KUNIT_CASE(choices_lie_in_the_pool),
	KUNIT_CASE(arranging_keeps_order),
	KUNIT_CASE(erase_goes_by_key),
	KUNIT_CASE(erase_goes_as_inserted),
	KUNIT_CASE(misses_are_absent_keys),
	KUNIT_CASE(inline_sets_have_no_elements),
	KUNIT_CASE(reset_restores_elements),
	KUNIT_CASE(users_of_a_seed_have_streams_of_their_own),
	KUNIT_CASE(reclaimed_memory_is_free),
	{}
};

struct kunit_suite dsbench_set_suite = {
	.name = "dsbench_set",
	.test_cases = cases,
};
