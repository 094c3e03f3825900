// SPDX-License-Identifier: GPL-2.0

//! Exclusive use of a value whose memory belongs to someone else.

use core::{
    marker::PhantomData,
    ops::{Deref, DerefMut},
    ptr::NonNull,
};

use kernel::{ffi::c_void, types::ForeignOwnable};

/// A value that is lent for exclusive use: it acts as a box whose drop does nothing.
///
/// A container of `Lent<T>` holds values that someone else allocates and frees, as an intrusive
/// container in C does.
///
/// # Invariants
///
/// The pointer is valid, and no other reference to the value exists while the loan lasts.
#[repr(transparent)]
pub struct Lent<T>(NonNull<T>, PhantomData<T>);

// SAFETY: A `Lent<T>` is the only access to its value, as a box is.
unsafe impl<T: Send> Send for Lent<T> {}

// SAFETY: A shared `Lent<T>` gives shared access to its value only, as a box does.
unsafe impl<T: Sync> Sync for Lent<T> {}

impl<T> Lent<T> {
    /// Borrows the value at `value` until the loan and all that it was moved into are gone.
    ///
    /// Context: any.
    ///
    /// # Safety
    ///
    /// `value` points at a valid `T`, and nobody else uses it, frees it or lends it again while
    /// this loan lasts.
    #[inline]
    pub unsafe fn new(value: NonNull<T>) -> Self {
        // INVARIANT: The caller promises that the pointer is valid and exclusive.
        Self(value, PhantomData)
    }

    /// Turns the loan into a pointer. The loan lasts until [`Lent::new`] takes the pointer back
    /// and its result is dropped.
    ///
    /// Context: any.
    #[inline]
    pub fn into_raw(self) -> NonNull<T> {
        self.0
    }
}

impl<T> Deref for Lent<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: By the type's invariants the pointer is valid and exclusive.
        unsafe { self.0.as_ref() }
    }
}

impl<T> DerefMut for Lent<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: By the type's invariants the pointer is valid and exclusive.
        unsafe { self.0.as_mut() }
    }
}

// SAFETY: `into_foreign` returns a pointer to a `T`, which is not null and aligned as a `T` is.
unsafe impl<T: 'static> ForeignOwnable for Lent<T> {
    const FOREIGN_ALIGN: usize = align_of::<T>();

    type Borrowed<'a> = &'a T;
    type BorrowedMut<'a> = &'a mut T;

    #[inline]
    fn into_foreign(self) -> *mut c_void {
        self.0.as_ptr().cast()
    }

    #[inline]
    unsafe fn from_foreign(ptr: *mut c_void) -> Self {
        // SAFETY: `ptr` came from `into_foreign`, which took it from a valid loan.
        unsafe { Self::new(NonNull::new_unchecked(ptr.cast())) }
    }

    #[inline]
    unsafe fn borrow<'a>(ptr: *mut c_void) -> &'a T {
        // SAFETY: `ptr` came from `into_foreign`, and the loan lasts for `'a`.
        unsafe { &*ptr.cast() }
    }

    #[inline]
    unsafe fn borrow_mut<'a>(ptr: *mut c_void) -> &'a mut T {
        // SAFETY: `ptr` came from `into_foreign`, the loan lasts for `'a`, and the caller promises
        // that there is no other borrow.
        unsafe { &mut *ptr.cast() }
    }
}
