//! The processes that sleep on a word of their own until another wakes them, in the order in which they came: what a
//! condition and a futex have in common.
//!
//! Each process has a slot. Under the object's guard a waiter takes a number, and a process that wakes others takes the
//! lowest numbers. What it does is one number, up to which waiters are woken, in a journal: where it is killed within,
//! [`WaitList::reclaim`] does the rest.

use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use zerocopy::FromZeros;

use crate::event::ProcessId;
use crate::objects::contract::model::ModelCall;
use crate::objects::{Caller, Parked};
use crate::os::arena::{Arena, Shared};
use crate::os::futex;

#[derive(FromZeros)]
#[repr(C)]
struct Words {
    /// How many slots from the first have ever been used.
    used: AtomicU32,
    /// The number up to which waiters are being woken, and by which event; 0 where no process wakes others.
    journal: AtomicU64,
    notifier: AtomicU64,
}

/// A process that waits, or not.
#[derive(FromZeros)]
#[repr(C)]
struct Slot {
    /// One of the states below; the process sleeps on it.
    state: AtomicU32,
    number: AtomicU64,
    notifier: AtomicU64,
}

const IDLE: u32 = 0;
const WAITING: u32 = 1;
const NOTIFIED: u32 = 2;

impl Slot {
    /// Ends the waiting, and says whether it had not ended before.
    fn change(&self, state: u32) -> bool {
        self.state.compare_exchange(WAITING, state, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Woken {
    /// That event woke it; 0 where its wait ended although none had.
    By(u64),
    /// Its time was over first.
    TimedOut,
}

/// The waiters of an object, in shared memory.
pub(crate) struct WaitList {
    words: Shared<Words>,
    slots: Shared<[Slot]>,
}

impl WaitList {
    /// # Errors
    /// Those of mmap(2).
    pub(crate) fn new(arena: &Arena, processes: u32) -> io::Result<Self> {
        Ok(Self { words: arena.alloc()?, slots: arena.slice(processes as usize)? })
    }

    /// The slots that may be in use.
    fn slots(&self) -> &[Slot] {
        &self.slots[..(self.words.used.load(Ordering::Acquire) as usize).min(self.slots.len())]
    }

    fn waiters(&self) -> impl Iterator<Item = &Slot> {
        self.slots().iter().filter(|slot| slot.state.load(Ordering::Acquire) == WAITING)
    }

    /// How many processes wait.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiters().count() as u32
    }

    /// Begins to wait with a number that is higher than those before. The guard is held.
    pub(crate) fn enter(&self, process: ProcessId, number: u64) {
        let slot = &self.slots[process as usize];
        self.words.used.fetch_max(process + 1, Ordering::AcqRel);
        slot.number.store(number, Ordering::Relaxed);
        slot.notifier.store(0, Ordering::Relaxed);
        slot.state.store(WAITING, Ordering::Release);
    }

    /// Gives up waiting; says whether that came before a notification. The guard is held.
    pub(crate) fn leave(&self, process: ProcessId) -> bool {
        self.slots[process as usize].change(IDLE)
    }

    /// Sleeps until the process is woken or the deadline passes. `guarded` runs what it is given under the guard.
    pub(crate) fn sleep(
        &self,
        party: &mut dyn Caller,
        deadline: Option<u64>,
        guarded: impl Fn(&mut dyn FnMut() -> bool) -> bool,
    ) -> Woken {
        let process = party.process();
        let slot = &self.slots[process as usize];
        let mut in_time = true;
        while slot.state.load(Ordering::Acquire) == WAITING {
            let waits = match party.park() {
                Parked::Sleep => futex::wait(&slot.state, WAITING, deadline),
                Parked::Again => true,
                Parked::GiveUp => false,
                Parked::Wake => {
                    guarded(&mut || self.leave(process));
                    break;
                }
            };
            if !waits {
                in_time = !guarded(&mut || self.leave(process));
                break;
            }
        }
        let woken = if in_time { Woken::By(slot.notifier.load(Ordering::Relaxed)) } else { Woken::TimedOut };
        slot.state.store(IDLE, Ordering::Release);
        woken
    }

    /// Chooses up to `most` of those that have waited longest, or those that a schedule chooses. How many these are. The
    /// guard is held; once it is released, [`WaitList::wake`] wakes them.
    pub(crate) fn notify(&self, party: &mut dyn Caller, most: u32) -> u32 {
        let words = &*self.words;
        let waiting = self.waiting();
        if waiting == 0 || most == 0 {
            return 0;
        }
        if most >= waiting || !self.mark_chosen(party, most, waiting) {
            let upto = if most >= waiting { u64::MAX } else { self.number_of(most) };
            words.notifier.store(party.event(), Ordering::Relaxed);
            words.journal.store(upto, Ordering::Release);
            self.mark();
        }
        waiting.min(most)
    }

    /// Wakes those that this event has chosen.
    pub(crate) fn wake(&self, event: u64) {
        for slot in self.slots() {
            if slot.state.load(Ordering::Acquire) == NOTIFIED && slot.notifier.load(Ordering::Relaxed) == event {
                futex::wake_all(&slot.state);
            }
        }
    }

    /// Wakes the waiters that a schedule chooses; says whether there is one. No journal is kept: under a schedule no
    /// process dies within a step.
    fn mark_chosen(&self, party: &mut dyn Caller, most: u32, waiting: u32) -> bool {
        let Some(first) = party.choose(waiting) else { return false };
        let event = party.event();
        let mut waiters: Vec<&Slot> = self.waiters().collect();
        let mut choice = Some(first);
        for left in (0..most).rev() {
            let place = choice.unwrap_or(0) as usize;
            let slot = waiters.remove(place.min(waiters.len() - 1));
            slot.notifier.store(event, Ordering::Relaxed);
            slot.change(NOTIFIED);
            choice = if left > 0 { party.choose(waiters.len() as u32) } else { None };
        }
        true
    }

    /// The number of the waiter with that place among those that wait, from 1.
    fn number_of(&self, place: u32) -> u64 {
        let mut last = 0;
        for _ in 0..place {
            let numbers = self.waiters().map(|slot| slot.number.load(Ordering::Relaxed));
            match numbers.filter(|number| *number > last).min() {
                Some(number) => last = number,
                None => break,
            }
        }
        last
    }

    /// Does what the journal says.
    fn mark(&self) {
        let upto = self.words.journal.load(Ordering::Acquire);
        let notifier = self.words.notifier.load(Ordering::Relaxed);
        for slot in self.waiters().filter(|slot| slot.number.load(Ordering::Relaxed) <= upto) {
            slot.notifier.store(notifier, Ordering::Relaxed);
            slot.change(NOTIFIED);
        }
        self.words.journal.store(0, Ordering::Release);
    }

    /// A process has died: `within` says that it held the guard. Finishes what it was waking, takes it from those that
    /// wait, and wakes those that it may not have woken. The guard is not taken: another that has died may hold it.
    pub(crate) fn reclaim(&self, process: ProcessId, within: bool) {
        if within && self.words.journal.load(Ordering::Acquire) != 0 {
            self.mark();
        }
        if let Some(slot) = self.slots.get(process as usize) {
            slot.state.store(IDLE, Ordering::Release);
        }
        for slot in self.slots() {
            if slot.state.load(Ordering::Acquire) == NOTIFIED {
                futex::wake_all(&slot.state);
            }
        }
    }
}

/// What the model keeps of notifications that were not taken yet: the woken process, and the event that woke it. At most
/// one for each process. None of it is part of a state.
#[derive(Clone, Default)]
pub(crate) struct Notifications(Vec<(ProcessId, u64)>);

impl Notifications {
    /// Wakes `most` of the processes whose share is one of a waiter, whichever they are: `woken` gives the share of a
    /// waiter that is woken. How many were woken.
    pub(crate) fn wake(&mut self, call: &mut ModelCall<'_>, most: usize, woken: impl Fn(u32) -> Option<u32>) -> usize {
        let mut waiting: Vec<usize> = Vec::new();
        waiting.extend((0..call.shares.len()).filter(|process| woken(call.shares[*process]).is_some()));
        let all = most >= waiting.len();
        let count = most.min(waiting.len());
        for _ in 0..count {
            let chosen = if all { 0 } else { call.stage.choose(waiting.len() as u32) };
            let process = waiting.remove(chosen as usize);
            let share = call.shares[process];
            call.shares[process] = woken(share).unwrap_or(share);
            self.0.retain(|(other, _)| *other as usize != process);
            if call.event != 0 {
                self.0.push((process as ProcessId, call.event));
            }
        }
        count
    }

    /// The event that woke the process; 0 for none.
    pub(crate) fn take(&mut self, process: ProcessId) -> u64 {
        let mut cause = 0;
        self.0.retain(|(other, event)| {
            let own = *other == process;
            if own {
                cause = *event;
            }
            !own
        });
        cause
    }
}
