// SPDX-License-Identifier: GPL-2.0

//! `rust_xarray`: the kernel crate's `XArray`, which takes its lock for each access.
//!
//! It holds the core's elements, or boxes of them. The crate has no iteration, so for_each uses
//! [`abstractions::xarray`].

use core::pin::Pin;

use kernel::{
    alloc::KBox,
    error::{code::EUCLEAN, Result},
    prelude::*,
    xarray::{AllocKind, XArray},
};

pub mod abstractions;
pub mod bench;
pub mod bindings;

use abstractions::{lent::Lent, xarray::XArrayExt};
use bench::{
    container::Container,
    element::{op_flags, Alone, Elem},
    indexed::{see_at, xarray_bytes, ElemPtr},
    loops::Try,
    supply::{Fresh, Pool},
    table::{Subject, Table},
};

/// An array that is locked for each access.
pub struct Locked<P: ElemPtr>(Pin<KBox<XArray<P>>>);

impl<P: ElemPtr> Container for Locked<P> {
    type Owned = P;

    fn new(_n: u32) -> Result<Self> {
        Ok(Self(KBox::pin_init(
            XArray::new(AllocKind::Alloc),
            GFP_KERNEL,
        )?))
    }

    #[inline]
    fn insert(&mut self, owned: P) -> Result {
        let index = owned.key as usize;

        match self.0.lock().store(index, owned, op_flags())? {
            None => Ok(()),
            Some(_replaced) => Err(EUCLEAN),
        }
    }

    #[inline]
    fn find<R>(&self, key: u64, read: impl FnOnce(&Elem) -> R) -> Option<R> {
        self.0.lock().get(key as usize).map(|elem| read(elem))
    }

    #[inline]
    fn for_each(&mut self, mut visit: impl FnMut(&mut Elem)) {
        for (_, elem) in self.0.as_mut().iter_mut() {
            visit(elem);
        }
    }

    #[inline]
    fn remove(&mut self, key: u64) -> Result<P> {
        self.0.lock().remove(key as usize).ok_or(EUCLEAN)
    }

    fn verify(&mut self, mut see: impl FnMut(&mut Elem) -> Result) -> Result {
        self.0
            .as_mut()
            .iter_mut()
            .try_for_each(|(index, elem)| see_at(index, elem, &mut see))
    }
}

struct RustXarray;

impl Subject for RustXarray {
    type Prealloc = Try<Locked<Lent<Alone>>, Pool<Alone>>;
    type Inline = Try<Locked<KBox<Alone>>, Fresh<KBox<Alone>>>;

    const BYTES: Option<unsafe extern "C" fn(u32) -> u64> = Some(xarray_bytes);
}

/// The operations, which `rust_xarray.c` registers.
#[no_mangle]
pub static rust_xarray_ops: Table = Table::new::<RustXarray>();
