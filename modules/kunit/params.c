// SPDX-License-Identifier: GPL-2.0
/* Values that the parameters accept, and values that follow from them. */

#include "../core/memory.h"
#include "../core/params.h"
#include "../core/parse.h"
#include "../core/set.h"
#include "suites.h"

struct attempt {
	const char *text;
	u32 value;	/* 0: must be refused */
};

static int set(const struct kernel_param_ops *ops, const char *text, u32 *value)
{
	struct kernel_param param = {
		.name = "n",
		.mod = THIS_MODULE,
		.ops = ops,
		.arg = value,
	};

	return ops->set(text, &param);
}

static void try_all(struct kunit *test, const struct kernel_param_ops *ops,
		    const struct attempt *attempts, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct attempt *a = &attempts[i];
		u32 value = 42;
		int err = set(ops, a->text, &value);

		KUNIT_EXPECT_EQ_MSG(test, err, a->value ? 0 : -EINVAL,
				    "for \"%s\"", a->text);
		KUNIT_EXPECT_EQ_MSG(test, value, a->value ?: 42, "for \"%s\"",
				    a->text);
	}
}

static void n_is_checked(struct kunit *test)
{
	static const struct attempt attempts[] = {
		{ "1", 1 }, { "4000", 4000 }, { "4000\n", 4000 },
		{ "0x10", 16 }, { "0" }, { "-5" }, { "" }, { "\n" },
		{ "many" }, { "1.5" }, { "1e3" }, { "16777217" },
		{ "4294967296" }, { "99999999999999999999" }, { "4000 5" },
	};

	try_all(test, &dsbench_n_param_ops, attempts, ARRAY_SIZE(attempts));
}

static void n_too_large_for_memory(struct kunit *test)
{
	u64 available = dsbench_memory_available();
	u32 value = 42;

	if (dsbench_set_bytes(DSBENCH_N_MAX) <= available)
		kunit_skip(test, "this machine has memory for the largest n");

	KUNIT_EXPECT_EQ(test, set(&dsbench_n_param_ops, "16777216", &value),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, value, 42);
}

static void tries_is_checked(struct kunit *test)
{
	static const struct attempt attempts[] = {
		{ "1", 1 }, { "1000000", 1000000 }, { "0" }, { "-1" },
		{ "1000001" }, { "ten" }, { "" },
	};

	try_all(test, &dsbench_tries_param_ops, attempts,
		ARRAY_SIZE(attempts));
}

static void lookups_are_bounded(struct kunit *test)
{
	struct dsbench_params p = some_params();

	/* each passes one element, as in a good hash table */
	KUNIT_EXPECT_EQ(test, dsbench_lookups(&p, 4000, 1), 4000);
	KUNIT_EXPECT_EQ(test, dsbench_lookups(&p, 1000000, 1), 1000000);
	/* each passes all of them, as in a list; 16 Mi in one try */
	KUNIT_EXPECT_EQ(test, dsbench_lookups(&p, 4000, 4000), 4000);
	KUNIT_EXPECT_EQ(test, dsbench_lookups(&p, 1000000, 1000000), 16);
	KUNIT_EXPECT_EQ(test, dsbench_lookups(&p, DSBENCH_N_MAX, DSBENCH_N_MAX),
			1);
	KUNIT_EXPECT_EQ(test, dsbench_lookups(&p, 1, 1), 1);

	p.lookups = 100;
	KUNIT_EXPECT_EQ(test, dsbench_lookups(&p, 4000, 4000), 100);
	KUNIT_EXPECT_EQ(test, dsbench_lookups(&p, 50, 1), 50);
}

static void readers_and_the_writer_need_cpus(struct kunit *test)
{
	struct dsbench_params p = some_params();

	p.writes = 1000;
	KUNIT_EXPECT_EQ(test, dsbench_threads_cpus(&p), 0);
	p.threads[0] = 3;
	p.threads[1] = 1;
	p.nr_threads = 2;
	KUNIT_EXPECT_EQ(test, dsbench_threads_cpus(&p), 4);
	p.writes = 0;
	KUNIT_EXPECT_EQ(test, dsbench_threads_cpus(&p), 3);
}

