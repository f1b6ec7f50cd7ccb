//! A semaphore in the model: the number of free permits.

use super::{ACQUIRE, RELEASE, SIZE, Semaphore, Via, count};
use crate::event::ObjectId;
use crate::objects::Completion;
use crate::objects::contract::model::{Access, Model, ModelCall, Progress, ShareAccess};
use crate::outcome::Outcome;
use crate::value::Value;

#[derive(Clone)]
pub(super) struct Permits {
    free: u32,
    most: u32,
    via: Via,
    /// Events so far that have a ticket.
    ticket: u64,
}

impl Permits {
    pub(super) fn new(semaphore: &Semaphore) -> Self {
        Self { free: semaphore.value, most: semaphore.most(), via: semaphore.via, ticket: 0 }
    }

    fn done(&mut self, n: i64) -> Progress {
        self.ticket += 1;
        Progress::Done(Completion::value(Value::Int(n)).ticket(self.ticket))
    }

    fn acquire(&mut self, call: &ModelCall<'_>, n: i64) -> Progress {
        let (most, outcome) = self.via.takes();
        if n > most {
            return Progress::outcome(outcome);
        }
        if n > i64::from(self.free) {
            return call.wait();
        }
        self.free -= n as u32;
        self.done(n)
    }

    fn release(&mut self, n: i64) -> Progress {
        if i64::from(self.free) + n > i64::from(self.most) {
            return Progress::outcome(Outcome::OVERFLOW);
        }
        self.free += n as u32;
        self.done(n)
    }
}

/// Whether two steps can change places where neither has to wait. Giving back and taking can, but where a release may
/// be one too many; two that acquire may compete for the last permit.
pub(super) fn commute(bound: bool, first: Access, second: Access) -> bool {
    match (first.verb, second.verb) {
        (SIZE, SIZE) => true,
        (SIZE, _) | (_, SIZE) | (ACQUIRE, ACQUIRE) => false,
        _ => !bound,
    }
}

impl Model for Permits {
    fn copy(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }

    fn exchanged(&self, _to: &dyn Fn(ObjectId) -> ObjectId) -> Box<dyn Model> {
        self.copy()
    }

    fn key(&self, key: &mut Vec<u8>) {
        key.extend(self.free.to_le_bytes());
    }

    fn reach(&self, _verb: u8) -> ShareAccess {
        ShareAccess::Own
    }

    fn turns(&self, _verb: u8) -> Option<u32> {
        Some(1)
    }

    fn step(&mut self, call: &mut ModelCall<'_>) -> Progress {
        if call.verb == SIZE {
            return self.done(self.free.into());
        }
        match (count(call.arguments), call.verb) {
            (Err(outcome), _) => Progress::outcome(outcome),
            (Ok(0), ACQUIRE | RELEASE) => Progress::Done(Completion::value(Value::Int(0))),
            (Ok(n), ACQUIRE) => self.acquire(call, n),
            (Ok(n), RELEASE) => self.release(n),
            _ => Progress::outcome(Outcome::INVALID),
        }
    }

    fn waits_for(&self, _verb: u8, _share: u32) -> Option<(ObjectId, u8)> {
        None
    }

    fn part(&mut self, _share: &mut u32, _held: &[bool], _killed: bool) {}

    fn value(&self, _shares: &[u32], _names: &[String]) -> Value {
        Value::Int(self.free.into())
    }

    fn size(&self, _shares: &[u32]) -> Option<i64> {
        Some(self.free.into())
    }

    fn last(&self, _shares: &[u32]) -> Option<Value> {
        Some(Value::Int(self.free.into()))
    }
}
