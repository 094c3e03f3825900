// SPDX-License-Identifier: GPL-2.0

//! Additions to the kernel crate's XArray: iteration, and a map that reads without the lock.
//!
//! C header: [`include/linux/xarray.h`](srctree/include/linux/xarray.h)

use core::{iter::FusedIterator, marker::PhantomData, pin::Pin};

use kernel::{
    alloc::Flags,
    bindings,
    ffi::c_void,
    prelude::*,
    types::ForeignOwnable,
    xarray::{AllocKind, StoreError, XArray},
};

/// Returns the C structure inside an array.
#[inline]
fn raw<P: ForeignOwnable>(xa: &XArray<P>) -> *mut bindings::xarray {
    // The C structure is as large as what surrounds it, so it begins at the same address. It is in
    // an `Opaque`, so a shared reference permits C to change it.
    const { assert!(size_of::<XArray<P>>() == size_of::<bindings::xarray>()) };
    (&raw const *xa).cast_mut().cast()
}

/// Iteration over an [`XArray`], which the kernel crate lacks.
pub trait XArrayExt<P: ForeignOwnable> {
    /// Visits the indices and the values, for a change, in the order of the indices.
    ///
    /// An exclusive array needs no lock.
    ///
    /// Context: any. The values may be changed in a context that sleeps.
    fn iter_mut(self: Pin<&mut Self>) -> IterMut<'_, P>;
}

impl<P: ForeignOwnable> XArrayExt<P> for XArray<P> {
    #[inline]
    fn iter_mut(self: Pin<&mut Self>) -> IterMut<'_, P> {
        IterMut {
            entries: Entries::new(&self),
            _array: PhantomData,
        }
    }
}

/// The entries of an array, in the order of their indices.
struct Entries {
    xa: *mut bindings::xarray,
    index: usize,
    begun: bool,
}

impl Entries {
    #[inline]
    fn new<P: ForeignOwnable>(xa: &XArray<P>) -> Self {
        Self {
            xa: raw(xa),
            index: 0,
            begun: false,
        }
    }

    /// Returns the next entry, or null behind the last one.
    ///
    /// # Safety
    ///
    /// The array is valid, and nobody changes it.
    #[inline]
    unsafe fn next(&mut self) -> *mut c_void {
        let find = if self.begun {
            bindings::xa_find_after
        } else {
            bindings::xa_find
        };

        self.begun = true;
        // SAFETY: The caller promises that the array is valid.
        unsafe { find(self.xa, &mut self.index, usize::MAX, bindings::XA_PRESENT) }
    }
}

/// Iterator over the indices and the values of an [`XArray`], for a change.
pub struct IterMut<'a, P: ForeignOwnable> {
    entries: Entries,
    _array: PhantomData<&'a mut XArray<P>>,
}

impl<'a, P: ForeignOwnable + 'a> Iterator for IterMut<'a, P> {
    type Item = (usize, P::BorrowedMut<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // SAFETY: The array is borrowed exclusively for `'a`.
        let entry = unsafe { self.entries.next() };

        // SAFETY: The entries of an array came from `into_foreign`, and an iterator passes each
        // once.
        (!entry.is_null()).then(|| (self.entries.index, unsafe { P::borrow_mut(entry) }))
    }
}

impl<'a, P: ForeignOwnable + 'a> FusedIterator for IterMut<'a, P> {}

/// A map from indices to values that it owns.
///
/// The kernel crate's [`XArray`] takes its lock for each access, since others may change it at any
/// time. A map changes through `&mut self` only, so reading needs no lock: C's `xa_load()` reads
/// under RCU.
pub struct Map<P: ForeignOwnable> {
    xa: Pin<KBox<XArray<P>>>,
    // An array may be shared if its values may be sent. A map shares its values.
    _owns: PhantomData<P>,
}

impl<P: ForeignOwnable> Map<P> {
    /// Creates an empty map.
    ///
    /// Context: may sleep if `flags` permits it.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if memory is short.
    pub fn new(flags: Flags) -> Result<Self> {
        Ok(Self {
            xa: KBox::pin_init(XArray::new(AllocKind::Alloc), flags)?,
            _owns: PhantomData,
        })
    }

    /// Inserts a value and returns the one that it replaces.
    ///
    /// Context: takes the array's lock; may sleep if `flags` permits it.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if memory is short. The error has the value.
    #[inline]
    pub fn insert(
        &mut self,
        index: usize,
        value: P,
        flags: Flags,
    ) -> Result<Option<P>, StoreError<P>> {
        self.xa.lock().store(index, value, flags)
    }

    #[inline]
    fn load(&self, index: usize) -> *mut c_void {
        // SAFETY: The array is valid, and nobody changes it while it is shared.
        unsafe { bindings::xa_load(raw(&self.xa), index) }
    }

    /// Returns the value at an index.
    ///
    /// Context: any.
    #[inline]
    pub fn get(&self, index: usize) -> Option<P::Borrowed<'_>> {
        let entry = self.load(index);

        // SAFETY: The entry came from `into_foreign`. It stays until the map is changed.
        (!entry.is_null()).then(|| unsafe { P::borrow(entry) })
    }

    /// Returns the value at an index, for a change.
    ///
    /// Context: any.
    #[inline]
    pub fn get_mut(&mut self, index: usize) -> Option<P::BorrowedMut<'_>> {
        let entry = self.load(index);

        // SAFETY: As for `get`, with an exclusive reference.
        (!entry.is_null()).then(|| unsafe { P::borrow_mut(entry) })
    }

    /// Removes the value at an index and returns it.
    ///
    /// Context: takes the array's lock.
    #[inline]
    pub fn remove(&mut self, index: usize) -> Option<P> {
        self.xa.lock().remove(index)
    }

    /// Visits the indices and the values, in the order of the indices.
    ///
    /// Context: any.
    #[inline]
    pub fn iter(&self) -> Iter<'_, P> {
        Iter {
            entries: Entries::new(&self.xa),
            _array: PhantomData,
        }
    }

    /// Visits the indices and the values, for a change, in the order of the indices.
    ///
    /// Context: any.
    #[inline]
    pub fn iter_mut(&mut self) -> IterMut<'_, P> {
        self.xa.as_mut().iter_mut()
    }
}

/// Iterator over the indices and the values of a [`Map`].
pub struct Iter<'a, P: ForeignOwnable> {
    entries: Entries,
    _array: PhantomData<&'a Map<P>>,
}

impl<'a, P: ForeignOwnable + 'a> Iterator for Iter<'a, P> {
    type Item = (usize, P::Borrowed<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // SAFETY: The map is shared for `'a`, and a shared map does not change.
        let entry = unsafe { self.entries.next() };

        // SAFETY: The entries of an array came from `into_foreign`.
        (!entry.is_null()).then(|| (self.entries.index, unsafe { P::borrow(entry) }))
    }
}

impl<'a, P: ForeignOwnable + 'a> FusedIterator for Iter<'a, P> {}
