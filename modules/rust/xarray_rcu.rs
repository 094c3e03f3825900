// SPDX-License-Identifier: GPL-2.0

//! `rust_xarray_rcu`: the map of [`abstractions::xarray`], whose find takes no lock: `xa_load()`
//! reads under RCU, as in C.
//!
//! All else is as in `rust_xarray`.

use kernel::{
    alloc::KBox,
    error::{code::EUCLEAN, Result},
    prelude::*,
};

pub mod abstractions;
pub mod bench;
pub mod bindings;

use abstractions::{lent::Lent, xarray::Map};
use bench::{
    container::Container,
    element::{op_flags, Alone, Elem},
    indexed::{see_at, xarray_bytes, ElemPtr},
    loops::Try,
    supply::{Fresh, Pool},
    table::{Subject, Table},
};

impl<P: ElemPtr> Container for Map<P> {
    type Owned = P;

    fn new(_n: u32) -> Result<Self> {
        Map::new(GFP_KERNEL)
    }

    #[inline]
    fn insert(&mut self, owned: P) -> Result {
        let index = owned.key as usize;

        match Map::insert(self, index, owned, op_flags())? {
            None => Ok(()),
            Some(_replaced) => Err(EUCLEAN),
        }
    }

    #[inline]
    fn find<R>(&self, key: u64, read: impl FnOnce(&Elem) -> R) -> Option<R> {
        self.get(key as usize).map(|elem| read(elem))
    }

    #[inline]
    fn for_each(&mut self, mut visit: impl FnMut(&mut Elem)) {
        for (_, elem) in self.iter_mut() {
            visit(elem);
        }
    }

    #[inline]
    fn remove(&mut self, key: u64) -> Result<P> {
        Map::remove(self, key as usize).ok_or(EUCLEAN)
    }

    fn verify(&mut self, mut see: impl FnMut(&mut Elem) -> Result) -> Result {
        self.iter_mut()
            .try_for_each(|(index, elem)| see_at(index, elem, &mut see))
    }
}

struct RustXarrayRcu;

impl Subject for RustXarrayRcu {
    type Prealloc = Try<Map<Lent<Alone>>, Pool<Alone>>;
    type Inline = Try<Map<KBox<Alone>>, Fresh<KBox<Alone>>>;

    const BYTES: Option<unsafe extern "C" fn(u32) -> u64> = Some(xarray_bytes);
}

/// The operations, which `rust_xarray_rcu.c` registers.
#[no_mangle]
pub static rust_xarray_rcu_ops: Table = Table::new::<RustXarrayRcu>();
