//! Where random scenarios take their numbers from.

use crate::interpreter::Random;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(super) struct Draw(Random);

impl Draw {
    pub(super) fn new(seed: u64, name: &str) -> Self {
        Self(Random::new(seed, name, 0))
    }

    /// A number below `count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        self.0.between(0, count.max(1) as i64 - 1) as usize
    }

    pub(super) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(super) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// One of them, each as often as its weight says; none where no weight is more than 0.
    pub(super) fn weighted<T: Copy>(&mut self, all: &[(T, u32)]) -> Option<T> {
        let total: u32 = all.iter().map(|(_, weight)| weight).sum();
        let mut left = self.below(total as usize) as u32;
        all.iter().find_map(|(one, weight)| {
            let found = left < *weight;
            left = left.saturating_sub(*weight);
            found.then_some(*one)
        })
    }
}
