//! Functions of strings. Places count characters, as CEL's do.

use super::unfit;
use crate::expression::Error;
use crate::expression::evaluate::append;
use crate::expression::operators::{MOST_BYTES, bounded};
use crate::outcome::Outcome;
use crate::value::Value;

pub(super) fn contains(values: &[Value]) -> Result<Value, Error> {
    asked(values, |text, part| text.contains(part))
}

pub(super) fn starts_with(values: &[Value]) -> Result<Value, Error> {
    asked(values, |text, part| text.starts_with(part))
}

pub(super) fn ends_with(values: &[Value]) -> Result<Value, Error> {
    asked(values, |text, part| text.ends_with(part))
}

fn asked(values: &[Value], ask: fn(&str, &str) -> bool) -> Result<Value, Error> {
    match values {
        [Value::String(text), Value::String(part)] => Ok(Value::Bool(ask(text, part))),
        _ => Err(unfit()),
    }
}

pub(super) fn lower_ascii(values: &[Value]) -> Result<Value, Error> {
    changed(values, str::to_ascii_lowercase)
}

pub(super) fn upper_ascii(values: &[Value]) -> Result<Value, Error> {
    changed(values, str::to_ascii_uppercase)
}

pub(super) fn trim(values: &[Value]) -> Result<Value, Error> {
    changed(values, |text| text.trim().to_owned())
}

fn changed(values: &[Value], change: fn(&str) -> String) -> Result<Value, Error> {
    match values {
        [Value::String(text)] => Ok(change(text).into()),
        _ => Err(unfit()),
    }
}

/// The byte of the character at that place; the text's length for the place behind its last.
fn byte_of(text: &str, place: i64) -> Result<usize, Error> {
    let starts = text.char_indices().map(|(byte, _)| byte).chain([text.len()]);
    usize::try_from(place).ok().and_then(|place| starts.into_iter().nth(place)).ok_or_else(|| {
        let message = format!("the place {place} is out of range: the text has {} characters", text.chars().count());
        Error::new(Outcome::OUT_OF_RANGE, message)
    })
}

/// The character that begins at that byte.
fn place_of(text: &str, byte: usize) -> Value {
    Value::Int(text[..byte].chars().count() as i64)
}

pub(super) fn char_at(values: &[Value]) -> Result<Value, Error> {
    let [Value::String(text), Value::Int(place)] = values else { return Err(unfit()) };
    let character = text[byte_of(text, *place)?..].chars().next();
    Ok(character.map_or_else(String::new, String::from).into())
}

pub(super) fn index_of(values: &[Value]) -> Result<Value, Error> {
    let (text, part, from) = match values {
        [Value::String(text), Value::String(part)] => (text, part, 0),
        [Value::String(text), Value::String(part), Value::Int(from)] => (text, part, byte_of(text, *from)?),
        _ => return Err(unfit()),
    };
    Ok(text[from..].find(part.as_ref()).map_or(Value::Int(-1), |found| place_of(text, from + found)))
}

pub(super) fn last_index_of(values: &[Value]) -> Result<Value, Error> {
    match values {
        [Value::String(text), Value::String(part)] => {
            Ok(text.rfind(part.as_ref()).map_or(Value::Int(-1), |found| place_of(text, found)))
        }
        _ => Err(unfit()),
    }
}

pub(super) fn substring(values: &[Value]) -> Result<Value, Error> {
    let (text, start, end) = match values {
        [Value::String(text), Value::Int(start)] => (text, byte_of(text, *start)?, text.len()),
        [Value::String(text), Value::Int(start), Value::Int(end)] => {
            (text, byte_of(text, *start)?, byte_of(text, *end)?)
        }
        _ => return Err(unfit()),
    };
    match text.get(start..end) {
        Some(part) => Ok(part.into()),
        None => Err(Error::new(Outcome::OUT_OF_RANGE, "the part would end before it begins")),
    }
}

pub(super) fn replace(values: &[Value]) -> Result<Value, Error> {
    let (text, old, new, limit) = match values {
        [Value::String(text), Value::String(old), Value::String(new)] => (text, old, new, -1),
        [Value::String(text), Value::String(old), Value::String(new), Value::Int(limit)] => (text, old, new, *limit),
        _ => return Err(unfit()),
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let times = text.matches(old.as_ref()).take(limit).count();
    bounded(text.len().saturating_add(times.saturating_mul(new.len())), MOST_BYTES, "bytes")?;
    Ok(text.replacen(old.as_ref(), new, limit).into())
}

pub(super) fn split(values: &[Value]) -> Result<Value, Error> {
    let (text, separator, limit) = match values {
        [Value::String(text), Value::String(separator)] => (text, separator, -1),
        [Value::String(text), Value::String(separator), Value::Int(limit)] => (text, separator, *limit),
        _ => return Err(unfit()),
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if separator.is_empty() {
        return Ok(characters(text, limit).into());
    }
    Ok(Value::List(text.splitn(limit, separator.as_ref()).map(Value::from).collect()))
}

/// Each character by itself, the last part with all that the limit leaves.
fn characters(text: &str, limit: usize) -> Vec<Value> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next().filter(|_| parts.len() < limit) {
        let length = if parts.len() + 1 == limit { rest.len() } else { first.len_utf8() };
        parts.push(rest[..length].into());
        rest = &rest[length..];
    }
    parts
}

pub(super) fn join(values: &[Value]) -> Result<Value, Error> {
    let (items, separator) = match values {
        [Value::List(items)] => (items, ""),
        [Value::List(items), Value::String(separator)] => (items, separator.as_ref()),
        _ => return Err(unfit()),
    };
    let mut text = String::new();
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            text.push_str(separator);
        }
        append(&mut text, item);
        bounded(text.len(), MOST_BYTES, "bytes")?;
    }
    Ok(text.into())
}
