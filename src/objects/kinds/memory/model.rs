//! The model of a memory: its bytes. How much of it a process has mapped is that process's share.

use super::{Contents, Memory, RESIZE, SIZE, Step, resized, ticket, wanted};
use crate::event::ObjectId;
use crate::objects::Completion;
use crate::objects::contract::model::{Model, ModelCall, Progress, ShareAccess};
use crate::outcome::Outcome;
use crate::value::Value;

#[derive(Clone)]
pub(super) struct Mapped {
    memory: Memory,
    contents: Contents,
    /// Steps so far that have a ticket.
    version: u64,
}

impl Mapped {
    pub(super) fn new(memory: Memory) -> Self {
        Self { memory, contents: Contents::new(memory.size), version: 0 }
    }

    fn ticket(&mut self, length: usize) -> u64 {
        self.version += 1;
        ticket(self.version, length)
    }

    fn on_bytes(&mut self, call: &ModelCall<'_>) -> Result<Completion, Outcome> {
        let mapped = call.mine().checked_sub(1).unwrap_or(self.memory.size);
        let step = Step::of(call.verb, call.element, call.arguments, mapped as usize)?;
        if !step.is_within(self.contents.size) {
            return Ok(Completion::of(Outcome::BUS_ERROR).ticket(self.ticket(0)));
        }
        let (after, completion) = step.apply(&self.contents.read(step.at, step.length), call.arguments)?;
        if let Some(after) = after {
            self.contents.write(step.at, &after);
        }
        Ok(completion.ticket(self.ticket(step.length)))
    }

    /// The share of a process is one more than the bytes that it has mapped, where it has mapped them anew.
    fn resize(&mut self, call: &mut ModelCall<'_>) -> Result<Completion, Outcome> {
        let (old, wanted) = (self.contents.size, wanted(call.arguments)?);
        if !self.memory.is_resizable() {
            return Err(Outcome::INVALID);
        }
        self.contents.resize(wanted);
        call.set_mine(if wanted == self.memory.size { 0 } else { wanted + 1 });
        Ok(resized(old, wanted).ticket(self.ticket(0)))
    }
}

impl Model for Mapped {
    fn copy(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }

    fn exchanged(&self, _to: &dyn Fn(ObjectId) -> ObjectId) -> Box<dyn Model> {
        self.copy()
    }

    fn key(&self, key: &mut Vec<u8>) {
        key.extend(self.contents.size.to_le_bytes());
        key.extend(&self.contents.bytes);
    }

    fn reach(&self, _verb: u8) -> ShareAccess {
        ShareAccess::Own
    }

    fn turns(&self, _verb: u8) -> Option<u32> {
        Some(1)
    }

    fn step(&mut self, call: &mut ModelCall<'_>) -> Progress {
        let done = match call.verb {
            RESIZE => self.resize(call),
            SIZE => Ok(Completion::value(Value::Int(self.contents.size.into())).ticket(self.ticket(0))),
            _ => self.on_bytes(call),
        };
        Progress::Done(done.unwrap_or_else(Completion::of))
    }

    fn waits_for(&self, _verb: u8, _share: u32) -> Option<(ObjectId, u8)> {
        None
    }

    /// What a process has mapped concerns no other.
    fn part(&mut self, _share: &mut u32, _held: &[bool], _killed: bool) {}

    fn value(&self, _shares: &[u32], _names: &[String]) -> Value {
        self.contents.shown()
    }

    fn size(&self, _shares: &[u32]) -> Option<i64> {
        Some(self.contents.size.into())
    }

    fn last(&self, _shares: &[u32]) -> Option<Value> {
        Some(self.contents.shown())
    }
}

#[cfg(test)]
mod tests;
