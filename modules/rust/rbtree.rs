// SPDX-License-Identifier: GPL-2.0

//! `rust_rbtree`: the kernel crate's `RBTree`.
//!
//! The tree owns its nodes, whose layout is its own, so they cannot be in the core's pool. The key
//! is in the node and in the value. Erase is by key: it searches for the node once more.

use kernel::{
    alloc::Flags,
    error::{code::EUCLEAN, Result},
    rbtree::{RBTree, RBTreeNode},
};

pub mod abstractions;
pub mod bench;
pub mod bindings;

use abstractions::branching::Branching;
use bench::{
    container::Container,
    element::{Elem, ELEM_SIZE},
    loops::Try,
    supply::{Allocate, Fresh, Staged},
    table::{Subject, Table},
};

type Key = Branching<u64>;
type Node = RBTreeNode<Key, Elem>;
type Tree = RBTree<Key, Elem>;

impl Allocate for Node {
    #[inline]
    fn allocate(key: u64, flags: Flags) -> Result<Self> {
        RBTreeNode::new(Branching(key), Elem::new(key), flags)
    }
}

impl Container for Tree {
    type Owned = Node;

    fn new(_n: u32) -> Result<Self> {
        Ok(RBTree::new())
    }

    #[inline]
    fn insert(&mut self, owned: Node) -> Result {
        match RBTree::insert(self, owned) {
            None => Ok(()),
            Some(_replaced) => Err(EUCLEAN),
        }
    }

    #[inline]
    fn find<R>(&self, key: u64, read: impl FnOnce(&Elem) -> R) -> Option<R> {
        self.get(&Branching(key)).map(read)
    }

    #[inline]
    fn for_each(&mut self, visit: impl FnMut(&mut Elem)) {
        self.values_mut().for_each(visit);
    }

    #[inline]
    fn remove(&mut self, key: u64) -> Result<Node> {
        self.remove_node(&Branching(key)).ok_or(EUCLEAN)
    }

    fn verify(&mut self, mut see: impl FnMut(&mut Elem) -> Result) -> Result {
        let mut next = 0;

        for (&Branching(key), elem) in self.iter_mut() {
            if key < next || elem.key != key {
                return Err(EUCLEAN);
            }
            next = key.checked_add(1).ok_or(EUCLEAN)?;
            see(elem)?;
        }
        Ok(())
    }
}

struct RustRbtree;

impl Subject for RustRbtree {
    type Prealloc = Try<Tree, Staged<Node>>;
    type Inline = Try<Tree, Fresh<Node>>;

    const BYTES: Option<unsafe extern "C" fn(u32) -> u64> = Some(bytes);
}

/// The nodes and the array that they wait in.
extern "C" fn bytes(n: u32) -> u64 {
    u64::from(n) * (ELEM_SIZE + size_of::<usize>()) as u64
}

/// The operations, which `rust_rbtree.c` registers.
#[no_mangle]
pub static rust_rbtree_ops: Table = Table::new::<RustRbtree>();
