//! Partial-order reduction: a sufficient subset of the enabled transitions of a state.
//!
//! A part is enough where nothing that the other processes may ever do before it can get in its way (a persistent set,
//! Godefroid): then each end that can be reached can be reached by a step of the part. It is found by closure: a
//! process that could get in the way of a member's step, or unblock a member that waits, becomes a member. What each
//! process may still do comes from [`Footprints`], so the part depends on the state and not on the program alone.
//!
//! A race (two processes that stand before conflicting accesses of one cell) is kept as well: were one of them a
//! member, the other, whose future holds the conflicting access, would be one too.
//!
//! A signal gets in the way of all that its receiver does. So whatever may still send a signal to a member becomes one, and
//! a member before a step that sends one makes its receiver one. What can die of a signal can do so at any time: its death
//! is a part of its future as its steps are. While a process is stopped, nothing is left out.

use std::sync::Arc;

use super::independence::{Footprints, Set, Use, insert, meet, members};
use crate::event::ProcessId;
use crate::explore::base::injected_bugs::{Mutant, mutated};
use crate::explore::semantics::next_operation::Next;
use crate::explore::semantics::transition::Kind;
use crate::explore::state_space::{StateSpace, Transition};
use crate::objects::contract::operation::Access;
use crate::objects::kinds::process::ProcessVerb;
use crate::scenario::plan::Plan;

/// What the reduction knows.
#[derive(Clone)]
pub(crate) struct Ample {
    futures: Arc<Footprints>,
    /// By number of a segment: the uses of its next step.
    steps: Vec<Option<Box<[u32]>>>,
    depends: bool,
    /// Whether steps send signals.
    kills: bool,
    /// By process: whether it may still die of a signal.
    mortal: Vec<bool>,
    members: Vec<bool>,
    stack: Vec<ProcessId>,
    best: Vec<bool>,
    mask: Set,
    first: Vec<u32>,
    /// How many words of sets were compared for the state.
    compared: usize,
}

/// How many words of sets are compared for one state at most: tenths of a second. It bounds the time in which a search can be
/// ended, and depends on the state alone: a state has the same moves whenever they are computed.
const COMPARED: usize = 200_000_000;

impl Ample {
    /// None where processes handle or mask signals: what a handler may do, and where, is not known beforehand. None too where
    /// it matters which process started which, or the budget is spent, which ends the search.
    pub(crate) fn new(space: &StateSpace<'_>) -> Option<Self> {
        let plan = space.plan;
        if plan.observes_parents() {
            return None;
        }
        let futures = Footprints::new(plan, space.tells_causes(), &space.budget)?;
        let processes = plan.processes.len();
        Some(Self {
            mask: futures.empty(),
            futures: Arc::new(futures),
            steps: Vec::new(),
            depends: space.traits.depends,
            kills: space.traits.kills,
            mortal: vec![false; processes],
            members: vec![false; processes],
            stack: Vec::new(),
            best: vec![false; processes],
            first: Vec::new(),
            compared: 0,
        })
    }

    /// Leaves of the moves a part that is enough. `sees` returns whether an expectation observes a process's next step:
    /// then only all of them are enough. Whether any was left out.
    pub(crate) fn reduce(
        &mut self,
        space: &StateSpace<'_>,
        state: &[u32],
        moves: &mut Vec<Transition>,
        sees: &dyn Fn(ProcessId, &Next) -> bool,
    ) -> bool {
        let processes = self.members.len();
        // What comes from outside can come between any two steps.
        if moves.len() < 2 || moves[0].kind == Kind::Tick || space.is_open(state) {
            return false;
        }
        self.compared = if self.kills { processes * processes * self.mask.len() } else { 0 };
        if self.compared > COMPARED || self.kills && !self.look(space, state) {
            return false;
        }
        // Where each process's moves begin; their number is the next one's begin.
        self.first.clear();
        let mut at = 0;
        for process in 0..processes as ProcessId {
            self.first.push(at as u32);
            while at < moves.len() && moves[at].process == process {
                at += 1;
            }
        }
        self.first.push(at as u32);
        let mut best = moves.len();
        for seed in 0..processes as ProcessId {
            if best == 1 || self.compared > COMPARED {
                break;
            }
            if self.can_move(seed)
                && let Some(size) = self.close(space, state, seed, moves, best, sees)
                && size < best
            {
                best = size;
                self.best.copy_from_slice(&self.members);
            }
        }
        if best == moves.len() {
            return false;
        }
        moves.retain(|step| self.best[step.process as usize]);
        true
    }

