/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cases that every container must pass. A container is a table of
 * operations, and the cases test the operations that runs time. A file that
 * includes this one makes a suite for each of its containers.
 */
#ifndef _DSBENCH_KUNIT_CONTAINER_CASES_H
#define _DSBENCH_KUNIT_CONTAINER_CASES_H

#include <linux/module.h>
#include <linux/string.h>

#include "../core/churn.h"
#include "../core/registry.h"
#include "../core/set.h"
#include "suites.h"

#define N	500

/**
 * struct fixture - the data of a case
 * @ops: operations of the container
 * @owner: their module, which stays until the case has ended
 * @params: parameters that the case may change before begin()
 * @set: the set, after begin()
 */
struct fixture {
	const struct dsbench_ops *ops;
	struct module *owner;
	struct dsbench_params params;
	struct dsbench_set *set;
};

struct wanted {
	const char *name;
	const struct dsbench_ops *ops;
	struct module *owner;
};

static int is_wanted(struct dsbench_subject *c, void *arg)
{
	struct wanted *w = arg;

	if (strcmp(c->name, w->name) || !try_module_get(c->owner))
		return 0;
	w->ops = c->ops;
	w->owner = c->owner;
	return 1;
}

static int container_init(struct kunit *test, const char *name)
{
	struct wanted w = { .name = name };
	struct fixture *f;

	dsbench_registry_visit(is_wanted, &w);
	if (!w.ops) {
		kunit_err(test, "dsbench_%s is not loaded", name);
		return -ENOENT;
	}

	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	if (!f) {
		module_put(w.owner);
		return -ENOMEM;
	}

	f->ops = w.ops;
	f->owner = w.owner;
	f->params = some_params();
	test->priv = f;
	return 0;
}

/* Also runs after a case that ended early. */
static void container_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;

	if (f->set && f->set->priv)
		dsbench_set_empty(f->set, f->ops);
	dsbench_set_free(f->set);
	module_put(f->owner);
}

/* [] */
static struct dsbench_set *begin(struct kunit *test, u32 n)
{
	struct fixture *f = test->priv;

	f->set = dsbench_set_alloc(&f->params, n);
	KUNIT_ASSERT_NOT_NULL(test, f->set);
	dsbench_set_reset(f->set);
	KUNIT_ASSERT_EQ(test, f->ops->create(f->set), 0);
	return f->set;
}

static bool has(struct kunit *test, enum dsbench_op op)
{
	struct fixture *f = test->priv;

	return f->ops->op[op];
}

static void needs_find(struct kunit *test)
{
	if (!has(test, DSBENCH_FIND))
		kunit_skip(test, "the container has no find");
}

static void needs_erase(struct kunit *test)
{
	if (!has(test, DSBENCH_ERASE))
		kunit_skip(test, "the container has no erase");
}

static int run(struct kunit *test, enum dsbench_op op, u32 first, u32 last)
{
	struct fixture *f = test->priv;

	return f->ops->op[op](f->set, first, last);
}

static int verify_after(struct kunit *test, enum dsbench_op op)
{
	struct fixture *f = test->priv;

	return dsbench_set_verify(f->set, f->ops, op, f->set->n);
}

static int collect(struct kunit *test)
{
	struct fixture *f = test->priv;

	return dsbench_set_collect(f->set, f->ops);
}

/* The element of a key, wherever the container has it. */
static struct dsbench_elem *elem_of(struct kunit *test, u32 key)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, collect(test), 0);
	KUNIT_ASSERT_NOT_NULL(test, f->set->by_key[key]);
	return f->set->by_key[key];
}

static void create_makes_it_empty(struct kunit *test)
{
	struct dsbench_set *set = begin(test, N);

	KUNIT_ASSERT_EQ(test, collect(test), 0);
	KUNIT_EXPECT_EQ(test, set->seen, 0);
	KUNIT_EXPECT_EQ(test, verify_after(test, DSBENCH_ERASE), 0);
}

