//! The local state of a process.

use crate::event::{ObjectId, ProcessId};
use crate::interpreter::{Left, Machine};
use crate::objects::kinds::signals::{Fate, Pending, Sent, SignalSet, only, pend};
use crate::trace::ProcessEnd;

/// How far a process has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stage {
    /// It waits for a `start` step, or for what it depends on.
    NotStarted,
    Running,
    /// It has ended so.
    Ended(ProcessEnd),
}

/// Where a process stands.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct ProcessState<'p> {
    pub(crate) stage: Stage,
    /// Whether it ends as soon as it begins, since its variables have no first values.
    pub(crate) broken: bool,
    /// Its place in the program and its variables: at the step that it carries out next, or within it.
    pub(crate) machine: Machine<'p>,
    /// Whether it is parked within its step.
    pub(crate) parked: bool,
    /// ns left until the deadline of its step, where it has one.
    pub(crate) left: Option<u64>,
    /// Whether the time of its step is over and the step still has something to do: a condition's `wait` that takes its
    /// mutex again.
    pub(crate) given_up: bool,
    /// Its share of each object of which it has one, by object.
    pub(crate) shares: Vec<(ObjectId, u32)>,
    /// Whether a process has joined it.
    pub(crate) joined: bool,
    /// Whether it has passed a `ready` step.
    pub(crate) ready: bool,
    /// Whether a signal has stopped it.
    pub(crate) stopped: bool,
    /// Signals that were sent to it and have had no effect yet.
    pub(crate) pending: Pending,
    /// The process whose step started it, as long as that matters: it gets CHLD, or waits for any of those that it started.
    pub(crate) starter: Option<ProcessId>,
    /// ns left until its alarm.
    pub(crate) alarm: Option<u64>,
    /// Whether a handler has to run before it does anything else.
    pub(crate) owed: bool,
    /// Whether it has certainly begun the step that it stands at: time has passed since.
    pub(crate) within: bool,
    /// Whether its gate is open, or may be opened, and its begin, which is a step of its own, is still to come.
    pub(crate) beginning: bool,
    /// How it leaves its program, once it has, if its end is a step of its own.
    pub(crate) leaving: Option<Left>,
    /// What it keeps of the events so far, by slot.
    pub(crate) notes: Vec<(u32, u32)>,
}

impl<'p> ProcessState<'p> {
    /// A process that has not begun; `broken` where its variables have no first values.
    pub(crate) fn new(machine: Machine<'p>, broken: bool) -> Self {
        Self {
            broken,
            stage: Stage::NotStarted,
            machine,
            parked: false,
            left: None,
            given_up: false,
            shares: Vec::new(),
            joined: false,
            ready: false,
            stopped: false,
            pending: Vec::new(),
            starter: None,
            alarm: None,
            owed: false,
            within: false,
            beginning: false,
            leaving: None,
            notes: Vec::new(),
        }
    }

    /// Whether it can take turns: it runs, or has still to begin.
    pub(crate) fn is_due(&self) -> bool {
        self.stage == Stage::Running || self.beginning
    }

    /// A signal is sent to it; by a step of its own, it takes it before its next.
    pub(crate) fn sent(&mut self, sent: Sent, by_itself: bool) {
        match self.machine.fate(sent.signal) {
            Fate::Ignored => {}
            // It only dies of it, whichever process sent it: those that are alike can still be exchanged.
            _ if !self.machine.has_signals() => {
                if self.pending.iter().all(|one| one.signal != sent.signal) {
                    pend(&mut self.pending, Sent { value: 0, sender: ProcessId::MAX, event: 0, ..sent });
                }
            }
            fate => {
                pend(&mut self.pending, sent);
                self.owed |= by_itself && fate == Fate::Handled && self.due(false) != 0;
            }
        }
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, ns: u64) {
        for left in [&mut self.left, &mut self.alarm].into_iter().flatten() {
            *left = left.saturating_sub(ns);
        }
    }

    /// The time of its alarm is over: ALRM is sent to it. Where that ends it, it does so at once: only its own steps could tell
    /// the two apart, and the kernel lets it begin none.
    pub(crate) fn ring(&mut self) {
        self.alarm = None;
        if !self.stopped && self.machine.fate(libc::SIGALRM) == Fate::Dies {
            self.stage = Stage::Ended(ProcessEnd::Killed(libc::SIGALRM));
        } else {
            self.sent(Sent::ALARM, false);
        }
    }

