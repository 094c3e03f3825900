// SPDX-License-Identifier: GPL-2.0

//! A doubly linked list that owns its values: a layer over [`kernel::list`].
//!
//! The kernel crate's list holds reference-counted items and gives shared access to them, since
//! others may hold references, too. Here nobody else can: an item is reachable through its
//! [`Node`] or through the list, so both give exclusive access to the value.

use core::{cell::UnsafeCell, iter::FusedIterator, marker::PhantomData};

use kernel::{
    alloc::Flags,
    list::{self, impl_list_arc_safe, impl_list_item, ListArc, ListLinks},
    prelude::*,
};

use super::keyed::Keyed;

/// What the kernel crate's list holds. It has no public access to the value.
#[pin_data]
pub struct Item<T> {
    #[pin]
    links: ListLinks,
    value: UnsafeCell<T>,
}

impl_list_arc_safe! {
    impl{T} ListArcSafe<0> for Item<T> { untracked; }
}

impl_list_item! {
    impl{T} ListItem<0> for Item<T> { using ListLinks { self.links }; }
}

/// A value in a node that is in no list.
///
/// # Invariants
///
/// This is the only reference to the item.
pub struct Node<T>(ListArc<Item<T>>);

// SAFETY: A node owns its value, and nothing else refers to the item.
unsafe impl<T: Send> Send for Node<T> {}

// SAFETY: A shared node gives shared access to the value only.
unsafe impl<T: Sync> Sync for Node<T> {}

impl<T> Node<T> {
    /// Allocates a node.
    ///
    /// Context: may sleep if `flags` permits it.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if memory is short.
    #[inline]
    pub fn new(value: T, flags: Flags) -> Result<Self> {
        let init = try_pin_init!(Item {
            links <- ListLinks::new(),
            value: UnsafeCell::new(value),
        });

        // INVARIANT: The reference is new, and no method clones it.
        Ok(Self(ListArc::pin_init(init, flags)?))
    }

    /// Returns the value.
    ///
    /// Context: any.
    #[inline]
    pub fn get(&self) -> &T {
        // SAFETY: By the invariants the only access to the value is through this reference.
        unsafe { &*self.0.value.get() }
    }

    /// Returns the value for a change.
    ///
    /// Context: any.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        // SAFETY: As for `get`, with an exclusive reference.
        unsafe { &mut *self.0.value.get() }
    }
}

/// A doubly linked list.
///
/// There is no lock inside: reading takes `&self`, changing takes `&mut self`, so a user who
/// shares the list puts it into a lock of the kernel crate.
///
/// # Invariants
///
/// The list has the only reference to each of its items.
pub struct LinkedList<T>(list::List<Item<T>>);

// SAFETY: A list owns its values, and nothing else refers to the items.
unsafe impl<T: Send> Send for LinkedList<T> {}

// SAFETY: A shared list gives shared access to the values only.
unsafe impl<T: Sync> Sync for LinkedList<T> {}

impl<T> LinkedList<T> {
    /// Creates an empty list.
    ///
    /// Context: any.
    #[inline]
    pub const fn new() -> Self {
        Self(list::List::new())
    }

    /// Whether the list has no value.
    ///
    /// Context: any.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Inserts a node at the end.
    ///
    /// Context: any.
    #[inline]
    pub fn push_back(&mut self, node: Node<T>) {
        self.0.push_back(node.0);
    }

    /// Inserts a node at the front.
    ///
    /// Context: any.
    #[inline]
    pub fn push_front(&mut self, node: Node<T>) {
        self.0.push_front(node.0);
    }

    /// Removes the first node.
    ///
    /// Context: any.
    #[inline]
    pub fn pop_front(&mut self) -> Option<Node<T>> {
        self.0.pop_front().map(Node)
    }

    /// Visits the values from the front.
    ///
    /// Context: any.
    #[inline]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self.0.iter())
    }

    /// Visits the values from the front, for a change.
    ///
    /// Context: any.
    #[inline]
    pub fn iter_mut(&mut self) -> IterMut<'_, T> {
        IterMut(self.0.iter(), PhantomData)
    }

    /// Removes the first node whose value `wanted` accepts.
    ///
    /// Context: any; whatever `wanted` needs. The time grows with the length of the list.
    #[inline]
    pub fn remove_if(&mut self, mut wanted: impl FnMut(&T) -> bool) -> Option<Node<T>> {
        let item: *const Item<T> = self
            .0
            .iter()
            // SAFETY: The list has the only reference to the item, and it is borrowed exclusively.
            .find(|item| wanted(unsafe { &*item.value.get() }))
            .map(|item| &raw const *item)?;

        // SAFETY: The item is in this list, since the iterator found it there.
        unsafe { self.0.remove(&*item) }.map(Node)
    }
}

impl<T: Keyed> LinkedList<T> {
    /// Returns the first value with a key.
    ///
    /// Context: any. The time grows with the length of the list.
    #[inline]
    pub fn get(&self, key: T::Key) -> Option<&T> {
        self.iter().find(|value| value.key() == key)
    }

    /// Returns the first value with a key, for a change.
    ///
    /// Context: any. The time grows with the length of the list.
    #[inline]
    pub fn get_mut(&mut self, key: T::Key) -> Option<&mut T> {
        self.iter_mut().find(|value| value.key() == key)
    }

    /// Removes the first node with a key and returns it.
    ///
    /// Context: any. The time grows with the length of the list.
    #[inline]
    pub fn remove(&mut self, key: T::Key) -> Option<Node<T>> {
        self.remove_if(|value| value.key() == key)
    }
}

impl<T> Default for LinkedList<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Iterator over the values of a [`LinkedList`].
pub struct Iter<'a, T>(list::Iter<'a, Item<T>>);

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    #[inline]
    fn next(&mut self) -> Option<&'a T> {
        // SAFETY: The list, which is shared for `'a`, has the only reference to the item.
        self.0.next().map(|item| unsafe { &*item.value.get() })
    }
}

impl<T> FusedIterator for Iter<'_, T> {}

/// Iterator over the values of a [`LinkedList`], for a change.
pub struct IterMut<'a, T>(list::Iter<'a, Item<T>>, PhantomData<&'a mut T>);

impl<'a, T> Iterator for IterMut<'a, T> {
    type Item = &'a mut T;

    #[inline]
    fn next(&mut self) -> Option<&'a mut T> {
        // SAFETY: The list, which is borrowed exclusively for `'a`, has the only reference to the
        // item, and an iterator passes each item once.
        self.0.next().map(|item| unsafe { &mut *item.value.get() })
    }
}

impl<T> FusedIterator for IterMut<'_, T> {}
