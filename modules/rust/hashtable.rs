// SPDX-License-Identifier: GPL-2.0

//! `rust_hashtable`: the hash table of [`abstractions::hashtable`], since the kernel crate has
//! none.
//!
//! It holds the core's elements, or boxes of them. Erase is by key, so it searches the bucket.

use kernel::{
    alloc::KBox,
    error::{code::EUCLEAN, Result},
    prelude::*,
};

pub mod abstractions;
pub mod bench;
pub mod bindings;

use abstractions::{
    hashtable::HashTable,
    hlist::{HList, NodePtr},
    lent::Lent,
};
use bench::{
    container::Container,
    element::{Elem, Hashed, Padded},
    loops::Try,
    supply::{Fresh, Pool},
    table::{Subject, Table},
};

/// About one element a bucket, as C's hashtable has by default.
fn bits(n: u32) -> u32 {
    n.next_power_of_two().trailing_zeros()
}

impl<P: NodePtr<Value = Padded<4>>> Container for HashTable<P> {
    type Owned = P;

    fn new(n: u32) -> Result<Self> {
        HashTable::with_bits(bits(n), GFP_KERNEL | __GFP_NOWARN)
    }

    #[inline]
    fn insert(&mut self, owned: P) -> Result {
        self.insert_unique(owned);
        Ok(())
    }

    #[inline]
    fn find<R>(&self, key: u64, read: impl FnOnce(&Elem) -> R) -> Option<R> {
        self.get(key).map(|elem| read(elem))
    }

    #[inline]
    fn for_each(&mut self, mut visit: impl FnMut(&mut Elem)) {
        self.iter_mut().for_each(|elem| visit(elem));
    }

    #[inline]
    fn remove(&mut self, key: u64) -> Result<P> {
        HashTable::remove(self, key).ok_or(EUCLEAN)
    }

    fn verify(&mut self, mut see: impl FnMut(&mut Elem) -> Result) -> Result {
        for elem in self.iter_mut() {
            see(elem)?;
        }
        self.is_consistent().then_some(()).ok_or(EUCLEAN)
    }
}

struct RustHashtable;

impl Subject for RustHashtable {
    type Prealloc = Try<HashTable<Lent<Hashed>>, Pool<Hashed>>;
    type Inline = Try<HashTable<KBox<Hashed>>, Fresh<KBox<Hashed>>>;

    const BYTES: Option<unsafe extern "C" fn(u32) -> u64> = Some(bytes);
}

extern "C" fn bytes(n: u32) -> u64 {
    (size_of::<HList<Lent<Hashed>>>() as u64) << bits(n)
}

/// The operations, which `rust_hashtable.c` registers.
#[no_mangle]
pub static rust_hashtable_ops: Table = Table::new::<RustHashtable>();
