// SPDX-License-Identifier: GPL-2.0

//! `rust_list`: a doubly linked list of the kernel crate's `ListArc` items.
//!
//! The list owns its items, which are reference-counted, so they cannot be in the core's pool.
//! Erase is by key: without the item's address it walks the list.

use kernel::{
    alloc::Flags,
    error::{code::EUCLEAN, Result},
};

pub mod abstractions;
pub mod bench;
pub mod bindings;

use abstractions::list::{LinkedList, Node};
use bench::{
    container::Container,
    element::{Elem, ELEM_SIZE},
    loops::Try,
    supply::{Allocate, Fresh, Staged},
    table::{Subject, Table},
};

impl Allocate for Node<Elem> {
    #[inline]
    fn allocate(key: u64, flags: Flags) -> Result<Self> {
        Node::new(Elem::new(key), flags)
    }
}

/// The list.
pub type List = LinkedList<Elem>;

impl Container for List {
    type Owned = Node<Elem>;

    fn new(_n: u32) -> Result<Self> {
        Ok(LinkedList::new())
    }

    #[inline]
    fn insert(&mut self, owned: Node<Elem>) -> Result {
        self.push_back(owned);
        Ok(())
    }

    #[inline]
    fn find<R>(&self, key: u64, read: impl FnOnce(&Elem) -> R) -> Option<R> {
        self.get(key).map(read)
    }

    #[inline]
    fn for_each(&mut self, visit: impl FnMut(&mut Elem)) {
        self.iter_mut().for_each(visit);
    }

    #[inline]
    fn remove(&mut self, key: u64) -> Result<Node<Elem>> {
        LinkedList::remove(self, key).ok_or(EUCLEAN)
    }

    fn verify(&mut self, see: impl FnMut(&mut Elem) -> Result) -> Result {
        self.iter_mut().try_for_each(see)
    }
}

struct RustList;

impl Subject for RustList {
    type Prealloc = Try<List, Staged<Node<Elem>>>;
    type Inline = Try<List, Fresh<Node<Elem>>>;

    const FIND_STEPS: Option<unsafe extern "C" fn(u32) -> u32> = Some(find_steps);
    const BYTES: Option<unsafe extern "C" fn(u32) -> u64> = Some(bytes);
}

extern "C" fn find_steps(n: u32) -> u32 {
    n
}

/// The items and the array that they wait in.
extern "C" fn bytes(n: u32) -> u64 {
    u64::from(n) * (ELEM_SIZE + size_of::<usize>()) as u64
}

/// The operations, which `rust_list.c` registers.
#[no_mangle]
pub static rust_list_ops: Table = Table::new::<RustList>();
