// SPDX-License-Identifier: GPL-2.0

//! Routes, and their cache.

use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    mem::MaybeUninit,
    ptr::{self, NonNull},
    sync::atomic::{AtomicPtr, Ordering},
};

use kernel::{
    alloc::{flags::GFP_ATOMIC, KBox},
    error::{from_err_ptr, Result},
};

use super::{bindings, context::Softirq, ip::Address, layout};

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

    /// The generation of IPv4 routes: any change of routes or addresses begins another one.
    #[inline]
    fn generation4(&self) -> i32 {
        // SAFETY: The namespace is valid; the kernel's compiler says where the number is. Others
        // change it.
        unsafe {
            let field = self.as_raw().byte_add(layout::OFFSET_IN_net);

            ptr::read_volatile(field.cast())
        }
    }

    /// Whether all interfaces take the IPv4 address as one of broadcast.
    ///
    /// Context: any but hard interrupts.
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
///
/// Context: any.
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

    /// The room in bytes that the headers of the route's device need.
    ///
    /// Context: any.
    pub fn headroom(&self) -> u32 {
        // SAFETY: The route is valid.
        unsafe { bindings::dsbench_net_dst_headroom(self.as_raw()) }
    }

    #[inline]
    pub(super) fn device(&self) -> *mut bindings::net_device {
        // SAFETY: The route is valid. Others may change the field.
        unsafe { ptr::read_volatile(&raw const (*self.as_raw()).__bindgen_anon_1.dev) }
    }

    /// The MTU of the route's device in bytes.
    ///
    /// Context: any.
    #[inline]
    pub fn device_mtu(&self) -> u32 {
        // SAFETY: The route holds a reference to its device. Others may change the field.
        unsafe { ptr::read_volatile(&raw const (*self.device()).mtu) }
    }

    /// The room in bytes that the route's device needs behind packets.
    ///
    /// Context: any.
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

/// A route to a peer, and what each packet needs of it.
///
/// # Invariants
///
/// If `is_plain`, the route is an IPv4 one without IPsec, encapsulation and metrics of the MTU: it
/// is valid during its generation, and its MTU is that of the device until one of the path is
/// learnt.
pub struct CachedRoute {
    route: Route,
    headroom: u32,
    cookie: u32,
    generation: i32,
    is_plain: bool,
}

impl CachedRoute {
    /// Takes over a route, for packets that get headers of `overhead` bytes in front.
    ///
    /// Context: any but hard interrupts.
    pub fn new(route: Route, overhead: u32) -> Self {
        let dst = route.as_raw();

        // SAFETY: The route is valid. The functions check what family it is of.
        unsafe {
            Self {
                headroom: route.headroom().saturating_add(overhead),
                cookie: bindings::dsbench_net_dst_cookie(dst),
                generation: bindings::dsbench_net_dst_generation(dst),
                is_plain: bindings::dsbench_net_dst_is_plain(dst),
                route,
            }
        }
    }

    #[inline]
    pub(super) fn as_raw(&self) -> *mut bindings::dst_entry {
        self.route.as_raw()
    }

    /// The room in bytes that the headers of a packet and of the route's device need.
    ///
    /// Context: any.
    #[inline]
    pub fn headroom(&self) -> u32 {
        self.headroom
    }

    /// Whether the route may still be used, as dst_check().
    #[inline]
    fn is_valid(&self, net: &Net) -> bool {
        let dst = self.as_raw();

        if self.is_plain {
            // SAFETY: The route is valid. Others may change the field.
            let obsolete = unsafe { ptr::read_volatile(&raw const (*dst).obsolete) };

            return i32::from(obsolete) == bindings::DST_OBSOLETE_FORCE_CHK
                && self.generation == net.generation4();
        }
        // SAFETY: The route is valid, and the cookie is its own.
        unsafe { bindings::dsbench_net_dst_is_valid(dst, self.cookie) }
    }

    /// Whether a plain route has no MTU of its own: one that was learnt, or is locked.
    #[inline]
    fn has_mtu_of_device(&self) -> bool {
        if !self.is_plain {
            return false;
        }
        let route: *mut bindings::rtable = self.as_raw().cast();

        // SAFETY: By the invariants a plain route is an IPv4 one, whose structure begins with the
        // common one, and whose bits are as long and as aligned. Others may change them.
        let bits: u32 = unsafe { ptr::read_volatile((&raw const (*route)._bitfield_1).cast()) };

        bits == 0
    }

