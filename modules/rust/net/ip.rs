// SPDX-License-Identifier: GPL-2.0

//! Headers and addresses of IP and UDP, in network byte order as in packets.

/// A header in a packet.
///
/// # Safety
///
/// All bytes are valid for the type, it has no padding, and its alignment is 1.
pub unsafe trait Header: Copy {}

/// An IPv4 header without options.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Ipv4 {
    /// Version, and the length of the header in units of 4 bytes.
    pub version_ihl: u8,
    /// DSCP and ECN.
    pub tos: u8,
    /// Length of header and payload in bytes.
    pub total_len: [u8; 2],
    /// Identification.
    pub id: [u8; 2],
    /// Flags and fragment offset.
    pub frag_off: [u8; 2],
    /// Time to live.
    pub ttl: u8,
    /// Protocol of the payload.
    pub protocol: u8,
    /// Checksum of the header.
    pub check: [u8; 2],
    /// Source address.
    pub source: [u8; 4],
    /// Destination address.
    pub destination: [u8; 4],
}

// SAFETY: All fields are bytes.
unsafe impl Header for Ipv4 {}

/// The flag that forbids fragmentation, in [`Ipv4::frag_off`].
pub const DONT_FRAGMENT: [u8; 2] = [0x40, 0];

/// An IPv6 header.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Ipv6 {
    /// Version, traffic class and flow label.
    pub flow: [u8; 4],
    /// Length of what follows the header in bytes.
    pub payload_len: [u8; 2],
    /// Protocol of the payload, or of an extension header.
    pub next_header: u8,
    /// Time to live.
    pub hop_limit: u8,
    /// Source address.
    pub source: [u8; 16],
    /// Destination address.
    pub destination: [u8; 16],
}

// SAFETY: All fields are bytes.
unsafe impl Header for Ipv6 {}

impl Ipv6 {
    /// Returns the first field of a header: version, traffic class and flow label.
    #[inline]
    pub const fn flow_of(class: u8, label: u32) -> [u8; 4] {
        (6 << 28 | (class as u32) << 20 | label & 0xf_ffff).to_be_bytes()
    }

    /// The traffic class.
    #[inline]
    pub const fn class(&self) -> u8 {
        (u32::from_be_bytes(self.flow) >> 20) as u8
    }

    /// The flow label.
    #[inline]
    pub const fn label(&self) -> u32 {
        u32::from_be_bytes(self.flow) & 0xf_ffff
    }
}

/// A UDP header.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Udp {
    /// Source port.
    pub source: [u8; 2],
    /// Destination port.
    pub destination: [u8; 2],
    /// Length of header and payload in bytes.
    pub len: [u8; 2],
    /// Checksum; 0: there is none.
    pub check: [u8; 2],
}

// SAFETY: All fields are bytes.
unsafe impl Header for Udp {}

/// The headers of UDP over IPv4.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct UdpOver4 {
    /// The first header.
    pub ip: Ipv4,
    /// The second one.
    pub udp: Udp,
}

// SAFETY: Both fields are headers.
unsafe impl Header for UdpOver4 {}

/// The headers of UDP over IPv6.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct UdpOver6 {
    /// The first header.
    pub ip: Ipv6,
    /// The second one.
    pub udp: Udp,
}

// SAFETY: Both fields are headers.
unsafe impl Header for UdpOver6 {}

/// The protocol number of UDP.
pub const UDP: u8 = 17;

/// A protocol above the link layer, as in Ethernet's type field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Protocol(pub u16);

impl Protocol {
    /// IPv4.
    pub const IPV4: Self = Self(0x0800_u16.to_be());
    /// IPv6.
    pub const IPV6: Self = Self(0x86dd_u16.to_be());
}

/// An address of either family.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// IPv4.
    V4([u8; 4]),
    /// IPv6.
    V6([u8; 16]),
}

impl Address {
    /// Whether it is an IPv4 address.
    #[inline]
    pub const fn is_v4(&self) -> bool {
        matches!(self, Self::V4(_))
    }

    /// Whether no host has the address: 0.0.0.0/8, or ::.
    ///
    /// Context: any.
    pub fn is_unspecified(&self) -> bool {
        match self {
            Self::V4(bytes) => bytes[0] == 0,
            Self::V6(bytes) => *bytes == [0; 16],
        }
    }

    /// Whether it is a multicast address.
    ///
    /// Context: any.
    pub fn is_multicast(&self) -> bool {
        match self {
            Self::V4(bytes) => bytes[0] & 0xf0 == 0xe0,
            Self::V6(bytes) => bytes[0] == 0xff,
        }
    }

    /// Whether it is an IPv4 address in the form of an IPv6 address.
    ///
    /// Context: any.
    pub fn is_mapped(&self) -> bool {
        match self {
            Self::V4(_) => false,
            Self::V6(bytes) => bytes.starts_with(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]),
        }
    }

    /// Whether it is an IPv6 address that is valid on one link.
    ///
    /// Context: any.
    pub fn is_link_local(&self) -> bool {
        match self {
            Self::V4(_) => false,
            Self::V6(bytes) => bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80,
        }
    }

    /// Whether it is the IPv6 address of the host itself.
    ///
    /// Context: any.
    pub fn is_loopback6(&self) -> bool {
        match self {
            Self::V4(_) => false,
            Self::V6(bytes) => u128::from_be_bytes(*bytes) == 1,
        }
    }
}
