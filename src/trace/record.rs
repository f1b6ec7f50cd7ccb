//! The record: one event as it lies in shared memory, eight words of eight bytes, one cache line.
//!
//! ```text
//! word 0  begin, ns of CLOCK_MONOTONIC      word 4  value: a scalar's bits, or the bytes of its encoding
//! word 1  end                               word 5  second, likewise
//! word 2  ticket                            word 6  step (low half), object or process (high half)
//! word 3  cause, a packed event id          word 7  element + 1 (low half), outcome, verb, flags, tags (a byte each)
//! ```
//! A value that is no scalar follows in the lane's payload, first `value`, then `second`; a record only holds how
//! many bytes. All names are indices of the plan, so that a process stores nothing but integers.

use crate::event::{Event, EventId, ObjectId, ProcessId, StepId, Target};
use crate::objects::kinds::signals::HANDLED;
use crate::outcome::Outcome;
use crate::value::{self, Value};

pub type Record = [u64; 8];

/// No step, no object.
pub const NONE: u32 = u32::MAX;

/// The verb of the first event of a process.
pub const BEGIN: u8 = 254;
/// The verb of its last.
pub const END: u8 = 255;
/// The verb of a signal's handler that begins.
pub const HANDLE: u8 = 253;

/// The process had to wait.
pub const BLOCKED: u8 = 1;
/// Part of a step, no step of its own.
pub const IMPLICIT: u8 = 2;
/// The target is a process.
pub const PROCESS: u8 = 4;
/// A piece of the payload of the next record that is not a fragment; word 4 holds its length.
pub const FRAGMENT: u8 = 8;
/// The recorder held the process up before this record.
pub const STALLED: u8 = 16;

const NULL: u8 = 0;
const BOOL: u8 = 1;
const INT: u8 = 2;
const FLOAT: u8 = 3;
const PAYLOAD: u8 = 4;

/// What a record says besides its values.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// ns of CLOCK_MONOTONIC.
    pub begin: u64,
    /// ns of CLOCK_MONOTONIC.
    pub end: u64,
    /// The place in the object's order, or 0.
    pub ticket: u64,
    /// A packed event id, or 0.
    pub cause: u64,
    /// The step, or [`NONE`].
    pub step: StepId,
    /// The object or process, or [`NONE`].
    pub target: u32,
    pub element: Option<u32>,
    pub outcome: Outcome,
    /// The verb's place among the kind's, or among the steps without an object.
    pub verb: u8,
    /// [`BLOCKED`] and its like.
    pub flags: u8,
}

/// Puts a record together; values that are no scalars are appended to `payload`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "a record is made where it is published, field by field")]
pub fn encode(head: &Head, value: &Value, second: &Value, payload: &mut Vec<u8>) -> Record {
    let (value_tag, value_word) = word(value, payload);
    let (second_tag, second_word) = word(second, payload);
    [
        head.begin,
        head.end,
        head.ticket,
        head.cause,
        value_word,
        second_word,
        u64::from(head.step) | u64::from(head.target) << 32,
        u64::from(head.element.map_or(0, |element| element + 1))
            | u64::from(head.outcome.code()) << 32
            | u64::from(head.verb) << 40
            | u64::from(head.flags) << 48
            | u64::from(value_tag | second_tag << 4) << 56,
    ]
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `encode`")]
fn word(value: &Value, payload: &mut Vec<u8>) -> (u8, u64) {
    match value {
        Value::Null => (NULL, 0),
        Value::Bool(b) => (BOOL, u64::from(*b)),
        Value::Int(n) => (INT, *n as u64),
        Value::Float(x) => (FLOAT, x.to_bits()),
        other => {
            let before = payload.len();
            value::encode(other, payload);
            (PAYLOAD, (payload.len() - before) as u64)
        }
    }
}

/// A record of a piece of payload that belongs to the record behind it.
pub fn fragment(length: usize) -> Record {
    [0, 0, 0, 0, length as u64, 0, u64::MAX, u64::from(FRAGMENT) << 48]
}

#[inline]
pub fn flags(record: &Record) -> u8 {
    (record[7] >> 48) as u8
}

/// When the event ended.
pub fn end(record: &Record) -> u64 {
    record[1]
}

pub fn verb(record: &Record) -> u8 {
    (record[7] >> 40) as u8
}

/// The record's step, or [`NONE`].
pub fn step(record: &Record) -> u32 {
    record[6] as u32
}

/// How many bytes of payload belong to the record.
pub fn payload_length(record: &Record) -> usize {
    if flags(record) & FRAGMENT != 0 {
        return record[4] as usize;
    }
    let tags = (record[7] >> 56) as u8;
    let of = |tag: u8, word: u64| if tag == PAYLOAD { word as usize } else { 0 };
    of(tags & 15, record[4]) + of(tags >> 4, record[5])
}

/// The verbs of a plan, by which a record's verb has its name.
pub trait Verbs {
    /// The verb of an object's kind.
    fn of_object(&self, object: ObjectId, verb: u8) -> Option<&'static str>;
    /// A verb without an object.
    fn of_step(&self, verb: u8) -> Option<&'static str>;
}

/// Reads an event. `payload` is all that belongs to it, fragments joined. `origin` is the run's begin.
///
/// # Errors
/// What is wrong with the record, in words.
pub fn decode(
    record: &Record,
    payload: &[u8],
    process: ProcessId,
    number: u64,
    origin: u64,
    verbs: &dyn Verbs,
) -> Result<Event, String> {
    let flags = flags(record);
    let tags = (record[7] >> 56) as u8;
    let mut rest = payload;
    let mut read = |tag: u8, word: u64| -> Result<Value, String> {
        Ok(match tag {
            NULL => Value::Null,
            BOOL => Value::Bool(word != 0),
            INT => Value::Int(word as i64),
            FLOAT => Value::Float(f64::from_bits(word)),
            _ => {
                let (bytes, behind) = rest.split_at_checked(word as usize).ok_or("its payload is cut short")?;
                rest = behind;
                value::decode(bytes).map_err(|error| error.to_string())?
            }
        })
    };
    let value = read(tags & 15, record[4])?;
    let second = read(tags >> 4, record[5])?;
    let target = (record[6] >> 32) as u32;
    let step = record[6] as u32;
    let element = record[7] as u32;
    let target = match target {
        NONE => Target::None,
        id if flags & PROCESS != 0 => Target::Process(id),
        id => Target::Object(id),
    };
    let code = verb(record);
    let verb = match (code, target) {
        (BEGIN, _) => Some("begin"),
        (END, _) => Some("end"),
        (HANDLE, _) => Some(HANDLED),
        (code, Target::Object(id)) => verbs.of_object(id, code),
        (code, _) => verbs.of_step(code),
    };
    Ok(Event {
        id: EventId::new(process, number),
        begin: record[0].saturating_sub(origin),
        end: record[1].saturating_sub(origin),
        step: (step != NONE).then_some(step),
        verb: verb.ok_or_else(|| format!("verb {code} is unknown"))?,
        target,
        element: element.checked_sub(1).into(),
        outcome: Outcome::from_code((record[7] >> 32) as u8),
        value,
        second,
        ticket: record[2],
        cause: EventId::unpack(record[3]),
        blocked: flags & BLOCKED != 0,
        implicit: flags & IMPLICIT != 0,
    })
}
