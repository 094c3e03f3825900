// SPDX-License-Identifier: GPL-2.0

//! Transmit: report packets too large for the path, encapsulate, send.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::{
    header::{ecn, Fields, Headers},
    net::{
        context::Softirq,
        ip::{Ipv6, Protocol, DONT_FRAGMENT},
        link::Link,
        route::{CachedRoute, Route},
        skbuff::{OuterHeader, Reason, SkBuff},
        stats::Counter,
    },
    params::TOS_INHERIT,
    tunnel::{Tunnel, MAX_HEADROOM},
};

const IPV6_MIN_MTU: u32 = 1280;

/// Sends a packet, or drops and counts it.
#[inline]
pub(crate) fn transmit(link: &Link<Tunnel>, mut skb: SkBuff, softirq: &Softirq) {
    let mut own = None;

    match prepare(link, &mut skb, &mut own, softirq) {
        Ok((outer, route)) => encapsulate(link, skb, &outer, route, softirq),
        Err(reason) => drop_unsent(link, skb, reason),
    }
}

#[cold]
fn drop_unsent(link: &Link<Tunnel>, skb: SkBuff, reason: Reason) {
    link.stats().count(Counter::TX_ERRORS);
    skb.discard(reason);
}

/// Prepares a packet for the outer headers. Returns their fields, and the route: the cached one, or
/// the packet's own.
#[inline]
fn prepare<'a>(
    link: &'a Link<Tunnel>,
    skb: &mut SkBuff,
    own: &'a mut Option<CachedRoute>,
    softirq: &'a Softirq,
) -> Result<(Fields, &'a CachedRoute), Reason> {
    let tunnel = link.data();
    let inner = Fields::of(skb).ok_or(Reason::PROTOCOL)?;

    if !link.may_recurse(softirq) {
        return Err(Reason::RECURSION);
    }
    let mut outer = inner.outer(&tunnel.params);
    let route = find_route(link, outer.dsfield, skb.mark(), own, softirq)?;

    if outer.df {
        let (mtu, is_kept) = route.mtu(softirq);
        let mtu = mtu.wrapping_sub(tunnel.headers.len());

        outer.df = is_kept;
        if !skb.fits(mtu) {
            outer.df &= fragment_or_report(skb, mtu)?;
        }
    }
    if !skb.make_headroom(route.headroom()) || !skb.prepare_offloads(tunnel.params.checksum) {
        return Err(Reason::MEMORY);
    }
    Ok((outer, route))
}

/// Decides about a packet that exceeds the path: an IPv6 sender need not go below 1280 bytes, so
/// packets up to that size are sent with fragmentation of the outer packet permitted. For others
/// this tells the sender. A remote sender is told even if it permits fragmentation: this router
/// forwards packets of that size again, and the tunnel must not fragment them.
#[cold]
fn fragment_or_report(skb: &mut SkBuff, mtu: u32) -> Result<bool, Reason> {
    let mut mtu = mtu;

    if skb.protocol() == Protocol::IPV6 && mtu < IPV6_MIN_MTU {
        mtu = IPV6_MIN_MTU;
        if skb.fits(mtu) {
            return Ok(false);
        }
    }
    skb.report_mtu(mtu);
    Err(Reason::TOO_BIG)
}

/// The cache holds the route of packets that inherit neither a mark nor a DSCP.
#[inline]
fn find_route<'a>(
    link: &'a Link<Tunnel>,
    dsfield: u8,
    mark: u32,
    own: &'a mut Option<CachedRoute>,
    softirq: &'a Softirq,
) -> Result<&'a CachedRoute, Reason> {
    // A mark has a meaning only in its own namespace.
    let mark = if mark != 0 && link.has_moved() {
        0
    } else {
        mark
    };
    let has_own_dscp = link.data().params.tos == TOS_INHERIT && dsfield & !ecn::MASK != 0;
    let is_cacheable = mark == 0 && !has_own_dscp;

    if is_cacheable {
        if let Some(route) = link.routes().get(link.net(), softirq) {
            return Ok(route);
        }
    }
    look_up_route(link, dsfield, mark, is_cacheable, own, softirq)
}

/// Looks up the route of a packet and caches it, or makes it the packet's own.
#[cold]
fn look_up_route<'a>(
    link: &'a Link<Tunnel>,
    dsfield: u8,
    mark: u32,
    is_cacheable: bool,
    own: &'a mut Option<CachedRoute>,
    softirq: &'a Softirq,
) -> Result<&'a CachedRoute, Reason> {
    let tunnel = link.data();
    let (label, overhead) = (tunnel.params.label, tunnel.headers.len());
    let no_route = |counter| {
        link.stats().count(counter);
        Reason::NO_ROUTE
    };

    if is_cacheable {
        // The cached route, if there is one, is outdated.
        link.routes().clear();
    }
    let route = Route::find(link.net(), link.ends(), dsfield, label, mark)
        .map_err(|_| no_route(Counter::TX_CARRIER_ERRORS))?;

    if link.is_device_of(&route) {
        return Err(no_route(Counter::TX_COLLISIONS));
    }
    let route = CachedRoute::new(route, overhead);

    link.reserve_headroom(route.headroom().min(MAX_HEADROOM) as u16);
    if is_cacheable {
        link.routes().set(route, softirq)
    } else {
        Err(route)
    }
    .or_else(|route| Ok(own.insert(route)))
}

/// Fills in the headers that the packet gets in front, and sends it.
#[inline]
fn encapsulate(
    link: &Link<Tunnel>,
    skb: SkBuff,
    outer: &Fields,
    route: &CachedRoute,
    softirq: &Softirq,
) {
    let udp_len = udp_length(skb.len());

    match &link.data().headers {
        Headers::V4(template) => {
            let mut headers = *template;

            headers.ip.tos = outer.dsfield;
            headers.ip.ttl = outer.ttl;
            if outer.df {
                headers.ip.frag_off = DONT_FRAGMENT;
            }
            headers.udp.len = udp_len;
            send(link, skb, &headers, (route, false), softirq);
        }
        Headers::V6(template) => {
            let mut headers = *template;

            headers.ip.flow = Ipv6::flow_of(outer.dsfield, outer.label);
            headers.ip.hop_limit = outer.ttl;
            headers.udp.len = udp_len;
            send(link, skb, &headers, (route, !outer.df), softirq);
        }
    }
}

/// Sends a packet with these headers, and counts it. Permits fragmentation over IPv6, or does not.
#[inline]
fn send<H: OuterHeader>(
    link: &Link<Tunnel>,
    skb: SkBuff,
    headers: &H,
    (route, ignore_df): (&CachedRoute, bool),
    softirq: &Softirq,
) {
    let len = skb.len();

    match skb.encapsulate(route, link.has_moved(), headers, softirq) {
        Ok(mut packet) => {
            // The encapsulation has forbidden it.
            if ignore_df {
                packet.set_ignore_df(true);
            }
            if link.data().params.checksum {
                packet.set_udp_checksum(headers);
            }
            if link.send(packet, softirq) {
                link.stats().sent(len, softirq);
            } else {
                link.stats().count(Counter::TX_DROPPED);
            }
        }
        Err(skb) => drop_unsent(link, skb, Reason::MEMORY),
    }
}

const UDP_HEADER: u32 = 8;

/// The length in the UDP header: 0 stands for a length of 64 KiB or more, of a GSO packet.
#[inline]
fn udp_length(payload: u32) -> [u8; 2] {
    let len = payload.wrapping_add(UDP_HEADER);

    (u16::try_from(len).unwrap_or(0)).to_be_bytes()
}
