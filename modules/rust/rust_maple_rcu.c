// SPDX-License-Identifier: GPL-2.0
/* The module of rust_maple_rcu, whose operations are in maple_rcu.rs. */

#include "container.h"

dsbench_rust_container(rust_maple_rcu);
MODULE_DESCRIPTION("dsbench: struct maple_tree in Rust, read without the lock");
