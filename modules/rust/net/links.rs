// SPDX-License-Identifier: GPL-2.0

//! A doubly linked list of structures that are elsewhere, under a lock of the user.

use core::ptr;

/// The link of a structure in a list.
pub(super) struct Links {
    next: *mut Links,
    /// What points at this link; null if it is in no list.
    at: *mut *mut Links,
}

/// A list.
pub(super) struct Head {
    first: *mut Links,
}

// SAFETY: The list is a pointer. Its functions say what their users promise.
unsafe impl Send for Head {}

impl Links {
    pub(super) const fn new() -> Self {
        Self {
            next: ptr::null_mut(),
            at: ptr::null_mut(),
        }
    }

    /// Takes a link out of its list, if it is in one.
    ///
    /// # Safety
    ///
    /// `link` is valid, and the caller has exclusive access to the list.
    pub(super) unsafe fn remove(link: *mut Self) {
        // SAFETY: The caller promises that all links of the list are valid.
        unsafe {
            if (*link).at.is_null() {
                return;
            }
            *(*link).at = (*link).next;
            if !(*link).next.is_null() {
                (*(*link).next).at = (*link).at;
            }
            (*link).at = ptr::null_mut();
        }
    }
}

impl Head {
    pub(super) const fn new() -> Self {
        Self {
            first: ptr::null_mut(),
        }
    }

    /// Inserts a link at the front.
    ///
    /// # Safety
    ///
    /// `head` and `link` stay at their addresses and valid until the link is removed. The caller
    /// has exclusive access to the list.
    pub(super) unsafe fn add(head: *mut Self, link: *mut Links) {
        // SAFETY: The caller promises that all are valid.
        unsafe {
            let first = (*head).first;

            (*link).next = first;
            (*link).at = &raw mut (*head).first;
            if !first.is_null() {
                (*first).at = &raw mut (*link).next;
            }
            (*head).first = link;
        }
    }

    /// The only link of the list; None if there are none or several.
    pub(super) fn only(&self) -> Option<*mut Links> {
        // SAFETY: By the promises of `add` the first link is valid.
        if self.first.is_null() || unsafe { !(*self.first).next.is_null() } {
            return None;
        }
        Some(self.first)
    }

    /// Visits the links. Each may be removed while it is visited.
    pub(super) fn iter(&self) -> impl Iterator<Item = *mut Links> {
        let mut next = self.first;

        core::iter::from_fn(move || {
            let link = next;

            if link.is_null() {
                return None;
            }
            // SAFETY: By the promises of `add` the link is valid.
            next = unsafe { (*link).next };
            Some(link)
        })
    }
}
