//! States as numbers. Where a process can stand and what an object can be is met again and again: each such thing gets a
//! number when it is first met, a state of the whole is a row of these numbers, and what a turn does to them is looked up
//! once it has been computed once.

mod local_state;
mod renaming;
mod state_view;
mod transition_cache;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::base::interner::Interner;
use super::budget::{Budget, Pace};
use super::history::{History, MAYBE, Moment, SURELY, StateView, WAITED};
use super::semantics::choice_point;
use super::semantics::event_log::Log;
use super::semantics::execute::{Effects, ProcessStatus};
use super::semantics::next_operation::Next;
use super::semantics::process_events;
use super::semantics::process_events::{Traits, WorldState, settle};
use super::semantics::process_state::{ProcessState, Stage};
use super::semantics::program_analysis::{Knowledge, has_identity, noticed_begins, noticed_ends, reads_clock};
use super::semantics::transition::{Kind, ModelError, Nondeterminism, Standing, Step, Time};
use local_state::{Info, Stand};
use state_view::{Eye, Row};
pub(super) use transition_cache::Memo;

use crate::event::{Event, EventId, ObjectId, ProcessId, StepId, Target};
use crate::interpreter::Machine;
use crate::objects::Model;
use crate::objects::contract::model::Willing;
use crate::scenario::plan::{Instruction, ObjectPlan, Plan, ProcessPlan};
use crate::schedule::pid;
use crate::trace::ProcessEnd;
pub(super) use local_state::Quick;

/// Of a moment: whether a process has been killed from outside.
const SPENT: u64 = 1 << 63;
/// Of a moment: how many waits have ended although nothing had ended them, in units of `WOKEN`.
const WAKES: u64 = 63 * WOKEN;
const WOKEN: u64 = 1 << 57;
/// No number.
pub(super) const NONE: u32 = u32::MAX;

/// One way on from a state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Transition {
    /// The process that takes it; none for a tick.
    pub process: ProcessId,
    /// What it is.
    pub kind: Kind,
    /// Which of the turn's possibilities.
    pub(super) branch: u32,
    /// Where the possibilities stand; [`HELD`] at the death of a process that is stopped.
    pub(super) result: u32,
}

/// A signal that ends a process which another one has stopped: it does so at once where the process has not come to stop
/// yet, else once it is continued.
const HELD: u32 = 0;

/// Of what can be in place of a step, besides a handler before it and one within it: the process's alarm rings.
pub(crate) const RINGS: u32 = 2;

/// What an object can be.
type Shapes = Interner<Box<[u8]>, Box<dyn Model>>;

/// All states that have been met, as numbers.
pub struct StateSpace<'p> {
    pub(super) plan: &'p Plan,
    pub(super) leeway: Nondeterminism,
    pub(super) knowledge: Arc<[Knowledge]>,
    /// By step: whether a process comes to it in a state that was met.
    reached: Arc<[AtomicBool]>,
    /// By step: whether others can notice it although it is about no object.
    pub(super) visible: Vec<bool>,
    /// By process: whether its end is a step of its own.
    pub(super) ends: Vec<bool>,
    /// By process: whether its begin is a step of its own.
    pub(super) begins: Vec<bool>,
    pub(super) traits: Traits,
    /// Whether kills from outside are switched off although the options allow them.
    spares: bool,
    /// Whether the time since the begin is a part of the state.
    pub(super) clocked: bool,
    /// By process: those of one class can stand in the same places.
    pub(super) classes: Vec<u32>,
    /// Where processes can stand.
    stands: Interner<Box<[u8]>, Stand<'p>>,
    /// By object, what it can be.
    shapes: Vec<Shapes>,
    times: Interner<u64>,
    memo: Memo,
    key: Vec<u8>,
    names: Vec<u32>,
    /// For the events of one turn.
    log: Option<Log>,
    endless: Option<ModelError>,
    /// What who works in it may use.
    pub(super) budget: Arc<Budget>,
    /// About how many bytes all of it takes.
    weight: usize,
    pub(super) memories: Option<Box<History<'p>>>,
}

