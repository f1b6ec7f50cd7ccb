//! Follows a path on real values: what it gives is a trace as the kernel would have made it, and the turns by which the
//! kernel's processes can be held to it.

use crate::event::{ObjectId, ProcessId};
use crate::explore::budget::Pace;
use crate::explore::semantics::choice_point::ChoiceScript;
use crate::explore::semantics::event_log::Log;
use crate::explore::semantics::execute::{Actor, Effects, Parts, ProcessStatus, Turned};
use crate::explore::semantics::next_operation::{Next, NextOperation, next};
use crate::explore::semantics::process_events;
use crate::explore::semantics::process_events::{WorldState, settle};
use crate::explore::semantics::process_state::{ProcessState, Stage};
use crate::explore::semantics::transition::{Kind, Step, Time};
use crate::explore::semantics::wait_for;
use crate::explore::state_space::{RINGS, StateSpace, models, post, segment};
use crate::explore::strategy::bfs::Cut;
use crate::objects::contract::model::Willing;
use crate::objects::contract::operation::VerbId;
use crate::objects::kinds::process::ProcessVerb;
use crate::scenario::plan::Plan;
use crate::schedule::{Rest, Turn, Turns};
use crate::trace::wait_for::part;
use crate::trace::{ProcessEnd, RunEnd, Trace, arrange_along};

/// Why a path cannot be followed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Lost {
    /// The process cannot continue there.
    Blocked {
        /// The place in the path, from 0.
        place: usize,
    },
    /// The process has waited in its step before it comes to it.
    Waited {
        /// The place in the path, from 0.
        place: usize,
    },
    /// The process has ended, or has not begun.
    Gone {
        /// The place in the path, from 0.
        place: usize,
    },
    /// The process computes without end.
    ModelError(ProcessId),
    /// The budget of the space is spent.
    Spent(Cut),
}

/// Where a process stands before its turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stood {
    Begin,
    /// Before an instruction, by its place in the program, or within it.
    Instruction(usize),
    /// Before one that asks nothing of others, since it cannot compute what it would ask.
    Mute(usize),
    /// Before its end: its program is over.
    End,
    /// Before a step, or a part of one, that is a turn of its own in any case: the process handles signals.
    Turn,
}

/// A path that was followed.
#[derive(Clone, Debug)]
pub struct Told {
    pub trace: Trace,
    /// The same as turns.
    pub turns: Turns,
    /// By turn, how many events had been recorded when it was over.
    pub events: Vec<usize>,
    /// By turn, where its process stood before it.
    pub stood: Vec<Stood>,
    /// How many events had been recorded before the first turn.
    pub before: usize,
}

impl Told {
    /// Says that what was cut off repeats the same states for ever.
    pub fn round(&mut self) {
        if let RunEnd::Timeout(left) = &mut self.trace.end {
            self.trace.end = RunEnd::Livelock(std::mem::take(left));
            self.turns.left = Some(self.trace.end.clone());
        }
    }
}

/// The one state that is followed.
struct Course<'s, 'p> {
    space: &'s StateSpace<'p>,
    segments: Vec<ProcessState<'p>>,
    parts: Parts,
    log: Log,
    now: u64,
    endless: Option<ProcessId>,
    /// By process: whether it has had to wait since its step began.
    waited: Vec<bool>,
    /// By process: whether it has come to its step by then, since time has passed or it is within it.
    arrived: Vec<bool>,
    /// By process: whether something that it may wait for has changed since it was checked.
    stale: Vec<bool>,
    /// By process: the objects that it was found to continue by.
    needs: Vec<Vec<ObjectId>>,
    /// By process, how many steps it took as it began.
    begins: Vec<u32>,
}

/// Follows a path from the beginning.
///
/// # Errors
/// A step that cannot be taken where it stands.
pub fn tell(space: &StateSpace<'_>, path: &[Step]) -> Result<Told, Lost> {
    let mut course = Course::new(space);
    let mut turns = Vec::with_capacity(path.len());
    let mut events = Vec::with_capacity(path.len());
    let mut stood = Vec::with_capacity(path.len());
    if let Some(process) = course.endless {
        return Err(Lost::ModelError(process));
    }
    let before = course.log.order.len();
    let mut pace = Pace::new(&space.budget);
    for (place, step) in path.iter().enumerate() {
        if let Some(cut) = pace.spent() {
            return Err(Lost::Spent(cut));
        }
        course.look();
        let stands = course.stands(step.process);
        if let Some(turn) = course.step(step, place)? {
            stood.extend(stands);
            turns.push(turn);
            events.push(course.log.order.len());
        }
    }
    Ok(Told { stood, before, ..course.finish(turns, events) })
}

