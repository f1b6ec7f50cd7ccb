//! Functions of numbers.

use std::cmp::Ordering;

use super::unfit;
use crate::expression::Error;
use crate::expression::operators;
use crate::outcome::Outcome;
use crate::value::Value;

pub(super) fn least(values: &[Value]) -> Result<Value, Error> {
    extreme(values, Ordering::Less)
}

pub(super) fn greatest(values: &[Value]) -> Result<Value, Error> {
    extreme(values, Ordering::Greater)
}

/// The first number that stands in that order to all others; a NaN is never it beside another number.
fn extreme(values: &[Value], wanted: Ordering) -> Result<Value, Error> {
    let items = match values {
        [Value::List(items)] => items,
        several => several,
    };
    let mut best: Option<&Value> = None;
    for item in items {
        if !matches!(item, Value::Int(_) | Value::Float(_)) {
            let message = format!("only numbers have a least and a greatest; this is {}", item.types());
            return Err(Error::new(Outcome::INVALID, message));
        }
        let better = best.is_none_or(|best| {
            matches!(best, Value::Float(x) if x.is_nan()) || operators::order(item, best) == Some(Some(wanted))
        });
        if better {
            best = Some(item);
        }
    }
    best.cloned().ok_or_else(|| Error::new(Outcome::INVALID, "an empty list has neither a least nor a greatest number"))
}

pub(super) fn abs(values: &[Value]) -> Result<Value, Error> {
    match values {
        [Value::Int(n)] => n
            .checked_abs()
            .map(Value::Int)
            .ok_or_else(|| Error::new(Outcome::OVERFLOW, format!("{n} without its sign does not fit an int"))),
        [Value::Float(x)] => Ok(Value::Float(x.abs())),
        _ => Err(unfit()),
    }
}

pub(super) fn sign(values: &[Value]) -> Result<Value, Error> {
    match values {
        [Value::Int(n)] => Ok(Value::Int(n.signum())),
        [Value::Float(x)] if *x == 0.0 => Ok(Value::Float(0.0)),
        [Value::Float(x)] => Ok(Value::Float(x.signum())),
        _ => Err(unfit()),
    }
}

pub(super) fn ceil(values: &[Value]) -> Result<Value, Error> {
    whole(values, f64::ceil)
}

pub(super) fn floor(values: &[Value]) -> Result<Value, Error> {
    whole(values, f64::floor)
}

pub(super) fn round(values: &[Value]) -> Result<Value, Error> {
    whole(values, f64::round)
}

pub(super) fn trunc(values: &[Value]) -> Result<Value, Error> {
    whole(values, f64::trunc)
}

fn whole(values: &[Value], compute: fn(f64) -> f64) -> Result<Value, Error> {
    match values {
        [Value::Int(n)] => Ok(Value::Int(*n)),
        [Value::Float(x)] => Ok(Value::Float(compute(*x))),
        _ => Err(unfit()),
    }
}

fn to_float(values: &[Value]) -> Result<f64, Error> {
    match values {
        [Value::Int(n)] => Ok(*n as f64),
        [Value::Float(x)] => Ok(*x),
        _ => Err(unfit()),
    }
}

pub(super) fn sqrt(values: &[Value]) -> Result<Value, Error> {
    let x = to_float(values)?;
    if x < 0.0 {
        return Err(Error::new(Outcome::INVALID, format!("{x:?} has no square root")));
    }
    Ok(Value::Float(x.sqrt()))
}

pub(super) fn is_nan(values: &[Value]) -> Result<Value, Error> {
    Ok(Value::Bool(to_float(values)?.is_nan()))
}

pub(super) fn is_inf(values: &[Value]) -> Result<Value, Error> {
    Ok(Value::Bool(to_float(values)?.is_infinite()))
}

pub(super) fn is_finite(values: &[Value]) -> Result<Value, Error> {
    Ok(Value::Bool(to_float(values)?.is_finite()))
}

pub(super) fn bit_and(values: &[Value]) -> Result<Value, Error> {
    bits(values, |a, b| a & b)
}

pub(super) fn bit_or(values: &[Value]) -> Result<Value, Error> {
    bits(values, |a, b| a | b)
}

pub(super) fn bit_xor(values: &[Value]) -> Result<Value, Error> {
    bits(values, |a, b| a ^ b)
}

fn bits(values: &[Value], compute: fn(i64, i64) -> i64) -> Result<Value, Error> {
    match values {
        [Value::Int(a), Value::Int(b)] => Ok(Value::Int(compute(*a, *b))),
        _ => Err(unfit()),
    }
}

pub(super) fn bit_not(values: &[Value]) -> Result<Value, Error> {
    match values {
        [Value::Int(n)] => Ok(Value::Int(!n)),
        _ => Err(unfit()),
    }
}

pub(super) fn shift_left(values: &[Value]) -> Result<Value, Error> {
    shift(values, u64::checked_shl)
}

pub(super) fn shift_right(values: &[Value]) -> Result<Value, Error> {
    shift(values, u64::checked_shr)
}

/// Shifts the bits as they stand; past the last place nothing is left of them.
fn shift(values: &[Value], compute: fn(u64, u32) -> Option<u64>) -> Result<Value, Error> {
    match values {
        [Value::Int(_), Value::Int(places)] if *places < 0 => {
            Err(Error::new(Outcome::INVALID, format!("bits cannot move {places} places")))
        }
        [Value::Int(n), Value::Int(places)] => {
            let moved = u32::try_from(*places).ok().and_then(|places| compute(*n as u64, places));
            Ok(Value::Int(moved.unwrap_or(0) as i64))
        }
        _ => Err(unfit()),
    }
}
