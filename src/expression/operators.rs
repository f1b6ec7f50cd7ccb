//! What the operators do with two values, and which types they take.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::Error;
use crate::outcome::Outcome;
use crate::value::{Types, Value};

/// The most items that an expression puts into one list.
pub(super) const MOST_ITEMS: usize = 1 << 22;
/// The most bytes that an expression puts into one string or into one value of bytes.
pub(super) const MOST_BYTES: usize = 1 << 26;
/// How deep lists and maps may nest that an expression makes: as deep as a message can carry them.
const MOST_LEVELS: usize = 256;

/// An operator between two values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    In,
}

pub(super) const EACH: [Types; 8] =
    [Types::NULL, Types::BOOL, Types::INT, Types::FLOAT, Types::STRING, Types::BYTES, Types::LIST, Types::MAP];

impl Operator {
    const SIGNS: [(Self, &'static str); 12] = [
        (Self::Add, "+"),
        (Self::Subtract, "-"),
        (Self::Multiply, "*"),
        (Self::Divide, "/"),
        (Self::Remainder, "%"),
        (Self::Less, "<"),
        (Self::LessEqual, "<="),
        (Self::Greater, ">"),
        (Self::GreaterEqual, ">="),
        (Self::Equal, "=="),
        (Self::NotEqual, "!="),
        (Self::In, "in"),
    ];

    /// The operator written so.
    pub(super) fn of_sign(sign: &str) -> Option<Self> {
        Self::SIGNS.iter().find(|(_, written)| *written == sign).map(|(operator, _)| *operator)
    }

    /// How it is written.
    pub(crate) fn sign(self) -> &'static str {
        Self::SIGNS.iter().find(|(operator, _)| *operator == self).map_or("", |(_, sign)| sign)
    }

    /// What it takes, in words.
    pub(super) fn takes(self) -> &'static str {
        match self {
            Self::Add => "numbers, strings, lists or bytes",
            Self::Subtract | Self::Multiply | Self::Divide => "numbers",
            Self::Remainder => "ints",
            Self::Less | Self::LessEqual | Self::Greater | Self::GreaterEqual => "numbers, strings, bytes or bools",
            Self::Equal | Self::NotEqual => "any values",
            Self::In => "a list or a map on its right",
        }
    }

    /// Whether it compares, so that its value is a bool.
    pub(crate) fn compares(self) -> bool {
        !matches!(self, Self::Add | Self::Subtract | Self::Multiply | Self::Divide | Self::Remainder)
    }

    /// The types of its value for every pair of types it takes; none where it takes no pair.
    pub(super) fn result(self, left: Types, right: Types) -> Types {
        let mut result = Types::NONE;
        for a in EACH.into_iter().filter(|a| left.contains(*a)) {
            for b in EACH.into_iter().filter(|b| right.contains(*b)) {
                result = result | self.result_of_pair(a, b);
            }
        }
        result
    }

    fn result_of_pair(self, a: Types, b: Types) -> Types {
        let numbers = Types::NUMBER.contains(a) && Types::NUMBER.contains(b);
        match self {
            Self::Add | Self::Subtract | Self::Multiply | Self::Divide if numbers => {
                if a == b {
                    a
                } else {
                    Types::FLOAT
                }
            }
            Self::Add if a == b && (Types::STRING | Types::LIST | Types::BYTES).contains(a) => a,
            Self::Remainder if a == Types::INT && b == Types::INT => Types::INT,
            Self::Less | Self::LessEqual | Self::Greater | Self::GreaterEqual
                if numbers || a == b && (Types::STRING | Types::BYTES | Types::BOOL).contains(a) =>
            {
                Types::BOOL
            }
            Self::Equal | Self::NotEqual if numbers || a == b || a == Types::NULL || b == Types::NULL => Types::BOOL,
            Self::In if b == Types::LIST || b == Types::MAP && a == Types::STRING => Types::BOOL,
            _ => Types::NONE,
        }
    }
}

/// The value of `left operator right`.
#[inline]
pub(super) fn apply(operator: Operator, left: &Value, right: &Value) -> Result<Value, Error> {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => integers(operator, *a, *b),
        _ => others(operator, left, right),
    }
}

