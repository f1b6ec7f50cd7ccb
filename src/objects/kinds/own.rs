//! What a process does by itself: it prints, marks the trace, enters and leaves sections, asserts and ends. The same in
//! every engine.

use crate::objects::contract::verbs::{optional, required, verb};
use crate::objects::{Completion, Form, Verb};
use crate::outcome::Outcome;
use crate::value::{Types, Value};

/// A verb of a process on itself.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum OwnVerb {
    Print,
    Mark,
    Enter,
    Leave,
    /// sched_yield(2).
    Yield,
    Assert,
    /// Ends the process with an exit status.
    Exit,
    /// Ends the process by SIGABRT.
    Abort,
}

pub(crate) const PRINT: Verb = verb(
    "print",
    "prints a line, which is also recorded in the trace",
    &[required("print", Form::Value(Types::ANY), "the text")],
);

pub(crate) const MARK: Verb = verb(
    "mark",
    "records an event in the trace, without output",
    &[
        required("mark", Form::Value(Types::STRING), "the label, which patterns name as the object"),
        optional("value", Form::Value(Types::ANY), "its value"),
    ],
);

pub(crate) const ENTER: Verb = verb(
    "enter",
    "enters a section, for `inside`",
    &[required("enter", Form::Value(Types::STRING), "the section's label")],
);

pub(crate) const LEAVE: Verb =
    verb("leave", "leaves a section", &[required("leave", Form::Value(Types::STRING), "the section's label")]);

pub(crate) const YIELD: Verb =
    verb("yield", "yields the CPU (sched_yield(2))", &[required("yield", Form::Nothing, "")]);

pub(crate) const ASSERT: Verb = Verb {
    outcomes: &[Outcome::FAILED],
    ..verb(
        "assert",
        "ends the process with exit status 1 if the condition does not hold",
        &[required("assert", Form::Condition, "")],
    )
};

pub(crate) const EXIT: Verb = verb(
    "exit",
    "ends the process with that exit status",
    &[required("exit", Form::Integer(0, 255), "the exit status")],
);

pub(crate) const ABORT: Verb = verb("abort", "ends the process by SIGABRT", &[required("abort", Form::Nothing, "")]);

impl OwnVerb {
    /// Its description.
    pub fn described(self) -> &'static Verb {
        match self {
            Self::Print => &PRINT,
            Self::Mark => &MARK,
            Self::Enter => &ENTER,
            Self::Leave => &LEAVE,
            Self::Yield => &YIELD,
            Self::Assert => &ASSERT,
            Self::Exit => &EXIT,
            Self::Abort => &ABORT,
        }
    }

    /// Whether the process ends with it.
    pub fn ends(self) -> bool {
        matches!(self, Self::Exit | Self::Abort)
    }

    /// What it ends with. The label of an event is its second value.
    pub fn complete(self, arguments: &[Value]) -> Completion {
        let argument = |at: usize| arguments.get(at).cloned().unwrap_or(Value::Null);
        match self {
            Self::Print => Completion::value(Value::from(argument(0).to_text())),
            Self::Mark => Completion { second: argument(0), ..Completion::value(argument(1)) },
            Self::Enter | Self::Leave => Completion { second: argument(0), ..Completion::of(Outcome::OK) },
            Self::Exit => Completion::value(argument(0)),
            Self::Assert if argument(0) == Value::Bool(false) => Completion::of(Outcome::FAILED),
            Self::Assert | Self::Yield | Self::Abort => Completion::of(Outcome::OK),
        }
    }
}
