// SPDX-License-Identifier: GPL-2.0

//! Devices that rtnetlink makes, with private data in Rust, and the requests to make them.
//!
//! The private data has no reference to its own device: callbacks get the [`Link`], which has both.

use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    mem::{align_of, offset_of},
    ptr,
};

use super::{
    bindings,
    context::Softirq,
    links::Links,
    netlink::{Attributes, Extack},
    queue::Queues,
    route::{Ends, Net, Route, RouteCache},
    skbuff::{Encapsulated, OuterHeader, Reason, SkBuff},
    socket::Peer,
    stats::{Counter, PerCpuStats},
};

/// What follows `struct net_device`.
///
/// # Invariants
///
/// `net` is valid until the device is unregistered: the devices of a namespace that dies are.
/// `sk` is that of the peer's socket, as long as the device is up.
#[repr(C)]
pub(super) struct Private<T> {
    pub(super) peer: Peer,
    pub(super) net: *mut bindings::net,
    pub(super) sk: *mut bindings::sock,
    pub(super) queues: Queues,
    pub(super) routes: RouteCache,
    pub(super) data: T,
    /// In `Class::links`.
    pub(super) links: UnsafeCell<Links>,
}

/// A registered device with its private data.
///
/// # Invariants
///
/// A reference to it exists only inside callbacks of the device, which end before it is freed.
#[repr(transparent)]
pub struct Link<T>(UnsafeCell<bindings::net_device>, PhantomData<T>);

impl<T> Link<T> {
    pub(super) const PRIVATE: usize = {
        assert!(align_of::<Private<T>>() <= 64);
        offset_of!(bindings::net_device, priv_)
    };

    /// # Safety
    ///
    /// `device` is a registered device of this driver, for `'a`.
    #[inline]
    pub(super) unsafe fn from_raw<'a>(device: *mut bindings::net_device) -> &'a Self {
        // SAFETY: The caller promises it. The type is transparent.
        unsafe { &*device.cast() }
    }

    /// # Safety
    ///
    /// `peer` is that of a device of this driver, which was attached when the RCU reader began,
    /// which runs for `'a`.
    #[inline]
    pub(super) unsafe fn of_peer<'a>(peer: *const Peer) -> &'a Self {
        // SAFETY: The caller promises it: the peer is in the private data, behind the device.
        unsafe {
            &*peer
                .byte_sub(offset_of!(Private<T>, peer) + Self::PRIVATE)
                .cast()
        }
    }

    #[inline]
    fn as_raw(&self) -> *mut bindings::net_device {
        self.0.get()
    }

    #[inline]
    pub(super) fn private_raw(device: *mut bindings::net_device) -> *mut Private<T> {
        device.wrapping_byte_add(Self::PRIVATE).cast()
    }

    #[inline]
    pub(super) fn private(&self) -> &Private<T> {
        // SAFETY: By the invariants the private data is complete, and not dropped yet.
        unsafe { &*Self::private_raw(self.as_raw()) }
    }

    /// The driver's private data.
    ///
    /// Context: any.
    #[inline]
    pub fn data(&self) -> &T {
        &self.private().data
    }

    /// The ends of the packets that carry those of the device.
    ///
    /// Context: any.
    #[inline]
    pub fn ends(&self) -> &Ends {
        self.private().peer.ends()
    }

    /// The network namespace of the socket. The device may have moved to another one.
    ///
    /// Context: any.
    #[inline]
    pub fn net(&self) -> &Net {
        // SAFETY: By the invariants the namespace is valid.
        unsafe { Net::from_raw(self.private().net) }
    }

    /// Whether the device has moved to another network namespace than its socket's.
    ///
    /// Context: any.
    #[inline]
    pub fn has_moved(&self) -> bool {
        // SAFETY: The device is valid. It may move while this reads.
        let net = unsafe { ptr::read_volatile(&raw const (*self.as_raw()).nd_net.net) };

        !ptr::eq(net, self.private().net)
    }

    /// Whether the device is up: neither one that is down nor one being unregistered receives.
    ///
    /// Context: any.
    #[inline]
    pub fn is_up(&self) -> bool {
        // SAFETY: The device is valid. Others change the bits.
        let state = unsafe { ptr::read_volatile(&raw const (*self.as_raw()).state) };

        state & (1 << bindings::DSBENCH_NET_LINK_STATE_START) != 0
    }

