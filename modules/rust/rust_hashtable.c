// SPDX-License-Identifier: GPL-2.0
/* The module of rust_hashtable, whose operations are in hashtable.rs. */

#include "container.h"

dsbench_rust_container(rust_hashtable);
MODULE_DESCRIPTION("dsbench: hash table of struct hlist_head in Rust");
