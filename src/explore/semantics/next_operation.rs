//! The next operation of a process, found by a `World` that only records the request.

use super::process_state::ProcessState;
use crate::event::{ObjectId, ProcessId, StepId, Target};
use crate::interpreter::{Clock, Timeout, World};
use crate::objects::Completion;
use crate::objects::contract::model::Willing;
use crate::objects::contract::operation::{Access, Given, Operation, Targets, VerbId};
use crate::objects::kinds::own::OwnVerb;
use crate::objects::kinds::process::ProcessVerb;
use crate::outcome::Outcome;
use crate::scenario::plan::Instruction;
use crate::value::Value;

/// What a process does next.
#[derive(Clone, Debug)]
pub(crate) enum Next {
    /// Nothing: it has not begun, or has ended.
    Nothing,
    /// It begins or ends.
    Border,
    /// An operation.
    Operation(NextOperation),
}

/// An operation, as far as it is known before the process carries it out.
#[derive(Clone, Debug)]
pub(crate) struct NextOperation {
    pub(crate) verb: VerbId,
    pub(crate) targets: Vec<Targets>,
    given: Given,
    /// Whether it may wait.
    pub(crate) willing: Willing,
}

impl NextOperation {
    /// Whether it may give up waiting.
    pub(crate) fn gives_up(&self) -> bool {
        self.willing != Willing::Forever
    }

    /// Whether it is one that others can let go on; whether it may wait is another matter.
    pub(crate) fn can_wait(&self) -> bool {
        match self.verb {
            VerbId::Object | VerbId::Process(ProcessVerb::Join | ProcessVerb::WaitAny) => true,
            VerbId::Signal(verb) => verb.waits(),
            _ => false,
        }
    }

    /// Each object and process that it works on, with what it does there.
    pub(crate) fn accesses(&self) -> impl Iterator<Item = (Target, Access)> {
        let given = self.given;
        self.targets.iter().flat_map(move |targets| {
            let access = Access { verb: targets.verb, end: targets.end, element: targets.element, given };
            targets.each().map(move |target| (target, access))
        })
    }

    /// The objects that it works on, with what it does there.
    pub(crate) fn on_objects(&self) -> impl Iterator<Item = (ObjectId, Access)> {
        self.accesses().filter_map(|(target, access)| match target {
            Target::Object(object) => Some((object, access)),
            _ => None,
        })
    }

    /// The processes that it works on.
    pub(crate) fn on_processes(&self) -> impl Iterator<Item = ProcessId> {
        self.targets.iter().flat_map(Targets::processes)
    }

    /// The one object that it works on.
    pub(crate) fn object(&self) -> Option<(ObjectId, Access)> {
        let mut objects = self.on_objects();
        objects.next().filter(|_| objects.next().is_none())
    }

    /// Whether it is this verb on processes.
    pub(crate) fn is(&self, verb: ProcessVerb) -> bool {
        self.verb == VerbId::Process(verb)
    }
}

impl Next {
    /// The operation, where it is one.
    pub(crate) fn operation(&self) -> Option<&NextOperation> {
        match self {
            Self::Operation(operation) => Some(operation),
            _ => None,
        }
    }

    /// The one object that it works on.
    pub(crate) fn object(&self) -> Option<(ObjectId, Access)> {
        self.operation()?.object()
    }

    /// Whether it is over when its time is.
    pub(crate) fn takes_time(&self) -> bool {
        // One that a handler has interrupted takes none any more.
        let takes = |operation: &NextOperation| operation.willing != Willing::Never;
        self.operation().is_some_and(|operation| matches!(operation.verb, VerbId::Timer(_)) && takes(operation))
    }
}

/// Whether others can notice the step. `visible`: of which steps on nothing but the process itself they can.
pub(crate) fn is_visible(instruction: &Instruction, visible: &[bool]) -> bool {
    let Instruction::Operate(operation) = instruction else { return false };
    match operation.verb {
        VerbId::Own(OwnVerb::Yield) | VerbId::Object | VerbId::Timer(_) | VerbId::Signal(_) => true,
        VerbId::Process(verb) if verb != ProcessVerb::Ready => true,
        _ => visible.get(operation.step as usize).copied().unwrap_or(false),
    }
}

/// What a process asks next, with everything that it computes for it.
pub(crate) fn next(segment: &ProcessState<'_>, now: u64) -> Next {
    if !segment.is_due() {
        return Next::Nothing;
    }
    if segment.beginning || segment.leaving.is_some() {
        return Next::Border;
    }
    let mut ask = Ask::new(now);
    segment.machine.clone().advance(&mut ask);
    ask.asked.map_or(Next::Border, |asked| Next::Operation(asked.next))
}

/// A step that was asked for.
pub(crate) struct Asked {
    next: NextOperation,
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
}

/// How long a step with that timeout is willing to wait.
pub(crate) fn willing(timeout: Timeout) -> Willing {
    match timeout {
        Timeout::None => Willing::Forever,
        Timeout::After(0) | Timeout::Interrupted => Willing::Never,
        Timeout::After(_) => Willing::Timed,
    }
}

impl World for Ask {
    fn operate(
        &mut self,
        _step: StepId,
        operation: &Operation<'_>,
        _compute: &mut dyn FnMut(Value) -> Result<Value, Outcome>,
        timeout: Timeout,
    ) -> Completion {
        let left = match (operation.verb, timeout) {
            (_, Timeout::Interrupted) => None,
            (VerbId::Timer(_), _) => Some(operation.int(0) as u64),
            (_, Timeout::None | Timeout::After(0)) => None,
            (_, Timeout::After(ns)) => Some(ns),
        };
        let next = NextOperation {
            verb: operation.verb,
            targets: operation.targets.to_vec(),
            given: operation.given.computed(operation.arguments),
            willing: willing(timeout),
        };
        self.asked.get_or_insert(Asked { next, left });
        Completion::of(Outcome::OK)
    }

    fn refuse(&mut self, _step: StepId, _outcome: Outcome, _message: &str) {}

    fn clock(&self) -> Clock {
        Clock::At(self.now)
    }
}
