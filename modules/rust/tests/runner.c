// SPDX-License-Identifier: GPL-2.0
/* Runs suites and prints KTAP to the kernel's log, as KUnit does. */

/* KTAP has no prefix. */
#undef pr_fmt
#define pr_fmt(fmt)	fmt

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "runner.h"

/**
 * struct run - one call of a case, in a thread that a failed assertion ends
 * @test: what the case sees
 * @test_case: the case
 * @done: completed when the thread ends
 * @memory: memory that the case allocated
 */
struct run {
	struct kunit test;
	const struct kunit_case *test_case;
	struct completion done;
	struct list_head memory;
};

struct memory {
	struct list_head node;
	u8 data[] __aligned(8);
};

static struct run *run_of(struct kunit *test)
{
	return container_of(test, struct run, test);
}

void *kunit_kmalloc_array(struct kunit *test, size_t n, size_t size, gfp_t gfp)
{
	struct memory *m = kmalloc(struct_size(m, data, size_mul(n, size)),
				   gfp);

	if (!m)
		return NULL;
	list_add(&m->node, &run_of(test)->memory);
	return m->data;
}

void __noreturn kunit_try_catch_throw(struct kunit_try_catch *try_catch)
{
	struct run *run = container_of(try_catch, struct run, test.try_catch);

	kthread_complete_and_exit(&run->done, 0);
}

void __noreturn __kunit_abort(struct kunit *test)
{
	kunit_try_catch_throw(&test->try_catch);
}

/* The log of debugfs, which this runner has not. */
void kunit_log_append(struct string_stream *log, const char *fmt, ...)
{
}

/* The assertions pass these to __kunit_do_failed_assertion(). */
void kunit_binary_assert_format(const struct kunit_assert *assert,
				const struct va_format *message,
				struct string_stream *stream)
{
}

void kunit_binary_ptr_assert_format(const struct kunit_assert *assert,
				    const struct va_format *message,
				    struct string_stream *stream)
{
}

void kunit_unary_assert_format(const struct kunit_assert *assert,
			       const struct va_format *message,
			       struct string_stream *stream)
{
}

static void print_values(const struct kunit_assert *assert,
			 assert_format_t format)
{
	const struct kunit_binary_ptr_assert *ptr;
	const struct kunit_binary_assert *binary;
	const struct kunit_unary_assert *unary;

	if (format == kunit_binary_assert_format) {
		binary = container_of(assert, struct kunit_binary_assert,
				      assert);
		pr_info("    # %s %s %s: %lld and %lld\n",
			binary->text->left_text, binary->text->operation,
			binary->text->right_text, binary->left_value,
			binary->right_value);
	} else if (format == kunit_binary_ptr_assert_format) {
		ptr = container_of(assert, struct kunit_binary_ptr_assert,
				   assert);
		pr_info("    # %s %s %s: %p and %p\n",
			ptr->text->left_text, ptr->text->operation,
			ptr->text->right_text, ptr->left_value,
			ptr->right_value);
	} else if (format == kunit_unary_assert_format) {
		unary = container_of(assert, struct kunit_unary_assert, assert);
		pr_info("    # %s: expected %d\n", unary->condition,
			unary->expected_true);
	}
}

void __kunit_do_failed_assertion(struct kunit *test,
				 const struct kunit_loc *loc,
				 enum kunit_assert_type type,
				 const struct kunit_assert *assert,
				 assert_format_t assert_format,
				 const char *fmt, ...)
{
	kunit_set_failure(test);
	pr_info("    # %s: failed at %s:%d\n", test->name, loc->file,
		loc->line);
	print_values(assert, assert_format);
}

static int run_in_thread(void *data)
{
	struct run *run = data;

	run->test_case->run_case(&run->test);
	kthread_complete_and_exit(&run->done, 0);
}

