//! `memory`: bytes that processes share, read and written at a place as bytes or as numbers.
//!
//! A [`Guard`] makes each step one whole. A store keeps what stood there until it is done, so that a process killed in the
//! middle leaves nothing half done. Each process has its own mapping, as long as the memory was when it was mapped: `resize`
//! maps anew in its own process only.

mod model;

use std::any::Any;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, compiler_fence};

use zerocopy::FromZeros;

use super::cells::{ADD, COMPARE_SWAP, Change, LOAD, STORE, SWAP};
use crate::event::{Event, ObjectId, ProcessId};
use crate::objects::causality::accesses::{self, Touch};
use crate::objects::causality::sync_clock::{Handover, NOTHING};
use crate::objects::contract::operation::{Access, Span};
use crate::objects::support::scalar::Scalar;
use crate::objects::{
    Argument, Attribute, Call, Completion, CreateContext, Declaration, Effect, Element, Enablers, Form, HostError,
    Kind, Live, Model, Object, Problem, Relation, State, Verb,
};
use crate::os::arena::Shared;
use crate::os::guard::Guard;
use crate::os::pipe::page;
use crate::os::segment::{Segment, Way};
use crate::outcome::Outcome;
use crate::value::{Types, Value};

const RESIZE: u8 = 5;
const SIZE: u8 = 6;

/// The most bytes that a memory has.
const MOST: u32 = 1 << 20;

/// How many bits of a ticket say how many bytes the step used.
const LENGTH_BITS: u32 = 21;

/// Numbers that stand in memory.
const NUMBERS: &[&str] = Scalar::NAMES.first_chunk::<10>().expect("numbers come first");

/// The values of bytes: a string is its UTF-8.
const BYTES: Types = Types::BYTES.or(Types::STRING);

const AT: Argument = Argument {
    name: "at",
    form: Form::Place(MOST),
    required: false,
    summary: "where it begins, in bytes; 0 where it is absent",
};
const TYPE: Argument = Argument {
    name: "type",
    form: Form::Choice(NUMBERS),
    required: false,
    summary: "one number of that type instead of bytes, its low bytes first",
};
const NUMBER: Argument =
    Argument { required: true, summary: "the type of the number; `at` must be a multiple of its size", ..TYPE };
const BEFORE: Argument =
    Argument { name: "into", form: Form::Into, required: false, summary: "a variable for the number before" };

const fn number(name: &'static str, form: Form, summary: &'static str) -> Argument {
    Argument { name, form, required: true, summary }
}

/// An atomic verb.
const fn atomic(
    name: &'static str,
    summary: &'static str,
    arguments: &'static [Argument],
    outcomes: &'static [Outcome],
) -> Verb {
    Verb {
        name,
        effect: Effect::Updates,
        summary,
        arguments,
        ends: &[],
        element: Element::Never,
        blocks: false,
        result: Types::NUMBER,
        outcomes,
    }
}

const OUTCOMES: &[Outcome] = &[Outcome::OUT_OF_RANGE, Outcome::BUS_ERROR, Outcome::OVERFLOW, Outcome::INVALID];

