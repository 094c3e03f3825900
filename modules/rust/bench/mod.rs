// SPDX-License-Identifier: GPL-2.0

//! The benchmark: one generic loop for each operation, and the table that makes a container of
//! them.

pub mod container;
pub mod element;
pub mod indexed;
pub mod loops;
pub mod set;
pub mod supply;
pub mod table;
