// SPDX-License-Identifier: GPL-2.0

//! The elements of the benchmark.

use core::{
    mem::MaybeUninit,
    ops::{Deref, DerefMut},
};

use kernel::alloc::{flags, Flags};

use crate::{
    abstractions::{hlist::HNode, keyed::Keyed},
    bindings,
};

/// The content of an element: a key and a value.
pub type Elem = bindings::dsbench_elem;

/// The size of an element with its link, in bytes, in every container.
pub const ELEM_SIZE: usize = bindings::DSBENCH_ELEM_SIZE as usize;

/// Returns the flags of all allocations in an operation: `DSBENCH_GFP`.
#[inline]
pub fn op_flags() -> Flags {
    flags::GFP_NOWAIT | flags::__GFP_NOWARN
}

impl Elem {
    /// Creates an element as the core does: its value starts as its key.
    #[inline]
    pub const fn new(key: u64) -> Self {
        Self { key, value: key }
    }
}

impl Keyed for Elem {
    type Key = u64;

    #[inline]
    fn key(&self) -> u64 {
        self.key
    }
}

/// An element that is followed by `WORDS` unused words, so that it has its size with any link.
#[repr(C)]
pub struct Padded<const WORDS: usize> {
    elem: Elem,
    _pad: [MaybeUninit<u64>; WORDS],
}

impl<const WORDS: usize> Padded<WORDS> {
    /// Creates an element with a key.
    #[inline]
    pub const fn new(key: u64) -> Self {
        Self {
            elem: Elem::new(key),
            _pad: [const { MaybeUninit::uninit() }; WORDS],
        }
    }
}

impl<const WORDS: usize> Deref for Padded<WORDS> {
    type Target = Elem;

    #[inline]
    fn deref(&self) -> &Elem {
        &self.elem
    }
}

impl<const WORDS: usize> DerefMut for Padded<WORDS> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Elem {
        &mut self.elem
    }
}

impl<const WORDS: usize> Keyed for Padded<WORDS> {
    type Key = u64;

    #[inline]
    fn key(&self) -> u64 {
        self.elem.key
    }
}

/// An element without a link.
pub type Alone = Padded<6>;

/// An element with the link of an hlist.
pub type Hashed = HNode<Padded<4>>;

const _: () = assert!(size_of::<Alone>() == ELEM_SIZE);
const _: () = assert!(size_of::<Hashed>() == ELEM_SIZE);

/// A type that an element of the core's pool may be used as.
///
/// # Safety
///
/// The type begins with an [`Elem`], the rest of it needs no initialisation, and all of it fits
/// into [`ELEM_SIZE`] bytes at the alignment of an [`Elem`].
pub unsafe trait Overlay {}

// SAFETY: A `Padded` is `repr(C)`: the element, then words that are `MaybeUninit`.
unsafe impl Overlay for Alone {}

// SAFETY: An `HNode` is `repr(C)`: a `Padded`, then a link that is `Opaque`.
unsafe impl Overlay for Hashed {}
