// SPDX-License-Identifier: GPL-2.0

//! `rust_maple`: the kernel crate's `MapleTree`, which takes its lock for each access.
//!
//! It holds the core's elements, or boxes of them. The crate's `erase` may sleep, so erase uses
//! [`abstractions::maple`].

use core::pin::Pin;

use kernel::{
    alloc::KBox,
    error::{code::EUCLEAN, Result},
    ffi::c_ulong,
    maple_tree::MapleTree,
    prelude::*,
};

pub mod abstractions;
pub mod bench;
pub mod bindings;

use abstractions::{lent::Lent, maple::MapleTreeExt};
use bench::{
    container::Container,
    element::{op_flags, Alone, Elem},
    indexed::{maple_bytes, see_at, ElemPtr},
    loops::Try,
    supply::{Fresh, Pool},
    table::{Subject, Table},
};

/// A tree that is locked for each access.
pub struct Locked<P: ElemPtr>(Pin<KBox<MapleTree<P>>>);

impl<P: ElemPtr> Container for Locked<P> {
    type Owned = P;

    fn new(_n: u32) -> Result<Self> {
        Ok(Self(KBox::pin_init(MapleTree::new(), GFP_KERNEL)?))
    }

    #[inline]
    fn insert(&mut self, owned: P) -> Result {
        let index = owned.key as usize;

        Ok(self.0.insert(index, owned, op_flags())?)
    }

    #[inline]
    fn find<R>(&self, key: u64, read: impl FnOnce(&Elem) -> R) -> Option<R> {
        self.0.lock().load(key as usize).map(|elem| read(elem))
    }

    #[inline]
    fn for_each(&mut self, mut visit: impl FnMut(&mut Elem)) {
        let mut guard = self.0.lock();
        let mut state = guard.ma_state(0, 0);

        while let Some(elem) = state.find(usize::MAX) {
            visit(elem);
        }
    }

    #[inline]
    fn remove(&mut self, key: u64) -> Result<P> {
        self.0.remove_atomic(key as usize)?.ok_or(EUCLEAN)
    }

    fn verify(&mut self, mut see: impl FnMut(&mut Elem) -> Result) -> Result {
        let mut next = 0;

        while let Some((index, elem)) = self.0.as_mut().first_from(next) {
            see_at(index, elem, &mut see)?;
            next = index.checked_add(1).ok_or(EUCLEAN)?;
        }
        Ok(())
    }
}

struct RustMaple;

impl Subject for RustMaple {
    type Prealloc = Try<Locked<Lent<Alone>>, Pool<Alone>>;
    type Inline = Try<Locked<KBox<Alone>>, Fresh<KBox<Alone>>>;

    const IRQS_ON: c_ulong = bindings::DSBENCH_RUST_MAPLE_IRQS_ON as c_ulong;
    const BYTES: Option<unsafe extern "C" fn(u32) -> u64> = Some(maple_bytes);
}

/// The operations, which `rust_maple.c` registers.
#[no_mangle]
pub static rust_maple_ops: Table = Table::new::<RustMaple>();
