//! Processes as steps see them: they are started, joined, asked, killed and become ready. One meaning for every engine: an
//! engine says how its processes are ([`Processes`]), [`perform`] does the rest.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::event::ProcessId;
use crate::objects::contract::operation::{Operation, Targets};
use crate::objects::contract::verbs::{optional, required, verb};
use crate::objects::{Completion, Form, Verb};
use crate::outcome::Outcome;
use crate::value::{Types, Value};

/// A verb on processes. `Begin` and `End` are no steps: they happen to a process.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum ProcessVerb {
    Start,
    Join,
    /// `wait_any`: waitpid(-1).
    WaitAny,
    Status,
    Kill,
    /// On itself.
    Ready,
    Begin,
    End,
}

pub(crate) const START: Verb = Verb {
    outcomes: &[Outcome::IN_USE],
    ..verb(
        "start",
        "starts a process that has `start = \"manual\"`; the starter is its parent",
        &[required("start", Form::Process, "the process; without an index, all processes of a `count`")],
    )
};

pub(crate) const JOIN: Verb = Verb {
    blocks: true,
    result: Types::INT,
    outcomes: &[Outcome::WOULD_DEADLOCK],
    ..verb(
        "join",
        "waits until a process has ended",
        &[
            required("join", Form::Process, "the process; without an index, all processes of a `count`"),
            optional(
                "into",
                Form::Into,
                "the exit status; negative for a signal; of several processes, the first that is not 0",
            ),
        ],
    )
};

pub(crate) const WAIT_ANY: Verb = Verb {
    blocks: true,
    result: Types::STRING,
    outcomes: &[Outcome::NO_PROCESS],
    ..verb(
        "wait_any",
        "waits until any one of the processes that this one started has ended, and joins it (waitpid(-1)); `no_process` \
         where it started none, or all are joined",
        &[
            required("wait_any", Form::Nothing, ""),
            optional("into", Form::Into, "the name of the process"),
            optional("code_into", Form::Second, "its exit status; negative for a signal"),
        ],
    )
};

pub(crate) const STATUS: Verb = Verb {
    result: Types::MAP,
    ..verb(
        "status",
        "reads the status of a process",
        &[
            required("status", Form::Process, "the process"),
            optional("into", Form::Into, "a map: `alive`, and `code`, which is null while the process is alive"),
        ],
    )
};

pub(crate) const KILL: Verb = Verb {
    outcomes: &[Outcome::NO_PROCESS, Outcome::NOT_OWNER],
    ..verb(
        "kill",
        "sends a signal (kill(2)); `ok` until the process is joined, then `no_process`",
        &[
            required(
                "kill",
                Form::Process,
                "the process; without an index, all processes of a `count`; \"group:jobs\": all with `group = \"jobs\"`",
            ),
            optional(
                "signal",
                Form::Signal,
                "the signal, such as \"TERM\" or \"RTMIN+1\"; `KILL` by default; 0 only tests whether the process exists",
            ),
            optional(
                "value",
                Form::Integer(i32::MIN as i64, i32::MAX as i64),
                "a value that goes with it (sigqueue(3)), for `sigwait` and handlers",
            ),
        ],
    )
};

pub(crate) const READY: Verb =
    verb("ready", "marks the process as ready, for `depends_on`", &[required("ready", Form::Nothing, "")]);

const BEGIN: Verb = verb("begin", "", &[]);
const END: Verb = verb("end", "", &[]);

impl ProcessVerb {
    const ALL: [Self; 8] =
        [Self::Start, Self::Join, Self::WaitAny, Self::Status, Self::Kill, Self::Ready, Self::Begin, Self::End];

    /// The verb of that number.
    pub fn of(number: u8) -> Self {
        Self::ALL[number as usize]
    }

