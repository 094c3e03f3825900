// SPDX-License-Identifier: GPL-2.0
/* The module of rust_rbtree, whose operations are in rbtree.rs. */

#include "container.h"

dsbench_rust_container(rust_rbtree);
MODULE_DESCRIPTION("dsbench: kernel::rbtree::RBTree in Rust");
