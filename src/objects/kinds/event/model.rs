//! The model of an event: the flag.

use super::{CLEAR, SET, WAIT};
use crate::event::ObjectId;
use crate::objects::Completion;
use crate::objects::contract::model::{Model, ModelCall, Progress, ShareAccess};
use crate::outcome::Outcome;
use crate::value::Value;

/// The flag, and the number of steps that found or left it so.
#[derive(Clone)]
pub(super) struct EventModel {
    set: bool,
    ticket: u64,
}

impl EventModel {
    pub(super) fn new(set: bool) -> Self {
        Self { set, ticket: 0 }
    }

    /// A step that leaves the flag so.
    fn counted(&mut self, set: bool) -> Progress {
        self.set = set;
        self.ticket += 1;
        Progress::Done(Completion::of(Outcome::OK).ticket(self.ticket))
    }
}

impl Model for EventModel {
    fn copy(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }

    fn exchanged(&self, _to: &dyn Fn(ObjectId) -> ObjectId) -> Box<dyn Model> {
        self.copy()
    }

    fn key(&self, key: &mut Vec<u8>) {
        key.push(self.set.into());
    }

    fn reach(&self, _verb: u8) -> ShareAccess {
        ShareAccess::Own
    }

    fn turns(&self, _verb: u8) -> Option<u32> {
        Some(1)
    }

    fn step(&mut self, call: &mut ModelCall<'_>) -> Progress {
        match call.verb {
            SET => self.counted(true),
            CLEAR => self.counted(false),
            WAIT if self.set => self.counted(true),
            WAIT => call.wait(),
            _ => Progress::outcome(Outcome::INVALID),
        }
    }

    fn waits_for(&self, _verb: u8, _share: u32) -> Option<(ObjectId, u8)> {
        None
    }

    fn part(&mut self, _share: &mut u32, _held: &[bool], _killed: bool) {}

    fn value(&self, _shares: &[u32], _names: &[String]) -> Value {
        Value::Bool(self.set)
    }

    fn last(&self, _shares: &[u32]) -> Option<Value> {
        Some(Value::Bool(self.set))
    }
}

#[cfg(test)]
mod tests;
