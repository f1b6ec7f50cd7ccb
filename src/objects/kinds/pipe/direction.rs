//! One direction of a pipe, as all its processes see it: how much has gone in and out, and whose turn it is.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use zerocopy::FromZeros;

use crate::event::{EventId, ProcessId};
use crate::objects::{Caller, Patience};
use crate::os::{clock, futex};

/// How often a turn that should soon come is looked for, for a step that may not wait, and how long in between.
const LOOKS: u32 = 200;
const NAP: u64 = 500_000;

/// Counters and turns in shared memory. What a killed process left out of a counter makes a guess worse, never a step
/// wrong.
#[derive(Debug, FromZeros)]
#[repr(C)]
pub(super) struct Flow {
    /// Packets or bytes that went in.
    sent: AtomicU64,
    /// Packets or bytes that came out.
    received: AtomicU64,
    /// The message of several packets that is being sent now, by its event.
    pub(super) unfinished: AtomicU64,
    /// Whose turn it is to send a message.
    pub(super) senders: Turn,
    /// Whose turn it is to receive one.
    pub(super) receivers: Turn,
}

impl Flow {
    /// Whether a receive of what is not counted yet, besides `taken` already, would probably wait.
    #[inline]
    pub(super) fn seems_empty(&self, taken: u64) -> bool {
        let (sent, received) = (self.sent.load(Ordering::Relaxed), self.received.load(Ordering::Relaxed));
        sent.wrapping_sub(received.wrapping_add(taken)) as i64 <= 0
    }

    /// Whether a send of `more` would probably wait where there is room for `room`.
    #[inline]
    pub(super) fn seems_full(&self, more: u64, room: u64) -> bool {
        let (sent, received) = (self.sent.load(Ordering::Relaxed), self.received.load(Ordering::Relaxed));
        sent.wrapping_add(more).wrapping_sub(received) as i64 > room as i64
    }

    /// What is counted to have come out.
    #[inline]
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Acquire)
    }

    /// Counts what went in, and gives the sum. `alone` says that no other process counts at the same time.
    #[inline]
    pub(super) fn count_sent(&self, amount: u64, alone: bool) -> u64 {
        count(&self.sent, amount, alone)
    }

    /// Counts what came out, and gives the sum.
    #[inline]
    pub(super) fn count_received(&self, amount: u64, alone: bool) -> u64 {
        count(&self.received, amount, alone)
    }

    /// Puts right what a process left behind that has died.
    pub(super) fn reclaim(&self, process: ProcessId) {
        let unfinished = self.unfinished.load(Ordering::Acquire);
        if EventId::unpack(unfinished).is_some_and(|event| event.process == process) {
            self.unfinished.store(0, Ordering::Release);
        }
        self.senders.reclaim(process);
        self.receivers.reclaim(process);
    }
}

#[inline]
fn count(counter: &AtomicU64, amount: u64, alone: bool) -> u64 {
    if alone {
        let sum = counter.load(Ordering::Relaxed).wrapping_add(amount);
        counter.store(sum, Ordering::Release);
        sum
    } else {
        counter.fetch_add(amount, Ordering::AcqRel).wrapping_add(amount)
    }
}

/// A lock that a process holds while it sends or receives one message, waiting included. A process that waits for it
/// waits for the same as its holder does. A holder that dies is put out by the supervisor.
#[derive(Debug, FromZeros)]
#[repr(C)]
pub(super) struct Turn {
    /// The holder's process and one, or 0.
    holder: AtomicU32,
    /// How many wait, or more where a waiter was killed.
    waiting: AtomicU32,
}

/// A turn, held until this is dropped.
#[must_use]
pub(super) struct Held<'a>(&'a Turn);

impl Turn {
    /// Takes the turn. `hopeless` says whether the step would have to wait even if it had the turn.
    pub(super) fn take(
        &self,
        patience: Patience,
        party: &mut dyn Caller,
        hopeless: impl Fn() -> bool,
    ) -> Result<Held<'_>, i32> {
        let own = party.process().wrapping_add(1);
        if self.try_take(own) {
            return Ok(Held(self));
        }
        if patience == Patience::Never {
            for _ in 0..LOOKS {
                if hopeless() {
                    break;
                }
                self.wait(own, Some(clock::now() + NAP));
                if self.holder.load(Ordering::Relaxed) == own {
                    return Ok(Held(self));
                }
            }
            return Err(libc::EAGAIN);
        }
        party.block();
        let deadline = match patience {
            Patience::Until(deadline) => Some(deadline),
            _ => None,
        };
        if self.wait(own, deadline) { Ok(Held(self)) } else { Err(libc::ETIMEDOUT) }
    }

    fn try_take(&self, own: u32) -> bool {
        self.holder.compare_exchange(0, own, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Waits for the turn and takes it; `false` where the deadline passes first.
    fn wait(&self, own: u32, deadline: Option<u64>) -> bool {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let taken = loop {
            if self.try_take(own) {
                break true;
            }
            let holder = self.holder.load(Ordering::SeqCst);
            if holder != 0 && !futex::wait(&self.holder, holder, deadline) {
                break self.try_take(own);
            }
        };
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        taken
    }

    fn reclaim(&self, process: ProcessId) {
        // The dead process may have been woken to take its turn, so others are woken even where it held nothing.
        let _ = self.holder.compare_exchange(process.wrapping_add(1), 0, Ordering::SeqCst, Ordering::SeqCst);
        futex::wake_all(&self.holder);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.holder.store(0, Ordering::SeqCst);
        if self.0.waiting.load(Ordering::SeqCst) > 0 {
            futex::wake(&self.0.holder, 1);
        }
    }
}
