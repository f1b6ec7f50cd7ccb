//! Functions of lists, and of what else has a size.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::unfit;
use crate::expression::Error;
use crate::expression::operators::{self, MOST_ITEMS, Operator, bounded};
use crate::outcome::Outcome;
use crate::value::{Types, Value};

pub(super) fn size(values: &[Value]) -> Result<Value, Error> {
    let size = match values {
        [Value::String(text)] => text.chars().count(),
        [Value::Bytes(bytes)] => bytes.len(),
        [Value::List(items)] => items.len(),
        [Value::Map(map)] => map.len(),
        _ => return Err(unfit()),
    };
    Ok(Value::Int(size as i64))
}

pub(super) fn range(values: &[Value]) -> Result<Value, Error> {
    match values {
        [Value::Int(n)] => {
            bounded(usize::try_from(*n).unwrap_or(0), MOST_ITEMS, "items")?;
            Ok(Value::List((0..*n).map(Value::Int).collect()))
        }
        _ => Err(unfit()),
    }
}

pub(super) fn reverse(values: &[Value]) -> Result<Value, Error> {
    match values {
        [Value::String(text)] => Ok(text.chars().rev().collect::<String>().into()),
        [Value::List(items)] => Ok(Value::List(items.iter().rev().cloned().collect())),
        _ => Err(unfit()),
    }
}

pub(super) fn sort(values: &[Value]) -> Result<Value, Error> {
    let [Value::List(items)] = values else { return Err(unfit()) };
    let types = items.iter().fold(Types::NONE, |all, item| all | item.types());
    let alike = [Types::NUMBER, Types::STRING, Types::BYTES, Types::BOOL].iter().any(|class| class.contains(types));
    if !alike {
        let message = format!("only numbers, strings, bytes or bools have an order; in this list is {types}");
        return Err(Error::new(Outcome::INVALID, message));
    }
    let mut items = items.to_vec();
    items.sort_by(in_total_order);
    Ok(items.into())
}

/// The order of values of one kind, a NaN behind every other number.
fn in_total_order(left: &Value, right: &Value) -> Ordering {
    let nan = |value: &Value| matches!(value, Value::Float(x) if x.is_nan());
    operators::order(left, right).flatten().unwrap_or_else(|| nan(left).cmp(&nan(right)))
}

pub(super) fn sum(values: &[Value]) -> Result<Value, Error> {
    let [Value::List(items)] = values else { return Err(unfit()) };
    let mut sum = Value::Int(0);
    for item in items.iter() {
        sum = operators::apply(Operator::Add, &sum, item)?;
    }
    Ok(sum)
}

pub(super) fn distinct(values: &[Value]) -> Result<Value, Error> {
    let [Value::List(items)] = values else { return Err(unfit()) };
    let mut seen = BTreeSet::new();
    let kept = items.iter().filter(|item| {
        // A float that counts the same as an int is the same number.
        let key = match item {
            Value::Float(x) if operators::equal(&Value::Int(*x as i64), item) => Value::Int(*x as i64),
            other => (*other).clone(),
        };
        seen.insert(key)
    });
    Ok(Value::List(kept.cloned().collect()))
}

pub(super) fn slice(values: &[Value]) -> Result<Value, Error> {
    let [Value::List(items), Value::Int(start), Value::Int(end)] = values else { return Err(unfit()) };
    let bounds = usize::try_from(*start).ok().zip(usize::try_from(*end).ok());
    bounds.and_then(|(start, end)| items.get(start..end)).map(|part| Value::List(part.into())).ok_or_else(|| {
        let message = format!("{start} to {end} is no part of a list of {} items", items.len());
        Error::new(Outcome::OUT_OF_RANGE, message)
    })
}

pub(super) fn flatten(values: &[Value]) -> Result<Value, Error> {
    let (items, depth) = match values {
        [Value::List(items)] => (items, 1),
        [Value::List(items), Value::Int(depth)] if *depth >= 0 => (items, *depth),
        [Value::List(_), Value::Int(depth)] => {
            return Err(Error::new(Outcome::INVALID, format!("a list cannot be flattened {depth} levels deep")));
        }
        _ => return Err(unfit()),
    };
    let mut flat = Vec::new();
    spread(items, depth, &mut flat)?;
    Ok(flat.into())
}

fn spread(items: &[Value], depth: i64, flat: &mut Vec<Value>) -> Result<(), Error> {
    for item in items {
        match item {
            Value::List(inner) if depth > 0 => spread(inner, depth - 1, flat)?,
            other => flat.push(other.clone()),
        }
    }
    bounded(flat.len(), MOST_ITEMS, "items")
}