/* Like KUnit, call exit even if init or the case failed. */
static void run_once(struct kunit_suite *suite, struct run *run)
{
	struct memory *m, *next;
	struct task_struct *task;

	if (suite->init && suite->init(&run->test)) {
		kunit_set_failure(&run->test);
	} else {
		init_completion(&run->done);
		task = kthread_run(run_in_thread, run, "dsbench_case");
		if (IS_ERR(task))
			kunit_set_failure(&run->test);
		else
			wait_for_completion(&run->done);
	}
	if (suite->exit)
		suite->exit(&run->test);
	list_for_each_entry_safe(m, next, &run->memory, node)
		kfree(m);
}

static struct run *new_run(const struct kunit_case *test_case)
{
	struct run *run = kzalloc(sizeof(*run), GFP_KERNEL);

	if (!run)
		return NULL;

	run->test_case = test_case;
	run->test.name = test_case->name;
	run->test.status = KUNIT_SUCCESS;
	INIT_LIST_HEAD(&run->memory);
	return run;
}

static void print_result(const char *indent, unsigned int number,
			 const char *name, const struct kunit *test)
{
	bool skipped = test->status == KUNIT_SKIPPED;

	pr_info("%s%s %u %s%s%s\n", indent,
		test->status == KUNIT_FAILURE ? "not ok" : "ok", number, name,
		skipped ? " # SKIP " : "", skipped ? test->status_comment : "");
}

static bool run_plain(struct kunit_suite *suite, struct kunit_case *test_case,
		      unsigned int number)
{
	struct run *run = new_run(test_case);
	bool passed;

	if (!run)
		return false;

	run_once(suite, run);
	print_result("    ", number, test_case->name, &run->test);
	passed = run->test.status != KUNIT_FAILURE;
	kfree(run);
	return passed;
}

static bool run_params(struct kunit_suite *suite, struct kunit_case *test_case,
		       unsigned int number)
{
	char description[KUNIT_PARAM_DESC_SIZE] = "";
	const void *param = NULL;
	unsigned int index = 0;
	bool passed = true;

	pr_info("        KTAP version 1\n");
	pr_info("        # Subtest: %s\n", test_case->name);
	for (;;) {
		struct run *run = new_run(test_case);

		if (!run)
			return false;
		param = test_case->generate_params(&run->test, param,
						   description);
		if (!param) {
			kfree(run);
			break;
		}
		run->test.param_value = param;
		run_once(suite, run);
		print_result("        ", ++index, description, &run->test);
		passed &= run->test.status != KUNIT_FAILURE;
		kfree(run);
	}
	pr_info("        1..%u\n", index);
	pr_info("    %s %u %s\n", passed ? "ok" : "not ok", number,
		test_case->name);
	return passed;
}

/**
 * runner_plan() - begin the report
 * @suites: number of suites that follow
 *
 * Context: may sleep.
 */
void runner_plan(unsigned int suites)
{
	pr_info("KTAP version 1\n");
	pr_info("1..%u\n", suites);
}

/**
 * runner_suite() - run a suite
 * @number: its number in the plan, from 1 on
 * @name: its name
 * @suite: its init, exit and cases
 *
 * Context: may sleep.
 *
 * Return: true if every case passed or was skipped.
 */
bool runner_suite(unsigned int number, const char *name,
		  struct kunit_suite *suite)
{
	struct kunit_case *test_case;
	unsigned int cases = 0;
	bool passed = true;

	for (test_case = suite->test_cases; test_case->run_case; test_case++)
		cases++;
	pr_info("    KTAP version 1\n");
	pr_info("    # Subtest: %s\n", name);
	pr_info("    1..%u\n", cases);
	cases = 0;
	for (test_case = suite->test_cases; test_case->run_case; test_case++) {
		if (test_case->generate_params)
			passed &= run_params(suite, test_case, ++cases);
		else
			passed &= run_plain(suite, test_case, ++cases);
	}
	pr_info("%s %u %s\n", passed ? "ok" : "not ok", number, name);
	return passed;
}
