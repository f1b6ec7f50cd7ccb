//! Time: a process sleeps, or computes for a while. In the model both are over when their time is.

use crate::objects::contract::verbs::{required, verb};
use crate::objects::{Form, Verb};

/// A verb that takes time. Its argument is how much, in ns.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TimerVerb {
    Sleep,
    /// Takes CPU time.
    Busy,
}

pub(crate) const SLEEP: Verb = verb("sleep", "sleeps", &[required("sleep", Form::Duration, "how long")]);
pub(crate) const BUSY: Verb = verb("busy", "burns CPU time", &[required("busy", Form::Duration, "how much CPU time")]);

impl TimerVerb {
    /// Its description.
    pub fn described(self) -> &'static Verb {
        match self {
            Self::Sleep => &SLEEP,
            Self::Busy => &BUSY,
        }
    }
}
