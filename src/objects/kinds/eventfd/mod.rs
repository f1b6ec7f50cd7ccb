//! `eventfd`: a counter that processes add to, take from and wait for.
//!
//! The kernel's counter has no numbers, so each step is a turn of its own in which it is tried and counted. None waits in its
//! turn: a step that cannot be done waits until the descriptor is ready, and takes another turn.

mod model;

use std::any::Any;
use std::cell::Cell;
use std::rc::Rc;

use crate::event::{Event, ObjectId, ProcessId};
use crate::objects::causality::happens_before::{Tie, gave_up};
use crate::objects::causality::releases::Joins;
use crate::objects::causality::sync_clock::{Handover, NOTHING};
use crate::objects::contract::operation::Access;
use crate::objects::support::turn::{Refusal, Side};
use crate::objects::{
    Argument, Attribute, Call, Completion, CreateContext, Declaration, Effect, Element, Enablers, Form, HostError,
    Kind, Live, Model, Object, Problem, Relation, State, Verb,
};
use crate::os::arena::Shared;
use crate::os::clock;
use crate::os::descriptor::{Descriptor, wait_readable, wait_writable};
use crate::os::eventfd::{self, MOST};
use crate::outcome::Outcome;
use crate::value::{Types, Value};

const ADD: u8 = 0;
const TAKE: u8 = 1;
const POLL: u8 = 2;

/// How long a step sleeps that finds the counter ready for less than it adds, in ns.
const NAP: u64 = 1_000_000;

pub(crate) static KIND: Kind = Kind {
    name: "eventfd",
    summary: "a counter of the kernel that processes add to, take from and wait for",
    primitive: "eventfd(2), with EFD_SEMAPHORE where `semaphore = true`; read(2), write(2) and ppoll(2) on its descriptor",
    attributes: &[
        Attribute {
            name: "value",
            form: Form::Integer(0, u32::MAX as i64),
            default: "0",
            required: false,
            summary: "the initial counter",
        },
        Attribute {
            name: "semaphore",
            form: Form::Boolean,
            default: "false",
            required: false,
            summary: "whether `take` takes 1 instead of the whole counter",
        },
    ],
    verbs: &[
        Verb {
            name: "add",
            effect: Effect::None,
            summary: "adds to the counter; waits while the sum would be more than 2^64 - 2",
            arguments: &[Argument {
                name: "value",
                form: Form::Integer(0, i64::MAX),
                required: false,
                summary: "the amount; 1 where it is absent",
            }],
            ends: &[],
            element: Element::Never,
            blocks: true,
            result: Types::NONE,
            outcomes: &[Outcome::OUT_OF_RANGE, Outcome::INVALID],
        },
        Verb {
            name: "take",
            effect: Effect::None,
            summary: "takes the counter, which is 0 then, or 1 of it with `semaphore = true`; waits while it is 0",
            arguments: &[Argument {
                name: "into",
                form: Form::Into,
                required: false,
                summary: "a variable for what was taken",
            }],
            ends: &[],
            element: Element::Never,
            blocks: true,
            result: Types::INT,
            outcomes: &[Outcome::OVERFLOW],
        },
        Verb {
            name: "poll",
            effect: Effect::Asks,
            summary: "waits until the counter is not 0, and takes nothing",
            arguments: &[],
            ends: &[],
            element: Element::Never,
            blocks: true,
            result: Types::NONE,
            outcomes: &[],
        },
    ],
    state: ("e", "the counter; the largest int where it is more than that"),
    example: r#"[objects]
work = { kind = "eventfd" }

[processes.producer]
steps = [{ add = "work" }, { add = "work", value = 3 }]

[processes.consumer]
steps = [{ poll = "work", timeout = "1s" }, { take = "work", into = "n" }]
"#,
    declare,
};

#[expect(clippy::unnecessary_wraps, reason = "the signature is every kind's")]
fn declare(declaration: &Declaration) -> Result<Box<dyn Object>, Vec<Problem>> {
    let value = declaration.integer("value").unwrap_or(0).clamp(0, i64::from(u32::MAX)) as u32;
    Ok(Box::new(EventFd { value, semaphore: declaration.boolean("semaphore") }))
}

/// A counter as the plan holds it.
#[derive(Debug)]
struct EventFd {
    value: u32,
    semaphore: bool,
}

/// The argument of `add`.
#[inline]
fn amount(arguments: &[Value]) -> Result<u64, Outcome> {
    match arguments.first() {
        None | Some(Value::Null) => Ok(1),
        Some(Value::Int(n)) => u64::try_from(*n).map_err(|_| Outcome::OUT_OF_RANGE),
        Some(_) => Err(Outcome::INVALID),
    }
}

