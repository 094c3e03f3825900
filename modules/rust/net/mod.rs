// SPDX-License-Identifier: GPL-2.0

//! Abstractions of networking, which the kernel crate does not have: devices of rtnetlink, socket
//! buffers, UDP sockets with peers, routes, NAPI queues and statistics.
//!
//! Drivers above them need no unsafe code. A function whose documentation says nothing else may be
//! called in any context.

pub mod bindings;
#[rustfmt::skip]
mod layout;

pub mod attributes;
mod checks;
pub mod context;
pub mod driver;
mod gro;
pub mod ip;
pub mod link;
mod links;
pub mod netlink;
mod percpu;
mod queue;
pub mod route;
pub mod skbuff;
mod socket;
pub mod stats;
