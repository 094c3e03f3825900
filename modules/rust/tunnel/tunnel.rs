// SPDX-License-Identifier: GPL-2.0

//! The private data of a device.

#![forbid(unsafe_code)]

use super::{header::Headers, params::Params};

/// As in `ip_tunnel.c`: without a limit, stacked tunnels would add up.
pub(crate) const MAX_HEADROOM: u32 = 512;

/// The configuration of a tunnel, which never changes.
pub(crate) struct Tunnel {
    pub(crate) params: Params,
    /// What each packet gets in front.
    pub(crate) headers: Headers,
}
