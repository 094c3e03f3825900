// SPDX-License-Identifier: GPL-2.0
/* The module of rust_maple, whose operations are in maple.rs. */

#include "container.h"

dsbench_rust_container(rust_maple);
MODULE_DESCRIPTION("dsbench: kernel::maple_tree::MapleTree in Rust");
