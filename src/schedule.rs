//! An order of steps: what the explorer finds, a file keeps and the kernel's processes are held to.
//!
//! A process may take a step only when it is its turn. A turn is one step that others can notice, and what the process
//! does behind it until its next such step.

mod file;
mod orders;

use crate::event::ProcessId;
use crate::trace::RunEnd;

pub use file::{Schedule, file_name, fingerprint, read, write};
pub use orders::{Order, compact, parse};

/// The process id that a process reads in the model and under a schedule: no two runs of the kernel's give the same.
pub fn pid(process: ProcessId) -> i64 {
    1000 + i64::from(process)
}

/// One turn, with all that an engine needs to know of it beforehand.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Turn {
    /// Whose turn it is.
    pub process: ProcessId,
    /// How many steps of its program it begins or continues with: those that go to the
    /// [`World`](crate::interpreter::World). A step that parks and later continues is counted in both turns.
    pub steps: u32,
    /// What is chosen in it, in order: random numbers, by their place in the range where all are tried, and which
    /// waiter is woken.
    pub choices: Vec<u32>,
    /// When it is, in ns of virtual time since the run began.
    pub at: u64,
    /// Whether the first step had to wait before this turn.
    pub waited: bool,
    /// Whether the last step ends the turn parked: it waits inside, having changed something.
    pub parks: bool,
    /// Whether the first step gives up waiting in this turn: its time is over.
    pub times_out: bool,
    /// Whether the first step's wait ends in this turn although nothing has ended it.
    pub wakes: bool,
    /// Whether the process comes to its first step only in this turn: it has not waited, although it would have had to.
    pub arrives: bool,
    /// Whether the handler of a signal begins in this turn, instead of a step: its one choice says whether before the step that
    /// the process stands at (0) or within that (1).
    pub handles: bool,
    /// Whether the process dies in this turn of a signal that was sent to it, instead of taking a step.
    pub dies: bool,
    /// Whether no process in the scenario sent that signal: it is killed from outside.
    pub killed: bool,
    /// Whether the process begins in this turn, up to its first step that others can notice.
    pub begins: bool,
    /// Whether the process has ended at the end of the turn.
    pub ends: bool,
}

/// What becomes of the processes that are left when all turns are taken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Rest {
    /// They continue as they like: each of them is expected to wait for ever, or there is none.
    #[default]
    Free,
    /// The run ends there, as by its timeout: they could continue.
    Stop,
}

/// All turns of a run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Turns {
    /// In their order.
    pub turns: Vec<Turn>,
    /// By process, how many steps of its program it takes as it begins, before the first that others can notice. Those
    /// that are not there take none.
    pub begins: Vec<u32>,
    /// By process, whether its end is a turn of its own, without a step. For those that are not there it is not.
    pub leaves: Vec<bool>,
    /// By process, whether its begin is a turn of its own. For those that are not there it is not.
    pub held: Vec<bool>,
    /// What the remaining processes do.
    pub rest: Rest,
    /// What those are doing that are left where the run is ended: they repeat the same states for ever, or time is
    /// over.
    pub left: Option<RunEnd>,
    /// The virtual time at which the run ends, in ns.
    pub end: u64,
    /// Whether random numbers are taken from the choices instead of the processes' own streams.
    pub random: bool,
}
