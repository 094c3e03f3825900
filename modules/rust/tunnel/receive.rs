// SPDX-License-Identifier: GPL-2.0

//! Receive: check and decapsulate the packet, deliver it.

#![forbid(unsafe_code)]

use super::{
    header::{ecn, Headers},
    net::{
        context::Softirq,
        ip::{Ipv4, Ipv6, Protocol, Udp},
        link::Link,
        skbuff::{Reason, SkBuff},
        stats::Counter,
    },
    tunnel::Tunnel,
};

const UDP_HEADER: u32 = size_of::<Udp>() as u32;
const IPV4_HEADER: u32 = size_of::<Ipv4>() as u32;
const IPV6_HEADER: u32 = size_of::<Ipv6>() as u32;

/// Receives a packet of the peer, or drops and counts it.
#[inline]
pub(crate) fn receive(link: &Link<Tunnel>, mut skb: SkBuff, softirq: &Softirq) {
    match decapsulate(link, &mut skb) {
        Ok(()) => link.deliver(skb, softirq),
        Err((reason, counters)) => drop_received(link, skb, reason, counters),
    }
}

/// Why a packet is dropped, and the counters that say so.
type Refusal = (Reason, &'static [Counter]);

const DOWN: Refusal = (Reason::DEVICE_DOWN, &[Counter::RX_DROPPED]);
const NO_MEMORY: Refusal = (Reason::MEMORY, &[Counter::RX_DROPPED]);
const NOT_IP: Refusal = (
    Reason::PROTOCOL,
    &[Counter::RX_FRAME_ERRORS, Counter::RX_ERRORS],
);
const TRUNCATED: Refusal = (
    Reason::TRUNCATED,
    &[Counter::RX_LENGTH_ERRORS, Counter::RX_ERRORS],
);
const TOO_SMALL: Refusal = (
    Reason::TOO_SMALL,
    &[Counter::RX_LENGTH_ERRORS, Counter::RX_ERRORS],
);
const NO_CHECKSUM: Refusal = (
    Reason::CHECKSUM,
    &[Counter::RX_CRC_ERRORS, Counter::RX_ERRORS],
);
const CONGESTED: Refusal = (Reason::ECN, &[Counter::RX_FRAME_ERRORS, Counter::RX_ERRORS]);

#[cold]
fn drop_received(link: &Link<Tunnel>, skb: SkBuff, reason: Reason, counters: &[Counter]) {
    for counter in counters {
        link.stats().count(*counter);
    }
    skb.discard(reason);
}

/// What the checks have found in an inner header.
struct Inner {
    protocol: Protocol,
    dsfield: u8,
    /// Offset of the transport header; of an extension header, if there are any.
    transport: u32,
    has_extensions: bool,
}

#[inline]
fn decapsulate(link: &Link<Tunnel>, skb: &mut SkBuff) -> Result<(), Refusal> {
    if !link.is_up() {
        return Err(DOWN);
    }
    let outer = outer_dsfield(link.data(), skb)?;
    let inner = check_inner(skb)?;

    if !skb.decapsulate(UDP_HEADER, inner.protocol, link.has_moved()) {
        return Err(NO_MEMORY);
    }
    skb.begin_at_network_header();
    // RFC 6040: apply the congestion mark of the outer header to the inner one.
    if (outer ^ inner.dsfield) & ecn::MASK != 0
        && !skb.decapsulate_ecn(outer, inner.dsfield, inner.transport)
    {
        return Err(CONGESTED);
    }
    skb.clear_hash();
    let transport = if inner.has_extensions && skb.is_gso() {
        skip_extensions(skb)
    } else {
        inner.transport
    };

    skb.set_transport_header(transport);
    Ok(())
}

/// GSO relies on the transport header, which tc may need before the protocols set it.
#[cold]
fn skip_extensions(skb: &mut SkBuff) -> u32 {
    let Some(header) = skb.header::<Ipv6>(0).copied() else {
        return IPV6_HEADER;
    };

    skb.skip_extension_headers(&header).unwrap_or(IPV6_HEADER)
}

/// Reads the TOS or traffic class of the outer header. RFC 6936: over IPv6, a packet without a
/// checksum is accepted only if configured.
#[inline]
fn outer_dsfield(tunnel: &Tunnel, skb: &SkBuff) -> Result<u8, Refusal> {
    match tunnel.headers {
        Headers::V4(_) => Ok(skb.network_header::<Ipv4>().ok_or(TRUNCATED)?.tos),
        Headers::V6(_) => {
            let udp = skb.transport_header::<Udp>().ok_or(TRUNCATED)?;

            if udp.check == [0, 0] && !tunnel.params.takes_no_checksum {
                return Err(NO_CHECKSUM);
            }
            Ok(skb.network_header::<Ipv6>().ok_or(TRUNCATED)?.class())
        }
    }
}

/// Checks the inner header, and makes it linear.
#[inline]
fn check_inner(skb: &mut SkBuff) -> Result<Inner, Refusal> {
    let first = skb.byte(UDP_HEADER).ok_or(TOO_SMALL)?;
    let len = skb.len().wrapping_sub(UDP_HEADER);
    let is_gso = skb.is_gso();

    match first >> 4 {
        4 => {
            let ip: &Ipv4 = skb.header(UDP_HEADER).ok_or(TRUNCATED)?;
            let header_len = u32::from(ip.version_ihl & 0xf) << 2;
            let mut total_len = u32::from(u16::from_be_bytes(ip.total_len));

            // That of a packet merged by GRO is 0 if it is too long.
            if total_len == 0 && is_gso {
                total_len = len;
            }
            if header_len < IPV4_HEADER || header_len > total_len || total_len > len {
                return Err(TOO_SMALL);
            }
            Ok(Inner {
                protocol: Protocol::IPV4,
                dsfield: ip.tos,
                transport: header_len,
                has_extensions: false,
            })
        }
        6 => {
            let ip: &Ipv6 = skb.header(UDP_HEADER).ok_or(TRUNCATED)?;

            if u32::from(u16::from_be_bytes(ip.payload_len)).wrapping_add(IPV6_HEADER) > len {
                return Err(TOO_SMALL);
            }
            Ok(Inner {
                protocol: Protocol::IPV6,
                dsfield: ip.class(),
                transport: IPV6_HEADER,
                has_extensions: is_extension(ip.next_header),
            })
        }
        _ => Err(NOT_IP),
    }
}

/// Whether a protocol number is that of an IPv6 extension header.
#[inline]
const fn is_extension(next_header: u8) -> bool {
    matches!(next_header, 0 | 43 | 44 | 51 | 59 | 60)
}
