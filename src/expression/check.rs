//! A syntax tree to a compiled expression: names, calls, types, and what can be computed at once.
//!
//! Types are sets: an operator is a fault only where no pair of the possible types fits. Every fault is reported; what
//! has one can be any value, so that it causes no others.

use std::ops::Range;

use super::evaluate::evaluate;
use super::node::Node;
use super::operators::Operator;
use super::parser::{self, Kind, Part, Syntax};
use super::{Builtin, Environment, Expression, Fault, FaultKind, Name, Scope, calls};
use crate::diagnostic::nearest;
use crate::value::{Types, Value};

/// Values larger than this are computed when they are needed and not kept.
const MOST_KEPT: usize = 1 << 14;

/// Compiles the text of one expression.
pub(super) fn parse(text: &str, scope: &mut dyn Scope) -> Result<Expression, Vec<Fault>> {
    let syntax = parser::parse(text).map_err(|fault| vec![*fault])?;
    let mut check = Check::new(scope);
    let expression = check.expression(&syntax);
    check.finish(expression)
}

/// The faults found so far, and what names mean.
pub(super) struct Check<'s> {
    pub(super) scope: &'s mut dyn Scope,
    pub(super) faults: Vec<Fault>,
    /// How many branches around here a constant has ruled out: what fails in them is never computed.
    ruled_out: usize,
}

impl<'s> Check<'s> {
    pub(super) fn new(scope: &'s mut dyn Scope) -> Self {
        Self { scope, faults: Vec::new(), ruled_out: 0 }
    }

    /// The expression, if there were no faults.
    pub(super) fn finish(self, expression: Expression) -> Result<Expression, Vec<Fault>> {
        if self.faults.is_empty() { Ok(expression) } else { Err(self.faults) }
    }

    /// Notes a fault; the result stands for the expression that has it.
    pub(super) fn fault(&mut self, mut fault: Fault) -> Expression {
        // What could be read and is no wrong name has no value.
        if fault.kind == FaultKind::Syntax {
            fault.kind = FaultKind::Type;
        }
        self.faults.push(fault);
        self.any()
    }

    /// What stands for an expression that has a fault.
    #[allow(clippy::unused_self)]
    pub(super) fn any(&self) -> Expression {
        // No constant, so that nothing is computed with it, and of any type, so that nothing complains about it.
        Expression { node: Node::Slot(u32::MAX), types: Types::ANY }
    }

