//! A queue in the model: its messages, in the order in which they will come out.
//!
//! A process that waits may continue first, and a newcomer may overtake it. A queue via memory whose ring has no room
//! left ends `ENOSPC` by the words in use: what the ring leaves unused at its end is not counted.

use super::memory::{record, ring};
use super::{DONE_AT, GET_AT, PUT_AT, Queue, SIZE_AT, Via, WAIT_AT, buffer_size, message_length, priority};
use crate::event::ObjectId;
use crate::objects::Completion;
use crate::objects::contract::model::{Model, ModelCall, Progress, ShareAccess, Willing};
use crate::objects::contract::operation::Access;
use crate::outcome::Outcome;
use crate::value::{Value, encode};

/// In a process's share: it has closed the queue.
const CLOSED: u32 = 1;

/// The place of `priority` among the arguments of `put`, as a bit.
const PRIORITY: usize = 1;

/// The messages, and what is counted of them.
#[derive(Clone)]
pub(super) struct Messages {
    via: Via,
    /// Nothing is limitless: a queue without capacity holds what can be numbered.
    capacity: u64,
    message_size: Option<u64>,
    /// The next to come out first.
    queued: Vec<Message>,
    puts: u64,
    dones: u64,
    /// Whether a step waits for `done`.
    counted: bool,
    /// What has been done to a queue via memory.
    ticket: u64,
}

#[derive(Clone)]
struct Message {
    event: u64,
    priority: u32,
    value: Value,
    /// What it takes of the ring of a queue via memory.
    words: u64,
}

impl Messages {
    pub(super) fn new(queue: &Queue) -> Self {
        Self {
            via: queue.via,
            capacity: queue.capacity().unwrap_or(super::memory::MOST_MESSAGES),
            message_size: queue.message_size(),
            queued: Vec::new(),
            puts: 0,
            dones: 0,
            counted: true,
            ticket: 0,
        }
    }

    fn has_priorities(&self) -> bool {
        !matches!(self.via, Via::Memory { .. })
    }

    /// The place of what was done last: a queue of the kernel counts nothing.
    fn count(&mut self) -> u64 {
        self.ticket += u64::from(!self.has_priorities());
        self.ticket
    }

    /// How a `put` ends, whatever came of it.
    fn put_ends(&self, call: &ModelCall<'_>, priority: u32, outcome: Outcome, ticket: u64) -> Progress {
        let second = if self.has_priorities() { Value::Int(i64::from(priority)) } else { Value::Null };
        Progress::Done(Completion { outcome, value: call.arguments[0].clone(), second, ticket, cause: 0 })
    }

    fn put(&mut self, call: &ModelCall<'_>) -> Progress {
        let Some(priority) = priority(&call.arguments[1], self.has_priorities()) else {
            return Progress::outcome(Outcome::INVALID);
        };
        let value = &call.arguments[0];
        let mut encoding = Vec::new();
        encode(value, &mut encoding);
        if self.message_size.is_some_and(|most| message_length(value, encoding.len()) as u64 > most) {
            return self.put_ends(call, priority, Outcome::TOO_BIG, 0);
        }
        let words = record(encoding.len() as u64);
        let room = match self.via {
            Via::Memory { capacity, message_size } => ring(capacity, message_size),
            _ => u64::MAX,
        };
        if words > room {
            let ticket = self.count();
            return self.put_ends(call, priority, Outcome::TOO_BIG, ticket);
        }
        if self.queued.len() as u64 >= self.capacity {
            return match call.wait() {
                Progress::Done(done) => {
                    let ticket = self.count();
                    self.put_ends(call, priority, done.outcome, ticket)
                }
                waits => waits,
            };
        }
        let ticket = self.count();
        if self.queued.iter().map(|message| message.words).sum::<u64>() + words > room {
            return self.put_ends(call, priority, Outcome::from_errno(libc::ENOSPC), ticket);
        }
        let at = self.queued.partition_point(|before| before.priority >= priority);
        self.queued.insert(at, Message { event: call.event, priority, value: value.clone(), words });
        self.puts += 1;
        self.put_ends(call, priority, Outcome::OK, ticket)
    }

    fn get(&mut self, call: &ModelCall<'_>) -> Progress {
        let max = match buffer_size(&call.arguments[2]) {
            Ok(max) => max,
            Err(outcome) => return Progress::outcome(outcome),
        };
        let less = |most: Option<u64>| max.is_some_and(|max| most.is_some_and(|most| max < most));
        // Posix looks at the buffer before all else, the others at the message that is to go into it.
        if matches!(self.via, Via::Posix { .. }) && less(self.message_size) {
            return Progress::outcome(Outcome::TOO_BIG);
        }
        let Some(first) = self.queued.first() else {
            return match call.wait() {
                Progress::Done(done) => Progress::Done(done.ticket(self.count())),
                waits => waits,
            };
        };
        let length = match self.via {
            Via::Memory { .. } => Some(first.value.message_length() as u64),
            _ => self.message_size,
        };
        if less(length) {
            return Progress::Done(Completion::of(Outcome::TOO_BIG).ticket(self.count()));
        }
        let Message { event, priority, value, .. } = self.queued.remove(0);
        let second = if self.has_priorities() { Value::Int(i64::from(priority)) } else { Value::Null };
        Progress::Done(Completion { second, ticket: self.count(), cause: event, ..Completion::value(value) })
    }