static void find_in_empty_finds_nothing(struct kunit *test)
{
	struct dsbench_set *set;

	needs_find(test);
	set = begin(test, N);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FIND, 0, N), 0);
	KUNIT_EXPECT_EQ(test, set->hits, 0);
	KUNIT_EXPECT_EQ(test, set->sum, 0);
}

static void visit_of_empty(struct kunit *test)
{
	begin(test, N);
	KUNIT_EXPECT_EQ(test, run(test, DSBENCH_FOR_EACH, 0, N), 0);
	KUNIT_EXPECT_EQ(test, verify_after(test, DSBENCH_ERASE), 0);
}

static void fill_in_slices(struct kunit *test)
{
	struct dsbench_set *set = begin(test, N);
	u32 i;

	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 0, 200), 0);
	KUNIT_ASSERT_EQ(test, collect(test), 0);
	KUNIT_EXPECT_EQ(test, set->seen, 200);
	for (i = 0; i < N; i++)
		KUNIT_EXPECT_EQ(test, !!set->by_key[set->keys[i]], i < 200);

	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 200, N), 0);
	KUNIT_EXPECT_EQ(test, verify_after(test, DSBENCH_FILL), 0);
}

static void find_finds_every_key(struct kunit *test)
{
	struct dsbench_set *set;

	needs_find(test);
	set = begin(test, N);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 0, N), 0);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FIND, 0, 100), 0);
	KUNIT_EXPECT_EQ(test, set->hits, 100);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FIND, 100, N), 0);
	KUNIT_EXPECT_EQ(test, set->hits, N);
	KUNIT_EXPECT_EQ(test, verify_after(test, DSBENCH_FIND), 0);
}

static void find_does_not_find_the_absent(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct dsbench_set *set;

	needs_find(test);
	f->params.misses = 100;
	set = begin(test, N);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 0, N), 0);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FIND, 0, N), 0);
	KUNIT_EXPECT_EQ(test, set->hits, 0);
	KUNIT_EXPECT_EQ(test, verify_after(test, DSBENCH_FIND), 0);
}

static void every_value_is_incremented(struct kunit *test)
{
	struct dsbench_set *set = begin(test, N);
	u32 key;

	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 0, N), 0);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FOR_EACH, 0, N), 0);
	KUNIT_ASSERT_EQ(test, verify_after(test, DSBENCH_FOR_EACH), 0);
	for (key = 0; key < N; key++)
		KUNIT_EXPECT_EQ(test, set->by_key[key]->value, key + 1);
}

/*
 * [0 1 ... 499] -> [200 ... 499] -> [] A container that cannot find a key
 * cannot erase by key, either.
 */
static void erase_in_slices(struct kunit *test)
{
	struct dsbench_set *set;
	u32 key;

	needs_erase(test);
	set = begin(test, N);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 0, N), 0);
	KUNIT_ASSERT_EQ(test, collect(test), 0);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_ERASE, 0, 200), 0);
	KUNIT_ASSERT_EQ(test, collect(test), 0);
	KUNIT_EXPECT_EQ(test, set->seen, N - 200);
	for (key = 0; has(test, DSBENCH_FIND) && key < N; key++)
		KUNIT_EXPECT_EQ(test, !!set->by_key[key], key >= 200);

	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_ERASE, 200, N), 0);
	KUNIT_EXPECT_EQ(test, verify_after(test, DSBENCH_ERASE), 0);
}

static void fill_again_after_erase(struct kunit *test)
{
	needs_erase(test);
	begin(test, N);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 0, N), 0);
	KUNIT_ASSERT_EQ(test, collect(test), 0);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_ERASE, 0, N), 0);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 0, N), 0);
	KUNIT_EXPECT_EQ(test, verify_after(test, DSBENCH_FILL), 0);
}

/*
 * What a run does to a container, with one size, one order and one way of
 * allocation.
 */
struct life {
	u32 n;
	bool inline_alloc;
	bool sequential;
	bool erase_as_inserted;
};

static void describe_life(const struct life *life, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "n=%u %s %s erase by %s", life->n,
		 life->inline_alloc ? "inline" : "prealloc",
		 life->sequential ? "sequential" : "shuffled",
		 life->erase_as_inserted ? "insertion" : "key");
}