pub(crate) static KIND: Kind = Kind {
    name: "memory",
    summary: "bytes in shared memory, read and written at a place, whole or as numbers",
    primitive: "`via = \"posix\"`: shm_open(3); `memfd`: memfd_create(2); `file`: a file without a name in the directory for \
                temporary files; `sysv`: shmget(2), removed at its last detach; `anonymous`: mmap(2) with MAP_ANONYMOUS. All are \
                mapped with MAP_SHARED, each process for itself; `resize` is ftruncate(2), and maps anew in its own process only. A \
                name is unlinked before the run begins. Each step is whole; a step on a page that another process has cut off ends \
                `bus_error`, where a load of a program would raise SIGBUS. What stands behind the end in its last page is no part \
                of the memory and is zero again after a `resize`",
    attributes: &[
        Attribute {
            name: "size",
            form: Form::Size,
            default: "",
            required: true,
            summary: "how many bytes it has, at most 1 MiB; all are 0 at first",
        },
        Attribute {
            name: "via",
            form: Form::Choice(&["posix", "memfd", "file", "sysv", "anonymous"]),
            default: "\"posix\"",
            required: false,
            summary: "how it is made; `sysv` and `anonymous` cannot be resized",
        },
    ],
    verbs: &[
        Verb {
            name: "load",
            effect: Effect::Reads,
            summary: "reads bytes, or with `type` one number; past the end of the process's mapping it ends `out_of_range`",
            arguments: &[
                AT,
                TYPE,
                Argument {
                    name: "max",
                    form: Form::Integer(1, MOST as i64),
                    required: false,
                    summary: "how many bytes at most; all up to the end where it is absent",
                },
                Argument { name: "into", form: Form::Into, required: false, summary: "a variable for the value read" },
            ],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::BYTES.or(Types::NUMBER),
            outcomes: OUTCOMES,
        },
        Verb {
            name: "store",
            effect: Effect::Writes,
            summary: "writes bytes, or with `type` one number",
            arguments: &[
                AT,
                TYPE,
                number(
                    "value",
                    Form::Value(BYTES.or(Types::NUMBER)),
                    "the bytes, a string for its UTF-8, or the number",
                ),
            ],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::NONE,
            outcomes: &[Outcome::OUT_OF_RANGE, Outcome::BUS_ERROR, Outcome::INVALID],
        },
        atomic(
            "add",
            "adds to a number, atomically",
            &[AT, NUMBER, number("value", Form::Value(Types::NUMBER), "the number to add; may be negative"), BEFORE],
            OUTCOMES,
        ),
        atomic(
            "swap",
            "writes a number and returns the number before, atomically",
            &[AT, NUMBER, number("value", Form::Value(Types::NUMBER), "the new number"), BEFORE],
            OUTCOMES,
        ),
        atomic(
            "compare_swap",
            "writes a number if the one there equals `old`, atomically; `into` is `old` if it was written",
            &[
                AT,
                NUMBER,
                number("old", Form::Value(Types::NUMBER), "the expected number"),
                number("value", Form::Value(Types::NUMBER), "the new number"),
                BEFORE,
            ],
            OUTCOMES,
        ),
        Verb {
            name: "resize",
            effect: Effect::None,
            summary: "makes it longer, by zeroes, or cuts it short; other processes keep the mapping that they have",
            arguments: &[number("value", Form::Integer(0, MOST as i64), "how many bytes it has then")],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::NONE,
            outcomes: &[Outcome::OUT_OF_RANGE, Outcome::INVALID],
        },
        Verb {
            name: "size",
            effect: Effect::Asks,
            summary: "how many bytes it has",
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
            outcomes: &[],
        },
    ],
    state: ("m", "its bytes; `size(m)` is how many"),
    example: r#"[objects]
page = { kind = "memory", size = "4KiB" }

[processes.writer]
steps = [
  { store = "page", at = 8, value = { bytes = "hello" } },
  { store = "page", at = 0, type = "u32", value = 5 },
  { add = "page", at = 4, type = "i32", value = 1, into = "before" },
  { swap = "page", at = 4, type = "i32", value = 7 },
  { compare_swap = "page", at = 4, type = "i32", old = 7, value = 8 },
  { resize = "page", value = 16 },
]

[processes.reader]
steps = [
  { load = "page", type = "u32", into = "length" },
  { load = "page", at = 8, max = 5, into = "text" },
  { size = "page", into = "n" },
]
"#,
    declare,
};

fn declare(declaration: &Declaration) -> Result<Box<dyn Object>, Vec<Problem>> {
    let size = declaration.integer("size").unwrap_or(1);
    if !(1..=i64::from(MOST)).contains(&size) {
        return Err(vec![Problem::new("size", format!("a memory has 1 to {MOST} bytes, not {size}"))]);
    }
    let way = match declaration.word("via") {
        Some("memfd") => Some(Way::Memfd),
        Some("file") => Some(Way::File),
        Some("anonymous") => Some(Way::Anonymous),
        Some("sysv") => None,
        _ => Some(Way::Posix),
    };
    Ok(Box::new(Memory { size: size as u32, way }))
}

/// A memory as the plan holds it.
#[derive(Clone, Copy, Debug)]
struct Memory {
    size: u32,
    /// None for a segment of System V.
    way: Option<Way>,
}

impl Memory {
    fn is_resizable(self) -> bool {
        !matches!(self.way, None | Some(Way::Anonymous))
    }

    /// The cells of a step as far as they are known: bytes may go up to the end.
    fn cells(access: Access) -> Span {
        let Some(at) = access.element else { return Span::ALL };
        let number = access.given.word(1).and_then(|word| Scalar::parse(NUMBERS.get(usize::from(word))?));
        Span { start: at, end: number.map_or(u32::MAX, |number| at.saturating_add(number.width() as u32)) }
    }
}

