// SPDX-License-Identifier: GPL-2.0
/* The module of rust_list_hand, whose operations are in list.rs. */

#include "../container.h"

dsbench_rust_container(rust_list_hand);
MODULE_DESCRIPTION("dsbench: rust_list with loops written by hand");
