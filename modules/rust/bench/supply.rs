// SPDX-License-Identifier: GPL-2.0

//! Where fill takes elements from and erase puts them: both ways of allocation.

use core::marker::PhantomData;

use kernel::{
    alloc::{Flags, KVVec},
    error::{code::EUCLEAN, Result},
    prelude::*,
};

use crate::{
    abstractions::{hlist::HNode, lent::Lent},
    bench::{
        element::{op_flags, Alone, Hashed, Overlay, Padded},
        set::{Set, Slice},
    },
};

/// A source of elements.
pub trait Supply: Sized {
    /// What owns an element.
    type Owned;

    /// Prepares a try. It may sleep.
    fn new(set: &Set) -> Result<Self>;

    /// Returns the elements of a slice. Timed by fill.
    fn take<'a>(
        &'a mut self,
        set: &'a Set,
        slice: Slice,
    ) -> Result<impl Iterator<Item = Result<Self::Owned>> + 'a>;

    /// Takes an erased element back. Timed by erase.
    fn give_back(&mut self, owned: Self::Owned);
}

/// An element that can be allocated.
pub trait Allocate: Sized {
    /// Allocates an element with a key.
    ///
    /// Context: may sleep if `flags` permits it.
    fn allocate(key: u64, flags: Flags) -> Result<Self>;
}

impl Allocate for KBox<Alone> {
    #[inline]
    fn allocate(key: u64, flags: Flags) -> Result<Self> {
        Ok(KBox::new(Alone::new(key), flags)?)
    }
}

impl Allocate for KBox<Hashed> {
    #[inline]
    fn allocate(key: u64, flags: Flags) -> Result<Self> {
        Ok(KBox::new(HNode::new(Padded::new(key)), flags)?)
    }
}

/// Elements of the core's pool: `alloc=prealloc` for containers that hold what others own.
pub struct Pool<T>(PhantomData<T>);

impl<T: Overlay> Supply for Pool<T> {
    type Owned = Lent<T>;

    fn new(_set: &Set) -> Result<Self> {
        Ok(Self(PhantomData))
    }

    #[inline]
    fn take<'a>(
        &'a mut self,
        set: &'a Set,
        slice: Slice,
    ) -> Result<impl Iterator<Item = Result<Lent<T>>> + 'a> {
        Ok(set.lend(slice)?.map(Ok))
    }

    #[inline]
    fn give_back(&mut self, _owned: Lent<T>) {}
}

/// Elements that fill allocates and erase frees: `alloc=inline`.
pub struct Fresh<T>(PhantomData<T>);

impl<T: Allocate> Supply for Fresh<T> {
    type Owned = T;

    fn new(_set: &Set) -> Result<Self> {
        Ok(Self(PhantomData))
    }

    #[inline]
    fn take<'a>(
        &'a mut self,
        set: &'a Set,
        slice: Slice,
    ) -> Result<impl Iterator<Item = Result<T>> + 'a> {
        let keys = set.keys(slice)?;

        Ok(keys.iter().map(|&key| T::allocate(key.into(), op_flags())))
    }

    #[inline]
    fn give_back(&mut self, owned: T) {
        drop(owned);
    }
}

/// Elements that exist before the clock starts: `alloc=prealloc` for containers that own theirs.
///
/// They are staged in an array. Fill takes them from its end, and erase puts them there.
pub struct Staged<T>(KVVec<T>);

impl<T: Allocate> Supply for Staged<T> {
    type Owned = T;

    fn new(set: &Set) -> Result<Self> {
        let mut stock = KVVec::with_capacity(set.n() as usize, GFP_KERNEL)?;

        for &key in set.all_keys().iter().rev() {
            stock.push(T::allocate(key.into(), GFP_KERNEL)?, GFP_KERNEL)?;
        }
        Ok(Self(stock))
    }

    #[inline]
    fn take<'a>(
        &'a mut self,
        _set: &'a Set,
        slice: Slice,
    ) -> Result<impl Iterator<Item = Result<T>> + 'a> {
        Ok((0..slice.len()).map(|_| self.0.pop().ok_or(EUCLEAN)))
    }

    #[inline]
    fn give_back(&mut self, owned: T) {
        // There is room for all elements. Without it the element is freed.
        let _ = self.0.push_within_capacity(owned);
    }
}