    /// The route of the device's packets.
    ///
    /// Context: any.
    #[inline]
    pub fn routes(&self) -> &RouteCache {
        &self.private().routes
    }

    /// The statistics of the device.
    ///
    /// Context: any.
    #[inline]
    pub fn stats(&self) -> PerCpuStats<'_> {
        // SAFETY: The device is registered as long as this is borrowed.
        unsafe { PerCpuStats::new(self.as_raw()) }
    }

    /// Whether a route leads into this device.
    ///
    /// Context: any.
    pub fn is_device_of(&self, route: &Route) -> bool {
        ptr::eq(route.device(), self.as_raw())
    }

    /// Reserves room before packets, so that they are not copied. It never shrinks.
    ///
    /// Context: any.
    pub fn reserve_headroom(&self, headroom: u16) {
        // SAFETY: The device is valid. Others read the field, and may write it.
        unsafe {
            let field = &raw mut (*self.as_raw()).needed_headroom;

            if headroom > ptr::read_volatile(field) {
                ptr::write_volatile(field, headroom);
            }
        }
    }

    /// Whether tunnels do not lead into each other too deeply.
    ///
    /// Context: softirqs are disabled, RCU is held.
    #[inline]
    pub fn may_recurse(&self, _: &Softirq) -> bool {
        // SAFETY: Softirqs are disabled.
        unsafe { bindings::dsbench_net_recursion_ok() }
    }

    /// Sends an encapsulated packet. Completes length, identification and checksum of its IP header.
    /// Returns false if the underlay dropped it.
    ///
    /// Context: softirqs are disabled.
    #[inline]
    pub fn send<H: OuterHeader>(&self, skb: Encapsulated<'_, H>, _: &Softirq) -> bool {
        let private = self.private();

        // SAFETY: By the invariants all are valid. The function takes over the packet, and RCU is
        // held: what keeps the packet for longer takes a reference to its route.
        unsafe { H::send(private.net, private.sk, skb.into_raw()) == 0 }
    }

    /// Queues a decapsulated packet for delivery and counts it. Drops it where the queue is full.
    ///
    /// Context: softirqs are disabled, RCU is held.
    #[inline]
    pub fn deliver(&self, mut skb: SkBuff, softirq: &Softirq) {
        let len = skb.len();

        skb.set_device(self.as_raw());
        match self.private().queues.push(skb, softirq) {
            Ok(()) => self.stats().received(len, softirq),
            Err((skb, reason)) => self.drop_received(skb, reason),
        }
    }

    #[cold]
    fn drop_received(&self, skb: SkBuff, reason: Reason) {
        self.stats().count(Counter::RX_DROPPED);
        skb.discard(reason);
    }
}

/// A request to make a device.
pub struct NewLink<'a> {
    pub(super) device: *mut bindings::net_device,
    pub(super) net: &'a Net,
    pub(super) data: Attributes<'a>,
    pub(super) extack: Extack<'a>,
    pub(super) mtu_is_given: bool,
}

impl<'a> NewLink<'a> {
    /// The attributes of the driver.
    ///
    /// Context: process context, under `rtnl_lock()`.
    pub fn attributes(&self) -> Attributes<'a> {
        self.data
    }

    /// The place for the sentence that says why the request is refused.
    ///
    /// Context: process context, under `rtnl_lock()`.
    pub fn extack(&self) -> &Extack<'a> {
        &self.extack
    }

    /// The network namespace of the socket.
    ///
    /// Context: process context, under `rtnl_lock()`.
    pub fn net(&self) -> &'a Net {
        self.net
    }

    /// Adapts the device to its underlay: the room before and behind packets in bytes, and the MTU,
    /// unless the user has given one. Returns false if that exceeds what is allowed.
    ///
    /// Context: process context, under `rtnl_lock()`.
    pub fn fit(&mut self, headroom: u16, tailroom: u16, mtu: u32, largest: u32) -> bool {
        // SAFETY: The device is valid, and not registered yet.
        let device = unsafe { &mut *self.device };

        device.needed_headroom = headroom;
        device.needed_tailroom = tailroom;
        device.max_mtu = largest;
        if !self.mtu_is_given {
            device.mtu = mtu.max(device.min_mtu).min(largest);
        }
        device.mtu <= largest
    }
}
