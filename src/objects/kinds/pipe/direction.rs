//! One direction of a pipe, as all its processes see it: how much has gone in and out, and whose turn it is.

use std::sync::atomic::{AtomicU64, Ordering};

use zerocopy::FromZeros;

use crate::event::{EventId, ProcessId};
use crate::objects::support::turn::Side;

/// Both sides, in shared memory: packets or bytes are counted.
#[derive(Debug, FromZeros)]
#[repr(C)]
pub(super) struct Flow {
    /// Where it goes in.
    pub(super) senders: Side,
    /// Where it comes out.
    pub(super) receivers: Side,
    /// The message of several packets that is being sent now, by its event.
    pub(super) unfinished: AtomicU64,
}

impl Flow {
    /// Whether a send of `more` would probably wait where there is room for `room`.
    #[inline]
    pub(super) fn seems_full(&self, more: u64, room: u64) -> bool {
        self.senders.count().wrapping_add(more).wrapping_sub(self.receivers.count()) as i64 > room as i64
    }

    /// Counts from 0 again: what went through before was another pipe's. No process holds an end of that.
    pub(super) fn restart(&self) {
        self.senders.restart();
        self.receivers.restart();
        self.unfinished.store(0, Ordering::Release);
    }

    /// Takes the turns from a process that a signal has stopped while it waits.
    pub(super) fn stopped(&self, process: ProcessId) {
        // A message of several packets stays together.
        let unfinished = EventId::unpack(self.unfinished.load(Ordering::Acquire));
        if unfinished.is_none_or(|event| event.process() != process) {
            self.senders.stopped(process);
        }
        self.receivers.stopped(process);
    }

    /// Puts right what a process left behind that has died.
    pub(super) fn reclaim(&self, process: ProcessId) {
        let unfinished = self.unfinished.load(Ordering::Acquire);
        if EventId::unpack(unfinished).is_some_and(|event| event.process() == process) {
            self.unfinished.store(0, Ordering::Release);
        }
        self.senders.reclaim(process);
        self.receivers.reclaim(process);
    }
}
