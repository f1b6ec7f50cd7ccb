//! Executes a transition: a step that others can observe, and the local steps after it.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::choice_point::{ChoiceScript, begins_turn, step_of};
use super::event_log::Log;
use super::next_operation::{Ask, is_visible, willing};
use super::process_state::{ProcessState, Stage};
use super::program_analysis::Knowledge;
use super::transition::ModelErrorKind;
use crate::event::{ObjectId, ProcessId, StepId, Target};
use crate::interpreter::{Clock, Left, Random, Timeout, World};
use crate::objects::Completion;
use crate::objects::contract::model::{Model, ModelCall, Progress, Stage as Scenery, Willing};
use crate::objects::contract::operation::{Operation, Targets, VerbId};
use crate::objects::kinds::process::{self, Life, ProcessVerb, Processes};
use crate::objects::kinds::signals::{self, Fate, Pending, Sent, SignalSet, SignalVerb, only};
use crate::os::process::is_stop;
use crate::outcome::Outcome;
use crate::scenario::plan::{Instruction, Plan};
use crate::scenario::signal_name;
use crate::trace::ProcessEnd;
use crate::value::Value;

/// How many steps a process may do by itself in one turn: what does more is taken to compute without end.
const MOST_LOCAL: usize = 1 << 20;

/// What all share, as far as a turn needs it: the objects, every process's shares of them, how each process is.
pub(crate) struct Parts {
    pub(crate) objects: Vec<Option<Box<dyn Model>>>,
    /// By object, by process.
    pub(crate) shares: Vec<Vec<u32>>,
    pub(crate) posts: Vec<ProcessStatus>,
}

/// How a process is, as others see it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ProcessStatus {
    pub(crate) stage: Stage,
    /// The process that started it, where that matters.
    pub(crate) starter: Option<ProcessId>,
    pub(crate) joined: bool,
    pub(crate) ready: bool,
}

/// What a turn did to others.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Effects {
    pub(crate) started: Vec<ProcessId>,
    pub(crate) joined: Vec<ProcessId>,
    pub(crate) signals: Vec<(ProcessId, Sent)>,
}

impl Effects {
    pub(crate) fn is_empty(&self) -> bool {
        self.started.is_empty() && self.joined.is_empty() && self.signals.is_empty()
    }
}

/// How a turn went.
#[derive(Debug)]
pub(crate) enum Turned {
    /// The step cannot continue now; nothing has changed.
    Waits,
    /// The process went on.
    Went {
        effects: Effects,
        /// Steps that went to the world.
        steps: u32,
    },
    /// What the process does by itself cannot be followed.
    Lost(ModelErrorKind),
}

/// What a turn is given.
pub(crate) struct Actor<'a, 'p> {
    pub(crate) plan: &'p Plan,
    pub(crate) knowledge: &'a [Knowledge],
    pub(crate) visible: &'a [bool],
    /// By process: whether its end is a step of its own.
    pub(crate) ends: &'a [bool],
    pub(crate) process: ProcessId,
    /// ns of virtual time since the run began.
    pub(crate) now: u64,
    pub(crate) parts: &'a mut Parts,
    pub(crate) choices: &'a ChoiceScript,
    /// Whether random numbers are drawn from the choices.
    pub(crate) random: bool,
    pub(crate) log: Option<&'a mut Log>,
    /// By step: whether a process has reached it, if that is tracked.
    pub(crate) reached: Option<&'a [AtomicBool]>,
}

