//! Transitions, and the nondeterminism besides their order.

use crate::event::{ProcessId, StepId};

use crate::explore::strategy::bfs::Cut;
pub use crate::scenario::plan::Time;

/// What is left open besides the order of steps.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Nondeterminism {
    pub time: Time,
    /// Whether every random number of its range can be drawn; else a process draws from its own stream.
    pub random: bool,
    /// Whether one process may be killed from outside, at any moment.
    pub kill: bool,
    /// How many waits may end although nothing has ended them.
    pub spurious: u32,
}

impl From<Time> for Nondeterminism {
    fn from(time: Time) -> Self {
        Self { time, ..Self::default() }
    }
}

/// One step of a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// Whose step it is; no process's where time passes.
    pub process: ProcessId,
    pub kind: Kind,
    /// What is chosen in it.
    pub choices: Vec<u32>,
}

/// What a step of a path is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// A process takes its step.
    Go,
    /// The time of a process's step is over.
    GiveUp,
    /// A process dies of a signal that was sent to it.
    Die,
    /// The handler of a signal that was sent to a process begins: before the step that it stands at, or within that.
    Handle,
    Tick,
    /// A process is killed from outside.
    Kill,
    /// The wait of a process ends although nothing has ended it.
    Wake,
    /// A process comes to its step only now, and takes it: it has not waited, although it would have had to before.
    Arrive,
}

/// How a process stands that cannot move.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    Ended,
    NotBegun,
    Stopped,
    /// It waits for a time.
    Timed,
    /// It waits for others.
    Waits,
}

/// Why what a process can do is not known.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ModelErrorKind {
    /// It computes without end.
    #[default]
    ModelError,
    /// It draws from a range of that many numbers.
    Range(StepId, u64),
    /// It draws so often in one turn that there are too many possibilities.
    Ways(StepId),
    /// It draws what others must know before the step.
    Early(StepId),
    /// It draws what decides whether the step waits.
    Waits(StepId),
    /// It draws the first value of a variable.
    First,
    /// The budget was spent first.
    Spent(Cut),
}

/// Why a state has no way on that could be computed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ModelError {
    /// Which process it is.
    pub process: ProcessId,
    /// What is wrong with it.
    pub trouble: ModelErrorKind,
}
