//! Waking those that wait in shared memory, and the count of what is still to be done.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use zerocopy::FromZeros;

use crate::objects::{Caller, Patience};
use crate::os::futex;

/// A word that changes with every event a process may wait for, and how many sleep on it.
///
/// A waiter reads the word, checks whether there is anything to wait for, and sleeps only if the word is the same
/// still; so nothing that happens in between is missed.
#[derive(Debug, FromZeros)]
#[repr(C)]
pub(super) struct Bell {
    word: AtomicU32,
    /// How many sleep, or more where one was killed: then a ring is a system call that wakes no process.
    sleepers: AtomicU32,
}

impl Bell {
    /// The word as it is before one looks.
    pub(super) fn listen(&self) -> u32 {
        self.word.load(Ordering::SeqCst)
    }

    /// Changes the word, and wakes up to `count` sleepers.
    pub(super) fn ring(&self, count: u32) {
        self.word.fetch_add(1, Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            futex::wake(&self.word, count);
        }
    }

    /// Sleeps until a ring after `heard` was read; `false` where the time of `CLOCK_MONOTONIC` passes first.
    pub(super) fn sleep(&self, heard: u32, deadline: Option<u64>) -> bool {
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        let rung = futex::wait(&self.word, heard, deadline);
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
        rung
    }
}

/// What went in, what came out, and what was said to be done: the count that `done` and `wait` are about.
///
/// A put is counted after it is in the queue, and a quick consumer can be done with it before. But a process that has
/// taken a message has counted its get, so that the greater of both counts is a number of messages that certainly went
/// in.
#[derive(Debug, FromZeros)]
#[repr(C)]
pub(super) struct Tally {
    puts: AtomicU64,
    gets: AtomicU64,
    dones: AtomicU64,
    bell: Bell,
}

impl Tally {
    /// Counts a message that went in.
    #[inline]
    pub(super) fn count_put(&self) {
        self.puts.fetch_add(1, Ordering::AcqRel);
    }

    /// Counts a message that came out.
    #[inline]
    pub(super) fn count_get(&self) {
        self.gets.fetch_add(1, Ordering::AcqRel);
    }

    /// About how many messages are in the queue.
    #[inline]
    pub(super) fn queued(&self) -> i64 {
        let puts = self.puts.load(Ordering::Relaxed);
        puts.wrapping_sub(self.gets.load(Ordering::Relaxed)) as i64
    }

    /// Says that one message is done. Gives its number among those, or none where all are done already.
    pub(super) fn done(&self) -> Option<u64> {
        let mut dones = self.dones.load(Ordering::Acquire);
        while dones < self.known() {
            match self.dones.compare_exchange_weak(dones, dones + 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    self.bell.ring(u32::MAX);
                    return Some(dones + 1);
                }
                Err(now) => dones = now,
            }
        }
        None
    }

    /// Waits until all that went in is done, and gives how many that were.
    pub(super) fn wait(&self, patience: Patience, party: &mut dyn Caller) -> Result<u64, i32> {
        let mut patient = true;
        loop {
            let heard = self.bell.listen();
            // In this order: what is done was put before, so that equal counts say there was a moment of rest.
            let dones = self.dones.load(Ordering::SeqCst);
            if dones >= self.known() {
                return Ok(dones);
            }
            let deadline = match patience {
                Patience::Never => return Err(libc::EAGAIN),
                _ if !patient => return Err(libc::ETIMEDOUT),
                Patience::Forever => None,
                Patience::Until(deadline) => Some(deadline),
            };
            party.block();
            patient = self.bell.sleep(heard, deadline);
        }
    }

    fn known(&self) -> u64 {
        self.puts.load(Ordering::SeqCst).max(self.gets.load(Ordering::SeqCst))
    }
}
