// SPDX-License-Identifier: GPL-2.0

//! The timed loops: one for each operation, generic over the container and over where its elements
//! come from.

use kernel::error::Result;

use crate::bench::{
    container::Container,
    set::{Set, Slice},
    supply::Supply,
};

/// The state of a try.
pub struct Try<C, S> {
    container: C,
    supply: S,
}

/// The operations of a try. There is one implementation; a name for it spares its users the
/// parameters.
pub trait Loops: Sized {
    /// Creates an empty container and what fill needs. It may sleep.
    fn new(set: &Set) -> Result<Self>;

    /// Inserts the elements of a slice.
    fn fill(&mut self, set: &Set, slice: Slice) -> Result;

    /// Looks the keys of a slice up and adds up the values.
    fn find(&mut self, set: &mut Set, slice: Slice) -> Result;

    /// Increments the value of every element.
    fn for_each(&mut self) -> Result;

    /// Removes the elements of a slice.
    fn erase(&mut self, set: &Set, slice: Slice) -> Result;

    /// Reports every element to the core. It may sleep.
    fn verify(&mut self, set: &mut Set) -> Result;
}

impl<C, S> Loops for Try<C, S>
where
    C: Container,
    S: Supply<Owned = C::Owned>,
{
    fn new(set: &Set) -> Result<Self> {
        Ok(Self {
            container: C::new(set.n())?,
            supply: S::new(set)?,
        })
    }

    #[inline]
    fn fill(&mut self, set: &Set, slice: Slice) -> Result {
        for owned in self.supply.take(set, slice)? {
            self.container.insert(owned?)?;
        }
        Ok(())
    }

    #[inline]
    fn find(&mut self, set: &mut Set, slice: Slice) -> Result {
        let mut hits = 0;
        let mut sum = 0_u64;

        for &key in set.lookups(slice)? {
            if let Some(value) = self.container.find(key.into(), |elem| elem.value) {
                sum = sum.wrapping_add(value);
                hits += 1;
            }
        }
        set.add_found(hits, sum);
        Ok(())
    }

    #[inline]
    fn for_each(&mut self) -> Result {
        self.container
            .for_each(|elem| elem.value = elem.value.wrapping_add(1));
        Ok(())
    }

    #[inline]
    fn erase(&mut self, set: &Set, slice: Slice) -> Result {
        for &key in set.erasures(slice)? {
            let owned = self.container.remove(key.into())?;

            self.supply.give_back(owned);
        }
        Ok(())
    }

    fn verify(&mut self, set: &mut Set) -> Result {
        self.container.verify(|elem| set.see(elem))
    }
}
