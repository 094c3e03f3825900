// SPDX-License-Identifier: GPL-2.0

//! Additions to the kernel crate's maple tree: removal in atomic context, iteration without the
//! lock, and a map that reads without it.
//!
//! C header: [`include/linux/maple_tree.h`](srctree/include/linux/maple_tree.h)

use core::{iter::FusedIterator, marker::PhantomData, pin::Pin, ptr};

use kernel::{
    alloc::Flags,
    bindings,
    error::to_result,
    ffi::c_void,
    maple_tree::{InsertError, MapleTree},
    prelude::*,
    sync::rcu,
    types::ForeignOwnable,
};

/// Returns the C structure of a tree.
#[inline]
fn raw<P: ForeignOwnable>(tree: &MapleTree<P>) -> *mut bindings::maple_tree {
    // A `MapleTree` is transparent, and has an `Opaque`, so a shared reference permits C to change
    // the tree.
    (&raw const *tree).cast_mut().cast()
}

/// Returns a state at an index. C's `MA_STATE()` does the same.
#[inline]
fn state_at(tree: *mut bindings::maple_tree, index: usize) -> bindings::ma_state {
    bindings::ma_state {
        tree,
        index,
        last: index,
        node: ptr::null_mut(),
        status: bindings::maple_status_ma_start,
        min: 0,
        max: usize::MAX,
        alloc: ptr::null_mut(),
        mas_flags: 0,
        store_type: bindings::store_type_wr_invalid,
        ..Default::default()
    }
}

/// What the kernel crate's [`MapleTree`] lacks.
pub trait MapleTreeExt<P: ForeignOwnable> {
    /// Removes the value at an index and returns it.
    ///
    /// The tree may need a node for that. The kernel crate's `erase` sleeps until it has one.
    ///
    /// Context: any; takes the tree's lock.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if memory is short. The value stays in the tree.
    fn remove_atomic(&self, index: usize) -> Result<Option<P>>;

    /// Returns the first value at an index or behind it, and its index, for a change.
    ///
    /// An exclusive tree needs no lock.
    ///
    /// Context: any.
    fn first_from(self: Pin<&mut Self>, index: usize) -> Option<(usize, P::BorrowedMut<'_>)>;

    /// Visits the indices and the values, for a change, in the order of the indices.
    ///
    /// An exclusive tree needs no lock. The read lock of RCU silences the checks of a kernel that
    /// proves its locking.
    ///
    /// Context: any. It does not sleep, since the caller holds the read lock.
    fn iter_mut<'a>(self: Pin<&'a mut Self>, rcu: &'a rcu::Guard) -> IterMut<'a, P>;
}

impl<P: ForeignOwnable> MapleTreeExt<P> for MapleTree<P> {
    #[inline]
    fn remove_atomic(&self, index: usize) -> Result<Option<P>> {
        let mut state = state_at(raw(self), index);
        let _guard = self.lock();

        // SAFETY: The tree is valid, and its lock is held.
        let entry = unsafe { bindings::mas_walk(&mut state) };
        if entry.is_null() {
            return Ok(None);
        }
        // SAFETY: As above. The flags do not sleep.
        to_result(unsafe {
            bindings::mas_store_gfp(
                &mut state,
                ptr::null_mut(),
                bindings::GFP_NOWAIT | bindings::__GFP_NOWARN,
            )
        })?;
        // SAFETY: The entry came from `into_foreign`, and is in the tree no more.
        Ok(Some(unsafe { P::from_foreign(entry) }))
    }

    #[inline]
    fn first_from(self: Pin<&mut Self>, index: usize) -> Option<(usize, P::BorrowedMut<'_>)> {
        let mut state = state_at(raw(&self), index);
        let rcu = rcu::read_lock();
        // SAFETY: The tree is borrowed exclusively.
        let entry = unsafe { bindings::mas_find(&mut state, usize::MAX) };

        drop(rcu);
        // SAFETY: The entry came from `into_foreign`, and the tree is borrowed exclusively.
        (!entry.is_null()).then(|| (state.index, unsafe { P::borrow_mut(entry) }))
    }

