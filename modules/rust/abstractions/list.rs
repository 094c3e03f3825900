// SPDX-License-Identifier: GPL-2.0

//! A doubly linked list that owns its values: a layer over [`kernel::list`].
//!
//! The kernel crate's list holds reference-counted items and gives shared access to them, since
//! others may hold references, too. Here nobody else can: an item is reachable through its
//! [`Node`] or through the list, so both give exclusive access to the value.

use core::{
    cell::UnsafeCell, hint::assert_unchecked, iter::FusedIterator, marker::PhantomData, ptr,
};

use kernel::{
    alloc::Flags,
    list::{self, impl_list_arc_safe, impl_list_item, ListArc, ListLinks},
    prelude::*,
    sync::ArcBorrow,
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
/// The list has the only reference to each of its items. There are `len` of them.
pub struct LinkedList<T> {
    list: list::List<Item<T>>,
    len: usize,
}

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
        // INVARIANT: An empty list.
        Self {
            list: list::List::new(),
            len: 0,
        }
    }

    /// Returns the number of values.
    ///
    /// Context: any.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the list has no value.
    ///
    /// Context: any.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Inserts a node at the end.
    ///
    /// Context: any.
    #[inline]
    pub fn push_back(&mut self, node: Node<T>) {
        // INVARIANT: One item more.
        self.list.push_back(node.0);
        self.len += 1;
    }

    /// Inserts a node at the front.
    ///
    /// Context: any.
    #[inline]
    pub fn push_front(&mut self, node: Node<T>) {
        // INVARIANT: One item more.
        self.list.push_front(node.0);
        self.len += 1;
    }

    /// Removes the first node.
    ///
    /// Context: any.
    #[inline]
    pub fn pop_front(&mut self) -> Option<Node<T>> {
        let item = self.list.pop_front()?;

        // INVARIANT: One item less.
        self.len -= 1;
        Some(Node(item))
    }

    #[inline]
    fn items(&self) -> Items<'_, T> {
        // INVARIANT: The iterator is at the start.
        Items {
            items: self.list.iter(),
            len: self.len,
        }
    }

    /// Visits the values from the front.
    ///
    /// Context: any.
    #[inline]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self.items())
    }

    /// Visits the values from the front, for a change.
    ///
    /// Context: any.
    #[inline]
    pub fn iter_mut(&mut self) -> IterMut<'_, T> {
        IterMut(self.items(), PhantomData)
    }

    /// Removes the first node whose value `wanted` accepts.
    ///
    /// Context: any; whatever `wanted` needs. The time grows with the length of the list.
    #[inline]
    pub fn remove_if(&mut self, mut wanted: impl FnMut(&T) -> bool) -> Option<Node<T>> {
        let item: *const Item<T> = self
            .items()
            // SAFETY: The list has the only reference to the item, and it is borrowed exclusively.
            .find(|item| wanted(unsafe { &*item.value.get() }))
            .map(|item| &raw const *item)?;

        // SAFETY: The item is in this list, since the iterator found it there.
        let item = unsafe { self.list.remove(&*item) }?;

        // INVARIANT: One item less.
        self.len -= 1;
        Some(Node(item))
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

/// Iterator over the items of a [`LinkedList`].
///
/// The kernel crate's iterator turns the pointer to the first item into null, which ends it, so a
/// loop compares twice for each item. This one counts, as that of the standard library's
/// `LinkedList` does, and tells the compiler that an item which is not the last one has a
/// successor: both comparisons go.
///
/// # Invariants
///
/// `items` has `len` items left.
struct Items<'a, T> {
    items: list::Iter<'a, Item<T>>,
    len: usize,
}

