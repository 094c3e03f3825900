// SPDX-License-Identifier: GPL-2.0

//! Socket buffers, owned: whoever sends, delivers or drops one cannot touch it afterwards.

use core::{
    marker::PhantomData,
    mem::{size_of, ManuallyDrop},
    ptr::{self, NonNull},
};

use super::{
    bindings,
    context::Softirq,
    ip::{Header, Ipv4, Ipv6, Protocol, UdpOver4, UdpOver6},
    route::CachedRoute,
};

/// The fields that copies of a buffer share.
type Headers = bindings::sk_buff__bindgen_ty_4__bindgen_ty_2;

/// Why a packet is dropped, as drop monitors show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Reason(bindings::skb_drop_reason);

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $value:ident;)*) => {
        impl Reason {
            $($(#[$doc])* pub const $name: Self = Self(bindings::$value);)*
        }
    };
}

reasons! {
    /// The queue of the CPU is full.
    BACKLOG = skb_drop_reason_SKB_DROP_REASON_CPU_BACKLOG;
    /// The checksum is missing.
    CHECKSUM = skb_drop_reason_SKB_DROP_REASON_UDP_CSUM;
    /// The device is down.
    DEVICE_DOWN = skb_drop_reason_SKB_DROP_REASON_DEV_READY;
    /// The inner header cannot carry the congestion mark of the outer one.
    ECN = skb_drop_reason_SKB_DROP_REASON_IP_TUNNEL_ECN;
    /// It is no IP packet.
    PROTOCOL = skb_drop_reason_SKB_DROP_REASON_INVALID_PROTO;
    /// Memory is exhausted.
    MEMORY = skb_drop_reason_SKB_DROP_REASON_NOMEM;
    /// There is no route to the receiver.
    NO_ROUTE = skb_drop_reason_SKB_DROP_REASON_IP_OUTNOROUTES;
    /// The sender is no peer.
    NO_SOCKET = skb_drop_reason_SKB_DROP_REASON_NO_SOCKET;
    /// Tunnels lead into each other.
    RECURSION = skb_drop_reason_SKB_DROP_REASON_RECURSION_LIMIT;
    /// It came from another device than its source address may come from.
    SOURCE = skb_drop_reason_SKB_DROP_REASON_IP_RPFILTER;
    /// The packet is too large for the path.
    TOO_BIG = skb_drop_reason_SKB_DROP_REASON_PKT_TOO_BIG;
    /// The packet is shorter than its header says.
    TOO_SMALL = skb_drop_reason_SKB_DROP_REASON_PKT_TOO_SMALL;
    /// The packet ends in its header.
    TRUNCATED = skb_drop_reason_SKB_DROP_REASON_HDR_TRUNC;
}

/// A socket buffer with one packet.
///
/// Functions that give it away take it by value. Dropping it frees the packet.
///
/// # Invariants
///
/// The pointer is valid, and this is the only reference to the buffer: nobody else changes its
/// fields. `head..head + tail` is allocated; C wrote it, or left in it what was there before. The
/// data may be shared with a clone, so it changes only where the buffer says that it may.
pub struct SkBuff(NonNull<bindings::sk_buff>);

impl SkBuff {
    /// # Safety
    ///
    /// The caller gives up its reference to `skb`, which is the only one.
    #[inline]
    pub(super) unsafe fn from_raw(skb: *mut bindings::sk_buff) -> Self {
        // SAFETY: The caller promises a valid pointer.
        Self(unsafe { NonNull::new_unchecked(skb) })
    }

    /// Gives the reference up. The caller owns it.
    #[inline]
    pub(super) fn into_raw(self) -> *mut bindings::sk_buff {
        ManuallyDrop::new(self).0.as_ptr()
    }

    #[inline]
    pub(super) fn as_raw(&self) -> *mut bindings::sk_buff {
        self.0.as_ptr()
    }

    #[inline]
    fn fields(&self) -> &bindings::sk_buff {
        // SAFETY: By the invariants the buffer is valid, and nobody else changes its fields.
        unsafe { self.0.as_ref() }
    }

    #[inline]
    fn fields_mut(&mut self) -> &mut bindings::sk_buff {
        // SAFETY: As above, and the reference to this is exclusive.
        unsafe { self.0.as_mut() }
    }

    #[inline]
    fn headers_raw(&self) -> *mut Headers {
        // SAFETY: By the invariants the buffer is valid.
        unsafe { (&raw mut (*self.0.as_ptr()).__bindgen_anon_4).cast() }
    }

    #[inline]
    fn headers(&self) -> &Headers {
        // SAFETY: As for `fields`. The group of fields has this type.
        unsafe { &*self.headers_raw() }
    }

    #[inline]
    fn headers_mut(&mut self) -> &mut Headers {
        // SAFETY: As for `fields_mut`.
        unsafe { &mut *self.headers_raw() }
    }

    #[inline]
    fn shared_info(&self) -> *const bindings::skb_shared_info {
        let fields = self.fields();

        // SAFETY: The structure begins where the data ends, in the same allocation.
        unsafe { fields.head.add(fields.end as usize).cast() }
    }

    /// The length of the packet from its first byte in bytes.
    ///
    /// Context: any.
    #[inline]
    pub fn len(&self) -> u32 {
        self.fields().len
    }

    /// Whether the packet has no bytes.
    ///
    /// Context: any.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The protocol of the packet.
    ///
    /// Context: any.
    #[inline]
    pub fn protocol(&self) -> Protocol {
        Protocol(self.headers().protocol)
    }

    /// Whether the packet is to be split into several.
    ///
    /// Context: any.
    #[inline]
    pub fn is_gso(&self) -> bool {
        // SAFETY: The structure is valid as long as the buffer.
        unsafe { (*self.shared_info()).gso_size != 0 }
    }

    /// Whether a clone shares the headers, and the room before them.
    #[inline]
    fn shares_headers(&self) -> bool {
        // SAFETY: The buffer is valid.
        if unsafe { bindings::sk_buff::cloned_raw(self.0.as_ptr()) } == 0 {
            return false;
        }
        // SAFETY: The structure is valid as long as the buffer. Owners of clones change the count.
        let count = unsafe { ptr::read_volatile(&raw const (*self.shared_info()).dataref.counter) };

        // The upper half counts those who use the payload only.
        (count & bindings::DSBENCH_NET_DATAREF_MASK as i32)
            .wrapping_sub(count >> bindings::DSBENCH_NET_DATAREF_SHIFT)
            != 1
    }

    /// The bits by which rules of routing and filters select the packet.
    ///
    /// Context: any.
    #[inline]
    pub fn mark(&self) -> u32 {
        // SAFETY: All bytes are valid for both members of the union.
        unsafe { self.headers().__bindgen_anon_4.mark }
    }

    /// The device that the packet came from, as a number.
    #[inline]
    pub(super) fn arrival(&self) -> i32 {
        self.headers().skb_iif
    }

    /// The offset of the packet's first byte from the head of the buffer.
    #[inline]
    fn offset(&self) -> usize {
        let fields = self.fields();

        (fields.data as usize).wrapping_sub(fields.head as usize)
    }

    /// The header at an offset from the head of the buffer; None if it is not in linear data.
    #[inline]
    fn at<H: Header>(&self, offset: usize) -> Option<&H> {
        let fields = self.fields();

        if offset.wrapping_add(size_of::<H>()) > fields.tail as usize {
            return None;
        }
        // SAFETY: By the invariants the bytes are allocated. All bytes are valid for a header, and
        // its alignment is 1. Changes of the data need an exclusive reference to the buffer; to a
        // clone they are impossible.
        Some(unsafe { &*fields.head.add(offset).cast() })
    }

    /// Makes the first `len` bytes linear. Returns false if there are fewer, or no memory is left.
    ///
    /// Context: any but hard interrupts.
    #[inline]
    pub fn may_pull(&mut self, len: u32) -> bool {
        let fields = self.fields();
        let linear = fields.len.wrapping_sub(fields.data_len);

        if len <= linear {
            return true;
        }
        if len > fields.len {
            return false;
        }
        // SAFETY: The buffer is valid and has as many bytes outside of its linear data.
        unsafe { !bindings::__pskb_pull_tail(self.as_raw(), (len - linear) as i32).is_null() }
    }

    /// The byte at an offset from the packet's first byte, made linear.
    ///
    /// Context: any.
    #[inline]
    pub fn byte(&mut self, offset: u32) -> Option<u8> {
        if !self.may_pull(offset.checked_add(1)?) {
            return None;
        }
        // SAFETY: The byte is in the linear data.
        Some(unsafe { *self.fields().data.add(offset as usize) })
    }

    /// The header at an offset from the packet's first byte, made linear; None if the packet is
    /// shorter, or no memory is left.
    ///
    /// Context: any.
    #[inline]
    pub fn header<H: Header>(&mut self, offset: u32) -> Option<&H> {
        if !self.may_pull(offset.checked_add(size_of::<H>() as u32)?) {
            return None;
        }
        // SAFETY: The header is in the linear data, which the reference does not outlive; as for
        // `at` all else.
        Some(unsafe { &*self.fields().data.add(offset as usize).cast() })
    }

    /// The network header, if it is in linear data.
    ///
    /// Context: any.
    #[inline]
    pub fn network_header<H: Header>(&self) -> Option<&H> {
        self.at(usize::from(self.headers().network_header))
    }

    /// The transport header, if it is in linear data.
    ///
    /// Context: any.
    #[inline]
    pub fn transport_header<H: Header>(&self) -> Option<&H> {
        self.at(usize::from(self.headers().transport_header))
    }

    /// The network header of a packet to be sent, made linear.
    ///
    /// Context: any but hard interrupts.
    #[inline]
    pub fn pull_network_header<H: Header>(&mut self) -> Option<&H> {
        let offset = usize::from(self.headers().network_header).wrapping_sub(self.offset());

        if offset == 0 {
            return self.header(0);
        }
        self.header(u32::try_from(offset).ok()?)
    }

    /// Says that the network header is the packet's first byte, and that nothing is before it.
    ///
    /// Context: any.
    #[inline]
    pub fn begin_at_network_header(&mut self) {
        let offset = self.offset() as u16;
        let headers = self.headers_mut();

        headers.network_header = offset;
        headers.mac_header = offset;
    }

    /// Sets the transport header, as an offset from the packet's first byte.
    ///
    /// Context: any.
    #[inline]
    pub fn set_transport_header(&mut self, offset: u32) {
        let from_head = self.offset().wrapping_add(offset.min(self.len()) as usize);

        self.headers_mut().transport_header = from_head as u16;
    }

    /// The offset of the transport header in an IPv6 packet with extension headers; None if they
    /// are malformed.
    ///
    /// Context: any.
    pub fn skip_extension_headers(&self, header: &Ipv6) -> Option<u32> {
        let mut next = header.next_header;
        let mut fragment = 0;

        // SAFETY: The buffer is valid; the other pointers are, too, for this call.
        let offset = unsafe {
            bindings::ipv6_skip_exthdr(
                self.as_raw(),
                size_of::<Ipv6>() as i32,
                &mut next,
                &mut fragment,
            )
        };

        u32::try_from(offset).ok()
    }

    /// Removes the headers before an inner packet, and what the outer packet left in the buffer.
    ///
    /// `crosses` says that the inner packet enters another network namespace. Returns false if no
    /// memory is left.
    ///
    /// Context: softirqs are disabled.
    #[inline]
    pub fn decapsulate(&mut self, len: u32, protocol: Protocol, crosses: bool) -> bool {
        // SAFETY: The buffer is valid. The function checks the length.
        unsafe {
            bindings::__iptunnel_pull_header(self.as_raw(), len as i32, protocol.0, true, crosses)
                == 0
        }
    }

    /// Makes room before the packet. Returns false if no memory is left.
    ///
    /// Context: softirqs are disabled.
    #[inline]
    pub fn make_headroom(&mut self, headroom: u32) -> bool {
        if self.offset() >= headroom as usize && !self.shares_headers() {
            return true;
        }
        // SAFETY: The buffer is valid.
        unsafe { bindings::dsbench_net_make_headroom(self.as_raw(), headroom) == 0 }
    }

    /// Prepares the offloads of a UDP tunnel, with a checksum or without. Returns false if the
    /// packet cannot be sent so.
    ///
    /// Context: softirqs are disabled.
    #[inline]
    pub fn prepare_offloads(&mut self, checksum: bool) -> bool {
        let headers = self.headers();

        if headers.encapsulation() != 0 || self.is_gso() {
            // SAFETY: The buffer is valid.
            return unsafe { bindings::dsbench_net_handle_offloads(self.as_raw(), checksum) == 0 };
        }
        let headers = self.headers_mut();

        // As udp_tunnel_handle_offloads() does for most packets.
        headers.inner_mac_header = headers.mac_header;
        headers.inner_network_header = headers.network_header;
        headers.inner_transport_header = headers.transport_header;
        if u32::from(headers.ip_summed()) == bindings::CHECKSUM_PARTIAL {
            headers.set_encapsulation(1);
        } else {
            headers.set_ip_summed(bindings::CHECKSUM_NONE as u8);
        }
        true
    }

    /// Makes the packet the inner one of a tunnel: what it carries of its sender goes, it takes
    /// the route, and gets the headers in front. `make_headroom` has made room for them: without,
    /// this gives the packet back.
    ///
    /// The packet has no reference to the route, but borrows it.
    ///
    /// `crosses` says that the outer packet enters another network namespace.
    ///
    /// Context: softirqs are disabled, RCU is held.
    #[inline]
    pub fn encapsulate<'a, H: OuterHeader>(
        mut self,
        route: &'a CachedRoute,
        crosses: bool,
        outer: &H,
        _: &'a Softirq,
    ) -> Result<Encapsulated<'a, H>, Self> {
        let offset = self.offset();

        if offset < size_of::<H>() || self.shares_headers() {
            return Err(self);
        }
        let headers = self.headers_mut();

        headers.__bindgen_anon_5.inner_protocol = headers.protocol;
        headers.set_inner_protocol_type(0);
        // SAFETY: The buffer is valid.
        unsafe { bindings::skb_scrub_packet(self.as_raw(), crosses) };
        if self.headers().l4_hash() == 0 {
            self.clear_hash();
        }
        let start = offset.wrapping_sub(size_of::<H>()) as u16;
        let headers = self.headers_mut();

        headers.set_slow_gro(1);
        headers.network_header = start;
        headers.transport_header = start.wrapping_add(H::TRANSPORT);
        let fields = self.fields_mut();

        fields.__bindgen_anon_3.__bindgen_anon_1._skb_refdst =
            route.as_raw() as usize | bindings::SKB_DST_NOREF as usize;
        fields.len = fields.len.wrapping_add(size_of::<H>() as u32);
        // SAFETY: The room is between the head and the data, and no clone shares it. The alignment
        // of a header is 1.
        unsafe {
            fields.data = fields.data.sub(size_of::<H>());
            fields.data.cast::<H>().write(*outer);
        }
        Ok(Encapsulated {
            skb: self,
            _headers: PhantomData,
            _route: PhantomData,
        })
    }

    /// Whether the packet, or each packet that it is to be split into, fits.
    ///
    /// Context: any.
    #[inline]
    pub fn fits(&self, mtu: u32) -> bool {
        if self.is_gso() {
            // SAFETY: The buffer is valid.
            return unsafe { bindings::skb_gso_validate_network_len(self.as_raw(), mtu) };
        }
        self.len() <= mtu
    }

    /// Tells the sender, local or remote, that the path does not take packets of this size.
    ///
    /// Context: softirqs are disabled.
    pub fn report_mtu(&mut self, mtu: u32) {
        // SAFETY: The buffer is valid.
        unsafe { bindings::dsbench_net_report_mtu(self.as_raw(), mtu) }
    }

    /// Forgets the hash of the flow: that of the outer flow is the same for all inner flows.
    ///
    /// Context: any.
    #[inline]
    pub fn clear_hash(&mut self) {
        let headers = self.headers_mut();

        headers.hash = 0;
        headers.set_sw_hash(0);
        headers.set_l4_hash(0);
    }

    /// Applies the congestion mark of the outer header to the inner header, the packet's first
    /// `len` bytes. Returns false if that cannot carry it, or no memory is left.
    ///
    /// Context: softirqs are disabled.
    pub fn decapsulate_ecn(&mut self, outer: u8, inner: u8, len: u32) -> bool {
        // SAFETY: The buffer is valid.
        unsafe { bindings::dsbench_net_decapsulate_ecn(self.as_raw(), outer, inner, len) }
    }

    #[inline]
    pub(super) fn set_device(&mut self, device: *mut bindings::net_device) {
        self.fields_mut()
            .__bindgen_anon_1
            .__bindgen_anon_1
            .__bindgen_anon_1
            .dev = device;
    }

    /// Frees the packet and says why.
    ///
    /// Context: any but hard interrupts.
    #[inline]
    pub fn discard(self, reason: Reason) {
        // SAFETY: This gives up the only reference.
        unsafe { bindings::sk_skb_reason_drop(ptr::null_mut(), self.into_raw(), reason.0) }
    }
}

