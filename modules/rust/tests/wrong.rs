// SPDX-License-Identifier: GPL-2.0

//! `rust_wrong`: a container that does one of its operations wrong, for the test that the core
//! sees it.
//!
//! The number of elements tells which operation: fill for a multiple of 4, and then find,
//! for_each and erase.

use kernel::{
    alloc::KBox,
    error::{code::EUCLEAN, Result},
    prelude::*,
};

#[path = "../abstractions/mod.rs"]
pub mod abstractions;
#[path = "../bench/mod.rs"]
pub mod bench;
#[path = "../bindings.rs"]
pub mod bindings;

use abstractions::{lent::Lent, xarray::Map};
use bench::{
    container::Container,
    element::{op_flags, Alone, Elem},
    indexed::{see_at, ElemPtr},
    loops::Try,
    supply::{Fresh, Pool},
    table::{Subject, Table},
};

/// The key that the wrong operation gets wrong.
const KEY: u64 = 7;

#[derive(PartialEq)]
enum Fault {
    Fill,
    Find,
    ForEach,
    Erase,
}

/// An array with a fault.
pub struct Wrong<P: ElemPtr> {
    map: Map<P>,
    fault: Fault,
}

impl<P: ElemPtr> Container for Wrong<P> {
    type Owned = P;

    fn new(n: u32) -> Result<Self> {
        Ok(Self {
            map: Map::new(GFP_KERNEL)?,
            fault: match n % 4 {
                0 => Fault::Fill,
                1 => Fault::Find,
                2 => Fault::ForEach,
                _ => Fault::Erase,
            },
        })
    }

    fn insert(&mut self, owned: P) -> Result {
        let key = owned.key;

        if self.fault != Fault::Fill || key != KEY {
            self.map.insert(key as usize, owned, op_flags())?;
        }
        Ok(())
    }

    fn find<R>(&self, key: u64, read: impl FnOnce(&Elem) -> R) -> Option<R> {
        let wrong = self.fault == Fault::Find && key == KEY;
        let key = if wrong { key + 1 } else { key };

        self.map.get(key as usize).map(|elem| read(elem))
    }

    fn for_each(&mut self, mut visit: impl FnMut(&mut Elem)) {
        for (_, elem) in self.map.iter_mut() {
            if self.fault != Fault::ForEach || elem.key != KEY {
                visit(elem);
            }
        }
    }

    fn remove(&mut self, key: u64) -> Result<P> {
        let wrong = self.fault == Fault::Erase && key == KEY;
        let key = if wrong { key + 1 } else { key };

        self.map.remove(key as usize).ok_or(EUCLEAN)
    }

    fn verify(&mut self, mut see: impl FnMut(&mut Elem) -> Result) -> Result {
        self.map
            .iter_mut()
            .try_for_each(|(index, elem)| see_at(index, elem, &mut see))
    }
}

struct RustWrong;

impl Subject for RustWrong {
    type Prealloc = Try<Wrong<Lent<Alone>>, Pool<Alone>>;
    type Inline = Try<Wrong<KBox<Alone>>, Fresh<KBox<Alone>>>;
}

/// The operations, which `rust_wrong.c` registers.
#[no_mangle]
pub static rust_wrong_ops: Table = Table::new::<RustWrong>();
