// SPDX-License-Identifier: GPL-2.0

//! A chained hash table, for values that carry their key.
//!
//! C headers: [`include/linux/hashtable.h`](srctree/include/linux/hashtable.h),
//! [`include/linux/hash.h`](srctree/include/linux/hash.h)

use core::{iter::FusedIterator, pin::Pin, slice};

use kernel::{
    alloc::{Flags, KVBox},
    error::{code::EINVAL, Error, Result},
};

use super::{
    hlist::{self, HList, NodePtr},
    keyed::Keyed,
};

/// A key that spreads over the buckets of a [`HashTable`].
pub trait HashKey: Copy + Eq {
    /// Returns a hash whose high bits are the best.
    ///
    /// Context: any. It must not sleep.
    fn hash(self) -> u64;
}

/// The multiplier of the kernel's `hash_64()`.
const GOLDEN_RATIO_64: u64 = 0x61c8_8646_80b5_83eb;

impl HashKey for u64 {
    #[inline]
    fn hash(self) -> u64 {
        self.wrapping_mul(GOLDEN_RATIO_64)
    }
}

impl HashKey for u32 {
    #[inline]
    fn hash(self) -> u64 {
        u64::from(self).hash()
    }
}

/// The largest logarithm of the number of buckets.
pub const BITS_MAX: u32 = 30;

/// A hash table of nodes that it owns, with a fixed number of buckets.
///
/// `P` is what owns a node: `KBox<HNode<T>>` for nodes that the table frees.
///
/// There is no lock inside: reading takes `&self`, changing takes `&mut self`, so a user who
/// shares the table puts it into a lock of the kernel crate.
///
/// # Invariants
///
/// There are `1 << (64 - shift)` buckets.
pub struct HashTable<P: NodePtr> {
    buckets: Pin<KVBox<[HList<P>]>>,
    shift: u32,
}

impl<P> HashTable<P>
where
    P: NodePtr,
    P::Value: Keyed<Key: HashKey>,
{
    /// Creates an empty table of `1 << bits` buckets.
    ///
    /// Context: may sleep if `flags` permits it.
    ///
    /// # Errors
    ///
    /// `EINVAL` if `bits` is above [`BITS_MAX`], `ENOMEM` if memory is short.
    pub fn with_bits(bits: u32, flags: Flags) -> Result<Self> {
        if bits > BITS_MAX {
            return Err(EINVAL);
        }
        // INVARIANT: `64 - shift` is `bits`.
        Ok(Self {
            buckets: KVBox::pin_slice(|_| Ok::<_, Error>(HList::new()), 1 << bits, flags)?,
            shift: u64::BITS - bits,
        })
    }

    /// Returns the bucket of a key. A table of one bucket shifts by 64.
    #[inline]
    fn index(&self, key: <P::Value as Keyed>::Key) -> usize {
        key.hash().checked_shr(self.shift).unwrap_or(0) as usize
    }

    #[inline]
    fn bucket(&self, key: <P::Value as Keyed>::Key) -> &HList<P> {
        // SAFETY: By the invariants a hash that is shifted by `shift` is below the number of
        // buckets.
        unsafe { self.buckets.get_unchecked(self.index(key)) }
    }

    #[inline]
    fn bucket_mut(&mut self, key: <P::Value as Keyed>::Key) -> Pin<&mut HList<P>> {
        let index = self.index(key);

        // SAFETY: The index is as for `bucket`. A bucket is pinned as the slice is.
        unsafe {
            self.buckets
                .as_mut()
                .map_unchecked_mut(|buckets| buckets.get_unchecked_mut(index))
        }
    }

    /// Inserts a node whose key no other node of the table has.
    ///
    /// The table does not look for the key. Of two nodes with the same key it finds the last
    /// inserted one.
    ///
    /// Context: any.
    #[inline]
    pub fn insert_unique(&mut self, node: P) {
        let node = node.into_raw();
        // SAFETY: The node is valid, and nobody else uses it.
        let key = unsafe { node.as_ref() }.key();

        // SAFETY: The pointer came from `into_raw` just now.
        let node = unsafe { P::from_raw(node) };
        self.bucket_mut(key).push_front(node);
    }

    /// Inserts a node and returns the one with the same key that it replaces.
    ///
    /// Context: any.
    #[inline]
    pub fn insert(&mut self, node: P) -> Option<P> {
        let node = node.into_raw();
        // SAFETY: The node is valid, and nobody else uses it.
        let key = unsafe { node.as_ref() }.key();
        let old = self.remove(key);

        // SAFETY: The pointer came from `into_raw` above.
        let node = unsafe { P::from_raw(node) };
        self.bucket_mut(key).push_front(node);
        old
    }

    /// Returns the value of a key.
    ///
    /// Context: any.
    #[inline]
    pub fn get(&self, key: <P::Value as Keyed>::Key) -> Option<&P::Value> {
        self.bucket(key).iter().find(|value| value.key() == key)
    }

    /// Returns the value of a key, for a change.
    ///
    /// Context: any.
    #[inline]
    pub fn get_mut(&mut self, key: <P::Value as Keyed>::Key) -> Option<&mut P::Value> {
        self.bucket_mut(key)
            .iter_mut()
            .find(|value| value.key() == key)
    }

    /// Removes the node of a key and returns it.
    ///
    /// Context: any.
    #[inline]
    pub fn remove(&mut self, key: <P::Value as Keyed>::Key) -> Option<P> {
        self.bucket_mut(key).remove_if(|value| value.key() == key)
    }

    /// Visits all values, in the order of the buckets.
    ///
    /// Context: any.
    #[inline]
    pub fn iter(&self) -> Iter<'_, P> {
        Iter {
            // SAFETY: An empty chain.
            chain: unsafe { hlist::Iter::new(core::ptr::null_mut()) },
            buckets: self.buckets.iter(),
        }
    }

    /// Visits all values for a change, in the order of the buckets.
    ///
    /// Context: any.
    #[inline]
    pub fn iter_mut(&mut self) -> IterMut<'_, P> {
        // SAFETY: An iterator does not move the buckets.
        let buckets = unsafe { self.buckets.as_mut().get_unchecked_mut() };

        IterMut {
            // SAFETY: An empty chain.
            chain: unsafe { hlist::IterMut::new(core::ptr::null_mut()) },
            buckets: buckets.iter_mut(),
        }
    }

    /// Whether each value is in the bucket of its key.
    ///
    /// Context: any. The time grows with the number of buckets and values.
    pub fn is_consistent(&self) -> bool {
        self.buckets
            .iter()
            .enumerate()
            .all(|(i, bucket)| bucket.iter().all(|value| self.index(value.key()) == i))
    }
}

