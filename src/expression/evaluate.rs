//! Computes a compiled expression over an environment.
//!
//! Scalars allocate nothing. A slot or a constant beside an operator is read where it stands, so that a string or a
//! list is not even counted. The arms that are seldom hot stand in functions of their own, which keeps the
//! recursion's frame small.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::functions::{Body, Function};
use super::node::Node;
use super::operators::{self, Operator};
use super::{Environment, Error};
use crate::outcome::Outcome;
use crate::value::{Types, Value};

/// The value of a node.
pub(crate) fn evaluate<E: Environment + ?Sized>(node: &Node, environment: &mut E) -> Result<Value, Error> {
    match node {
        Node::Constant(value) => Ok(value.clone()),
        Node::Slot(slot) => Ok(environment.slot(*slot).clone()),
        Node::Binary(operator, sides) => binary(*operator, &sides.0, &sides.1, environment),
        Node::All(_) | Node::Any(_) | Node::Not(_) => truth(node, environment).map(Value::Bool),
        Node::Choice(parts) => {
            let part = if truth(&parts.0, environment)? { &parts.1 } else { &parts.2 };
            evaluate(part, environment)
        }
        Node::Builtin(builtin) => Ok(environment.builtin(*builtin)),
        Node::State(state) => environment.state(*state),
        Node::Negate(inner) => operators::negate(&evaluate(inner, environment)?),
        Node::Index(parts) => index(&parts.0, &parts.1, environment),
        Node::Field(parts) => field(&parts.0, &parts.1, environment),
        Node::List(items) => list(items, environment),
        Node::Map(entries) => map(entries, environment),
        Node::Call(function, arguments) => call(function, arguments, environment),
        Node::Text(pieces) => text(pieces, environment),
    }
}

#[inline]
fn binary<E: Environment + ?Sized>(
    operator: Operator,
    left: &Node,
    right: &Node,
    environment: &mut E,
) -> Result<Value, Error> {
    if let (Some(a), Some(b)) = (quick_int(left, environment), quick_int(right, environment)) {
        return operators::integers(operator, a, b);
    }
    slow_binary(operator, left, right, environment)
}

/// The int that a slot, a constant or an operator between two of these gives: most of what scenarios compute. `None`
/// where it is none of these; nothing has happened then.
#[inline]
fn quick_int<E: Environment + ?Sized>(node: &Node, environment: &E) -> Option<i64> {
    match node {
        Node::Binary(operator, sides) => {
            let (a, b) = (leaf_int(&sides.0, environment)?, leaf_int(&sides.1, environment)?);
            match operator {
                Operator::Add => a.checked_add(b),
                Operator::Subtract => a.checked_sub(b),
                Operator::Multiply => a.checked_mul(b),
                Operator::Divide => a.checked_div(b),
                Operator::Remainder => a.checked_rem(b),
                _ => None,
            }
        }
        leaf => leaf_int(leaf, environment),
    }
}

#[inline]
fn leaf_int<E: Environment + ?Sized>(node: &Node, environment: &E) -> Option<i64> {
    let value = match node {
        Node::Slot(slot) => environment.slot(*slot),
        Node::Constant(value) => value,
        _ => return None,
    };
    match value {
        Value::Int(n) => Some(*n),
        _ => None,
    }
}

/// Any operator between any two nodes.
#[inline(never)]
fn slow_binary<E: Environment + ?Sized>(
    operator: Operator,
    left: &Node,
    right: &Node,
    environment: &mut E,
) -> Result<Value, Error> {
    match (left, right) {
        (Node::Slot(a), Node::Constant(b)) => operators::apply(operator, environment.slot(*a), b),
        (Node::Slot(a), Node::Slot(b)) => operators::apply(operator, environment.slot(*a), environment.slot(*b)),
        (left, Node::Constant(b)) => operators::apply(operator, &evaluate(left, environment)?, b),
        (left, Node::Slot(b)) => {
            let left = evaluate(left, environment)?;
            operators::apply(operator, &left, environment.slot(*b))
        }
        (Node::Constant(a), right) => operators::apply(operator, a, &evaluate(right, environment)?),
        (Node::Slot(a), right) => {
            let right = evaluate(right, environment)?;
            operators::apply(operator, environment.slot(*a), &right)
        }
        (left, right) => {
            let left = evaluate(left, environment)?;
            operators::apply(operator, &left, &evaluate(right, environment)?)
        }
    }
}

