//! For the unit tests of models with ends: one object, and processes that take steps on its model without an engine.

use std::rc::Rc;

use super::one_object;
use super::one_object::{Hand, Rig, declaration};
use crate::event::{Event, EventId, ObjectId, ProcessId};
use crate::objects::contract::model::{Model, ModelCall, Progress, Stage, Willing};
use crate::objects::contract::operation::Access;
use crate::objects::contract::operation::Given;
use crate::objects::{Completion, Kind, Object, Patience, State};
use crate::outcome::Outcome;
use crate::value::Value;

/// What stands in the shares of other processes, which no verb of these kinds looks at.
const HIDDEN: u32 = 0xdead_beef;

/// An object's model and the processes that share it.
pub(crate) struct Desk {
    kind: &'static Kind,
    pub(crate) object: Rc<dyn Object>,
    pub(crate) model: Box<dyn Model>,
    state: Box<dyn State>,
    shares: Vec<u32>,
    numbers: Vec<u64>,
}

/// One step: verb and end, arguments, and how long it waits.
pub(crate) type Step<'a> = (&'a str, &'a [Value], Willing);

/// For steps on one object alone that choose nothing.
pub(crate) struct NoStage;

impl Stage for NoStage {
    fn choose(&mut self, _count: u32) -> u32 {
        panic!("nothing is chosen here")
    }

    fn compute(&mut self, it: Value) -> Result<Value, Outcome> {
        Ok(it)
    }

    fn implicit(&mut self, _object: ObjectId, _verb: u8, _completion: Completion) {
        panic!("nothing is implicit here")
    }

    fn on(&mut self, _object: ObjectId, _verb: u8) -> Progress {
        panic!("no other object is touched here")
    }

    fn share(&self, _object: ObjectId) -> u32 {
        panic!("no other object is looked at here")
    }
}

