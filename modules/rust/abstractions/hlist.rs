// SPDX-License-Identifier: GPL-2.0

//! Lists with a head of one pointer.
//!
//! C header: [`include/linux/list.h`](srctree/include/linux/list.h)

use core::{
    iter::FusedIterator,
    marker::{PhantomData, PhantomPinned},
    ops::{Deref, DerefMut},
    pin::Pin,
    ptr::{self, NonNull},
};

use kernel::{alloc::KBox, bindings, container_of, types::Opaque};

use super::lent::Lent;

/// A value with the link that an [`HList`] needs.
///
/// The link is beside the value, so users swap and replace values freely, also those in a list.
#[repr(C)]
pub struct HNode<T> {
    value: T,
    link: Opaque<bindings::hlist_node>,
}

// SAFETY: The link is used only by the list that owns the node, through an exclusive or a shared
// reference to that list. All else is as for the value.
unsafe impl<T: Send> Send for HNode<T> {}

// SAFETY: A shared node gives access to the value only.
unsafe impl<T: Sync> Sync for HNode<T> {}

impl<T> HNode<T> {
    /// Creates a node that is in no list.
    ///
    /// Context: any.
    #[inline]
    pub const fn new(value: T) -> Self {
        Self {
            value,
            link: Opaque::uninit(),
        }
    }

    /// # Safety
    ///
    /// `node` points at a valid node.
    #[inline]
    unsafe fn link(node: NonNull<Self>) -> *mut bindings::hlist_node {
        // SAFETY: The caller promises that the node is valid.
        Opaque::cast_into(unsafe { &raw const (*node.as_ptr()).link })
    }

    /// # Safety
    ///
    /// `link` points at the link of a valid node.
    #[inline]
    unsafe fn of_link(link: *mut bindings::hlist_node) -> *mut Self {
        let link: *mut Opaque<bindings::hlist_node> = link.cast();

        // SAFETY: The caller promises that `link` is the member of a node.
        unsafe { container_of!(link, Self, link) }
    }
}

impl<T> Deref for HNode<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for HNode<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// A pointer that owns an [`HNode`].
///
/// # Safety
///
/// From `into_raw` to `from_raw` the node stays at its address, is valid, and is used by nobody
/// but the holder of the raw pointer.
pub unsafe trait NodePtr: Sized {
    /// The value of the node.
    type Value;

    /// Turns the owner into a raw pointer.
    ///
    /// Context: any. It must not sleep.
    fn into_raw(self) -> NonNull<HNode<Self::Value>>;

    /// Turns the raw pointer back into the owner.
    ///
    /// Context: any. It must not sleep.
    ///
    /// # Safety
    ///
    /// `node` came from `into_raw` and was not turned back since.
    unsafe fn from_raw(node: NonNull<HNode<Self::Value>>) -> Self;
}

// SAFETY: A box owns its node, whose address is that of the allocation.
unsafe impl<T> NodePtr for KBox<HNode<T>> {
    type Value = T;

    #[inline]
    fn into_raw(self) -> NonNull<HNode<T>> {
        // SAFETY: The pointer of a box is never null.
        unsafe { NonNull::new_unchecked(KBox::into_raw(self)) }
    }

    #[inline]
    unsafe fn from_raw(node: NonNull<HNode<T>>) -> Self {
        // SAFETY: The caller promises that `node` came from `into_raw`.
        unsafe { KBox::from_raw(node.as_ptr()) }
    }
}

// SAFETY: By the invariants of `Lent` its pointer is valid and exclusive.
unsafe impl<T> NodePtr for Lent<HNode<T>> {
    type Value = T;

    #[inline]
    fn into_raw(self) -> NonNull<HNode<T>> {
        Lent::into_raw(self)
    }

    #[inline]
    unsafe fn from_raw(node: NonNull<HNode<T>>) -> Self {
        // SAFETY: The caller promises that `node` came from `into_raw`, which had a valid loan.
        unsafe { Lent::new(node) }
    }
}