/// The value of a node that has to be a bool.
fn truth<E: Environment + ?Sized>(node: &Node, environment: &mut E) -> Result<bool, Error> {
    match node {
        Node::All(items) => {
            for item in items {
                if !truth(item, environment)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Node::Any(items) => {
            for item in items {
                if truth(item, environment)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Node::Not(inner) => truth(inner, environment).map(|truth| !truth),
        Node::Slot(slot) => bool_of(environment.slot(*slot)),
        Node::Binary(operator, sides) => {
            let ints = (quick_int(&sides.0, environment), quick_int(&sides.1, environment));
            if let (Some(a), Some(b)) = ints
                && let Some(truth) = operators::compare(*operator, a, b)
            {
                return Ok(truth);
            }
            bool_of(&slow_binary(*operator, &sides.0, &sides.1, environment)?)
        }
        node => bool_of(&evaluate(node, environment)?),
    }
}

#[inline]
fn bool_of(value: &Value) -> Result<bool, Error> {
    match value {
        Value::Bool(truth) => Ok(*truth),
        other => Err(no_bool(other)),
    }
}

#[cold]
fn no_bool(value: &Value) -> Error {
    Error::new(Outcome::INVALID, format!("a bool is needed here; this is {}", value.types()))
}

#[inline(never)]
fn index<E: Environment + ?Sized>(container: &Node, index: &Node, environment: &mut E) -> Result<Value, Error> {
    match (container, index) {
        (Node::Slot(slot), Node::Constant(index)) => operators::item(environment.slot(*slot), index),
        (Node::Slot(slot), index) => {
            let index = evaluate(index, environment)?;
            operators::item(environment.slot(*slot), &index)
        }
        (Node::Constant(container), index) => operators::item(container, &evaluate(index, environment)?),
        (container, index) => {
            let container = evaluate(container, environment)?;
            operators::item(&container, &evaluate(index, environment)?)
        }
    }
}

#[inline(never)]
fn field<E: Environment + ?Sized>(container: &Node, key: &str, environment: &mut E) -> Result<Value, Error> {
    match container {
        Node::Slot(slot) => operators::member(environment.slot(*slot), key),
        container => operators::member(&evaluate(container, environment)?, key),
    }
}

#[inline(never)]
fn list<E: Environment + ?Sized>(items: &[Node], environment: &mut E) -> Result<Value, Error> {
    let mut values = Vec::with_capacity(items.len());
    for item in items {
        let value = evaluate(item, environment)?;
        operators::shallow(&value)?;
        values.push(value);
    }
    Ok(values.into())
}

#[inline(never)]
fn map<E: Environment + ?Sized>(entries: &[(Node, Node)], environment: &mut E) -> Result<Value, Error> {
    let mut map = BTreeMap::new();
    for (key, item) in entries {
        let key = match evaluate(key, environment)? {
            Value::String(key) => key.to_string(),
            other => {
                let message = format!("the key of a map is a string; this is {}", other.types());
                return Err(Error::new(Outcome::INVALID, message));
            }
        };
        let value = evaluate(item, environment)?;
        operators::shallow(&value)?;
        if map.contains_key(&key) {
            return Err(Error::new(Outcome::INVALID, format!("the map has the key {key:?} twice")));
        }
        map.insert(key, value);
    }
    Ok(Value::Map(Arc::new(map)))
}

#[inline(never)]
fn call<E: Environment + ?Sized>(function: &Function, arguments: &[Node], environment: &mut E) -> Result<Value, Error> {
    match (function.body, arguments) {
        (Body::Pure(compute), [only]) => compute(&[argument(function, 0, only, environment)?]),
        (Body::Pure(compute), [first, second]) => {
            let first = argument(function, 0, first, environment)?;
            compute(&[first, argument(function, 1, second, environment)?])
        }
        (Body::Pure(compute), arguments) => {
            let mut values = Vec::with_capacity(arguments.len());
            for (place, node) in arguments.iter().enumerate() {
                values.push(argument(function, place, node, environment)?);
            }
            compute(&values)
        }
        (Body::Random, arguments) => random(function, arguments, environment),
    }
}

/// The value of an argument, of a type that the function takes.
#[inline]
fn argument<E: Environment + ?Sized>(
    function: &Function,
    place: usize,
    node: &Node,
    environment: &mut E,
) -> Result<Value, Error> {
    let value = evaluate(node, environment)?;
    if function.argument(place).meets(value.types()) {
        Ok(value)
    } else {
        Err(wrong_argument(function, place, value.types()))
    }
}

fn random<E: Environment + ?Sized>(
    function: &Function,
    arguments: &[Node],
    environment: &mut E,
) -> Result<Value, Error> {
    let mut ends = [0, 0];
    for (place, (node, end)) in arguments.iter().zip(&mut ends).enumerate() {
        *end = match quick_int(node, environment) {
            Some(n) => n,
            None => match evaluate(node, environment)? {
                Value::Int(n) => n,
                other => return Err(wrong_argument(function, place, other.types())),
            },
        };
    }
    let [low, high] = ends;
    if low > high {
        return Err(no_range(low, high));
    }
    Ok(Value::Int(environment.random(low, high)))
}

#[cold]
fn wrong_argument(function: &Function, place: usize, types: Types) -> Error {
    let message = format!("`{}` takes {} here; this is {types}", function.name, function.argument(place));
    Error::new(Outcome::INVALID, message)
}

/// The error of a random number between ends that have nothing between them.
#[cold]
pub(super) fn no_range(low: i64, high: i64) -> Error {
    let message = format!("random({low}, {high}) has nothing to choose from: its low end is above its high end");
    Error::new(Outcome::INVALID, message)
}

#[inline(never)]
fn text<E: Environment + ?Sized>(pieces: &[Node], environment: &mut E) -> Result<Value, Error> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Node::Constant(value) => append(&mut text, value),
            Node::Slot(slot) => append(&mut text, environment.slot(*slot)),
            piece => append(&mut text, &evaluate(piece, environment)?),
        }
        operators::bounded(text.len(), operators::MOST_BYTES, "bytes")?;
    }
    Ok(text.into())
}

/// Appends the value as text: a string bare, everything else as written in an expression.
pub(super) fn append(text: &mut String, value: &Value) {
    match value {
        Value::String(piece) => text.push_str(piece),
        // Writing to a string cannot fail.
        other => drop(write!(text, "{other}")),
    }
}
