// SPDX-License-Identifier: GPL-2.0

//! The set of a try, as the core lends it to an operation.

use core::{ptr::NonNull, slice};

use kernel::{
    error::{code::EINVAL, to_result, Result},
    ffi::c_void,
};

use crate::{
    abstractions::lent::Lent,
    bench::element::{Elem, Overlay},
    bindings::{self, dsbench_set},
};

/// Indices of a slice of an operation, from `first` to the one before `last`.
#[derive(Clone, Copy)]
pub struct Slice {
    /// The first index.
    pub first: u32,
    /// The index behind the last one.
    pub last: u32,
}

impl Slice {
    #[inline]
    fn of<T>(self, array: &[T]) -> Result<&[T]> {
        array
            .get(self.first as usize..self.last as usize)
            .ok_or(EINVAL)
    }

    /// Returns the number of indices.
    #[inline]
    pub fn len(self) -> u32 {
        self.last.saturating_sub(self.first)
    }

    /// Whether there is no index.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// The elements and keys of a try.
///
/// # Invariants
///
/// The arrays have as many entries as `struct dsbench_set` says: `n` of `keys`, `erase`, and, if
/// the elements are allocated before, `elems`; `lookups` of `lookup`. Nobody else uses the set.
#[repr(transparent)]
pub struct Set(dsbench_set);

impl Set {
    /// Borrows the set of an operation.
    ///
    /// # Safety
    ///
    /// `set` is what the core passed to the operation, and the reference is gone when the
    /// operation returns.
    #[inline]
    pub unsafe fn from_raw<'a>(set: *mut dsbench_set) -> &'a mut Self {
        // SAFETY: The core passes a valid set, which it leaves alone until the operation returns.
        // INVARIANT: The core keeps the promises of `struct dsbench_set`.
        unsafe { &mut *set.cast() }
    }

    /// Returns the number of elements of a full container.
    #[inline]
    pub fn n(&self) -> u32 {
        self.0.n
    }

    /// Whether fill allocates each element and erase frees it.
    #[inline]
    pub fn inline_alloc(&self) -> bool {
        self.0.inline_alloc
    }

    /// # Safety
    ///
    /// `len` is the number of entries of `array`, which nobody changes for `'a`.
    #[inline]
    unsafe fn array<'a, T>(array: *const T, len: u32) -> &'a [T] {
        // SAFETY: The caller promises that the array has so many entries.
        unsafe { slice::from_raw_parts(array, len as usize) }
    }

    /// Returns all keys, in the order of their insertion.
    #[inline]
    pub fn all_keys(&self) -> &[u32] {
        // SAFETY: By the invariants there are `n`.
        unsafe { Self::array(self.0.keys, self.0.n) }
    }

    /// Returns the keys to insert.
    #[inline]
    pub fn keys(&self, slice: Slice) -> Result<&[u32]> {
        slice.of(self.all_keys())
    }

    /// Returns the keys to look up.
    #[inline]
    pub fn lookups(&self, slice: Slice) -> Result<&[u32]> {
        // SAFETY: By the invariants there are `lookups`.
        slice.of(unsafe { Self::array(self.0.lookup, self.0.lookups) })
    }

    /// Returns the keys to erase.
    #[inline]
    pub fn erasures(&self, slice: Slice) -> Result<&[u32]> {
        // SAFETY: By the invariants there are `n`.
        slice.of(unsafe { Self::array(self.0.erase, self.0.n) })
    }

    /// Lends the elements of the core's pool to a container, each as a `T`.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the set has no pool.
    #[inline]
    pub fn lend<T: Overlay>(
        &self,
        slice: Slice,
    ) -> Result<impl Iterator<Item = Lent<T>> + use<'_, T>> {
        if self.0.inline_alloc {
            return Err(EINVAL);
        }
        // SAFETY: By the invariants there are `n`.
        let elems = slice.of(unsafe { Self::array(self.0.elems, self.0.n) })?;

        Ok(elems.iter().map(|&elem| {
            // SAFETY: The elements are valid, and `T` overlays an element. The core inserts each
            // element once, and uses it only when the container has none of its own references
            // to it: between two operations, and after destroy.
            unsafe { Lent::new(NonNull::new_unchecked(elem).cast()) }
        }))
    }

    /// Adds the result of a slice of lookups: how many keys were found, and the sum of their
    /// values.
    #[inline]
    pub fn add_found(&mut self, hits: u32, sum: u64) {
        self.0.hits = self.0.hits.wrapping_add(hits);
        self.0.sum = self.0.sum.wrapping_add(sum);
    }

    /// Reports an element that verify visits.
    ///
    /// Context: may sleep.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` for a key that is foreign or was seen before.
    pub fn see(&mut self, elem: &mut Elem) -> Result {
        // SAFETY: Both are valid.
        to_result(unsafe { bindings::dsbench_rust_see(&mut self.0, elem) })
    }

    /// Keeps the state of the container for the other operations.
    #[inline]
    pub fn set_state(&mut self, state: *mut c_void) {
        self.0.priv_ = state;
    }

    /// Returns the state of the container.
    #[inline]
    pub fn state(&self) -> *mut c_void {
        self.0.priv_
    }
}