    /// Its description.
    pub fn described(self) -> &'static Verb {
        match self {
            Self::Start => &START,
            Self::Join => &JOIN,
            Self::WaitAny => &WAIT_ANY,
            Self::Status => &STATUS,
            Self::Kill => &KILL,
            Self::Ready => &READY,
            Self::Begin => &BEGIN,
            Self::End => &END,
        }
    }

    /// Whether two of them on one process, by two others or by itself, can change places without a difference.
    pub fn commute(self, other: Self) -> bool {
        use ProcessVerb::{End, Join, Start, Status};
        // A join waits for the end: neither makes a difference to the other that it does not make by waiting.
        matches!(
            (self, other),
            (Join, Start | Join | Status | End)
                | (Start | Status | End, Join)
                | (Status, Status)
                | (Start, End)
                | (End, Start | End)
        )
    }

    /// Whether it can let another wait on the same process end.
    pub fn enables(self, waiting: Self) -> bool {
        match waiting {
            Self::Join => self == Self::End,
            // Where others join the last of them, none is left to wait for.
            Self::WaitAny => matches!(self, Self::End | Self::Join),
            _ => false,
        }
    }
}

/// How a process is, as others see it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Life {
    /// It waits to be started, or for what it depends on.
    NotBegun,
    /// It runs.
    Alive,
    /// It has ended: the exit status, a signal's number negative.
    Ended(i64),
}