    fn done(&mut self) -> Progress {
        if self.dones >= self.puts {
            return Progress::outcome(Outcome::INVALID);
        }
        self.dones += 1;
        Progress::Done(Completion::of(Outcome::OK).ticket(self.dones))
    }

    fn wait(&self, call: &ModelCall<'_>) -> Progress {
        if self.dones < self.puts {
            return call.wait();
        }
        Progress::Done(Completion::of(Outcome::OK).ticket(self.dones))
    }

    fn list(&self) -> Value {
        self.queued.iter().map(|message| message.value.clone()).collect::<Vec<_>>().into()
    }
}

/// Whether two steps can change places where neither has to wait.
///
/// A put can with a get where the message that comes out is the same either way: always without priorities, and where
/// the put gives none, since the lowest goes behind all that are there. Two puts differ in the order of their messages,
/// two gets in which message each has.
///
/// A queue via memory whose ring is all but full is left out of account: there a get makes the room that a put needs
/// that would else end `ENOSPC`.
pub(super) fn commute(priorities: bool, first: Access, second: Access) -> bool {
    let put = if first.verb == PUT_AT { first } else { second };
    match (first.verb.min(second.verb), first.verb.max(second.verb)) {
        (PUT_AT, GET_AT) => !priorities || !put.given.has(PRIORITY),
        (PUT_AT, PUT_AT | SIZE_AT | DONE_AT | WAIT_AT) | (GET_AT, GET_AT | SIZE_AT) | (DONE_AT, DONE_AT) => false,
        _ => true,
    }
}

impl Model for Messages {
    fn copy(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }

    fn exchanged(&self, _to: &dyn Fn(ObjectId) -> ObjectId) -> Box<dyn Model> {
        self.copy()
    }

    fn messages(&mut self) -> Option<Vec<&mut Value>> {
        Some(self.queued.iter_mut().map(|message| &mut message.value).collect())
    }

    fn key(&self, key: &mut Vec<u8>) {
        key.extend((self.queued.len() as u32).to_le_bytes());
        for message in &self.queued {
            if self.has_priorities() {
                key.extend((message.priority as u16).to_le_bytes());
            }
            encode(&message.value, key);
        }
        if self.counted {
            key.extend((self.puts - self.dones).to_le_bytes());
        }
    }

    fn narrow(&mut self, verbs: u64) {
        self.counted = verbs & (1 << DONE_AT | 1 << WAIT_AT) != 0;
    }

    fn reach(&self, _verb: u8) -> ShareAccess {
        ShareAccess::Own
    }

    fn turns(&self, _verb: u8) -> Option<u32> {
        Some(1)
    }

    fn step(&mut self, call: &mut ModelCall<'_>) -> Progress {
        if call.mine() & CLOSED != 0 {
            return Progress::outcome(Outcome::INVALID);
        }
        match call.verb {
            PUT_AT => self.put(call),
            GET_AT => self.get(call),
            SIZE_AT => {
                let size = Value::Int(self.queued.len() as i64);
                Progress::Done(Completion::value(size).ticket(self.count()))
            }
            DONE_AT => self.done(),
            WAIT_AT => self.wait(call),
            _ => {
                call.set_mine(call.mine() | CLOSED);
                Progress::outcome(Outcome::OK)
            }
        }
    }

    fn give_up(&mut self, call: &mut ModelCall<'_>) -> Progress {
        debug_assert_eq!(call.willing, Willing::Timed);
        match call.verb {
            PUT_AT => {
                let ticket = self.count();
                let priority = priority(&call.arguments[1], self.has_priorities()).unwrap_or(0);
                self.put_ends(call, priority, Outcome::TIMEOUT, ticket)
            }
            GET_AT => Progress::Done(Completion::of(Outcome::TIMEOUT).ticket(self.count())),
            _ => Progress::outcome(Outcome::TIMEOUT),
        }
    }

    fn waits_for(&self, _verb: u8, _share: u32) -> Option<(ObjectId, u8)> {
        None
    }

    fn part(&mut self, _share: &mut u32, _held: &[bool], _killed: bool) {}

    fn value(&self, _shares: &[u32], _names: &[String]) -> Value {
        self.list()
    }

    fn size(&self, _shares: &[u32]) -> Option<i64> {
        Some(self.queued.len() as i64)
    }

    fn last(&self, _shares: &[u32]) -> Option<Value> {
        Some(self.list())
    }
}

#[cfg(test)]
mod tests;
