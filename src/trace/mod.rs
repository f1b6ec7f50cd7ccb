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
use crate::value::Value;

pub use causality::{Causality, Past, Ties};
pub use order::{arrange, arrange_along};

/// A run, from its first event to its end.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The engine that made it: `kernel` or `model`.
    pub engine: &'static str,
    /// Every event, in an order that respects each process's own, each object's and every cause. Reports number
    /// them from 1: `#1`.
    pub events: Vec<Event>,
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
}

impl RunEnd {
    /// What each process was doing that was left, where the run was cut off by time or repeats states for ever.
    pub fn doing(&self) -> Option<&[Waiting]> {
        match self {
            Self::Timeout(doing) | Self::Livelock(doing) => Some(doing),
            Self::Completed | Self::Deadlock | Self::Interrupted | Self::Limit(_) => None,
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

impl Trace {
    /// Whether the run was cut off while processes could still move, and none was found blocked for ever.
    pub fn is_cut_off(&self) -> bool {
        self.stuck.is_empty() && self.end.doing().is_some()
    }

    /// The events of one process, in its own order, with their places in [`Trace::events`].
    pub fn of(&self, process: ProcessId) -> impl Iterator<Item = (usize, &Event)> {
        self.events.iter().enumerate().filter(move |(_, event)| event.id.process == process)
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