impl<'p> Actor<'_, 'p> {
    /// Lets the process take its turn: its step, or with `give_up` the end of that step's time.
    pub(crate) fn turn(&mut self, segment: &mut ProcessState<'p>, give_up: bool) -> Turned {
        if !self.random {
            return self.take(segment, give_up);
        }
        let step = step_of(segment.machine.instruction());
        segment.machine.draw_from(Random::chosen(self.choices.draws()));
        let turned = self.take(segment, give_up);
        segment.machine.draw_from(Random::lowest());
        match turned {
            Turned::Went { .. } if segment.parked && self.choices.has_drawn() => {
                Turned::Lost(ModelErrorKind::Waits(step))
            }
            turned => turned,
        }
    }

    fn take(&mut self, segment: &mut ProcessState<'p>, give_up: bool) -> Turned {
        if segment.beginning {
            if let Some(log) = &mut self.log {
                log.begin(self.process, self.now);
            }
            return self.begin(segment);
        }
        if let Some(left) = segment.leaving {
            end(segment, left);
            return Turned::Went { effects: Effects::default(), steps: 0 };
        }
        let before = segment.clone();
        let step = step_of(segment.machine.instruction());
        let mut act = Act::new(self, Some(if give_up { First::GiveUp } else { First::Go }), segment.given_up);
        act.real_time = act.actor.plan.program(act.actor.process).real_time.map(|own| {
            let objects = &act.actor.plan.objects;
            let owned = segment.shares.iter().filter_map(|(at, share)| objects[*at as usize].object.ceiling(*share));
            owned.fold(own, i64::max)
        });
        act.pending = std::mem::take(&mut segment.pending);
        act.alarm = segment.alarm;
        act.dispositions = segment.machine.dispositions();
        let left = segment.machine.advance(&mut act);
        segment.pending = std::mem::take(&mut act.pending);
        segment.alarm = act.alarm;
        let (halt, mut effects, steps) = (act.halt, std::mem::take(&mut act.effects), act.steps);
        let (mut died, stopped, ready) = (act.died, act.stopped, act.ready);
        if let Some(trouble) = self.choices.trouble(step) {
            return Turned::Lost(trouble);
        }
        match halt {
            Halt::Waits if give_up => {
                // The time is over, but something is left to do: taking a mutex again.
                *segment = before;
                segment.given_up = true;
                segment.left = None;
                self.collect(segment);
                return Turned::Went { effects, steps };
            }
            Halt::Waits => {
                *segment = before;
                return Turned::Waits;
            }
            Halt::Parked => {
                segment.machine = before.machine;
                segment.parked = true;
                if give_up {
                    segment.given_up = true;
                    segment.left = None;
                }
                self.collect(segment);
                return Turned::Went { effects, steps };
            }
            Halt::No => {}
        }
        self.collect(segment);
        (segment.parked, segment.given_up, segment.left) = (false, false, None);
        if segment.machine.has_signals() {
            after_signals(segment, &before);
            // A signal that the step itself lets in ends the process with it.
            died = died.or_else(|| {
                let signal = segment.deadly().find(|signal| before.machine.fate(*signal) == Fate::Held)?;
                let raised = segment.pending.iter().any(|sent| sent.signal == signal && sent.raised);
                Some(if raised { ProcessEnd::Crashed(signal) } else { ProcessEnd::Killed(signal) })
            });
        }
        segment.ready |= ready;
        if let Some(end) = died {
            segment.stage = Stage::Ended(end);
            return Turned::Went { effects, steps };
        }
        match left {
            Some(left) => {
                self.leave(segment, left);
                Turned::Went { effects, steps }
            }
            // It continues from there once it is continued.
            None if stopped => Turned::Went { effects, steps },
            None => self.go_on(segment, &mut effects, steps, false),
        }
    }

    /// Lets a process begin: it does what it does before its first step that others notice.
    pub(crate) fn begin(&mut self, segment: &mut ProcessState<'p>) -> Turned {
        segment.beginning = false;
        if segment.broken {
            end(segment, Left::Exit(1));
            return Turned::Went { effects: Effects::default(), steps: 0 };
        }
        segment.stage = Stage::Running;
        if self.random {
            segment.machine.draw_from(Random::lowest());
        }
        self.go_on(segment, &mut Effects::default(), 0, self.random)
    }

    /// Runs the handler of the next signal that is pending, before the step that the process stands at or within it.
    pub(crate) fn handle(&mut self, segment: &mut ProcessState<'p>, within: bool) -> Turned {
        let due = segment.due(within);
        let Some(sent) = signals::take(&mut segment.pending, due) else { return Turned::Waits };
        if let Some(log) = &mut self.log {
            log.handle(self.process, self.now, sent);
        }
        segment.machine.deliver(sent, within);
        (segment.left, segment.within, segment.owed) = (None, false, false);
        self.go_on(segment, &mut Effects::default(), 0, false)
    }

    /// Goes on up to the next step that others can notice; with `until_drawn`, or to what draws a random number.
    fn go_on(
        &mut self,
        segment: &mut ProcessState<'p>,
        effects: &mut Effects,
        mut steps: u32,
        until_drawn: bool,
    ) -> Turned {
        for _ in 0..MOST_LOCAL {
            let step = step_of(segment.machine.instruction());
            if let Some(reached) = self.reached.and_then(|reached| reached.get(step as usize)) {
                reached.store(true, Ordering::Relaxed);
            }
            if segment.machine.stops() {
                segment.owed = segment.due(false) != 0;
            }
            if self.arrive(segment) || until_drawn && begins_turn(segment.machine.instruction()) {
                let knowledge = &self.knowledge[self.plan.processes[self.process as usize].program];
                let place = segment.machine.place_in_program();
                segment.machine.forget(|slot| knowledge.is_live(place, slot));
                return Turned::Went { effects: std::mem::take(effects), steps };
            }
            let mut act = Act::new(self, None, false);
            let left = segment.machine.advance(&mut act);
            steps += act.steps;
            segment.ready |= act.ready;
            if let Some(trouble) = self.choices.trouble(step) {
                return Turned::Lost(trouble);
            }
            if let Some(left) = left {
                self.leave(segment, left);
                return Turned::Went { effects: std::mem::take(effects), steps };
            }
        }
        Turned::Lost(ModelErrorKind::ModelError)
    }

    /// The process has left its program: it ends, or is about to.
    fn leave(&self, segment: &mut ProcessState<'p>, left: Left) {
        if self.ends.get(self.process as usize) == Some(&true) {
            segment.machine.forget(|_| false);
            segment.machine.finish();
            segment.leaving = Some(left);
        } else {
            end(segment, left);
        }
    }

    /// Whether the process stands at a step that others can notice; then its time begins.
    fn arrive(&self, segment: &mut ProcessState<'p>) -> bool {
        let stops = segment.machine.stops();
        if !stops && !is_visible(segment.machine.instruction(), self.visible) {
            return false;
        }
        let mut ask = Ask::new(self.now);
        let mut machine = segment.machine.clone();
        if self.random {
            // What is drawn is for the step itself.
            machine.draw_from(Random::lowest());
        }
        machine.advance(&mut ask);
        match ask.asked {
            // It has no value for what it would ask, so it does not ask.
            None => match segment.machine.instruction() {
                Instruction::Operate(operation) => stops || self.visible.get(operation.step as usize) == Some(&true),
                _ => stops,
            },
            Some(asked) => {
                segment.left = asked.left;
                true
            }
        }
    }

    /// Takes back what the process's shares have become.
    fn collect(&mut self, segment: &mut ProcessState<'p>) {
        for object in 0..self.parts.shares.len() {
            if let Some(share) = self.parts.shares[object].get(self.process as usize) {
                segment.set_share(object as ObjectId, *share);
            }
        }
    }
}

