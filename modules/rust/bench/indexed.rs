// SPDX-License-Identifier: GPL-2.0

//! What containers with indices for keys have in common.

use kernel::{
    bindings,
    error::{code::EUCLEAN, Result},
    types::ForeignOwnable,
};

use crate::bench::element::{Alone, Elem};

/// A pointer that owns an element without a link.
pub trait ElemPtr:
    for<'a> ForeignOwnable<Borrowed<'a> = &'a Alone, BorrowedMut<'a> = &'a mut Alone>
    + core::ops::Deref<Target = Alone>
    + 'static
{
}

impl<P> ElemPtr for P where
    P: for<'a> ForeignOwnable<Borrowed<'a> = &'a Alone, BorrowedMut<'a> = &'a mut Alone>
        + core::ops::Deref<Target = Alone>
        + 'static
{
}

/// Reports an element if it is at the index of its key.
pub fn see_at(index: usize, elem: &mut Elem, see: &mut impl FnMut(&mut Elem) -> Result) -> Result {
    if elem.key != index as u64 {
        return Err(EUCLEAN);
    }
    see(elem)
}

/// Memory of an XArray of `n` elements with dense indices, as C's `xarray` estimates it: the
/// leaves are full, and each level above has 1/64 of the nodes.
pub extern "C" fn xarray_bytes(n: u32) -> u64 {
    const CHUNK: u64 = crate::bindings::DSBENCH_RUST_XA_CHUNK_SIZE as u64;

    size_of::<bindings::xa_node>() as u64 * (u64::from(n).div_ceil(CHUNK - 1) + 4)
}

/// Memory of a maple tree of `n` elements, as C's `maple` estimates it: a node has 256 bytes, and
/// 10 of its 16 entries are used.
pub extern "C" fn maple_bytes(n: u32) -> u64 {
    256 * (u64::from(n).div_ceil(10) + 4)
}