/// The processes of a run, as the step of one of them sees and changes them.
pub(crate) trait Processes {
    /// The process that carries out the step.
    fn caller(&self) -> ProcessId;
    /// How a process is.
    fn life(&self, process: ProcessId) -> Life;
    /// Whether some process has joined it: then no process has its number any more.
    fn is_joined(&self, process: ProcessId) -> bool;
    /// Starts a process where only a `start` step does that and none has; whether it did.
    fn start(&mut self, process: ProcessId) -> bool;
    /// Waits for all of these; false where the engine has to come back to the step later.
    fn awaits(&mut self, operation: &Operation<'_>) -> bool;
    /// Joins a process that has ended, where need be by waiting: its exit status.
    ///
    /// # Errors
    /// The outcome of a wait that was given up.
    fn join(&mut self, process: ProcessId) -> Result<i64, Outcome>;
    /// Waits until one of these that the step's process started and that is not joined has ended, and says which: any, where
    /// several have. None where the engine has to come back to the step later.
    ///
    /// # Errors
    /// [`Outcome::NO_PROCESS`] where there is none to wait for, or the outcome of a wait that was given up.
    fn await_any(&mut self, among: Range<ProcessId>) -> Option<Result<ProcessId, Outcome>>;
    /// The name of a process.
    fn name(&self, process: ProcessId) -> &str;
    /// Sends a signal with a value to a process that is alive.
    fn signal(&mut self, process: ProcessId, signal: i32, value: i32) -> Outcome;
    /// Whether the process that carries out the step has died in it.
    fn is_over(&self) -> bool {
        false
    }
    /// The process that carries out the step is ready from now on.
    fn set_ready(&mut self);
    /// Records the step's event about one process, or about none.
    fn record(&mut self, verb: ProcessVerb, process: Option<ProcessId>, completion: &Completion);
}

/// Carries out an operation on processes; none where the engine has to come back to it later.
pub(crate) fn perform(
    verb: ProcessVerb,
    operation: &Operation<'_>,
    processes: &mut impl Processes,
) -> Option<Completion> {
    match verb {
        ProcessVerb::Start => Some(start(operation, processes)),
        ProcessVerb::Join => join(operation, processes),
        ProcessVerb::WaitAny => wait_any(operation, processes),
        ProcessVerb::Status => Some(status(operation, processes)),
        ProcessVerb::Kill => Some(kill(operation, processes)),
        ProcessVerb::Ready => {
            let completion = Completion::of(Outcome::OK);
            processes.record(verb, None, &completion);
            processes.set_ready();
            Some(completion)
        }
        ProcessVerb::Begin | ProcessVerb::End => Some(Completion::of(Outcome::INVALID)),
    }
}

fn start(operation: &Operation<'_>, processes: &mut impl Processes) -> Completion {
    let mut worst = Completion::of(Outcome::OK);
    for process in operation.processes() {
        let completion = Completion::of(if processes.start(process) { Outcome::OK } else { Outcome::IN_USE });
        processes.record(ProcessVerb::Start, Some(process), &completion);
        if !completion.outcome.is_ok() {
            worst = completion;
        }
    }
    worst
}

fn join(operation: &Operation<'_>, processes: &mut impl Processes) -> Option<Completion> {
    let own = processes.caller();
    if operation.processes().contains(&own) {
        let completion = Completion::of(Outcome::WOULD_DEADLOCK);
        processes.record(ProcessVerb::Join, Some(own), &completion);
        return Some(completion);
    }
    if !processes.awaits(operation) {
        return None;
    }
    let mut code = 0;
    for process in operation.processes() {
        let ended = processes.join(process);
        let completion = match ended {
            Ok(code) => Completion::value(Value::Int(code)),
            Err(outcome) => Completion::of(outcome),
        };
        processes.record(ProcessVerb::Join, Some(process), &completion);
        match ended {
            Ok(other) if code == 0 => code = other,
            Ok(_) => {}
            Err(_) => return Some(completion),
        }
    }
    Some(Completion::value(Value::Int(code)))
}

fn wait_any(operation: &Operation<'_>, processes: &mut impl Processes) -> Option<Completion> {
    let (process, completion) = match processes.await_any(operation.processes())? {
        Ok(process) => match processes.join(process) {
            Ok(code) => {
                let name = Value::from(processes.name(process));
                (Some(process), Completion { second: Value::Int(code), ..Completion::value(name) })
            }
            Err(outcome) => (Some(process), Completion::of(outcome)),
        },
        Err(outcome) => (None, Completion::of(outcome)),
    };
    processes.record(ProcessVerb::WaitAny, process, &completion);
    Some(completion)
}

fn status(operation: &Operation<'_>, processes: &mut impl Processes) -> Completion {
    let process = operation.processes().start;
    let life = processes.life(process);
    let code = match life {
        Life::Ended(code) => Value::Int(code),
        _ => Value::Null,
    };
    let map = BTreeMap::from([("alive".to_owned(), Value::Bool(life == Life::Alive)), ("code".to_owned(), code)]);
    let completion = Completion::value(Value::Map(Arc::new(map)));
    processes.record(ProcessVerb::Status, Some(process), &completion);
    completion
}

fn kill(operation: &Operation<'_>, processes: &mut impl Processes) -> Completion {
    let signal = operation.int(1) as i32;
    let own = processes.caller();
    let with = operation.int(2) as i32;
    let second = operation.arguments.get(2).cloned().unwrap_or(Value::Null);
    let value = Completion { second, ..Completion::value(Value::Int(signal.into())) };
    let mut worst = Completion::of(Outcome::OK);
    // How each is, where it has its number still.
    let found = |process| match processes.life(process) {
        Life::NotBegun => (process, None),
        life => (process, Some(life).filter(|_| !processes.is_joined(process))),
    };
    let mut named: Vec<(ProcessId, Option<Life>)> =
        operation.targets.iter().flat_map(Targets::processes).map(found).collect();
    // A group is there as long as one of its processes is.
    let group = operation.arguments.first().is_some_and(|group| *group != Value::Null);
    if group && named.iter().any(|(_, life)| life.is_some()) {
        named.retain(|(_, life)| life.is_some());
    }
    // The signal to itself comes last: the process may not come back from it.
    named.sort_by_key(|(process, _)| *process == own);
    for (process, life) in named {
        let (outcome, recorded) = match life {
            None | Some(Life::NotBegun) => (Outcome::NO_PROCESS, false),
            Some(Life::Ended(_)) => (Outcome::OK, false),
            Some(Life::Alive) => {
                let itself = process == own && signal != 0;
                if itself {
                    processes.record(ProcessVerb::Kill, Some(process), &value);
                }
                (processes.signal(process, signal, with), itself)
            }
        };
        let completion = Completion { outcome, ..value.clone() };
        if !recorded {
            processes.record(ProcessVerb::Kill, Some(process), &completion);
        }
        if !outcome.is_ok() {
            worst = completion;
        }
        if processes.is_over() {
            break;
        }
    }
    worst
}