static const struct life lives[] = {
	{ 1, false, false, false }, { 1, true, true, true },
	{ 2, false, false, true }, { 63, false, true, false },
	{ 64, true, false, false }, { 65, false, false, true },
	{ 1000, false, true, false }, { 1000, true, false, true },
	{ 4097, false, false, true }, { 4097, true, true, false },
};

KUNIT_ARRAY_PARAM(life, lives, describe_life);

static void whole_life(struct kunit *test)
{
	const struct life *life = test->param_value;
	struct fixture *f = test->priv;
	u32 n = life->n;

	f->params.inline_alloc = life->inline_alloc;
	f->params.sequential = life->sequential;
	f->params.erase_as_inserted = life->erase_as_inserted;
	begin(test, n);

	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 0, n), 0);
	KUNIT_ASSERT_EQ(test, verify_after(test, DSBENCH_FILL), 0);
	if (has(test, DSBENCH_FIND)) {
		f->set->sum = 0;
		KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FIND, 0, n), 0);
		KUNIT_ASSERT_EQ(test, verify_after(test, DSBENCH_FIND), 0);
	}
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FOR_EACH, 0, n), 0);
	KUNIT_ASSERT_EQ(test, verify_after(test, DSBENCH_FOR_EACH), 0);
	if (!has(test, DSBENCH_ERASE))
		return;
	KUNIT_ASSERT_EQ(test, dsbench_set_order(f->set), 0);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_ERASE, 0, n), 0);
	KUNIT_ASSERT_EQ(test, verify_after(test, DSBENCH_ERASE), 0);
}

/* Elements left in the container of an aborted try must be freed. */
static void destroy_half_full(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->params.inline_alloc = true;
	begin(test, N);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 0, N / 2), 0);
	dsbench_set_empty(f->set, f->ops);
	KUNIT_EXPECT_NULL(test, f->set->priv);
}

static void verify_misses_an_element(struct kunit *test)
{
	begin(test, N);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 0, N - 1), 0);
	KUNIT_EXPECT_EQ(test, verify_after(test, DSBENCH_FILL), -EUCLEAN);
}

static void verify_sees_a_wrong_value(struct kunit *test)
{
	begin(test, N);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 0, N), 0);
	elem_of(test, 7)->value++;
	KUNIT_EXPECT_EQ(test, verify_after(test, DSBENCH_FILL), -EUCLEAN);
}

/* One visited twice and one never: the sum stays. */
static void verify_sees_a_double_visit(struct kunit *test)
{
	begin(test, N);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 0, N), 0);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FOR_EACH, 0, N), 0);
	KUNIT_ASSERT_EQ(test, verify_after(test, DSBENCH_FOR_EACH), 0);
	elem_of(test, 7)->value++;
	elem_of(test, 8)->value--;
	KUNIT_EXPECT_EQ(test, verify_after(test, DSBENCH_FOR_EACH), -EUCLEAN);
}

static void verify_sees_a_wrong_key(struct kunit *test)
{
	struct dsbench_elem *e;

	begin(test, N);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 0, N), 0);
	e = elem_of(test, 7);
	e->key = 8;
	KUNIT_EXPECT_EQ(test, verify_after(test, DSBENCH_FILL), -EUCLEAN);
	e->key = N + 5;
	KUNIT_EXPECT_EQ(test, verify_after(test, DSBENCH_FILL), -EUCLEAN);
	e->key = 7;
	KUNIT_EXPECT_EQ(test, verify_after(test, DSBENCH_FILL), 0);
}

static void verify_counts_what_find_found(struct kunit *test)
{
	struct dsbench_set *set;

	needs_find(test);
	set = begin(test, N);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 0, N), 0);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FIND, 0, N - 1), 0);
	KUNIT_EXPECT_EQ(test, verify_after(test, DSBENCH_FIND), -EUCLEAN);
	set->hits = N;
	KUNIT_EXPECT_EQ(test, verify_after(test, DSBENCH_FIND), -EUCLEAN);
}