impl Desk {
    /// Four processes on an object whose ends are held by that many.
    pub(crate) fn new(kind: &'static Kind, attributes: &[(&'static str, Value)], holders: [u32; 2]) -> Self {
        let object: Rc<dyn Object> =
            (kind.declare)(&declaration(attributes)).expect("a declaration without problems").into();
        let holders = if object.ends().is_empty() { &[][..] } else { &holders[..] };
        let (model, state) = (object.model(holders), object.state());
        Self { kind, object, model, state, shares: vec![0; 4], numbers: vec![1; 4] }
    }

    fn place(&self, step: &str) -> (u8, u8, &'static crate::objects::Verb) {
        let (verb, end) = step.split_once(' ').unwrap_or((step, ""));
        let (at, verb) = self.kind.verb(verb).expect("a verb of the kind");
        let end = self.object.ends().iter().position(|name| *name == end).unwrap_or(0);
        (at, end as u8, verb)
    }

    fn carry_out(&mut self, process: ProcessId, (step, arguments, willing): Step<'_>, over: bool) -> Progress {
        let (verb, end, description) = self.place(step);
        let mut all = arguments.to_vec();
        all.resize(description.arguments.len(), Value::Null);
        let (before, own) = (self.key(), self.shares[process as usize]);
        let mut shares = vec![HIDDEN; self.shares.len()];
        shares[process as usize] = own;
        let event = EventId::new(process, self.numbers[process as usize]);
        let mut call = ModelCall {
            verb,
            end,
            element: None,
            arguments: &all,
            willing,
            process,
            shares: &mut shares,
            event: event.pack(),
            stage: &mut NoStage,
        };
        let progress = if over { self.model.give_up(&mut call) } else { self.model.step(&mut call) };
        self.shares[process as usize] = shares[process as usize];
        let others = shares.iter().enumerate().filter(|(other, _)| *other != process as usize);
        others.for_each(|(_, share)| assert_eq!(*share, HIDDEN));
        match &progress {
            Progress::Done(done) => {
                self.numbers[process as usize] += 1;
                let event = one_object::event((process, event.number()), description.name, 0, 0, done.value.clone());
                let cause = EventId::unpack(done.cause);
                let Completion { outcome, second, ticket, .. } = done.clone();
                self.state.apply(&Event { outcome, second, ticket, cause, ..event });
            }
            Progress::Waits => assert_eq!(before, self.key(), "{step} waits, so it has changed nothing"),
            Progress::Parked => assert_ne!(before, self.key(), "{step} is parked, so it has changed something"),
        }
        progress
    }

    /// Begins a step, or continues with it.
    pub(crate) fn step(&mut self, process: ProcessId, step: &str, arguments: &[Value], willing: Willing) -> Progress {
        self.carry_out(process, (step, arguments, willing), false)
    }

    /// As [`Desk::step`], of a step that ends.
    pub(crate) fn done(&mut self, process: ProcessId, step: &str, arguments: &[Value], willing: Willing) -> Completion {
        let progress = self.step(process, step, arguments, willing);
        let Progress::Done(completion) = progress else { panic!("{step} is {progress:?}") };
        completion
    }

    /// The outcome of a step that may not wait.
    pub(crate) fn now(&mut self, process: ProcessId, step: &str, arguments: &[Value]) -> Outcome {
        self.done(process, step, arguments, Willing::Never).outcome
    }

    /// Whether a step waits, and has done nothing.
    pub(crate) fn waits(&mut self, process: ProcessId, step: &str, arguments: &[Value]) -> bool {
        matches!(self.step(process, step, arguments, Willing::Forever), Progress::Waits)
    }

    /// Whether a step waits, and has done something.
    pub(crate) fn parks(&mut self, process: ProcessId, step: &str, arguments: &[Value]) -> bool {
        matches!(self.step(process, step, arguments, Willing::Forever), Progress::Parked)
    }

    /// The time of a step is over.
    pub(crate) fn give_up(&mut self, process: ProcessId, step: &str, arguments: &[Value]) -> Completion {
        match self.carry_out(process, (step, arguments, Willing::Timed), true) {
            Progress::Done(completion) => completion,
            progress => panic!("{step} is {progress:?}"),
        }
    }

    /// A process ends that holds these ends.
    pub(crate) fn end(&mut self, process: ProcessId, held: &[bool]) {
        self.model.part(&mut self.shares[process as usize], held, true);
    }

    /// What tells this state from others.
    pub(crate) fn key(&self) -> (Vec<u8>, Vec<u32>) {
        let mut key = Vec::new();
        self.model.key(&mut key);
        (key, self.shares.clone())
    }

    pub(crate) fn value(&self) -> Value {
        self.model.value(&self.shares, &[])
    }

    /// Takes random steps of these, begun by processes 0 to 3, which sometimes time out and are sometimes
    /// killed. After each, a process that waited and can continue must have been
    /// said to wait for such a step. Calls `each` with the process, what it did and how it ended.
    pub(crate) fn wander(
        &mut self,
        steps: &[(&str, Vec<Value>)],
        seed: u64,
        mut each: impl FnMut(ProcessId, &str, &Completion),
    ) {
        let mut random = Random(seed);
        let mut doing: Vec<Option<(usize, Willing)>> = vec![None; self.shares.len()];
        let mut dead = vec![false; self.shares.len()];
        for _ in 0..400 {
            let process = random.below(doing.len());
            if dead[process] {
                continue;
            }
            let id = process as ProcessId;
            let willing = [Willing::Forever, Willing::Timed, Willing::Never][random.below(3)];
            let (at, willing) = doing[process].unwrap_or_else(|| (random.below(steps.len()), willing));
            let (step, arguments) = &steps[at];
            let before = self.twin();
            let mut closes = step.strip_prefix("close ");
            let kills = random.below(200) == 0;
            let progress = if kills {
                dead[process] = true;
                self.end(id, &[true, true]);
                closes = Some("");
                Progress::outcome(Outcome::NO_PROCESS)
            } else {
                let over = doing[process].is_some() && willing == Willing::Timed && random.below(3) == 0;
                self.carry_out(id, (step, arguments, willing), over)
            };
            doing[process] = Some((at, willing));
            if let Progress::Done(done) = progress {
                doing[process] = None;
                if !kills {
                    each(id, step, &done);
                }
            }
            for (other, its) in doing.iter().enumerate().filter(|(other, _)| *other != process) {
                let Some((at, willing)) = its else { continue };
                let (waiting, arguments) = &steps[*at];
                let goes_on = |desk: &Self| {
                    let progress = desk.twin().carry_out(other as ProcessId, (waiting, arguments, *willing), false);
                    !matches!(progress, Progress::Waits)
                };
                if goes_on(&before) || !goes_on(self) {
                    continue;
                }
                let (_, end, verb) = self.place(waiting);
                let enablers = self.object.enablers(verb, self.object.ends().get(usize::from(end)).copied(), None);
                let (_, on, by) = self.place(step);
                let named = enablers.has(by.name, self.object.ends().get(usize::from(on)).copied()) && !kills;
                let closed = closes.is_some_and(|end| end.is_empty() || enablers.closing.contains(&end));
                assert!(named || closed, "{step} lets {waiting} go on");
            }
        }
    }

    /// Compares the model with the state that the events lead to.
    pub(crate) fn agree(&self) {
        assert_eq!(self.value(), self.state.value(&[]));
        assert_eq!(self.model.size(&self.shares), self.state.size());
    }

    fn access(&self, (step, arguments, _): Step<'_>) -> Access {
        let (verb, end, _) = self.place(step);
        let given = arguments.iter().enumerate().filter(|(_, argument)| **argument != Value::Null);
        Access { end, given: given.fold(Given::NONE, |given, (at, _)| given.with(at)), ..Access::of(verb) }
    }

    /// Takes two steps of processes 0 and 1 in both orders, where they are said to commute and neither has to wait.
    /// Whether that was so.
    pub(crate) fn exchange(&self, first: Step<'_>, second: Step<'_>) -> bool {
        let commutes = self.object.commute(self.access(first), self.access(second));
        assert_eq!(commutes, self.object.commute(self.access(second), self.access(first)), "{first:?} {second:?}");
        let take = |desk: &mut Self, process: ProcessId, step: Step<'_>| match desk.carry_out(process, step, false) {
            Progress::Done(done) => Some((done.outcome, done.value, done.second, done.cause)),
            _ => None,
        };
        if !commutes || take(&mut self.twin(), 0, first).is_none() || take(&mut self.twin(), 1, second).is_none() {
            return false;
        }
        let (mut there, mut back) = (self.twin(), self.twin());
        let (before, after) = (take(&mut there, 0, first), take(&mut there, 1, second));
        let (late, early) = (take(&mut back, 1, second), take(&mut back, 0, first));
        assert_eq!((&before, &after), (&early, &late), "{first:?} and {second:?}");
        assert_eq!(there.key(), back.key(), "{first:?} and {second:?}");
        assert_eq!(there.value(), back.value(), "{first:?} and {second:?}");
        true
    }

    /// The same, without what the events have led to.
    fn twin(&self) -> Self {
        Self {
            kind: self.kind,
            object: Rc::clone(&self.object),
            model: self.model.copy(),
            state: self.object.state(),
            shares: self.shares.clone(),
            numbers: self.numbers.clone(),
        }
    }
}

