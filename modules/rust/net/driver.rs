// SPDX-License-Identifier: GPL-2.0

//! A driver of devices: what it provides, its registration, and the callbacks from the kernel.
//!
//! The private data of a device is complete before the device is registered, so before any callback
//! can see it; it is dropped by the device's destructor, after the last callback and the last
//! reference.

use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    mem::{offset_of, size_of},
    ptr,
    sync::atomic::{AtomicBool, Ordering},
};

use kernel::{
    error::{
        code::{EBUSY, EINVAL, EOPNOTSUPP},
        from_result, to_result, Result,
    },
    ffi::{c_int, c_uint},
    str::CStr,
};

use super::{
    bindings,
    context::{Rtnl, RtnlCell, Softirq},
    link::{Link, NewLink, Private},
    links::{Head, Links},
    netlink::{size_of_attribute, Attributes, Extack, Message, Policy},
    queue::Queues,
    route::{Ends, Net, RouteCache},
    skbuff::SkBuff,
    socket::{self, Peer, Receiver, Sockets},
};

pub use super::socket::PeerTable;

/// A driver of point-to-point devices in UDP. The type is the private data of a device.
pub trait Driver: Sized + Send + Sync + 'static {
    /// What rtnetlink calls the devices.
    const KIND: &'static CStr;
    /// The attributes by their types.
    const POLICIES: &'static [Policy];
    /// The room in bytes that [`Driver::fill`] needs.
    const FILL_SIZE: usize;
    /// Why a device cannot be changed.
    const UNCHANGEABLE: &'static CStr;
    /// The longest headers, in bytes.
    const OVERHEAD: u32;

    /// The kind of link, a static of the driver.
    ///
    /// Context: any.
    fn class() -> &'static Class<Self>;

    /// The peers of all devices, a static of the driver.
    ///
    /// Context: any.
    fn peers() -> &'static PeerTable;

    /// Makes the private data of a device, which is not registered yet, and names the ends of its
    /// packets.
    ///
    /// Context: process context, under `rtnl_lock()`.
    fn new(request: &mut NewLink<'_>) -> Result<(Self, Ends)>;

    /// Sends a packet. The device is up.
    ///
    /// Context: softirqs are disabled, RCU is held.
    fn transmit(link: &Link<Self>, skb: SkBuff, softirq: &Softirq);

    /// Receives a packet of the peer, data at the UDP header.
    ///
    /// Context: softirqs are disabled, RCU is held.
    fn receive(link: &Link<Self>, skb: SkBuff, softirq: &Softirq);

    /// Tells user space the configuration.
    ///
    /// Context: process context, under `rtnl_lock()`.
    fn fill(link: &Link<Self>, message: &mut Message<'_>) -> Result;
}

impl<T: Driver> Receiver for T {
    #[inline]
    fn table() -> &'static PeerTable {
        T::peers()
    }

    #[inline]
    unsafe fn deliver(peer: *const Peer, skb: SkBuff, softirq: &Softirq) {
        // SAFETY: The caller promises it: the peer is that of a device of this driver.
        T::receive(unsafe { Link::of_peer(peer) }, skb, softirq);
    }
}

/// A kind of link, which rtnetlink knows while a [`Registration`] exists.
///
/// # Invariants
///
/// While it is registered, the structures are the kernel's.
pub struct Class<T: Driver> {
    ops: UnsafeCell<bindings::rtnl_link_ops>,
    pernet: UnsafeCell<bindings::pernet_operations>,
    links: RtnlCell<Head>,
    sockets: RtnlCell<Sockets>,
    is_registered: AtomicBool,
    _driver: PhantomData<fn() -> T>,
}

// SAFETY: The kernel and `rtnl_lock()` serialise what uses the structures.
unsafe impl<T: Driver> Sync for Class<T> {}

