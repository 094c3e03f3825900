// SPDX-License-Identifier: GPL-2.0

//! UDP sockets, one for each local address and port, shared by devices with different peers; and
//! the table of the peers, which receivers search under RCU.

use core::{
    cell::{Cell, UnsafeCell},
    mem::offset_of,
    ptr,
    sync::atomic::{AtomicI32, AtomicPtr, AtomicU64, Ordering},
};

use kernel::{
    alloc::{flags::GFP_KERNEL, KBox},
    c_str,
    error::{
        code::{EADDRINUSE, EEXIST},
        from_result, to_result, Error, Result,
    },
};

use super::{
    bindings,
    context::{Rtnl, Softirq},
    gro,
    ip::{Address, Ipv4, Ipv6, Udp},
    links::{Head, Links},
    netlink::Extack,
    route::{raw_address, raw_family, Ends, Net},
    skbuff::{Reason, SkBuff},
};

/// 10,000 peers have 1.2 in a bucket.
const BITS: u32 = 13;

/// An address as 4 words in network byte order; those that IPv4 has no use for are 0.
type Words = [u32; 4];

#[inline]
fn words4(bytes: &[u8; 4]) -> Words {
    [u32::from_ne_bytes(*bytes), 0, 0, 0]
}

#[inline]
fn words6(bytes: &[u8; 16]) -> Words {
    // SAFETY: Both are 16 bytes, and all are valid.
    unsafe { core::mem::transmute(*bytes) }
}

/// A device's entry in the table of peers, inside the private data of the device.
///
/// # Invariants
///
/// While `attached`, the entry is in the table and in the list of `socket`, and stays at its
/// address. Afterwards it stays valid for a grace period.
pub(super) struct Peer {
    next: AtomicPtr<Peer>,
    socket: AtomicPtr<Socket>,
    remote: Words,
    port: [u8; 2],
    attached: Cell<bool>,
    ends: Ends,
    beside: UnsafeCell<Links>,
}

impl Peer {
    pub(super) fn new(ends: Ends) -> Self {
        Self {
            next: AtomicPtr::new(ptr::null_mut()),
            socket: AtomicPtr::new(ptr::null_mut()),
            remote: match &ends.remote {
                Address::V4(bytes) => words4(bytes),
                Address::V6(bytes) => words6(bytes),
            },
            port: ends.remote_port.to_be_bytes(),
            attached: Cell::new(false),
            ends,
            beside: UnsafeCell::new(Links::new()),
        }
    }

    #[inline]
    pub(super) fn ends(&self) -> &Ends {
        &self.ends
    }
}

/// The peers of all devices of a driver.
///
/// # Invariants
///
/// The chains have attached peers only. RTNL serialises changes.
pub struct PeerTable {
    buckets: [AtomicPtr<Peer>; 1 << BITS],
}

impl PeerTable {
    /// Creates an empty table, in a static.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self {
            buckets: [const { AtomicPtr::new(ptr::null_mut()) }; 1 << BITS],
        }
    }

    /// The salt, which differs between sockets, keeps the owner of one network namespace from
    /// filling the buckets of another one.
    #[inline]
    fn bucket(&self, salt: u32, remote: &Words, port: [u8; 2]) -> &AtomicPtr<Peer> {
        let key = remote[0] ^ remote[1] ^ remote[2] ^ remote[3];
        let key = (key ^ u32::from(u16::from_ne_bytes(port))).wrapping_add(salt);
        let hash = key.wrapping_mul(0x61c8_8647) >> (u32::BITS - BITS);

        // The shift leaves as many bits as the table has.
        &self.buckets[hash as usize]
    }

    /// Finds the peer of a socket. It is valid as long as the RCU reader runs, or RTNL is held.
    #[inline]
    fn find(&self, socket: &Socket, remote: &Words, port: [u8; 2]) -> *const Peer {
        let mut peer: *const Peer = self
            .bucket(socket.salt, remote, port)
            .load(Ordering::Acquire);

        while !peer.is_null() {
            // SAFETY: By the invariants peers of a chain are valid for the reader.
            unsafe {
                if (*peer).remote == *remote
                    && (*peer).port == port
                    && ptr::eq((*peer).socket.load(Ordering::Relaxed), socket)
                {
                    break;
                }
                peer = (*peer).next.load(Ordering::Acquire);
            }
        }
        peer
    }

    /// # Safety
    ///
    /// The caller holds RTNL, and keeps the promises of the invariants of `Peer`.
    unsafe fn add(&self, peer: *mut Peer, socket: &Socket) {
        // SAFETY: The caller promises a valid pointer.
        unsafe {
            let bucket = self.bucket(socket.salt, &(*peer).remote, (*peer).port);

            (*peer)
                .next
                .store(bucket.load(Ordering::Relaxed), Ordering::Relaxed);
            bucket.store(peer, Ordering::Release);
        }
    }

    /// # Safety
    ///
    /// The caller holds RTNL; the peer is in the table.
    unsafe fn remove(&self, peer: *mut Peer, socket: &Socket) {
        // SAFETY: The caller promises it: all peers of the chain are valid.
        unsafe {
            let mut at = self.bucket(socket.salt, &(*peer).remote, (*peer).port);

            loop {
                let other = at.load(Ordering::Relaxed);

                if other.is_null() {
                    return;
                }
                if ptr::eq(other, peer) {
                    // Readers at the peer still find those behind it.
                    at.store((*peer).next.load(Ordering::Relaxed), Ordering::Release);
                    return;
                }
                at = &(*other).next;
            }
        }
    }
}

