// SPDX-License-Identifier: GPL-2.0

//! Values that carry their own key.

/// A value that carries its own key, as most structures of the kernel do.
///
/// A container uses the key that a value has at the time of a call. A key that changes while the
/// value is in a container makes the value hard to find, but is no danger to memory.
pub trait Keyed {
    /// The key.
    type Key: Copy + Eq;

    /// Returns the key.
    ///
    /// Context: any. It must not sleep.
    fn key(&self) -> Self::Key;
}
