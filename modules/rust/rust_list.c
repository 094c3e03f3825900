// SPDX-License-Identifier: GPL-2.0
/* The module of rust_list, whose operations are in list.rs. */

#include "container.h"

dsbench_rust_container(rust_list);
MODULE_DESCRIPTION("dsbench: kernel::list::List in Rust");
