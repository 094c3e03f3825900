// SPDX-License-Identifier: GPL-2.0

//! Tests of the abstractions: what their documentation says, one function each.
//!
//! The kernel builds documentation tests of the kernel crate only, so the examples are here.

use core::{
    pin::pin,
    sync::atomic::{AtomicU32, Ordering},
};

use kernel::{
    alloc::KBox,
    error::{code::EINVAL, Result},
    ffi::c_int,
    prelude::*,
    rbtree::RBTree,
    sync::rcu,
};

#[path = "../abstractions/mod.rs"]
pub mod abstractions;

use abstractions::{
    branching::Branching,
    hashtable::{HashTable, BITS_MAX},
    hlist::{HList, HNode},
    keyed::Keyed,
    lent::Lent,
    list::{LinkedList, Node},
    maple, xarray,
};

/// How many sessions were dropped.
static DROPPED: AtomicU32 = AtomicU32::new(0);

/// A value with a key.
struct Session {
    id: u64,
    bytes: u64,
}

impl Session {
    const fn new(id: u64) -> Self {
        Self { id, bytes: 10 * id }
    }
}

impl Keyed for Session {
    type Key = u64;

    fn key(&self) -> u64 {
        self.id
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

fn check(holds: bool) -> Result {
    holds.then_some(()).ok_or(EINVAL)
}

/// Runs a test that must drop `drops` sessions.
fn run(test: fn() -> Result, drops: u32) -> c_int {
    let before = DROPPED.load(Ordering::Relaxed);
    let result = test().and_then(|()| check(DROPPED.load(Ordering::Relaxed) - before == drops));

    match result {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

// The example of README.md.
fn readme() -> Result {
    let mut table: HashTable<KBox<HNode<Session>>> = HashTable::with_bits(4, GFP_KERNEL)?;

    for id in 0..100 {
        table.insert_unique(KBox::new(HNode::new(Session::new(id)), GFP_KERNEL)?);
    }
    for session in table.iter_mut() {
        session.bytes += 1;
    }
    check(table.get(42).is_some_and(|session| session.bytes == 421))?;
    check(table.remove(42).is_some())?;
    check(table.get(42).is_none())
}

fn list() -> Result {
    let mut list = LinkedList::new();

    check(list.is_empty() && list.get(1).is_none())?;
    list.push_back(Node::new(Session::new(2), GFP_KERNEL)?);
    list.push_back(Node::new(Session::new(3), GFP_KERNEL)?);
    list.push_front(Node::new(Session::new(1), GFP_KERNEL)?);
    check(list.iter().map(Keyed::key).eq([1, 2, 3]))?;

    list.iter_mut().for_each(|session| session.bytes += 1);
    check(
        list.len() == 3 && (1..4).all(|id| list.get(id).is_some_and(|s| s.bytes == 10 * id + 1)),
    )?;
    check(list.get(4).is_none() && list.get_mut(3).is_some())?;

    // A search goes on behind what it found; a loop by next() and one by fold() visit the same.
    let mut iter = list.iter();
    check(
        iter.find(|session| session.id > 1)
            .is_some_and(|s| s.id == 2),
    )?;
    check(iter.next().is_some_and(|session| session.id == 3) && iter.next().is_none())?;
    let past_the_end = iter.find(|_| true);
    check(past_the_end.is_none() && iter.next().is_none())?;
    list.get_mut(2).ok_or(EINVAL)?.bytes = 7;

    let mut node = list.remove(2).ok_or(EINVAL)?;
    check(node.get().bytes == 7 && list.iter().map(Keyed::key).eq([1, 3]))?;
    check(list.remove(2).is_none())?;
    node.get_mut().id = 4;
    list.push_back(node);
    check(list.iter().map(Keyed::key).eq([1, 3, 4]))?;
    check(list.remove_if(|session| session.id == 1).is_some())?;
    check(list.pop_front().is_some_and(|node| node.get().id == 3))?;
    check(list.len() == 1 && list.get(4).is_some_and(|s| s.bytes == 7))?;
    check(list.iter().map(Keyed::key).sum::<u64>() == 4)
}

fn branching() -> Result {
    let mut tree = RBTree::new();

    for id in [5, 1, 9] {
        tree.try_create_and_insert(Branching(id), Session::new(id), GFP_KERNEL)?;
    }
    check(tree.keys().map(|key| key.0).eq([1, 5, 9]))?;
    check(
        [1, 5, 9]
            .iter()
            .all(|&id| tree.get(&Branching(id)).is_some_and(|s| s.id == id)),
    )?;
    check(
        [0, 4, 6, 10]
            .iter()
            .all(|&id| tree.get(&Branching(id)).is_none()),
    )
}

fn hlist() -> Result {
    let mut lent = [
        HNode::new(Session::new(1)),
        HNode::new(Session::new(2)),
        HNode::new(Session::new(3)),
    ];
    let mut list = pin!(HList::new());

    check(list.is_empty())?;
    for node in &mut lent {
        // SAFETY: The list is dropped before the array, which is not used meanwhile.
        list.as_mut().push_front(unsafe { Lent::new(node.into()) });
    }
    check(list.iter().map(Keyed::key).eq([3, 2, 1]))?;
    list.as_mut()
        .iter_mut()
        .for_each(|session| session.bytes += 1);

    let middle = list.as_mut().remove_if(|session| session.id == 2);
    check(middle.is_some_and(|node| node.bytes == 21))?;
    check(list.as_mut().remove_if(|session| session.id == 2).is_none())?;
    check(list.iter().map(Keyed::key).eq([3, 1]))?;
    check(list.as_mut().pop_front().is_some_and(|node| node.id == 3))?;
    check(list.as_mut().pop_front().is_some_and(|node| node.id == 1))?;
    check(list.as_mut().pop_front().is_none() && list.is_empty())
}

fn boxed(id: u64) -> Result<KBox<HNode<Session>>> {
    Ok(KBox::new(HNode::new(Session::new(id)), GFP_KERNEL)?)
}

fn hashtable() -> Result {
    check(HashTable::<KBox<HNode<Session>>>::with_bits(BITS_MAX + 1, GFP_KERNEL).is_err())?;
    for bits in [0, 1, 7] {
        let mut table = HashTable::with_bits(bits, GFP_KERNEL)?;

        check(table.iter().next().is_none())?;
        for id in 0..50 {
            check(table.insert(boxed(id)?).is_none())?;
        }
        check(table.is_consistent() && table.iter().count() == 50)?;
        check((0..50).all(|id| table.get(id).is_some_and(|session| session.id == id)))?;

        // An equal key replaces, and the old node comes back.
        table.get_mut(9).ok_or(EINVAL)?.bytes = 1;
        check(table.insert(boxed(9)?).is_some_and(|old| old.bytes == 1))?;

        // A loop by next() and one by fold() visit the same.
        let mut sum = 0;
        for session in table.iter() {
            sum += session.id;
        }
        check(sum == 49 * 50 / 2)?;
        check(table.iter().map(Keyed::key).sum::<u64>() == sum)?;
        for session in table.iter_mut() {
            session.bytes = 5;
        }
        table.iter_mut().for_each(|session| session.bytes += 1);
        check(table.iter().all(|session| session.bytes == 6))?;

        check(table.remove(0).is_some() && table.remove(0).is_none())?;
        check(table.iter().count() == 49 && table.get(0).is_none())?;
    }
    Ok(())
}

fn xarray() -> Result {
    let mut map = xarray::Map::new(GFP_KERNEL)?;

    check(map.get(3).is_none() && map.iter().next().is_none())?;
    for index in [500, 3, 70] {
        let session = KBox::new(Session::new(index as u64), GFP_KERNEL)?;
        check(map.insert(index, session, GFP_KERNEL)?.is_none())?;
    }
    check(map.iter().map(|(index, _)| index).eq([3, 70, 500]))?;
    check(map.get(70).is_some_and(|session| session.bytes == 700))?;
    map.get_mut(70).ok_or(EINVAL)?.bytes = 1;
    map.iter_mut().for_each(|(_, session)| session.bytes += 1);
    check(map.get(70).is_some_and(|session| session.bytes == 2))?;

    let session = KBox::new(Session::new(70), GFP_KERNEL)?;
    let old = map.insert(70, session, GFP_KERNEL)?;
    check(old.is_some_and(|old| old.bytes == 2))?;
    check(map.remove(3).is_some() && map.remove(3).is_none())?;
    check(map.iter().map(|(index, _)| index).eq([70, 500]))
}

fn maple() -> Result {
    let mut map = maple::Map::new(GFP_KERNEL)?;

    check(map.get(3).is_none() && map.first_from(0).is_none())?;
    for index in [500, 3, 70] {
        let session = KBox::new(Session::new(index as u64), GFP_KERNEL)?;
        map.insert(index, session, GFP_KERNEL)?;
    }
    // An index that has a value keeps it.
    let session = KBox::new(Session::new(9), GFP_KERNEL)?;
    check(map.insert(70, session, GFP_KERNEL).is_err())?;
    check(map.get(70).is_some_and(|session| session.bytes == 700))?;

    let indices = [3, 70, 500];
    check(map.iter(&rcu::read_lock()).map(|(i, _)| i).eq(indices))?;
    map.get_mut(70).ok_or(EINVAL)?.bytes = 1;
    for (_, session) in map.iter_mut(&rcu::read_lock()) {
        session.bytes += 1;
    }
    check(map.get(70).is_some_and(|session| session.bytes == 2))?;
    check(map.first_from(71).is_some_and(|(index, _)| index == 500))?;
    check(map.first_from(501).is_none())?;
    check(map.remove(3)?.is_some() && map.remove(3)?.is_none())?;
    check(map.iter(&rcu::read_lock()).map(|(i, _)| i).eq([70, 500]))
}

/// Runs the example of the README.
#[no_mangle]
pub extern "C" fn rust_api_readme() -> c_int {
    run(readme, 100)
}

/// Tests [`abstractions::list`].
#[no_mangle]
pub extern "C" fn rust_api_list() -> c_int {
    run(list, 3)
}

/// Tests [`abstractions::branching`].
#[no_mangle]
pub extern "C" fn rust_api_branching() -> c_int {
    run(branching, 3)
}

/// Tests [`abstractions::hlist`].
#[no_mangle]
pub extern "C" fn rust_api_hlist() -> c_int {
    run(hlist, 3)
}

/// Tests [`abstractions::hashtable`].
#[no_mangle]
pub extern "C" fn rust_api_hashtable() -> c_int {
    run(hashtable, 3 * 51)
}

/// Tests [`abstractions::xarray`].
#[no_mangle]
pub extern "C" fn rust_api_xarray() -> c_int {
    run(xarray, 4)
}

/// Tests [`abstractions::maple`].
#[no_mangle]
pub extern "C" fn rust_api_maple() -> c_int {
    run(maple, 4)
}