impl<'s, 'p> Course<'s, 'p> {
    fn new(space: &'s StateSpace<'p>) -> Self {
        let plan = space.plan;
        let processes = plan.processes.len();
        let segments: Vec<_> = (0..processes as ProcessId).map(|process| segment(plan, process)).collect();
        let models = models(plan).into_iter().map(Some).collect();
        let mut course = Course {
            space,
            parts: Parts {
                objects: models,
                shares: vec![vec![0; processes]; plan.objects.len()],
                posts: segments.iter().map(post).collect(),
            },
            segments,
            log: Log::new(processes),
            now: 0,
            endless: None,
            waited: vec![false; processes],
            arrived: vec![false; processes],
            stale: vec![true; processes],
            needs: vec![Vec::new(); processes],
            begins: vec![0; processes],
        };
        for process in 0..processes as ProcessId {
            let program = plan.program(process);
            if !program.manual && program.depends_on.is_empty() {
                process_events::begin(&mut course, process);
            }
        }
        process_events::open(&mut course);
        course
    }

    /// Notes the processes that have to wait now. A process that did not wait need not as long as nothing has changed
    /// that it waits for.
    fn look(&mut self) {
        for process in 0..self.segments.len() {
            let segment = &self.segments[process];
            // What is stopped comes to no step.
            if self.waited[process] || segment.stage != Stage::Running || segment.stopped {
                continue;
            }
            if std::mem::take(&mut self.stale[process]) || self.space.clocked {
                self.waited[process] = self.has_to_wait(process as ProcessId);
            } else {
                debug_assert!(!self.has_to_wait(process as ProcessId), "it has to wait, and nothing has changed");
            }
        }
    }

    /// Notes that an object has changed.
    fn touch(&mut self, object: ObjectId) {
        for (stale, needs) in self.stale.iter_mut().zip(&self.needs) {
            *stale |= needs.contains(&object);
        }
    }

    /// The objects that a step may change or depends on.
    fn objects_of(&self, next: &Next, objects: &mut Vec<ObjectId>) {
        objects.clear();
        for (object, access) in next.operation().into_iter().flat_map(NextOperation::on_objects) {
            objects.push(object);
            objects.extend(crate::explore::state_space::touched(self.space.plan, object, access.verb));
        }
    }

    /// Whether a process's step could not be taken now. Nothing changes.
    fn has_to_wait(&mut self, process: ProcessId) -> bool {
        let segment = &self.segments[process as usize];
        if segment.parked {
            return true;
        }
        let next = next(segment, self.now);
        let operation = next.operation().filter(|operation| operation.willing != Willing::Never);
        let Some(operation) = operation else {
            self.needs[process as usize].clear();
            return false;
        };
        let sent = matches!(operation.verb, VerbId::Signal(verb) if verb.waits());
        if sent || operation.is(ProcessVerb::WaitAny) {
            // It waits for what is sent to it, or for ends, which are no objects either.
            self.stale[process as usize] = true;
            let (mut segment, mut parts) = (segment.clone(), self.copied(&[]));
            let choices = ChoiceScript::default();
            return matches!(self.actor(process, &mut parts, &choices, None).turn(&mut segment, false), Turned::Waits);
        }
        if operation.is(ProcessVerb::Join) {
            // Ends are no objects: it is looked at again each time.
            self.stale[process as usize] = true;
            let ended = |other: ProcessId| matches!(self.segments[other as usize].stage, Stage::Ended(_));
            return !operation.on_processes().all(ended) && !operation.on_processes().any(|other| other == process);
        }
        if !operation.on_objects().any(|(object, access)| self.blocks(object, access.verb)) {
            self.needs[process as usize].clear();
            return false;
        }
        let mut needs = std::mem::take(&mut self.needs[process as usize]);
        self.objects_of(&next, &mut needs);
        let mut segment = self.segments[process as usize].clone();
        let mut parts = self.copied(&needs);
        self.needs[process as usize] = needs;
        let choices = ChoiceScript::default();
        let turned = self.actor(process, &mut parts, &choices, None).turn(&mut segment, false);
        matches!(turned, Turned::Waits)
    }

    /// Whether a step with that verb can wait.
    fn blocks(&self, object: ObjectId, verb: u8) -> bool {
        self.space.plan.kind(object).verbs.get(usize::from(verb)).is_some_and(|verb| verb.blocks)
    }

