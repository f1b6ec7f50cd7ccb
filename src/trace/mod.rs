//! The trace of a run: all that a judge or a report ever sees of it, whichever engine made it.
//!
//! `record` is the 64-byte record of an event in memory, `ring_buffer` the shared memory of a process and the
//! supervisor. `order` sorts the events of all processes, `causality` is the happens-before relation, `diff` finds the
//! first difference between two traces, `wait_for` is the wait-for graph, `file` writes and reads traces. This room
//! does not depend on how a run is made or judged.

mod causality;
pub mod diff;
pub mod file;
mod order;
pub mod record;
pub mod ring_buffer;
#[cfg(test)]
pub(crate) mod testing;
pub mod wait_for;

use crate::event::{Event, ObjectId, ProcessId, StepId, Target};
use crate::scenario::plan::Plan;
use crate::value::Value;

pub use causality::{Causality, Past, Ties};
pub use order::{Lanes, arrange, arrange_along};

/// A run, from its first event to its end.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The engine that made it: `kernel` or `model`.
    pub engine: &'static str,
    /// Every event, in an order that respects each process's own, each object's and every cause. Reports number
    /// them from 1: `#1`. None where they did not fit in memory.
    pub events: Vec<Event>,
    /// Where they did not fit in memory, what is known of them.
    pub beyond: Option<Beyond>,
    /// What happened before what.
    pub causality: Causality,
    /// How each process ended, by [`ProcessId`].
    pub ends: Vec<ProcessEnd>,
    /// The processes that were found blocked for ever, daemons left out.
    pub stuck: Vec<Waiting>,
    /// What the daemons wait for that the stuck processes wait for, directly or through one another.
    pub daemons: Vec<Waiting>,
    /// How the run ended.
    pub end: RunEnd,
    /// The last value of each object, by [`ObjectId`], where it has one.
    pub finals: Vec<Option<Value>>,
    /// How often each step was carried out without being recorded one by one, with `--trace blocking`.
    pub counted: Vec<(StepId, u64)>,
    /// Whether every event was recorded one by one.
    pub whole: bool,
    /// Events that were lost, and why: nothing ever should be here.
    pub lost: Vec<String>,
    /// The processes that may have been within a step as they ended. Its effect has no event then.
    pub unfinished: Vec<ProcessId>,
    /// Whether a deadlock could not have been seen: the host does not show whether processes sleep.
    pub unwatched: bool,
    /// How long the recorder held processes up, in ns.
    pub stalled: u64,
    /// From the run's begin to its end, in ns.
    pub duration: u64,
}

/// How a run ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RunEnd {
    Completed,
    /// Processes were blocked for ever: [`Trace::stuck`].
    Deadlock,
    /// The scenario's `timeout` passed. What each process that was left was doing.
    Timeout(Vec<Waiting>),
    /// The run is held to a schedule, or is one of a model, and repeats the same states for ever. What each process
    /// that was left was doing.
    Livelock(Vec<Waiting>),
    /// A signal interrupted ipcrun.
    Interrupted,
    /// The trace reached its limit.
    Limit(Limit),
}

/// The most that a trace may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// A number of events.
    Events(u64),
    /// The bytes of memory that its events take.
    Bytes(u64),
    /// The bytes of the file that it is written to.
    File(u64),
}

/// Events that are in a file and did not fit in memory.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Beyond {
    /// How many there are.
    pub events: u64,
    /// The bytes of memory that were allowed.
    pub most: u64,
    /// By expectation, how many match it, where that was counted.
    pub matches: Vec<u64>,
}

/// What is lost of a run whose ipcrun was killed, which a partial file has up to there.
const KILLED: &str = "ipcrun was killed: what was recorded last, and how the run would have ended, is missing";

/// About how much memory a trace takes at the most while it is arranged, judged and reported, in bytes: `payload` are those
/// of values that are no scalars.
pub fn memory(events: u64, payload: u64) -> u64 {
    /// What one event without payload takes, with room: 160 bytes were measured where three edges lead to each.
    const EVENT: u64 = 192;
    // The bytes as they were recorded, and the values that were made of them.
    const COPIES: u64 = 3;
    events.saturating_mul(EVENT).saturating_add(payload.saturating_mul(COPIES))
}

impl RunEnd {
    /// What each process was doing that was left, where the run was cut off by time or repeats states for ever.
    pub fn doing(&self) -> Option<&[Waiting]> {
        match self {
            Self::Timeout(doing) | Self::Livelock(doing) => Some(doing),
            Self::Completed | Self::Deadlock | Self::Interrupted | Self::Limit(_) => None,
        }
    }

    /// The same to be changed; empty where that is not known.
    pub(crate) fn doing_mut(&mut self) -> &mut [Waiting] {
        match self {
            Self::Timeout(doing) | Self::Livelock(doing) => doing,
            Self::Completed | Self::Deadlock | Self::Interrupted | Self::Limit(_) => &mut [],
        }
    }

