//! Waiting for two things to agree that a step changes one after the other: what the kernel has, and what is counted of it.

use std::sync::atomic::{AtomicU32, Ordering};

use zerocopy::FromZeros;

use crate::os::{clock, process};

/// How often it is looked whether they agree, before the processor is given away, and before it sleeps in between.
const SPINS: u32 = 50;
const YIELDS: u32 = 200;
/// How long it sleeps, and after how long it is given up, in ns: a process was stopped between the two.
const NAP: u64 = 100_000;
const LONGEST: u64 = 1_000_000_000;

/// Whether a process was killed that may have changed the one and not the other, in shared memory.
#[derive(Debug, FromZeros)]
#[repr(transparent)]
pub(crate) struct Torn(AtomicU32);

impl Torn {
    /// Says that one was killed.
    pub(crate) fn tear(&self) {
        self.0.store(1, Ordering::Release);
    }

    /// Calls `agree` until it gives something; none where the two stay apart.
    pub(crate) fn settle<T>(&self, mut agree: impl FnMut() -> Option<T>) -> Option<T> {
        let mut until = None;
        for look in 0u32.. {
            if let Some(done) = agree() {
                return Some(done);
            }
            if look < SPINS {
                std::hint::spin_loop();
            } else if look < YIELDS {
                process::yield_now();
            } else {
                let now = clock::now();
                if self.0.load(Ordering::Acquire) != 0 || now >= *until.get_or_insert(now + LONGEST) {
                    break;
                }
                clock::sleep_until(now + NAP);
            }
        }
        None
    }
}
