//! A state as what follows from a turn changes it, and as what is kept of the past looks at it.

use super::StateSpace;
use crate::event::{ObjectId, ProcessId};
use crate::explore::base::interner::lasting;
use crate::explore::history::StateView;
use crate::explore::semantics::choice_point::ChoiceScript;
use crate::explore::semantics::event_log::Log;
use crate::explore::semantics::execute::{Actor, Turned};
use crate::explore::semantics::process_events::WorldState;
use crate::explore::semantics::process_state::{ProcessState, Stage};
use crate::explore::semantics::transition::ModelError;
use crate::objects::Model;
use crate::scenario::plan::Plan;
use crate::trace::ProcessEnd;

/// A state as memories see it.
pub(super) struct Eye<'s, 'p, 'b> {
    pub(super) row: Row<'s, 'p>,
    /// The state before the turn, and the objects that have changed since.
    pub(super) before: Option<(&'b [u32], &'b [ObjectId])>,
}

impl StateView for Eye<'_, '_, '_> {
    fn shared(&self, memory: usize) -> u32 {
        self.row.state[self.row.space.clock() + 1 + memory]
    }

    fn set_shared(&mut self, memory: usize, number: u32) {
        let at = self.row.space.clock() + 1 + memory;
        self.row.state[at] = number;
    }

    fn note(&self, process: ProcessId, slot: u32) -> u32 {
        self.row.segment(process).note(slot)
    }

    fn notes(&self, process: ProcessId) -> Vec<(u32, u32)> {
        self.row.segment(process).notes.clone()
    }

    fn set_note(&mut self, process: ProcessId, slot: u32, note: u32) {
        if self.note(process, slot) != note {
            self.row.change(process, &mut |segment| segment.set_note(slot, note));
        }
    }

    fn object(&self, object: ObjectId) -> (&dyn Model, Vec<u32>) {
        let space = &*self.row.space;
        let state: &[u32] = match self.before {
            Some((before, done)) if !done.contains(&object) => before,
            _ => self.row.state,
        };
        space.object_in(state, object)
    }

    fn end(&self, process: ProcessId) -> Option<ProcessEnd> {
        match self.row.segment(process).stage {
            Stage::Ended(end) => Some(end),
            _ => None,
        }
    }
}

/// A state of the space, as it is changed.
pub(super) struct Row<'s, 'p> {
    pub(super) space: &'s mut StateSpace<'p>,
    pub(super) state: &'s mut [u32],
}

impl<'p> WorldState<'p> for Row<'_, 'p> {
    fn plan(&self) -> &'p Plan {
        self.space.plan
    }

    fn segment(&self, process: ProcessId) -> &ProcessState<'p> {
        &self.space.stands.things[self.state[process as usize] as usize].segment
    }

    fn change(&mut self, process: ProcessId, change: &mut dyn FnMut(&mut ProcessState<'p>)) {
        let mut segment = self.segment(process).clone();
        change(&mut segment);
        self.state[process as usize] = self.space.number(process, segment);
    }

    fn part(&mut self, process: ProcessId, object: ObjectId, held: &[bool], killed: bool) {
        let place = self.space.processes() + object as usize;
        let share = self.segment(process).share(object);
        let ends =
            held.iter().enumerate().fold(u64::from(killed), |ends, (end, held)| ends | u64::from(*held) << (end + 1));
        let key = (object, self.state[place], share, ends);
        let (becomes, left) = match self.space.memo.parted.get(&key) {
            Some(known) => *known,
            None => {
                let mut model = self.space.shapes[object as usize].things[self.state[place] as usize].copy();
                let mut left = share;
                model.part(&mut left, held, killed);
                let (becomes, lasts) = lasting(|| self.space.shape(object, model));
                if lasts {
                    self.space.memo.parted.insert(key, (becomes, left));
                }
                (becomes, left)
            }
        };
        self.state[place] = becomes;
        if left != share {
            self.change(process, &mut |segment| segment.set_share(object, left));
        }
    }

    fn begins_apart(&self, process: ProcessId) -> bool {
        self.space.begins[process as usize]
    }

    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method itself is not general enough in its lifetimes"
    )]
    fn begin(&mut self, process: ProcessId) {
        self.by_itself(process, |actor, segment| actor.begin(segment), |log, now| log.begin(process, now));
    }

    fn handle(&mut self, process: ProcessId, within: bool) {
        self.by_itself(process, |actor, segment| actor.handle(segment, within), |_, _| {});
    }

    fn ended(&mut self, process: ProcessId, end: ProcessEnd) -> u64 {
        if let Some(mut log) = self.space.log() {
            let now = self.space.now(self.state);
            log.end(process, now, end.code().unwrap_or(0));
            let events = log.take(process);
            self.space.log = Some(log);
            self.space.observe(self.state, None, process, &events, &[], false);
        }
        0
    }
}

impl<'p> Row<'_, 'p> {
    /// What a process does without any other's doing. `first`: what is recorded before that.
    fn by_itself(
        &mut self,
        process: ProcessId,
        act: impl FnOnce(&mut Actor<'_, 'p>, &mut ProcessState<'p>) -> Turned,
        first: impl FnOnce(&mut Log, u64),
    ) {
        let space = &mut *self.space;
        let mut segment = space.stands.things[self.state[process as usize] as usize].segment.clone();
        let mut parts = space.parts(self.state, process, &[], false);
        let choices = ChoiceScript::default();
        let now = space.now(self.state);
        let mut log = space.log();
        if let Some(log) = &mut log {
            first(log, now);
        }
        let mut actor = Actor {
            plan: space.plan,
            knowledge: &space.knowledge,
            visible: &space.visible,
            ends: &space.ends,
            process,
            now,
            parts: &mut parts,
            choices: &choices,
            random: space.leeway.random,
            log: log.as_mut(),
            reached: Some(&space.reached),
        };
        if let Turned::Lost(trouble) = act(&mut actor, &mut segment) {
            space.endless = Some(ModelError { process, trouble });
        }
        self.state[process as usize] = space.number(process, segment);
        if let Some(mut log) = log {
            let events = log.take(process);
            space.log = Some(log);
            space.observe(self.state, None, process, &events, &[], true);
        }
    }
}
