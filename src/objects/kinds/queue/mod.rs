//! The kind `queue`: messages in the order they were put, or by priority; over `mq_open(3)`, `msgget(2)` or shared
//! memory.

mod memory;
mod model;
mod order;
mod posix;
mod promela;
mod replay;
mod sync_clock;
mod sysv;
#[cfg(test)]
mod tests;
mod waiters;

use std::any::Any;
use std::cell::{Cell, OnceCell};
use std::ops::Range;
use std::rc::Rc;

use super::pipe::message_length;
use crate::event::{Event, ObjectId, ProcessId};
use crate::objects::causality::sync_clock::Handover;
use crate::objects::support::turn;
use crate::objects::{
    Access, Argument, Attribute, Call, Caller, Completion, CreateContext, Declaration, Effect, Element, Enablers, Form,
    HostError, Kind, Live, Model, Object, Patience, Problem, Relation, State, Verb,
};
use crate::os::arena::Shared;
use crate::os::mqueue::PRIORITY_MAX;
use crate::outcome::Outcome;
use crate::value::{Types, Value, decode, encode};
use memory::Memory;
use posix::Posix;
use replay::Content;
use sysv::Sysv;
use waiters::Tally;

const PUT: &str = "put";
const GET: &str = "get";
const SIZE: &str = "size";
const DONE: &str = "done";
const WAIT: &str = "wait";

/// The verbs, by their places in [`KIND`].
const PUT_AT: u8 = 0;
const GET_AT: u8 = 1;
const SIZE_AT: u8 = 2;
const DONE_AT: u8 = 3;
const WAIT_AT: u8 = 4;

/// The longest message of a queue of the kernel, where nothing else is said.
const MESSAGE_SIZE: u64 = 1024;
/// The most that can be asked for: the kernel's own hard limit for POSIX queues.
const LARGEST_MESSAGE: u64 = (1 << 24) - posix::OVERHEAD;
/// The bytes before an encoding, for what a transport writes there.
const PREFIX: usize = 24;

