// SPDX-License-Identifier: GPL-2.0

//! Containers in the shape of Rust's standard ones: what the kernel crate lacks, and thin layers
//! over what it has.
//!
//! Each file is one concern and depends on the kernel crate alone, not on the benchmark.

pub mod branching;
pub mod hashtable;
pub mod hlist;
pub mod keyed;
pub mod lent;
pub mod list;
pub mod maple;
pub mod xarray;