/// Iterator over the values of a [`HashTable`].
pub struct Iter<'a, P: NodePtr> {
    chain: hlist::Iter<'a, P::Value>,
    buckets: slice::Iter<'a, HList<P>>,
}

impl<'a, P: NodePtr> Iterator for Iter<'a, P> {
    type Item = &'a P::Value;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(value) = self.chain.next() {
                return Some(value);
            }
            self.chain = self.buckets.next()?.iter();
        }
    }

    /// A loop in a loop: it does not ask for each value which bucket is next.
    #[inline]
    fn fold<B, F: FnMut(B, Self::Item) -> B>(self, init: B, mut f: F) -> B {
        let mut acc = self.chain.fold(init, &mut f);

        for bucket in self.buckets {
            acc = bucket.iter().fold(acc, &mut f);
        }
        acc
    }
}

impl<P: NodePtr> FusedIterator for Iter<'_, P> {}

/// Iterator over the values of a [`HashTable`], for a change.
pub struct IterMut<'a, P: NodePtr> {
    chain: hlist::IterMut<'a, P::Value>,
    buckets: slice::IterMut<'a, HList<P>>,
}

/// Visits a bucket of a slice that is pinned.
#[inline]
fn bucket_iter_mut<P: NodePtr>(bucket: &mut HList<P>) -> hlist::IterMut<'_, P::Value> {
    // SAFETY: The buckets of a table are pinned; the references of its iterator are, too.
    unsafe { Pin::new_unchecked(bucket) }.iter_mut()
}

impl<'a, P: NodePtr> Iterator for IterMut<'a, P> {
    type Item = &'a mut P::Value;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(value) = self.chain.next() {
                return Some(value);
            }
            self.chain = bucket_iter_mut(self.buckets.next()?);
        }
    }

    /// A loop in a loop: it does not ask for each value which bucket is next.
    #[inline]
    fn fold<B, F: FnMut(B, Self::Item) -> B>(self, init: B, mut f: F) -> B {
        let mut acc = self.chain.fold(init, &mut f);

        for bucket in self.buckets {
            acc = bucket_iter_mut(bucket).fold(acc, &mut f);
        }
        acc
    }
}

impl<P: NodePtr> FusedIterator for IterMut<'_, P> {}