/// Evidence that a kind of link is registered. Dropping it deletes the devices, in all network
/// namespaces, and waits for the last callback.
///
/// Context: process context.
pub struct Registration<T: Driver>(&'static Class<T>);

impl<T: Driver> Class<T> {
    /// Creates a kind, in a static.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        // SAFETY: All zeroes are valid for both structures.
        unsafe {
            Self {
                ops: core::mem::zeroed(),
                pernet: core::mem::zeroed(),
                links: RtnlCell::new(Head::new()),
                sockets: RtnlCell::new(Sockets::new()),
                is_registered: AtomicBool::new(false),
                _driver: PhantomData,
            }
        }
    }

    /// Registers the kind. EBUSY if it is registered.
    ///
    /// Context: process context.
    pub fn register(&'static self) -> Result<Registration<T>> {
        if self.is_registered.swap(true, Ordering::AcqRel) {
            return Err(EBUSY);
        }
        let result = self.register_once();

        if result.is_err() {
            self.is_registered.store(false, Ordering::Release);
        }
        result.map(|()| Registration(self))
    }

    fn register_once(&'static self) -> Result {
        // SAFETY: The kernel does not know the structures yet, and nobody else registers them.
        unsafe {
            let pernet = &mut *self.pernet.get();

            pernet.exit_rtnl = Some(exit_net::<T>);
            to_result(bindings::register_pernet_device(pernet))?;

            let ops = &mut *self.ops.get();

            ops.kind = T::KIND.as_ptr().cast();
            ops.priv_size = size_of::<Private<T>>();
            ops.maxtype = (T::POLICIES.len() as c_uint).wrapping_sub(1);
            ops.policy = T::POLICIES.as_ptr().cast();
            ops.setup = Some(setup::<T>);
            ops.validate = Some(validate::<T>);
            ops.newlink = Some(new_link::<T>);
            ops.changelink = Some(change_link::<T>);
            ops.dellink = Some(delete_link::<T>);
            ops.get_size = Some(fill_size::<T>);
            ops.fill_info = Some(fill::<T>);
            ops.get_xstats_size = Some(xstats_size);
            ops.fill_xstats = Some(fill_xstats::<T>);
            ops.get_link_net = Some(link_net::<T>);
            to_result(bindings::rtnl_link_register(ops)).inspect_err(|_| {
                bindings::unregister_pernet_device(self.pernet.get());
            })
        }
    }

    const OPS: bindings::net_device_ops = {
        // SAFETY: All zeroes are valid: no function.
        let mut ops: bindings::net_device_ops = unsafe { core::mem::zeroed() };

        ops.ndo_init = Some(init::<T>);
        ops.ndo_uninit = Some(uninit::<T>);
        ops.ndo_open = Some(open::<T>);
        ops.ndo_stop = Some(stop::<T>);
        ops.ndo_start_xmit = Some(transmit::<T>);
        ops.ndo_neigh_construct = Some(bindings::dsbench_net_neigh_construct);
        ops.ndo_get_stats64 = Some(bindings::dev_get_tstats64);
        ops
    };

    const DEVICE_OPS: &'static bindings::net_device_ops = &Self::OPS;
}

impl<T: Driver> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: Both are registered. Afterwards no device is left. The last call waits for
        // receivers at closed sockets, and for what is freed a grace period later.
        unsafe {
            bindings::rtnl_link_unregister(self.0.ops.get());
            bindings::unregister_pernet_device(self.0.pernet.get());
            bindings::dsbench_net_wait_rcu();
        }
        self.0.is_registered.store(false, Ordering::Release);
    }
}

/// # Safety
///
/// rtnetlink calls it for a new device.
unsafe extern "C" fn setup<T: Driver>(device: *mut bindings::net_device) {
    // SAFETY: The caller promises a valid device, which nobody else uses yet.
    unsafe {
        bindings::dsbench_net_device_setup(device);
        let device = &mut *device;

        device.netdev_ops = Class::<T>::DEVICE_OPS;
        device.mtu = bindings::ETH_DATA_LEN - T::OVERHEAD;
        device.min_mtu = bindings::IPV4_MIN_MTU;
        device.max_mtu = u32::from(u16::MAX) - T::OVERHEAD;
    }
}

/// # Safety
///
/// rtnetlink calls it with valid arguments.
unsafe extern "C" fn validate<T: Driver>(
    tb: *mut *mut bindings::nlattr,
    data: *mut *mut bindings::nlattr,
    extack: *mut bindings::netlink_ext_ack,
) -> c_int {
    // SAFETY: The caller promises it.
    let (all, own, extack) = unsafe {
        (
            Attributes::new(tb, bindings::__IFLA_MAX as usize),
            Attributes::new(data, T::POLICIES.len()),
            Extack::new(extack),
        )
    };

    from_result(|| {
        if let Some(address) = all.get(bindings::IFLA_ADDRESS) {
            let sentence = kernel::c_str!("A layer 3 tunnel has no link layer address");

            return Err(extack.refuse(Some(address), sentence, EINVAL));
        }
        if own.is_absent() {
            let sentence = kernel::c_str!("The addresses and the port are missing");

            return Err(extack.refuse(None, sentence, EINVAL));
        }
        let all = all.get(bindings::IFLA_LINKINFO).ok_or(EINVAL)?;
        let (last, policies) = (T::POLICIES.len() as c_int - 1, T::POLICIES.as_ptr());

        // SAFETY: All are valid; there are as many policies.
        to_result(unsafe {
            bindings::dsbench_net_validate(all.raw, last, policies.cast(), extack.raw)
        })?;
        Ok(0)
    })
}

