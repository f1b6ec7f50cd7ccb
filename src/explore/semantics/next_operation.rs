//! The next operation of a process, found by a `World` that only records the request.

use std::ops::Range;

use super::process_state::ProcessState;
use crate::event::{ObjectId, ProcessId, StepId};
use crate::interpreter::{Clock, Place, Request, Timeout, World};
use crate::objects::Completion;
use crate::objects::contract::model::{Access, Willing};
use crate::outcome::Outcome;
use crate::scenario::plan::{Action, Instruction};
use crate::value::Value;

/// What a process asks of the world next.
#[derive(Clone, Debug)]
pub(crate) enum Next {
    /// Nothing: it has not begun, or has ended.
    Nothing,
    /// A step on an object.
    Object(ObjectId, Access, Willing),
    /// It sleeps or computes until its time is over.
    Time,
    /// The ends of these processes; whether it may wait for them.
    Join(Range<ProcessId>, Willing),
    /// These processes are started.
    Start(Range<ProcessId>),
    /// One process is asked how it is.
    Status(ProcessId),
    /// A signal is sent.
    Kill(Range<ProcessId>),
    /// What concerns no other process.
    Free,
}

/// Whether others can notice the step.
pub(crate) fn is_visible(instruction: &Instruction, visible: &[bool]) -> bool {
    let Instruction::Operate(operation) = instruction else { return false };
    match operation.action {
        Action::Object(_)
        | Action::Sleep(_)
        | Action::Busy(_)
        | Action::Yield
        | Action::Start(_)
        | Action::Join(_)
        | Action::Status(_)
        | Action::Kill(..) => true,
        _ => visible.get(operation.step as usize).copied().unwrap_or(false),
    }
}

/// What a process asks next, with everything that it computes for it.
pub(crate) fn next(segment: &ProcessState<'_>, now: u64) -> Next {
    if !segment.is_due() {
        return Next::Nothing;
    }
    if segment.beginning || segment.leaving.is_some() {
        return Next::Free;
    }
    let mut ask = Ask::new(now);
    segment.machine.clone().advance(&mut ask);
    ask.asked.map_or(Next::Free, |asked| asked.next)
}

/// A step that was asked for.
pub(crate) struct Asked {
    next: Next,
    /// ns until its deadline.
    pub(crate) left: Option<u64>,
}

/// A world that only listens.
pub(crate) struct Ask {
    now: u64,
    /// What it has heard.
    pub(crate) asked: Option<Asked>,
}

impl Ask {
    pub(crate) fn new(now: u64) -> Self {
        Self { now, asked: None }
    }

    fn heard(&mut self, next: Next, timeout: Timeout) -> Completion {
        let left = match timeout {
            Timeout::None | Timeout::After(0) => None,
            Timeout::After(ns) => Some(ns),
        };
        self.asked.get_or_insert(Asked { next, left });
        Completion::of(Outcome::OK)
    }
}

/// How long a step with that timeout is willing to wait.
pub(crate) fn willing(timeout: Timeout) -> Willing {
    match timeout {
        Timeout::None => Willing::Forever,
        Timeout::After(0) => Willing::Never,
        Timeout::After(_) => Willing::Timed,
    }
}

impl World for Ask {
    fn operate(
        &mut self,
        _step: StepId,
        place: Place,
        arguments: &[Value],
        _compute: &mut dyn FnMut(Value) -> Result<Value, Outcome>,
        timeout: Timeout,
    ) -> Completion {
        let given = arguments.iter().enumerate().filter(|(_, argument)| **argument != Value::Null);
        let given = given.fold(0, |bits, (at, _)| bits | 1 << at);
        let access = Access { verb: place.verb, end: place.end, element: place.element, given };
        self.heard(Next::Object(place.object, access, willing(timeout)), timeout)
    }

    fn perform(&mut self, _step: StepId, request: Request, timeout: Timeout) -> Completion {
        match request {
            Request::Sleep(ns) | Request::Busy(ns) => {
                self.asked.get_or_insert(Asked { next: Next::Time, left: Some(ns) });
                Completion::of(Outcome::OK)
            }
            Request::Join(processes) => self.heard(Next::Join(processes, willing(timeout)), timeout),
            Request::Start(processes) => self.heard(Next::Start(processes), Timeout::None),
            Request::Status(process) => self.heard(Next::Status(process), Timeout::None),
            Request::Kill(processes, _) => self.heard(Next::Kill(processes), Timeout::None),
            _ => self.heard(Next::Free, Timeout::None),
        }
    }

    fn refuse(&mut self, _step: StepId, _outcome: Outcome, _message: &str) {}

    fn clock(&self) -> Clock {
        Clock::At(self.now)
    }
}