/// Numbers that look random.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// One below that bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// Takes the same random steps, none of which waits, on the model and on the kernel's side, and compares what they say.
/// A step is a verb with its end, and its arguments.
pub(crate) fn as_the_kernel(
    kind: &'static Kind,
    attributes: &[(&'static str, Value)],
    holders: [u32; 2],
    steps: &[(&str, Vec<Value>)],
    seed: u64,
) {
    let (rig, mut desk, mut random) =
        (Rig::new(kind, attributes, holders), Desk::new(kind, attributes, holders), Random(seed));
    let mut hands = [0, 1, 2].map(Hand::new);
    for round in 0..300 {
        let process = random.below(hands.len());
        let (step, arguments) = &steps[random.below(steps.len())];
        let (kernel, model) = (
            rig.step(&mut hands[process], step, arguments, Patience::Never),
            desk.done(process as ProcessId, step, arguments, Willing::Never),
        );
        let told = |done: &Completion| {
            let Completion { outcome, value, second, ticket, cause } = done.clone();
            // The kernel counts more than the model has to.
            let ticket = if model.ticket == 0 { 0 } else { ticket };
            (outcome, value, second, ticket, EventId::unpack(cause))
        };
        assert_eq!(told(&model), told(&kernel), "{round}: {step} {attributes:?}");
        desk.agree();
    }
    if let Some(left) = rig.live.value() {
        assert_eq!(desk.model.last(&desk.shares), Some(left));
    }
}