/// # Safety
///
/// rtnetlink calls it, under `rtnl_lock()`, for a device that `setup` has set up.
unsafe extern "C" fn new_link<T: Driver>(
    device: *mut bindings::net_device,
    params: *mut bindings::rtnl_newlink_params,
    extack: *mut bindings::netlink_ext_ack,
) -> c_int {
    // SAFETY: The caller promises valid arguments, and holds the lock.
    let (mut request, mut rtnl) = unsafe {
        let params = &*params;
        let net = if params.link_net.is_null() {
            params.src_net
        } else {
            params.link_net
        };
        let all = Attributes::new(params.tb, bindings::__IFLA_MAX as usize);

        (
            NewLink {
                device,
                net: Net::from_raw(net),
                data: Attributes::new(params.data, T::POLICIES.len()),
                extack: Extack::new(extack),
                mtu_is_given: all.get(bindings::IFLA_MTU).is_some(),
            },
            Rtnl::assume(),
        )
    };

    from_result(|| {
        let (data, ends) = T::new(&mut request)?;
        let private = Link::<T>::private_raw(device);
        let complete = Private {
            peer: Peer::new(ends),
            net: request.net.as_raw(),
            sk: ptr::null_mut(),
            queues: Queues::new()?,
            routes: RouteCache::new(),
            data,
            links: UnsafeCell::new(Links::new()),
        };

        // SAFETY: The room is `priv_size` bytes, aligned to a cache line, and nobody uses it yet.
        unsafe { private.write(complete) };
        // SAFETY: The private data is complete.
        unsafe { register::<T>(device, &request, &mut rtnl) }.inspect_err(|_| {
            // SAFETY: The device was not registered, or is not any more. Nothing uses its private
            // data, a grace period later.
            unsafe {
                detach::<T>(device, &mut rtnl);
                bindings::dsbench_net_wait_rcu();
                private.drop_in_place();
            }
        })?;
        Ok(0)
    })
}

/// # Safety
///
/// `device` is not registered, and its private data is complete.
unsafe fn register<T: Driver>(
    device: *mut bindings::net_device,
    request: &NewLink<'_>,
    rtnl: &mut Rtnl,
) -> Result {
    let private = Link::<T>::private_raw(device);
    let class = T::class();

    // SAFETY: The caller promises it. From the registration on callbacks see the device, which has
    // its destructor only then: a registration that fails would call it.
    unsafe {
        let sockets: *const Sockets = class.sockets.get(rtnl);

        (*sockets).get::<T>(request.net, &(*private).peer, &request.extack, rtnl)?;
        (*private).sk = socket::sk(&(*private).peer);
        to_result(bindings::register_netdevice(device))?;
        (*device).priv_destructor = Some(destroy::<T>);
        Head::add(class.links.get_mut(rtnl), (*private).links.get());
        (*sockets).attach::<T>(&raw mut (*private).peer, rtnl);
    }
    Ok(())
}

/// # Safety
///
/// The private data of the device is complete. No packet is being sent.
unsafe fn detach<T: Driver>(device: *mut bindings::net_device, rtnl: &mut Rtnl) {
    let private = Link::<T>::private_raw(device);

    // SAFETY: The caller promises it.
    unsafe {
        let sockets: *const Sockets = T::class().sockets.get(rtnl);

        (*sockets).detach::<T>(&raw mut (*private).peer, rtnl);
    }
}

/// # Safety
///
/// The core calls it after the last reference to the device, with RTNL or without.
unsafe extern "C" fn destroy<T: Driver>(device: *mut bindings::net_device) {
    // SAFETY: The private data is complete; nothing uses it any more.
    unsafe { Link::<T>::private_raw(device).drop_in_place() }
}

/// Queues a device for unregistration.
///
/// # Safety
///
/// The caller holds RTNL; the device is registered.
unsafe extern "C" fn delete_link<T: Driver>(
    device: *mut bindings::net_device,
    kill: *mut bindings::list_head,
) {
    // SAFETY: The caller promises it. Nobody else is at the list.
    unsafe {
        Links::remove((*Link::<T>::private_raw(device)).links.get());
        bindings::unregister_netdevice_queue(device, kill);
    }
}

/// Queues the devices whose sockets are in a dying namespace for unregistration, wherever they are.
///
/// # Safety
///
/// The core calls it, under `rtnl_lock()`.
unsafe extern "C" fn exit_net<T: Driver>(net: *mut bindings::net, kill: *mut bindings::list_head) {
    // SAFETY: The caller holds the lock. All links are those of registered devices.
    unsafe {
        let rtnl = Rtnl::assume();

        for link in T::class().links.get(&rtnl).iter() {
            let private: *mut Private<T> = link.byte_sub(offset_of!(Private<T>, links)).cast();

            if ptr::eq((*private).net, net) {
                delete_link::<T>(private.byte_sub(Link::<T>::PRIVATE).cast(), kill);
            }
        }
    }
}