/// The reference entry and the maker of queues.
pub(crate) static KIND: Kind = Kind {
    name: "queue",
    summary: "messages from any process to any other, first in first out, or the highest priority first",
    primitive: "`via = \"posix\"`: mq_open(3), mq_send(3), mq_receive(3) (see mq_overview(7)). `via = \"sysv\"`: \
                msgget(2), msgsnd(2), msgrcv(2), each message padded to `message_size`, msg_qbytes set to hold \
                `capacity` of them. `via = \"memory\"`: no queue of the kernel, but a ring in shared memory (mmap(2)) \
                with futex(2) to wait",
    attributes: &[
        Attribute {
            name: "capacity",
            form: Form::Integer(1, memory::MOST_MESSAGES as i64),
            default: "",
            required: false,
            summary: "the number of messages it holds; a `put` into a full queue waits. Without it the queue has no bound, \
                      and is `via = \"memory\"`",
        },
        Attribute {
            name: "message_size",
            form: Form::Size,
            default: "",
            required: false,
            summary: "the longest message in bytes; a longer one is `too_big`. 1024 with `via` posix and sysv, any \
                      length with memory",
        },
        Attribute {
            name: "via",
            form: Form::Choice(&["posix", "sysv", "memory"]),
            default: "\"posix\" with `capacity`, else \"memory\"",
            required: false,
            summary: "the implementation; posix and sysv have priorities and the kernel's limits",
        },
    ],
    verbs: &[
        Verb {
            name: PUT,
            effect: Effect::Puts,
            summary: "adds a message; waits while the queue is full",
            arguments: &[
                Argument {
                    name: "value",
                    form: Form::Value(Types::ANY),
                    required: true,
                    summary: "the message: any value",
                },
                Argument {
                    name: "priority",
                    form: Form::Integer(0, PRIORITY_MAX as i64),
                    required: false,
                    summary: "0 (the default) to 32767, the highest is received first. Not with `via = \"memory\"`",
                },
            ],
            ends: &[],
            element: Element::Never,
            blocks: true,
            result: Types::NONE,
            outcomes: &[Outcome::TOO_BIG, Outcome::INVALID],
        },
        Verb {
            name: GET,
            effect: Effect::Gets,
            summary: "removes the oldest message of the highest priority; waits while there is none",
            arguments: &[
                Argument { name: "into", form: Form::Into, required: false, summary: "a variable for the message" },
                Argument {
                    name: "priority_into",
                    form: Form::Second,
                    required: false,
                    summary: "a variable for its priority; null with `via = \"memory\"`",
                },
                Argument {
                    name: "max",
                    form: Form::Integer(0, LARGEST_MESSAGE as i64),
                    required: false,
                    summary: "the size of the buffer in bytes. With posix and sysv, a size under `message_size` ends `too_big`; \
                              with memory, a longer message does, and stays in the queue",
                },
            ],
            ends: &[],
            element: Element::Never,
            blocks: true,
            result: Types::ANY,
            outcomes: &[Outcome::TOO_BIG, Outcome::INVALID],
        },
        Verb {
            name: SIZE,
            effect: Effect::Asks,
            summary: "reads the number of messages in the queue",
            arguments: &[Argument {
                name: "into",
                form: Form::Into,
                required: false,
                summary: "a variable for the number",
            }],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::INT,
            outcomes: &[Outcome::INVALID],
        },
        Verb {
            name: DONE,
            effect: Effect::None,
            summary: "marks one received message as done; `invalid` if all messages that were put are done",
            arguments: &[],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::NONE,
            outcomes: &[Outcome::INVALID],
        },
        Verb {
            name: WAIT,
            effect: Effect::None,
            summary: "waits until every message that was put is done",
            arguments: &[],
            ends: &[],
            element: Element::Never,
            blocks: true,
            result: Types::NONE,
            outcomes: &[Outcome::INVALID],
        },
        Verb {
            name: "close",
            effect: Effect::Closes,
            summary: "closes the queue in this process; later steps of the process on it are `invalid`",
            arguments: &[],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::NONE,
            outcomes: &[Outcome::INVALID],
        },
    ],
    state: ("q", "the list of the messages in it"),
    example: r#"[objects]
q = { kind = "queue", capacity = 5 }

[processes.producer]
steps = [
  { put = "q", value = 3 },
  { put = "q", value = "urgent", priority = 9 },
  { wait = "q" },
]

[processes.consumer]
steps = [
  { size = "q", into = "n" },
  { repeat = 2, do = [
    { get = "q", into = "m", priority_into = "p", timeout = "3s" },
    { done = "q" },
  ] },
  { close = "q" },
]
"#,
    declare,
};

/// What carries the messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Via {
    Posix { capacity: u64, message_size: u64 },
    Sysv { capacity: u64, message_size: u64 },
    Memory { capacity: Option<u64>, message_size: Option<u64> },
}

/// A queue of a scenario.
#[derive(Debug)]
struct Queue {
    via: Via,
}

fn declare(declaration: &Declaration) -> Result<Box<dyn Object>, Vec<Problem>> {
    let mut problems = Vec::new();
    let capacity = declaration.integer("capacity").map(|capacity| {
        if !(1..=memory::MOST_MESSAGES as i64).contains(&capacity) {
            let most = memory::MOST_MESSAGES;
            problems.push(Problem::new("capacity", format!("a queue holds 1 to {most} messages")));
        }
        capacity.max(1) as u64
    });
    let message_size = declaration.integer("message_size").map(|size| {
        if !(1..=LARGEST_MESSAGE as i64).contains(&size) {
            problems.push(Problem::new("message_size", format!("a message is of 1 to {LARGEST_MESSAGE} bytes")));
        }
        size.max(1) as u64
    });
    let word = declaration.word("via").unwrap_or(if capacity.is_some() { "posix" } else { "memory" });
    let via = match (word, capacity) {
        ("memory", _) => Via::Memory { capacity, message_size },
        (_, None) => {
            problems.push(
                Problem::new("via", format!("a queue via {word} has a bound, and no `capacity` is given"))
                    .help("add `capacity`, or use `via = \"memory\"`, which needs none"),
            );
            Via::Memory { capacity, message_size }
        }
        ("sysv", Some(capacity)) => Via::Sysv { capacity, message_size: message_size.unwrap_or(MESSAGE_SIZE) },
        (_, Some(capacity)) => Via::Posix { capacity, message_size: message_size.unwrap_or(MESSAGE_SIZE) },
    };
    if problems.is_empty() { Ok(Box::new(Queue { via })) } else { Err(problems) }
}