/// A driver, as its sockets see it.
pub(super) trait Receiver: 'static {
    /// The peers of all devices, a static of the driver.
    fn table() -> &'static PeerTable;

    /// Takes a packet of a peer, data at the UDP header.
    ///
    /// # Safety
    ///
    /// The peer is in the private data of a device of this driver, and was attached when the RCU
    /// reader began.
    unsafe fn deliver(peer: *const Peer, skb: SkBuff, softirq: &Softirq);
}

/// A UDP socket that is bound to an address and a port.
///
/// # Invariants
///
/// `users` devices use it. The socket is open until the last of them has gone; a grace period
/// later the structure is freed. RTNL protects all but the atomic fields.
pub(super) struct Socket {
    next: Cell<*mut Socket>,
    net: *mut bindings::net,
    local: Address,
    port: u16,
    salt: u32,
    users: Cell<u32>,
    open: Cell<*mut bindings::socket>,
    /// A second one, connected to the only peer, or null; see `connect`.
    connected: Cell<*mut bindings::socket>,
    peers: UnsafeCell<Head>,
    /// The device that packets to `connected` have come from, as the stack sees it.
    arrival: AtomicI32,
    strangers: AtomicU64,
}

/// The sockets of a driver.
pub(super) struct Sockets {
    first: Cell<*mut Socket>,
}

// SAFETY: Only holders of RTNL use the list.
unsafe impl Send for Sockets {}

