// SPDX-License-Identifier: GPL-2.0

//! What the loops need of a container.

use kernel::error::Result;

use crate::bench::element::Elem;

/// A container of elements, each with a key of its own.
///
/// Methods that the loops time are inlined into them, so that a loop is as one that is written for
/// its container.
///
/// Context: the timed methods run in atomic context, the others may sleep.
pub trait Container: Sized {
    /// What owns an element that is in no container.
    type Owned;

    /// Creates an empty container for up to `n` elements. It may sleep.
    fn new(n: u32) -> Result<Self>;

    /// Inserts an element. It is dropped if that fails. Timed by fill.
    fn insert(&mut self, owned: Self::Owned) -> Result;

    /// Reads the element with a key. Timed by find.
    fn find<R>(&self, key: u64, read: impl FnOnce(&Elem) -> R) -> Option<R>;

    /// Visits every element. Timed by for_each.
    fn for_each(&mut self, visit: impl FnMut(&mut Elem));

    /// Removes the element with a key. Timed by erase.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if there is none, `ENOMEM` if memory is short.
    fn remove(&mut self, key: u64) -> Result<Self::Owned>;

    /// Visits every element, checks the invariants of the container, and stops at the first error
    /// of `see`. Both may sleep.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if the container is damaged, or the error of `see`.
    fn verify(&mut self, see: impl FnMut(&mut Elem) -> Result) -> Result;
}