    /// Finds out which processes may still die of a signal. Whether none is stopped.
    fn look(&mut self, space: &StateSpace<'_>, state: &[u32]) -> bool {
        let processes = self.members.len() as ProcessId;
        for process in 0..processes {
            let info = space.info(state[process as usize]);
            if info.running && info.stopped {
                return false;
            }
            let signals = self.futures.signals(process);
            let sent = || !signals.is_empty() && (0..processes).any(|other| self.may(space, state, other, signals));
            self.mortal[process as usize] = !info.ended && (info.deadly || sent());
        }
        true
    }

    fn can_move(&self, process: ProcessId) -> bool {
        self.first[process as usize] < self.first[process as usize + 1]
    }

    /// The closure of one process, in `members`; how many moves it has, or none where that is no gain.
    fn close(
        &mut self,
        space: &StateSpace<'_>,
        state: &[u32],
        seed: ProcessId,
        moves: &[Transition],
        best: usize,
        sees: &dyn Fn(ProcessId, &Next) -> bool,
    ) -> Option<usize> {
        let plan = space.plan;
        self.members.fill(false);
        self.stack.clear();
        self.members[seed as usize] = true;
        self.stack.push(seed);
        let mut size = 0;
        while let Some(process) = self.stack.pop() {
            let number = state[process as usize];
            let info = space.info(number);
            self.mask.fill(0);
            if info.beginning {
                return None;
            }
            if self.kills && !info.ended && !mutated(Mutant::KillersStayOut) {
                join(&mut self.mask, self.futures.signals(process));
            }
            if let Some(sent) = info.next.operation().filter(|next| next.is(ProcessVerb::Kill)) {
                for other in sent.on_processes() {
                    self.add(other);
                }
            }
            if let Some(asked) = info.next.operation().filter(|next| next.is(ProcessVerb::Status)) {
                for other in asked.on_processes() {
                    let info = space.info(state[other as usize]);
                    if !info.running && !info.ended {
                        // Its gate may open first.
                        self.add(other);
                    }
                }
            }
            if self.can_move(process) {
                let range = self.first[process as usize] as usize..self.first[process as usize + 1] as usize;
                size += range.len();
                if size >= best || sees(process, &info.next) {
                    return None;
                }
                let (deaths, steps): (Vec<Transition>, Vec<Transition>) =
                    moves[range].iter().partition(|step| step.kind == Kind::Die);
                if !deaths.is_empty() {
                    if sees(process, &Next::Border) {
                        return None;
                    }
                    for uses in members(self.futures.death(process)) {
                        join(&mut self.mask, self.futures.conflicts(uses));
                    }
                }
                if mutated(Mutant::DeathsTouchNothing) && steps.is_empty() {
                    self.mask.fill(0);
                } else if steps.is_empty() {
                    self.waits(space, state, number);
                } else {
                    let ends = steps.iter().any(|step| space.info(space.segment_behind(*step)).ended);
                    self.hinders(space, process, number, ends);
                }
            } else if info.running {
                self.waits(space, state, number);
            } else if !info.ended {
                self.starters(plan, process);
            }
            self.compared += self.members.len() * self.mask.len();
            if self.compared > COMPARED {
                return None;
            }
            for other in 0..self.members.len() as ProcessId {
                if !self.members[other as usize] && self.meets(space, state, other) {
                    self.add(other);
                }
            }
        }
        Some(size)
    }

    fn add(&mut self, process: ProcessId) {
        if !std::mem::replace(&mut self.members[process as usize], true) {
            self.stack.push(process);
        }
    }