    /// The MTU of the path in bytes, and whether the path keeps to it: a packet may exceed one that
    /// does not, and must then be fragmented.
    ///
    /// Context: softirqs are disabled, RCU is held.
    #[inline]
    pub fn mtu(&self, _: &Softirq) -> (u32, bool) {
        if self.has_mtu_of_device() {
            return (self.route.device_mtu().min(u32::from(u16::MAX)), true);
        }
        // SAFETY: The route is valid.
        unsafe {
            (
                bindings::dsbench_net_dst_mtu(self.as_raw()),
                !bindings::dsbench_net_dst_mtu_is_locked(self.as_raw()),
            )
        }
    }
}

/// A route in memory that is freed after a grace period.
#[repr(C)]
struct Entry {
    /// Of RCU, once the entry has been replaced.
    deferred: UnsafeCell<MaybeUninit<bindings::dsbench_net_deferred>>,
    route: CachedRoute,
}

/// The route to one receiver, which packets use under RCU without a reference of their own.
///
/// A device has one, which the abstraction empties before the network namespace of the routes can
/// be freed. So nobody else can make one.
///
/// # Invariants
///
/// The pointer is null or that of an entry in memory of `KBox`, which is immutable. The cache owns
/// it, and with it the reference to the route. Whoever takes it out of the cache releases the
/// reference, and frees the entry a grace period later; the kernel frees routes then, too.
pub struct RouteCache {
    entry: AtomicPtr<Entry>,
    _owns: PhantomData<Entry>,
}

// SAFETY: Entries are immutable; the functions of routes have locks of their own.
unsafe impl Sync for RouteCache {}
// SAFETY: An entry and its route belong to no thread.
unsafe impl Send for RouteCache {}

impl RouteCache {
    pub(super) const fn new() -> Self {
        Self {
            entry: AtomicPtr::new(ptr::null_mut()),
            _owns: PhantomData,
        }
    }

    /// The route, unless it is outdated in its namespace or the cache is empty.
    ///
    /// Context: softirqs are disabled, RCU is held.
    #[inline]
    pub fn get<'a>(&'a self, net: &Net, _: &'a Softirq) -> Option<&'a CachedRoute> {
        // SAFETY: By the invariants the entry is valid, and stays so while the RCU reader runs,
        // which the reference does not outlive.
        let entry = unsafe { self.entry.load(Ordering::Acquire).as_ref() }?;

        entry.route.is_valid(net).then_some(&entry.route)
    }

    /// Keeps a route instead of the one before. Gives it back if no memory is left.
    ///
    /// Context: softirqs are disabled, RCU is held.
    pub fn set<'a>(
        &'a self,
        route: CachedRoute,
        _: &'a Softirq,
    ) -> Result<&'a CachedRoute, CachedRoute> {
        let Ok(room) = KBox::<Entry>::new_uninit(GFP_ATOMIC) else {
            return Err(route);
        };
        let entry = KBox::into_raw(room.write(Entry {
            deferred: UnsafeCell::new(MaybeUninit::uninit()),
            route,
        }));

        self.replace(entry);
        // SAFETY: As for `get`: another CPU may replace the entry, but not free it yet.
        Ok(unsafe { &(*entry).route })
    }

    /// Releases the route. Packets may still be using it.
    ///
    /// Context: any but hard interrupts.
    pub fn clear(&self) {
        self.replace(ptr::null_mut());
    }

    fn replace(&self, entry: *mut Entry) {
        // Several CPUs may replace it at the same time. The order makes the entry complete for
        // readers, and the old one for this CPU.
        let old = self.entry.swap(entry, Ordering::AcqRel);

        // SAFETY: By the invariants the entry is valid, and this alone took it out of the cache. The
        // memory is of the slab and begins with the room for RCU. An entry needs no drop but the
        // release of its reference.
        unsafe {
            if let Some(entry) = old.as_ref() {
                bindings::dst_release(entry.route.as_raw());
                bindings::dsbench_net_free_deferred(old.cast());
            }
        }
    }
}

impl Drop for RouteCache {
    fn drop(&mut self) {
        self.clear();
    }
}
