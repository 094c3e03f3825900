// SPDX-License-Identifier: GPL-2.0
/* The module of rust_tree_hand, whose operations are in tree.rs. */

#include "../container.h"

dsbench_rust_container(rust_tree_hand);
MODULE_DESCRIPTION("dsbench: rust_rbtree with loops written by hand");
