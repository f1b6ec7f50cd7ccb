//! `event`: a flag that processes set, clear and wait for.
//!
//! The flag and the number of steps that found or left it so are one word, changed by one atomic operation: the ticket
//! of a `wait` stands between the `set` that it saw and the next `clear`. Waiters sleep on the word's low half.

mod model;
mod promela;

use std::any::Any;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::{Event as Step, ObjectId, ProcessId, look};
use crate::objects::causality::happens_before::gave_up;
use crate::objects::causality::releases::Joins;
use crate::objects::causality::sync_clock::{Handover, NOTHING};
use crate::objects::contract::operation::Access;
use crate::objects::{
    Attribute, Call, Completion, CreateContext, Declaration, Effect, Element, Enablers, Form, HostError, Kind, Live,
    Model, Object, Problem, Relation, State, Verb,
};
use crate::os::arena::Shared;
use crate::os::{futex, interrupts};
use crate::outcome::Outcome;
use crate::value::{Types, Value};

const SET: u8 = 0;
const CLEAR: u8 = 1;
const WAIT: u8 = 2;

pub(crate) static KIND: Kind = Kind {
    name: "event",
    summary: "a flag that processes can set, clear and wait for",
    primitive: "an atomic word in shared memory, mmap(2) with MAP_SHARED, and futex(2) on it",
    attributes: &[Attribute {
        name: "set",
        form: Form::Boolean,
        default: "false",
        required: false,
        summary: "whether it is initially set",
    }],
    verbs: &[
        Verb {
            name: "set",
            effect: Effect::None,
            summary: "sets it; all waiting processes resume",
            arguments: &[],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::NONE,
            outcomes: &[],
        },
        Verb {
            name: "clear",
            effect: Effect::None,
            summary: "clears it; later waits wait for the next `set`",
            arguments: &[],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::NONE,
            outcomes: &[],
        },
        Verb {
            name: "wait",
            effect: Effect::None,
            summary: "waits until it is set, and leaves it set. If it is cleared again at once, a waiting process may miss that",
            arguments: &[],
            ends: &[],
            element: Element::Never,
            blocks: true,
            result: Types::NONE,
            outcomes: &[],
        },
    ],
    state: ("e", "whether it is set"),
    example: r#"[objects]
ready = { kind = "event" }

[processes.server]
steps = [{ clear = "ready" }, { set = "ready" }]

[processes.client]
steps = [{ wait = "ready", timeout = "1s" }]
"#,
    declare,
};

#[expect(clippy::unnecessary_wraps, reason = "the signature is every kind's")]
fn declare(declaration: &Declaration) -> Result<Box<dyn Object>, Vec<Problem>> {
    Ok(Box::new(Event { set: declaration.boolean("set") }))
}

/// An event as the plan holds it.
#[derive(Debug)]
struct Event {
    set: bool,
}

impl Object for Event {
    fn create(&self, site: &mut CreateContext<'_>) -> Result<Rc<dyn Live>, HostError> {
        let word: Shared<AtomicU64> = site.arena.alloc().map_err(|error| HostError::call("mmap", &error))?;
        word.store(u64::from(self.set), Ordering::Relaxed);
        Ok(Rc::new(EventLive { word }))
    }

    fn state(&self) -> Box<dyn State> {
        Box::new(Flag(self.set))
    }

    fn model(&self, _holders: &[u32]) -> Box<dyn Model> {
        Box::new(model::EventModel::new(self.set))
    }

    fn promela(&self) -> Option<&dyn crate::objects::contract::promela::Promela> {
        Some(self)
    }