/// A list of nodes that it owns, with a head of one pointer.
///
/// The first node points back at the head, so the head must not move: all that changes the list
/// takes it pinned. The layout is the kernel's `struct hlist_head`.
///
/// There is no lock inside. A shared list is safe to read, an exclusive one to change.
///
/// # Invariants
///
/// The head and the `next` pointers link the nodes to a chain that ends with null. Each `pprev`
/// points at the pointer that points at its node. The list owns the nodes of the chain.
#[repr(transparent)]
pub struct HList<P: NodePtr> {
    head: Opaque<bindings::hlist_head>,
    _owns: PhantomData<P>,
    _pin: PhantomPinned,
}

// SAFETY: A list owns its nodes as a vector of `P` would.
unsafe impl<P: NodePtr + Send> Send for HList<P> {}

// SAFETY: A shared list gives shared access to the values only.
unsafe impl<P: NodePtr> Sync for HList<P> where P::Value: Sync {}

impl<P: NodePtr> HList<P> {
    /// Creates an empty list.
    ///
    /// Context: any.
    #[inline]
    pub const fn new() -> Self {
        // INVARIANT: A chain without nodes.
        Self {
            head: Opaque::new(bindings::hlist_head {
                first: ptr::null_mut(),
            }),
            _owns: PhantomData,
            _pin: PhantomPinned,
        }
    }

    #[inline]
    pub(super) fn first(&self) -> *mut bindings::hlist_node {
        // SAFETY: The head is initialised, and changes through an exclusive reference only.
        unsafe { (*self.head.get()).first }
    }

    /// Whether the list has no node.
    ///
    /// Context: any.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first().is_null()
    }

    /// Inserts a node at the front.
    ///
    /// Context: any.
    #[inline]
    pub fn push_front(self: Pin<&mut Self>, node: P) {
        let head = self.head.get();

        // SAFETY: The list takes the node over, which is valid. By the invariants the first node
        // is valid, too, and the head is pinned.
        //
        // INVARIANT: The new node is the first one; its successor points back at it.
        unsafe {
            let link = HNode::link(P::into_raw(node));
            let first = (*head).first;

            (*link).next = first;
            if !first.is_null() {
                (*first).pprev = &raw mut (*link).next;
            }
            (*head).first = link;
            (*link).pprev = &raw mut (*head).first;
        }
    }

    /// Removes a node from the chain.
    ///
    /// # Safety
    ///
    /// `link` is the link of a node of a list to which the caller has exclusive access. The node
    /// belongs to the caller afterwards.
    #[inline]
    unsafe fn unlink(link: *mut bindings::hlist_node) -> P {
        // SAFETY: By the invariants of the list, and by the caller's promise, all three are valid.
        //
        // INVARIANT: The predecessor and the successor point at each other.
        unsafe {
            let next = (*link).next;
            let pprev = (*link).pprev;

            *pprev = next;
            if !next.is_null() {
                (*next).pprev = pprev;
            }
        }
        // SAFETY: The node came from `P::into_raw` in `push_front`, and is in the list no more.
        unsafe { P::from_raw(NonNull::new_unchecked(HNode::of_link(link))) }
    }

    /// Removes the first node.
    ///
    /// Context: any.
    #[inline]
    pub fn pop_front(self: Pin<&mut Self>) -> Option<P> {
        let first = self.first();

        // SAFETY: The first node is in this list, to which the access is exclusive.
        (!first.is_null()).then(|| unsafe { Self::unlink(first) })
    }

    /// Removes the first node whose value `wanted` accepts.
    ///
    /// Context: any; whatever `wanted` needs.
    #[inline]
    pub fn remove_if(self: Pin<&mut Self>, mut wanted: impl FnMut(&P::Value) -> bool) -> Option<P> {
        let mut link = self.first();

        while !link.is_null() {
            // SAFETY: By the invariants `link` is in a valid node, which nobody else uses.
            if wanted(unsafe { &(*HNode::<P::Value>::of_link(link)).value }) {
                // SAFETY: The node is in this list, to which the access is exclusive.
                return Some(unsafe { Self::unlink(link) });
            }
            // SAFETY: As above.
            link = unsafe { (*link).next };
        }
        None
    }

    /// Visits the values, the last inserted first.
    ///
    /// Context: any.
    #[inline]
    pub fn iter(&self) -> Iter<'_, P::Value> {
        // SAFETY: By the invariants the chain is valid. It does not change for the lifetime of the
        // reference.
        unsafe { Iter::new(self.first()) }
    }

    /// Visits the values for a change, the last inserted first.
    ///
    /// Context: any.
    #[inline]
    pub fn iter_mut(self: Pin<&mut Self>) -> IterMut<'_, P::Value> {
        // SAFETY: As for `iter`, with an exclusive reference.
        unsafe { IterMut::new(self.first()) }
    }
}

