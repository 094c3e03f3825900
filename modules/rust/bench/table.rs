// SPDX-License-Identifier: GPL-2.0

//! The table of operations that C registers with the core.

use core::{mem, ptr};

use kernel::{
    alloc::KBox,
    error::Result,
    ffi::{c_int, c_ulong},
    prelude::*,
};

use crate::{
    bench::{
        loops::Loops,
        set::{Set, Slice},
    },
    bindings::{self, dsbench_ops, dsbench_set},
};

/// A container of the benchmark.
pub trait Subject {
    /// The tries with elements that exist before the clock starts.
    type Prealloc: Loops;

    /// The tries that allocate each element.
    type Inline: Loops;

    /// Whether the container frees the elements that it holds when it is destroyed.
    const OWNS_ELEMS: bool = true;

    /// Operations that need interrupts, as a bitmap.
    const IRQS_ON: c_ulong = 0;

    /// Elements that a lookup passes in a container of `n`. `None` if they do not grow with `n`,
    /// or only with its logarithm.
    const FIND_STEPS: Option<unsafe extern "C" fn(n: u32) -> u32> = None;

    /// Bytes of the container itself for `n` elements. `None` for none.
    const BYTES: Option<unsafe extern "C" fn(n: u32) -> u64> = None;
}

/// A table without operations, as C's initialisers have it for what they do not name.
// SAFETY: Zero is valid for each member: a null pointer, `None`, `false` or a number.
const NONE: dsbench_ops = unsafe { mem::zeroed() };

/// The table of operations of a container.
#[repr(transparent)]
pub struct Table(dsbench_ops);

// SAFETY: Nobody changes a table, and its pointers are to functions.
unsafe impl Sync for Table {}

impl Table {
    /// Returns the table of a container.
    pub const fn new<S: Subject>() -> Self {
        let mut op: [bindings::dsbench_op_fn; bindings::dsbench_op_DSBENCH_NR_OPS as usize] =
            [None; bindings::dsbench_op_DSBENCH_NR_OPS as usize];

        op[bindings::dsbench_op_DSBENCH_FILL as usize] = Some(fill::<S>);
        op[bindings::dsbench_op_DSBENCH_FIND as usize] = Some(find::<S>);
        op[bindings::dsbench_op_DSBENCH_FOR_EACH as usize] = Some(for_each::<S>);
        op[bindings::dsbench_op_DSBENCH_ERASE as usize] = Some(erase::<S>);
        Self(dsbench_ops {
            create: Some(create::<S>),
            destroy: Some(destroy::<S>),
            verify: Some(verify::<S>),
            op,
            find_steps: S::FIND_STEPS,
            bytes: S::BYTES,
            owns_elems: S::OWNS_ELEMS,
            irqs_on: S::IRQS_ON,
            ..NONE
        })
    }
}

#[inline]
fn errno(result: Result) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// Calls one of the operations of a try, for either way of allocation.
///
/// Both blocks below rely on the core: it passes a set that it leaves alone until the operation
/// returns, and that has in its state what `create` put there.
macro_rules! with_try {
    ($subject:ident, $raw:ident, |$set:ident, $try:ident| $call:expr) => {{
        // SAFETY: The core passes a valid set, and the reference ends with the operation.
        let $set = unsafe { Set::from_raw($raw) };

        errno(if $set.inline_alloc() {
            // SAFETY: `create` put a try of this type there; the core calls one operation at a
            // time.
            let $try = unsafe { &mut *$set.state().cast::<$subject::Inline>() };
            $call
        } else {
            // SAFETY: As above.
            let $try = unsafe { &mut *$set.state().cast::<$subject::Prealloc>() };
            $call
        })
    }};
}

fn begin<T: Loops>(set: &mut Set) -> Result {
    let state = KBox::new(T::new(set)?, GFP_KERNEL)?;

    set.set_state(KBox::into_raw(state).cast());
    Ok(())
}

/// # Safety
///
/// `begin::<T>` succeeded for this set, and nobody uses its state any more.
unsafe fn end<T: Loops>(set: &mut Set) {
    // SAFETY: The state came from a box of this type.
    drop(unsafe { KBox::from_raw(set.state().cast::<T>()) });
    set.set_state(ptr::null_mut());
}

unsafe extern "C" fn create<S: Subject>(set: *mut dsbench_set) -> c_int {
    // SAFETY: The core passes a valid set, and the reference ends with the operation.
    let set = unsafe { Set::from_raw(set) };

    errno(if set.inline_alloc() {
        begin::<S::Inline>(set)
    } else {
        begin::<S::Prealloc>(set)
    })
}

unsafe extern "C" fn destroy<S: Subject>(set: *mut dsbench_set) {
    // SAFETY: The core passes a valid set, and the reference ends with the operation.
    let set = unsafe { Set::from_raw(set) };

    if set.inline_alloc() {
        // SAFETY: The core calls destroy once after a create that succeeded.
        unsafe { end::<S::Inline>(set) };
    } else {
        // SAFETY: As above.
        unsafe { end::<S::Prealloc>(set) };
    }
}

unsafe extern "C" fn verify<S: Subject>(set: *mut dsbench_set) -> c_int {
    with_try!(S, set, |set, state| state.verify(set))
}

unsafe extern "C" fn fill<S: Subject>(set: *mut dsbench_set, first: u32, last: u32) -> c_int {
    with_try!(S, set, |set, state| state.fill(set, Slice { first, last }))
}

unsafe extern "C" fn find<S: Subject>(set: *mut dsbench_set, first: u32, last: u32) -> c_int {
    with_try!(S, set, |set, state| state.find(set, Slice { first, last }))
}

unsafe extern "C" fn for_each<S: Subject>(set: *mut dsbench_set, _first: u32, _last: u32) -> c_int {
    with_try!(S, set, |set, state| state.for_each())
}

unsafe extern "C" fn erase<S: Subject>(set: *mut dsbench_set, first: u32, last: u32) -> c_int {
    with_try!(S, set, |set, state| state.erase(set, Slice { first, last }))
}