/// Whether a run can be over where these transitions are enabled: none but kills from outside, or
/// dies although he is stopped, or that a wait ends although nothing has ended it, which need not be.
pub(crate) fn is_over(moves: &[Transition]) -> bool {
    moves
        .iter()
        .all(|step| matches!(step.kind, Kind::Kill | Kind::Wake) || step.kind == Kind::Die && step.result == HELD)
}

impl<'p> StateSpace<'p> {
    /// The space of a plan. `visible` says, by step, which steps about no object are steps of their own.
    pub fn new(plan: &'p Plan, leeway: impl Into<Nondeterminism>, visible: Vec<bool>, clocked: bool) -> Self {
        let leeway = leeway.into();
        let knowledge = plan.programs.iter().map(|program| Knowledge::new(program, &[])).collect();
        let depends = plan.programs.iter().any(|program| !program.depends_on.is_empty());
        let traits = Traits { depends, kills: plan.kills() };
        let mut space = Self {
            plan,
            leeway,
            knowledge,
            reached: plan.steps.iter().map(|_| AtomicBool::new(false)).collect(),
            visible,
            traits,
            spares: false,
            clocked: clocked || plan.programs.iter().any(reads_clock),
            classes: classes(plan, leeway, false),
            stands: Interner::default(),
            shapes: plan.objects.iter().map(|_| Interner::default()).collect(),
            times: Interner::default(),
            memo: Memo::default(),
            key: Vec::new(),
            names: Vec::new(),
            log: None,
            endless: None,
            budget: Arc::default(),
            weight: 0,
            ends: vec![leeway.kill; plan.processes.len()],
            begins: vec![false; plan.processes.len()],
            memories: None,
        };
        space.notice(&noticed_ends(plan), &noticed_begins(plan));
        space
    }

    /// The space of a plan whose steps are those that these memories look at, and whose states hold nothing of them.
    pub(super) fn unremembering(plan: &'p Plan, leeway: impl Into<Nondeterminism>, memories: &History<'p>) -> Self {
        let mut space = Self::new(plan, leeway, memories.visible.clone(), memories.timed);
        space.notice(&memories.ends, &memories.begins);
        space
    }

    /// The space of a plan whose states hold what is kept of the events before them.
    pub(super) fn remembering(plan: &'p Plan, leeway: impl Into<Nondeterminism>, memories: History<'p>) -> Self {
        let mut space = Self::new(plan, leeway, memories.visible.clone(), memories.timed);
        space.classes = classes(plan, space.leeway, memories.reads_output());
        space.notice(&memories.ends, &memories.begins);
        space.memories = if memories.is_empty() { None } else { Some(Box::new(memories)) };
        space
    }

    /// The same with that budget.
    #[must_use]
    pub fn within(mut self, budget: &Arc<Budget>) -> Self {
        self.budget = Arc::clone(budget);
        self
    }

    /// Takes the ends and the begins of these processes too for steps of their own. Processes of one program are alike
    /// in that.
    fn notice(&mut self, ends: &[bool], begins: &[bool]) {
        for (own, noticed) in [(&mut self.ends, ends), (&mut self.begins, begins)] {
            for (own, seen) in own.iter_mut().zip(noticed) {
                *own |= seen;
            }
            for program in &self.plan.programs {
                let range = program.range();
                let own = &mut own[range.start as usize..range.end as usize];
                let any = own.contains(&true);
                own.fill(any);
            }
        }
    }

