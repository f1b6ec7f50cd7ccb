//! Cells in shared memory: what a `value`, which is one cell, and an `array` have in common.
//!
//! A [`Guard`] makes each step one whole; what it does is counted in the object's version, which is the ticket. A
//! process killed in the middle leaves nothing half done: a cell changes by one store, and a whole array is written
//! into the bank that nobody reads, which one store then makes the one that all read.

mod futex;
mod model;
mod promela;

use std::any::Any;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use zerocopy::FromZeros;

use crate::event::{Event, ObjectId, ProcessId};
use crate::objects::causality::accesses::{self, Touch};
use crate::objects::causality::sync_clock::{Handover, NOTHING};
use crate::objects::contract::model::Model;
use crate::objects::contract::operation::Access;
use crate::objects::support::scalar::Scalar;
use crate::objects::support::wait_list::WaitList;
use crate::objects::{
    Argument, Call, Completion, CreateContext, Effect, Element, Enablers, Form, HostError, Live, Object, Relation,
    State, Verb,
};
use crate::os::arena::Shared;
use crate::os::guard::Guard;
use crate::outcome::Outcome;
use crate::value::{Types, Value};

pub(crate) const LOAD: u8 = 0;
pub(crate) const STORE: u8 = 1;
pub(crate) const ADD: u8 = 2;
pub(crate) const SWAP: u8 = 3;
pub(crate) const COMPARE_SWAP: u8 = 4;
const UPDATE: u8 = 5;

pub(crate) use futex::VERBS as FUTEX_VERBS;

/// The most elements an array can have.
pub(crate) const MOST: i64 = 1 << 20;

const INTO_BEFORE: Argument =
    Argument { name: "into", form: Form::Into, required: false, summary: "a variable for the value before" };

const INTO_WOKEN: Argument = Argument {
    name: "into",
    form: Form::Into,
    required: false,
    summary: "a variable for the number of processes that were woken",
};

/// The verbs of a kind whose cells take these types and whose whole takes those.
pub(crate) const fn verbs(whole: Types, either: Element, one: Element) -> [Verb; 6] {
    [
        Verb {
            name: "load",
            effect: Effect::Reads,
            summary: "reads the value",
            arguments: &[Argument {
                name: "into",
                form: Form::Into,
                required: false,
                summary: "a variable for the value read",
            }],
            ends: &[],
            element: either,
            blocks: false,
            result: whole,
            outcomes: &[Outcome::OUT_OF_RANGE],
        },
        Verb {
            name: "store",
            effect: Effect::Writes,
            summary: "writes the value",
            arguments: &[Argument {
                name: "value",
                form: Form::Value(STORED),
                required: true,
                summary: "the new value",
            }],
            ends: &[],
            element: either,
            blocks: false,
            result: Types::NONE,
            outcomes: match either {
                Element::Never => &[Outcome::OUT_OF_RANGE, Outcome::INVALID],
                _ => &[Outcome::OUT_OF_RANGE, Outcome::TOO_BIG, Outcome::INVALID],
            },
        },
        Verb {
            name: "add",
            effect: Effect::Updates,
            summary: "adds to the value, atomically",
            arguments: &[
                Argument {
                    name: "value",
                    form: Form::Value(Types::NUMBER),
                    required: true,
                    summary: "the number to add; may be negative",
                },
                INTO_BEFORE,
            ],
            ends: &[],
            element: one,
            blocks: false,
            result: Types::NUMBER,
            outcomes: &[Outcome::OVERFLOW, Outcome::OUT_OF_RANGE, Outcome::INVALID],
        },
        Verb {
            name: "swap",
            effect: Effect::Updates,
            summary: "writes the value and returns the value before, atomically",
            arguments: &[
                Argument { name: "value", form: Form::Value(ONE), required: true, summary: "the new value" },
                INTO_BEFORE,
            ],
            ends: &[],
            element: one,
            blocks: false,
            result: ONE,
            outcomes: &[Outcome::OUT_OF_RANGE, Outcome::INVALID],
        },
        Verb {
            name: "compare_swap",
            effect: Effect::Updates,
            summary: "writes the value if it equals `old`, atomically; `into` is `old` if it was written",
            arguments: &[
                Argument { name: "old", form: Form::Value(ONE), required: true, summary: "the expected value" },
                Argument { name: "value", form: Form::Value(ONE), required: true, summary: "the new value" },
                INTO_BEFORE,
            ],
            ends: &[],
            element: one,
            blocks: false,
            result: ONE,
            outcomes: &[Outcome::OUT_OF_RANGE, Outcome::INVALID],
        },
        Verb {
            name: "update",
            effect: Effect::Updates,
            summary: "computes the new value from `it`, the value before, under the object's internal lock",
            arguments: &[
                Argument {
                    name: "value",
                    form: Form::Update,
                    required: true,
                    summary: "the new value, an expression over `it`",
                },
                Argument { name: "into", form: Form::Into, required: false, summary: "a variable for the value after" },
            ],
            ends: &[],
            element: one,
            blocks: false,
            result: ONE,
            outcomes: &[Outcome::OVERFLOW, Outcome::OUT_OF_RANGE, Outcome::INVALID],
        },
    ]
}

