// SPDX-License-Identifier: GPL-2.0

//! Statistics of a device: packets and bytes per CPU, and counters of what is rare.

use super::{bindings, context::Softirq};

/// A counter of what is rare, which all CPUs share.
#[derive(Clone, Copy)]
pub struct Counter(bindings::dsbench_net_counter);

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident = $value:ident;)*) => {
        impl Counter {
            $($(#[$doc])* pub const $name: Self = Self(bindings::$value);)*
        }
    };
}

counters! {
    /// Packets received without the checksum that they need.
    RX_CRC_ERRORS = dsbench_net_counter_DSBENCH_NET_RX_CRC_ERRORS;
    /// Packets received and dropped for want of memory or of room in a queue.
    RX_DROPPED = dsbench_net_counter_DSBENCH_NET_RX_DROPPED;
    /// Bad packets received.
    RX_ERRORS = dsbench_net_counter_DSBENCH_NET_RX_ERRORS;
    /// Packets received that are not IP, or that carry no congestion mark.
    RX_FRAME_ERRORS = dsbench_net_counter_DSBENCH_NET_RX_FRAME_ERRORS;
    /// Packets received that are shorter than they say.
    RX_LENGTH_ERRORS = dsbench_net_counter_DSBENCH_NET_RX_LENGTH_ERRORS;
    /// Packets without a route.
    TX_CARRIER_ERRORS = dsbench_net_counter_DSBENCH_NET_TX_CARRIER_ERRORS;
    /// Packets whose route leads into the device itself.
    TX_COLLISIONS = dsbench_net_counter_DSBENCH_NET_TX_COLLISIONS;
    /// Packets that the underlay dropped.
    TX_DROPPED = dsbench_net_counter_DSBENCH_NET_TX_DROPPED;
    /// Packets that could not be sent.
    TX_ERRORS = dsbench_net_counter_DSBENCH_NET_TX_ERRORS;
}

/// The statistics of a device. The kernel allocates those of each CPU with the device.
///
/// # Invariants
///
/// The device is registered for `'a`.
pub struct PerCpuStats<'a> {
    device: *mut bindings::net_device,
    _device: core::marker::PhantomData<&'a bindings::net_device>,
}

impl PerCpuStats<'_> {
    /// # Safety
    ///
    /// The caller promises the type's invariants.
    #[inline]
    pub(super) unsafe fn new(device: *mut bindings::net_device) -> Self {
        Self {
            device,
            _device: core::marker::PhantomData,
        }
    }

    /// Counts a packet sent, of `len` bytes.
    ///
    /// Context: softirqs are disabled, RCU is held.
    #[inline]
    pub fn sent(&self, len: u32, _: &Softirq) {
        // SAFETY: The device is registered, and softirqs are disabled.
        unsafe { bindings::dsbench_net_count_tx(self.device, len) }
    }

    /// Counts a packet received, of `len` bytes.
    ///
    /// Context: softirqs are disabled, RCU is held.
    #[inline]
    pub fn received(&self, len: u32, _: &Softirq) {
        // SAFETY: As above.
        unsafe { bindings::dsbench_net_count_rx(self.device, len) }
    }

    /// Increments a counter of what is rare.
    ///
    /// Context: any.
    #[cold]
    pub fn count(&self, counter: Counter) {
        // SAFETY: The device is registered. The counters are atomic.
        unsafe { bindings::dsbench_net_count(self.device, counter.0) }
    }
}
