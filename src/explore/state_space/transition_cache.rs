//! A cache of transitions: computed once, then looked up.

use std::collections::HashMap;

use super::local_state::{Hot, Quick, Stand, Way};
use super::{NONE, StateSpace, post, touched};
use crate::event::{Event, ObjectId, ProcessId};
use crate::explore::base::interner::{Interner, lasting};
use crate::explore::semantics::choice_point;
use crate::explore::semantics::choice_point::ChoiceScript;
use crate::explore::semantics::execute::{Actor, Effects, Parts, ProcessStatus, Turned};
use crate::explore::semantics::next_operation::NextOperation;
use crate::explore::semantics::process_state::{ProcessState, Stage};
use crate::explore::semantics::transition::{ModelError, ModelErrorKind};
use crate::objects::contract::model::ShareAccess;
use crate::objects::contract::operation::VerbId;

/// What is known of what turns do.
#[derive(Debug)]
pub(crate) struct Memo {
    /// By where a process stands.
    pub(super) hot: Vec<Hot>,
    pub(super) results: Vec<Box<[Branch]>>,
    /// By all that a turn depends on: its place among `results`.
    many: HashMap<Box<[u32]>, u32>,
    /// What an object becomes, and a process's share of it, when the process ends.
    pub(super) parted: HashMap<(ObjectId, u32, u32, u64), (u32, u32)>,
    /// About how many bytes it takes.
    pub(super) weight: usize,
}

impl Default for Memo {
    fn default() -> Self {
        // What cannot continue stands first.
        let results = vec![Box::from([])];
        Self { hot: Vec::new(), results, many: HashMap::new(), parted: HashMap::new(), weight: 0 }
    }
}

impl Memo {
    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.weight
    }

    /// Makes room for all places where processes stand.
    pub(super) fn heat(&mut self, stands: &Interner<Box<[u8]>, Stand<'_>>) {
        for number in self.hot.len()..stands.things.len() {
            let Stand { way, special, .. } = stands.things[number];
            self.hot.push(Hot { way, special, known: Vec::new() });
        }
    }
}

/// One possibility of a turn.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    pub(super) segment: u32,
    /// The object that it changes, and what that becomes.
    pub(super) object: ObjectId,
    pub(super) becomes: u32,
    /// Whether nothing else changes.
    pub(super) plain: bool,
    pub(super) more: Option<Box<More>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct More {
    pub(super) objects: Vec<(ObjectId, u32)>,
    pub(super) others: Vec<(ProcessId, u32)>,
    pub(super) effects: Effects,
    pub(super) script: Vec<u32>,
    /// Its events that a process keeps something of.
    pub(super) events: Vec<Event>,
}

impl<'p> StateSpace<'p> {
    /// The place of what a turn does among `results`.
    pub(super) fn result(&mut self, state: &[u32], process: ProcessId, give_up: bool) -> u32 {
        let number = state[process as usize];
        let at = match self.memo.hot[number as usize].way {
            Way::Still => return 0,
            Way::Alone => Some(0),
            Way::One(column) => Some(state[column as usize] as usize),
            Way::Many => None,
        };
        if let (Some(at), false) = (at, give_up) {
            match self.memo.hot[number as usize].known.get(at) {
                Some(Quick::Waits) => return 0,
                Some(Quick::More(result) | Quick::Plain(_, _, result)) => return *result,
                _ => {}
            }
            let (result, lasts) = lasting(|| self.compute(state, process, false));
            // A process that computes without end has to be found again by what expands the state again.
            if !lasts || self.endless.is_some() {
                return result;
            }
            let quick = match &*self.memo.results[result as usize] {
                [] => Quick::Waits,
                [only] if only.plain && only.more.is_none() => Quick::Plain(only.segment, only.becomes, result),
                _ => Quick::More(result),
            };
            let known = &mut self.memo.hot[number as usize].known;
            if known.len() <= at {
                known.resize(at + 1, Quick::Unknown);
            }
            known[at] = quick;
            return result;
        }
        self.name(state, process, give_up);
        if let Some(result) = self.memo.many.get(self.names.as_slice()) {
            return *result;
        }
        let names: Box<[u32]> = self.names.as_slice().into();
        let (result, lasts) = lasting(|| self.compute(state, process, give_up));
        if lasts && self.endless.is_none() {
            self.memo.many.insert(names, result);
        }
        result
    }

    /// Writes down everything that a turn depends on.
    fn name(&mut self, state: &[u32], process: ProcessId, give_up: bool) {
        let processes = self.processes();
        let number = state[process as usize];
        self.names.clear();
        self.names.extend([number, u32::from(give_up)]);
        if let Some(next) = self.stands.things[number as usize].info.next.operation() {
            for (object, access) in next.on_objects() {
                self.names.push(state[processes + object as usize]);
                for touched in touched(self.plan, object, access.verb) {
                    self.names.push(state[processes + touched as usize]);
                }
                let model = &self.shapes[object as usize].things[state[processes + object as usize] as usize];
                if model.reach(access.verb) == ShareAccess::All {
                    self.names.push(process);
                    self.names.extend(&state[..processes]);
                }
            }
            if matches!(next.verb, VerbId::Process(_)) {
                // The process may be among those that it names.
                self.names.push(process);
                self.names.extend(next.on_processes().map(|other| state[other as usize]));
            }
        }
        if self.clocked {
            self.names.push(state[self.clock()]);
        }
    }