    /// Copies of these objects and of all shares of them.
    fn copied(&self, objects: &[ObjectId]) -> Parts {
        let mut parts = Parts {
            objects: self.parts.objects.iter().map(|_| None).collect(),
            shares: vec![Vec::new(); self.parts.shares.len()],
            posts: self.parts.posts.clone(),
        };
        for object in objects {
            let at = *object as usize;
            parts.objects[at] = self.parts.objects[at].as_ref().map(|model| model.copy());
            parts.shares[at].clone_from(&self.parts.shares[at]);
        }
        parts
    }

    fn actor<'a>(
        &self,
        process: ProcessId,
        parts: &'a mut Parts,
        choices: &'a ChoiceScript,
        log: Option<&'a mut Log>,
    ) -> Actor<'a, 'p>
    where
        's: 'a,
    {
        let space = self.space;
        Actor {
            plan: space.plan,
            knowledge: &space.knowledge,
            visible: &space.visible,
            ends: &space.ends,
            process,
            now: self.now,
            parts,
            choices,
            random: space.leeway.random,
            log,
            reached: None,
        }
    }

    fn step(&mut self, step: &Step, place: usize) -> Result<Option<Turn>, Lost> {
        let process = step.process;
        if step.kind == Kind::Tick {
            let left = self.segments.iter().filter(|segment| segment.stage == Stage::Running);
            let left = left.flat_map(|segment| [segment.left, segment.alarm]).flatten();
            let delta = left.filter(|left| *left > 0).min();
            let delta = delta.ok_or(Lost::Blocked { place })?;
            self.now += delta;
            for ((arrived, waited), segment) in self.arrived.iter_mut().zip(&self.waited).zip(&self.segments) {
                *arrived |= *waited && !segment.stopped;
            }
            for segment in self.segments.iter_mut().filter(|segment| segment.stage == Stage::Running) {
                segment.pass(delta);
                segment.within |= segment.machine.has_signals() && !segment.stopped;
            }
            return Ok(None);
        }
        let Some(mut segment) = self.segments.get(process as usize).filter(|segment| segment.is_due()).cloned() else {
            return Err(Lost::Gone { place });
        };
        let begins = segment.beginning;
        let mut turn = Turn { process, at: self.now, choices: step.choices.clone(), ..Turn::default() };
        let mut effects = Effects::default();
        if step.kind == Kind::Die {
            let which = step.choices.first().copied().unwrap_or(0) as usize;
            let signal = segment.deadly().nth(which).ok_or(Lost::Blocked { place })?;
            segment.stage = Stage::Ended(ProcessEnd::Killed(signal));
            turn.dies = true;
            if self.space.plan.program(process).signals {
                turn.choices = vec![signal as u32];
            }
        } else if step.kind == Kind::Kill {
            segment.stage = Stage::Ended(ProcessEnd::Killed(libc::SIGKILL));
            (turn.dies, turn.killed) = (true, true);
        } else if step.kind == Kind::Handle && step.choices == [RINGS] {
            let left = segment.alarm.ok_or(Lost::Blocked { place })?;
            self.elapse(left);
            segment = self.segments[process as usize].clone();
            segment.ring();
            (turn.handles, turn.at) = (true, self.now);
        } else if step.kind == Kind::Handle {
            (turn.handles, turn.waited) = (true, step.choices == [1]);
            self.handle(process, turn.waited);
            segment = self.segments[process as usize].clone();
        } else if step.kind == Kind::Wake {
            let Some((object, access)) = next(&segment, self.now).object() else { return Err(Lost::Blocked { place }) };
            let model = self.parts.objects[object as usize].as_ref().filter(|_| segment.parked);
            let share = model.and_then(|model| model.wakes(access.verb, segment.share(object)));
            let share = share.ok_or(Lost::Blocked { place })?;
            segment.set_share(object, share);
            self.parts.shares[object as usize][process as usize] = share;
            (turn.steps, turn.waited, turn.parks, turn.wakes) = (1, true, true, true);
        } else {
            let give_up = step.kind == Kind::GiveUp;
            // In virtual time a deadline is met when it has come; where it may come at any moment, that is now.
            if let (Some(left), true) = (segment.left, give_up || next(&segment, self.now).takes_time()) {
                self.elapse(left);
                turn.at = self.now;
            }
            turn.begins = begins;
            turn.arrives = step.kind == Kind::Arrive;
            if turn.arrives && self.arrived[process as usize] {
                return Err(Lost::Waited { place });
            }
            let interrupted = segment.machine.is_interrupted();
            turn.waited = (self.waited[process as usize] || give_up || interrupted) && !turn.arrives;
            turn.times_out = give_up;
            let mut objects = Vec::new();
            self.objects_of(&next(&segment, self.now), &mut objects);
            let mut parts = std::mem::replace(&mut self.parts, Parts::empty());
            let mut log = std::mem::replace(&mut self.log, Log::new(0));
            let choices = ChoiceScript::new(step.choices.clone());
            log.waited = turn.waited;
            let turned = self.actor(process, &mut parts, &choices, Some(&mut log)).turn(&mut segment, give_up);
            log.waited = false;
            (self.parts, self.log) = (parts, log);
            // Changes to the shares of others belong to them from now on.
            for object in objects {
                for (other, share) in self.segments.iter_mut().zip(&self.parts.shares[object as usize]) {
                    other.set_share(object, *share);
                }
                self.touch(object);
            }
            match turned {
                Turned::Waits => return Err(Lost::Blocked { place }),
                Turned::Lost(_) => return Err(Lost::ModelError(process)),
                Turned::Went { effects: done, steps } => {
                    effects = done;
                    turn.steps = steps;
                }
            }
            turn.parks = segment.parked;
            turn.choices = choices.script();
        }
        self.waited[process as usize] = segment.parked;
        self.arrived[process as usize] = segment.parked || segment.given_up;
        self.stale[process as usize] = true;
        self.segments[process as usize] = segment;
        self.parts.posts[process as usize] = post(&self.segments[process as usize]);
        let traits = self.space.traits;
        settle(self, traits, process, &effects);
        if let Some(process) = self.endless {
            return Err(Lost::ModelError(process));
        }
        turn.ends = matches!(self.segments[process as usize].stage, Stage::Ended(_));
        Ok(Some(turn))
    }

    /// A deadline is met: at its time, or now where it may be at any moment.
    fn elapse(&mut self, left: u64) {
        self.now += left;
        for other in self.segments.iter_mut().filter(|other| other.stage == Stage::Running) {
            other.pass(left);
        }
    }

    fn finish(mut self, turns: Vec<Turn>, events: Vec<usize>) -> Told {
        let plan = self.space.plan;
        self.look();
        let can_move = (0..self.segments.len() as ProcessId).any(|process| self.can_move(process));
        let alive: Vec<ProcessId> = (0..self.segments.len() as ProcessId)
            .filter(|process| self.segments[*process as usize].stage == Stage::Running)
            .collect();
        let others = alive.iter().any(|process| !plan.program(*process).daemon);
        let waiting = wait_for::waiting(plan, &self.segments, &self.parts, &self.log, self.now);
        let (waiting, daemons) = part(plan, waiting);
        // A run is over when only daemons are left and none of them can move.
        let (end, rest, stuck) = match (others, can_move) {
            (false, false) => (RunEnd::Completed, Rest::Free, Vec::new()),
            (_, true) => (RunEnd::Timeout(waiting), Rest::Stop, Vec::new()),
            (true, false) => (RunEnd::Deadlock, Rest::Free, waiting),
        };
        let left = (rest == Rest::Stop).then(|| end.clone());
        let ends = self
            .segments
            .iter()
            .map(|segment| match segment.stage {
                Stage::NotStarted => ProcessEnd::NotStarted,
                Stage::Running => ProcessEnd::Stopped,
                Stage::Ended(end) => end,
            })
            .collect();
        let finals = (self.parts.objects.iter().zip(&self.parts.shares))
            .map(|(model, shares)| model.as_ref().and_then(|model| model.last(shares)))
            .collect();
        let (events_in_order, causality) = arrange_along(plan, self.log.lanes, &self.log.order);
        Told {
            trace: Trace {
                engine: "model",
                events: events_in_order,
                beyond: None,
                causality,
                ends,
                daemons: if stuck.is_empty() { Vec::new() } else { daemons },
                stuck,
                end,
                finals,
                counted: Vec::new(),
                whole: true,
                lost: Vec::new(),
                unfinished: Vec::new(),
                unwatched: false,
                stalled: 0,
                duration: self.now,
            },
            turns: Turns {
                turns,
                begins: self.begins,
                leaves: self.space.ends.clone(),
                held: self.space.begins.clone(),
                rest,
                left,
                end: self.now,
                random: self.space.leeway.random,
            },
            events,
            stood: Vec::new(),
            before: 0,
        }
    }

    /// Whether something can still happen to a process by itself. One that is stopped only dies of a kill, or comes
    /// closer to a deadline where time passes.
    fn can_move(&mut self, process: ProcessId) -> bool {
        let segment = &self.segments[process as usize];
        let (stopped, left, alarm) = (segment.stopped, segment.left, segment.alarm.is_some());
        let dies = segment.deadly().any(|signal| !stopped || signal == libc::SIGKILL);
        let handles = !stopped && !segment.parked && segment.due(false) | segment.due(true) != 0;
        let passes = self.space.leeway.time == Time::Virtual && left.is_some_and(|left| left > 0);
        match () {
            () if !segment.is_due() => false,
            () if dies || handles || alarm => true,
            () if stopped => passes,
            () => segment.beginning || left.is_some() || !self.waited_now(process),
        }
    }

    /// Where a process stands.
    fn stands(&self, process: ProcessId) -> Option<Stood> {
        let segment = self.segments.get(process as usize)?;
        Some(match () {
            () if segment.beginning => Stood::Begin,
            () if segment.leaving.is_some() => Stood::End,
            () if segment.machine.stops() => Stood::Turn,
            () if matches!(next(segment, self.now), Next::Border) => Stood::Mute(segment.machine.place_in_program()),
            () => Stood::Instruction(segment.machine.place_in_program()),
        })
    }

    /// Whether a process waits now, whatever it did before.
    fn waited_now(&mut self, process: ProcessId) -> bool {
        let segment = self.segments[process as usize].clone();
        if !segment.parked {
            return self.has_to_wait(process);
        }
        let all: Vec<ObjectId> = (0..self.parts.objects.len() as ObjectId).collect();
        let mut parts = self.copied(&all);
        let mut segment = segment;
        let choices = ChoiceScript::default();
        matches!(self.actor(process, &mut parts, &choices, None).turn(&mut segment, false), Turned::Waits)
    }
}