    /// The signals that are pending of which handlers run now: before its step, or `within` it.
    pub(crate) fn due(&self, within: bool) -> SignalSet {
        let pending = self.pending.iter().fold(0, |set, sent| set | only(sent.signal));
        if pending == 0 { 0 } else { pending & self.machine.deliverable(within) }
    }

    /// The signals that are pending and end it.
    pub(crate) fn deadly(&self) -> impl Iterator<Item = i32> + '_ {
        self.pending.iter().map(|sent| sent.signal).filter(|signal| self.machine.fate(*signal) == Fate::Dies)
    }

    /// What it keeps in that slot; 0 at first.
    pub(crate) fn note(&self, slot: u32) -> u32 {
        self.notes.binary_search_by_key(&slot, |(slot, _)| *slot).map_or(0, |at| self.notes[at].1)
    }

    /// Changes what it keeps in that slot.
    pub(crate) fn set_note(&mut self, slot: u32, note: u32) {
        set(&mut self.notes, slot, note);
    }

    /// Its share of an object.
    pub(crate) fn share(&self, object: ObjectId) -> u32 {
        self.shares.binary_search_by_key(&object, |(object, _)| *object).map_or(0, |at| self.shares[at].1)
    }

    /// Sets its share of an object.
    pub(crate) fn set_share(&mut self, object: ObjectId, share: u32) {
        set(&mut self.shares, object, share);
    }

    /// Writes what tells this segment from others of its class. `random`: whether its random stream is still drawn
    /// from.
    pub(crate) fn key(&self, random: bool, key: &mut Vec<u8>) {
        let (stage, code) = match self.stage {
            Stage::NotStarted => (0, 0),
            Stage::Running => (1, 0),
            Stage::Ended(ProcessEnd::Exited(code)) => (2, code),
            Stage::Ended(ProcessEnd::Killed(signal)) => (3, signal),
            Stage::Ended(ProcessEnd::Crashed(signal)) => (4, signal),
            Stage::Ended(ProcessEnd::Stopped | ProcessEnd::NotStarted) => (5, 0),
        };
        let flags =
            [self.parked, self.given_up, self.joined, self.ready, self.stopped, self.left.is_some(), self.beginning];
        let flags = flags.iter().enumerate().fold(0u8, |flags, (bit, set)| flags | u8::from(*set) << bit);
        key.extend([stage, flags, self.pending.len() as u8, u8::from(self.owed) | u8::from(self.within) << 1]);
        key.extend(self.starter.map_or(u32::MAX, |starter| starter).to_le_bytes());
        key.extend(code.to_le_bytes());
        key.extend(self.left.unwrap_or(0).to_le_bytes());
        key.extend(self.alarm.map_or(u64::MAX, |left| left).to_le_bytes());
        for sent in &self.pending {
            key.extend(sent.signal.to_le_bytes());
            key.extend(sent.value.to_le_bytes());
            key.extend(sent.sender.to_le_bytes());
            key.push(u8::from(sent.raised));
        }
        key.extend((self.shares.len() as u32).to_le_bytes());
        for (object, share) in &self.shares {
            key.extend(object.to_le_bytes());
            key.extend(share.to_le_bytes());
        }
        key.push(match self.leaving {
            None => 0,
            Some(Left::Exit(_)) => 1,
            Some(Left::Abort) => 2,
        });
        if let Some(Left::Exit(status)) = self.leaving {
            key.extend(status.to_le_bytes());
        }
        key.extend((self.notes.len() as u32).to_le_bytes());
        for (slot, note) in &self.notes {
            key.extend(slot.to_le_bytes());
            key.extend(note.to_le_bytes());
        }
        self.machine.key(random, key);
    }
}

/// Sets an entry of a list that is in order and holds no zeros.
fn set(list: &mut Vec<(u32, u32)>, place: u32, number: u32) {
    match (list.binary_search_by_key(&place, |(place, _)| *place), number) {
        (Ok(at), 0) => {
            list.remove(at);
        }
        (Ok(at), number) => list[at].1 = number,
        (Err(_), 0) => {}
        (Err(at), number) => list.insert(at, (place, number)),
    }
}