    /// Whether the run was ended from outside of the scenario: what it would have done next is not known.
    pub fn is_cut(&self) -> bool {
        matches!(self, Self::Interrupted | Self::Limit(_))
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProcessEnd {
    /// It was never started.
    NotStarted,
    /// By itself, with that exit status.
    Exited(i32),
    /// By that signal, which a step sent.
    Killed(i32),
    /// By that signal, which no step sent.
    Crashed(i32),
    /// It was ended by the engine with the run: a daemon, or what was left at a deadlock, timeout or interrupt.
    Stopped,
}

/// A process that waits, and for what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Waiting {
    pub process: ProcessId,
    /// The step it is in, where it is in one.
    pub step: Option<StepId>,
    /// The step's verb, or what it does instead: `start` where it was never started, `stopped` where a signal has
    /// stopped it, `running` or `preparing` where it is in no step.
    pub verb: String,
    /// What it waits for.
    pub target: Target,
    /// Since when, in ns since the run began.
    pub since: u64,
    /// The stuck processes that hold what it waits for or could unblock it.
    pub on: Vec<ProcessId>,
    /// The owner of the mutex it waits for.
    pub holder: Option<ProcessId>,
}

/// The verb of a process that a signal has stopped: it waits for one that continues it.
const STOPPED: &str = "stopped";

impl Waiting {
    /// A process that a signal has stopped, and that has done nothing since.
    pub fn stopped(process: ProcessId, since: u64) -> Self {
        Self {
            process,
            step: None,
            verb: STOPPED.to_owned(),
            target: Target::None,
            since,
            on: Vec::new(),
            holder: None,
        }
    }

    /// Whether it does what its verb says without being in a step: it runs, or prepares.
    pub fn is_in_no_step(&self) -> bool {
        self.step.is_none() && self.target == Target::None && self.verb != "start" && !self.is_stopped()
    }

    /// Whether a signal has stopped it.
    pub fn is_stopped(&self) -> bool {
        self.verb == STOPPED && self.step.is_none()
    }
}

impl ProcessEnd {
    /// The exit status as scenarios see it: a signal's number is negative. None where it was never started or was
    /// stopped by the engine.
    pub fn code(self) -> Option<i64> {
        match self {
            Self::Exited(code) => Some(i64::from(code)),
            Self::Killed(signal) | Self::Crashed(signal) => Some(-i64::from(signal)),
            Self::NotStarted | Self::Stopped => None,
        }
    }
}

/// What may be missing of those processes, in words.
fn unfinished_steps<'n>(processes: &[ProcessId], name: impl Fn(ProcessId) -> &'n str) -> Option<String> {
    const NAMED: usize = 4;
    let names: Vec<&str> = processes.iter().take(NAMED).map(|process| name(*process)).collect();
    let more = processes.len() - names.len();
    let (names, pronoun) = match (names.join(", "), more) {
        (names, _) if names.is_empty() => return None,
        (names, 0) => (names, if processes.len() == 1 { "it" } else { "they" }),
        (names, more) => (format!("{names} and {more} more"), "they"),
    };
    Some(format!("{names} may have been within a step as {pronoun} ended: what it had done by then has no event"))
}

impl Trace {
    /// Whether the run was cut off while processes could still move, and none was found blocked for ever.
    pub fn is_cut_off(&self) -> bool {
        self.stuck.is_empty() && self.end.doing().is_some()
    }

    /// Whether ipcrun was killed before the run had ended.
    pub fn is_partial(&self) -> bool {
        self.lost.iter().any(|lost| lost == KILLED)
    }

    /// How many events the run had.
    pub fn length(&self) -> u64 {
        self.beyond.as_ref().map_or(self.events.len() as u64, |beyond| beyond.events)
    }

    /// What may be missing of processes that may have been within a step as they ended, in words.
    pub fn unfinished_steps(&self, plan: &Plan) -> Option<String> {
        unfinished_steps(&self.unfinished, |process| &plan.processes[process as usize].name)
    }

    /// The events of one process, in its own order, with their places in [`Trace::events`].
    pub fn of(&self, process: ProcessId) -> impl Iterator<Item = (usize, &Event)> {
        self.events.iter().enumerate().filter(move |(_, event)| event.id.process() == process)
    }

    /// The events on one object, in its order, with their places in [`Trace::events`].
    pub fn on(&self, object: ObjectId) -> impl Iterator<Item = (usize, &Event)> {
        self.events.iter().enumerate().filter(move |(_, event)| event.target == Target::Object(object))
    }

    /// Whether the event at `first` happened before the one at `second`, by each process's own order and causes.
    pub fn happens_before(&self, first: usize, second: usize) -> bool {
        self.causality.happens_before(&self.events, first, second, Ties::All)
    }

    /// The same by synchronisation alone: what a plain load read, and what a try failed for, say nothing.
    pub fn synchronises(&self, first: usize, second: usize) -> bool {
        self.causality.happens_before(&self.events, first, second, Ties::Sync)
    }
}
