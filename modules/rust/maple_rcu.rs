// SPDX-License-Identifier: GPL-2.0

//! `rust_maple_rcu`: the map of [`abstractions::maple`], whose find and for_each take no lock: they
//! read under RCU, as in C.
//!
//! All else is as in `rust_maple`.

use kernel::{
    alloc::KBox,
    error::{code::EUCLEAN, Result},
    ffi::c_ulong,
    prelude::*,
    sync::rcu,
};

pub mod abstractions;
pub mod bench;
pub mod bindings;

use abstractions::{lent::Lent, maple::Map};
use bench::{
    container::Container,
    element::{op_flags, Alone, Elem},
    indexed::{maple_bytes, see_at, ElemPtr},
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

        Ok(Map::insert(self, index, owned, op_flags())?)
    }

    #[inline]
    fn find<R>(&self, key: u64, read: impl FnOnce(&Elem) -> R) -> Option<R> {
        self.get(key as usize).map(|elem| read(elem))
    }

    #[inline]
    fn for_each(&mut self, mut visit: impl FnMut(&mut Elem)) {
        for (_, elem) in self.iter_mut(&rcu::read_lock()) {
            visit(elem);
        }
    }

    #[inline]
    fn remove(&mut self, key: u64) -> Result<P> {
        Map::remove(self, key as usize)?.ok_or(EUCLEAN)
    }

    fn verify(&mut self, mut see: impl FnMut(&mut Elem) -> Result) -> Result {
        let mut next = 0;

        while let Some((index, elem)) = self.first_from(next) {
            see_at(index, elem, &mut see)?;
            next = index.checked_add(1).ok_or(EUCLEAN)?;
        }
        Ok(())
    }
}

struct RustMapleRcu;

impl Subject for RustMapleRcu {
    type Prealloc = Try<Map<Lent<Alone>>, Pool<Alone>>;
    type Inline = Try<Map<KBox<Alone>>, Fresh<KBox<Alone>>>;

    const IRQS_ON: c_ulong = bindings::DSBENCH_RUST_MAPLE_IRQS_ON as c_ulong;
    const BYTES: Option<unsafe extern "C" fn(u32) -> u64> = Some(maple_bytes);
}

/// The operations, which `rust_maple_rcu.c` registers.
#[no_mangle]
pub static rust_maple_rcu_ops: Table = Table::new::<RustMapleRcu>();