    /// Checks and compiles a part of an expression.
    pub(super) fn expression(&mut self, syntax: &Syntax) -> Expression {
        let span = &syntax.span;
        match &syntax.kind {
            Kind::Constant(value) => Expression::constant(value.clone()),
            Kind::Name(name) => self.name(name, span),
            Kind::Not(inner) => {
                let inner = self.truth(inner, "!");
                self.computed(Node::Not(Box::new(inner.node)), Types::BOOL, span)
            }
            Kind::Negate(inner) => self.negate(inner, span),
            Kind::Binary(operator, left, right) => self.binary(*operator, left, right, span),
            Kind::All(items) => self.chain(items, false, span),
            Kind::Any(items) => self.chain(items, true, span),
            Kind::Choice(condition, then, other) => self.choice(condition, then, other),
            Kind::Index(container, index) => self.index(container, index, span),
            Kind::Field(container, name, name_span) => self.field(container, name, name_span, span),
            Kind::Call(call) => calls::check(self, call, span),
            Kind::List(items) => {
                let items = items.iter().map(|item| self.expression(item).node).collect();
                self.computed(Node::List(items), Types::LIST, span)
            }
            Kind::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| (self.key(key), self.expression(value).node)).collect();
                self.computed(Node::Map(entries), Types::MAP, span)
            }
        }
    }

    /// The node, or its value where that is known.
    pub(super) fn computed(&mut self, node: Node, types: Types, span: &Range<usize>) -> Expression {
        if !node.is_computable() {
            return Expression { node, types };
        }
        match evaluate(&node, &mut Nowhere) {
            Ok(value) if is_kept(&value) => Expression::constant(value),
            Err(error) if self.ruled_out == 0 => self.fault(Fault::new(span.clone(), error.message)),
            Ok(_) | Err(_) => Expression { node, types },
        }
    }

    /// Whether a failing computation here would be reached.
    pub(super) fn is_reached(&self) -> bool {
        self.ruled_out == 0
    }

    /// Checks a part that is never evaluated if `ruled_out` is true.
    fn branch<T>(&mut self, ruled_out: bool, check: impl FnOnce(&mut Self) -> T) -> T {
        self.ruled_out += usize::from(ruled_out);
        let result = check(self);
        self.ruled_out -= usize::from(ruled_out);
        result
    }

    /// The constant int that a part is, if it is one; faults in it are not noted.
    pub(super) fn constant_int(&mut self, syntax: &Syntax) -> Option<i64> {
        let noted = self.faults.len();
        let expression = self.branch(true, |check| check.expression(syntax));
        self.faults.truncate(noted);
        expression.as_constant().and_then(Value::as_int)
    }

    fn name(&mut self, name: &str, span: &Range<usize>) -> Expression {
        match self.scope.name(name) {
            Ok((Name::Constant(value), _)) => Expression::constant(value),
            Ok((Name::Slot(slot), types)) => Expression { node: Node::Slot(slot), types },
            Ok((Name::Builtin(builtin), types)) => Expression { node: Node::Builtin(builtin), types },
            Ok((Name::State(state), types)) => Expression { node: Node::State(state), types },
            Err(names) => {
                let fault = unknown_name(name, span.clone(), &names);
                self.fault(fault)
            }
        }
    }

    /// A part that has to be a bool, beside that sign.
    fn truth(&mut self, syntax: &Syntax, sign: &str) -> Expression {
        let expression = self.expression(syntax);
        if expression.types.meets(Types::BOOL) {
            return expression;
        }
        let types = expression.types;
        let fault = Fault::new(syntax.span.clone(), format!("`{sign}` takes bools; this is {types}"));
        let number = Types::NUMBER.contains(types);
        self.fault(if number { fault.help("to make a bool of a number, compare it: `x != 0`") } else { fault })
    }

    fn negate(&mut self, inner: &Syntax, span: &Range<usize>) -> Expression {
        let expression = self.expression(inner);
        let types = expression.types & Types::NUMBER;
        if types.is_empty() {
            let message = format!("`-` takes numbers; this is {}", expression.types);
            return self.fault(Fault::new(inner.span.clone(), message));
        }
        self.computed(Node::Negate(Box::new(expression.node)), types, span)
    }

    /// `&&` or `||`: the first item that is `decisive` ends it.
    fn chain(&mut self, items: &[Part], decisive: bool, span: &Range<usize>) -> Expression {
        let sign = if decisive { "||" } else { "&&" };
        let mut nodes = Vec::with_capacity(items.len());
        let mut decided = false;
        for item in items {
            let expression = self.branch(decided, |check| check.truth(item, sign));
            if !decided {
                decided = matches!(expression.as_constant(), Some(Value::Bool(truth)) if *truth == decisive);
                nodes.push(expression.node);
            }
        }
        // What a constant decides at the end may still stand behind parts that fail; what it does not decide goes.
        let last = nodes.len().saturating_sub(1);
        let mut place = 0;
        nodes.retain(|node| {
            place += 1;
            place > last || !matches!(node, Node::Constant(Value::Bool(truth)) if *truth != decisive)
        });
        let nodes = nodes.into_boxed_slice();
        self.computed(if decisive { Node::Any(nodes) } else { Node::All(nodes) }, Types::BOOL, span)
    }

    fn choice(&mut self, condition: &Syntax, then: &Syntax, other: &Syntax) -> Expression {
        let condition = self.truth(condition, "?");
        let known = condition.as_constant().and_then(Value::as_bool);
        let then = self.branch(known == Some(false), |check| check.expression(then));
        let other = self.branch(known == Some(true), |check| check.expression(other));
        match known {
            Some(true) => then,
            Some(false) => other,
            None => {
                let types = then.types | other.types;
                Expression { node: Node::Choice(Box::new((condition.node, then.node, other.node))), types }
            }
        }
    }

    fn binary(&mut self, operator: Operator, left: &Syntax, right: &Syntax, span: &Range<usize>) -> Expression {
        let a = self.expression(left);
        let b = self.expression(right);
        let types = operator.result(a.types, b.types);
        if types.is_empty() {
            let fault = mismatch(operator, (left, a.types), (right, b.types), span.clone());
            return self.fault(fault);
        }
        self.computed(Node::Binary(operator, Box::new((a.node, b.node))), types, span)
    }

    fn index(&mut self, container: &Syntax, index: &Syntax, span: &Range<usize>) -> Expression {
        let items = self.expression(container);
        let place = self.expression(index);
        let (list, map) = (items.types.meets(Types::LIST), items.types.meets(Types::MAP));
        if !list && !map {
            let fault =
                Fault::new(container.span.clone(), format!("only lists and maps have items; this is {}", items.types));
            let text = items.types.meets(Types::STRING);
            return self.fault(if text {
                fault.help("for a character of a text, write `text.charAt(i)`")
            } else {
                fault
            });
        }
        if !(list && place.types.meets(Types::INT) || map && place.types.meets(Types::STRING)) {
            let expected = match (list, map) {
                (true, false) => "the index of a list is an int",
                (false, _) => "the key of a map is a string",
                _ => "the index of a list is an int, the key of a map is a string",
            };
            return self.fault(Fault::new(index.span.clone(), format!("{expected}; this is {}", place.types)));
        }
        if let (Kind::Name(name), Some(at)) = (&container.kind, place.as_constant().and_then(Value::as_int))
            && let Some(length) = self.scope.length(name)
            && u64::try_from(at).map_or(true, |at| at >= length)
        {
            let fault = Fault::new(index.span.clone(), format!("`{name}` has the items 0 to {}", length.max(1) - 1));
            return self.fault(fault);
        }
        self.computed(Node::Index(Box::new((items.node, place.node))), Types::ANY, span)
    }

    fn field(&mut self, container: &Syntax, name: &str, name_span: &Range<usize>, span: &Range<usize>) -> Expression {
        let map = self.expression(container);
        if !map.types.meets(Types::MAP) {
            let message = format!("only a map has fields; this is {}", map.types);
            let fault = Fault::new(container.span.start..name_span.end, message);
            let function = super::functions::find(name);
            return self.fault(match function {
                Some(function) => fault.help(format!("`{name}` is a function: `{}`", function.signature)),
                None => fault,
            });
        }
        self.computed(Node::Field(Box::new((map.node, name.to_owned()))), Types::ANY, span)
    }

    /// The key of a map's entry.
    fn key(&mut self, syntax: &Syntax) -> Node {
        let noted = self.faults.len();
        let key = self.expression(syntax);
        if !key.types.meets(Types::STRING) {
            let message = format!("the key of a map is a string; this is {}", key.types);
            return self.fault(Fault::new(syntax.span.clone(), message)).node;
        }
        if let (Kind::Name(name), Some(fault)) = (&syntax.kind, self.faults.get_mut(noted)) {
            // A bare word was probably meant as the key itself.
            fault.suggestion = None;
            fault.help = Some(format!("for the key itself, write it in quotes: `\"{name}\"`"));
        }
        key.node
    }
}