    /// Whether a process may do something of the mask, or may die so that it would.
    fn meets(&self, space: &StateSpace<'_>, state: &[u32], process: ProcessId) -> bool {
        self.may(space, state, process, &self.mask)
            || self.mortal[process as usize] && meet(self.futures.death(process), &self.mask)
    }

    /// Whether the program of a process may still do something of a set.
    fn may(&self, space: &StateSpace<'_>, state: &[u32], process: ProcessId, set: &Set) -> bool {
        let number = state[process as usize];
        if space.info(number).ended {
            return false;
        }
        let place = space.segment_of(number).machine.place_in_program();
        meet(self.futures.of(process, place), set)
    }

    /// Puts into the mask what could get in the way of a step that can be taken.
    fn hinders(&mut self, space: &StateSpace<'_>, process: ProcessId, number: u32, ends: bool) {
        let steps = self.step(space, number);
        for uses in &steps {
            join(&mut self.mask, self.futures.conflicts(*uses));
        }
        self.steps[number as usize] = Some(steps);
        if ends {
            for uses in self.futures.last(process) {
                join(&mut self.mask, self.futures.conflicts(*uses));
            }
        }
    }

    /// Puts into the mask what could unblock a step that waits; or adds the owner that alone could.
    fn waits(&mut self, space: &StateSpace<'_>, state: &[u32], number: u32) {
        let info = space.info(number);
        if let Some((next, (own, access))) = info.next.operation().and_then(|next| Some((next, next.object()?))) {
            let plan = space.plan;
            let segment = space.segment_of(number);
            let model = space.object_of(own, state[self.members.len() + own as usize]);
            let elsewhere = if segment.parked { model.waits_for(access.verb, segment.share(own)) } else { None };
            let (object, access) = match elsewhere {
                Some((object, verb)) => (object, Access::by_another(verb)),
                None => (own, access),
            };
            let planned = &plan.objects[object as usize].object;
            if planned.has_owner() {
                for other in 0..self.members.len() as ProcessId {
                    let number = state[other as usize];
                    if space.info(number).running && space.segment_of(number).share(object) != 0 {
                        self.add(other);
                    }
                }
                return;
            }
            for uses in self.futures.alike(Use::object(object, access, next.gives_up())) {
                join(&mut self.mask, self.futures.enablers(uses));
            }
            return;
        }
        let steps = self.step(space, number);
        for uses in &steps {
            join(&mut self.mask, self.futures.enablers(*uses));
        }
        self.steps[number as usize] = Some(steps);
    }

    /// Puts into the mask, or adds, what could let a process begin.
    fn starters(&mut self, plan: &Plan, process: ProcessId) {
        if let Some(uses) = self.futures.number(Use::process(process, ProcessVerb::Start)) {
            insert(&mut self.mask, uses);
        }
        if self.depends {
            for (first, count, _) in &plan.program(process).depends_on {
                for other in *first..first + count {
                    self.add(other);
                }
            }
        }
    }

    /// The uses of a segment's next step; to be put back.
    fn step(&mut self, space: &StateSpace<'_>, number: u32) -> Box<[u32]> {
        let at = number as usize;
        if self.steps.len() <= at {
            self.steps.resize(at + 1, None);
        }
        if let Some(known) = self.steps[at].take() {
            return known;
        }
        uses(space, number).iter().flat_map(|uses| self.futures.alike(*uses)).collect()
    }
}

/// The uses of a segment's next step.
pub(crate) fn uses(space: &StateSpace<'_>, number: u32) -> Vec<Use> {
    let Some(next) = space.info(number).next.operation() else { return Vec::new() };
    let gives_up = next.gives_up();
    let touched = next.on_objects().flat_map(|(object, access)| {
        let touched = space.plan.objects[object as usize].object.touches(access.verb);
        touched.into_iter().map(move |(other, verb)| Use::object(other, Access::by_another(verb), gives_up))
    });
    next.accesses().map(|(target, access)| Use { target, access, gives_up }).chain(touched).collect()
}

fn join(set: &mut Set, more: &Set) {
    for (word, more) in set.iter_mut().zip(more) {
        *word |= more;
    }
}
