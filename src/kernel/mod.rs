//! The real world: forks the processes of a plan over real kernel objects, supervises them and returns the trace.
//!
//! `supervisor` makes everything before the first fork, then only waits: for ends, for a wake-up, for the time. `process` is a
//! process from its fork on, `other_processes` its steps on others, `signals` what it does at signals, `process_table` what all
//! know of each process. `recorder` records its steps, `scheduler_gate` holds it to a schedule, `deadlock` finds the processes
//! that wait for ever. `host_limits` asks for the limits first, `memory_estimate` estimates how much will be recorded. There is
//! one thread, before and after each fork.

mod deadlock;
mod host_limits;
mod memory_estimate;
mod other_processes;
mod process;
mod process_table;
mod recorder;
mod scheduler_gate;
mod signals;
mod supervisor;
mod wakeup;

use crate::event::{Event, ProcessId};
use crate::schedule::Turns;
use crate::trace::{RunEnd, Waiting};

pub use supervisor::run;

/// What a run records.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Recording {
    /// Every step, one by one.
    #[default]
    Full,
    /// One by one only what waited or failed, output, marks and processes; the rest is counted.
    Blocking,
}

/// What a run tells while it runs.
#[derive(Clone, Copy, Debug)]
pub enum Notice<'a> {
    /// A process has printed a line.
    Printed {
        /// Which process.
        process: ProcessId,
        /// When, in ns since the run began.
        at: u64,
        /// The text.
        text: &'a str,
    },
    /// Processes were found to wait for ever while others run. Sent again when there are more of them.
    Stuck {
        /// All of them, daemons left out.
        waiting: &'a [Waiting],
        /// What the daemons wait for that they wait for.
        daemons: &'a [Waiting],
    },
    /// Time has passed.
    Tick {
        /// ns since the run began.
        elapsed: u64,
        /// How many processes have ended.
        ended: usize,
        /// How many events were recorded so far.
        events: usize,
    },
}

/// The most that a trace may hold. A run that reaches it is ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Events; none for any number.
    pub events: Option<u64>,
    /// Bytes of memory; none for all that there is.
    pub bytes: Option<u64>,
}

/// Takes the events of a run while it is on, as they are collected: each process's in its own order.
pub trait Spool {
    /// Takes an event.
    fn take(&mut self, event: &Event);

    /// Called whenever all that was collected was taken. Gives the end of a run that has to end here.
    fn flush(&mut self) -> Option<RunEnd>;

    /// Whether the run can continue without its events in memory where they take more of it than is allowed.
    fn suffices(&self) -> bool;
}

/// How to run.
pub struct Options<'a> {
    /// What is recorded.
    pub recording: Recording,
    /// How much of it at most.
    pub limits: Limits,
    /// The schedule that processes are held to; without one they run free. Times are the schedule's then, and two runs of
    /// it give the same trace.
    pub schedule: Option<&'a Turns>,
    /// Called for each notice, in the supervisor.
    pub notice: &'a mut dyn FnMut(Notice<'_>),
    /// What takes the events while the run is on. Only a run without a schedule has it.
    pub spool: Option<&'a mut dyn Spool>,
}