/// The types that one cell can hold.
pub(crate) const ONE: Types = Types::BOOL.or(Types::NUMBER).or(Types::STRING);
/// The types that can be stored: one cell or all of an array.
pub(crate) const STORED: Types = ONE.or(Types::LIST).or(Types::BYTES);

/// What all cells together are as a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    /// The value of the one cell.
    One,
    /// A list.
    List,
    /// Bytes.
    Bytes,
    /// A string, up to the first NUL.
    Text,
}

/// The type of a `value` or an `array`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) scalar: Scalar,
    pub(crate) shape: Shape,
    pub(crate) length: u32,
}

impl Layout {
    /// The types of all cells together.
    fn whole_types(self) -> Types {
        match self.shape {
            Shape::One => self.scalar.types(),
            Shape::List => Types::LIST,
            Shape::Bytes => Types::BYTES | Types::LIST,
            Shape::Text => Types::STRING | Types::LIST,
        }
    }

    /// The words of a value for all cells.
    pub(crate) fn encode(self, value: &Value) -> Result<Vec<u64>, Outcome> {
        let words: Vec<u64> = match (self.shape, value) {
            (Shape::One, value) => vec![self.scalar.encode(value)?],
            (Shape::Bytes, Value::Bytes(bytes)) => bytes.iter().map(|byte| u64::from(*byte)).collect(),
            (Shape::Text, Value::String(text)) => {
                let mut words: Vec<u64> = text.chars().map(u64::from).collect();
                if words.len() > self.length as usize {
                    return Err(Outcome::TOO_BIG);
                }
                words.resize(self.length as usize, 0);
                words
            }
            (_, Value::List(items)) => items.iter().map(|item| self.scalar.encode(item)).collect::<Result<_, _>>()?,
            _ => return Err(Outcome::INVALID),
        };
        if words.len() == self.length as usize { Ok(words) } else { Err(Outcome::OUT_OF_RANGE) }
    }

    /// What the trace shows of a store of `argument` to all cells, which hold these words now.
    fn stored(self, argument: &Value, words: &[u64]) -> Value {
        let exact = !matches!(self.scalar, Scalar::F32 | Scalar::F64) && argument.as_list().is_none();
        if exact { argument.clone() } else { self.decode(words) }
    }

    /// The value of all cells.
    fn decode(self, words: &[u64]) -> Value {
        match self.shape {
            Shape::One => self.scalar.decode(words.first().copied().unwrap_or(0)),
            Shape::List => Value::List(words.iter().map(|word| self.scalar.decode(*word)).collect()),
            Shape::Bytes => Value::Bytes(words.iter().map(|word| *word as u8).collect()),
            Shape::Text => {
                let text = words.iter().take_while(|word| **word != 0);
                Value::from(text.filter_map(|word| char::from_u32(*word as u32)).collect::<String>())
            }
        }
    }
}

/// A `value` or an `array` as the plan holds it.
#[derive(Debug)]
pub(crate) struct Cells {
    pub(crate) id: ObjectId,
    pub(crate) layout: Layout,
    /// The first words; all zero where there are none.
    pub(crate) first: Vec<u64>,
}

impl Cells {
    fn words(&self) -> Vec<u64> {
        let mut words = self.first.clone();
        words.resize(self.layout.length as usize, 0);
        words
    }

    fn is_array(&self) -> bool {
        self.layout.shape != Shape::One
    }

