// SPDX-License-Identifier: GPL-2.0
/*
 * dsbench_rust_tests.ko: the cases of the C containers for those in Rust and
 * their twins, and the cases below. Load the core with autorun=0, the
 * containers, and then this module. Its insmod fails if a case does.
 */

#include <linux/module.h>
#include <linux/string.h>

#include "../../kunit/container_cases.h"
#include "api.h"
#include "runner.h"
#include "starve.h"

#define WRONG		"rust_wrong"
#define CONTAINERS_MAX	32

/* More allocations than an operation on STARVING_N elements makes. */
#define ALLOCATIONS_MAX	10000
#define STARVING_N	100

static bool may_starve;

/* The container of the suite that runs. */
static const char *container;

static bool ends_with(const char *name, const char *end)
{
	size_t length = strlen(name);

	return length >= strlen(end) && !strcmp(name + length - strlen(end), end);
}

static int find_container(struct kunit *test)
{
	return container_init(test, container);
}

static int run_starved(struct fixture *f, enum dsbench_op op, u32 nth,
		       u32 *seen)
{
	int err;

	starve_begin(nth);
	err = f->ops->op[op](f->set, 0, f->set->n);
	*seen = starve_end();
	return err;
}

/* A set whose container is ready for an operation. */
static void begin_op(struct kunit *test, enum dsbench_op op)
{
	begin(test, STARVING_N);
	if (op == DSBENCH_FILL)
		return;
	KUNIT_ASSERT_EQ(test, run(test, DSBENCH_FILL, 0, STARVING_N), 0);
	KUNIT_ASSERT_EQ(test, collect(test), 0);
}

static void end_op(struct kunit *test)
{
	struct fixture *f = test->priv;

	dsbench_set_empty(f->set, f->ops);
	dsbench_set_free(f->set);
	f->set = NULL;
}

/*
 * Each allocation of an operation fails once. The operation fails, or finds
 * another way; the container can be walked and destroyed.
 */
static void starve_op(struct kunit *test, enum dsbench_op op)
{
	struct fixture *f = test->priv;
	u32 nth = 0;
	u32 failed = 0;
	u32 seen;
	int err;

	do {
		begin_op(test, op);
		err = run_starved(f, op, ++nth, &seen);
		failed += err == -ENOMEM;
		KUNIT_EXPECT_TRUE(test, !err || err == -ENOMEM);
		KUNIT_EXPECT_TRUE(test, !err || seen >= nth);
		KUNIT_EXPECT_EQ(test, collect(test), 0);
		end_op(test);
	} while (seen >= nth && nth < ALLOCATIONS_MAX);
	if (op == DSBENCH_FILL && f->params.inline_alloc &&
	    !ends_with(container, "_hand"))
		KUNIT_EXPECT_GE(test, failed, STARVING_N);
}

static void starve_create(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 nth = 0;
	u32 seen;
	int err;

	do {
		f->set = dsbench_set_alloc(&f->params, STARVING_N);
		KUNIT_ASSERT_NOT_NULL(test, f->set);
		dsbench_set_reset(f->set);
		starve_begin(++nth);
		err = f->ops->create(f->set);
		seen = starve_end();
		KUNIT_EXPECT_TRUE(test, !err || err == -ENOMEM);
		KUNIT_EXPECT_TRUE(test, !err || !f->set->priv);
		if (f->set->priv)
			dsbench_set_empty(f->set, f->ops);
		dsbench_set_free(f->set);
		f->set = NULL;
	} while (seen >= nth && nth < ALLOCATIONS_MAX);
	KUNIT_EXPECT_GT(test, nth, 1);
}

static void each_allocation_fails_once(struct kunit *test)
{
	struct fixture *f = test->priv;
	int i;

	if (!may_starve)
		kunit_skip(test, "no kprobes");

	for (i = 0; i < 2; i++) {
		f->params.inline_alloc = i;
		starve_create(test);
		starve_op(test, DSBENCH_FILL);
		starve_op(test, DSBENCH_FIND);
		starve_op(test, DSBENCH_FOR_EACH);
		starve_op(test, DSBENCH_ERASE);
	}
}

static struct kunit_case starving_cases[] = {
	KUNIT_CASE(each_allocation_fails_once),
	{}
};

static struct kunit_suite container_suite = {
	.name = "container",
	.init = find_container,
	.exit = container_exit,
	.test_cases = cases,
};

static struct kunit_suite starving_suite = {
	.name = "starving",
	.init = find_container,
	.exit = container_exit,
	.test_cases = starving_cases,
};