/// How a `take` ends that has taken that much: an int holds at most 2^63 - 1.
fn taken(amount: u64) -> Completion {
    match i64::try_from(amount) {
        Ok(amount) => Completion::value(Value::Int(amount)),
        Err(_) => Completion::of(Outcome::OVERFLOW),
    }
}

/// A counter as a value.
fn shown(counter: u64) -> Value {
    Value::Int(i64::try_from(counter).unwrap_or(i64::MAX))
}

/// Whether the event took from the counter.
fn takes(event: &Event) -> bool {
    event.verb == "take" && (event.outcome.is_ok() || event.outcome == Outcome::OVERFLOW)
}

/// The slots of a counter's clock state: what the adds gave that can still be taken, and what the takes gave.
const ADDS: usize = 0;
const TAKES: usize = 1;

impl Object for EventFd {
    fn create(&self, site: &mut CreateContext<'_>) -> Result<Rc<dyn Live>, HostError> {
        let fd = eventfd::eventfd(self.value, self.semaphore);
        let fd = Descriptor::new(fd.map_err(|error| HostError::call("eventfd", &error))?);
        let steps = site.arena.alloc().map_err(|error| HostError::call("mmap", &error))?;
        Ok(Rc::new(Counter { fd, steps }))
    }

    fn state(&self) -> Box<dyn State> {
        Box::new(Sum { counter: self.value.into() })
    }

    fn model(&self, _holders: &[u32]) -> Box<dyn Model> {
        Box::new(model::Counter::new(self.value, self.semaphore))
    }

    /// Adds do not, since the last of them can have to wait for room.
    fn commute(&self, first: Access, second: Access) -> bool {
        match (first.verb.min(second.verb), first.verb.max(second.verb)) {
            (ADD, TAKE) => self.semaphore,
            (ADD | POLL, POLL) => true,
            _ => false,
        }
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

    fn restarts(&self, verb: &Verb, timed: bool) -> Option<bool> {
        Some(!timed && verb.name != "poll")
    }

    fn enablers(&self, verb: &Verb, _end: Option<&str>, _owner: Option<ProcessId>) -> Enablers {
        let verbs: &[&str] = if verb.name == "add" { &["take"] } else { &["add"] };
        Enablers { verbs, only: None, closing: &[] }
    }

    /// What is taken is the sum of all adds since the last `take`. With `semaphore` the add that a `take` needs is undefined:
    /// once more is taken than there was at first, every add before is a cause; more than need be, never fewer. So is every
    /// `take` before an `add` that there would have been no room for without any of them.
    fn relate(&self, events: &[&Event], relation: &mut Relation) {
        let places = relation.by_ticket(events, |_| true);
        let of = |wanted: fn(&Event) -> bool| {
            places.iter().copied().filter(|place| wanted(events[*place])).collect::<Vec<_>>()
        };
        let [all_adds, all_takes] = [of(|event| event.verb == "add"), of(takes)];
        let [mut adds, mut takers] = <[Joins; 2]>::default();
        let (mut sum, mut gone) = (u64::from(self.value), 0);
        for place in places.iter().copied() {
            let event = events[place];
            let process = event.id.process();
            let certain = !self.semaphore || gone >= self.value;
            if event.verb == "add" {
                sum = sum.saturating_add(event.value.as_int().unwrap_or(0).unsigned_abs());
                if sum > MOST {
                    takers.take(process, |take| relation.sync(take, place));
                }
                adds.give(process, place);
                continue;
            }
            if certain {
                adds.take(process, |add| relation.sync(add, place));
            }
            if takes(event) {
                gone = gone.saturating_add(1);
                takers.give(process, place);
                if !self.semaphore {
                    adds.forget();
                }
            }
        }
        let empty = |event: &Event| event.verb != "add" && gave_up(event);
        if self.semaphore {
            relation.sees(events, &all_takes, Tie::Reads, empty);
        } else {
            relation.fails(events, &all_takes, 1, empty);
        }
        relation.sees(events, &all_adds, Tie::Reads, |event| event.verb == "add" && gave_up(event));
    }

    /// Holds how many took, up to as many as there was at first, what the adds gave, and where something fails for it what
    /// the takes gave. What is added in large amounts can come to wait for room, whose takes are not held.
    fn hand_over(&self, handover: &mut Handover<'_>) -> u32 {
        let (given, took) = (handover.held.set(ADDS), handover.held.set(TAKES));
        let event = handover.event;
        if !handover.has_ticket() {
            return match event.verb {
                _ if !handover.reads || !gave_up(event) => NOTHING,
                "add" => {
                    *handover.lost = true;
                    NOTHING
                }
                _ => took,
            };
        }
        if event.verb == "add" {
            *handover.lost |= event.value.as_int().is_some_and(|amount| amount > i64::from(u32::MAX));
            let given = handover.join(given, handover.gives);
            handover.held.put(ADDS, given);
            return NOTHING;
        }
        let gone = handover.held.count(0);
        let takes_in = if !self.semaphore || gone >= self.value { given } else { NOTHING };
        if takes(event) {
            if self.semaphore {
                handover.held.set_count(0, gone.saturating_add(1).min(self.value));
            } else {
                handover.held.put(ADDS, NOTHING);
            }
            if handover.reads && handover.tries {
                let gives = handover.join(handover.gives, takes_in);
                let took = if self.semaphore { handover.join(took, gives) } else { gives };
                handover.held.put(TAKES, took);
            }
        }
        takes_in
    }

    /// What takes or looks knows the adds before it.
    fn tells_order(&self, first: Access, second: Access) -> bool {
        (first.verb == ADD) != (second.verb == ADD)
    }
}

/// The kernel's counter, and the turns in which it is used.
struct Counter {
    fd: Descriptor,
    steps: Shared<Side>,
}

impl Counter {
    /// Carries out a step in a turn of its own: what it gave and its place.
    fn step<T>(
        &self,
        call: &mut Call<'_>,
        mut attempt: impl FnMut(i32) -> Result<T, i32>,
        ready: impl Fn(i32, Option<u64>) -> Result<bool, i32>,
    ) -> Result<(T, u64), Refusal> {
        let process = call.party.process();
        let fd = self.fd.raw().map_err(|errno| Refusal { errno, count: 0 })?;
        let sum = Cell::new(0);
        let in_turn = |wait: bool| {
            // A step waits outside of its turn.
            if wait {
                return Err(libc::EAGAIN);
            }
            let turn = self.steps.brief(false, process);
            let done = attempt(fd);
            sum.set(turn.count(done.is_ok().into()));
            done
        };
        let done = call.patience.attempt(call.party, None, in_turn, |until| ready(fd, until));
        done.map(|done| (done, sum.get())).map_err(|errno| Refusal { errno, count: sum.get() })
    }