/// A step of a process with signals is over: those that have no effect any more are forgotten.
fn after_signals(segment: &mut ProcessState<'_>, before: &ProcessState<'_>) {
    segment.within = false;
    if let Instruction::Operate(operation) = before.machine.instruction()
        && let Some(signal) = operation.acts_at().filter(|signal| segment.machine.ignores(*signal))
    {
        segment.pending.retain(|sent| sent.signal != signal);
    }
    let machine = &segment.machine;
    segment.pending.retain(|sent| machine.fate(sent.signal) != Fate::Ignored);
}

fn end(segment: &mut ProcessState<'_>, left: Left) {
    segment.machine.forget(|_| false);
    segment.machine.finish();
    segment.leaving = None;
    segment.stage = Stage::Ended(match left {
        Left::Exit(status) => ProcessEnd::Exited(status),
        Left::Abort => ProcessEnd::Crashed(libc::SIGABRT),
    });
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum First {
    Go,
    GiveUp,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Halt {
    No,
    Waits,
    Parked,
}

/// The world during one instruction.
struct Act<'x, 'a, 'p> {
    actor: &'x mut Actor<'a, 'p>,
    first: Option<First>,
    /// Whether the step has given up before and now does what is left of it.
    given_up: bool,
    halt: Halt,
    effects: Effects,
    steps: u32,
    ready: bool,
    /// How the process has ended itself by a signal.
    died: Option<ProcessEnd>,
    /// Whether it has stopped itself.
    stopped: bool,
    /// The signals that are pending, and what the process does at signals.
    pending: Pending,
    /// ns left until its alarm.
    alarm: Option<u64>,
    dispositions: [SignalSet; 3],
    /// The real-time priority that the process has, by its policy or by what it owns.
    real_time: Option<i64>,
}

impl<'x, 'a, 'p> Act<'x, 'a, 'p> {
    fn new(actor: &'x mut Actor<'a, 'p>, first: Option<First>, given_up: bool) -> Self {
        Self {
            actor,
            first,
            given_up,
            halt: Halt::No,
            effects: Effects::default(),
            steps: 0,
            ready: false,
            died: None,
            stopped: false,
            pending: Pending::new(),
            alarm: None,
            dispositions: [0; 3],
            real_time: None,
        }
    }

    fn record(&mut self, step: StepId, verb: &'static str, target: Target, completion: &Completion) {
        let (process, now) = (self.actor.process, self.actor.now);
        if let Some(log) = &mut self.actor.log {
            log.record(process, now, Some(step), verb, target, None, completion);
        }
    }

    fn own(&mut self, step: StepId, verb: &'static str, completion: Completion) -> Completion {
        self.record(step, verb, Target::None, &completion);
        completion
    }

    /// A step on an object sends a signal to its own process.
    fn raise(&mut self, signal: i32) {
        let sender = self.actor.process;
        match Fate::of(signal, self.dispositions) {
            Fate::Dies => self.died = Some(ProcessEnd::Crashed(signal)),
            Fate::Ignored => {}
            Fate::Held | Fate::Handled => {
                self.effects.signals.push((sender, Sent { signal, value: 0, sender, event: 0, raised: true }));
            }
        }
    }

    /// A handler has run within the step, which ends with that.
    fn interrupted(&mut self, step: StepId, operation: &Operation<'_>) -> Completion {
        let completion = Completion::of(Outcome::INTERRUPTED);
        if let Some(log) = &mut self.actor.log {
            log.waited = true;
            let targets = operation.targets.first();
            let target = targets.map_or(Target::None, |targets| targets.first);
            let verb = match (target, operation.verb.described(), targets) {
                (Target::Object(object), None, Some(targets)) => {
                    self.actor.plan.kind(object).verbs[targets.verb as usize].name
                }
                (_, verb, _) => verb.map_or("", |verb| verb.name),
            };
            let element = targets.and_then(|targets| targets.element);
            log.record(self.actor.process, self.actor.now, Some(step), verb, target, element, &completion);
        }
        completion
    }

    /// A step on the signals that the process gets.
    fn on_signals(
        &mut self,
        verb: SignalVerb,
        step: StepId,
        operation: &Operation<'_>,
        willing: Willing,
    ) -> Completion {
        let set = operation.int(0) as SignalSet;
        let completion = match verb {
            _ if operation.arguments[0] == Value::Null => Completion::of(Outcome::INVALID),
            SignalVerb::Action => Completion::value(Value::from(signal_name(set as i32))),
            SignalVerb::Mask | SignalVerb::Unmask => Completion::of(Outcome::OK),
            SignalVerb::Alarm => {
                self.alarm = Some(set).filter(|time| *time > 0);
                Completion::of(Outcome::OK)
            }
            SignalVerb::Pending => {
                Completion::value(Value::Bool(self.pending.iter().any(|sent| only(sent.signal) & set != 0)))
            }
            SignalVerb::Await | SignalVerb::Pause => {
                let awaited = if verb == SignalVerb::Await { set } else { 0 };
                match signals::take(&mut self.pending, awaited) {
                    Some(sent) => signals::received(sent),
                    None if self.first == Some(First::GiveUp) => Completion::of(Outcome::TIMEOUT),
                    None if willing == Willing::Never => Completion::of(Outcome::WOULD_BLOCK),
                    None => {
                        self.halt = Halt::Waits;
                        return Completion::of(Outcome::OK);
                    }
                }
            }
        };
        self.own(step, verb.described().name, completion)
    }
}

/// The other processes, as a step of one has them in the model.
struct Others<'t, 'x, 'a, 'p> {
    act: &'t mut Act<'x, 'a, 'p>,
    step: StepId,
    willing: Willing,
}

impl Others<'_, '_, '_, '_> {
    fn status(&self, process: ProcessId) -> ProcessStatus {
        self.act.actor.parts.posts[process as usize]
    }

    fn gives_up(&self) -> bool {
        self.act.first == Some(First::GiveUp)
    }
}

impl Processes for Others<'_, '_, '_, '_> {
    fn caller(&self) -> ProcessId {
        self.act.actor.process
    }

    fn life(&self, process: ProcessId) -> Life {
        match self.status(process).stage {
            Stage::NotStarted => Life::NotBegun,
            Stage::Running => Life::Alive,
            Stage::Ended(end) => Life::Ended(end.code().unwrap_or(0)),
        }
    }

    fn is_joined(&self, process: ProcessId) -> bool {
        self.status(process).joined
    }

    fn start(&mut self, process: ProcessId) -> bool {
        let may = self.act.actor.plan.program(process).manual && self.life(process) == Life::NotBegun;
        if may {
            self.act.actor.parts.posts[process as usize].stage = Stage::Running;
            self.act.effects.started.push(process);
            let starter = self.caller();
            if let Some(log) = &mut self.act.actor.log {
                log.started(starter, process);
            }
        }
        may
    }

    fn awaits(&mut self, operation: &Operation<'_>) -> bool {
        let ended = |process: ProcessId| matches!(self.life(process), Life::Ended(_));
        let waits = !self.gives_up() && self.willing != Willing::Never && !operation.processes().all(ended);
        if waits {
            self.act.halt = Halt::Waits;
        }
        !waits
    }

    fn join(&mut self, process: ProcessId) -> Result<i64, Outcome> {
        match self.life(process) {
            Life::Ended(code) => {
                self.act.actor.parts.posts[process as usize].joined = true;
                self.act.effects.joined.push(process);
                Ok(code)
            }
            _ if self.gives_up() => Err(Outcome::TIMEOUT),
            _ => Err(Outcome::WOULD_BLOCK),
        }
    }

    fn await_any(&mut self, among: Range<ProcessId>) -> Option<Result<ProcessId, Outcome>> {
        let own = Some(self.caller());
        let left: Vec<ProcessId> =
            among.filter(|process| self.status(*process).starter == own && !self.is_joined(*process)).collect();
        let ended: Vec<ProcessId> =
            left.iter().copied().filter(|process| matches!(self.life(*process), Life::Ended(_))).collect();
        match () {
            () if left.is_empty() => Some(Err(Outcome::NO_PROCESS)),
            () if ended.len() == 1 => Some(Ok(ended[0])),
            () if !ended.is_empty() => Some(Ok(ended[self.act.actor.choices.choose(ended.len() as u32) as usize])),
            () if self.gives_up() => Some(Err(Outcome::TIMEOUT)),
            () if self.willing == Willing::Never => Some(Err(Outcome::WOULD_BLOCK)),
            () => {
                self.act.halt = Halt::Waits;
                None
            }
        }
    }

    fn name(&self, process: ProcessId) -> &str {
        &self.act.actor.plan.processes[process as usize].name
    }

    fn signal(&mut self, process: ProcessId, signal: i32, value: i32) -> Outcome {
        let sender = self.caller();
        let itself = process == sender;
        // The step's event stands before the signal to itself, and behind one to another.
        let event = self.act.actor.log.as_ref().map_or(0, |log| log.next_event(sender) - u64::from(itself));
        match Fate::of(signal, self.act.dispositions) {
            _ if signal == 0 => {}
            Fate::Dies if itself && !is_stop(signal) => self.act.died = Some(ProcessEnd::Killed(signal)),
            Fate::Ignored if itself && !is_stop(signal) => {}
            _ => {
                self.act.stopped |= itself && is_stop(signal);
                self.act.effects.signals.push((process, Sent { signal, value, sender, event, raised: false }));
            }
        }
        Outcome::OK
    }

    fn is_over(&self) -> bool {
        self.act.died.is_some()
    }

    fn set_ready(&mut self) {
        self.act.ready = true;
    }

    fn record(&mut self, verb: ProcessVerb, process: Option<ProcessId>, completion: &Completion) {
        let target = process.map_or(Target::None, Target::Process);
        self.act.record(self.step, verb.described().name, target, completion);
    }
}

impl World for Act<'_, '_, '_> {
    fn operate(
        &mut self,
        step: StepId,
        operation: &Operation<'_>,
        compute: &mut dyn FnMut(Value) -> Result<Value, Outcome>,
        timeout: Timeout,
    ) -> Completion {
        self.steps += 1;
        if timeout == Timeout::Interrupted {
            return self.interrupted(step, operation);
        }
        let ok = Completion::of(Outcome::OK);
        let targets = match operation.verb {
            VerbId::Own(verb) => {
                return self.own(step, verb.described().name, verb.complete(operation.arguments));
            }
            VerbId::Timer(verb) => return self.own(step, verb.described().name, ok),
            VerbId::Signal(verb) => return self.on_signals(verb, step, operation, willing(timeout)),
            VerbId::Process(verb) => {
                let mut others = Others { act: self, step, willing: willing(timeout) };
                return process::perform(verb, operation, &mut others).unwrap_or(ok);
            }
            VerbId::Object => operation.targets,
        };
        let [Targets { first: Target::Object(id), verb, end, element, .. }] = targets else {
            return Completion::of(Outcome::INVALID);
        };
        let (id, verb, end, element) = (*id, *verb, *end, *element);
        let actor = &mut *self.actor;
        let (process, object) = (actor.process, id as usize);
        let (Some(mut model), mut shares) =
            (actor.parts.objects[object].take(), std::mem::take(&mut actor.parts.shares[object]))
        else {
            return Completion::of(Outcome::INVALID);
        };
        let planned = &actor.plan.objects;
        let real_time = self.real_time;
        if let Some((outcome, _)) = planned[object].object.refuses(verb, real_time) {
            (actor.parts.objects[object], actor.parts.shares[object]) = (Some(model), shares);
            let refused = Completion::of(outcome);
            self.record(step, self.actor.plan.kind(id).verbs[verb as usize].name, Target::Object(id), &refused);
            return refused;
        }
        let event = actor.log.as_ref().map_or(0, |log| log.next_event(process));
        let willing = if self.given_up { Willing::Forever } else { willing(timeout) };
        let mut scene = Scene { actor, step, compute, raised: None };
        let mut call = ModelCall {
            verb,
            end,
            element,
            arguments: operation.arguments,
            willing,
            process,
            shares: &mut shares,
            event,
            stage: &mut scene,
        };
        let progress = if self.first == Some(First::GiveUp) { model.give_up(&mut call) } else { model.step(&mut call) };
        let raised = scene.raised;
        if let Some(signal) = raised {
            self.raise(signal);
        }
        let actor = &mut *self.actor;
        actor.parts.objects[object] = Some(model);
        actor.parts.shares[object] = shares;
        match progress {
            Progress::Done(completion) => {
                if let Some(log) = &mut actor.log {
                    let verb = actor.plan.kind(id).verbs[verb as usize].name;
                    log.record(process, actor.now, Some(step), verb, Target::Object(id), element, &completion);
                }
                completion
            }
            Progress::Waits => {
                self.halt = Halt::Waits;
                Completion::of(Outcome::OK)
            }
            Progress::Parked => {
                self.halt = Halt::Parked;
                Completion::of(Outcome::OK)
            }
        }
    }

    fn refuse(&mut self, step: StepId, outcome: Outcome, message: &str) {
        self.steps += u32::from(self.actor.plan.operation(step).is_some());
        let completion = Completion { value: Value::from(message), ..Completion::of(outcome) };
        let actor = &mut *self.actor;
        let Some(log) = &mut actor.log else { return };
        // As the kernel's side records it: the first object that could have been meant.
        let named = actor.plan.operation(step).and_then(|operation| operation.accessed().next());
        let (verb, target) = match named {
            Some((object, verb)) => (actor.plan.kind(object).verbs[verb as usize].name, Target::Object(object)),
            None => (actor.plan.steps[step as usize].verb, Target::None),
        };
        log.record(actor.process, actor.now, Some(step), verb, target, None, &completion);
    }

    fn clock(&self) -> Clock {
        Clock::At(self.actor.now)
    }
}

