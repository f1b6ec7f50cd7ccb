//! The cells of a `value` or an `array` in the model: their words.

use super::{Cells, Change, LOAD, Layout, STORE, Shape, futex};
use crate::event::ObjectId;
use crate::objects::Completion;
use crate::objects::contract::model::{Model, ModelCall, Progress, ShareAccess};
use crate::objects::support::wait_list::Notifications;
use crate::outcome::Outcome;
use crate::value::Value;

/// The words of all cells.
#[derive(Clone)]
pub(super) struct Words {
    pub(super) id: ObjectId,
    pub(super) layout: Layout,
    pub(super) cells: Vec<u64>,
    version: u64,
    pub(super) notifications: Notifications,
}

impl Words {
    pub(super) fn new(cells: &Cells) -> Self {
        Self {
            id: cells.id,
            layout: cells.layout,
            cells: cells.words(),
            version: 0,
            notifications: Notifications::default(),
        }
    }

    pub(super) fn ticket(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    fn one(&mut self, call: &mut ModelCall<'_>, at: usize) -> Result<Completion, Outcome> {
        let scalar = self.layout.scalar;
        let before = *self.cells.get(at).ok_or(Outcome::OUT_OF_RANGE)?;
        let stage = &mut *call.stage;
        let after = scalar.after(call.verb, before, call.arguments, |it| stage.compute(it))?;
        self.cells[at] = after;
        Ok(Change { before, after, ticket: self.ticket() }.completion(scalar, call.verb))
    }

    fn all(&mut self, call: &ModelCall<'_>) -> Result<Completion, Outcome> {
        let value = match call.verb {
            LOAD => self.layout.decode(&self.cells),
            STORE => {
                let argument = call.arguments.first().unwrap_or(&Value::Null);
                self.cells = self.layout.encode(argument)?;
                self.layout.stored(argument, &self.cells)
            }
            _ => return Err(Outcome::INVALID),
        };
        Ok(Completion::value(value).ticket(self.ticket()))
    }
}

/// Whether two steps on the same cells can change places: both only read.
pub(super) fn commute(first: u8, second: u8) -> bool {
    let reads = |verb| matches!(verb, LOAD | futex::WAIT);
    // What wakes touches no cell, and a wake is apart from all but the waits.
    let wake = |one, other| one == futex::WAKE && other != futex::WAIT && other != futex::WAKE;
    reads(first) && reads(second) || wake(first, second) || wake(second, first)
}

impl Model for Words {
    fn copy(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }

    fn exchanged(&self, to: &dyn Fn(ObjectId) -> ObjectId) -> Box<dyn Model> {
        Box::new(Self { id: to(self.id), ..self.clone() })
    }

    fn element(&self, at: u32) -> Option<u64> {
        self.cells.get(at as usize).copied()
    }

    fn arranged(&self, order: &[u32]) -> Box<dyn Model> {
        let cells = order.iter().map(|at| self.cells[*at as usize]).collect();
        Box::new(Self { cells, ..self.clone() })
    }

    fn key(&self, key: &mut Vec<u8>) {
        for word in &self.cells {
            key.extend(word.to_le_bytes());
        }
    }

    fn reach(&self, verb: u8) -> ShareAccess {
        if verb == futex::WAKE { ShareAccess::All } else { ShareAccess::Own }
    }

    fn turns(&self, verb: u8) -> Option<u32> {
        Some(if verb == futex::WAIT { 2 } else { 1 })
    }

    fn step(&mut self, call: &mut ModelCall<'_>) -> Progress {
        if call.verb == futex::WAIT {
            return self.futex_wait(call).unwrap_or_else(Progress::outcome);
        }
        if call.verb == futex::WAKE {
            return self.futex_wake(call).unwrap_or_else(Progress::outcome);
        }
        let at = match call.element {
            None if self.layout.shape == Shape::One => Some(0),
            element => element,
        };
        let done = match at {
            Some(at) => self.one(call, at as usize),
            None => self.all(call),
        };
        Progress::Done(done.unwrap_or_else(Completion::of))
    }

    fn waits_for(&self, _verb: u8, _share: u32) -> Option<(ObjectId, u8)> {
        None
    }

    fn give_up(&mut self, call: &mut ModelCall<'_>) -> Progress {
        self.futex_times_out(call)
    }

    fn wakes(&self, verb: u8, share: u32) -> Option<u32> {
        if verb == futex::WAIT { futex::spurious(share) } else { None }
    }

    fn part(&mut self, share: &mut u32, _held: &[bool], _killed: bool) {
        *share = 0;
    }

    fn value(&self, _shares: &[u32], _names: &[String]) -> Value {
        self.layout.decode(&self.cells)
    }

    fn last(&self, _shares: &[u32]) -> Option<Value> {
        Some(self.layout.decode(&self.cells))
    }
}