impl Drop for SkBuff {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: This gives up the only reference.
        unsafe {
            bindings::sk_skb_reason_drop(
                ptr::null_mut(),
                self.as_raw(),
                bindings::skb_drop_reason_SKB_DROP_REASON_NOT_SPECIFIED,
            )
        }
    }
}

/// The headers of a tunnel that one function of the kernel completes and sends.
pub trait OuterHeader: Header {
    /// The offset of the transport header in bytes.
    const TRANSPORT: u16;

    /// Sets the UDP checksum of a packet that is `len` bytes long from the UDP header on.
    ///
    /// Context: any.
    #[doc(hidden)]
    fn set_checksum(&self, skb: &mut SkBuff, len: i32);

    /// Completes the network header and sends the packet, which it takes over.
    ///
    /// # Safety
    ///
    /// `skb` begins with these headers; the namespace and the socket are valid. Softirqs are
    /// disabled.
    #[doc(hidden)]
    unsafe fn send(
        net: *mut bindings::net,
        sk: *mut bindings::sock,
        skb: *mut bindings::sk_buff,
    ) -> i32;
}

impl OuterHeader for UdpOver4 {
    const TRANSPORT: u16 = size_of::<Ipv4>() as u16;

    #[inline]
    fn set_checksum(&self, skb: &mut SkBuff, len: i32) {
        let source = u32::from_ne_bytes(self.ip.source);
        let destination = u32::from_ne_bytes(self.ip.destination);

        // SAFETY: The buffer is valid. `Encapsulated` says that it has a UDP header.
        unsafe { bindings::udp_set_csum(false, skb.as_raw(), source, destination, len) }
    }

