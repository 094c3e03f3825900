// SPDX-License-Identifier: GPL-2.0
/* The module of rust_xarray, whose operations are in xarray.rs. */

#include "container.h"

dsbench_rust_container(rust_xarray);
MODULE_DESCRIPTION("dsbench: kernel::xarray::XArray in Rust");
