// SPDX-License-Identifier: GPL-2.0

//! Keys that a search compares by branches.

use core::cmp::Ordering;

/// A key that a search compares by branches.
///
/// LLVM makes a number of the order of two integers, -1, 0 or 1, and a search such as
/// `RBTree::get` compares that number twice more to choose its way. A key in this type is compared
/// as C does it: one comparison, and two conditional jumps on its result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Branching<K>(pub K);

/// Marks the branch that calls it as unlikely, so that LLVM keeps it a branch.
#[cold]
const fn unlikely() {}

impl<K: Ord> Ord for Branching<K> {
    // The chain that clippy would replace by a call of `cmp` is the purpose.
    #[allow(clippy::comparison_chain)]
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        if self.0 < other.0 {
            Ordering::Less
        } else if self.0 > other.0 {
            Ordering::Greater
        } else {
            // Of all comparisons of a search, only the last one can end here.
            unlikely();
            Ordering::Equal
        }
    }
}

impl<K: Ord> PartialOrd for Branching<K> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