static void containers_are_selected_by_name(struct kunit *test)
{
	struct dsbench_params p = some_params();

	KUNIT_EXPECT_TRUE(test, dsbench_selected(&p, "list"));

	strscpy(p.containers, "list,rbtree", sizeof(p.containers));
	KUNIT_EXPECT_TRUE(test, dsbench_selected(&p, "list"));
	KUNIT_EXPECT_TRUE(test, dsbench_selected(&p, "rbtree"));
	KUNIT_EXPECT_FALSE(test, dsbench_selected(&p, "xarray"));
	KUNIT_EXPECT_FALSE(test, dsbench_selected(&p, "rb"));
	KUNIT_EXPECT_FALSE(test, dsbench_selected(&p, "list,rbtree"));
}

static void a_cpu_is_minus_one_or_online(struct kunit *test)
{
	int cpu = 7;
	const struct kernel_param kp = { .name = "cpu", .arg = &cpu };

	KUNIT_EXPECT_EQ(test, dsbench_parse_cpu("-2", &kp), -EINVAL);
	KUNIT_EXPECT_EQ(test, dsbench_parse_cpu("1000000", &kp), -EINVAL);
	KUNIT_EXPECT_EQ(test, dsbench_parse_cpu("one", &kp), -EINVAL);
	KUNIT_EXPECT_EQ(test, cpu, 7);
	KUNIT_EXPECT_EQ(test, dsbench_parse_cpu("-1", &kp), 0);
	KUNIT_EXPECT_EQ(test, cpu, -1);
	KUNIT_EXPECT_EQ(test, dsbench_parse_cpu("0\n", &kp), 0);
	KUNIT_EXPECT_EQ(test, cpu, 0);
}

static void ops_are_a_list(struct kunit *test)
{
	const struct kernel_param kp = { .name = "ops" };
	unsigned long mask = 0;

	KUNIT_EXPECT_EQ(test, dsbench_parse_ops("fill,erase\n", &kp, &mask), 0);
	KUNIT_EXPECT_EQ(test, mask, BIT(DSBENCH_FILL) | BIT(DSBENCH_ERASE));
	KUNIT_EXPECT_EQ(test, dsbench_parse_ops("fill,", &kp, &mask), -EINVAL);
	KUNIT_EXPECT_EQ(test, dsbench_parse_ops("empty", &kp, &mask), -EINVAL);
	KUNIT_EXPECT_EQ(test, mask, BIT(DSBENCH_FILL) | BIT(DSBENCH_ERASE));
}

static void names_fit_a_cell(struct kunit *test)
{
	const struct kernel_param kp = { .name = "containers" };
	char names[64] = "list";

	KUNIT_EXPECT_EQ(test, dsbench_parse_names("a23456789012345", &kp, names,
						  sizeof(names)), 0);
	KUNIT_EXPECT_STREQ(test, names, "a23456789012345");
	KUNIT_EXPECT_EQ(test, dsbench_parse_names("a234567890123456", &kp, names,
						  sizeof(names)), -EINVAL);
	KUNIT_EXPECT_EQ(test, dsbench_parse_names("list,", &kp, names,
						  sizeof(names)), -EINVAL);
	KUNIT_EXPECT_EQ(test, dsbench_parse_names("a b", &kp, names,
						  sizeof(names)), -EINVAL);
	KUNIT_EXPECT_STREQ(test, names, "a23456789012345");
}

static void numbers_of_readers_differ(struct kunit *test)
{
	const struct kernel_param kp = { .name = "threads" };
	u32 numbers[4];

	KUNIT_EXPECT_EQ(test, dsbench_parse_threads("1", &kp, numbers, 4), 1);
	KUNIT_EXPECT_EQ(test, numbers[0], 1);
	KUNIT_EXPECT_EQ(test, dsbench_parse_threads("0", &kp, numbers, 4), 0);
	KUNIT_EXPECT_EQ(test, dsbench_parse_threads("1,1", &kp, numbers, 4),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, dsbench_parse_threads("1000", &kp, numbers, 4),
			-EINVAL);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(n_is_checked),
	KUNIT_CASE(n_too_large_for_memory),
	KUNIT_CASE(tries_is_checked),
	KUNIT_CASE(lookups_are_bounded),
	KUNIT_CASE(readers_and_the_writer_need_cpus),
	KUNIT_CASE(containers_are_selected_by_name),
	KUNIT_CASE(a_cpu_is_minus_one_or_online),
	KUNIT_CASE(ops_are_a_list),
	KUNIT_CASE(names_fit_a_cell),
	KUNIT_CASE(numbers_of_readers_differ),
	{}
};

struct kunit_suite dsbench_params_suite = {
	.name = "dsbench_params",
	.test_cases = cases,
};