impl Queue {
    fn capacity(&self) -> Option<u64> {
        match self.via {
            Via::Posix { capacity, .. } | Via::Sysv { capacity, .. } => Some(capacity),
            Via::Memory { capacity, .. } => capacity,
        }
    }

    fn message_size(&self) -> Option<u64> {
        match self.via {
            Via::Posix { message_size, .. } | Via::Sysv { message_size, .. } => Some(message_size),
            Via::Memory { message_size, .. } => message_size,
        }
    }

    fn has_priorities(&self) -> bool {
        !matches!(self.via, Via::Memory { .. })
    }
}

impl Object for Queue {
    fn foresee(&self, verb: &Verb, _end: Option<&str>, arguments: &[Option<Value>]) -> Option<(Outcome, String)> {
        let argument = |at: usize| arguments.get(at).and_then(Option::as_ref).filter(|value| **value != Value::Null);
        match verb.name {
            PUT => {
                if argument(1).is_some() && !self.has_priorities() {
                    let reason = "a queue via memory has no priorities; `via = \"posix\"` has, with a `capacity`";
                    return Some((Outcome::INVALID, reason.to_owned()));
                }
                let (length, most) = (argument(0)?.message_length() as u64, self.message_size()?);
                (length > most).then(|| {
                    (Outcome::TOO_BIG, format!("the message is of {length} bytes, and `message_size` is {most}"))
                })
            }
            GET => {
                let (max, most) = (argument(2)?.as_int()?, self.message_size()?);
                (self.has_priorities() && max < most as i64).then(|| {
                    (Outcome::TOO_BIG, format!("a buffer of {max} bytes is under the queue's `message_size`, {most}"))
                })
            }
            _ => None,
        }
    }

    fn create(&self, site: &mut CreateContext<'_>) -> Result<Rc<dyn Live>, HostError> {
        let transport: Box<dyn Transport> = match self.via {
            Via::Posix { capacity, message_size } => Box::new(Posix::create(site, capacity, message_size)?),
            Via::Sysv { capacity, message_size } => Box::new(Sysv::create(site, capacity, message_size)?),
            Via::Memory { capacity, message_size } => Box::new(Memory::create(site, capacity, message_size)?),
        };
        let tally = site.arena.alloc::<Tally>().map_err(|error| HostError::call("mmap", &error))?;
        Ok(Rc::new(Channel {
            transport,
            tally,
            message_size: self.message_size(),
            priorities: self.has_priorities(),
            closed: Cell::new(false),
            left: OnceCell::new(),
        }))
    }

    fn state(&self) -> Box<dyn State> {
        Box::new(Content::default())
    }

    fn model(&self, _holders: &[u32]) -> Box<dyn Model> {
        Box::new(model::Messages::new(self))
    }

    fn promela(&self) -> Option<&dyn crate::objects::contract::promela::Promela> {
        Some(self)
    }

    fn commute(&self, first: Access, second: Access) -> bool {
        model::commute(self.has_priorities(), first, second)
    }

    fn has_owner(&self) -> bool {
        false
    }

    fn notices_ends(&self) -> bool {
        false
    }

    fn reorders(&self) -> bool {
        false
    }

    fn touches(&self, _verb: u8) -> Vec<(ObjectId, u8)> {
        Vec::new()
    }

    fn tells_order(&self, _first: Access, _second: Access) -> bool {
        false
    }

    fn restarts(&self, _verb: &Verb, _timed: bool) -> Option<bool> {
        Some(!matches!(self.via, Via::Sysv { .. }))
    }

