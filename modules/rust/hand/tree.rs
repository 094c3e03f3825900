// SPDX-License-Identifier: GPL-2.0

//! `rust_tree_hand`: the operations of `rust_rbtree`, each a loop that is written for its container
//! alone. Equal counts show that the generic loops cost nothing.
//!
//! The elements exist before the clock starts, whatever `alloc=` says.

use kernel::{
    alloc::KVVec,
    error::{code::EUCLEAN, Result},
    prelude::*,
    rbtree::{RBTree, RBTreeNode},
};

#[path = "../abstractions/mod.rs"]
pub mod abstractions;
#[path = "../bench/mod.rs"]
pub mod bench;
#[path = "../bindings.rs"]
pub mod bindings;

use abstractions::branching::Branching;
use bench::{
    element::Elem,
    loops::Loops,
    set::{Set, Slice},
    table::{Subject, Table},
};

/// The tree, and the nodes that are not in it.
pub struct Hand {
    tree: RBTree<Branching<u64>, Elem>,
    stock: KVVec<RBTreeNode<Branching<u64>, Elem>>,
}

impl Loops for Hand {
    fn new(set: &Set) -> Result<Self> {
        let mut stock = KVVec::with_capacity(set.n() as usize, GFP_KERNEL)?;

        for &key in set.all_keys().iter().rev() {
            let key = u64::from(key);

            stock.push(
                RBTreeNode::new(Branching(key), Elem::new(key), GFP_KERNEL)?,
                GFP_KERNEL,
            )?;
        }
        Ok(Self {
            tree: RBTree::new(),
            stock,
        })
    }

    fn fill(&mut self, _set: &Set, slice: Slice) -> Result {
        for _ in slice.first..slice.last {
            let node = self.stock.pop().ok_or(EUCLEAN)?;

            if self.tree.insert(node).is_some() {
                return Err(EUCLEAN);
            }
        }
        Ok(())
    }

    fn find(&mut self, set: &mut Set, slice: Slice) -> Result {
        let mut hits = 0;
        let mut sum = 0_u64;

        for &key in set.lookups(slice)? {
            if let Some(elem) = self.tree.get(&Branching(key.into())) {
                sum = sum.wrapping_add(elem.value);
                hits += 1;
            }
        }
        set.add_found(hits, sum);
        Ok(())
    }

    fn for_each(&mut self) -> Result {
        for (_, elem) in self.tree.iter_mut() {
            elem.value = elem.value.wrapping_add(1);
        }
        Ok(())
    }

    fn erase(&mut self, set: &Set, slice: Slice) -> Result {
        for &key in set.erasures(slice)? {
            let node = self.tree.remove_node(&Branching(key.into()));

            let _ = self.stock.push_within_capacity(node.ok_or(EUCLEAN)?);
        }
        Ok(())
    }

    fn verify(&mut self, set: &mut Set) -> Result {
        self.tree.values_mut().try_for_each(|elem| set.see(elem))
    }
}

struct RustTreeHand;

impl Subject for RustTreeHand {
    type Prealloc = Hand;
    type Inline = Hand;
}

/// The operations, which `rust_tree_hand.c` registers.
#[no_mangle]
pub static rust_tree_hand_ops: Table = Table::new::<RustTreeHand>();
