/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small runner for KUnit's cases. Stock kernels have Rust but not KUnit:
 * <kunit/test.h> has the macros, and this runner the functions behind them.
 */
#ifndef _DSBENCH_RUST_TESTS_RUNNER_H
#define _DSBENCH_RUST_TESTS_RUNNER_H

#include <kunit/test.h>

void runner_plan(unsigned int suites);
bool runner_suite(unsigned int number, const char *name,
		  struct kunit_suite *suite);

#endif /* _DSBENCH_RUST_TESTS_RUNNER_H */