/// Where all that follows the size of a memory is held in its causes: behind every byte.
const EXTENT: Span = Span { start: u32::MAX - 1, end: u32::MAX };

/// What an event did to the bytes, and to the size.
fn touch(event: &Event) -> Option<(Span, Touch)> {
    let reads = Touch { reads: true, ..Touch::default() };
    let writes = Touch { writes: true, ..Touch::default() };
    if event.outcome == Outcome::BUS_ERROR {
        return Some((EXTENT, reads));
    }
    let touch = match event.verb {
        _ if !event.outcome.is_ok() => return None,
        "size" => return Some((EXTENT, reads)),
        "resize" => {
            let sizes = [&event.value, &event.second].map(|size| size.as_int().unwrap_or(0));
            return Some((Span { start: sizes[0].min(sizes[1]).max(0) as u32, end: u32::MAX }, writes));
        }
        "load" => reads,
        "store" => writes,
        "compare_swap" => Touch { writes: event.value != event.second, atomic: true, ..reads },
        _ => Touch { reads: true, writes: true, atomic: true },
    };
    Some((span(event), touch))
}

/// The bytes that an event read or wrote: its ticket says how many.
fn span(event: &Event) -> Span {
    let length = event.own_place().unwrap_or(0) & ((1 << LENGTH_BITS) - 1);
    let start = event.element.get().unwrap_or(0);
    Span { start, end: start.saturating_add(length as u32) }
}

/// The ticket of a step that used that many bytes.
fn ticket(version: u64, length: usize) -> u64 {
    version << LENGTH_BITS | length as u64
}

/// A value as bytes.
fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Bytes(bytes) => Some(bytes),
        Value::String(text) => Some(text.as_bytes()),
        _ => None,
    }
}

/// The type that a step gives.
fn scalar(arguments: &[Value]) -> Option<Scalar> {
    Scalar::parse(arguments.get(1)?.as_str()?)
}

/// A step on bytes: where, and how.
#[derive(Clone, Copy, Debug)]
struct Step {
    verb: u8,
    at: usize,
    length: usize,
    scalar: Option<Scalar>,
}

impl Step {
    /// The step of a process, with the number of bytes that it has mapped.
    ///
    /// # Errors
    /// `invalid`: another value than the step takes, or an atomic step on a number across its words. `out_of_range`: past
    /// the mapping.
    fn of(verb: u8, element: Option<u32>, arguments: &[Value], mapped: usize) -> Result<Self, Outcome> {
        let (at, scalar) = (element.unwrap_or(0) as usize, scalar(arguments));
        let argument = arguments.get(2).unwrap_or(&Value::Null);
        let length = match (verb, scalar) {
            (LOAD, Some(_)) if *argument != Value::Null => return Err(Outcome::INVALID),
            (LOAD | STORE, Some(scalar)) => scalar.width(),
            (ADD | SWAP | COMPARE_SWAP, Some(scalar)) if at.is_multiple_of(scalar.width()) => scalar.width(),
            (LOAD, None) => {
                let most = match argument {
                    Value::Null => usize::MAX,
                    Value::Int(most) => usize::try_from(*most).map_err(|_| Outcome::OUT_OF_RANGE)?,
                    _ => return Err(Outcome::INVALID),
                };
                // A load reads one byte at least.
                mapped.saturating_sub(at).min(most).max(1)
            }
            (STORE, None) => bytes(argument).ok_or(Outcome::INVALID)?.len(),
            _ => return Err(Outcome::INVALID),
        };
        if at.saturating_add(length) > mapped {
            return Err(Outcome::OUT_OF_RANGE);
        }
        Ok(Self { verb, at, length, scalar })
    }

    /// Whether all of its pages have memory where the whole has that many bytes.
    fn is_within(&self, size: u32) -> bool {
        self.length == 0 || (self.at + self.length) as u64 <= u64::from(size).next_multiple_of(page())
    }

    /// What it leaves where these bytes stand, if anything else, and how it ends.
    fn apply(&self, before: &[u8], arguments: &[Value]) -> Result<(Option<Vec<u8>>, Completion), Outcome> {
        let Some(scalar) = self.scalar else {
            let stored = arguments.get(2).and_then(bytes).filter(|_| self.verb == STORE).map(<[u8]>::to_vec);
            let value = Value::from(stored.as_deref().unwrap_or(before).to_vec());
            return Ok((stored, Completion::value(value)));
        };
        let word = if self.verb == STORE { 0 } else { scalar.word_of(before)? };
        let after = scalar.after(self.verb, word, &arguments[2..], |_| Err(Outcome::INVALID))?;
        let completion = Change { before: word, after, ticket: 0 }.completion(scalar, self.verb);
        let writes = self.verb == STORE || after != word;
        Ok((writes.then(|| scalar.to_bytes(after)), completion))
    }
}