/// What an object's model may use.
struct Scene<'s, 'a, 'p> {
    actor: &'s mut Actor<'a, 'p>,
    step: StepId,
    compute: &'s mut dyn FnMut(Value) -> Result<Value, Outcome>,
    /// The signal that the step sends to its own process.
    raised: Option<i32>,
}

impl Scenery for Scene<'_, '_, '_> {
    fn choose(&mut self, count: u32) -> u32 {
        self.actor.choices.choose(count)
    }

    fn compute(&mut self, it: Value) -> Result<Value, Outcome> {
        (self.compute)(it)
    }

    fn raise(&mut self, signal: i32) {
        self.raised = Some(signal);
    }

    fn implicit(&mut self, object: ObjectId, verb: u8, completion: Completion) {
        let (process, now) = (self.actor.process, self.actor.now);
        let verb = self.actor.plan.kind(object).verbs[verb as usize].name;
        if let Some(log) = &mut self.actor.log {
            log.implicit(process, now, self.step, verb, object, &completion);
        }
    }

    fn on(&mut self, object: ObjectId, verb: u8) -> Progress {
        let at = object as usize;
        let process = self.actor.process;
        let (Some(mut model), mut shares) =
            (self.actor.parts.objects[at].take(), std::mem::take(&mut self.actor.parts.shares[at]))
        else {
            return Progress::outcome(Outcome::INVALID);
        };
        let mut call = ModelCall {
            verb,
            end: 0,
            element: None,
            arguments: &[],
            willing: Willing::Forever,
            process,
            shares: &mut shares,
            event: 0,
            stage: self,
        };
        let progress = model.step(&mut call);
        self.actor.parts.objects[at] = Some(model);
        self.actor.parts.shares[at] = shares;
        progress
    }

    fn share(&self, object: ObjectId) -> u32 {
        self.actor.parts.shares[object as usize].get(self.actor.process as usize).copied().unwrap_or(0)
    }
}