    fn enablers(&self, verb: &Verb, _end: Option<&str>, _owner: Option<ProcessId>) -> Enablers {
        let verbs: &[&str] = match verb.name {
            PUT => &[GET],
            GET => &[PUT],
            WAIT => &[DONE],
            _ => &[],
        };
        Enablers { verbs, only: None, closing: &[] }
    }

    fn relate(&self, events: &[&Event], relation: &mut Relation) {
        order::draw(events, self.capacity(), self.has_priorities(), relation);
    }

    fn hand_over(&self, handover: &mut Handover<'_>) -> u32 {
        sync_clock::hand_over(self.capacity(), handover)
    }

    fn limit(&self) -> Option<i64> {
        self.capacity().map(|capacity| capacity as i64)
    }
}

/// A message on its way in.
struct Give<'a> {
    event: u64,
    priority: u32,
    /// What `message_size` counts.
    message_length: usize,
    /// [`PREFIX`] bytes of room, then the value's encoding.
    frame: &'a mut Vec<u8>,
}

impl Give<'_> {
    /// The length of the encoding.
    fn length(&self) -> usize {
        self.frame.len() - PREFIX
    }

    /// Fills up behind the encoding, to that length.
    fn pad(&mut self, length: usize) {
        self.frame.resize(PREFIX + length, 0);
    }

    /// The message with these parts before the encoding.
    fn framed(&mut self, parts: &[&[u8]]) -> &mut [u8] {
        let start = PREFIX - parts.iter().map(|part| part.len()).sum::<usize>();
        let mut at = start;
        for part in parts {
            self.frame[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        &mut self.frame[start..]
    }
}

/// A message that came out: where its encoding stands in the buffer, and what came with it.
struct Taken {
    event: u64,
    priority: u32,
    ticket: u64,
    content: Range<usize>,
}

/// Why nothing was put or taken, with the place of that in the queue's order where it has one.
#[derive(Debug)]
struct Refusal {
    errno: i32,
    ticket: u64,
}

impl From<i32> for Refusal {
    fn from(errno: i32) -> Self {
        Self { errno, ticket: 0 }
    }
}

impl From<turn::Refusal> for Refusal {
    fn from(refusal: turn::Refusal) -> Self {
        Self { errno: refusal.errno, ticket: refusal.completion(|count| count).ticket }
    }
}

/// What carries the messages of a queue.
trait Transport {
    /// Puts a message, and gives its ticket.
    fn put(&self, give: &mut Give<'_>, patience: Patience, party: &mut dyn Caller) -> Result<u64, Refusal>;

    /// Takes a message into an empty buffer.
    fn get(
        &self,
        buffer: &mut Vec<u8>,
        max: Option<u64>,
        patience: Patience,
        party: &mut dyn Caller,
    ) -> Result<Taken, Refusal>;

    /// The number of messages, and the ticket of having asked.
    fn size(&self, party: &mut dyn Caller) -> Result<(u64, u64), i32>;

    /// Lets others go on behind a process that a signal has stopped while it waits.
    fn stopped(&self, _process: ProcessId) {}

    /// Puts right what a process left half done that has died.
    fn reclaim(&self, _process: ProcessId) {}

    /// Calls `each` with the encodings of what is left, once no process is.
    fn drain(&self, each: &mut dyn FnMut(&[u8]));
}

/// The priority that a `put` gives, 0 without one; none where it is no priority.
fn priority(argument: &Value, priorities: bool) -> Option<u32> {
    match argument {
        Value::Null => Some(0),
        Value::Int(priority) if priorities && (0..=i64::from(PRIORITY_MAX)).contains(priority) => {
            Some(*priority as u32)
        }
        _ => None,
    }
}

/// The size of the buffer that a `get` gives, if it gives one.
fn buffer_size(argument: &Value) -> Result<Option<u64>, Outcome> {
    match argument {
        Value::Null => Ok(None),
        Value::Int(max) if *max >= 0 => Ok(Some(*max as u64)),
        _ => Err(Outcome::INVALID),
    }
}

/// The kernel's side of a queue.
struct Channel {
    transport: Box<dyn Transport>,
    tally: Shared<Tally>,
    message_size: Option<u64>,
    priorities: bool,
    /// Whether this process has closed it.
    closed: Cell<bool>,
    /// What was left at the end.
    left: OnceCell<Value>,
}

impl Channel {
    fn put(&self, call: &mut Call<'_>) -> Completion {
        let value = &call.arguments[0];
        let Some(priority) = priority(&call.arguments[1], self.priorities) else {
            return Completion::of(Outcome::INVALID);
        };
        let mut frame = call.party.buffer();
        frame.clear();
        frame.resize(PREFIX, 0);
        encode(value, &mut frame);
        let message_length = message_length(value, frame.len() - PREFIX);
        let put = if self.message_size.is_some_and(|most| message_length as u64 > most) {
            Err(Refusal::from(libc::EMSGSIZE))
        } else {
            let mut give = Give { event: call.party.event(), priority, message_length, frame: &mut frame };
            self.transport.put(&mut give, call.patience, call.party)
        };
        call.party.give_back(frame);
        let (outcome, ticket) = match put {
            Ok(ticket) => {
                self.tally.count_put();
                (Outcome::OK, ticket)
            }
            Err(refusal) => (Outcome::from_errno(refusal.errno), refusal.ticket),
        };
        let second = if self.priorities { Value::Int(i64::from(priority)) } else { Value::Null };
        Completion { outcome, value: value.clone(), second, ticket, cause: 0 }
    }

    fn get(&self, call: &mut Call<'_>) -> Completion {
        let max = match buffer_size(&call.arguments[2]) {
            Ok(max) => max,
            Err(outcome) => return Completion::of(outcome),
        };
        let mut buffer = call.party.buffer();
        buffer.clear();
        let got = self.transport.get(&mut buffer, max, call.patience, call.party).and_then(|taken| {
            self.tally.count_get();
            let value = decode(&buffer[taken.content.clone()]).map_err(|_| libc::EBADMSG)?;
            Ok((value, taken))
        });
        call.party.give_back(buffer);
        match got {
            Ok((value, taken)) => Completion {
                second: if self.priorities { Value::Int(i64::from(taken.priority)) } else { Value::Null },
                ticket: taken.ticket,
                cause: taken.event,
                ..Completion::value(value)
            },
            Err(refusal) => Completion::of(Outcome::from_errno(refusal.errno)).ticket(refusal.ticket),
        }
    }

    fn size(&self, call: &mut Call<'_>) -> Completion {
        match self.transport.size(call.party) {
            Ok((size, ticket)) => Completion::value(Value::Int(size as i64)).ticket(ticket),
            Err(errno) => Completion::of(Outcome::from_errno(errno)),
        }
    }
}

impl Live for Channel {
    fn perform(&self, call: &mut Call<'_>) -> Completion {
        if self.closed.get() {
            return Completion::of(Outcome::INVALID);
        }
        match call.verb {
            PUT_AT => self.put(call),
            GET_AT => self.get(call),
            SIZE_AT => self.size(call),
            DONE_AT => self
                .tally
                .done()
                .map_or(Completion::of(Outcome::INVALID), |ticket| Completion::of(Outcome::OK).ticket(ticket)),
            WAIT_AT => match self.tally.wait(call.patience, call.party) {
                Ok(ticket) => Completion::of(Outcome::OK).ticket(ticket),
                Err(refusal) => refusal.completion(|count| count),
            },
            _ => {
                self.closed.set(true);
                Completion::of(Outcome::OK)
            }
        }
    }

    fn stopped(&self, process: ProcessId) {
        self.transport.stopped(process);
    }

    fn reclaim(&self, process: ProcessId) {
        self.transport.reclaim(process);
    }

    fn value(&self) -> Option<Value> {
        let left = self.left.get_or_init(|| {
            let mut left = Vec::new();
            self.transport.drain(&mut |encoding| left.push(decode(encoding).unwrap_or_default()));
            left.into()
        });
        Some(left.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
