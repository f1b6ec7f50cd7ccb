//! The engine's own lock around what it keeps in shared memory. It survives the death of its holder.
//!
//! It is held for a few instructions, never while its holder waits for anything. A process killed within them leaves it
//! held: the supervisor, having reaped that process, asks [`Guard::held_by`], puts the guarded memory right and calls
//! [`Guard::force_release`]. What it guards is therefore changed by single words that commit, or under a journal.

use std::sync::atomic::{AtomicU32, Ordering};

use zerocopy::FromZeros;

use super::clock;

/// How often a contended guard is polled before the processor is yielded.
const SPINS: u32 = 40;
/// How often the processor is given away before the process sleeps.
const YIELDS: u32 = 20;
/// The first nap, in ns; each further one is twice as long, up to the last.
const NAP: u64 = 20_000;
const LONGEST_NAP: u64 = 1_000_000;

/// A lock in shared memory that knows its holder. Zeroed, it is free.
#[derive(Debug, Default, FromZeros)]
#[repr(transparent)]
pub struct Guard(AtomicU32);

/// The guard, held. Dropping this lets it go.
#[must_use]
#[derive(Debug)]
pub struct Held<'a>(&'a Guard);

impl Guard {
    /// Takes the guard for that process.
    #[inline]
    pub fn lock(&self, process: u32) -> Held<'_> {
        let word = process.wrapping_add(1);
        if self.0.compare_exchange(0, word, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.contend(word);
        }
        Held(self)
    }

    /// Waits until its holder has released it.
    #[inline]
    pub fn pass(&self, process: u32) {
        if self.0.load(Ordering::Acquire) != 0 {
            drop(self.lock(process));
        }
    }

    #[cold]
    fn contend(&self, word: u32) {
        let mut tries = 0u32;
        let mut nap = NAP;
        loop {
            if self.0.load(Ordering::Relaxed) == 0
                && self.0.compare_exchange_weak(0, word, Ordering::Acquire, Ordering::Relaxed).is_ok()
            {
                return;
            }
            tries = tries.saturating_add(1);
            if tries <= SPINS {
                std::hint::spin_loop();
            } else if tries <= SPINS + YIELDS {
                std::thread::yield_now();
            } else {
                // The holder was preempted, perhaps by this process at a higher priority: let it run.
                clock::sleep_until(clock::now() + nap);
                nap = (nap * 2).min(LONGEST_NAP);
            }
        }
    }

    /// Whether that process holds it.
    pub fn held_by(&self, process: u32) -> bool {
        self.0.load(Ordering::Acquire) == process.wrapping_add(1)
    }

    /// Lets go of it for a holder that has died, once what it guards was put right.
    pub fn force_release(&self) {
        self.0.store(0, Ordering::Release);
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.0.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::os::arena::Arena;
    use crate::os::testing::Child;

    #[derive(FromZeros)]
    struct Counter {
        guard: Guard,
        count: AtomicU64,
    }

    #[test]
    fn processes_exclude_one_another() {
        let counter = Arena::new().alloc::<Counter>().unwrap();
        let children: Vec<_> = (0..4)
            .map(|process| {
                let counter = counter.clone();
                Child::fork(move || {
                    for _ in 0..20_000 {
                        let _held = counter.guard.lock(process);
                        let count = counter.count.load(Ordering::Relaxed);
                        counter.count.store(count + 1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for child in children {
            assert_eq!(child.join(), Some(0));
        }
        assert_eq!(counter.count.load(Ordering::Relaxed), 80_000);
    }

    #[test]
    fn a_dead_holder_is_known_and_can_be_put_out() {
        let counter = Arena::new().alloc::<Counter>().unwrap();
        let child = {
            let counter = counter.clone();
            Child::fork(move || {
                std::mem::forget(counter.guard.lock(3));
                loop {
                    std::thread::yield_now();
                }
            })
        };
        while !counter.guard.held_by(3) {
            std::thread::yield_now();
        }
        assert_eq!(child.kill(), Some(-libc::SIGKILL));
        assert!(counter.guard.held_by(3) && !counter.guard.held_by(2));
        counter.guard.force_release();
        drop(counter.guard.lock(0));
        assert!(!counter.guard.held_by(3));
    }
}