    /// Why a `store` of this constant fails whether it is for one cell or for all.
    fn refusal(&self, value: &Value) -> Option<(Outcome, String)> {
        let one = self.layout.scalar.refusal(value)?;
        if !self.is_array() {
            return Some(one);
        }
        let outcome = self.layout.encode(value).err()?;
        let length = self.layout.length;
        match value {
            Value::List(items) => Some(match items.iter().find_map(|item| self.layout.scalar.refusal(item)) {
                Some((_, reason)) => (outcome, reason),
                None => (outcome, format!("the array has {length} elements, not {}", items.len())),
            }),
            Value::String(text) if self.layout.shape == Shape::Text => {
                Some((outcome, format!("the array has room for {length} characters, not {}", text.chars().count())))
            }
            Value::Bytes(bytes) if self.layout.shape == Shape::Bytes => {
                Some((outcome, format!("the array has {length} bytes, not {}", bytes.len())))
            }
            _ => Some(one),
        }
    }
}

impl Object for Cells {
    fn length(&self) -> Option<u32> {
        self.is_array().then_some(self.layout.length)
    }

    fn value_types(&self) -> Types {
        self.layout.scalar.types() | self.layout.whole_types()
    }

    fn foresee(&self, verb: &Verb, _end: Option<&str>, arguments: &[Option<Value>]) -> Option<(Outcome, String)> {
        let constant = |at: usize| arguments.get(at).and_then(Option::as_ref);
        let scalar = self.layout.scalar;
        match verb.name {
            "store" => self.refusal(constant(0)?),
            "add" if !scalar.is_number() => {
                Some((Outcome::INVALID, format!("nothing can be added to a {}", scalar.name())))
            }
            "add" => {
                let amount = constant(0)?;
                (!scalar.types().contains(amount.types())).then(|| {
                    let what = amount.types();
                    (Outcome::INVALID, format!("{} takes {}, not {what}", scalar.name(), scalar.types()))
                })
            }
            "futex_wait" | "futex_wake" if !self.layout.is_futex() => {
                Some((Outcome::INVALID, "only a value of `type = \"u32\"` is a futex".to_owned()))
            }
            "swap" => scalar.refusal(constant(0)?),
            "compare_swap" => [0, 1].into_iter().filter_map(constant).find_map(|value| scalar.refusal(value)),
            _ => None,
        }
    }

    fn create(&self, site: &mut CreateContext<'_>) -> Result<Rc<dyn Live>, HostError> {
        let length = self.layout.length as usize;
        let banks = if self.is_array() { 2 } else { 1 };
        let error = |error| HostError::call("mmap", &error);
        let waiters = self.layout.is_futex().then(|| WaitList::new(site.arena, site.processes)).transpose();
        let live = CellsLive {
            id: self.id,
            layout: self.layout,
            waiters: waiters.map_err(error)?,
            header: site.arena.alloc().map_err(error)?,
            cells: site.arena.slice(length * banks).map_err(error)?,
        };
        for (cell, word) in live.cells.iter().zip(&self.first) {
            cell.store(*word, Ordering::Relaxed);
        }
        Ok(Rc::new(live))
    }

    fn state(&self) -> Box<dyn State> {
        Box::new(CellsState { layout: self.layout, words: self.words() })
    }

    fn model(&self, _holders: &[u32]) -> Box<dyn Model> {
        Box::new(model::Words::new(self))
    }

    fn promela(&self) -> Option<&dyn crate::objects::contract::promela::Promela> {
        Some(self)
    }

