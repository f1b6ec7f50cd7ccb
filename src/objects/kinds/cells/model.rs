//! The cells of a `value` or an `array` in the model: their words.

use super::{Cells, Change, LOAD, Layout, STORE, Shape};
use crate::event::ObjectId;
use crate::objects::Completion;
use crate::objects::contract::model::{Access, Model, ModelCall, Progress, ShareAccess};
use crate::outcome::Outcome;
use crate::value::Value;

/// The words of all cells.
#[derive(Clone)]
pub(super) struct Words {
    layout: Layout,
    cells: Vec<u64>,
    version: u64,
}

impl Words {
    pub(super) fn new(cells: &Cells) -> Self {
        Self { layout: cells.layout, cells: cells.words(), version: 0 }
    }

    fn one(&mut self, call: &mut ModelCall<'_>, at: usize) -> Result<Completion, Outcome> {
        let scalar = self.layout.scalar;
        let before = *self.cells.get(at).ok_or(Outcome::OUT_OF_RANGE)?;
        let stage = &mut *call.stage;
        let after = scalar.after(call.verb, before, call.arguments, |it| stage.compute(it))?;
        self.version += 1;
        self.cells[at] = after;
        Ok(Change { before, after, ticket: self.version }.completion(scalar, call.verb))
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
        self.version += 1;
        Ok(Completion::value(value).ticket(self.version))
    }
}

/// Whether two steps can change places: both only read, or they are about different cells.
pub(super) fn commute(first: Access, second: Access) -> bool {
    let apart = matches!((first.element, second.element), (Some(first), Some(second)) if first != second);
    apart || first.verb == LOAD && second.verb == LOAD
}

impl Model for Words {
    fn copy(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }

    fn exchanged(&self, _to: &dyn Fn(ObjectId) -> ObjectId) -> Box<dyn Model> {
        self.copy()
    }

    fn element(&self, at: u32) -> Option<u64> {
        self.cells.get(at as usize).copied()
    }

    fn arranged(&self, order: &[u32]) -> Box<dyn Model> {
        let cells = order.iter().map(|at| self.cells[*at as usize]).collect();
        Box::new(Self { cells, ..*self })
    }

    fn key(&self, key: &mut Vec<u8>) {
        for word in &self.cells {
            key.extend(word.to_le_bytes());
        }
    }

    fn reach(&self, _verb: u8) -> ShareAccess {
        ShareAccess::Own
    }

    fn turns(&self, _verb: u8) -> Option<u32> {
        Some(1)
    }

    fn step(&mut self, call: &mut ModelCall<'_>) -> Progress {
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

    fn part(&mut self, _share: &mut u32, _held: &[bool], _killed: bool) {}

    fn value(&self, _shares: &[u32], _names: &[String]) -> Value {
        self.layout.decode(&self.cells)
    }

    fn last(&self, _shares: &[u32]) -> Option<Value> {
        Some(self.layout.decode(&self.cells))
    }
}
