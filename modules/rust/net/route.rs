// SPDX-License-Identifier: GPL-2.0

//! Routes, and their cache.

use core::{
    cell::UnsafeCell,
    mem::ManuallyDrop,
    ptr::{self, NonNull},
};

use kernel::error::{from_err_ptr, to_result, Result};

use super::{bindings, context::Softirq, ip::Address};

/// A network namespace.
#[repr(transparent)]
pub struct Net(UnsafeCell<bindings::net>);

// SAFETY: The functions that take a namespace have locks of their own.
unsafe impl Sync for Net {}

impl Net {
    /// # Safety
    ///
    /// The namespace outlives `'a`.
    #[inline]
    pub(super) unsafe fn from_raw<'a>(net: *mut bindings::net) -> &'a Self {
        // SAFETY: The caller promises a valid pointer. The type is transparent.
        unsafe { &*net.cast() }
    }

    #[inline]
    pub(super) fn as_raw(&self) -> *mut bindings::net {
        self.0.get()
    }

    /// Whether all interfaces take the IPv4 address as one of broadcast.
    pub fn is_broadcast(&self, address: &Address) -> bool {
        self.has_type(address, bindings::RTN_BROADCAST)
    }

    /// Whether the address is one of this host.
    ///
    /// Context: process context.
    pub fn is_local(&self, address: &Address) -> bool {
        match address {
            Address::V4(_) => self.has_type(address, bindings::RTN_LOCAL),
            Address::V6(bytes) => {
                let bytes = bytes.as_ptr().cast();

                // SAFETY: The namespace is valid; an address is 16 bytes.
                let is_local = unsafe { bindings::dsbench_net_is_local6(self.as_raw(), bytes) };

                is_local || address.is_loopback6()
            }
        }
    }

    fn has_type(&self, address: &Address, wanted: u32) -> bool {
        match address {
            Address::V4(bytes) => {
                let word = u32::from_ne_bytes(*bytes);

                // SAFETY: The namespace is valid.
                wanted == unsafe { bindings::dsbench_net_addr_type4(self.as_raw(), word) }
            }
            Address::V6(_) => false,
        }
    }
}

/// Whether the kernel has IPv6: `ipv6.disable=1` takes it away.
pub fn has_ipv6() -> bool {
    // SAFETY: The function has no requirements.
    unsafe { bindings::dsbench_net_has_ipv6() }
}

/// The two ends of UDP packets: addresses of one family, and ports in host byte order.
#[derive(Clone, Copy)]
pub struct Ends {
    /// Our address.
    pub local: Address,
    /// The peer's address.
    pub remote: Address,
    /// Our port.
    pub local_port: u16,
    /// The peer's port.
    pub remote_port: u16,
}

pub(super) fn raw_address(address: &Address) -> bindings::dsbench_net_addr {
    let mut bytes = [0; 16];

    match address {
        Address::V4(four) => bytes[..4].copy_from_slice(four),
        Address::V6(all) => bytes = *all,
    }
    // SAFETY: The union is 16 bytes, and all are valid.
    unsafe { core::mem::transmute(bytes) }
}

pub(super) fn raw_family(address: &Address) -> u32 {
    match address {
        Address::V4(_) => bindings::AF_INET,
        Address::V6(_) => bindings::AF_INET6,
    }
}

/// A reference to a route.
///
/// # Invariants
///
/// The pointer is valid, and this owns a reference.
pub struct Route(NonNull<bindings::dst_entry>);

impl Route {
    /// Looks up the route of UDP packets, with a DSCP, an IPv6 flow label and a mark.
    ///
    /// Context: any but hard interrupts.
    pub fn find(net: &Net, ends: &Ends, dsfield: u8, label: u32, mark: u32) -> Result<Self> {
        let flow = bindings::dsbench_net_flow {
            family: raw_family(&ends.local) as u16,
            sport: ends.local_port.to_be(),
            dport: ends.remote_port.to_be(),
            dsfield,
            flowlabel: label.to_be(),
            mark,
            local: raw_address(&ends.local),
            remote: raw_address(&ends.remote),
        };
        // SAFETY: The namespace is valid, and the flow, too, for this call.
        let route = unsafe { bindings::dsbench_net_route(net.as_raw(), ptr::null(), &flow) };
        let route = from_err_ptr(route)?;

        // SAFETY: No error, so it is a route, and the reference is ours.
        Ok(Self(unsafe { NonNull::new_unchecked(route) }))
    }

