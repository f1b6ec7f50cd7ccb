//! The real world: forks the processes of a plan over real kernel objects, watches over them and gives back the trace.
//!
//! `supervisor` creates everything before the first fork and then only waits: for ends of processes, wake-ups and time.
//! `process` is a process after its fork, `process_table` is shared by both sides, `deadlock` finds the processes that
//! wait for ever, `host_limits` checks limits first, `memory_estimate` estimates the size of the trace, `recorder`
//! records events, `scheduler_gate` runs processes under a schedule. There is one thread, before and after each fork.

mod deadlock;
mod host_limits;
mod memory_estimate;
mod process;
mod process_table;
mod recorder;
mod scheduler_gate;
mod supervisor;
mod wakeup;

use crate::event::ProcessId;
use crate::schedule::Turns;
use crate::trace::Waiting;

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
        process: ProcessId,
        /// When, in ns since the run began.
        at: u64,
        text: &'a str,
    },
    /// Processes were found to wait for ever while others run. Sent again when there are more of them.
    Stuck {
        /// All of them, daemons left out.
        waiting: &'a [Waiting],
        /// What the daemons wait for that they wait for.
        daemons: &'a [Waiting],
    },
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

pub struct Options<'a> {
    pub recording: Recording,
    /// How much of it at most.
    pub limits: Limits,
    /// The schedule that processes are held to; without one they run free. Times are the schedule's then, and two runs
    /// of it give the same trace.
    pub schedule: Option<&'a Turns>,
    /// Called for each notice, in the supervisor.
    pub notice: &'a mut dyn FnMut(Notice<'_>),
}
