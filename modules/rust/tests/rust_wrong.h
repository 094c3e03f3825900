/* SPDX-License-Identifier: GPL-2.0 */
/* The table of rust_wrong, which is in wrong.rs. */
#ifndef _DSBENCH_RUST_TESTS_RUST_WRONG_H
#define _DSBENCH_RUST_TESTS_RUST_WRONG_H

#include <dsbench/bench.h>

extern const struct dsbench_ops rust_wrong_ops;

#endif /* _DSBENCH_RUST_TESTS_RUST_WRONG_H */
