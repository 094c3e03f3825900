// SPDX-License-Identifier: GPL-2.0

//! Devices: made by rtnetlink, and described to it.

#![forbid(unsafe_code)]

use kernel::{c_str, error::code::EINVAL, prelude::*, str::CStr};

use super::{
    header::{overhead, Headers},
    net::{
        context::Softirq,
        driver::{Class, Driver, PeerTable},
        ip::Address,
        link::{Link, NewLink},
        netlink::{size_of_attribute, Message, Policy},
        route::{Ends, Route},
        skbuff::SkBuff,
    },
    params::{attr, Params, POLICIES},
    receive, send,
    tunnel::{Tunnel, MAX_HEADROOM},
};

/// The longest packet of IP.
const IP_MAX_MTU: u32 = 0xffff;
const ETHERNET_MTU: u32 = 1500;
const ETHERNET_HEADROOM: u32 = 128;

pub(crate) static CLASS: Class<Tunnel> = Class::new();
static PEERS: PeerTable = PeerTable::new();

/// What the underlay leaves.
struct Underlay {
    mtu: u32,
    headroom: u32,
    tailroom: u16,
}

impl Underlay {
    /// Without a route to the peer, the limits are those of Ethernet.
    fn find(request: &NewLink<'_>, params: &Params, ends: &Ends) -> Self {
        match Route::find(request.net(), ends, params.tos, params.label, 0) {
            Ok(route) => Self {
                mtu: route.device_mtu().min(IP_MAX_MTU),
                headroom: route.headroom(),
                tailroom: route.device_tailroom(),
            },
            Err(_) => Self {
                mtu: ETHERNET_MTU,
                headroom: ETHERNET_HEADROOM,
                tailroom: 0,
            },
        }
    }
}

impl Driver for Tunnel {
    const KIND: &'static CStr = c_str!("udptun_rust");
    const POLICIES: &'static [Policy] = &POLICIES;
    const UNCHANGEABLE: &'static CStr =
        c_str!("A udptun_rust device cannot be changed: delete it and add another one");
    const OVERHEAD: u32 = overhead(false);
    const FILL_SIZE: usize = 2 * size_of_attribute(16)
        + 2 * size_of_attribute(2)
        + 2 * size_of_attribute(4)
        + 8 * size_of_attribute(1);

    fn class() -> &'static Class<Self> {
        &CLASS
    }

    fn peers() -> &'static PeerTable {
        &PEERS
    }

    fn new(request: &mut NewLink<'_>) -> Result<(Self, Ends)> {
        let (params, ends) = Params::read(request)?;
        let overhead = overhead(ends.local.is_v4());
        let underlay = Underlay::find(request, &params, &ends);
        let headroom = underlay.headroom.saturating_add(overhead).min(MAX_HEADROOM);
        let mtu = underlay.mtu.saturating_sub(overhead);

        if !request.fit(
            headroom as u16,
            underlay.tailroom,
            mtu,
            IP_MAX_MTU - overhead,
        ) {
            let sentence = c_str!("The MTU exceeds what IP and UDP can carry");

            return Err(request.extack().refuse(None, sentence, EINVAL));
        }
        let headers = Headers::new(&ends);

        Ok((Self { params, headers }, ends))
    }

    #[inline]
    fn transmit(link: &Link<Self>, skb: SkBuff, softirq: &Softirq) {
        send::transmit(link, skb, softirq);
    }

    #[inline]
    fn receive(link: &Link<Self>, skb: SkBuff, softirq: &Softirq) {
        receive::receive(link, skb, softirq);
    }

    fn fill(link: &Link<Self>, message: &mut Message<'_>) -> Result {
        let (params, ends) = (&link.data().params, link.ends());

        match (&ends.local, &ends.remote) {
            (Address::V4(local), Address::V4(remote)) => {
                message.put(attr::LOCAL, local)?;
                message.put(attr::REMOTE, remote)?;
                message.put(attr::UDP_CSUM, &[params.checksum.into()])?;
            }
            (Address::V6(local), Address::V6(remote)) => {
                message.put(attr::LOCAL6, local)?;
                message.put(attr::REMOTE6, remote)?;
                message.put(attr::FLOWLABEL, &params.label.to_be_bytes())?;
                message.put(attr::FLOWLABEL_INHERIT, &[params.label_is_inherited.into()])?;
                message.put(attr::UDP_ZERO_CSUM6_TX, &[(!params.checksum).into()])?;
                message.put(attr::UDP_ZERO_CSUM6_RX, &[params.takes_no_checksum.into()])?;
            }
            _ => return Err(EINVAL),
        }
        message.put(attr::LOCAL_PORT, &ends.local_port.to_be_bytes())?;
        message.put(attr::REMOTE_PORT, &ends.remote_port.to_be_bytes())?;
        message.put(attr::TTL, &[params.ttl])?;
        message.put(attr::TOS, &[params.tos])?;
        message.put(attr::DF, &[params.df])
    }
}