impl Parts {
    fn empty() -> Self {
        Self { objects: Vec::new(), shares: Vec::new(), posts: Vec::<ProcessStatus>::new() }
    }
}

impl<'p> WorldState<'p> for Course<'_, 'p> {
    fn plan(&self) -> &'p Plan {
        self.space.plan
    }

    fn segment(&self, process: ProcessId) -> &ProcessState<'p> {
        &self.segments[process as usize]
    }

    fn change(&mut self, process: ProcessId, change: &mut dyn FnMut(&mut ProcessState<'p>)) {
        let segment = &mut self.segments[process as usize];
        change(segment);
        self.stale[process as usize] = true;
        self.parts.posts[process as usize] = post(segment);
        for (object, shares) in self.parts.shares.iter_mut().enumerate() {
            shares[process as usize] = segment.share(object as u32);
        }
    }

    fn part(&mut self, process: ProcessId, object: u32, held: &[bool], killed: bool) {
        let mut share = self.segments[process as usize].share(object);
        if let Some(model) = &mut self.parts.objects[object as usize] {
            model.part(&mut share, held, killed);
        }
        self.touch(object);
        self.change(process, &mut |segment| segment.set_share(object, share));
    }

    fn begins_apart(&self, process: ProcessId) -> bool {
        self.space.begins[process as usize]
    }

    fn handle(&mut self, process: ProcessId, within: bool) {
        let steps = self.by_itself(process, |actor, segment| actor.handle(segment, within));
        debug_assert!(steps.is_none_or(|steps| steps == 0), "each step of a process with handlers is a turn");
    }

    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method itself is not general enough in its lifetimes"
    )]
    fn begin(&mut self, process: ProcessId) {
        self.log.begin(process, self.now);
        if let Some(steps) = self.by_itself(process, |actor, segment| actor.begin(segment)) {
            self.begins[process as usize] = steps;
        }
    }

    fn ended(&mut self, process: ProcessId, end: ProcessEnd) -> u64 {
        let event = self.log.next_event(process);
        self.log.end(process, self.now, end.code().unwrap_or(0));
        self.parts.posts[process as usize] = post(&self.segments[process as usize]);
        event
    }
}

impl<'p> Course<'_, 'p> {
    /// What a process does without any other's doing. How many steps that were.
    fn by_itself(
        &mut self,
        process: ProcessId,
        act: impl FnOnce(&mut Actor<'_, 'p>, &mut ProcessState<'p>) -> Turned,
    ) -> Option<u32> {
        let mut segment = self.segments[process as usize].clone();
        let mut parts = std::mem::replace(&mut self.parts, Parts::empty());
        let mut log = std::mem::replace(&mut self.log, Log::new(0));
        let choices = ChoiceScript::default();
        let turned = act(&mut self.actor(process, &mut parts, &choices, Some(&mut log)), &mut segment);
        (self.parts, self.log) = (parts, log);
        let steps = match turned {
            Turned::Lost(_) => {
                self.endless = Some(process);
                None
            }
            Turned::Went { steps, .. } => Some(steps),
            Turned::Waits => None,
        };
        self.segments[process as usize] = segment;
        self.stale[process as usize] = true;
        self.parts.posts[process as usize] = post(&self.segments[process as usize]);
        steps
    }
}
