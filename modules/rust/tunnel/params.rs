// SPDX-License-Identifier: GPL-2.0

//! Addresses, ports and options of a tunnel, validated: each rejection has its own sentence.

#![forbid(unsafe_code)]

use kernel::{
    c_str,
    error::code::{EINVAL, EOPNOTSUPP},
    prelude::*,
    str::CStr,
};

use super::net::{
    ip::Address,
    link::NewLink,
    netlink::{Attribute, Attributes, Policy},
    route::{has_ipv6, Ends},
};

/// The types of the attributes, which are those of udptun.
pub(crate) mod attr {
    use super::super::net::attributes as raw;

    pub(crate) const LOCAL: u32 = raw::IFLA_UDPTUN_LOCAL;
    pub(crate) const LOCAL6: u32 = raw::IFLA_UDPTUN_LOCAL6;
    pub(crate) const REMOTE: u32 = raw::IFLA_UDPTUN_REMOTE;
    pub(crate) const REMOTE6: u32 = raw::IFLA_UDPTUN_REMOTE6;
    pub(crate) const LOCAL_PORT: u32 = raw::IFLA_UDPTUN_LOCAL_PORT;
    pub(crate) const REMOTE_PORT: u32 = raw::IFLA_UDPTUN_REMOTE_PORT;
    pub(crate) const TTL: u32 = raw::IFLA_UDPTUN_TTL;
    pub(crate) const TOS: u32 = raw::IFLA_UDPTUN_TOS;
    pub(crate) const FLOWLABEL: u32 = raw::IFLA_UDPTUN_FLOWLABEL;
    pub(crate) const UDP_CSUM: u32 = raw::IFLA_UDPTUN_UDP_CSUM;
    pub(crate) const UDP_ZERO_CSUM6_TX: u32 = raw::IFLA_UDPTUN_UDP_ZERO_CSUM6_TX;
    pub(crate) const UDP_ZERO_CSUM6_RX: u32 = raw::IFLA_UDPTUN_UDP_ZERO_CSUM6_RX;
    pub(crate) const LINK: u32 = raw::IFLA_UDPTUN_LINK;
    pub(crate) const DF: u32 = raw::IFLA_UDPTUN_DF;
    pub(crate) const FLOWLABEL_INHERIT: u32 = raw::IFLA_UDPTUN_FLOWLABEL_INHERIT;
    pub(crate) const PORT_RANGE: u32 = raw::IFLA_UDPTUN_PORT_RANGE;
    pub(crate) const FWMARK: u32 = raw::IFLA_UDPTUN_FWMARK;
    pub(crate) const FWMASK: u32 = raw::IFLA_UDPTUN_FWMASK;
    pub(crate) const EXTERNAL: u32 = raw::IFLA_UDPTUN_EXTERNAL;
    pub(crate) const COUNT: usize = EXTERNAL as usize + 1;
}

/// Fragmentation of the outer packet, as in `enum udptun_df`.
pub(crate) mod df {
    pub(crate) const SET: u8 = 1;
    pub(crate) const INHERIT: u8 = 2;
}

/// A TTL or TOS that is the inner packet's.
pub(crate) const TTL_INHERIT: u8 = 0;
pub(crate) const TOS_INHERIT: u8 = 1;
const TTL_DEFAULT: u8 = 64;
const ECN_MASK: u8 = 3;
const LABEL_MASK: u32 = 0xf_ffff;

pub(crate) const POLICIES: [Policy; attr::COUNT] = {
    let mut policies = [const { Policy::ANY }; attr::COUNT];

    policies[attr::LOCAL as usize] = Policy::BE32;
    policies[attr::LOCAL6 as usize] = Policy::bytes(16);
    policies[attr::REMOTE as usize] = Policy::BE32;
    policies[attr::REMOTE6 as usize] = Policy::bytes(16);
    policies[attr::LOCAL_PORT as usize] = Policy::BE16;
    policies[attr::REMOTE_PORT as usize] = Policy::BE16;
    policies[attr::TTL as usize] = Policy::U8;
    policies[attr::TOS as usize] = Policy::U8;
    policies[attr::FLOWLABEL as usize] = Policy::BE32;
    policies[attr::UDP_CSUM as usize] = Policy::u8_up_to(1);
    policies[attr::UDP_ZERO_CSUM6_TX as usize] = Policy::u8_up_to(1);
    policies[attr::UDP_ZERO_CSUM6_RX as usize] = Policy::u8_up_to(1);
    policies[attr::LINK as usize] = Policy::U32;
    policies[attr::DF as usize] = Policy::u8_up_to(df::INHERIT);
    policies[attr::FLOWLABEL_INHERIT as usize] = Policy::u8_up_to(1);
    policies[attr::PORT_RANGE as usize] = Policy::bytes(4);
    policies[attr::FWMARK as usize] = Policy::U32;
    policies[attr::FWMASK as usize] = Policy::U32;
    policies[attr::EXTERNAL as usize] = Policy::u8_up_to(1);
    policies
};

