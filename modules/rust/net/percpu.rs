// SPDX-License-Identifier: GPL-2.0

//! A value for each CPU.

use core::{marker::PhantomData, mem, num::NonZero};

use kernel::alloc::AllocError;

use super::bindings;

/// A value for each possible CPU, at first all zeroes.
///
/// # Invariants
///
/// `memory` is an allocation per CPU, which this owns.
pub(super) struct PerCpu<T> {
    memory: NonZero<usize>,
    _owns: PhantomData<T>,
}

// SAFETY: Each value is shared by reference; the memory belongs to no thread.
unsafe impl<T: Send> Send for PerCpu<T> {}
// SAFETY: As above.
unsafe impl<T: Sync> Sync for PerCpu<T> {}

impl<T> PerCpu<T> {
    /// # Safety
    ///
    /// All zeroes are a valid value, which needs no drop.
    ///
    /// Context: process context.
    pub(super) unsafe fn zeroed() -> Result<Self, AllocError> {
        // SAFETY: The function has no requirements.
        let memory = unsafe {
            bindings::dsbench_net_alloc_percpu(mem::size_of::<T>(), mem::align_of::<T>())
        };

        Ok(Self {
            memory: NonZero::new(memory).ok_or(AllocError)?,
            _owns: PhantomData,
        })
    }

    /// The value of this CPU, or of one where the caller ran a moment ago.
    #[inline]
    pub(super) fn this(&self) -> &T {
        // SAFETY: By the invariants the memory is valid.
        unsafe { &*bindings::dsbench_net_this_cpu(self.memory.get()).cast() }
    }

    /// The values of all CPUs.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> + '_ {
        let mut last = -1;

        core::iter::from_fn(move || {
            // SAFETY: The function takes any number.
            let cpu = unsafe { bindings::dsbench_net_next_cpu(last) };

            last = i32::try_from(cpu).ok()?;
            // SAFETY: By the invariants the memory is valid for each possible CPU.
            Some(unsafe { &*bindings::dsbench_net_cpu(self.memory.get(), cpu).cast() })
        })
    }
}

impl<T> Drop for PerCpu<T> {
    fn drop(&mut self) {
        // SAFETY: This owns the allocation. The values need no drop.
        unsafe { bindings::dsbench_net_free_percpu(self.memory.get()) }
    }
}