impl Sockets {
    pub(super) const fn new() -> Self {
        Self {
            first: Cell::new(ptr::null_mut()),
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Socket> {
        let mut next = self.first.get();

        core::iter::from_fn(move || {
            // SAFETY: Sockets of the list are valid. They leave it under RTNL, which the caller
            // holds.
            let socket = unsafe { next.as_ref() }?;

            next = socket.next.get();
            Some(socket)
        })
    }

    fn find(&self, net: &Net, ends: &Ends) -> Option<&Socket> {
        self.iter().find(|socket| socket.is_of(net, ends))
    }

    fn forget(&self, socket: *const Socket) {
        let mut at = &self.first;

        // SAFETY: As for `iter`.
        while let Some(other) = unsafe { at.get().as_ref() } {
            if ptr::eq(other, socket) {
                at.set(other.next.get());
                return;
            }
            at = &other.next;
        }
    }

    /// Gives a peer its socket, which is opened for its first user.
    pub(super) fn get<T: Receiver>(
        &self,
        net: &Net,
        peer: &Peer,
        extack: &Extack<'_>,
        _: &mut Rtnl,
    ) -> Result {
        let socket = match self.find(net, &peer.ends) {
            Some(socket) => socket,
            None => self.open::<T>(net, &peer.ends, extack)?,
        };

        if !T::table().find(socket, &peer.remote, peer.port).is_null() {
            return Err(extack.refuse(
                None,
                c_str!("Another tunnel uses these addresses and ports"),
                EEXIST,
            ));
        }
        socket.users.set(socket.users.get().wrapping_add(1));
        peer.socket
            .store(ptr::from_ref(socket).cast_mut(), Ordering::Relaxed);
        Ok(())
    }

    fn open<T: Receiver>(&self, net: &Net, ends: &Ends, extack: &Extack<'_>) -> Result<&Socket> {
        let socket = KBox::into_raw(KBox::new(
            Socket {
                next: Cell::new(self.first.get()),
                net: net.as_raw(),
                local: ends.local,
                port: ends.local_port,
                // SAFETY: The function has no requirements.
                salt: unsafe { bindings::dsbench_net_random() },
                users: Cell::new(0),
                open: Cell::new(ptr::null_mut()),
                connected: Cell::new(ptr::null_mut()),
                peers: UnsafeCell::new(Head::new()),
                arrival: AtomicI32::new(0),
                strangers: AtomicU64::new(0),
            },
            GFP_KERNEL,
        )?);
        // SAFETY: The box was valid, and nobody else has it.
        let socket = unsafe { &*socket };

        match socket.create() {
            Ok(open) => {
                let result = socket.bind(open);

                if let Err(error) = result {
                    // SAFETY: Nobody else has the socket.
                    unsafe {
                        bindings::dsbench_net_socket_release(open);
                        drop(KBox::from_raw(ptr::from_ref(socket).cast_mut()));
                    }
                    return Err(refuse(extack, error));
                }
                // SAFETY: The user data stays valid for a grace period after the close.
                unsafe { socket.set_up::<T, false>(open) };
                socket.open.set(open);
            }
            Err(error) => {
                // SAFETY: Nobody else has the box.
                drop(unsafe { KBox::from_raw(ptr::from_ref(socket).cast_mut()) });
                return Err(refuse(extack, error));
            }
        }
        self.first.set(ptr::from_ref(socket).cast_mut());
        Ok(socket)
    }

    /// Accepts the packets of a peer.
    ///
    /// # Safety
    ///
    /// The peer is in the private data of a registered device of this driver, and has a socket. It
    /// is detached before the device is unregistered.
    pub(super) unsafe fn attach<T: Receiver>(&self, peer: *mut Peer, _: &mut Rtnl) {
        // SAFETY: The caller promises a valid pointer and a socket.
        unsafe {
            let socket = &*(*peer).socket.load(Ordering::Relaxed);

            T::table().add(peer, socket);
            Head::add(socket.peers.get(), (*peer).beside.get());
            (*peer).attached.set(true);
            socket.connect::<T>(self);
        }
    }

    /// Accepts packets of a peer no more, and gives up its socket. Does nothing the second time.
    ///
    /// # Safety
    ///
    /// As for `attach`, but the peer need not be attached.
    pub(super) unsafe fn detach<T: Receiver>(&self, peer: *mut Peer, _: &mut Rtnl) {
        // SAFETY: The caller promises a valid pointer.
        unsafe {
            let Some(socket) = (*peer).socket.load(Ordering::Relaxed).as_ref() else {
                return;
            };

            if (*peer).attached.replace(false) {
                T::table().remove(peer, socket);
                Links::remove((*peer).beside.get());
                socket.connect::<T>(self);
            }
            // Readers that have found the peer do not look at its socket.
            (*peer).socket.store(ptr::null_mut(), Ordering::Relaxed);
            socket.users.set(socket.users.get().wrapping_sub(1));
            if socket.users.get() == 0 {
                self.forget(socket);
                bindings::dsbench_net_socket_close(socket.open.get());
                bindings::dsbench_net_free_rcu(ptr::from_ref(socket).cast_mut().cast());
            }
        }
    }
}

fn refuse(extack: &Extack<'_>, error: Error) -> Error {
    let sentence = if error == EADDRINUSE {
        c_str!("The local port is in use by another socket")
    } else {
        c_str!("Cannot open the UDP socket")
    };

    extack.refuse(None, sentence, error)
}

impl Socket {
    fn is_of(&self, net: &Net, ends: &Ends) -> bool {
        ptr::eq(self.net, net.as_raw()) && self.port == ends.local_port && self.local == ends.local
    }

    fn create(&self) -> Result<*mut bindings::socket> {
        let mut socket = ptr::null_mut();

        // SAFETY: The namespace is valid as long as its devices.
        to_result(unsafe {
            bindings::dsbench_net_socket_create(self.net, raw_family(&self.local), &mut socket)
        })?;
        Ok(socket)
    }

    fn bind(&self, socket: *mut bindings::socket) -> Result {
        // SAFETY: The socket is open.
        to_result(unsafe {
            bindings::dsbench_net_socket_bind(
                socket,
                raw_family(&self.local),
                &raw_address(&self.local),
                self.port.to_be(),
            )
        })
    }

    /// # Safety
    ///
    /// The socket is open. This stays valid for a grace period after the socket is closed.
    unsafe fn set_up<T: Receiver, const CONNECTED: bool>(&self, socket: *mut bindings::socket) {
        let encap = bindings::dsbench_net_encap {
            receive: Some(receive::<T, CONNECTED>),
            err_lookup: Some(match_error::<T>),
            gro_receive: Some(gro::receive),
            gro_complete: Some(gro::complete),
        };

        // SAFETY: The caller promises it.
        unsafe {
            bindings::dsbench_net_socket_setup(
                self.net,
                socket,
                ptr::from_ref(self).cast_mut().cast(),
                &encap,
            )
        }
    }

    /// Lets the sockets of this address and port share them, or not.
    ///
    /// The kernel refuses a connected socket beside one that is not, unless both share their port.
    /// Ours do so during the bind only: afterwards no program can share it.
    fn share(&self, connected: *mut bindings::socket, share: bool) {
        // SAFETY: Both are open.
        unsafe {
            bindings::dsbench_net_socket_share(self.open.get(), share);
            bindings::dsbench_net_socket_share(connected, share);
        }
    }

    /// Opens or closes the connected socket.
    ///
    /// Where one peer alone uses the socket, a second one is connected to it. The kernel's early
    /// demux finds that one, and takes the input route of the last packet from there: this saves
    /// the lookup of the route and half that of the socket. It works over IPv4 only. Without the
    /// second socket, packets arrive as well.
    fn connect<T: Receiver>(&self, _: &Sockets) {
        let old = self.connected.replace(ptr::null_mut());

        if !old.is_null() {
            // SAFETY: The socket is open. Readers still use its user data, which is this.
            unsafe { bindings::dsbench_net_socket_release(old) };
        }
        // SAFETY: RTNL is held, so nobody changes the list, and its peers are valid.
        let ends = unsafe {
            let Some(link) = (*self.peers.get()).only() else {
                return;
            };

            &(*link.byte_sub(offset_of!(Peer, beside)).cast::<Peer>()).ends
        };
        let Address::V4(remote) = ends.remote else {
            return;
        };
        let Ok(socket) = self.create() else {
            return;
        };
        let (remote, port) = (u32::from_ne_bytes(remote), ends.remote_port.to_be());

        // Both sockets do the same with a packet at any time, so that none is lost meanwhile: the
        // callbacks are set before the bind. So is the remote address, which keeps a bound socket
        // out of the list of those that GRO looks up by the port alone. The bind clears it, and
        // refuses a socket that is connected.
        //
        // SAFETY: The socket is open; this stays valid for a grace period after it is closed.
        let bound = unsafe {
            bindings::dsbench_net_socket_connect(socket, remote, port, false);
            self.set_up::<T, true>(socket);
            self.share(socket, true);
            let bound = self.bind(socket);

            self.share(socket, false);
            bound
        };

        // SAFETY: The socket is open.
        unsafe {
            if bound.is_err() {
                bindings::dsbench_net_socket_release(socket);
                return;
            }
            bindings::dsbench_net_socket_connect(socket, remote, port, true);
        }
        self.connected.set(socket);
    }

    /// The socket that packets are sent from.
    pub(super) fn sk(&self) -> *mut bindings::sock {
        // SAFETY: The socket is open.
        unsafe { bindings::dsbench_net_socket_sk(self.open.get()) }
    }

    /// The user data of a socket; None if it is being closed.
    ///
    /// # Safety
    ///
    /// `sk` is valid, has callbacks of this file, and an RCU reader runs for `'a`.
    #[inline]
    unsafe fn of<'a>(sk: *mut bindings::sock) -> Option<&'a Self> {
        // SAFETY: The caller promises a valid pointer. RCU protects what the field points at.
        let data = unsafe { ptr::read_volatile(&raw const (*sk).sk_user_data) } as usize;

        // SAFETY: The lowest bits are flags. All else is a pointer that `set_up` has set.
        unsafe { ((data & !7) as *const Self).as_ref() }
    }

    /// Whether the stack accepts packets from the peer at the device that this one has come from.
    ///
    /// A connected socket keeps the input route of the packets before, so the stack has checked
    /// the source (rp_filter, rules for the device) of the first only. This checks it again when
    /// the device changes.
    #[cold]
    fn check_device(&self, skb: &SkBuff) -> bool {
        // SAFETY: The packet is valid and has an IPv4 header.
        if unsafe { !bindings::dsbench_net_input_is_local(skb.as_raw()) } {
            return false;
        }
        self.arrival.store(skb.arrival(), Ordering::Relaxed);
        true
    }

    /// Finds the sender of a packet by the headers that the stack has checked.
    #[inline]
    fn find_sender<T: Receiver>(&self, skb: &SkBuff) -> *const Peer {
        let Some(udp) = skb.transport_header::<Udp>() else {
            return ptr::null();
        };
        let remote = match self.local {
            Address::V4(_) => skb.network_header::<Ipv4>().map(|ip| words4(&ip.source)),
            Address::V6(_) => skb.network_header::<Ipv6>().map(|ip| words6(&ip.source)),
        };

        remote.map_or(ptr::null(), |remote| {
            T::table().find(self, &remote, udp.source)
        })
    }

    #[cold]
    fn count_stranger(&self, sk: *mut bindings::sock) {
        self.strangers.fetch_add(1, Ordering::Relaxed);
        // SAFETY: The socket is valid, and the counter is atomic.
        unsafe { bindings::dsbench_net_count_socket_drop(sk) };
    }

    /// The number of packets that are from no peer.
    pub(super) fn strangers(&self) -> u64 {
        self.strangers.load(Ordering::Relaxed)
    }
}

/// The number of strangers at the socket of a peer.
///
/// # Safety
///
/// The caller holds RTNL.
pub(super) unsafe fn strangers(peer: &Peer) -> u64 {
    // SAFETY: Under RTNL the socket is valid, or null once the peer is detached.
    unsafe { peer.socket.load(Ordering::Relaxed).as_ref() }.map_or(0, Socket::strangers)
}

/// The socket that a peer's packets are sent from.
///
/// # Safety
///
/// `get` has given the peer a socket.
pub(super) unsafe fn sk(peer: &Peer) -> *mut bindings::sock {
    // SAFETY: The caller promises it.
    unsafe { (*peer.socket.load(Ordering::Relaxed)).sk() }
}

/// Receives a UDP packet, data at the UDP header. Always consumes it.
///
/// # Safety
///
/// The caller is the kernel's UDP: RCU is held, softirqs are disabled, and `sk` is a socket of
/// `Socket::set_up` with the same driver.
unsafe extern "C" fn receive<T: Receiver, const CONNECTED: bool>(
    sk: *mut bindings::sock,
    skb: *mut bindings::sk_buff,
) -> i32 {
    // SAFETY: The caller gives up the packet, to which there is no other reference.
    let skb = unsafe { SkBuff::from_raw(skb) };
    // SAFETY: The caller promises it.
    let (socket, softirq) = unsafe { (Socket::of(sk), Softirq::assume()) };
    let Some(socket) = socket else {
        skb.discard(Reason::NO_SOCKET);
        return 0;
    };

    if CONNECTED
        && skb.arrival() != socket.arrival.load(Ordering::Relaxed)
        && !socket.check_device(&skb)
    {
        skb.discard(Reason::SOURCE);
        return 0;
    }
    let peer = socket.find_sender::<T>(&skb);

    if peer.is_null() {
        socket.count_stranger(sk);
        skb.discard(Reason::NO_SOCKET);
        return 0;
    }
    // SAFETY: The peer is valid as long as the RCU reader. Its socket has devices of this driver
    // only.
    unsafe { T::deliver(peer, skb, &softirq) };
    0
}

/// Matches an ICMP error to a peer, so that the stack updates the path MTU. The headers are those
/// of the packet that caused the error.
///
/// # Safety
///
/// As for `receive`, but the packet stays the caller's.
unsafe extern "C" fn match_error<T: Receiver>(
    sk: *mut bindings::sock,
    skb: *mut bindings::sk_buff,
) -> i32 {
    // SAFETY: The caller promises it. The packet is not dropped here.
    let (socket, skb) = unsafe {
        (
            Socket::of(sk),
            core::mem::ManuallyDrop::new(SkBuff::from_raw(skb)),
        )
    };

    from_result(|| {
        let none = kernel::error::code::ENOENT;
        let socket = socket.ok_or(none)?;
        let port = skb.transport_header::<Udp>().ok_or(none)?.destination;
        let remote = match socket.local {
            Address::V4(_) => words4(&skb.network_header::<Ipv4>().ok_or(none)?.destination),
            Address::V6(_) => words6(&skb.network_header::<Ipv6>().ok_or(none)?.destination),
        };

        if T::table().find(socket, &remote, port).is_null() {
            return Err(none);
        }
        Ok(0)
    })
}
