//! Signals as the process sees them that gets them: what it does at one, which it masks, how it waits for one.
//!
//! A signal that is caught is delivered between two steps of its process, or in the middle of a step that waits. So a process
//! with handlers comes to each of its steps in a turn of its own. Which handler runs, over what it was called and how the
//! step then continues stands once, in the interpreter; an engine only says which signal comes when. On the kernel every signal
//! that a process catches is blocked but while it waits within a step, and is taken between two steps.

use crate::event::ProcessId;
use crate::objects::contract::verbs::{optional, required, verb};
use crate::objects::{Completion, Form, Verb};
use crate::os::process::{STOPS, is_deadly};
use crate::outcome::Outcome;
use crate::scenario::signal_name;
use crate::value::{Types, Value};

/// A verb of a process on the signals that it gets.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SignalVerb {
    /// `on_signal`: sigaction(2).
    Action,
    Mask,
    Unmask,
    Pending,
    /// `sigwait`.
    Await,
    Pause,
    /// alarm(2).
    Alarm,
}

pub(crate) const ON_SIGNAL: Verb = Verb {
    outcomes: &[Outcome::INVALID],
    ..verb(
        "on_signal",
        "sets what the process does at a signal (sigaction(2)): it runs steps, ignores it, or has the default action",
        &[
            required("on_signal", Form::Signal, "the signal"),
            optional(
                "do",
                Form::Steps,
                "the handler: its steps run at the signal, between two steps or within one that waits; `signal`, `value` \
                 and `sender` say which signal it is, with which value, and which process sent it",
            ),
            optional("action", Form::Choice(&["ignore", "default"]), "in place of `do`"),
            optional(
                "restart",
                Form::Boolean,
                "whether a step that waits continues behind the handler where signal(7) says that its call does \
                 (SA_RESTART); otherwise it ends `interrupted`. `false` by default",
            ),
        ],
    )
};

pub(crate) const MASK: Verb = verb(
    "mask",
    "blocks signals (sigprocmask(2)): they are pending until they are unmasked",
    &[required("mask", Form::Signals, "the signals; KILL and STOP cannot be masked, which is no error")],
);

pub(crate) const UNMASK: Verb = verb(
    "unmask",
    "unblocks signals: those that are pending have their effect",
    &[required("unmask", Form::Signals, "the signals")],
);

pub(crate) const PENDING: Verb = Verb {
    result: Types::BOOL,
    ..verb(
        "pending",
        "reads whether a masked signal is pending (sigpending(2))",
        &[required("pending", Form::Signal, "the signal"), optional("into", Form::Into, "whether it is pending")],
    )
};

pub(crate) const SIGWAIT: Verb = Verb {
    blocks: true,
    result: Types::STRING,
    outcomes: &[Outcome::INTERRUPTED, Outcome::INVALID],
    ..verb(
        "sigwait",
        "waits until one of these signals is pending and takes it (sigtimedwait(2)); `invalid` where none of them is masked",
        &[
            required("sigwait", Form::Signals, "the signals; only those that are masked are waited for"),
            optional("into", Form::Into, "the name of the signal that came"),
            optional("value_into", Form::Second, "the value that was sent with it"),
        ],
    )
};

pub(crate) const PAUSE: Verb = Verb {
    blocks: true,
    outcomes: &[Outcome::INTERRUPTED],
    ..verb(
        "pause",
        "waits until a signal handler has run, and then ends `interrupted` (sigsuspend(2))",
        &[
            required("pause", Form::Nothing, ""),
            optional(
                "mask",
                Form::Signals,
                "the signals that are masked meanwhile; by default those that are masked anyhow",
            ),
        ],
    )
};

pub(crate) const ALARM: Verb = verb(
    "alarm",
    "sends the process itself ALRM once that time is over (setitimer(2)); in place of the alarm before, which `\"0s\"` only cancels",
    &[required("alarm", Form::Duration, "how long from now")],
);

impl SignalVerb {
    /// Its description.
    pub fn described(self) -> &'static Verb {
        match self {
            Self::Action => &ON_SIGNAL,
            Self::Mask => &MASK,
            Self::Unmask => &UNMASK,
            Self::Pending => &PENDING,
            Self::Await => &SIGWAIT,
            Self::Pause => &PAUSE,
            Self::Alarm => &ALARM,
        }
    }

    /// Whether it can wait.
    pub fn waits(self) -> bool {
        matches!(self, Self::Await | Self::Pause)
    }
}