    #[inline]
    unsafe fn send(
        net: *mut bindings::net,
        sk: *mut bindings::sock,
        skb: *mut bindings::sk_buff,
    ) -> i32 {
        // SAFETY: The caller promises it.
        unsafe { bindings::dsbench_net_send4(net, sk, skb) }
    }
}

impl OuterHeader for UdpOver6 {
    const TRANSPORT: u16 = size_of::<Ipv6>() as u16;

    #[inline]
    fn set_checksum(&self, skb: &mut SkBuff, len: i32) {
        let source = self.ip.source.as_ptr().cast();
        let destination = self.ip.destination.as_ptr().cast();

        // SAFETY: As above. An address is 16 bytes, which C may read at any alignment on x86.
        unsafe { bindings::udp6_set_csum(false, skb.as_raw(), source, destination, len) }
    }

    #[inline]
    unsafe fn send(
        net: *mut bindings::net,
        sk: *mut bindings::sock,
        skb: *mut bindings::sk_buff,
    ) -> i32 {
        // SAFETY: The caller promises it.
        unsafe { bindings::dsbench_net_send6(net, sk, skb) }
    }
}

/// A packet that has its outer headers and its route: all that is left is to send it.
///
/// # Invariants
///
/// The packet begins with the headers, in linear data that no clone shares, and has a route, which
/// exists for `'a`: an RCU reader is running, and the owner of a reference is borrowed.
pub struct Encapsulated<'a, H: OuterHeader> {
    skb: SkBuff,
    _headers: PhantomData<H>,
    _route: PhantomData<&'a CachedRoute>,
}

impl<H: OuterHeader> Encapsulated<'_, H> {
    /// Completes the UDP checksum for the addresses of the headers, or leaves it to the device.
    ///
    /// Context: any.
    #[inline]
    pub fn set_udp_checksum(&mut self, outer: &H) {
        let len = self.skb.len().wrapping_sub(u32::from(H::TRANSPORT));

        outer.set_checksum(&mut self.skb, len as i32);
    }

    /// Permits fragmentation of an IPv6 packet, or forbids it.
    ///
    /// Context: any.
    #[inline]
    pub fn set_ignore_df(&mut self, ignore: bool) {
        self.skb.headers_mut().set_ignore_df(ignore.into());
    }

    #[inline]
    pub(super) fn into_raw(self) -> *mut bindings::sk_buff {
        self.skb.into_raw()
    }
}