    #[inline]
    fn iter_mut<'a>(self: Pin<&'a mut Self>, _rcu: &'a rcu::Guard) -> IterMut<'a, P> {
        IterMut {
            state: state_at(raw(&self), 0),
            _tree: PhantomData,
        }
    }
}

/// Iterator over the indices and the values of a [`MapleTree`], for a change.
pub struct IterMut<'a, P: ForeignOwnable> {
    state: bindings::ma_state,
    _tree: PhantomData<&'a mut MapleTree<P>>,
}

impl<'a, P: ForeignOwnable + 'a> Iterator for IterMut<'a, P> {
    type Item = (usize, P::BorrowedMut<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // SAFETY: The tree is borrowed exclusively for `'a`.
        let entry = unsafe { bindings::mas_find(&mut self.state, usize::MAX) };

        // SAFETY: The entries of a tree came from `into_foreign`. An iterator passes each once.
        (!entry.is_null()).then(|| (self.state.index, unsafe { P::borrow_mut(entry) }))
    }
}

impl<'a, P: ForeignOwnable + 'a> FusedIterator for IterMut<'a, P> {}

/// A map from indices to values that it owns.
///
/// The kernel crate's [`MapleTree`] takes its lock for each access, since others may change it at
/// any time. A map changes through `&mut self` only, so reading needs no lock: C's `mtree_load()`
/// reads under RCU.
pub struct Map<P: ForeignOwnable> {
    tree: Pin<KBox<MapleTree<P>>>,
    // A map shares its values.
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
            tree: KBox::pin_init(MapleTree::new(), flags)?,
            _owns: PhantomData,
        })
    }

    /// Inserts a value at an index that has none.
    ///
    /// Context: takes the tree's lock; may sleep if `flags` permits it.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if memory is short, `EEXIST` if the index has a value. The error has the new one.
    #[inline]
    pub fn insert(&mut self, index: usize, value: P, flags: Flags) -> Result<(), InsertError<P>> {
        self.tree.insert(index, value, flags)
    }

    #[inline]
    fn load(&self, index: usize) -> *mut c_void {
        // SAFETY: The tree is valid, and nobody changes it while it is shared.
        unsafe { bindings::mtree_load(raw(&self.tree), index) }
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
    /// Context: any; takes the tree's lock.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if memory is short. The value stays in the map.
    #[inline]
    pub fn remove(&mut self, index: usize) -> Result<Option<P>> {
        self.tree.remove_atomic(index)
    }

    /// Returns the first value at an index or behind it, and its index, for a change.
    ///
    /// Context: any.
    #[inline]
    pub fn first_from(&mut self, index: usize) -> Option<(usize, P::BorrowedMut<'_>)> {
        self.tree.as_mut().first_from(index)
    }

    /// Visits the indices and the values, in the order of the indices, under the read lock of RCU.
    ///
    /// Context: any. It does not sleep.
    #[inline]
    pub fn iter<'a>(&'a self, _rcu: &'a rcu::Guard) -> Iter<'a, P> {
        Iter {
            state: state_at(raw(&self.tree), 0),
            _tree: PhantomData,
        }
    }

    /// Visits the indices and the values, for a change, in the order of the indices, under the read lock of RCU.
    ///
    /// Context: any. It does not sleep.
    #[inline]
    pub fn iter_mut<'a>(&'a mut self, rcu: &'a rcu::Guard) -> IterMut<'a, P> {
        self.tree.as_mut().iter_mut(rcu)
    }
}

/// Iterator over the indices and the values of a [`Map`].
pub struct Iter<'a, P: ForeignOwnable> {
    state: bindings::ma_state,
    _tree: PhantomData<&'a Map<P>>,
}

impl<'a, P: ForeignOwnable + 'a> Iterator for Iter<'a, P> {
    type Item = (usize, P::Borrowed<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // SAFETY: The map is shared for `'a`, and a shared map does not change.
        let entry = unsafe { bindings::mas_find(&mut self.state, usize::MAX) };

        // SAFETY: The entries of a tree came from `into_foreign`.
        (!entry.is_null()).then(|| (self.state.index, unsafe { P::borrow(entry) }))
    }
}

impl<'a, P: ForeignOwnable + 'a> FusedIterator for Iter<'a, P> {}