static void read_all(struct kunit *test, struct dsbench_set *reader, u32 part)
{
	const struct fixture *f = test->priv;
	const struct dsbench_shared_ops *shared = f->ops->shared;
	u64 sum = (u64)reader->n * (reader->n - 1) / 2;

	reader->hits = 0;
	reader->sum = 0;
	KUNIT_ASSERT_EQ(test, shared->find(reader, 0, reader->n), 0);
	KUNIT_EXPECT_EQ(test, reader->hits, reader->n);
	KUNIT_EXPECT_EQ(test, reader->sum, sum);

	reader->hits = 0;
	reader->sum = 0;
	reader->at = NULL;
	do {
		KUNIT_ASSERT_EQ(test, shared->for_each(reader, 0, part), 0);
		KUNIT_ASSERT_LE(test, reader->hits, reader->n);
	} while (reader->at);
	KUNIT_EXPECT_EQ(test, reader->hits, reader->n);
	KUNIT_EXPECT_EQ(test, reader->sum, sum);
}

/*
 * The churn changes between the passes of a reader. The reader visits each
 * element of the set once, whatever the parts of its walk, and no element of
 * the churn.
 */
static void readers_meet_what_stays(struct kunit *test)
{
	static const u32 parts[] = { 1, 7, N, 10 * N };
	struct fixture *f = test->priv;
	struct dsbench_churn *churn;
	struct dsbench_set reader;
	u32 i, step;

	if (!f->ops->shared)
		kunit_skip(test, "it can't be shared");

	begin(test, N);
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 0, N), 0);
	if (f->ops->shared->begin)
		f->ops->shared->begin(f->set);
	churn = dsbench_churn_alloc(f->set, f->ops->shared);
	KUNIT_ASSERT_NOT_NULL(test, churn);
	KUNIT_EXPECT_EQ(test, dsbench_churn_begin(churn), 0);
	reader = *f->set;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		for (step = 0; step < 3; step++) {
			KUNIT_EXPECT_EQ(test, dsbench_churn_step(churn), 0);
			read_all(test, &reader, parts[i]);
		}
	}
	KUNIT_EXPECT_EQ(test, dsbench_churn_end(churn), 0);
	KUNIT_EXPECT_EQ(test, verify_after(test, DSBENCH_FILL), 0);
	dsbench_churn_free(churn);
}

/*
 * This estimate refuses runs, so it must be neither far too small nor far too
 * large.
 */
static void bytes_grow_with_n(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 n = 1000000;
	u64 bytes = f->ops->bytes ? f->ops->bytes(n) : 0;
	u32 most = 32;

	if (f->ops->owns_elems)
		most += DSBENCH_ELEM_SIZE + sizeof(struct dsbench_elem *);
	KUNIT_EXPECT_LE(test, bytes, (u64)most * n);
	if (f->ops->bytes)
		KUNIT_EXPECT_GE(test, bytes, 8ULL * n);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(create_makes_it_empty),
	KUNIT_CASE(find_in_empty_finds_nothing),
	KUNIT_CASE(visit_of_empty),
	KUNIT_CASE(fill_in_slices),
	KUNIT_CASE(find_finds_every_key),
	KUNIT_CASE(find_does_not_find_the_absent),
	KUNIT_CASE(every_value_is_incremented),
	KUNIT_CASE(erase_in_slices),
	KUNIT_CASE(fill_again_after_erase),
	KUNIT_CASE_PARAM(whole_life, life_gen_params),
	KUNIT_CASE(destroy_half_full),
	KUNIT_CASE(verify_misses_an_element),
	KUNIT_CASE(verify_sees_a_wrong_value),
	KUNIT_CASE(verify_sees_a_double_visit),
	KUNIT_CASE(verify_sees_a_wrong_key),
	KUNIT_CASE(verify_counts_what_find_found),
	KUNIT_CASE(readers_meet_what_stays),
	KUNIT_CASE(bytes_grow_with_n),
	{}
};

#endif /* _DSBENCH_KUNIT_CONTAINER_CASES_H */