fn unknown_name(name: &str, span: Range<usize>, names: &[String]) -> Fault {
    let fault = Fault::new(span, format!("no variable or name `{name}` here")).kind(FaultKind::Name);
    let known = match name {
        "True" | "TRUE" => Some("true"),
        "False" | "FALSE" => Some("false"),
        "None" | "NULL" | "Null" | "nil" | "none" | "undefined" => Some("null"),
        _ => None,
    };
    if let Some(right) = known {
        return fault.suggest(right);
    }
    if matches!(name, "bool" | "int" | "float" | "double" | "string" | "bytes" | "list" | "map") {
        return fault.help(format!("the name of a type is a string here: `type(x) == \"{name}\"`"));
    }
    if let Some(function) = super::functions::find(name) {
        return fault.help(format!("`{name}` is a function: `{}`", function.signature));
    }
    if let Some(right) = nearest(name, names.iter().map(String::as_str)) {
        return fault.suggest(right);
    }
    if names.is_empty() || names.len() > 12 {
        return fault;
    }
    let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    fault.help(format!("the names here are {names}; write a string in quotes"))
}

/// The fault of two sides of which no types fit each other.
fn mismatch(
    operator: Operator,
    (left, a): (&Syntax, Types),
    (right, b): (&Syntax, Types),
    span: Range<usize>,
) -> Fault {
    let (sign, takes) = (operator.sign(), operator.takes());
    if operator == Operator::In {
        return if b.meets(Types::LIST | Types::MAP) {
            Fault::new(left.span.clone(), format!("the keys of a map are strings; this is {a}"))
        } else {
            let fault = Fault::new(right.span.clone(), format!("`in` looks in a list or a map; this is {b}"));
            let text = b.meets(Types::STRING);
            if text { fault.help("for a part of a text, write `text.contains(part)`") } else { fault }
        };
    }
    let alone = |types| operator.result(types, Types::ANY).is_empty();
    let chained = matches!(&left.kind, Kind::Binary(inner, ..) if inner.compares()) && operator.compares();
    let fault = if chained {
        Fault::new(span, "comparisons do not follow one another").help("write `a < b && b < c`")
    } else if alone(a) {
        Fault::new(left.span.clone(), format!("`{sign}` takes {takes}; this is {a}"))
    } else if alone(b) {
        Fault::new(right.span.clone(), format!("`{sign}` takes {takes}; this is {b}"))
    } else if matches!(operator, Operator::Equal | Operator::NotEqual) {
        Fault::new(span, format!("`{sign}` compares what can never be equal: {a} and {b}"))
    } else {
        Fault::new(span, format!("`{sign}` takes two {takes} of one kind; these are {a} and {b}"))
    };
    let joins = operator == Operator::Add && (a == Types::STRING || b == Types::STRING);
    if joins && fault.help.is_none() { fault.help("to make text of a value, write `string(x)`") } else { fault }
}

fn is_kept(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() <= MOST_KEPT,
        Value::Bytes(bytes) => bytes.len() <= MOST_KEPT,
        Value::List(items) => items.len() <= MOST_KEPT,
        _ => true,
    }
}

/// The environment of expressions that read nothing.
struct Nowhere;

impl Environment for Nowhere {
    fn slot(&self, _: u32) -> &Value {
        &Value::Null
    }

    fn builtin(&self, _: Builtin) -> Value {
        Value::Null
    }

    fn random(&mut self, low: i64, _: i64) -> i64 {
        low
    }
}
