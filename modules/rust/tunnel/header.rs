// SPDX-License-Identifier: GPL-2.0

//! The packet format: the headers that are put in front of a packet, and what they have of its own
//! header. The inner packet follows the UDP header directly; the version in its first nibble
//! distinguishes IPv4 and IPv6.

#![forbid(unsafe_code)]

use super::{
    net::{
        ip::{Address, Ipv4, Ipv6, Protocol, Udp, UdpOver4, UdpOver6, DONT_FRAGMENT, UDP},
        route::Ends,
        skbuff::SkBuff,
    },
    params::{df, Params, TOS_INHERIT, TTL_INHERIT},
};

/// The length of the outer headers in bytes.
#[inline]
pub(crate) const fn overhead(is_v4: bool) -> u32 {
    if is_v4 {
        size_of::<UdpOver4>() as u32
    } else {
        size_of::<UdpOver6>() as u32
    }
}

/// The outer headers, with the fields that are the same in each packet.
pub(crate) enum Headers {
    V4(UdpOver4),
    V6(UdpOver6),
}

impl Headers {
    pub(crate) fn new(ends: &Ends) -> Self {
        let udp = Udp {
            source: ends.local_port.to_be_bytes(),
            destination: ends.remote_port.to_be_bytes(),
            ..Udp::default()
        };

        match (&ends.local, &ends.remote) {
            (Address::V6(source), Address::V6(destination)) => Self::V6(UdpOver6 {
                ip: Ipv6 {
                    next_header: UDP,
                    source: *source,
                    destination: *destination,
                    ..Ipv6::default()
                },
                udp,
            }),
            (Address::V4(source), Address::V4(destination)) => Self::V4(UdpOver4 {
                ip: Ipv4 {
                    version_ihl: 0x45,
                    protocol: UDP,
                    source: *source,
                    destination: *destination,
                    ..Ipv4::default()
                },
                udp,
            }),
            // The parameters do not mix families.
            _ => Self::V4(UdpOver4::default()),
        }
    }

    /// The length in bytes.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        overhead(matches!(self, Self::V4(_)))
    }
}

/// Fields of an inner header, or those of the outer header that follow them.
#[derive(Clone, Copy)]
pub(crate) struct Fields {
    pub(crate) label: u32,
    pub(crate) dsfield: u8,
    pub(crate) ttl: u8,
    pub(crate) df: bool,
}

impl Fields {
    #[inline]
    fn of4(ip: &Ipv4) -> Self {
        Self {
            label: 0,
            dsfield: ip.tos,
            ttl: ip.ttl,
            df: ip.frag_off[0] & DONT_FRAGMENT[0] != 0,
        }
    }

    #[inline]
    fn of6(ip: &Ipv6) -> Self {
        Self {
            label: ip.label(),
            dsfield: ip.class(),
            ttl: ip.hop_limit,
            df: true,
        }
    }

    /// Reads the fields of a packet to be sent; None if it is no IP packet.
    #[inline]
    pub(crate) fn of(skb: &mut SkBuff) -> Option<Self> {
        match skb.protocol() {
            Protocol::IPV4 => {
                let ip = skb.pull_network_header::<Ipv4>()?;

                (ip.version_ihl >> 4 == 4).then(|| Self::of4(ip))
            }
            Protocol::IPV6 => {
                let ip = skb.pull_network_header::<Ipv6>()?;

                (ip.flow[0] >> 4 == 6).then(|| Self::of6(ip))
            }
            _ => None,
        }
    }

    /// Chooses the fields of the outer header.
    #[inline]
    pub(crate) fn outer(&self, params: &Params) -> Self {
        let dsfield = if params.tos == TOS_INHERIT {
            self.dsfield
        } else {
            params.tos
        };

        Self {
            label: if params.label_is_inherited {
                self.label
            } else {
                params.label
            },
            dsfield: dsfield & !ecn::MASK | ecn::encapsulated(self.dsfield),
            ttl: if params.ttl == TTL_INHERIT {
                self.ttl
            } else {
                params.ttl
            },
            df: if params.df == df::INHERIT {
                self.df
            } else {
                params.df == df::SET
            },
        }
    }
}

/// Explicit congestion notification (RFC 3168).
pub(crate) mod ecn {
    pub(crate) const MASK: u8 = 3;
    const ECT_0: u8 = 2;
    const CE: u8 = 3;

    /// The bits of the outer header: those of the inner one, but a mark is not copied (9.1.1).
    #[inline]
    pub(crate) const fn encapsulated(inner: u8) -> u8 {
        match inner & MASK {
            CE => ECT_0,
            bits => bits,
        }
    }
}
