// SPDX-License-Identifier: GPL-2.0

//! Queues of decapsulated packets, one for each CPU and device, polled by NAPI.

use core::{
    cell::{Cell, UnsafeCell},
    mem::offset_of,
    ptr,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering},
};

use kernel::error::Result;

use super::{
    bindings,
    context::Softirq,
    percpu::PerCpu,
    skbuff::{Reason, SkBuff},
    stats::{Counter, PerCpuStats},
};

type Raw = bindings::sk_buff;

/// The packets that a CPU has decapsulated for a device.
///
/// The orderings are those of the kernel's llist: a packet is complete when it is on the list. x86
/// orders more than the atomic types of the core library ask for.
///
/// # Invariants
///
/// The lists own their packets, which are linked by `next`. Only this CPU adds to `arrived` and
/// changes `added`. The owner of the NAPI alone uses `waiting` and changes `taken`: this CPU, or
/// the thread of a threaded NAPI, or whoever has disabled it.
#[repr(C)]
struct Queue {
    /// Newest first.
    arrived: AtomicPtr<Raw>,
    added: Cell<u32>,
    open: AtomicBool,
    /// Packets that exceeded the budget of the last poll, oldest first.
    waiting: Cell<*mut Raw>,
    taken: AtomicU32,
    napi: UnsafeCell<bindings::napi_struct>,
}

// SAFETY: The invariants say who uses what.
unsafe impl Sync for Queue {}
// SAFETY: The memory belongs to no thread.
unsafe impl Send for Queue {}

/// # Safety
///
/// `skb` is valid.
#[inline]
unsafe fn next(skb: *mut Raw) -> *mut *mut Raw {
    // SAFETY: The caller promises a valid pointer.
    unsafe { &raw mut (*skb).__bindgen_anon_1.__bindgen_anon_1.next }
}

/// The packets of one poll, which it owns, linked by `next`.
struct Batch {
    first: *mut Raw,
    count: u32,
    /// A capture shares the data of a packet.
    shared: bool,
}

impl Batch {
    #[inline]
    fn pop(&mut self) -> Option<SkBuff> {
        let skb = self.first;

        if skb.is_null() {
            return None;
        }
        // SAFETY: The batch owns its packets.
        unsafe {
            self.first = *next(skb);
            *next(skb) = ptr::null_mut();
            Some(SkBuff::from_raw(skb))
        }
    }

    fn pass(&mut self) {
        while let Some(skb) = self.pop() {
            // SAFETY: The function takes over the packet. NAPI polls with softirqs disabled.
            unsafe { bindings::netif_receive_skb(skb.into_raw()) };
        }
    }

    #[inline]
    fn merge(&mut self, napi: *mut bindings::napi_struct) {
        while let Some(skb) = self.pop() {
            // SAFETY: As above, and the caller owns the NAPI.
            unsafe { bindings::gro_receive_skb(&raw mut (*napi).gro, skb.into_raw()) };
        }
    }

    /// A packet that is alone has nothing to merge with, and GRO would cost it more than the rest
    /// of the receive path. GRO merges into the buffers of packets, so it must not see shared
    /// ones. All packets of a batch take the same way: each flow stays in order.
    #[inline]
    fn deliver(&mut self, napi: *mut bindings::napi_struct) {
        // SAFETY: The NAPI has a device as long as it is polled.
        let elides = self.count > 1 && unsafe { bindings::dsbench_net_elides_gro((*napi).dev) };

        if self.count > 1 && !self.shared && !elides {
            self.merge(napi);
        } else {
            self.pass();
        }
    }
}

/// The packets in reverse order.
#[inline]
fn reversed(mut from: *mut Raw) -> *mut Raw {
    let mut to = ptr::null_mut();

    while !from.is_null() {
        // SAFETY: The list that the caller owns has valid packets.
        unsafe {
            let following = *next(from);

            *next(from) = to;
            to = from;
            from = following;
        }
    }
    to
}

impl Queue {
    /// Takes up to `budget` packets.
    ///
    /// # Safety
    ///
    /// The caller owns the NAPI.
    #[inline]
    unsafe fn take(&self, budget: u32) -> Batch {
        let mut waiting = self.waiting.get();

        if waiting.is_null() {
            waiting = reversed(self.arrived.swap(ptr::null_mut(), Ordering::AcqRel));
        }
        let mut batch = Batch {
            first: waiting,
            count: 0,
            shared: false,
        };
        let mut last: *mut Raw = ptr::null_mut();

        while !waiting.is_null() && batch.count < budget {
            // SAFETY: The queue owns its packets.
            unsafe {
                batch.shared |= Raw::cloned_raw(waiting) != 0;
                last = waiting;
                waiting = *next(waiting);
            }
            batch.count = batch.count.wrapping_add(1);
        }
        if !last.is_null() {
            // SAFETY: As above.
            unsafe { *next(last) = ptr::null_mut() };
        }
        self.waiting.set(waiting);
        let taken = self.taken.load(Ordering::Relaxed);
        self.taken
            .store(taken.wrapping_add(batch.count), Ordering::Relaxed);
        batch
    }

