//! The events of a trace: one for each completed step.
//!
//! An event is an interval of one process. Its cause is its begin and its effect its end, so an edge between
//! processes always goes from the begin of one event to the end of another.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};

use crate::outcome::Outcome;
use crate::value::Value;

/// The place of an object instance in the plan.
pub type ObjectId = u32;
/// The place of a process instance in the plan.
pub type ProcessId = u32;
/// The place of a step in the plan.
pub type StepId = u32;

/// Names one event of a run: the process that made it and its number among that process's events, from 0. It is one word,
/// which travels inside messages too.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EventId(NonZeroU64);

/// How many bits of an [`EventId`] are the event's number, from 1.
const NUMBER: u32 = 40;

impl EventId {
    /// The most processes whose events have ids.
    pub const PROCESSES: usize = 1 << (u64::BITS - NUMBER);
    /// The largest number of an event in its process.
    pub const LARGEST: u64 = (1 << NUMBER) - 2;

    pub fn new(process: ProcessId, number: u64) -> Self {
        debug_assert!((process as usize) < Self::PROCESSES && number <= Self::LARGEST, "{process}/{number}");
        let number = NonZeroU64::MIN.saturating_add(number.min(Self::LARGEST));
        Self(number | u64::from(process) << NUMBER)
    }

    /// Whose event it is.
    pub fn process(self) -> ProcessId {
        (self.0.get() >> NUMBER) as ProcessId
    }

    /// Its number among that process's events, from 0.
    pub fn number(self) -> u64 {
        (self.0.get() & ((1 << NUMBER) - 1)) - 1
    }

    /// The id as a word. Never 0, which stands for no event.
    pub fn pack(self) -> u64 {
        self.0.get()
    }

    /// The id that a word stands for; none for 0.
    pub fn unpack(word: u64) -> Option<Self> {
        NonZeroU64::new(word).filter(|word| word.get() & ((1 << NUMBER) - 1) != 0).map(Self)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.process(), self.number())
    }
}

/// The index into an array that a step named, or none. It takes four bytes, of which a trace has very many.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Element(Option<NonZeroU32>);

impl Element {
    pub fn get(self) -> Option<u32> {
        self.0.map(|one| one.get() - 1)
    }
}

impl From<Option<u32>> for Element {
    fn from(element: Option<u32>) -> Self {
        // No array is as long as the largest number.
        Self(element.map(|element| NonZeroU32::MIN.saturating_add(element)))
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
    pub element: Element,
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

/// Its size decides how many events fit in the memory of a run.
const _: () = assert!(size_of::<Event>() == 112, "an event takes 112 bytes");

impl Event {
    /// One that ended `ok`, about nothing, for tests to fill in further.
    #[cfg(test)]
    pub(crate) fn plain(process: ProcessId, number: u64, verb: &'static str, begin: u64, end: u64) -> Self {
        Self {
            id: EventId::new(process, number),
            begin,
            end,
            step: None,
            verb,
            target: Target::None,
            element: Element::default(),
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

    /// How long the step took, in ns. What is no step takes no time: of the end of a process that was killed it is only not
    /// known when between the two it was.
    pub fn duration(&self) -> u64 {
        if self.step.is_some() { self.end.saturating_sub(self.begin) } else { 0 }
    }
}
