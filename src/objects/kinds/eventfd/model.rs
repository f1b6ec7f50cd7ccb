//! The model of an eventfd: the counter.

use super::{ADD, MOST, POLL, TAKE, amount, shown, taken};
use crate::event::ObjectId;
use crate::objects::Completion;
use crate::objects::contract::model::{Model, ModelCall, Progress, ShareAccess};
use crate::outcome::Outcome;
use crate::value::Value;

#[derive(Clone)]
pub(super) struct Counter {
    value: u64,
    semaphore: bool,
    /// Steps so far that have a ticket.
    ticket: u64,
}

impl Counter {
    pub(super) fn new(value: u32, semaphore: bool) -> Self {
        Self { value: value.into(), semaphore, ticket: 0 }
    }

    fn done(&mut self, completion: Completion) -> Progress {
        self.ticket += 1;
        Progress::Done(completion.ticket(self.ticket))
    }

    fn add(&mut self, call: &ModelCall<'_>) -> Progress {
        let amount = match amount(call.arguments) {
            Ok(amount) => amount,
            Err(outcome) => return Progress::outcome(outcome),
        };
        if amount > MOST - self.value {
            return match call.wait() {
                Progress::Done(done) => Progress::Done(Completion { value: shown(amount), ..done }),
                waits => waits,
            };
        }
        self.value += amount;
        self.done(Completion::value(shown(amount)))
    }

    fn take(&mut self, call: &ModelCall<'_>) -> Progress {
        if self.value == 0 {
            return call.wait();
        }
        let amount = if self.semaphore { 1 } else { self.value };
        self.value -= amount;
        self.done(taken(amount))
    }
}

impl Model for Counter {
    fn copy(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }

    fn exchanged(&self, _to: &dyn Fn(ObjectId) -> ObjectId) -> Box<dyn Model> {
        self.copy()
    }

    fn key(&self, key: &mut Vec<u8>) {
        key.extend(self.value.to_le_bytes());
    }

    fn reach(&self, _verb: u8) -> ShareAccess {
        ShareAccess::Own
    }

    fn turns(&self, _verb: u8) -> Option<u32> {
        Some(1)
    }

    fn step(&mut self, call: &mut ModelCall<'_>) -> Progress {
        match call.verb {
            ADD => self.add(call),
            TAKE => self.take(call),
            POLL if self.value == 0 => call.wait(),
            POLL => self.done(Completion::of(Outcome::OK)),
            _ => Progress::outcome(Outcome::INVALID),
        }
    }

    fn give_up(&mut self, call: &mut ModelCall<'_>) -> Progress {
        let value = amount(call.arguments).map_or(Value::Null, shown);
        let value = if call.verb == ADD { value } else { Value::Null };
        Progress::Done(Completion { value, ..Completion::of(Outcome::TIMEOUT) })
    }

    fn waits_for(&self, _verb: u8, _share: u32) -> Option<(ObjectId, u8)> {
        None
    }

    fn part(&mut self, _share: &mut u32, _held: &[bool], _killed: bool) {}

    fn value(&self, _shares: &[u32], _names: &[String]) -> Value {
        shown(self.value)
    }

    fn last(&self, _shares: &[u32]) -> Option<Value> {
        Some(shown(self.value))
    }
}

#[cfg(test)]
mod tests;