    fn commute(&self, first: Access, second: Access) -> bool {
        self.apart(first, second) || model::commute(first.verb, second.verb)
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

    fn enablers(&self, verb: &Verb, _end: Option<&str>, _owner: Option<ProcessId>) -> Enablers {
        let verbs: &[&str] = if verb.blocks { &["futex_wake"] } else { &[] };
        Enablers { verbs, only: None, closing: &[] }
    }

    /// Each step comes after the one before it. Only atomic steps synchronise, with the atomic steps after them on the same
    /// cell up to the next store: plain `load` and `store` do not synchronise, or no race could be found. The step that
    /// wrote a value is a cause of each step that reads it. A `futex_wait` reads the value where it begins to sleep, or
    /// does not; what wakes it is named by its event.
    fn relate(&self, events: &[&Event], relation: &mut Relation) {
        let looked = |event: &Event| event.outcome.is_ok() || event.verb == "futex_wait";
        let places = relation.by_ticket(events, looked);
        accesses::relate(relation, events, &places, |event| Some((self.span(event), touch(event)?)));
    }

    fn hand_over(&self, handover: &mut Handover<'_>) -> u32 {
        let event = handover.event;
        if event.verb == "futex_wake" {
            handover.held.give(futex::woken(handover.shares), handover.gives);
        }
        if event.verb == "futex_wait" && !is_look(event) {
            return handover.held.own.remove(&event.id.process()).unwrap_or(NOTHING);
        }
        match touch(event) {
            Some(touch) if handover.has_ticket() => accesses::hand_over(handover, self.span(event), touch),
            _ => NOTHING,
        }
    }
}

/// Whether the event is that of a `futex_wait` which looks at the value: it sleeps from then on, or ends.
fn is_look(event: &Event) -> bool {
    event.verb == "futex_wait" && (event.implicit || event.outcome == Outcome::WOULD_BLOCK)
}

/// What the step did to its cells, where it used any. A `compare_swap` writes where it did not find another value.
fn touch(event: &Event) -> Option<Touch> {
    if !(is_look(event) || event.outcome.is_ok()) {
        return None;
    }
    let (reads, writes, atomic) = match event.verb {
        "load" => (true, false, false),
        "store" => (false, true, false),
        "compare_swap" => (true, event.value != event.second, true),
        "futex_wait" if is_look(event) => (true, false, false),
        "futex_wait" | "futex_wake" => return None,
        _ => (true, true, true),
    };
    Some(Touch { reads, writes, atomic })
}

/// What stands before the cells.
#[derive(FromZeros)]
#[repr(C)]
struct Header {
    guard: Guard,
    /// The bank that holds the values: 0 or 1.
    bank: AtomicU32,
    /// Steps so far: the last ticket.
    version: AtomicU64,
}

/// What a step did to one cell.
pub(crate) struct Change {
    pub(crate) before: u64,
    pub(crate) after: u64,
    pub(crate) ticket: u64,
}

impl Change {
    /// What the step gives, and the trace shows.
    #[inline]
    pub(crate) fn completion(&self, scalar: Scalar, verb: u8) -> Completion {
        let (shown, other) = match verb {
            LOAD => (self.before, None),
            STORE => (self.after, None),
            UPDATE => (self.after, Some(self.before)),
            _ => (self.before, Some(self.after)),
        };
        // Most cells hold integers, whose completion is made in its place.
        if let (Scalar::Int(..), None) = (scalar, other) {
            return Completion {
                outcome: Outcome::OK,
                value: Value::Int(shown as i64),
                second: Value::Null,
                ticket: self.ticket,
                cause: 0,
            };
        }
        Completion {
            outcome: Outcome::OK,
            value: scalar.decode(shown),
            second: other.map_or(Value::Null, |word| scalar.decode(word)),
            ticket: self.ticket,
            cause: 0,
        }
    }
}

impl Scalar {
    /// The word that a step on one cell leaves there. `compute` gives the value of an `update`.
    #[inline]
    pub(crate) fn after(
        self,
        verb: u8,
        before: u64,
        arguments: &[Value],
        compute: impl FnOnce(Value) -> Result<Value, Outcome>,
    ) -> Result<u64, Outcome> {
        let argument = |at: usize| arguments.get(at).unwrap_or(&Value::Null);
        match verb {
            LOAD => Ok(before),
            STORE | SWAP => self.encode(argument(0)),
            ADD => self.add(before, argument(0)),
            COMPARE_SWAP => {
                let (old, new) = (self.encode(argument(0))?, self.encode(argument(1))?);
                Ok(if before == old { new } else { before })
            }
            UPDATE => self.encode(&compute(self.decode(before))?),
            _ => Err(Outcome::INVALID),
        }
    }
}

/// The cells in shared memory.
struct CellsLive {
    id: ObjectId,
    layout: Layout,
    header: Shared<Header>,
    cells: Shared<[AtomicU64]>,
    /// The processes that sleep on it, where it is a futex.
    waiters: Option<WaitList>,
}

impl CellsLive {
    #[inline]
    fn start(&self) -> usize {
        self.header.bank.load(Ordering::Relaxed) as usize * self.layout.length as usize
    }

    /// The next ticket. The guard is held.
    #[inline]
    fn ticket(&self) -> u64 {
        let ticket = self.header.version.load(Ordering::Relaxed) + 1;
        self.header.version.store(ticket, Ordering::Relaxed);
        ticket
    }