/// # Safety
///
/// rtnetlink calls it with valid arguments.
unsafe extern "C" fn change_link<T: Driver>(
    _device: *mut bindings::net_device,
    _tb: *mut *mut bindings::nlattr,
    _data: *mut *mut bindings::nlattr,
    extack: *mut bindings::netlink_ext_ack,
) -> c_int {
    // SAFETY: The caller promises it.
    let extack = unsafe { Extack::new(extack) };

    extack.refuse(None, T::UNCHANGEABLE, EOPNOTSUPP).to_errno()
}

/// # Safety
///
/// rtnetlink calls it.
unsafe extern "C" fn fill_size<T: Driver>(_device: *const bindings::net_device) -> usize {
    T::FILL_SIZE
}

/// # Safety
///
/// rtnetlink calls it with valid arguments.
unsafe extern "C" fn fill<T: Driver>(
    skb: *mut bindings::sk_buff,
    device: *const bindings::net_device,
) -> c_int {
    // SAFETY: The caller promises it.
    let (link, mut message) =
        unsafe { (Link::<T>::from_raw(device.cast_mut()), Message::new(skb)) };

    from_result(|| T::fill(link, &mut message).map(|()| 0))
}

/// # Safety
///
/// rtnetlink calls it.
unsafe extern "C" fn xstats_size(_device: *const bindings::net_device) -> usize {
    size_of_attribute(size_of::<bindings::udptun_xstats>())
}

/// # Safety
///
/// rtnetlink calls it with valid arguments, under `rtnl_lock()`.
unsafe extern "C" fn fill_xstats<T: Driver>(
    skb: *mut bindings::sk_buff,
    device: *const bindings::net_device,
) -> c_int {
    // SAFETY: The caller promises it.
    let (strangers, mut message) = unsafe {
        let link = Link::<T>::from_raw(device.cast_mut());

        (socket::strangers(&link.private().peer), Message::new(skb))
    };

    from_result(|| {
        let content = strangers.to_ne_bytes();

        message
            .put(bindings::IFLA_INFO_XSTATS, &content)
            .map(|()| 0)
    })
}

/// # Safety
///
/// rtnetlink calls it with a registered device.
unsafe extern "C" fn link_net<T: Driver>(
    device: *const bindings::net_device,
) -> *mut bindings::net {
    // SAFETY: The caller promises it.
    unsafe { Link::<T>::from_raw(device.cast_mut()) }
        .private()
        .net
}

/// # Safety
///
/// The core calls it while the device is being registered, so with complete private data.
unsafe extern "C" fn init<T: Driver>(device: *mut bindings::net_device) -> c_int {
    // SAFETY: The caller promises it. `uninit` is the opposite.
    unsafe {
        bindings::dsbench_net_device_init(device);
        Link::<T>::from_raw(device).private().queues.add(device);
    }
    0
}

/// # Safety
///
/// The core calls it, under `rtnl_lock()`, when the device has been down for a grace period: no
/// packet is being sent, or received beyond the check whether the device is up.
unsafe extern "C" fn uninit<T: Driver>(device: *mut bindings::net_device) {
    // SAFETY: The caller promises it.
    unsafe {
        let link = Link::<T>::from_raw(device);

        detach::<T>(device, &mut Rtnl::assume());
        // The routes' namespace may be freed before the last reference to the device.
        link.private().routes.clear();
        link.private().queues.remove();
    }
}

/// # Safety
///
/// The core calls it, under `rtnl_lock()`.
unsafe extern "C" fn open<T: Driver>(device: *mut bindings::net_device) -> c_int {
    // SAFETY: The caller promises it.
    unsafe { Link::<T>::from_raw(device).private().queues.open() };
    0
}

/// # Safety
///
/// The core calls it, under `rtnl_lock()`.
unsafe extern "C" fn stop<T: Driver>(device: *mut bindings::net_device) -> c_int {
    // SAFETY: The caller promises it.
    unsafe {
        let link = Link::<T>::from_raw(device);

        link.private().queues.close(&link.stats());
    }
    0
}

/// # Safety
///
/// The core calls it with softirqs disabled, and gives up the packet.
unsafe extern "C" fn transmit<T: Driver>(
    skb: *mut bindings::sk_buff,
    device: *mut bindings::net_device,
) -> bindings::netdev_tx_t {
    // SAFETY: The caller promises it. Nobody else has a reference to the packet: the device does
    // not permit that (IFF_TX_SKB_SHARING).
    unsafe {
        T::transmit(
            Link::from_raw(device),
            SkBuff::from_raw(skb),
            &Softirq::assume(),
        );
    }
    bindings::netdev_tx_NETDEV_TX_OK
}
