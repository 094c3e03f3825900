// SPDX-License-Identifier: GPL-2.0

//! `rust_list_hand`: the operations of `rust_list`, each a loop that is written for its container
//! alone. Equal counts show that the generic loops cost nothing.
//!
//! The elements exist before the clock starts, whatever `alloc=` says.

use kernel::{
    alloc::KVVec,
    error::{code::EUCLEAN, Result},
    prelude::*,
};

#[path = "../abstractions/mod.rs"]
pub mod abstractions;
#[path = "../bench/mod.rs"]
pub mod bench;
#[path = "../bindings.rs"]
pub mod bindings;

use abstractions::list::{LinkedList, Node};
use bench::{
    element::Elem,
    loops::Loops,
    set::{Set, Slice},
    table::{Subject, Table},
};

/// The list, and the nodes that are not in it.
pub struct Hand {
    list: LinkedList<Elem>,
    stock: KVVec<Node<Elem>>,
}

impl Loops for Hand {
    fn new(set: &Set) -> Result<Self> {
        let mut stock = KVVec::with_capacity(set.n() as usize, GFP_KERNEL)?;

        for &key in set.all_keys().iter().rev() {
            stock.push(Node::new(Elem::new(key.into()), GFP_KERNEL)?, GFP_KERNEL)?;
        }
        Ok(Self {
            list: LinkedList::new(),
            stock,
        })
    }

    fn fill(&mut self, _set: &Set, slice: Slice) -> Result {
        for _ in slice.first..slice.last {
            self.list.push_back(self.stock.pop().ok_or(EUCLEAN)?);
        }
        Ok(())
    }

    fn find(&mut self, set: &mut Set, slice: Slice) -> Result {
        let mut hits = 0;
        let mut sum = 0_u64;

        for &key in set.lookups(slice)? {
            let key = u64::from(key);

            if let Some(elem) = self.list.iter().find(|elem| elem.key == key) {
                sum = sum.wrapping_add(elem.value);
                hits += 1;
            }
        }
        set.add_found(hits, sum);
        Ok(())
    }

    fn for_each(&mut self) -> Result {
        self.list
            .iter_mut()
            .for_each(|elem| elem.value = elem.value.wrapping_add(1));
        Ok(())
    }

    fn erase(&mut self, set: &Set, slice: Slice) -> Result {
        for &key in set.erasures(slice)? {
            let key = u64::from(key);
            let node = self.list.remove_if(|elem| elem.key == key);

            let _ = self.stock.push_within_capacity(node.ok_or(EUCLEAN)?);
        }
        Ok(())
    }

    fn verify(&mut self, set: &mut Set) -> Result {
        self.list.iter_mut().try_for_each(|elem| set.see(elem))
    }
}

struct RustListHand;

impl Subject for RustListHand {
    type Prealloc = Hand;
    type Inline = Hand;

    const FIND_STEPS: Option<unsafe extern "C" fn(u32) -> u32> = Some(find_steps);
}

extern "C" fn find_steps(n: u32) -> u32 {
    n
}

/// The operations, which `rust_list_hand.c` registers.
#[no_mangle]
pub static rust_list_hand_ops: Table = Table::new::<RustListHand>();
