// SPDX-License-Identifier: GPL-2.0
/* The module of rust_xarray_rcu, whose operations are in xarray_rcu.rs. */

#include "container.h"

dsbench_rust_container(rust_xarray_rcu);
MODULE_DESCRIPTION("dsbench: struct xarray in Rust, read without the lock");
