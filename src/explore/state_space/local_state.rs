//! Numbers for local states of processes, states of objects, and times, in the order in which they are first met.

use super::{NONE, StateSpace, touched};
use crate::event::{ObjectId, ProcessId};
use crate::explore::semantics::next_operation::{Next, next};
use crate::explore::semantics::process_state::{ProcessState, Stage};
use crate::explore::semantics::transition::Time;
use crate::objects::Model;
use crate::objects::contract::model::ShareAccess;

/// The properties of a segment that are used often.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Info {
    pub(crate) next: Next,
    pub(crate) left: Option<u64>,
    /// ns left until its alarm.
    pub(crate) alarm: Option<u64>,
    pub(crate) running: bool,
    pub(crate) ended: bool,
    /// Whether it has still to begin, which is a step of its own.
    pub(crate) beginning: bool,
    pub(crate) stopped: bool,
    /// Whether a signal that ends it was sent to it.
    pub(crate) deadly: bool,
    /// Whether a signal is pending that a handler takes, and whether that comes before all else.
    pub(super) handled: bool,
    pub(super) owed: bool,
}

/// What a turn does that depends on one object at most, by that object's state.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Quick {
    /// It is not known yet.
    #[default]
    Unknown,
    /// The process cannot continue.
    Waits,
    /// There is one possibility, and nothing else changes: where the process stands then, what the object is, and the
    /// place among `results`.
    Plain(u32, u32, u32),
    /// It has to be expanded in full: the place of what it does among `results`.
    More(u32),
}

/// What is needed most often of a segment: how its turn is looked up, and what it does where that is known.
#[derive(Clone, Debug)]
pub(super) struct Hot {
    /// How its turn is looked up.
    pub(super) way: Way,
    /// Whether it has to be expanded in full in any case.
    pub(super) special: bool,
    /// By the object's state, or 0.
    pub(super) known: Vec<Quick>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    /// It never moves.
    Still,
    /// It depends on itself alone.
    Alone,
    /// It depends on one object too, whose number stands in that column.
    One(u32),
    /// It depends on more.
    Many,
}

/// Where a process can stand, and what is asked of that again and again.
pub(super) struct Stand<'p> {
    pub(super) segment: ProcessState<'p>,
    pub(super) info: Info,
    /// How its turn is looked up.
    pub(super) way: Way,
    /// Whether it has to be expanded in full in any case.
    pub(super) special: bool,
}

impl<'p> StateSpace<'p> {
    /// What the turn of a process does, where looking it up is all there is to it, and the column of the object that it
    /// changes, or [`NONE`].
    #[inline]
    pub(crate) fn quick(&self, state: &[u32], process: ProcessId) -> (u32, Quick) {
        let hot = &self.memo.hot[state[process as usize] as usize];
        let (column, at) = match hot.way {
            Way::Still => return (NONE, Quick::Waits),
            Way::Alone => (NONE, 0),
            Way::One(column) => (column, state[column as usize] as usize),
            Way::Many => return (NONE, Quick::Unknown),
        };
        if hot.special {
            return (NONE, Quick::Unknown);
        }
        (column, hot.known.get(at).copied().unwrap_or_default())
    }

    /// The number of where a process stands.
    pub(super) fn number(&mut self, process: ProcessId, mut segment: ProcessState<'p>) -> u32 {
        if self.leeway.time == Time::Any && segment.left.is_some() {
            segment.left = Some(0);
        }
        if self.leeway.time == Time::Any && segment.alarm.is_some() {
            segment.alarm = Some(0);
        }
        let program = self.plan.processes[process as usize].program;
        let running = segment.stage == Stage::Running;
        let place = segment.machine.place_in_program();
        let random =
            !self.leeway.random && !matches!(segment.stage, Stage::Ended(_)) && self.knowledge[program].draws(place);
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        key.extend(self.classes[process as usize].to_le_bytes());
        segment.key(random, &mut key);
        let number = match self.stands.find(key.as_slice()) {
            Some(number) => number,
            None => {
                let next = next(&segment, 0);
                let way = match &next {
                    _ if self.clocked && segment.is_due() => Way::Many,
                    Next::Nothing => Way::Still,
                    Next::Border => Way::Alone,
                    Next::Operation(operation) => match operation.object() {
                        None if operation.targets.is_empty() => Way::Alone,
                        None => Way::Many,
                        Some((object, access)) => {
                            let model = self.shapes[object as usize].things.first();
                            let own = model.is_none_or(|model| model.reach(access.verb) == ShareAccess::Own);
                            let alone = touched(self.plan, object, access.verb).next().is_none();
                            if own && alone { Way::One(self.processes() as u32 + object) } else { Way::Many }
                        }
                    },
                };
                let info = Info {
                    next,
                    left: segment.left,
                    alarm: segment.alarm,
                    running,
                    ended: matches!(segment.stage, Stage::Ended(_)),
                    beginning: segment.beginning,
                    stopped: segment.stopped,
                    deadly: segment.deadly().next().is_some(),
                    handled: segment.due(false) | segment.due(true) != 0,
                    owed: segment.owed,
                };
                let timed = segment.left.is_some() || segment.alarm.is_some();
                let special = segment.stopped || timed || !segment.pending.is_empty();
                self.weight += size_of::<Stand<'_>>() + size_of::<Hot>() + 2 * key.len() + 64;
                self.weight += size_of_val(segment.machine.slots());
                let (number, lasts) = self.stands.give(key.as_slice().into(), Stand { segment, info, way, special });
                if lasts {
                    self.memo.heat(&self.stands);
                }
                number
            }
        };
        self.key = key;
        number
    }

    /// The number of an object's state.
    pub(super) fn shape(&mut self, object: ObjectId, model: Box<dyn Model>) -> u32 {
        self.key.clear();
        model.key(&mut self.key);
        let shapes = &mut self.shapes[object as usize];
        if let Some(number) = shapes.find(self.key.as_slice()) {
            return number;
        }
        self.weight += 2 * self.key.len() + 128;
        shapes.give(self.key.as_slice().into(), model).0
    }

    /// The number of a moment.
    pub(super) fn moment(&mut self, time: u64) -> u32 {
        self.times.of(&time)
    }
}