    /// A `wait` that can continue finds the flag set, as every `set` leaves it.
    fn commute(&self, first: Access, second: Access) -> bool {
        (first.verb == CLEAR) == (second.verb == CLEAR)
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

    fn restarts(&self, _verb: &Verb, _timed: bool) -> Option<bool> {
        Some(true)
    }

    fn enablers(&self, verb: &Verb, _end: Option<&str>, _owner: Option<ProcessId>) -> Enablers {
        let verbs: &[&str] = if verb.blocks { &["set"] } else { &[] };
        Enablers { verbs, only: None, closing: &[] }
    }

    /// Every `set` since the last `clear` is a cause of a `wait` after it. A `wait` that failed comes after the last
    /// `clear`.
    fn relate(&self, events: &[&Step], relation: &mut Relation) {
        let mut joins = Joins::default();
        let places = relation.by_ticket(events, |event| event.outcome.is_ok());
        let clears: Vec<usize> = places.iter().copied().filter(|place| events[*place].verb == "clear").collect();
        relation.fails(events, &clears, 1, |event| event.verb == "wait" && gave_up(event));
        for place in places {
            let event = events[place];
            match event.verb {
                "set" => joins.give(event.id.process(), place),
                "clear" => joins.forget(),
                _ => joins.take(event.id.process(), |set| relation.sync(set, place)),
            }
        }
    }

    /// Holds what every `set` since the last `clear` gave, and what that `clear` gave, where something fails for it.
    fn hand_over(&self, handover: &mut Handover<'_>) -> u32 {
        const SETS: usize = 0;
        const CLEARED: usize = 1;
        if !handover.has_ticket() {
            let fails = handover.event.verb == "wait" && gave_up(handover.event);
            return if fails && handover.reads { handover.held.set(CLEARED) } else { NOTHING };
        }
        let given = handover.held.set(SETS);
        match handover.event.verb {
            "set" => {
                let given = handover.join(given, handover.gives);
                handover.held.put(SETS, given);
                NOTHING
            }
            "clear" => {
                let failing = handover.reads && handover.tries;
                handover.held.put(SETS, NOTHING);
                handover.held.put(CLEARED, if failing { handover.gives } else { NOTHING });
                NOTHING
            }
            _ => given,
        }
    }

    /// What waits knows each `set` before it, and a `wait` that fails does so for the last `clear`.
    fn tells_order(&self, first: Access, second: Access) -> bool {
        (first.verb == WAIT) != (second.verb == WAIT) || first.verb == CLEAR && second.verb == CLEAR
    }
}

/// The word: the number of steps so far, shifted by one, and the flag.
struct EventLive {
    word: Shared<AtomicU64>,
}

impl EventLive {
    /// Counts a step that leaves the flag so. The ticket, and whether the flag was set before.
    #[inline]
    fn change(&self, set: bool) -> (u64, bool) {
        let next = |word: u64| (word & !1) + 2 + u64::from(set);
        let update = self.word.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |word| Some(next(word)));
        let (Ok(before) | Err(before)) = update;
        ((before >> 1) + 1, before & 1 != 0)
    }

    fn wait(&self, call: &mut Call<'_>) -> Completion {
        loop {
            let word = self.word.load(Ordering::Acquire);
            if word & 1 != 0 {
                let counted = word + 2;
                if self.word.compare_exchange_weak(word, counted, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                    return Completion::of(Outcome::OK).ticket(counted >> 1);
                }
                continue;
            }
            let deadline = match call.patience.deadline() {
                Ok(deadline) => deadline,
                Err(outcome) => return Completion::of(outcome).ticket(look(word >> 1)),
            };
            if interrupts::is_noted() {
                return Completion::of(Outcome::INTERRUPTED);
            }
            call.party.block();
            if !futex::wait(futex::low(&self.word), word as u32, deadline) {
                let word = self.word.load(Ordering::Acquire);
                if word & 1 == 0 {
                    return Completion::of(Outcome::TIMEOUT).ticket(look(word >> 1));
                }
            }
        }
    }
}

impl Live for EventLive {
    fn perform(&self, call: &mut Call<'_>) -> Completion {
        match call.verb {
            SET => {
                let (ticket, before) = self.change(true);
                if !before {
                    futex::wake_all(futex::low(&self.word));
                }
                Completion::of(Outcome::OK).ticket(ticket)
            }
            CLEAR => Completion::of(Outcome::OK).ticket(self.change(false).0),
            WAIT => self.wait(call),
            _ => Completion::of(Outcome::INVALID),
        }
    }

    /// A process killed between setting the flag and waking has woken no process.
    fn reclaim(&self, _process: ProcessId) {
        futex::wake_all(futex::low(&self.word));
    }

    fn value(&self) -> Option<Value> {
        Some(Value::Bool(self.word.load(Ordering::Acquire) & 1 != 0))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The flag as the trace tells of it.
struct Flag(bool);

impl State for Flag {
    fn apply(&mut self, event: &Step) {
        match event.verb {
            "set" if event.outcome.is_ok() => self.0 = true,
            "clear" if event.outcome.is_ok() => self.0 = false,
            _ => {}
        }
    }

    fn value(&self, _names: &[String]) -> Value {
        Value::Bool(self.0)
    }
}

#[cfg(test)]
mod tests;