/// Whether `a operator b` holds; `None` for an operator that does not compare ints.
#[inline]
pub(super) fn compare(operator: Operator, a: i64, b: i64) -> Option<bool> {
    Some(match operator {
        Operator::Less => a < b,
        Operator::LessEqual => a <= b,
        Operator::Greater => a > b,
        Operator::GreaterEqual => a >= b,
        Operator::Equal => a == b,
        Operator::NotEqual => a != b,
        _ => return None,
    })
}

/// The value of `a operator b`.
#[inline]
pub(super) fn integers(operator: Operator, a: i64, b: i64) -> Result<Value, Error> {
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide if b != 0 => a.checked_div(b),
        Operator::Remainder if b != 0 => a.checked_rem(b),
        Operator::Divide | Operator::Remainder => return Err(division_by_zero(operator, &a.into())),
        _ => {
            return match compare(operator, a, b) {
                Some(truth) => Ok(Value::Bool(truth)),
                None => Err(mismatch(operator, &a.into(), &b.into())),
            };
        }
    };
    match result {
        Some(n) => Ok(Value::Int(n)),
        None => Err(overflow(operator, &a.into(), &b.into())),
    }
}

#[inline(never)]
fn others(operator: Operator, left: &Value, right: &Value) -> Result<Value, Error> {
    let truth = match operator {
        Operator::Equal => equal(left, right),
        Operator::NotEqual => !equal(left, right),
        Operator::In => match (left, right) {
            (needle, Value::List(items)) => items.iter().any(|item| equal(needle, item)),
            (Value::String(key), Value::Map(map)) => map.contains_key(key.as_ref()),
            _ => return Err(mismatch(operator, left, right)),
        },
        Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual => {
            let order = order(left, right).ok_or_else(|| mismatch(operator, left, right))?;
            order.is_some_and(|order| match operator {
                Operator::Less => order.is_lt(),
                Operator::LessEqual => order.is_le(),
                Operator::Greater => order.is_gt(),
                _ => order.is_ge(),
            })
        }
        _ => return arithmetic(operator, left, right),
    };
    Ok(Value::Bool(truth))
}

fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Result<Value, Error> {
    let (a, b) = match (left, right) {
        (Value::Float(a), Value::Float(b)) => (*a, *b),
        (Value::Int(a), Value::Float(b)) => (*a as f64, *b),
        (Value::Float(a), Value::Int(b)) => (*a, *b as f64),
        _ if operator == Operator::Add => return join(left, right),
        _ => return Err(mismatch(operator, left, right)),
    };
    let result = match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide if b == 0.0 => return Err(division_by_zero(operator, left)),
        Operator::Divide => a / b,
        _ => return Err(mismatch(operator, left, right)),
    };
    if a.is_finite() && b.is_finite() && !result.is_finite() {
        return Err(overflow(operator, left, right));
    }
    Ok(Value::Float(result))
}

/// `+` of two strings, two lists or two values of bytes.
fn join(left: &Value, right: &Value) -> Result<Value, Error> {
    Ok(match (left, right) {
        (Value::String(a), Value::String(b)) => {
            bounded(a.len() + b.len(), MOST_BYTES, "bytes")?;
            let mut text = String::with_capacity(a.len() + b.len());
            text.push_str(a);
            text.push_str(b);
            text.into()
        }
        (Value::List(a), Value::List(b)) => {
            bounded(a.len() + b.len(), MOST_ITEMS, "items")?;
            Value::List(a.iter().chain(b.iter()).cloned().collect())
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            bounded(a.len() + b.len(), MOST_BYTES, "bytes")?;
            [a.as_ref(), b.as_ref()].concat().into()
        }
        _ => return Err(mismatch(Operator::Add, left, right)),
    })
}

/// `-value`.
pub(super) fn negate(value: &Value) -> Result<Value, Error> {
    match value {
        Value::Int(n) => n
            .checked_neg()
            .map(Value::Int)
            .ok_or_else(|| Error::new(Outcome::OVERFLOW, format!("-({n}) does not fit an int"))),
        Value::Float(x) => Ok(Value::Float(-x)),
        other => Err(Error::new(Outcome::INVALID, format!("`-` takes a number; this is {}", other.types()))),
    }
}

/// Whether two values are equal: numbers by what they count, everything else by type and content.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
            order(left, right) == Some(Some(Ordering::Equal))
        }
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|((x, a), (y, b))| x == y && equal(a, b))
        }
        _ => left == right,
    }
}