/// The verb of the event that a handler's begin is.
pub(crate) const HANDLED: &str = "handle";

/// A set of signals, a bit for each.
pub(crate) type SignalSet = u64;

/// A signal as a set.
pub(crate) fn only(signal: i32) -> SignalSet {
    if (1..=64).contains(&signal) { 1 << (signal - 1) } else { 0 }
}

/// The signals that can be neither caught nor masked.
pub(crate) fn is_fixed(signal: i32) -> bool {
    matches!(signal, libc::SIGKILL | libc::SIGSTOP)
}

/// The signals that stop a process or continue it besides what else they do: a process may send them, but neither catch nor
/// mask them.
pub(crate) fn moves_the_process(signal: i32) -> bool {
    signal == libc::SIGCONT || STOPS.contains(&signal) && !is_fixed(signal)
}

/// Whether several of them queue, each with its value; of the others one is pending at most.
pub(crate) fn queues(signal: i32) -> bool {
    signal >= 34
}

/// The signals that a list names, among an operation's arguments.
pub(crate) fn set_of(list: &Value) -> SignalSet {
    let signals = list.as_list().into_iter().flatten().filter_map(Value::as_int);
    signals.map(|signal| signal as i32).filter(|signal| !is_fixed(*signal)).fold(0, |set, signal| set | only(signal))
}

/// A signal that was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Sent {
    pub signal: i32,
    /// The value that goes with it; 0 where none was given.
    pub value: i32,
    /// The process that sent it.
    pub sender: ProcessId,
    /// The packed id of the event that did; 0 where it is not known. No part of a state.
    pub event: u64,
    /// Whether no step of the file has sent it: it comes of a write that found no reader.
    pub raised: bool,
}

impl Sent {
    /// That of an alarm whose time is over.
    pub(crate) const ALARM: Self =
        Self { signal: libc::SIGALRM, value: 0, sender: ProcessId::MAX, event: 0, raised: false };
}

/// Signals that are pending, in ascending order; those that queue in the order in which they came.
pub(crate) type Pending = Vec<Sent>;

/// Adds a signal; one that does not queue and is pending already is merged with that.
pub(crate) fn pend(pending: &mut Pending, sent: Sent) {
    if !queues(sent.signal)
        && let Some(one) = pending.iter_mut().find(|one| one.signal == sent.signal)
    {
        one.raised &= sent.raised;
        return;
    }
    let place = pending.partition_point(|one| one.signal <= sent.signal);
    pending.insert(place, sent);
}

/// Takes the next signal of a set as the kernel does: those of a fault first, then the lowest number, then the first that came.
pub(crate) fn take(pending: &mut Pending, set: SignalSet) -> Option<Sent> {
    const FAULTS: [i32; 6] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGTRAP, libc::SIGFPE, libc::SIGSYS];
    let due = |sent: &&Sent| only(sent.signal) & set != 0;
    let next = pending.iter().filter(due).min_by_key(|sent| (!FAULTS.contains(&sent.signal), sent.signal))?.signal;
    let place = pending.iter().position(|sent| sent.signal == next)?;
    Some(pending.remove(place))
}

/// The completion of a step that takes a signal.
pub(crate) fn received(sent: Sent) -> Completion {
    let completion = Completion::value(Value::from(signal_name(sent.signal)));
    Completion { second: Value::Int(sent.value.into()), cause: sent.event, ..completion }
}

/// What becomes of a signal that a process is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// It is pending until it is unmasked.
    Held,
    Ignored,
    /// It ends the process.
    Dies,
    /// Its handler runs.
    Handled,
}

impl Fate {
    /// That of a signal which has its default action.
    pub(crate) fn by_default(signal: i32) -> Self {
        if is_deadly(signal) || signal == libc::SIGPIPE { Self::Dies } else { Self::Ignored }
    }

    /// That of a signal in a process which masks, catches and ignores these.
    pub(crate) fn of(signal: i32, [masked, caught, ignored]: [SignalSet; 3]) -> Self {
        let set = only(signal);
        match () {
            () if is_fixed(signal) => Self::by_default(signal),
            () if masked & set != 0 => Self::Held,
            () if caught & set != 0 => Self::Handled,
            () if ignored & set != 0 => Self::Ignored,
            () => Self::by_default(signal),
        }
    }
}