/// The options of a tunnel.
#[derive(Clone, Copy)]
pub(crate) struct Params {
    /// TTL or hop limit, or `TTL_INHERIT`.
    pub(crate) ttl: u8,
    /// TOS or traffic class, or `TOS_INHERIT`.
    pub(crate) tos: u8,
    /// See `df`.
    pub(crate) df: u8,
    /// Packets are sent with a UDP checksum.
    pub(crate) checksum: bool,
    /// Packets over IPv6 are accepted without one.
    pub(crate) takes_no_checksum: bool,
    /// IPv6 flow label, 20 bits.
    pub(crate) label: u32,
    /// It is the inner packet's.
    pub(crate) label_is_inherited: bool,
}

/// A request, while it is read.
struct Reader<'r, 'a> {
    request: &'r NewLink<'a>,
    attributes: Attributes<'a>,
}

impl<'a> Reader<'_, 'a> {
    fn get(&self, kind: u32) -> Option<Attribute<'a>> {
        self.attributes.get(kind)
    }

    fn refuse(&self, kind: Option<u32>, sentence: &'static CStr) -> Error {
        let attribute = kind.and_then(|kind| self.get(kind));

        self.request.extack().refuse(attribute, sentence, EINVAL)
    }

    /// Refuses what only udptun in C has.
    fn refuse_left_out(&self) -> Result {
        let options = [
            (
                attr::LINK,
                c_str!("udptun_rust has no underlay device (dev)"),
            ),
            (
                attr::PORT_RANGE,
                c_str!("udptun_rust has no range of source ports (sport)"),
            ),
            (attr::FWMARK, c_str!("udptun_rust has no mark (fwmark)")),
            (attr::FWMASK, c_str!("udptun_rust has no mark (fwmark)")),
            (attr::EXTERNAL, c_str!("udptun_rust has no external mode")),
        ];

        for (kind, sentence) in options {
            if let Some(attribute) = self.get(kind) {
                // Zeroes say that the option is off.
                if attribute.bytes().iter().any(|byte| *byte != 0) {
                    let extack = self.request.extack();

                    return Err(extack.refuse(Some(attribute), sentence, EOPNOTSUPP));
                }
            }
        }
        Ok(())
    }

    fn flag(&self, kind: u32) -> Result<bool> {
        self.get(kind)
            .map_or(Ok(false), |attribute| Ok(attribute.u8()? != 0))
    }

    fn address(&self, four: u32, six: u32) -> Result<Option<Address>> {
        match (self.get(four), self.get(six)) {
            (Some(attribute), _) => Ok(Some(Address::V4(attribute.array()?))),
            (_, Some(attribute)) => Ok(Some(Address::V6(attribute.array()?))),
            _ => Ok(None),
        }
    }

    fn addresses(&self) -> Result<(Address, Address)> {
        let has_v4 = self.get(attr::LOCAL).or(self.get(attr::REMOTE)).is_some();
        let has_v6 = self.get(attr::LOCAL6).or(self.get(attr::REMOTE6)).is_some();

        if has_v4 && has_v6 {
            let sentence = c_str!("The local and remote addresses must be of the same family");

            return Err(self.refuse(None, sentence));
        }
        if !has_v4 && !has_v6 {
            let sentence = c_str!("The local and remote addresses are missing");

            return Err(self.refuse(None, sentence));
        }
        if has_v6 && !has_ipv6() {
            return Err(self.refuse(None, c_str!("This kernel has no IPv6")));
        }
        let local = self.address(attr::LOCAL, attr::LOCAL6)?;
        let remote = self.address(attr::REMOTE, attr::REMOTE6)?;

        Ok((
            local.ok_or_else(|| self.refuse(None, c_str!("The local address is missing")))?,
            remote.ok_or_else(|| self.refuse(None, c_str!("The remote address is missing")))?,
        ))
    }

    fn check_local(&self, local: &Address) -> Result {
        let sentence = if local.is_unspecified() {
            c_str!("The local address is unspecified")
        } else if local.is_multicast() {
            c_str!("The local address is a multicast address")
        } else if self.request.net().is_broadcast(local) {
            c_str!("The local address is a broadcast address")
        } else if local.is_mapped() {
            c_str!("IPv4-mapped IPv6 addresses are not supported")
        } else if local.is_link_local() {
            c_str!("A link-local address needs an underlay device, which udptun_rust does not have")
        } else {
            return Ok(());
        };
        let kind = if local.is_v4() {
            attr::LOCAL
        } else {
            attr::LOCAL6
        };

        Err(self.refuse(Some(kind), sentence))
    }

    fn check_remote(&self, local: &Address, remote: &Address) -> Result {
        let sentence = if remote.is_unspecified() {
            c_str!("The remote address is unspecified")
        } else if remote.is_multicast() {
            c_str!("The remote address is a multicast address")
        } else if self.request.net().is_broadcast(remote) {
            c_str!("The remote address is a broadcast address")
        } else if remote.is_mapped() {
            c_str!("IPv4-mapped IPv6 addresses are not supported")
        } else if local == remote {
            c_str!("The local and remote addresses are the same")
        } else if self.request.net().is_local(remote) {
            c_str!("The remote address belongs to this host")
        } else if remote.is_link_local() {
            c_str!("A link-local address needs an underlay device, which udptun_rust does not have")
        } else {
            return Ok(());
        };
        let kind = if remote.is_v4() {
            attr::REMOTE
        } else {
            attr::REMOTE6
        };

        Err(self.refuse(Some(kind), sentence))
    }

    fn port(&self, kind: u32, sentence: &'static CStr) -> Result<Option<u16>> {
        let Some(attribute) = self.get(kind) else {
            return Ok(None);
        };

        match attribute.be16()? {
            0 => Err(self.refuse(Some(kind), sentence)),
            port => Ok(Some(port)),
        }
    }

    fn ports(&self) -> Result<(u16, u16)> {
        let local = self
            .port(attr::LOCAL_PORT, c_str!("The local port cannot be 0"))?
            .ok_or_else(|| self.refuse(None, c_str!("The local port is missing")))?;
        let remote = self.port(attr::REMOTE_PORT, c_str!("The remote port cannot be 0"))?;

        Ok((local, remote.unwrap_or(local)))
    }

    fn check_family(&self, is_v4: bool) -> Result {
        if !is_v4 && self.get(attr::UDP_CSUM).is_some() {
            let sentence =
                c_str!("Over IPv6, the zero checksum attributes select the UDP checksum");

            return Err(self.refuse(Some(attr::UDP_CSUM), sentence));
        }
        if !is_v4 {
            return Ok(());
        }
        for (kind, sentence) in [
            (
                attr::UDP_ZERO_CSUM6_TX,
                c_str!("The zero checksum attributes apply to IPv6 only"),
            ),
            (
                attr::UDP_ZERO_CSUM6_RX,
                c_str!("The zero checksum attributes apply to IPv6 only"),
            ),
            (
                attr::FLOWLABEL,
                c_str!("The flow label attributes apply to IPv6 only"),
            ),
            (
                attr::FLOWLABEL_INHERIT,
                c_str!("The flow label attributes apply to IPv6 only"),
            ),
        ] {
            if self.get(kind).is_some() {
                return Err(self.refuse(None, sentence));
            }
        }
        Ok(())
    }

    fn tos(&self) -> Result<u8> {
        let tos = self
            .get(attr::TOS)
            .map_or(Ok(0), |attribute| attribute.u8())?;

        if tos != TOS_INHERIT && tos & ECN_MASK != 0 {
            let sentence = c_str!("The TOS must be a multiple of 4, or 1 to inherit it");

            return Err(self.refuse(Some(attr::TOS), sentence));
        }
        Ok(tos)
    }

    fn label(&self) -> Result<u32> {
        let label = self
            .get(attr::FLOWLABEL)
            .map_or(Ok(0), |attribute| attribute.be32())?;

        if label & !LABEL_MASK != 0 {
            let sentence = c_str!("The flow label must fit in 20 bits");

            return Err(self.refuse(Some(attr::FLOWLABEL), sentence));
        }
        if label != 0 && self.flag(attr::FLOWLABEL_INHERIT)? {
            let sentence = c_str!("The flow label cannot be both given and inherited");

            return Err(self.refuse(Some(attr::FLOWLABEL), sentence));
        }
        Ok(label)
    }
}