    fn add(&self, call: &mut Call<'_>) -> Completion {
        let amount = match amount(call.arguments) {
            Ok(amount) => amount,
            Err(outcome) => return Completion::of(outcome),
        };
        let ready = |fd, until: Option<u64>| {
            // The kernel says that there is room where there is room for 1.
            if wait_writable(fd, Some(0))? {
                clock::sleep_until((clock::now() + NAP).min(until.unwrap_or(u64::MAX)));
                return Ok(until.is_none_or(|until| until > clock::now()));
            }
            wait_writable(fd, until)
        };
        let value = shown(amount);
        match self.step(call, |fd| eventfd::write(fd, amount), ready) {
            Ok(((), ticket)) => Completion::value(value).ticket(ticket),
            Err(refusal) => Completion { value, ..refusal.completion(|count| count) },
        }
    }

    fn take(&self, call: &mut Call<'_>) -> Completion {
        match self.step(call, eventfd::read, wait_readable) {
            Ok((amount, ticket)) => taken(amount).ticket(ticket),
            Err(refusal) => refusal.completion(|count| count),
        }
    }

    fn poll(&self, call: &mut Call<'_>) -> Completion {
        let look = |fd| if wait_readable(fd, Some(0))? { Ok(()) } else { Err(libc::EAGAIN) };
        match self.step(call, look, wait_readable) {
            Ok(((), ticket)) => Completion::of(Outcome::OK).ticket(ticket),
            Err(refusal) => refusal.completion(|count| count),
        }
    }
}

impl Live for Counter {
    fn perform(&self, call: &mut Call<'_>) -> Completion {
        match call.verb {
            ADD => self.add(call),
            TAKE => self.take(call),
            POLL => self.poll(call),
            _ => Completion::of(Outcome::INVALID),
        }
    }

    fn reclaim(&self, process: ProcessId) {
        self.steps.reclaim(process);
    }

    fn value(&self) -> Option<Value> {
        eventfd::value(self.fd.raw().ok()?).map(shown)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The counter as the trace tells of it.
struct Sum {
    counter: u64,
}

impl State for Sum {
    fn apply(&mut self, event: &Event) {
        match event.verb {
            "add" if event.outcome.is_ok() => {
                self.counter = self.counter.saturating_add(event.value.as_int().unwrap_or(0).unsigned_abs());
            }
            _ if takes(event) => {
                let taken = event.value.as_int().map_or(self.counter, i64::unsigned_abs);
                self.counter = self.counter.saturating_sub(taken);
            }
            _ => {}
        }
    }

    fn value(&self, _names: &[String]) -> Value {
        shown(self.counter)
    }
}

#[cfg(test)]
mod tests;
