//! The events of a trace: one for each completed step.
//!
//! An event is an interval of one process. Its cause is its begin and its effect its end, so an edge between
//! processes always goes from the begin of one event to the end of another.

use crate::outcome::Outcome;
use crate::value::Value;

/// The place of an object instance in the plan.
pub type ObjectId = u32;
/// The place of a process instance in the plan.
pub type ProcessId = u32;
/// The place of a step in the plan.
pub type StepId = u32;

/// Names one event of a run: the process that made it and its number among that process's events, from 0.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EventId {
    /// Whose event it is.
    pub process: ProcessId,
    /// Its number among that process's events, from 0.
    pub number: u64,
}

impl EventId {
    /// The id in one word that travels inside a message. Never 0, which stands for no event.
    pub fn pack(self) -> u64 {
        u64::from(self.process) << 40 | ((self.number + 1) & ((1 << 40) - 1))
    }

    /// The id that a word stands for; none for 0.
    pub fn unpack(word: u64) -> Option<Self> {
        let number = word & ((1 << 40) - 1);
        (number > 0).then(|| Self { process: (word >> 40) as u32, number: number - 1 })
    }
}

/// In a ticket, the bit that says that the event only looked, or failed: it stands after the event of that ticket, and
/// before the next. All tickets are below 2^53, which every reader of JSON keeps.
const LOOK: u64 = 1 << 52;

/// The ticket of an event that only looked, or failed, after the event of that ticket.
pub fn look(ticket: u64) -> u64 {
    ticket | LOOK
}

/// What an event was about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Target {
    /// The process alone: `print`, `sleep`, `mark`.
    None,
    Object(ObjectId),
    /// Another process: `start`, `join`, `kill`.
    Process(ProcessId),
}

/// One step that was carried out, or one that the engine carried out on a step's behalf.
#[derive(Clone, Debug)]
pub struct Event {
    /// The process and the number of the event in it.
    pub id: EventId,
    /// When it began, in ns since the run began.
    pub begin: u64,
    /// When it ended, in ns since the run began.
    pub end: u64,
    /// The step of the plan; none for what belongs to no step, such as the process's own begin and end.
    pub step: Option<StepId>,
    /// The verb: of the step, or of what the step did implicitly (the `unlock` within a condition's `wait`).
    pub verb: &'static str,
    /// What it was about.
    pub target: Target,
    /// The index into an array, where the step named one.
    pub element: Option<u32>,
    pub outcome: Outcome,
    /// What was moved, read or written; the exit status of `end`.
    pub value: Value,
    /// The other value of a step that has two: a priority, the value before an `update`, a mark's label.
    pub second: Value,
    /// The event's place in the object's own order, where the object counts; 0 where it does not. With [`look`], the place
    /// of the last before it that changed something.
    pub ticket: u64,
    /// The event whose message this one took, or whose notification woke it.
    pub cause: Option<EventId>,
    /// Whether the process had to wait.
    pub blocked: bool,
    /// Whether the event is no step of its own but part of one. Patterns do not see it.
    pub implicit: bool,
}

impl Event {
    /// One that ended `ok`, about nothing, for tests to fill in further.
    #[cfg(test)]
    pub(crate) fn plain(process: ProcessId, number: u64, verb: &'static str, begin: u64, end: u64) -> Self {
        Self {
            id: EventId { process, number },
            begin,
            end,
            step: None,
            verb,
            target: Target::None,
            element: None,
            outcome: Outcome::OK,
            value: Value::Null,
            second: Value::Null,
            ticket: 0,
            cause: None,
            blocked: false,
            implicit: false,
        }
    }

    /// Its place in the object's order, where it has one of its own.
    pub fn own_place(&self) -> Option<u64> {
        (self.ticket != 0 && self.ticket & LOOK == 0).then_some(self.ticket)
    }

    /// The place in the object's order of the last that changed something, itself included; none where it is not known.
    pub fn last_place(&self) -> Option<u64> {
        (self.ticket != 0).then_some(self.ticket & !LOOK)
    }

    /// How long it took, in ns.
    pub fn duration(&self) -> u64 {
        self.end.saturating_sub(self.begin)
    }
}