impl Params {
    /// Reads the request, and checks all attributes together.
    pub(crate) fn read(request: &NewLink<'_>) -> Result<(Self, Ends)> {
        let reader = Reader {
            request,
            attributes: request.attributes(),
        };

        reader.refuse_left_out()?;
        let (local, remote) = reader.addresses()?;

        reader.check_local(&local)?;
        reader.check_remote(&local, &remote)?;
        let (local_port, remote_port) = reader.ports()?;

        reader.check_family(local.is_v4())?;
        let params = Self {
            ttl: reader
                .get(attr::TTL)
                .map_or(Ok(TTL_DEFAULT), |attribute| attribute.u8())?,
            tos: reader.tos()?,
            df: reader
                .get(attr::DF)
                .map_or(Ok(df::INHERIT), |attribute| attribute.u8())?,
            checksum: if local.is_v4() {
                reader.flag(attr::UDP_CSUM)?
            } else {
                !reader.flag(attr::UDP_ZERO_CSUM6_TX)?
            },
            takes_no_checksum: reader.flag(attr::UDP_ZERO_CSUM6_RX)?,
            label: reader.label()?,
            label_is_inherited: reader.flag(attr::FLOWLABEL_INHERIT)?,
        };
        let ends = Ends {
            local,
            remote,
            local_port,
            remote_port,
        };

        Ok((params, ends))
    }
}