/// How two values stand to each other; `None` where values of these types do not, `Some(None)` beside a NaN.
#[allow(clippy::option_option)]
pub(super) fn order(left: &Value, right: &Value) -> Option<Option<Ordering>> {
    Some(match (left, right) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Float(b)) => order_numbers(*a, *b),
        (Value::Float(a), Value::Int(b)) => order_numbers(*b, *a).map(Ordering::reverse),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        _ => return None,
    })
}

/// Exact where a conversion to float would round.
fn order_numbers(int: i64, float: f64) -> Option<Ordering> {
    const PAST_THE_GREATEST: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        None
    } else if float >= PAST_THE_GREATEST {
        Some(Ordering::Less)
    } else if float < -PAST_THE_GREATEST {
        Some(Ordering::Greater)
    } else {
        let whole = float.trunc();
        Some(int.cmp(&(whole as i64)).then_with(|| whole.total_cmp(&float)))
    }
}

/// `container[index]`.
pub(super) fn item(container: &Value, index: &Value) -> Result<Value, Error> {
    match (container, index) {
        (Value::List(items), Value::Int(n)) => {
            usize::try_from(*n).ok().and_then(|n| items.get(n)).cloned().ok_or_else(|| {
                let message = match items.len() {
                    0 => format!("the index {n} is out of range: the list is empty"),
                    length => format!("the index {n} is out of range: the list has the indices 0 to {}", length - 1),
                };
                Error::new(Outcome::OUT_OF_RANGE, message)
            })
        }
        (Value::Map(map), Value::String(key)) => field(map, key),
        (Value::List(_), other) => {
            Err(Error::new(Outcome::INVALID, format!("the index of a list is an int; this is {}", other.types())))
        }
        (Value::Map(_), other) => {
            Err(Error::new(Outcome::INVALID, format!("the key of a map is a string; this is {}", other.types())))
        }
        (other, _) => {
            Err(Error::new(Outcome::INVALID, format!("only lists and maps have items; this is {}", other.types())))
        }
    }
}

/// `container.key`.
pub(super) fn member(container: &Value, key: &str) -> Result<Value, Error> {
    match container {
        Value::Map(map) => field(map, key),
        other => Err(Error::new(Outcome::INVALID, format!("only a map has fields; this is {}", other.types()))),
    }
}

fn field(map: &BTreeMap<String, Value>, key: &str) -> Result<Value, Error> {
    map.get(key).cloned().ok_or_else(|| {
        let known = map.keys().take(8).map(|known| format!("{known:?}")).collect::<Vec<_>>();
        let message = match known.as_slice() {
            [] => format!("the map has no key {key:?}: it is empty"),
            known => format!("the map has no key {key:?}; it has {}", known.join(", ")),
        };
        Error::new(Outcome::NOT_FOUND, message)
    })
}

/// An error where `length` passes the most that an expression makes.
pub(super) fn bounded(length: usize, most: usize, what: &str) -> Result<(), Error> {
    if length <= most {
        return Ok(());
    }
    Err(Error::new(Outcome::OVERFLOW, format!("the value would have {length} {what}; {most} are the most")))
}

/// An error where a list or map around `value` would nest deeper than a message can carry.
pub(super) fn shallow(value: &Value) -> Result<(), Error> {
    fn fits(value: &Value, levels: usize) -> bool {
        match value {
            Value::List(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
            Value::Map(map) => levels > 0 && map.values().all(|item| fits(item, levels - 1)),
            _ => true,
        }
    }
    if fits(value, MOST_LEVELS - 1) {
        return Ok(());
    }
    Err(Error::new(Outcome::OVERFLOW, format!("the value would nest deeper than {MOST_LEVELS} levels")))
}

#[cold]
fn overflow(operator: Operator, left: &Value, right: &Value) -> Error {
    let kind = if matches!((left, right), (Value::Int(_), Value::Int(_))) { "an int" } else { "a float" };
    Error::new(Outcome::OVERFLOW, format!("{left} {} {right} does not fit {kind}", operator.sign()))
}

#[cold]
fn division_by_zero(operator: Operator, left: &Value) -> Error {
    Error::new(Outcome::INVALID, format!("a division by zero: {left} {} 0", operator.sign()))
}

#[cold]
fn mismatch(operator: Operator, left: &Value, right: &Value) -> Error {
    let (sign, takes) = (operator.sign(), operator.takes());
    let message = format!("`{sign}` takes {takes}; these are {} and {}", left.types(), right.types());
    Error::new(Outcome::INVALID, message)
}
