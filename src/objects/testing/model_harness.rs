//! For the unit tests of models: processes that take steps on models without an engine.
//!
//! Every event is kept, so that what a model says can be compared with the state that the trace leads to, and with what
//! the kernel's side records for the same steps.

use std::collections::HashSet;
use std::rc::Rc;

use super::kernel_harness;
use super::kernel_harness::{declare, place};
use crate::event::{Event, EventId, ObjectId, ProcessId, Target};
use crate::objects::contract::model::{Model, ModelCall, Progress, ShareAccess, Stage, Willing};
use crate::objects::contract::operation::Access;
use crate::objects::{Completion, Kind, Object, kind};
use crate::outcome::Outcome;
use crate::value::Value;

/// What stands in other processes' shares where a verb must not look at them.
const HIDDEN: u32 = 0xdead_beef;

/// One step of a process.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A verb on an object.
    On(ObjectId, &'static str, Vec<Value>, Willing),
    End,
}

/// A step that waits for ever.
pub(crate) fn on(object: ObjectId, verb: &'static str) -> Step {
    Step::On(object, verb, Vec::new(), Willing::Forever)
}

/// A step that waits for some time.
pub(crate) fn timed(object: ObjectId, verb: &'static str) -> Step {
    Step::On(object, verb, Vec::new(), Willing::Timed)
}

/// An event without times: process, object, verb, outcome, value, ticket, cause, whether it is implicit.
pub(crate) type Told = (ProcessId, Target, &'static str, Outcome, Value, u64, Option<EventId>, bool);

/// What the event says. The kernel gives a place to what only looks as well, where the model need not.
pub(crate) fn told(event: &Event) -> Told {
    let Event { id, target, verb, outcome, cause, implicit, .. } = event;
    let ticket = event.own_place().unwrap_or(0);
    (id.process(), *target, verb, *outcome, event.value.clone(), ticket, *cause, *implicit)
}

/// Takes the same random steps on models and on the kernel's side, none of which waits, and compares what both tell.
pub(crate) fn as_the_kernel<A: Clone + Into<Value>>(
    objects: &[Made<'_>],
    steps: &[(ObjectId, &'static str, Option<A>)],
    seed: u64,
) {
    let mut world = World::new(3, objects);
    let mut stage = kernel_harness::Stage::new();
    for (name, attributes, named) in objects {
        stage.add(name, attributes, named);
    }
    let mut actors = [0, 1, 2].map(|process| stage.actor(process));
    let mut random = Random(seed);
    for _ in 0..400 {
        let process = random.below(actors.len());
        let (object, verb, argument) = steps[random.below(steps.len())].clone();
        let arguments: Vec<Value> = argument.map(Into::into).into_iter().collect();
        stage.try_step(&mut actors[process], object, verb, &arguments);
        let progress = world.step(process as ProcessId, &Step::On(object, verb, arguments, Willing::Never));
        assert!(matches!(progress, Progress::Done(_)));
        let value = stage.live(object).value();
        assert_eq!(world.model(object).last(world.shares(object)), value);
        assert_eq!(world.model(object).owner(world.shares(object)), stage.live(object).owner());
    }
    for actor in &actors {
        assert_eq!(world.told_by(actor.events[0].id.process()), actor.events.iter().map(told).collect::<Vec<_>>());
    }
}

/// Models and the processes that share them.
pub(crate) struct World {
    kinds: Rc<Vec<&'static Kind>>,
    objects: Rc<Vec<Box<dyn Object>>>,
    models: Vec<Option<Box<dyn Model>>>,
    shares: Vec<Vec<u32>>,
    /// What each process is in the middle of.
    pub(crate) doing: Vec<Option<Step>>,
    /// All events, in the order in which they happened.
    pub(crate) events: Vec<Event>,
    counts: Vec<u64>,
    /// Whether models record events, as for a trace.
    pub(crate) traced: bool,
    /// The place in the object that the current step gives.
    element: Option<u32>,
    current: ProcessId,
    /// What the next step chooses; the first possibility where nothing is left.
    choices: Vec<u32>,
    /// Among how many possibilities the last step chose.
    asked: Vec<u32>,
}

impl Clone for World {
    fn clone(&self) -> Self {
        Self {
            kinds: Rc::clone(&self.kinds),
            objects: Rc::clone(&self.objects),
            models: self.models.iter().map(|model| model.as_ref().map(|model| model.copy())).collect(),
            shares: self.shares.clone(),
            doing: self.doing.clone(),
            events: self.events.clone(),
            counts: self.counts.clone(),
            traced: self.traced,
            element: None,
            current: 0,
            choices: Vec::new(),
            asked: Vec::new(),
        }
    }
}

/// An object to make: its kind, its attributes, and the objects that these name.
pub(crate) type Made<'a> = (&'a str, &'a [(&'static str, Value)], &'a [(&'static str, ObjectId)]);