    #[inline]
    pub(super) fn as_raw(&self) -> *mut bindings::dst_entry {
        self.0.as_ptr()
    }

    #[inline]
    pub(super) fn into_raw(self) -> *mut bindings::dst_entry {
        ManuallyDrop::new(self).0.as_ptr()
    }

    /// The MTU of the path in bytes.
    #[inline]
    pub fn mtu(&self) -> u32 {
        // SAFETY: The route is valid.
        unsafe { bindings::dsbench_net_dst_mtu(self.as_raw()) }
    }

    /// The room in bytes that the headers of the route's device need.
    pub fn headroom(&self) -> u32 {
        // SAFETY: The route is valid.
        unsafe { bindings::dsbench_net_dst_headroom(self.as_raw()) }
    }

    #[inline]
    pub(super) fn device(&self) -> *mut bindings::net_device {
        // SAFETY: The route is valid.
        unsafe { bindings::dsbench_net_dst_dev(self.as_raw()) }
    }

    /// The MTU of the route's device in bytes.
    pub fn device_mtu(&self) -> u32 {
        // SAFETY: The route holds a reference to its device. Others may change the field.
        unsafe { ptr::read_volatile(&raw const (*self.device()).mtu) }
    }

    /// The room in bytes that the route's device needs behind packets.
    pub fn device_tailroom(&self) -> u16 {
        // SAFETY: As above.
        unsafe { ptr::read_volatile(&raw const (*self.device()).needed_tailroom) }
    }
}

impl Drop for Route {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: This owns the reference.
        unsafe { bindings::dst_release(self.as_raw()) }
    }
}

/// The route to one receiver, kept by each CPU as long as it is valid.
///
/// A device has one, which the abstraction empties before the network namespace of the routes can
/// be freed. So nobody else can make one.
pub struct DstCache(UnsafeCell<bindings::dst_cache>);

// SAFETY: The cache is per CPU. Its functions need softirqs disabled, or exclusive access.
unsafe impl Sync for DstCache {}
// SAFETY: The memory of the cache belongs to no thread.
unsafe impl Send for DstCache {}

impl DstCache {
    /// Context: process context.
    pub(super) fn new() -> Result<Self> {
        // SAFETY: All zeroes are valid for the structure.
        let mut cache: bindings::dst_cache = unsafe { core::mem::zeroed() };

        // SAFETY: The structure may move: it has a pointer to the memory of the CPUs only.
        to_result(unsafe { bindings::dst_cache_init(&mut cache, kernel::bindings::GFP_KERNEL) })?;
        Ok(Self(UnsafeCell::new(cache)))
    }

    /// The route, unless it is outdated or the cache is empty.
    #[inline]
    pub fn get(&self, _: &Softirq) -> Option<Route> {
        // SAFETY: The cache is initialised, and softirqs are disabled.
        NonNull::new(unsafe { bindings::dst_cache_get(self.0.get()) }).map(Route)
    }

    /// Keeps a route from a local address.
    pub fn set(&self, route: &Route, local: &Address, _: &Softirq) {
        // SAFETY: The cache is initialised, softirqs are disabled, and the route is valid. The
        // cache takes a reference of its own.
        unsafe {
            match local {
                Address::V4(bytes) => bindings::dst_cache_set_ip4(
                    self.0.get(),
                    route.as_raw(),
                    u32::from_ne_bytes(*bytes),
                ),
                Address::V6(_) => bindings::dst_cache_set_ip6(
                    self.0.get(),
                    route.as_raw(),
                    &raw_address(local).v6,
                ),
            }
        }
    }

    /// Releases the routes.
    ///
    /// # Safety
    ///
    /// Nobody uses the cache at the same time.
    pub(super) unsafe fn clear(&self) {
        // SAFETY: The caller promises it.
        unsafe { bindings::dst_cache_reset_now(self.0.get()) }
    }
}

impl Drop for DstCache {
    fn drop(&mut self) {
        // SAFETY: The cache is initialised, and the access is exclusive.
        unsafe { bindings::dst_cache_destroy(self.0.get()) }
    }
}