    /// Computes what a turn does: every possibility of it.
    pub(super) fn compute(&mut self, state: &[u32], process: ProcessId, give_up: bool) -> u32 {
        let processes = self.processes();
        let number = state[process as usize];
        let mut needed: Vec<ObjectId> = Vec::new();
        let mut all = false;
        let next = self.stands.things[number as usize].info.next.operation();
        let asks = next.is_some_and(|next| matches!(next.verb, VerbId::Process(_)));
        for (object, access) in next.into_iter().flat_map(NextOperation::on_objects) {
            needed.push(object);
            needed.extend(touched(self.plan, object, access.verb));
            let model = self.object_of(object, state[processes + object as usize]);
            all |= model.reach(access.verb) == ShareAccess::All;
        }
        let mut branches: Vec<Branch> = Vec::new();
        let mut choices = Some(ChoiceScript::default());
        let (mut waits, mut drawn) = (false, false);
        while let Some(taken) = choices {
            let mut log = self.log();
            let mut parts = self.parts(state, process, &needed, all);
            if asks {
                parts.posts = self.posts(state);
            }
            let mut segment = self.stands.things[number as usize].segment.clone();
            let now = self.now(state);
            let mut actor = Actor {
                plan: self.plan,
                knowledge: &self.knowledge,
                visible: &self.visible,
                ends: &self.ends,
                process,
                now,
                parts: &mut parts,
                choices: &taken,
                random: self.leeway.random,
                log: log.as_mut(),
                reached: Some(&self.reached),
            };
            let turned = actor.turn(&mut segment, give_up);
            let events = log.as_mut().map(|log| log.take(process)).unwrap_or_default();
            self.log = log;
            match turned {
                Turned::Waits => waits = true,
                Turned::Lost(trouble) => {
                    self.endless = Some(ModelError { process, trouble });
                    return 0;
                }
                Turned::Went { effects, .. } => {
                    let mut more = More { effects, script: taken.script(), ..More::default() };
                    if let Some(memories) = &self.memories {
                        let program = self.plan.program(process);
                        let range = program.first..program.first + program.count.unwrap_or(1);
                        more.events = events;
                        more.events.retain(|event| memories.minds(event, range.clone()));
                    }
                    let branch = self.branch(state, process, segment, parts, &needed, all, more);
                    branches.push(branch);
                }
            }
            drawn |= taken.has_drawn();
            choices = taken.next();
        }
        if waits && drawn && !branches.is_empty() {
            let step = choice_point::step_of(self.stands.things[number as usize].segment.machine.instruction());
            self.endless = Some(ModelError { process, trouble: ModelErrorKind::Waits(step) });
        }
        // What cannot continue stands first.
        if branches.is_empty() {
            return 0;
        }
        self.memo.weight += 64 + branches.len() * size_of::<Branch>();
        self.memo.weight += branches.iter().filter(|branch| branch.more.is_some()).count() * 2 * size_of::<More>();
        self.memo.results.push(branches.into());
        self.memo.results.len() as u32 - 1
    }

    #[expect(clippy::too_many_arguments, reason = "all that a turn has changed")]
    fn branch(
        &mut self,
        state: &[u32],
        process: ProcessId,
        segment: ProcessState<'p>,
        mut parts: Parts,
        needed: &[ObjectId],
        all: bool,
        mut more: More,
    ) -> Branch {
        let ended = matches!(segment.stage, Stage::Ended(_));
        let lets_go = ended
            && (!segment.shares.is_empty()
                || segment.starter.is_some()
                || !self.plan.processes[process as usize].holds.is_empty()
                || self.traits.kills
                || self.memories.is_some());
        if all {
            for other in (0..self.processes() as ProcessId).filter(|other| *other != process) {
                let mut changed = self.stands.things[state[other as usize] as usize].segment.clone();
                let mut same = true;
                for object in needed {
                    let share = parts.shares[*object as usize][other as usize];
                    same &= share == changed.share(*object);
                    changed.set_share(*object, share);
                }
                if !same {
                    let number = self.number(other, changed);
                    more.others.push((other, number));
                }
            }
        }
        let (mut object, mut becomes) = (NONE, NONE);
        for (place, id) in needed.iter().enumerate() {
            let Some(model) = parts.objects[*id as usize].take() else { continue };
            let number = self.shape(*id, model);
            if place == 0 {
                (object, becomes) = (*id, number);
            } else {
                more.objects.push((*id, number));
            }
        }
        let number = self.number(process, segment);
        let plain = more.effects.is_empty()
            && more.objects.is_empty()
            && more.others.is_empty()
            && more.events.is_empty()
            && !lets_go
            && !self.traits.depends
            && self.memories.as_ref().is_none_or(|memories| !memories.asks_of_waits());
        let kept = !plain || !more.script.is_empty();
        Branch { segment: number, object, becomes, plain, more: kept.then(|| Box::new(more)) }
    }

    /// How each process is, as others see it.
    fn posts(&self, state: &[u32]) -> Vec<ProcessStatus> {
        state[..self.processes()].iter().map(|number| post(&self.stands.things[*number as usize].segment)).collect()
    }

    /// What a turn needs of the rest, but for how other processes are.
    pub(super) fn parts(&self, state: &[u32], process: ProcessId, needed: &[ObjectId], all: bool) -> Parts {
        let processes = self.processes();
        let mut parts = Parts {
            objects: self.plan.objects.iter().map(|_| None).collect(),
            shares: vec![Vec::new(); self.plan.objects.len()],
            posts: Vec::new(),
        };
        for object in needed {
            let at = *object as usize;
            parts.objects[at] = Some(self.shapes[at].things[state[processes + at] as usize].copy());
            parts.shares[at] = (0..processes)
                .map(|other| {
                    let wanted = all || other == process as usize;
                    if wanted { self.stands.things[state[other] as usize].segment.share(*object) } else { 0 }
                })
                .collect();
        }
        parts
    }
}
