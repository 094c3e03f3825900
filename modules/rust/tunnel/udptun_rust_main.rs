// SPDX-License-Identifier: GPL-2.0

//! `udptun_rust`: a point-to-point tunnel of IPv4 and IPv6 packets in UDP, as `udptun` in C.
//!
//! The driver has no unsafe code: that is in the abstractions of `../net`.

use kernel::prelude::*;

#[path = "../net/mod.rs"]
pub mod net;

mod device;
mod header;
mod params;
mod receive;
mod send;
mod tunnel;

use device::CLASS;
use net::driver::Registration;
use tunnel::Tunnel;

module! {
    type: UdptunRust,
    name: "udptun_rust",
    authors: ["The dsbench developers"],
    description: "Point-to-point tunnel of IPv4 and IPv6 packets in UDP, in Rust",
    license: "GPL",
    alias: ["rtnl-link-udptun_rust"],
}

struct UdptunRust {
    _registration: Registration<Tunnel>,
}

impl kernel::Module for UdptunRust {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _registration: CLASS.register()?,
        })
    }
}