impl<'a, T> Items<'a, T> {
    /// Returns the next item, which is not the last one.
    ///
    /// # Safety
    ///
    /// `len` is above 1.
    #[inline]
    unsafe fn next_of_many(&mut self) -> ArcBorrow<'a, Item<T>> {
        // SAFETY: By the invariants there is an item, and the caller promises another one. The
        // crate's iterator owns nothing and may be copied, though `Clone` asks it of the items, too.
        //
        // INVARIANT: One item less is left.
        unsafe {
            let item = self.items.next().unwrap_unchecked();

            self.len -= 1;
            assert_unchecked(ptr::read(&self.items).next().is_some());
            item
        }
    }
}

impl<'a, T> Iterator for Items<'a, T> {
    type Item = ArcBorrow<'a, Item<T>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let item = self.items.next()?;

        // INVARIANT: One item less is left.
        self.len -= 1;
        Some(item)
    }

    #[inline]
    fn find<P: FnMut(&Self::Item) -> bool>(&mut self, mut wanted: P) -> Option<Self::Item> {
        while self.len > 1 {
            // SAFETY: `len` is above 1.
            let item = unsafe { self.next_of_many() };

            if wanted(&item) {
                return Some(item);
            }
        }
        self.next().filter(wanted)
    }

    #[inline]
    fn fold<B, F: FnMut(B, Self::Item) -> B>(mut self, init: B, mut f: F) -> B {
        let mut acc = init;

        while self.len > 1 {
            // SAFETY: `len` is above 1.
            acc = f(acc, unsafe { self.next_of_many() });
        }
        match self.next() {
            Some(last) => f(acc, last),
            None => acc,
        }
    }
}

/// Iterator over the values of a [`LinkedList`].
pub struct Iter<'a, T>(Items<'a, T>);

/// Returns the value of an item of a shared list.
#[inline]
fn shared<'a, T>(item: ArcBorrow<'a, Item<T>>) -> &'a T {
    // SAFETY: The list, which is shared for `'a`, has the only reference to the item.
    unsafe { &*item.value.get() }
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    #[inline]
    fn next(&mut self) -> Option<&'a T> {
        self.0.next().map(shared)
    }

    #[inline]
    fn find<P: FnMut(&Self::Item) -> bool>(&mut self, mut wanted: P) -> Option<&'a T> {
        self.0.find(|&item| wanted(&shared(item))).map(shared)
    }

    #[inline]
    fn fold<B, F: FnMut(B, &'a T) -> B>(self, init: B, mut f: F) -> B {
        self.0.fold(init, |acc, item| f(acc, shared(item)))
    }
}

impl<T> FusedIterator for Iter<'_, T> {}

/// Iterator over the values of a [`LinkedList`], for a change.
pub struct IterMut<'a, T>(Items<'a, T>, PhantomData<&'a mut T>);

/// Returns the value of an item of an exclusive list.
///
/// # Safety
///
/// The item's list is borrowed exclusively for `'a`, and there is no other reference to the value.
#[inline]
unsafe fn exclusive<'a, T>(item: ArcBorrow<'a, Item<T>>) -> &'a mut T {
    // SAFETY: The list has the only reference to the item. The caller promises the rest.
    unsafe { &mut *item.value.get() }
}

impl<'a, T> Iterator for IterMut<'a, T> {
    type Item = &'a mut T;

    #[inline]
    fn next(&mut self) -> Option<&'a mut T> {
        // SAFETY: The list is borrowed exclusively, and an iterator passes each item once.
        self.0.next().map(|item| unsafe { exclusive(item) })
    }

    #[inline]
    fn find<P: FnMut(&Self::Item) -> bool>(&mut self, mut wanted: P) -> Option<&'a mut T> {
        // SAFETY: As for `next`. The reference that `wanted` sees is gone before the second one is
        // made.
        unsafe {
            self.0
                .find(|&item| wanted(&exclusive(item)))
                .map(|item| exclusive(item))
        }
    }

    #[inline]
    fn fold<B, F: FnMut(B, &'a mut T) -> B>(self, init: B, mut f: F) -> B {
        self.0.fold(init, |acc, item| {
            // SAFETY: As for `next`.
            f(acc, unsafe { exclusive(item) })
        })
    }
}

impl<T> FusedIterator for IterMut<'_, T> {}
