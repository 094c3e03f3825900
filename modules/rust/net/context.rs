// SPDX-License-Identifier: GPL-2.0

//! Evidence of the context that code runs in. The abstractions make it for their callbacks.

use kernel::types::NotThreadSafe;

/// Evidence that `rtnl_lock()` is held: process context, in which code may sleep.
///
/// # Invariants
///
/// The lock is held while the evidence exists. Of all evidence on a thread only the youngest is in
/// use: whatever makes another one has borrowed the older one exclusively.
pub struct Rtnl(NotThreadSafe);

impl Rtnl {
    /// # Safety
    ///
    /// The caller promises the type's invariants.
    #[inline]
    pub(super) unsafe fn assume() -> Self {
        Self(NotThreadSafe)
    }
}

/// Evidence that softirqs are disabled on this CPU, and that an RCU reader is running: code must
/// not sleep.
///
/// # Invariants
///
/// Both hold while the evidence exists.
pub struct Softirq(NotThreadSafe);

impl Softirq {
    /// # Safety
    ///
    /// The caller promises the type's invariants.
    #[inline]
    pub(super) unsafe fn assume() -> Self {
        Self(NotThreadSafe)
    }
}

/// Data that `rtnl_lock()` protects.
pub(super) struct RtnlCell<T>(core::cell::UnsafeCell<T>);

// SAFETY: The evidence that access needs exists on one thread at a time.
unsafe impl<T: Send> Sync for RtnlCell<T> {}

impl<T> RtnlCell<T> {
    pub(super) const fn new(value: T) -> Self {
        Self(core::cell::UnsafeCell::new(value))
    }

    pub(super) fn get<'a>(&'a self, _: &'a Rtnl) -> &'a T {
        // SAFETY: Changes need exclusive evidence, and this borrows it.
        unsafe { &*self.0.get() }
    }

    #[allow(clippy::mut_from_ref)]
    pub(super) fn get_mut<'a>(&'a self, _: &'a mut Rtnl) -> &'a mut T {
        // SAFETY: Any other access needs evidence, too, and this borrows the only one.
        unsafe { &mut *self.0.get() }
    }
}