    /// The steps that no process has come to in any state that was met, in the order of the file. What is no instruction of
    /// its own (`break`, `forever`, `section`) is left out.
    pub(crate) fn unreached(&self) -> Vec<StepId> {
        let code = self.plan.programs.iter().flat_map(|program| &program.code).map(choice_point::step_of);
        let reached = |step: StepId| self.reached.get(step as usize).is_none_or(|one| one.load(Ordering::Relaxed));
        let mut steps: Vec<StepId> = code.filter(|step| !reached(*step)).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// Switches kills from outside off. The same events stay visible.
    pub(crate) fn spare(&mut self) {
        self.spares = true;
    }

    /// How many numbers a state has: one for each process, for each object, for the time, and for each memory.
    pub fn width(&self) -> usize {
        self.clock() + 1 + self.memories.as_ref().map_or(0, |memories| memories.len())
    }

    /// Where the numbers of the memories stand.
    pub(super) fn kept(&self) -> std::ops::Range<usize> {
        self.clock() + 1..self.width()
    }

    /// Where the number of the time stands.
    fn clock(&self) -> usize {
        self.plan.processes.len() + self.plan.objects.len()
    }

    /// Whether a program has a loop without a known number of rounds, so that a state could be met again behind itself.
    pub(super) fn loops(&self) -> bool {
        self.plan.programs.iter().any(|program| {
            program.code.iter().enumerate().any(|(place, instruction)| match instruction {
                Instruction::Jump(to) if *to <= place => {
                    !matches!(program.code[*to], Instruction::Next { .. } | Instruction::NextItem { .. })
                }
                _ => false,
            })
        })
    }

    /// Whether a condition asks about the process's next step.
    pub(super) fn sees(&self, process: ProcessId, next: &Next) -> bool {
        self.memories.as_ref().is_some_and(|memories| memories.sees(process, next))
    }

    /// Whether it matters which of two steps is a cause of others.
    pub(super) fn tells_causes(&self) -> bool {
        self.memories.as_ref().is_some_and(|memories| memories.tells_causes())
    }

    /// Whether what is kept of the past is the same where processes that are alike change places.
    pub(super) fn is_symmetric(&self) -> bool {
        self.memories.as_ref().is_none_or(|memories| memories.symmetric())
    }

    fn processes(&self) -> usize {
        self.plan.processes.len()
    }

    /// The states before the first step, each with the choices that lead there.
    ///
    /// # Errors
    /// A process that computes without end.
    pub fn initial(&mut self) -> Result<Vec<u32>, ModelError> {
        let plan = self.plan;
        if let Some(refused) = choice_point::refused(plan, &self.visible).filter(|_| self.leeway.random) {
            return Err(refused);
        }
        let mut pace = Pace::new(&self.budget);
        let mut state = Vec::with_capacity(self.width());
        for process in 0..plan.processes.len() as ProcessId {
            let segment = segment(plan, process);
            let number = self.number(process, segment);
            state.push(number);
            pace.check(process)?;
        }
        for (id, model) in models(plan).into_iter().enumerate() {
            let number = self.shape(id as ObjectId, model);
            state.push(number);
        }
        let time = self.moment(0);
        state.push(time);
        state.resize(self.width(), 0);
        self.remember(&mut state, None, |memories, sight| memories.begin(sight));
        let mut row = Row { space: self, state: &mut state };
        for process in 0..plan.processes.len() as ProcessId {
            let program = plan.program(process);
            if !program.manual && program.depends_on.is_empty() {
                process_events::begin(&mut row, process);
            }
            pace.check(process)?;
        }
        process_events::open(&mut row);
        self.note_waits(&mut state);
        match self.endless.take() {
            Some(endless) => Err(endless),
            None => Ok(state),
        }
    }

    /// Everything that can happen next, in the order of the processes. Empty where nothing ever will.
    ///
    /// # Errors
    /// A process that computes without end.
    pub fn moves(&mut self, state: &[u32], moves: &mut Vec<Transition>) -> Result<(), ModelError> {
        moves.clear();
        for process in 0..self.processes() as ProcessId {
            self.moves_of(state, process, moves);
        }
        if moves.is_empty() && self.next_deadline(state).is_some() {
            moves.push(Transition { process: NONE, kind: Kind::Tick, branch: 0, result: NONE });
        }
        if self.traits.kills {
            self.held_deaths(state, moves);
        }
        if self.may_kill(state) {
            self.kills(state, moves);
        }
        if self.wakes(state) < u64::from(self.leeway.spurious) {
            let woken = (0..self.processes() as ProcessId).filter(|process| self.woken(state, *process).is_some());
            moves.extend(woken.map(|process| Transition { process, kind: Kind::Wake, branch: 0, result: NONE }));
        }
        self.endless.take().map_or(Ok(()), Err)
    }

    /// The deaths of those that are stopped.
    fn held_deaths(&self, state: &[u32], moves: &mut Vec<Transition>) {
        for process in 0..self.processes() as ProcessId {
            let number = state[process as usize] as usize;
            let info = &self.stands.things[number].info;
            if info.running && info.stopped && info.deadly {
                let deadly = (0..).zip(self.stands.things[number].segment.deadly());
                let branches = deadly.filter(|(_, signal)| *signal != libc::SIGKILL);
                moves.extend(branches.map(|(branch, _)| Transition { process, kind: Kind::Die, branch, result: HELD }));
            }
        }
    }

    /// How many waits have ended although nothing had ended them.
    fn wakes(&self, state: &[u32]) -> u64 {
        (self.times.things[state[self.clock()] as usize] & WAKES) / WOKEN
    }

    /// What the share of a process becomes whose wait ends although nothing has ended it, and of which object.
    fn woken(&self, state: &[u32], process: ProcessId) -> Option<(ObjectId, u32)> {
        let Stand { segment, info, .. } = &self.stands.things[state[process as usize] as usize];
        if !segment.parked || !info.running || info.stopped {
            return None;
        }
        let (object, access) = info.next.object()?;
        let model = self.object_of(object, state[self.processes() + object as usize]);
        model.wakes(access.verb, segment.share(object)).map(|share| (object, share))
    }

    /// Whether a process may still be killed from outside.
    fn may_kill(&self, state: &[u32]) -> bool {
        self.leeway.kill && !self.spares && !self.is_killed(state)
    }

    /// Whether something can still come from outside: a kill, or a wake-up for nothing.
    pub(super) fn is_open(&self, state: &[u32]) -> bool {
        self.may_kill(state) || self.wakes(state) < u64::from(self.leeway.spurious)
    }

    /// Whether a process has been killed from outside.
    pub(super) fn is_killed(&self, state: &[u32]) -> bool {
        self.times.things[state[self.clock()] as usize] & SPENT != 0
    }

    /// The processes that can be killed: those that have begun and not ended.
    fn kills(&self, state: &[u32], moves: &mut Vec<Transition>) {
        let alive = |process: &ProcessId| {
            let number = state[*process as usize] as usize;
            self.stands.things[number].info.running
        };
        let alive = (0..self.processes() as ProcessId).filter(alive);
        moves.extend(alive.map(|process| Transition { process, kind: Kind::Kill, branch: 0, result: NONE }));
    }

    /// ns since the begin, where they are a part of the state.
    fn now(&self, state: &[u32]) -> u64 {
        self.times.things[state[self.clock()] as usize] & !(SPENT | WAKES)
    }

    pub(super) fn moves_of(&mut self, state: &[u32], process: ProcessId, moves: &mut Vec<Transition>) {
        let number = state[process as usize];
        let info = &self.stands.things[number as usize].info;
        if !info.running && !info.beginning {
            return;
        }
        if info.deadly {
            let deadly = (0..).zip(self.stands.things[number as usize].segment.deadly());
            let due = deadly.filter(|(_, signal)| !info.stopped || *signal == libc::SIGKILL);
            moves.extend(due.map(|(branch, _)| Transition { process, kind: Kind::Die, branch, result: NONE }));
        }
        let info = &self.stands.things[number as usize].info;
        if info.alarm == Some(0) {
            moves.push(Transition { process, kind: Kind::Handle, branch: RINGS, result: NONE });
        }
        if info.stopped {
            return;
        }
        let (handled, owed) = (info.handled, info.owed);
        if handled {
            self.handlers(state, process, moves);
        }
        if owed {
            return;
        }
        let info = &self.stands.things[number as usize].info;
        let left = info.left;
        if info.next.takes_time() && self.leeway.time == Time::Virtual && left != Some(0) {
            return;
        }
        let result = self.result(state, process, false);
        let branches = self.memo.results[result as usize].len() as u32;
        if branches > 0 {
            moves.extend((0..branches).map(|branch| Transition { process, kind: Kind::Go, branch, result }));
            self.arrivals(state, process, moves);
        } else if left == Some(0) {
            let result = self.result(state, process, true);
            let branches = self.memo.results[result as usize].len() as u32;
            moves.extend((0..branches).map(|branch| Transition { process, kind: Kind::GiveUp, branch, result }));
        }
    }

    /// The handlers that can run: before the step that the process stands at, unless it has begun that for certain, and
    /// within it, while it has to wait.
    fn handlers(&mut self, state: &[u32], process: ProcessId, moves: &mut Vec<Transition>) {
        let Stand { segment, info, .. } = &self.stands.things[state[process as usize] as usize];
        if segment.parked || segment.given_up {
            return;
        }
        let (before, middle) = (!segment.within && segment.due(false) != 0, segment.due(true) != 0);
        let next = info.next.operation();
        let interruptible = !info.owed
            && segment.machine.is_interruptible()
            && next.is_some_and(|next| next.willing != Willing::Never || info.next.takes_time());
        let sleeps = info.next.takes_time() && (self.leeway.time == Time::Any || info.left != Some(0));
        let waits = middle
            && interruptible
            && (sleeps || {
                let result = self.result(state, process, false);
                self.memo.results[result as usize].is_empty()
            });
        let branches = [before, waits].into_iter().zip(0..).filter(|(can, _)| *can);
        moves.extend(branches.map(|(_, branch)| Transition { process, kind: Kind::Handle, branch, result: NONE }));
    }

    /// The same step taken by a process that comes to it only now, where conditions ask whether it has waited and that is
    /// not certain.
    fn arrivals(&mut self, state: &[u32], process: ProcessId, moves: &mut Vec<Transition>) {
        let Stand { segment, info, .. } = &self.stands.things[state[process as usize] as usize];
        let asks = |next| self.memories.as_ref().is_some_and(|memories| memories.asks_of_wait(process, next));
        if segment.note(WAITED) != MAYBE || !info.next.operation().is_some_and(asks) {
            return;
        }
        let mut state = state.to_vec();
        Row { space: self, state: &mut state }.change(process, &mut |segment| segment.set_note(WAITED, 0));
        // What is looked up must be there for good.
        let lasts = self.lasts(&state);
        let result = if lasts { self.result(&state, process, false) } else { self.compute(&state, process, false) };
        for (branch, way) in (0..).zip(&*self.memo.results[result as usize]) {
            // A process that parks waits in any case.
            if !self.stands.things[way.segment as usize].segment.parked {
                moves.push(Transition { process, kind: Kind::Arrive, branch, result });
            }
        }
    }

    /// The time until the next deadline.
    fn next_deadline(&self, state: &[u32]) -> Option<u64> {
        state[..self.processes()]
            .iter()
            .map(|number| &self.stands.things[*number as usize].info)
            .filter(|info| info.running)
            .flat_map(|info| [info.left, info.alarm])
            .flatten()
            .filter(|left| *left > 0)
            .min()
    }

    /// Whether the step of a process ends when its time comes.
    pub(super) fn has_deadline(&self, state: &[u32], process: ProcessId) -> bool {
        let info = &self.stands.things[state[process as usize] as usize].info;
        let passes = |left: Option<u64>| left.is_some_and(|left| left > 0);
        info.running && (!info.stopped && passes(info.left) || passes(info.alarm))
    }

    /// How a process stands that cannot move.
    pub(super) fn standing(&self, state: &[u32], process: ProcessId) -> Standing {
        let info = &self.stands.things[state[process as usize] as usize].info;
        match () {
            () if info.ended => Standing::Ended,
            () if !info.running => Standing::NotBegun,
            () if info.stopped => Standing::Stopped,
            () if info.left.is_some_and(|left| left > 0) => Standing::Timed,
            () => Standing::Waits,
        }
    }

    /// Takes a way on: changes the state.
    ///
    /// # Errors
    /// A process that computes without end.
    pub fn take(&mut self, state: &mut [u32], step: Transition) -> Result<(), ModelError> {
        let processes = self.processes();
        let process = step.process;
        if self.memories.is_some() {
            let script = self.script(step);
            let kind = step.kind as u32;
            self.remember(state, None, |memories, sight| memories.step(sight, &[process, kind], &script));
        }
        match step.kind {
            Kind::Tick => {
                self.settle_waits(state);
                let delta = self.next_deadline(state).unwrap_or(0);
                let moment = self.times.things[state[self.clock()] as usize];
                for (process, place) in (0..processes as ProcessId).zip(state.iter_mut()) {
                    let info = &self.stands.things[*place as usize].info;
                    let segment = &self.stands.things[*place as usize].segment;
                    let begins = info.running && segment.machine.has_signals() && !info.stopped && !segment.within;
                    if info.running && (info.left.is_some() || info.alarm.is_some()) || begins {
                        let mut segment = segment.clone();
                        segment.pass(delta);
                        segment.within |= begins;
                        *place = self.number(process, segment);
                    }
                }
                if self.clocked {
                    let clock = self.clock();
                    state[clock] = self.moment(moment + delta);
                }
            }
            Kind::Die | Kind::Kill => {
                if step.kind == Kind::Kill {
                    let clock = self.clock();
                    state[clock] = self.moment(self.times.things[state[clock] as usize] | SPENT);
                }
                let mut segment = self.stands.things[state[process as usize] as usize].segment.clone();
                let sent = segment.deadly().nth(step.branch as usize);
                let signal = sent.filter(|_| step.kind == Kind::Die).unwrap_or(libc::SIGKILL);
                segment.stage = Stage::Ended(ProcessEnd::Killed(signal));
                state[process as usize] = self.number(process, segment);
                let traits = self.traits;
                settle(&mut Row { space: self, state }, traits, process, &Effects::default());
            }
            Kind::Handle if step.branch == RINGS => {
                let traits = self.traits;
                let mut row = Row { space: self, state };
                row.change(process, &mut ProcessState::ring);
                settle(&mut row, traits, process, &Effects::default());
            }
            Kind::Handle => Row { space: self, state }.handle(process, step.branch == 1),
            Kind::Wake => {
                let clock = self.clock();
                if let Some((object, share)) = self.woken(state, process) {
                    state[clock] = self.moment(self.times.things[state[clock] as usize] + WOKEN);
                    let mut row = Row { space: self, state };
                    row.change(process, &mut |segment| segment.set_share(object, share));
                }
            }
            Kind::Go | Kind::GiveUp | Kind::Arrive => {
                let branch = &self.memo.results[step.result as usize][step.branch as usize];
                let eventful = !branch.plain && branch.more.as_ref().is_some_and(|more| !more.events.is_empty());
                let before = if eventful { state.to_vec() } else { Vec::new() };
                state[process as usize] = branch.segment;
                if branch.object != NONE {
                    state[processes + branch.object as usize] = branch.becomes;
                }
                if !branch.plain {
                    self.follow(state, step, &before);
                }
            }
        }
        self.note_waits(state);
        self.endless.take().map_or(Ok(()), Err)
    }

    /// Does what a branch does besides.
    fn follow(&mut self, state: &mut [u32], step: Transition, before: &[u32]) {
        let branch = &self.memo.results[step.result as usize][step.branch as usize];
        let more = branch.more.as_deref().cloned().unwrap_or_default();
        let processes = self.processes();
        for (object, becomes) in more.objects {
            state[processes + object as usize] = becomes;
        }
        for (other, becomes) in more.others {
            state[other as usize] = becomes;
        }
        self.observe(state, Some(before), step.process, &more.events, &more.script, true);
        let traits = self.traits;
        settle(&mut Row { space: self, state }, traits, step.process, &more.effects);
    }

    /// Lets the memories take in events of a process, the state being what it is after them. `before` is what it was
    /// before the turn whose events they are, and `acting` whether the process has not ended before they are over.
    fn observe(
        &mut self,
        state: &mut [u32],
        before: Option<&[u32]>,
        process: ProcessId,
        events: &[Event],
        script: &[u32],
        acting: bool,
    ) {
        if self.memories.is_none() || events.is_empty() {
            return;
        }
        let now = self.now(state);
        let moment = Moment { now, script, acting: acting.then_some(process) };
        // What events further on change has not changed yet.
        let mut done: Vec<ObjectId> = Vec::new();
        for event in events {
            let mut event = event.clone();
            // The events of processes that are alike are those of the first that took the step. Its begin and end are
            // about the process itself.
            let own = Target::Process(event.id.process());
            event.id = EventId::new(process, event.id.number());
            if event.step.is_none() && event.target == own {
                event.target = Target::Process(process);
            }
            if let Target::Object(object) = event.target {
                done.push(object);
            }
            let old = before.map(|before| (before, done.as_slice()));
            self.remember(state, old, |memories, sight| memories.observe(sight, &event, moment));
        }
    }

    /// Notes which processes have to wait now, of those of which conditions ask it.
    fn note_waits(&mut self, state: &mut [u32]) {
        let Some(memories) = self.memories.as_deref().filter(|memories| memories.asks_of_waits()) else { return };
        for process in memories.waiters().collect::<Vec<_>>() {
            let Stand { segment, info, .. } = &self.stands.things[state[process as usize] as usize];
            let noted = segment.note(WAITED);
            let waits = match () {
                () if !info.running || noted == SURELY => continue,
                () if segment.parked || segment.given_up => SURELY,
                // What is stopped comes to no step.
                () if info.stopped || noted == MAYBE || !self.has_to_wait(state, process) => continue,
                () => MAYBE,
            };
            Row { space: self, state }.change(process, &mut |segment| segment.set_note(WAITED, waits));
        }
    }

    /// Time passes, so every process that is not stopped has come to the step that it could not take.
    fn settle_waits(&mut self, state: &mut [u32]) {
        let Some(memories) = self.memories.as_deref().filter(|memories| memories.asks_of_waits()) else { return };
        for process in memories.waiters().collect::<Vec<_>>() {
            let Stand { segment, info, .. } = &self.stands.things[state[process as usize] as usize];
            if segment.note(WAITED) == MAYBE && !info.stopped {
                Row { space: self, state }.change(process, &mut |segment| segment.set_note(WAITED, SURELY));
            }
        }
    }

    /// Whether the process stands at a step that it cannot take now.
    fn has_to_wait(&mut self, state: &[u32], process: ProcessId) -> bool {
        let next = self.stands.things[state[process as usize] as usize].info.next.operation();
        if next.is_none_or(|next| !next.can_wait() || next.willing == Willing::Never) {
            return false;
        }
        // What is looked up must be there for good.
        let lasts = self.lasts(state);
        let result = if lasts { self.result(state, process, false) } else { self.compute(state, process, false) };
        self.memo.results[result as usize].is_empty()
    }

    /// Whether no number of a state is one for the time being.
    fn lasts(&self, state: &[u32]) -> bool {
        let (processes, objects) = state[..self.clock()].split_at(self.processes());
        processes.iter().all(|number| (*number as usize) < self.stands.things.len())
            && objects.iter().zip(&self.shapes).all(|(number, shapes)| (*number as usize) < shapes.things.len())
            && (state[self.clock()] as usize) < self.times.things.len()
    }

    fn remember(
        &mut self,
        state: &mut [u32],
        before: Option<(&[u32], &[ObjectId])>,
        take: impl FnOnce(&mut History<'p>, &mut dyn StateView),
    ) {
        if let Some(mut memories) = self.memories.take() {
            take(&mut memories, &mut Eye { row: Row { space: self, state }, before });
            self.memories = Some(memories);
        }
    }

    /// A log for a turn, where something is kept of its events. To be put back.
    fn log(&mut self) -> Option<Log> {
        self.memories.as_ref()?;
        Some(self.log.take().unwrap_or_else(|| Log::new(self.plan.processes.len())))
    }

    /// A way on as a step of a path.
    pub fn step(&self, step: Transition) -> Step {
        Step { process: step.process, kind: step.kind, choices: self.script(step) }
    }

    /// The choices that a way on makes.
    pub(super) fn script(&self, step: Transition) -> Vec<u32> {
        match step.kind {
            Kind::Go | Kind::GiveUp | Kind::Arrive => self.memo.results[step.result as usize][step.branch as usize]
                .more
                .as_ref()
                .map_or_else(Vec::new, |more| more.script.clone()),
            Kind::Die | Kind::Handle => vec![step.branch],
            Kind::Tick | Kind::Kill | Kind::Wake => Vec::new(),
        }
    }

    /// Where the process stands behind its turn, before what follows from that.
    pub(super) fn segment_behind(&self, step: Transition) -> u32 {
        self.memo.results[step.result as usize][step.branch as usize].segment
    }

    /// What is known of where a process stands.
    pub(super) fn info(&self, number: u32) -> &Info {
        &self.stands.things[number as usize].info
    }

    /// Where a process stands.
    pub(super) fn segment_of(&self, number: u32) -> &ProcessState<'p> {
        &self.stands.things[number as usize].segment
    }

    /// The state of an object.
    pub(super) fn object_of(&self, object: ObjectId, number: u32) -> &dyn Model {
        &*self.shapes[object as usize].things[number as usize]
    }

    /// The object as a state has it, with every process's share of it.
    pub(super) fn object_in(&self, state: &[u32], object: ObjectId) -> (&dyn Model, Vec<u32>) {
        let processes = self.processes();
        let shares = state[..processes].iter().map(|number| self.segment_of(*number).share(object)).collect();
        (self.object_of(object, state[processes + object as usize]), shares)
    }

    /// Whether nothing is kept of what came before a state.
    pub(super) fn is_plain(&self) -> bool {
        self.memories.is_none() && !self.leeway.kill && self.leeway.spurious == 0
    }

    /// Says whether a process was found to compute without end.
    ///
    /// # Errors
    /// That process.
    pub(super) fn check(&mut self) -> Result<(), ModelError> {
        self.endless.take().map_or(Ok(()), Err)
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.weight + self.memo.weight + self.memories.as_ref().map_or(0, |memories| memories.bytes())
    }

    /// A copy for another thread, which knows what turns do that are in the memo. As long as there is a copy, no number
    /// that is given out lasts.
    pub(super) fn fork(&self, mut memo: Memo) -> Self {
        memo.heat(&self.stands);
        Self {
            plan: self.plan,
            leeway: self.leeway,
            knowledge: Arc::clone(&self.knowledge),
            reached: Arc::clone(&self.reached),
            visible: self.visible.clone(),
            ends: self.ends.clone(),
            begins: self.begins.clone(),
            traits: self.traits,
            spares: self.spares,
            clocked: self.clocked,
            classes: self.classes.clone(),
            stands: self.stands.clone(),
            shapes: self.shapes.clone(),
            times: self.times.clone(),
            memo,
            key: Vec::new(),
            names: Vec::new(),
            log: None,
            endless: None,
            budget: Arc::clone(&self.budget),
            weight: 0,
            memories: self.memories.clone(),
        }
    }

    /// What a copy has come to know of turns.
    pub(super) fn into_memo(self) -> Memo {
        self.memo
    }
}

/// By process, those that can stand in the same places: those of a program that never asks who it is, or else each its
/// own. `output`: whether what they print counts.
fn classes(plan: &Plan, leeway: Nondeterminism, output: bool) -> Vec<u32> {
    let class = |(id, process): (usize, &ProcessPlan)| {
        let program = &plan.programs[process.program];
        if has_identity(program, !leeway.random, output) { id as u32 } else { program.first }
    };
    plan.processes.iter().enumerate().map(class).collect()
}

/// The objects that a step touches besides its own.
pub(super) fn touched(plan: &Plan, object: ObjectId, verb: u8) -> impl Iterator<Item = ObjectId> {
    let mut objects: Vec<_> =
        plan.objects[object as usize].object.touches(verb).into_iter().map(|(other, _)| other).collect();
    objects.sort_unstable();
    objects.dedup();
    objects.into_iter()
}

/// How a process is, as others see it.
pub(super) fn post(segment: &ProcessState<'_>) -> ProcessStatus {
    ProcessStatus { stage: segment.stage, starter: segment.starter, joined: segment.joined, ready: segment.ready }
}

/// The objects of a plan before anything has happened.
pub(super) fn models(plan: &Plan) -> Vec<Box<dyn Model>> {
    let object = |((object, holders), verbs): ((&ObjectPlan, Vec<u32>), u64)| {
        let mut model = object.object.model(&holders);
        model.narrow(verbs);
        model
    };
    plan.objects.iter().zip(plan.holders()).zip(plan.verbs()).map(object).collect()
}

/// A process before it begins. First values that cannot be computed end it as it begins, as on the kernel.
pub(super) fn segment(plan: &Plan, process: ProcessId) -> ProcessState<'_> {
    match Machine::new(plan, process, pid(process)) {
        Ok(machine) => ProcessState::new(machine, false),
        Err(_) => ProcessState::new(Machine::failed(plan, process, pid(process)), true),
    }
}
