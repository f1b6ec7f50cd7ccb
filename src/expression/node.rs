//! What an expression is compiled to: a tree of slots, constants and what is done with them.

use super::functions::{Body, Function};
use super::operators::Operator;
use super::{Builtin, Expression, Follows};
use crate::value::{Types, Value};

/// A part of a compiled expression.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Constant(Value),
    Slot(u32),
    Builtin(Builtin),
    State(u32),
    Not(Box<Node>),
    Negate(Box<Node>),
    Binary(Operator, Box<(Node, Node)>),
    /// `&&` of all of them, from left to right.
    All(Box<[Node]>),
    /// `||` of all of them, from left to right.
    Any(Box<[Node]>),
    Choice(Box<(Node, Node, Node)>),
    Index(Box<(Node, Node)>),
    Field(Box<(Node, String)>),
    List(Box<[Node]>),
    Map(Box<[(Node, Node)]>),
    Call(&'static Function, Box<[Node]>),
    /// The pieces of a template, joined as text.
    Text(Box<[Node]>),
}

impl Node {
    /// Whether it can differ from one evaluation to the next within one process.
    pub(crate) fn varies(&self) -> bool {
        let itself = match self {
            Self::Slot(_) | Self::State(_) | Self::Builtin(Builtin::Now | Builtin::It) => true,
            Self::Call(function, _) => matches!(function.body, Body::Random),
            _ => false,
        };
        itself || self.any_child(&mut Self::varies)
    }

    /// Calls `visit` with each slot that it reads.
    pub(super) fn slots(&self, visit: &mut dyn FnMut(u32)) {
        if let Self::Slot(slot) = self {
            visit(*slot);
        }
        self.any_child(&mut |child| {
            child.slots(visit);
            false
        });
    }

    /// Calls `visit` with each built-in name that it reads.
    pub(super) fn builtins(&self, visit: &mut dyn FnMut(Builtin)) {
        if let Self::Builtin(builtin) = self {
            visit(*builtin);
        }
        self.any_child(&mut |child| {
            child.builtins(visit);
            false
        });
    }

    /// Calls `visit` with the number of each fact of the state that it reads.
    pub(super) fn states(&self, visit: &mut dyn FnMut(u32)) {
        if let Self::State(state) = self {
            visit(*state);
        }
        self.any_child(&mut |child| {
            child.states(visit);
            false
        });
    }

    /// Notes whether the value could become true, and whether it could become false, by a change from false to true of one
    /// of the facts that `is` says. `rises` says which of both a change of this part makes of the whole.
    pub(super) fn follows(&self, rises: bool, is: &dyn Fn(u32) -> bool, follows: &mut Follows) {
        match self {
            Self::State(state) if is(*state) && rises => follows.rises = true,
            Self::State(state) if is(*state) => follows.falls = true,
            Self::Not(inner) => inner.follows(!rises, is, follows),
            Self::All(items) | Self::Any(items) => items.iter().for_each(|item| item.follows(rises, is, follows)),
            other => {
                let mut any = false;
                other.states(&mut |state| any |= is(state));
                follows.rises |= any;
                follows.falls |= any;
            }
        }
    }

    /// Whether it is one of the facts that `is` says, or holds where any of several conditions does that each are one or
    /// have nothing to do with them.
    pub(super) fn is_any_of(&self, is: &dyn Fn(u32) -> bool) -> bool {
        match self {
            Self::State(state) if is(*state) => true,
            Self::Any(items) => items.iter().all(|item| item.is_any_of(is)),
            other => {
                let mut any = false;
                other.states(&mut |state| any |= is(state));
                !any
            }
        }
    }

    /// Whether it draws a random number.
    pub(super) fn draws(&self) -> bool {
        matches!(self, Self::Call(function, _) if matches!(function.body, Body::Random))
            || self.any_child(&mut Self::draws)
    }

    /// Whether it can be computed now: its parts are constants, and it draws no random number.
    pub(super) fn is_computable(&self) -> bool {
        let itself = match self {
            Self::Constant(_) | Self::Slot(_) | Self::State(_) | Self::Builtin(_) => false,
            Self::Call(function, _) => !matches!(function.body, Body::Random),
            _ => true,
        };
        itself && !self.any_child(&mut |child| !matches!(child, Self::Constant(_)))
    }

    /// Whether `holds` is true of some part right below this one.
    pub(crate) fn any_child(&self, holds: &mut dyn FnMut(&Self) -> bool) -> bool {
        match self {
            Self::Constant(_) | Self::Slot(_) | Self::Builtin(_) | Self::State(_) => false,
            Self::Not(inner) | Self::Negate(inner) => holds(inner),
            Self::Field(field) => holds(&field.0),
            Self::Binary(_, sides) | Self::Index(sides) => holds(&sides.0) || holds(&sides.1),
            Self::Choice(parts) => holds(&parts.0) || holds(&parts.1) || holds(&parts.2),
            Self::All(items) | Self::Any(items) | Self::List(items) | Self::Call(_, items) | Self::Text(items) => {
                items.iter().any(holds)
            }
            Self::Map(entries) => entries.iter().any(|(key, value)| holds(key) || holds(value)),
        }
    }
}

/// A list of expressions; a constant where all of them are.
pub(super) fn list(items: Vec<Expression>) -> Expression {
    if let Some(values) = items.iter().map(|item| item.as_constant().cloned()).collect::<Option<Vec<_>>>() {
        return Expression::constant(values.into());
    }
    Expression { node: Node::List(items.into_iter().map(|item| item.node).collect()), types: Types::LIST }
}

/// A map whose values are expressions; a constant where all of them are.
pub(super) fn map(entries: Vec<(String, Expression)>) -> Expression {
    let values = entries.iter().map(|(key, item)| Some((key.clone(), item.as_constant()?.clone())));
    if let Some(map) = values.collect::<Option<_>>() {
        return Expression::constant(Value::Map(std::sync::Arc::new(map)));
    }
    let entries = entries.into_iter().map(|(key, item)| (Node::Constant(key.into()), item.node));
    Expression { node: Node::Map(entries.collect()), types: Types::MAP }
}