/*
 * rust_wrong does one operation wrong: the first of them for a multiple of 4
 * elements, and so on.
 */
static int run_wrong(struct kunit *test, u32 n, enum dsbench_op op)
{
	int err;

	begin(test, n);
	err = run(test, DSBENCH_FILL, 0, n);
	if (!err && op != DSBENCH_FILL)
		err = verify_after(test, DSBENCH_FILL);
	KUNIT_EXPECT_EQ(test, err, 0);
	((struct fixture *)test->priv)->set->sum = 0;
	if (op != DSBENCH_FILL)
		err = run(test, op, 0, n);
	err = err ?: verify_after(test, op);
	end_op(test);
	return err;
}

static void wrong_answers_are_seen(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, run_wrong(test, N, DSBENCH_FILL), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, run_wrong(test, N + 1, DSBENCH_FIND), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, run_wrong(test, N + 2, DSBENCH_FOR_EACH),
			-EUCLEAN);
	KUNIT_EXPECT_EQ(test, run_wrong(test, N + 3, DSBENCH_ERASE), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, run_wrong(test, N + 1, DSBENCH_FOR_EACH), 0);
}

static struct kunit_case wrong_cases[] = {
	KUNIT_CASE(wrong_answers_are_seen),
	{}
};

static struct kunit_suite wrong_suite = {
	.name = "wrong",
	.init = find_container,
	.exit = container_exit,
	.test_cases = wrong_cases,
};

static void readme(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, rust_api_readme(), 0);
}

static void list(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, rust_api_list(), 0);
}

static void branching(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, rust_api_branching(), 0);
}

static void hlist(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, rust_api_hlist(), 0);
}

static void hashtable(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, rust_api_hashtable(), 0);
}

static void xarray(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, rust_api_xarray(), 0);
}

static void maple(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, rust_api_maple(), 0);
}

static struct kunit_case api_cases[] = {
	KUNIT_CASE(readme),
	KUNIT_CASE(list),
	KUNIT_CASE(branching),
	KUNIT_CASE(hlist),
	KUNIT_CASE(hashtable),
	KUNIT_CASE(xarray),
	KUNIT_CASE(maple),
	{}
};

static struct kunit_suite api_suite = {
	.name = "api",
	.test_cases = api_cases,
};

struct names {
	unsigned int count;
	char name[CONTAINERS_MAX][DSBENCH_NAME_LEN];
};

/* Those in Rust and their twins; the others have suites where KUnit is. */
static int note_container(struct dsbench_subject *c, void *arg)
{
	bool wanted = !strncmp(c->name, "rust_", 5) ||
		      ends_with(c->name, "_owned") ||
		      ends_with(c->name, "_clang");
	struct names *names = arg;

	if (wanted && strcmp(c->name, WRONG) && names->count < CONTAINERS_MAX)
		strscpy(names->name[names->count++], c->name, DSBENCH_NAME_LEN);
	return 0;
}

static bool run_all(const struct names *names)
{
	unsigned int number = 0;
	bool passed = true;
	unsigned int i;

	runner_plan(2 * names->count + 2);
	passed &= runner_suite(++number, "dsbench_rust_api", &api_suite);
	for (i = 0; i < names->count; i++) {
		char name[sizeof("dsbench_") + DSBENCH_NAME_LEN + sizeof("_starving")];

		container = names->name[i];
		snprintf(name, sizeof(name), "dsbench_%s", container);
		passed &= runner_suite(++number, name, &container_suite);
		strlcat(name, "_starving", sizeof(name));
		passed &= runner_suite(++number, name, &starving_suite);
	}
	container = WRONG;
	passed &= runner_suite(++number, "dsbench_" WRONG, &wrong_suite);
	return passed;
}

static int __init dsbench_rust_tests_init(void)
{
	struct names *names = kzalloc(sizeof(*names), GFP_KERNEL);
	int err;

	if (!names)
		return -ENOMEM;

	dsbench_registry_visit(note_container, names);
	if (!names->count) {
		pr_err("no container in Rust is loaded\n");
		kfree(names);
		return -ENOENT;
	}
	may_starve = !starve_init();
	err = run_all(names) ? 0 : -EINVAL;
	starve_exit();
	kfree(names);
	return err;
}

static void __exit dsbench_rust_tests_exit(void)
{
}

module_init(dsbench_rust_tests_init);
module_exit(dsbench_rust_tests_exit);
MODULE_DESCRIPTION("dsbench: tests of the containers in Rust");
MODULE_LICENSE("GPL");
