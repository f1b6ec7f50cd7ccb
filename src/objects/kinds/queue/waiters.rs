//! Waking those that wait in shared memory, and the count of what is still to be done.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use zerocopy::FromZeros;

use crate::event::{ProcessId, look};
use crate::objects::support::settle::Torn;
use crate::objects::support::turn::{Refusal, Side};
use crate::objects::{Caller, Patience};
use crate::os::{futex, interrupts};

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
    ///
    /// # Errors
    /// EAGAIN, ETIMEDOUT, after as many puts as were known.
    pub(super) fn wait(&self, patience: Patience, party: &mut dyn Caller) -> Result<u64, Refusal> {
        let mut patient = true;
        loop {
            let heard = self.bell.listen();
            // In this order: what is done was put before, so that equal counts say there was a moment of rest.
            let dones = self.dones.load(Ordering::SeqCst);
            let count = self.known();
            if dones >= count {
                return Ok(dones);
            }
            let deadline = match patience {
                Patience::Never => return Err(Refusal { errno: libc::EAGAIN, count }),
                _ if !patient => return Err(Refusal { errno: libc::ETIMEDOUT, count }),
                Patience::Forever => None,
                Patience::Until(deadline) => Some(deadline),
            };
            if interrupts::is_noted() {
                return Err(Refusal { errno: libc::EINTR, count });
            }
            party.block();
            patient = self.bell.sleep(heard, deadline);
        }
    }

    fn known(&self) -> u64 {
        self.puts.load(Ordering::SeqCst).max(self.gets.load(Ordering::SeqCst))
    }
}

/// Both sides of a queue of the kernel: what has gone in and out, in the kernel's own order.
#[derive(Debug, FromZeros)]
#[repr(C)]
pub(super) struct Sides {
    puts: Side,
    gets: Side,
    torn: Torn,
    _pad: u32,
}

/// How many messages can be told in the place of a `size`, on each side.
const COUNT_BITS: u32 = 26;

/// The place of a `size` after that many puts and gets; 0 where that cannot be told.
fn place(puts: u64, gets: u64) -> u64 {
    if (puts | gets) >> COUNT_BITS == 0 { look(puts << COUNT_BITS | gets) } else { 0 }
}

/// The puts and gets before a `size` of that place.
pub(super) fn counts(place: u64) -> (u64, u64) {
    (place >> COUNT_BITS, place & ((1 << COUNT_BITS) - 1))
}

impl Sides {
    /// Carries out a put, and gives its number.
    pub(super) fn put(
        &self,
        patience: Patience,
        party: &mut dyn Caller,
        call: impl FnMut(bool) -> Result<(), i32>,
        ready: impl Fn(Option<u64>) -> Result<bool, i32>,
    ) -> Result<u64, Refusal> {
        let turn = self.puts.take(false, patience, party, &ready)?;
        patience.attempt(party, Some(&turn), call, ready).map_err(|errno| turn.refuse(errno))?;
        Ok(turn.count(1))
    }

    /// Carries out a get, and gives its number as well.
    pub(super) fn get<T>(
        &self,
        patience: Patience,
        party: &mut dyn Caller,
        call: impl FnMut(bool) -> Result<T, i32>,
        ready: impl Fn(Option<u64>) -> Result<bool, i32>,
    ) -> Result<(T, u64), Refusal> {
        let turn = self.gets.take(false, patience, party, &ready)?;
        let got = patience.attempt(party, Some(&turn), call, ready).map_err(|errno| turn.refuse(errno))?;
        Ok((got, turn.count(1)))
    }

    /// Asks how many messages there are, and for its place.
    ///
    /// What has been put or got and is not counted yet is so soon: until then the kernel's number does not fit the counts,
    /// and it is asked again. Where it fits, those that are still at it can have come later.
    pub(super) fn size(&self, length: impl Fn() -> Result<u64, i32>) -> Result<(u64, u64), i32> {
        let counted = || (self.puts.count(), self.gets.count());
        let told = self.torn.settle(|| {
            let (puts, gets) = counted();
            let size = match length() {
                Ok(size) => size,
                Err(errno) => return Some(Err(errno)),
            };
            let fits = puts.wrapping_sub(gets) == size && counted() == (puts, gets);
            fits.then(|| Ok((size, place(puts, gets))))
        });
        told.unwrap_or_else(|| length().map(|size| (size, 0)))
    }

    /// Takes the turns from a process that a signal has stopped while it waits.
    pub(super) fn stopped(&self, process: ProcessId) {
        self.puts.stopped(process);
        self.gets.stopped(process);
    }

    /// Puts right what a process left behind that has died.
    pub(super) fn reclaim(&self, process: ProcessId) {
        self.torn.tear();
        self.puts.reclaim(process);
        self.gets.reclaim(process);
    }
}
