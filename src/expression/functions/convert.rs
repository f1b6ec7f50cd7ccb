//! From one type to another.

use std::num::IntErrorKind;

use super::unfit;
use crate::expression::Error;
use crate::outcome::Outcome;
use crate::value::Value;

pub(super) fn int(values: &[Value]) -> Result<Value, Error> {
    Ok(Value::Int(match values {
        [Value::Int(n)] => *n,
        [Value::Float(x)] => {
            let whole = x.trunc();
            // Both bounds are exact as floats; the upper one is the first that does not fit.
            if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&whole) {
                return Err(Error::new(Outcome::OVERFLOW, format!("{x:?} does not fit an int")));
            }
            whole as i64
        }
        [Value::String(text)] => text.parse().map_err(|error: std::num::ParseIntError| match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => {
                Error::new(Outcome::OVERFLOW, format!("{text} does not fit an int"))
            }
            _ => Error::new(Outcome::INVALID, format!("{text:?} is not an int")),
        })?,
        _ => return Err(unfit()),
    }))
}

pub(super) fn float(values: &[Value]) -> Result<Value, Error> {
    Ok(Value::Float(match values {
        [Value::Int(n)] => *n as f64,
        [Value::Float(x)] => *x,
        [Value::String(text)] => {
            text.parse().map_err(|_| Error::new(Outcome::INVALID, format!("{text:?} is not a float")))?
        }
        _ => return Err(unfit()),
    }))
}

pub(super) fn string(values: &[Value]) -> Result<Value, Error> {
    match values {
        [Value::String(text)] => Ok(Value::String(text.clone())),
        [Value::Bytes(bytes)] => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.into()),
            Err(_) => Err(Error::new(Outcome::INVALID, "the bytes are not text in UTF-8")),
        },
        [value] => Ok(value.to_text().into()),
        _ => Err(unfit()),
    }
}

pub(super) fn bytes(values: &[Value]) -> Result<Value, Error> {
    match values {
        [Value::String(text)] => Ok(Value::Bytes(text.as_bytes().into())),
        [Value::Bytes(bytes)] => Ok(Value::Bytes(bytes.clone())),
        _ => Err(unfit()),
    }
}

pub(super) fn bool(values: &[Value]) -> Result<Value, Error> {
    Ok(Value::Bool(match values {
        [Value::Bool(truth)] => *truth,
        [Value::String(text)] => match text.as_ref() {
            "true" | "True" | "TRUE" | "t" | "1" => true,
            "false" | "False" | "FALSE" | "f" | "0" => false,
            _ => return Err(Error::new(Outcome::INVALID, format!("{text:?} is not a bool"))),
        },
        _ => return Err(unfit()),
    }))
}

pub(super) fn kind(values: &[Value]) -> Result<Value, Error> {
    let name = match values {
        [Value::Null] => "null",
        [Value::Bool(_)] => "bool",
        [Value::Int(_)] => "int",
        [Value::Float(_)] => "float",
        [Value::String(_)] => "string",
        [Value::Bytes(_)] => "bytes",
        [Value::List(_)] => "list",
        [Value::Map(_)] => "map",
        _ => return Err(unfit()),
    };
    Ok(name.into())
}