impl Object for Memory {
    fn span(&self, event: &Event) -> Span {
        span(event)
    }

    fn apart(&self, first: Access, second: Access) -> bool {
        let on_bytes = |access: Access| access.verb < RESIZE;
        on_bytes(first) && on_bytes(second) && !Self::cells(first).meets(Self::cells(second))
    }

    fn has_known_cells(&self) -> bool {
        false
    }

    fn foresee(&self, verb: &Verb, _end: Option<&str>, arguments: &[Option<Value>]) -> Option<(Outcome, String)> {
        let constant = |at: usize| arguments.get(at).and_then(Option::as_ref);
        let invalid = |reason: String| Some((Outcome::INVALID, reason));
        match verb.name {
            "resize" if !self.is_resizable() => return invalid("memory of that `via` has a fixed size".to_owned()),
            "resize" | "size" => return None,
            _ => {}
        }
        let at = constant(0).and_then(Value::as_int).unwrap_or(0).unsigned_abs();
        let mut length = 1;
        match constant(1).and_then(Value::as_str).and_then(Scalar::parse) {
            Some(_) if verb.name == "load" && constant(2).is_some() => {
                return invalid("`max` is for bytes, and `type` loads one number".to_owned());
            }
            Some(scalar) => {
                length = scalar.width() as u64;
                if verb.effect == Effect::Updates && constant(0).is_some() && !at.is_multiple_of(length) {
                    let name = scalar.name();
                    return invalid(format!("an atomic step on {name} needs an `at` that is a multiple of {length}"));
                }
                let values = if verb.name == "load" { 2..2 } else { 2..verb.arguments.len() };
                let mut refusals = values.filter_map(constant).filter_map(|value| match verb.name {
                    "add" if scalar.types().contains(value.types()) => None,
                    "add" => Some((Outcome::INVALID, format!("{} takes {}", scalar.name(), scalar.types()))),
                    _ => scalar.refusal(value),
                });
                if let Some(refusal) = refusals.next() {
                    return Some(refusal);
                }
            }
            None if verb.name == "store" => match constant(2) {
                Some(value) => match bytes(value) {
                    Some(bytes) => length = bytes.len() as u64,
                    None => return invalid(format!("{} is stored with a `type`", value.types())),
                },
                None => length = 0,
            },
            None => {}
        }
        let most = if self.is_resizable() { MOST } else { self.size };
        let end = at.saturating_add(length);
        (end > most.into()).then(|| (Outcome::OUT_OF_RANGE, format!("the memory has at most {most} bytes, not {end}")))
    }

    fn create(&self, site: &mut CreateContext<'_>) -> Result<Rc<dyn Live>, HostError> {
        let segment = match self.way {
            Some(way) => Segment::new(way, self.size as usize),
            None => site.sysv.segment(self.size),
        };
        let segment = segment.map_err(|error| {
            let name = site.name;
            HostError::call(&format!("making the memory `{name}` of {} bytes", self.size), &error)
                .help("`via = \"anonymous\"` needs neither a descriptor, a file nor an id")
        })?;
        let error = |error| HostError::call("mmap", &error);
        let most = if self.is_resizable() { MOST } else { self.size };
        let live = MemoryLive {
            segment,
            mapped: Cell::new(self.size),
            header: site.arena.alloc::<Header>().map_err(error)?,
            undo: site.arena.slice(most.div_ceil(8) as usize).map_err(error)?,
        };
        live.header.size.store(self.size, Ordering::Relaxed);
        Ok(Rc::new(live))
    }

    fn state(&self) -> Box<dyn State> {
        Box::new(Contents::new(self.size))
    }

    fn model(&self, _holders: &[u32]) -> Box<dyn Model> {
        Box::new(model::Mapped::new(*self))
    }