impl<P: NodePtr> Default for HList<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: NodePtr> Drop for HList<P> {
    fn drop(&mut self) {
        // SAFETY: The list does not move any more: it is being dropped.
        let mut this = unsafe { Pin::new_unchecked(self) };

        while let Some(node) = this.as_mut().pop_front() {
            drop(node);
        }
    }
}

/// Iterator over the values of an [`HList`].
///
/// # Invariants
///
/// `next` is null or in a chain of valid nodes that does not change for `'a`.
pub struct Iter<'a, T> {
    next: *mut bindings::hlist_node,
    _list: PhantomData<&'a T>,
}

// SAFETY: An iterator gives shared references to the values, and has nothing else.
unsafe impl<T: Sync> Send for Iter<'_, T> {}

// SAFETY: As above.
unsafe impl<T: Sync> Sync for Iter<'_, T> {}

impl<T> Iter<'_, T> {
    /// # Safety
    ///
    /// The caller promises the type's invariants.
    #[inline]
    pub(super) unsafe fn new(first: *mut bindings::hlist_node) -> Self {
        Self {
            next: first,
            _list: PhantomData,
        }
    }
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    #[inline]
    fn next(&mut self) -> Option<&'a T> {
        if self.next.is_null() {
            return None;
        }
        // SAFETY: By the invariants `next` is in a valid node, which nobody changes for `'a`.
        unsafe {
            let node = HNode::<T>::of_link(self.next);

            self.next = (*self.next).next;
            Some(&(*node).value)
        }
    }
}

impl<T> FusedIterator for Iter<'_, T> {}

/// Iterator over the values of an [`HList`], for a change.
///
/// # Invariants
///
/// `next` is null or in a chain of valid nodes that does not change for `'a`, and whose values
/// nobody else uses.
pub struct IterMut<'a, T> {
    next: *mut bindings::hlist_node,
    _list: PhantomData<&'a mut T>,
}

// SAFETY: An iterator gives exclusive references to the values, and has nothing else.
unsafe impl<T: Send> Send for IterMut<'_, T> {}

// SAFETY: A shared iterator gives nothing.
unsafe impl<T: Sync> Sync for IterMut<'_, T> {}

impl<T> IterMut<'_, T> {
    /// # Safety
    ///
    /// The caller promises the type's invariants.
    #[inline]
    pub(super) unsafe fn new(first: *mut bindings::hlist_node) -> Self {
        Self {
            next: first,
            _list: PhantomData,
        }
    }
}

impl<'a, T> Iterator for IterMut<'a, T> {
    type Item = &'a mut T;

    #[inline]
    fn next(&mut self) -> Option<&'a mut T> {
        if self.next.is_null() {
            return None;
        }
        // SAFETY: By the invariants `next` is in a valid node, which nobody else uses for `'a`. An
        // iterator passes each node once.
        unsafe {
            let node = HNode::<T>::of_link(self.next);

            self.next = (*self.next).next;
            Some(&mut (*node).value)
        }
    }
}

impl<T> FusedIterator for IterMut<'_, T> {}