    /// # Safety
    ///
    /// `napi` is that of a queue, and the caller owns it.
    unsafe extern "C" fn poll(napi: *mut bindings::napi_struct, budget: i32) -> i32 {
        // SAFETY: The NAPI is in a queue, which lives as long.
        let queue = unsafe { &*napi.byte_sub(offset_of!(Queue, napi)).cast::<Queue>() };
        // SAFETY: The caller owns the NAPI. The budget is not negative.
        let mut batch = unsafe { queue.take(budget as u32) };
        let count = batch.count as i32;

        batch.deliver(napi);
        // The next batch may not pass GRO, so GRO must not keep a packet of this one, as
        // `napi_complete_done` allows with `gro_flush_timeout`.
        //
        // SAFETY: The caller owns the NAPI.
        unsafe {
            bindings::dsbench_net_napi_flush(napi);
            if count < budget {
                bindings::napi_complete_done(napi, count);
            }
        }
        count
    }

    /// Drops the packets. Returns their number.
    ///
    /// # Safety
    ///
    /// The NAPI is disabled, or was never enabled.
    unsafe fn purge(&self) -> u32 {
        let mut dropped = 0_u32;

        loop {
            // SAFETY: Nobody polls, so the caller owns the NAPI.
            let mut batch = unsafe { self.take(u32::MAX) };

            if batch.count == 0 {
                return dropped;
            }
            dropped = dropped.wrapping_add(batch.count);
            while let Some(skb) = batch.pop() {
                skb.discard(Reason::DEVICE_DOWN);
            }
        }
    }
}

/// The queues of a device.
pub(super) struct Queues(PerCpu<Queue>);

impl Queues {
    /// Context: process context.
    pub(super) fn new() -> Result<Self> {
        // SAFETY: All zeroes are an empty, closed queue. Its NAPI is set up by `add`.
        Ok(Self(unsafe { PerCpu::zeroed() }?))
    }

    /// Adds the NAPIs to a device.
    ///
    /// # Safety
    ///
    /// The caller is `ndo_init`, and calls `remove` before the queues are dropped.
    pub(super) unsafe fn add(&self, device: *mut bindings::net_device) {
        for queue in self.0.iter() {
            // SAFETY: Both are valid, and the NAPI stays at its address.
            unsafe { bindings::dsbench_net_napi_add(device, queue.napi.get(), Some(Queue::poll)) }
        }
    }

    /// Takes the NAPIs off their device.
    ///
    /// # Safety
    ///
    /// The caller is `ndo_uninit`, and drops the queues a grace period later.
    pub(super) unsafe fn remove(&self) {
        for queue in self.0.iter() {
            // SAFETY: The NAPI was added, and it is disabled.
            unsafe { bindings::dsbench_net_napi_del(queue.napi.get()) }
        }
    }

    /// Accepts packets.
    ///
    /// # Safety
    ///
    /// The caller is `ndo_open`.
    pub(super) unsafe fn open(&self) {
        for queue in self.0.iter() {
            // SAFETY: The NAPI was added, and it is disabled.
            unsafe { bindings::napi_enable(queue.napi.get()) };
            queue.open.store(true, Ordering::Relaxed);
            // Poll a packet that was added while the queue was being closed.
            if !queue.arrived.load(Ordering::Relaxed).is_null() {
                // SAFETY: The NAPI is enabled.
                unsafe { bindings::dsbench_net_napi_kick(queue.napi.get()) };
            }
        }
    }

    /// Accepts no more packets and drops those that are queued.
    ///
    /// # Safety
    ///
    /// The caller is `ndo_stop`.
    pub(super) unsafe fn close(&self, stats: &PerCpuStats<'_>) {
        for queue in self.0.iter() {
            queue.open.store(false, Ordering::Relaxed);
            // SAFETY: The NAPI is enabled, and then disabled.
            let dropped = unsafe {
                bindings::napi_disable(queue.napi.get());
                queue.purge()
            };

            for _ in 0..dropped {
                stats.count(Counter::RX_DROPPED);
            }
        }
    }

    /// Queues a packet for delivery on this CPU.
    ///
    /// A queue holds up to `net.core.netdev_max_backlog` packets, like that of `netif_rx()`.
    #[inline]
    pub(super) fn push(&self, skb: SkBuff, _: &Softirq) -> Result<(), (SkBuff, Reason)> {
        let queue = self.0.this();

        if !queue.open.load(Ordering::Relaxed) {
            return Err((skb, Reason::DEVICE_DOWN));
        }
        let added = queue.added.get();
        // SAFETY: Others change the limit while the kernel runs.
        let limit = unsafe { ptr::read_volatile(&raw const bindings::net_hotdata.max_backlog) };

        if added.wrapping_sub(queue.taken.load(Ordering::Relaxed)) > limit as u32 {
            return Err((skb, Reason::BACKLOG));
        }
        queue.added.set(added.wrapping_add(1));

        let skb = skb.into_raw();
        let mut first = queue.arrived.load(Ordering::Relaxed);

        loop {
            // SAFETY: The packet is ours until it is on the list.
            unsafe { *next(skb) = first };
            match queue.arrived.compare_exchange_weak(
                first,
                skb,
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(other) => first = other,
            }
        }
        // The poll takes the whole list: the first packet after it polls again.
        if first.is_null() {
            let napi = queue.napi.get();

            // SAFETY: The NAPI was added, and softirqs are disabled.
            unsafe {
                if bindings::napi_schedule_prep(napi) {
                    bindings::__napi_schedule(napi);
                }
            }
        }
        Ok(())
    }
}

impl Drop for Queues {
    fn drop(&mut self) {
        for queue in self.0.iter() {
            // SAFETY: A grace period ago the NAPI was taken off its device, or it was never on one.
            unsafe { queue.purge() };
        }
    }
}