    /// The word of one cell. The guard is held.
    fn cell(&self, at: usize) -> u64 {
        self.cells[self.start() + at].load(Ordering::Relaxed)
    }

    /// The words of all cells.
    fn words(&self, into: &mut Vec<u64>) {
        let start = self.start();
        let cells = &self.cells[start..start + self.layout.length as usize];
        into.extend(cells.iter().map(|cell| cell.load(Ordering::Relaxed)));
    }

    #[inline]
    fn one(&self, call: &mut Call<'_>, at: usize) -> Result<Change, Outcome> {
        let held = self.header.guard.lock(call.party.process());
        let place = self.cells.get(self.start() + at).ok_or(Outcome::OUT_OF_RANGE)?;
        let before = place.load(Ordering::Relaxed);
        let party = &mut *call.party;
        let after = self.layout.scalar.after(call.verb, before, call.arguments, |it| party.compute(it))?;
        let ticket = self.ticket();
        if after != before {
            place.store(after, Ordering::Relaxed);
        }
        drop(held);
        Ok(Change { before, after, ticket })
    }

    fn all(&self, call: &mut Call<'_>) -> Result<Completion, Outcome> {
        let process = call.party.process();
        let argument = call.arguments.first().unwrap_or(&Value::Null);
        match call.verb {
            LOAD => {
                let mut words = Vec::with_capacity(self.layout.length as usize);
                let held = self.header.guard.lock(process);
                self.words(&mut words);
                let ticket = self.ticket();
                drop(held);
                Ok(Completion::value(self.layout.decode(&words)).ticket(ticket))
            }
            STORE => {
                let words = self.layout.encode(argument)?;
                let held = self.header.guard.lock(process);
                let bank = 1 - self.header.bank.load(Ordering::Relaxed).min(1);
                let cells = &self.cells[bank as usize * words.len()..];
                for (cell, word) in cells.iter().zip(&words) {
                    cell.store(*word, Ordering::Relaxed);
                }
                let ticket = self.ticket();
                self.header.bank.store(bank, Ordering::Release);
                drop(held);
                let value = self.layout.stored(argument, &words);
                Ok(Completion::value(value).ticket(ticket))
            }
            _ => Err(Outcome::INVALID),
        }
    }
}

impl Live for CellsLive {
    fn perform(&self, call: &mut Call<'_>) -> Completion {
        if call.verb == futex::WAIT {
            return self.futex_wait(call).unwrap_or_else(Completion::of);
        }
        if call.verb == futex::WAKE {
            return self.futex_wake(call).unwrap_or_else(Completion::of);
        }
        let at = match call.element {
            None if self.layout.shape == Shape::One => Some(0),
            element => element,
        };
        let done = match at {
            Some(at) if at >= self.layout.length => Err(Outcome::OUT_OF_RANGE),
            Some(at) => self.one(call, at as usize),
            None => return self.all(call).unwrap_or_else(Completion::of),
        };
        match done {
            Ok(change) => change.completion(self.layout.scalar, call.verb),
            Err(outcome) => Completion::of(outcome),
        }
    }

    fn reclaim(&self, process: ProcessId) {
        let within = self.header.guard.held_by(process);
        if let Some(waiters) = &self.waiters {
            waiters.reclaim(process, within);
        }
        if within {
            self.header.guard.force_release();
        }
    }

    fn value(&self) -> Option<Value> {
        let mut words = Vec::new();
        self.words(&mut words);
        Some(self.layout.decode(&words))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The cells as the trace tells of them.
struct CellsState {
    layout: Layout,
    words: Vec<u64>,
}

impl State for CellsState {
    fn apply(&mut self, event: &Event) {
        if !event.outcome.is_ok() {
            return;
        }
        let after = match event.verb {
            "store" | "update" => &event.value,
            "add" | "swap" | "compare_swap" => &event.second,
            _ => return,
        };
        if event.element.get().is_none() && self.layout.shape != Shape::One {
            if let Ok(words) = self.layout.encode(after) {
                self.words = words;
            }
        } else if let (Ok(word), Some(cell)) =
            (self.layout.scalar.encode(after), self.words.get_mut(event.element.get().unwrap_or(0) as usize))
        {
            *cell = word;
        }
    }

    fn value(&self, _names: &[String]) -> Value {
        self.layout.decode(&self.words)
    }
}

#[cfg(test)]
mod tests;