    /// Only `resize` changes the size.
    fn commute(&self, first: Access, second: Access) -> bool {
        let only = |verb: u8| first.verb != verb && second.verb != verb;
        only(RESIZE)
            && (first.verb == SIZE
                || second.verb == SIZE
                || first.verb == LOAD && second.verb == LOAD
                || self.apart(first, second))
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

    fn enablers(&self, _verb: &Verb, _end: Option<&str>, _owner: Option<ProcessId>) -> Enablers {
        Enablers { verbs: &[], only: None, closing: &[] }
    }

    /// As of a value's cells, byte by byte. A `resize` writes what it cuts off or adds, and the size, which `size` reads and what
    /// ends `bus_error`.
    fn relate(&self, events: &[&Event], relation: &mut Relation) {
        let places = relation.by_ticket(events, |_| true);
        accesses::relate(relation, events, &places, touch);
    }

    fn hand_over(&self, handover: &mut Handover<'_>) -> u32 {
        match touch(handover.event) {
            Some((span, touch)) if handover.has_ticket() => accesses::hand_over(handover, span, touch),
            _ => NOTHING,
        }
    }
}

/// What stands in shared memory beside the bytes.
#[derive(FromZeros)]
#[repr(C)]
struct Header {
    guard: Guard,
    /// How many bytes there are.
    size: AtomicU32,
    /// Where the bytes stood that a store keeps, and how many they are: 0 while none is under way.
    kept_at: AtomicU32,
    kept: AtomicU32,
    /// Steps so far.
    version: AtomicU64,
}

/// The memory as it is mapped into this process.
struct MemoryLive {
    segment: Segment,
    /// How many bytes there were when it was mapped.
    mapped: Cell<u32>,
    header: Shared<Header>,
    /// What stood where a store writes.
    undo: Shared<[AtomicU64]>,
}

impl MemoryLive {
    /// The next ticket. The guard is held.
    fn ticket(&self, length: usize) -> u64 {
        let version = self.header.version.load(Ordering::Relaxed) + 1;
        self.header.version.store(version, Ordering::Relaxed);
        ticket(version, length)
    }

    fn size(&self) -> u32 {
        self.header.size.load(Ordering::Relaxed)
    }

    fn on_bytes(&self, call: &mut Call<'_>) -> Result<Completion, Outcome> {
        let step = Step::of(call.verb, call.element, call.arguments, self.mapped.get() as usize)?;
        let mut before = vec![0; step.length];
        let _held = self.header.guard.lock(call.party.process());
        // Nothing is cut off while the guard is held.
        if !step.is_within(self.size()) && self.segment.is_backed(step.at, step.length) != Some(true) {
            return Ok(Completion::of(Outcome::BUS_ERROR).ticket(self.ticket(0)));
        }
        self.segment.read(step.at, &mut before);
        let (after, completion) = step.apply(&before, call.arguments)?;
        if let Some(after) = after {
            self.write(step.at, &before, &after);
        }
        Ok(completion.ticket(self.ticket(step.length)))
    }

    /// Writes these bytes where those stand. The guard is held.
    fn write(&self, at: usize, before: &[u8], after: &[u8]) {
        for (word, eight) in self.undo.iter().zip(before.chunks(8)) {
            let mut bytes = [0; 8];
            bytes[..eight.len()].copy_from_slice(eight);
            word.store(u64::from_ne_bytes(bytes), Ordering::Relaxed);
        }
        self.header.kept_at.store(at as u32, Ordering::Relaxed);
        self.header.kept.store(before.len() as u32, Ordering::Release);
        // The supervisor reads these once this process is dead, so only the order of its own instructions counts.
        compiler_fence(Ordering::SeqCst);
        self.segment.write(at, after);
        compiler_fence(Ordering::SeqCst);
        self.header.kept.store(0, Ordering::Release);
    }

    fn resize(&self, call: &mut Call<'_>) -> Result<Completion, Outcome> {
        let wanted = wanted(call.arguments)?;
        if !self.segment.is_resizable() {
            return Err(Outcome::INVALID);
        }
        let _held = self.header.guard.lock(call.party.process());
        let old = self.size();
        self.segment.map(wanted as usize).map_err(Outcome::from_errno)?;
        let left = old.min(wanted);
        let rest = u64::from(left).next_multiple_of(page()) as usize - left as usize;
        let clear = || self.segment.write(left as usize, &vec![0; rest]);
        if wanted > old {
            clear();
        }
        if let Err(errno) = self.segment.resize(wanted.into()) {
            self.segment.map(self.mapped.get() as usize).map_err(Outcome::from_errno)?;
            return Err(Outcome::from_errno(errno));
        }
        if wanted <= old {
            clear();
        }
        self.header.size.store(wanted, Ordering::Relaxed);
        self.mapped.set(wanted);
        Ok(resized(old, wanted).ticket(self.ticket(0)))
    }