impl World {
    /// Objects of those kinds, shared by that many processes.
    pub(crate) fn new(processes: usize, objects: &[Made<'_>]) -> Self {
        let kinds: Vec<_> = objects.iter().map(|(name, ..)| kind(name).unwrap()).collect();
        let made = objects.iter().zip(&kinds).enumerate();
        let made =
            made.map(|(id, ((_, attributes, named), kind))| declare(id as u32, kind, attributes, named).unwrap());
        let objects: Vec<_> = made.collect();
        Self {
            models: objects.iter().map(|object| Some(object.model(&[]))).collect(),
            shares: vec![vec![0; processes]; objects.len()],
            kinds: Rc::new(kinds),
            objects: Rc::new(objects),
            doing: vec![None; processes],
            events: Vec::new(),
            counts: vec![0; processes],
            traced: true,
            element: None,
            current: 0,
            choices: Vec::new(),
            asked: Vec::new(),
        }
    }

    pub(crate) fn object(&self, object: ObjectId) -> &dyn Object {
        &*self.objects[object as usize]
    }

    pub(crate) fn model(&self, object: ObjectId) -> &dyn Model {
        &**self.models[object as usize].as_ref().unwrap()
    }

    pub(crate) fn shares(&self, object: ObjectId) -> &[u32] {
        &self.shares[object as usize]
    }

    /// What tells this state from others.
    pub(crate) fn key(&self) -> (Vec<u8>, Vec<Vec<u32>>) {
        let mut key = Vec::new();
        for model in self.models.iter().flatten() {
            model.key(&mut key);
        }
        (key, self.shares.clone())
    }

    pub(crate) fn value(&self, object: ObjectId) -> Value {
        self.model(object).value(self.shares(object), &names())
    }

    /// What the events of a process say.
    pub(crate) fn told_by(&self, process: ProcessId) -> Vec<Told> {
        self.events.iter().filter(|event| event.id.process() == process).map(told).collect()
    }

    /// Begins a step, or continues with the one that the process is in the middle of.
    pub(crate) fn step(&mut self, process: ProcessId, step: &Step) -> Progress {
        self.take(process, step, false)
    }

    /// The time of the step is over that the process is in the middle of.
    pub(crate) fn give_up(&mut self, process: ProcessId) -> Progress {
        let step = self.doing[process as usize].clone().unwrap();
        self.take(process, &step, true)
    }

    pub(crate) fn end(&mut self, process: ProcessId, killed: bool) {
        self.doing[process as usize] = None;
        for (model, shares) in self.models.iter_mut().flatten().zip(&mut self.shares) {
            model.part(&mut shares[process as usize], &[], killed);
        }
    }

    fn take(&mut self, process: ProcessId, step: &Step, over: bool) -> Progress {
        let step = self.doing[process as usize].take().unwrap_or_else(|| step.clone());
        let Step::On(object, name, given, willing) = &step else {
            self.end(process, false);
            return Progress::outcome(Outcome::OK);
        };
        let (verb, description) = self.kinds[*object as usize].verb(name).unwrap();
        let mut arguments = given.clone();
        arguments.resize(description.arguments.len(), Value::Null);
        self.element = place(description, &mut arguments);
        self.current = process;
        self.asked.clear();
        let before = self.key();
        let progress = self.carry_out(*object, verb, &arguments, *willing, over);
        match &progress {
            Progress::Done(completion) => self.record(*object, name, completion, false),
            Progress::Waits => assert_eq!(self.key(), before, "{step:?} waits, so it has changed nothing"),
            Progress::Parked => {}
        }
        if !matches!(progress, Progress::Done(_)) {
            assert_ne!(*willing, Willing::Never, "{step:?}");
            self.doing[process as usize] = Some(step);
        }
        progress
    }

    fn carry_out(&mut self, object: ObjectId, verb: u8, arguments: &[Value], willing: Willing, over: bool) -> Progress {
        let process = self.current;
        let mut model = self.models[object as usize].take().unwrap();
        let mut shares = std::mem::take(&mut self.shares[object as usize]);
        let hidden = (model.reach(verb) == ShareAccess::Own).then(|| {
            let seen = vec![HIDDEN; shares.len()];
            let mut all = std::mem::replace(&mut shares, seen);
            std::mem::swap(&mut all[process as usize], &mut shares[process as usize]);
            all
        });
        let event = EventId::new(process, self.counts[process as usize]);
        let event = if self.traced { event.pack() } else { 0 };
        let mut call = ModelCall {
            verb,
            end: 0,
            element: self.element,
            arguments,
            willing,
            process,
            shares: &mut shares,
            event,
            stage: self,
        };
        let progress = if over { model.give_up(&mut call) } else { model.step(&mut call) };
        if let Some(mut all) = hidden {
            std::mem::swap(&mut all[process as usize], &mut shares[process as usize]);
            let others = shares.iter().enumerate().filter(|(other, _)| *other != process as usize);
            others.for_each(|(_, share)| assert_eq!(*share, HIDDEN));
            shares = all;
        }
        self.models[object as usize] = Some(model);
        self.shares[object as usize] = shares;
        progress
    }

    fn record(&mut self, object: ObjectId, verb: &'static str, completion: &Completion, implicit: bool) {
        let number = &mut self.counts[self.current as usize];
        let time = self.events.len() as u64;
        self.events.push(Event {
            id: EventId::new(self.current, *number),
            begin: time,
            end: time,
            step: Some(0),
            verb,
            target: Target::Object(object),
            element: self.element.filter(|_| !implicit).into(),
            outcome: completion.outcome,
            value: completion.value.clone(),
            second: completion.second.clone(),
            ticket: completion.ticket,
            cause: EventId::unpack(completion.cause),
            blocked: false,
            implicit,
        });
        *number += 1;
    }

    /// Compares what each model says with the state that the trace leads to.
    pub(crate) fn agree(&self) {
        for (object, made) in self.objects.iter().enumerate() {
            let target = Target::Object(object as ObjectId);
            let mut events: Vec<_> = self.events.iter().filter(|event| event.target == target).collect();
            if self.traced {
                events.sort_by_key(|event| event.ticket);
            }
            let mut state = made.state();
            for event in &events {
                state.apply(event);
            }
            let object = object as ObjectId;
            assert_eq!(self.value(object), state.value(&names()), "{events:?}");
            assert_eq!(self.model(object).size(self.shares(object)), state.size(), "{events:?}");
            let tickets: Vec<_> = events.iter().map(|event| event.ticket).filter(|ticket| *ticket != 0).collect();
            assert!(!self.traced || tickets.windows(2).all(|pair| pair[0] < pair[1]), "{events:?}");
        }
    }

    /// Every state after one more try of that step, one for each way to choose; none where it only waits.
    fn branches(&self, process: ProcessId, step: &Step, over: bool) -> Vec<Self> {
        let mut branches = Vec::new();
        let mut choices: Vec<u32> = Vec::new();
        loop {
            let mut world = self.clone();
            world.choices.clone_from(&choices);
            let progress = world.take(process, step, over);
            choices.resize(world.asked.len(), 0);
            let next = (0..choices.len()).rev().find(|place| choices[*place] + 1 < world.asked[*place]);
            if !matches!(progress, Progress::Waits) {
                branches.push(world);
            }
            let Some(next) = next else { return branches };
            choices.truncate(next + 1);
            choices[next] += 1;
        }
    }

    /// Tries every interleaving of these programs, compares model and state after each step, and visits each last state
    /// with the number of steps that each process has ended.
    pub(crate) fn explore(&self, programs: &[Vec<Step>], visit: &mut dyn FnMut(&Self, &[usize])) {
        self.explore_from(programs, &mut vec![0; programs.len()], visit);
    }

    fn explore_from(&self, programs: &[Vec<Step>], at: &mut Vec<usize>, visit: &mut dyn FnMut(&Self, &[usize])) {
        self.agree();
        let mut last = true;
        for (process, program) in programs.iter().enumerate() {
            let Some(step) = program.get(at[process]) else { continue };
            let mut branches = self.branches(process as ProcessId, step, false);
            if branches.is_empty() && matches!(step, Step::On(.., Willing::Timed)) {
                branches = self.branches(process as ProcessId, step, true);
            }
            last &= branches.is_empty();
            for world in branches {
                let ended = usize::from(world.doing[process].is_none());
                at[process] += ended;
                world.explore_from(programs, at, visit);
                at[process] -= ended;
            }
        }
        if last {
            visit(self, at);
        }
    }

    /// Takes random steps of these and kills now and then. After each, compares model and state, and tries what the
    /// object says of steps that commute and of enablers. Returns the number of different states.
    pub(crate) fn wander(&self, steps: &[Step], seed: u64, length: usize) -> usize {
        let (mut world, mut random) = (self.clone(), Random(seed));
        let mut seen = HashSet::new();
        let mut dead = vec![false; self.doing.len()];
        for _ in 0..length {
            let process = random.below(self.doing.len());
            if dead[process] {
                continue;
            }
            let step = world.doing[process].clone().unwrap_or_else(|| steps[random.below(steps.len())].clone());
            let other = random.below(self.doing.len());
            if other != process && !dead[other] {
                let another = world.doing[other].clone().unwrap_or_else(|| steps[random.below(steps.len())].clone());
                world.exchange((process as ProcessId, &step), (other as ProcessId, &another));
            }
            let before = world.clone();
            let timed = matches!(world.doing[process], Some(Step::On(.., Willing::Timed)));
            let killed = random.below(300) == 0;
            if killed {
                dead[process] = true;
                world.end(process as ProcessId, true);
            } else if timed && random.below(4) == 0 {
                world.give_up(process as ProcessId);
            } else {
                world.choices = vec![random.below(3) as u32, random.below(2) as u32];
                world.step(process as ProcessId, &step);
            }
            if !killed {
                before.named(&world, process as ProcessId, &step);
            }
            world.agree();
            seen.insert(world.key());
        }
        seen.len()
    }

    /// What a step uses: its own object and what it touches besides.
    fn accesses(&self, step: &Step) -> Vec<(ObjectId, Access)> {
        let Step::On(object, name, ..) = step else { return Vec::new() };
        let verb = self.kinds[*object as usize].verb(name).unwrap().0;
        let mut all = vec![(*object, verb)];
        all.extend(self.object(*object).touches(verb));
        all.into_iter().map(|(object, verb)| (object, Access::by_another(verb))).collect()
    }

    /// Takes two steps in both orders where they are said to commute and neither has to wait.
    fn exchange(&self, first: (ProcessId, &Step), second: (ProcessId, &Step)) {
        let (ours, theirs) = (self.accesses(first.1), self.accesses(second.1));
        let commutes = |(ours, theirs): (&(ObjectId, Access), &(ObjectId, Access))| {
            ours.0 != theirs.0 || self.object(ours.0).commute(ours.1, theirs.1)
        };
        let mut pairs = ours.iter().flat_map(|ours| theirs.iter().map(move |theirs| (ours, theirs)));
        let tries = [first.1, second.1].iter().any(|step| matches!(step, Step::On(.., Willing::Never) | Step::End));
        if tries || !pairs.all(commutes) {
            return;
        }
        let take = |world: &mut Self, (process, step): (ProcessId, &Step)| match world.step(process, step) {
            Progress::Done(done) => Some((Some(done.outcome), done.value)),
            Progress::Parked => Some((None, Value::Null)),
            Progress::Waits => None,
        };
        if take(&mut self.clone(), first).is_none() || take(&mut self.clone(), second).is_none() {
            return;
        }
        let (mut there, mut back) = (self.clone(), self.clone());
        let (before, after) = (take(&mut there, first), take(&mut there, second));
        let (late, early) = (take(&mut back, second), take(&mut back, first));
        assert_eq!((&before, &after), (&early, &late), "{first:?} and {second:?}");
        assert_eq!(there.key(), back.key(), "{first:?} and {second:?}");
    }

    /// A process that can continue after that step and could not before must have been said to wait for such a step.
    fn named(&self, after: &Self, process: ProcessId, step: &Step) {
        for (waiting, its) in self.doing.iter().enumerate() {
            let Some(its @ Step::On(object, name, ..)) = its else { continue };
            let waits = |world: &Self| matches!(world.clone().step(waiting as ProcessId, its), Progress::Waits);
            if waiting == process as usize || !waits(self) || waits(after) {
                continue;
            }
            let verb = self.kinds[*object as usize].verb(name).unwrap().0;
            let share = self.shares(*object)[waiting];
            let (object, verb) = self.model(*object).waits_for(verb, share).unwrap_or((*object, verb));
            let verbs = self.kinds[object as usize].verbs;
            let owner = self.model(object).owner(self.shares(object));
            let enablers = self.object(object).enablers(&verbs[verb as usize], None, owner);
            let named = self
                .accesses(step)
                .iter()
                .any(|(used, access)| *used == object && enablers.has(verbs[access.verb as usize].name, None));
            assert!(named && enablers.only.is_none_or(|only| only == process), "{step:?} lets {its:?} go on");
        }
    }
}

impl Stage for World {
    fn choose(&mut self, count: u32) -> u32 {
        assert!(count > 0);
        let chosen = self.choices.get(self.asked.len()).copied().unwrap_or(0);
        self.asked.push(count);
        chosen.min(count - 1)
    }

    fn compute(&mut self, it: Value) -> Result<Value, Outcome> {
        Ok(it)
    }

    fn implicit(&mut self, object: ObjectId, verb: u8, completion: Completion) {
        let name = self.kinds[object as usize].verbs[verb as usize].name;
        self.record(object, name, &completion, true);
    }

    fn on(&mut self, object: ObjectId, verb: u8) -> Progress {
        assert_eq!(self.model(object).reach(verb), ShareAccess::Own, "the engine goes by the step's own verb alone");
        self.carry_out(object, verb, &[], Willing::Forever, false)
    }

    fn share(&self, object: ObjectId) -> u32 {
        self.shares[object as usize][self.current as usize]
    }
}

fn names() -> Vec<String> {
    ["zero", "one", "two"].map(str::to_owned).to_vec()
}

/// Numbers that look random, the same for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// One below `count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % count
    }
}