    /// Maps at least that number of bytes, in the supervisor. Whether they are mapped.
    fn reach(&self, bytes: usize) -> bool {
        bytes <= self.segment.mapped() || self.segment.map(bytes).is_ok()
    }
}

/// The argument of `resize`.
fn wanted(arguments: &[Value]) -> Result<u32, Outcome> {
    match arguments.first() {
        Some(Value::Int(size)) => u32::try_from(*size).ok().filter(|size| *size <= MOST).ok_or(Outcome::OUT_OF_RANGE),
        _ => Err(Outcome::INVALID),
    }
}

/// How a `resize` ends.
fn resized(old: u32, new: u32) -> Completion {
    Completion { second: Value::Int(old.into()), ..Completion::value(Value::Int(new.into())) }
}

impl Live for MemoryLive {
    fn perform(&self, call: &mut Call<'_>) -> Completion {
        let done = match call.verb {
            RESIZE => self.resize(call),
            SIZE => {
                let _held = self.header.guard.lock(call.party.process());
                Ok(Completion::value(Value::Int(self.size().into())).ticket(self.ticket(0)))
            }
            _ => self.on_bytes(call),
        };
        done.unwrap_or_else(Completion::of)
    }

    fn reclaim(&self, process: ProcessId) {
        let header = &*self.header;
        if !header.guard.held_by(process) {
            return;
        }
        let (at, length) =
            (header.kept_at.load(Ordering::Acquire) as usize, header.kept.load(Ordering::Acquire) as usize);
        if length > 0 && self.reach(at + length) {
            let words = self.undo.iter().flat_map(|word| word.load(Ordering::Relaxed).to_ne_bytes());
            self.segment.write(at, &words.take(length).collect::<Vec<_>>());
        }
        header.kept.store(0, Ordering::Release);
        if let Ok(size) = self.segment.size() {
            header.size.store(size as u32, Ordering::Relaxed);
        }
        header.guard.force_release();
    }

    fn value(&self) -> Option<Value> {
        let size = self.size() as usize;
        let mut bytes = vec![0; size];
        self.reach(size).then(|| self.segment.read(0, &mut bytes))?;
        Some(Value::from(bytes))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The bytes as the trace tells of them, and as the model has them.
#[derive(Clone, Debug)]
struct Contents {
    size: u32,
    /// Up to the last that is not 0.
    bytes: Vec<u8>,
}

impl Contents {
    fn new(size: u32) -> Self {
        Self { size, bytes: Vec::new() }
    }

    fn read(&self, at: usize, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        for (byte, of) in bytes.iter_mut().zip(self.bytes.get(at..).unwrap_or_default()) {
            *byte = *of;
        }
        bytes
    }

    fn write(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[at..end].copy_from_slice(bytes);
        self.trim();
    }

    /// What stood behind the end in its page is gone with it.
    fn resize(&mut self, size: u32) {
        self.bytes.truncate(self.size.min(size) as usize);
        self.size = size;
        self.trim();
    }

    fn trim(&mut self) {
        let length = self.bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        self.bytes.truncate(length);
    }

    fn shown(&self) -> Value {
        Value::from(self.read(0, self.size as usize))
    }
}

impl State for Contents {
    fn apply(&mut self, event: &Event) {
        if !event.outcome.is_ok() {
            return;
        }
        let after = match event.verb {
            "resize" => {
                if let Ok(size) = wanted(std::slice::from_ref(&event.value)) {
                    self.resize(size);
                }
                return;
            }
            "store" => &event.value,
            "add" | "swap" | "compare_swap" => &event.second,
            _ => return,
        };
        let Span { start, end } = span(event);
        let length = (end - start) as usize;
        let bytes = match after {
            Value::Bytes(bytes) => bytes.to_vec(),
            Value::Int(n) => n.to_le_bytes().to_vec(),
            Value::Float(x) if length == 4 => (*x as f32).to_le_bytes().to_vec(),
            Value::Float(x) => x.to_le_bytes().to_vec(),
            _ => return,
        };
        // A trace that was read from a file may say anything.
        if let (Some(bytes), true) = (bytes.get(..length), end <= MOST) {
            self.write(start as usize, bytes);
        }
    }

    fn value(&self, _names: &[String]) -> Value {
        self.shown()
    }

    fn size(&self) -> Option<i64> {
        Some(self.size.into())
    }
}

#[cfg(test)]
mod tests;
