//! Expressions over ints, truth values and known texts in Promela.
//!
//! Promela's numbers have 32 bits and no errors. What could be an error is found before the value is computed
//! ([`Check`]); what would not fit 32 bits ends SPIN's search by an assertion.

use std::cell::RefCell;

use crate::event::ProcessId;
use crate::expression::node::Node;
use crate::expression::operators::Operator;
use crate::expression::{Builtin, Environment, evaluate_node};
use crate::objects::contract::promela::{Check, Computed, NIL, Refusal, Term, number};
use crate::outcome::Outcome;
use crate::scenario::plan::Plan;
use crate::value::{Types, Value};

/// The texts of a scenario: what is compared as a number in Promela.
#[derive(Debug, Default)]
pub(super) struct Texts(RefCell<Vec<String>>);

impl Texts {
    /// The number of a text.
    pub(super) fn number(&self, text: &str) -> usize {
        let mut texts = self.0.borrow_mut();
        let at = texts.iter().position(|known| known == text).unwrap_or_else(|| {
            texts.push(text.to_owned());
            texts.len() - 1
        });
        at + 1
    }

    /// All of them, from number 1.
    pub(super) fn all(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

/// What a slot of a process is.
#[derive(Clone, Debug)]
pub(super) enum Variable {
    /// A variable of that name.
    Named(String),
    /// The same value wherever it is read.
    Constant(Value),
    Unread,
}

/// Where an expression stands.
pub(super) struct Scope<'a> {
    pub(super) plan: &'a Plan,
    /// The process: one of those for which the text is.
    pub(super) process: ProcessId,
    pub(super) texts: &'a Texts,
    pub(super) variables: &'a [Variable],
    /// The types that the slots can have here.
    pub(super) types: &'a [Types],
    /// The value before an `update`.
    pub(super) it: Option<&'a Term>,
}

static NULL: Value = Value::Null;

/// What is the same whenever a process reads it.
struct Fixed<'a>(&'a Plan, ProcessId);

impl Environment for Fixed<'_> {
    fn slot(&self, _slot: u32) -> &Value {
        &NULL
    }

    fn builtin(&self, builtin: Builtin) -> Value {
        let process = &self.0.processes[self.1 as usize];
        match builtin {
            Builtin::Pid => Value::Int(crate::schedule::pid(self.1)),
            Builtin::Name => Value::from(process.name.as_str()),
            Builtin::Index => Value::Int(i64::from(process.index)),
            Builtin::Now | Builtin::It => Value::Null,
        }
    }

    fn random(&mut self, low: i64, _high: i64) -> i64 {
        low
    }
}

fn no(what: &str) -> Refusal {
    format!("{what} is not supported in Promela")
}

fn fails(when: impl Into<String>, outcome: Outcome) -> Check {
    Check { when: when.into(), outcome: Some(outcome) }
}

fn too_large(when: String) -> Check {
    Check { when, outcome: None }
}

/// The checks where `path` holds.
fn on(path: &str, checks: Vec<Check>) -> impl Iterator<Item = Check> {
    checks.into_iter().map(move |check| Check { when: format!("({path} && {})", check.when), ..check })
}

/// The text of a term that has one.
fn text(term: &Term) -> Result<&str, Refusal> {
    if term.text.is_empty() { Err(no(&term.types.to_string())) } else { Ok(&term.text) }
}

/// The types besides null.
fn besides_null(types: Types) -> Types {
    [Types::BOOL, Types::INT, Types::FLOAT, Types::STRING, Types::BYTES, Types::LIST, Types::MAP]
        .into_iter()
        .filter(|one| types.contains(*one))
        .fold(Types::NONE, |all, one| all | one)
}

impl Scope<'_> {
    /// A value that is known.
    pub(super) fn literal(&self, value: &Value) -> Result<Term, Refusal> {
        let text = match value {
            Value::Null => NIL.to_owned(),
            Value::Bool(truth) => truth.to_string(),
            Value::Int(n) => number(*n)?,
            Value::String(text) => self.texts.number(text).to_string(),
            _ => String::new(),
        };
        Ok(Term { text, types: value.types(), constant: Some(value.clone()) })
    }

    pub(super) fn compute(&self, node: &Node) -> Result<Computed, Refusal> {
        if !node.varies() {
            return match evaluate_node(node, &mut Fixed(self.plan, self.process)) {
                Ok(value) => Ok(Computed { term: self.literal(&value)?, checks: Vec::new() }),
                Err(error) => {
                    let term = Term { text: "0".to_owned(), types: Types::NONE, constant: None };
                    Ok(Computed { term, checks: vec![fails("true", error.outcome)] })
                }
            };
        }
        match node {
            Node::Slot(slot) => self.slot(*slot),
            Node::Builtin(Builtin::It) => {
                let term = self.it.cloned().ok_or_else(|| no("`it`"))?;
                Ok(Computed { term, checks: Vec::new() })
            }
            Node::Builtin(_) => Err(no("the time")),
            Node::Not(inner) => {
                let inner = self.truth(inner)?;
                Ok(Computed { term: Term::bool(format!("!{}", inner.term.text)), checks: inner.checks })
            }
            Node::Negate(inner) => {
                let inner = self.int(inner)?;
                Ok(Computed { term: Term::int(format!("(0 - {})", inner.term.text)), checks: inner.checks })
            }
            Node::Binary(operator, sides) => self.binary(*operator, &sides.0, &sides.1),
            Node::All(items) => self.chain(items, "&&", ""),
            Node::Any(items) => self.chain(items, "||", "!"),
            Node::Choice(parts) => self.choice(&parts.0, &parts.1, &parts.2),
            Node::Index(parts) => self.item(&parts.0, &parts.1),
            Node::Call(function, arguments) => self.call(function.name, arguments),
            Node::Text(_) => Err(no("text that is put together")),
            Node::List(_) => Err(no("a list that is computed")),
            Node::Map(_) | Node::Field(_) => Err(no("a map")),
            Node::State(_) => Err(no("the state of the run")),
            Node::Constant(_) => Err(no("the constant")),
        }
    }

    /// What may go wrong when an expression is evaluated without using its value.
    pub(super) fn checks(&self, node: &Node) -> Result<Vec<Check>, Refusal> {
        match node {
            Node::Text(pieces) | Node::List(pieces) if node.varies() => {
                let checks = pieces.iter().map(|piece| self.checks(piece)).collect::<Result<Vec<_>, _>>()?;
                Ok(checks.concat())
            }
            Node::Slot(_) | Node::Builtin(_) => Ok(Vec::new()),
            node => Ok(self.compute(node)?.checks),
        }
    }

    fn slot(&self, slot: u32) -> Result<Computed, Refusal> {
        let types = self.types.get(slot as usize).copied().unwrap_or(Types::ANY);
        let term = match self.variables.get(slot as usize) {
            Some(Variable::Constant(value)) => self.literal(value)?,
            Some(Variable::Named(name)) => {
                let one = besides_null(types);
                if ![Types::NONE, Types::INT, Types::BOOL, Types::STRING].contains(&one) {
                    return Err(format!(
                        "a variable here can be {types}: only ints, truth values and texts can be told \
                                        apart from null in Promela"
                    ));
                }
                let constant = (types == Types::NULL).then_some(Value::Null);
                Term { text: if constant.is_some() { NIL.to_owned() } else { name.clone() }, types, constant }
            }
            _ => return Err(no("the variable")),
        };
        Ok(Computed { term, checks: Vec::new() })
    }

    /// An expression that has to be of that type; where it is of another, the outcome is `invalid`.
    fn typed(&self, node: &Node, wanted: Types) -> Result<Computed, Refusal> {
        let mut computed = self.compute(node)?;
        let types = computed.term.types;
        if types == wanted {
            return Ok(computed);
        }
        let written = text(&computed.term)?.to_owned();
        if types == wanted | Types::NULL {
            computed.checks.push(fails(format!("({written} == {NIL})"), Outcome::INVALID));
        } else if types.meets(wanted) {
            return Err(format!("the value can be {types} here"));
        } else {
            computed.checks.push(fails("true", Outcome::INVALID));
            computed.term = Term { text: "0".to_owned(), types: wanted, constant: None };
        }
        Ok(Computed { term: Term { types: wanted, ..computed.term }, checks: computed.checks })
    }

    /// An expression that has to be an int.
    pub(super) fn int(&self, node: &Node) -> Result<Computed, Refusal> {
        self.typed(node, Types::INT)
    }

    /// An expression that has to be a truth value.
    pub(super) fn truth(&self, node: &Node) -> Result<Computed, Refusal> {
        self.typed(node, Types::BOOL)
    }

    fn binary(&self, operator: Operator, left: &Node, right: &Node) -> Result<Computed, Refusal> {
        match operator {
            Operator::Equal | Operator::NotEqual => self.equality(operator, left, right),
            Operator::In => self.contained(left, right),
            _ => self.of_ints(operator, left, right),
        }
    }

    /// Arithmetic and order.
    fn of_ints(&self, operator: Operator, left: &Node, right: &Node) -> Result<Computed, Refusal> {
        let (a, b) = (self.compute(left)?, self.compute(right)?);
        let (a_types, b_types) = (besides_null(a.term.types), besides_null(b.term.types));
        let bools = a_types == Types::BOOL && b_types == Types::BOOL && operator.compares();
        for types in [a_types, b_types] {
            if !(types.is_empty() || types == Types::INT || bools) {
                return Err(no(&format!("`{}` of {types}", operator.sign())));
            }
        }
        let mut checks = [a.checks, b.checks].concat();
        for term in [&a.term, &b.term] {
            if term.types.is_empty() || term.is_null() {
                checks.push(fails("true", Outcome::INVALID));
            } else if term.types.contains(Types::NULL) {
                checks.push(fails(format!("({} == {NIL})", term.text), Outcome::INVALID));
            }
        }
        let (x, y) = (text(&a.term)?, text(&b.term)?);
        match operator {
            Operator::Add => checks.push(too_large(format!("!FITS_ADD({x}, {y})"))),
            Operator::Subtract => checks.push(too_large(format!("!FITS_SUB({x}, {y})"))),
            Operator::Multiply => checks.push(too_large(format!("!FITS_MUL({x}, {y})"))),
            Operator::Divide | Operator::Remainder if b.term.as_int().is_none_or(|n| n == 0) => {
                checks.push(fails(format!("({y} == 0)"), Outcome::INVALID));
            }
            _ => {}
        }
        let written = format!("({x} {} {y})", operator.sign());
        let term = if operator.compares() { Term::bool(written) } else { Term::int(written) };
        Ok(Computed { term, checks })
    }

    fn equality(&self, operator: Operator, left: &Node, right: &Node) -> Result<Computed, Refusal> {
        let (a, b) = (self.compute(left)?, self.compute(right)?);
        let (a_types, b_types) = (besides_null(a.term.types), besides_null(b.term.types));
        let nulls = a.term.types.contains(Types::NULL) && b.term.types.contains(Types::NULL);
        let written = if a_types == b_types || a_types.is_empty() || b_types.is_empty() {
            format!("({} {} {})", text(&a.term)?, operator.sign(), text(&b.term)?)
        } else if nulls || a_types.meets(b_types) {
            return Err(no(&format!("`{}` of {} and {}", operator.sign(), a.term.types, b.term.types)));
        } else {
            (operator == Operator::NotEqual).to_string()
        };
        Ok(Computed { term: Term::bool(written), checks: [a.checks, b.checks].concat() })
    }

    /// `needle in [..]`.
    fn contained(&self, needle: &Node, list: &Node) -> Result<Computed, Refusal> {
        let (needle, list) = (self.compute(needle)?, self.compute(list)?);
        let Some(items) = list.term.constant.as_ref().and_then(Value::as_list) else {
            return Err(no("`in` of a list that is computed"));
        };
        let mut options = Vec::new();
        for item in items {
            let item = self.literal(item)?;
            if item.types == besides_null(needle.term.types) || item.is_null() {
                options.push(format!("{} == {}", text(&needle.term)?, text(&item)?));
            } else if needle.term.types.meets(item.types) {
                return Err(no("`in` of values of several types"));
            }
        }
        let written = if options.is_empty() { "false".to_owned() } else { format!("({})", options.join(" || ")) };
        Ok(Computed { term: Term::bool(written), checks: [needle.checks, list.checks].concat() })
    }

    /// `&&` and `||`: what stands on the right is computed only where the left leaves it open.
    fn chain(&self, items: &[Node], sign: &str, not: &str) -> Result<Computed, Refusal> {
        let mut checks = Vec::new();
        let mut so_far: Vec<String> = Vec::new();
        for item in items {
            let item = self.truth(item)?;
            let path = so_far.iter().map(|part| format!("{not}{part}")).collect::<Vec<_>>().join(" && ");
            if path.is_empty() {
                checks.extend(item.checks);
            } else {
                checks.extend(on(&path, item.checks));
            }
            so_far.push(item.term.text);
        }
        Ok(Computed { term: Term::bool(format!("({})", so_far.join(&format!(" {sign} ")))), checks })
    }

    fn choice(&self, condition: &Node, first: &Node, second: &Node) -> Result<Computed, Refusal> {
        let condition = self.truth(condition)?;
        let (a, b) = (self.compute(first)?, self.compute(second)?);
        let truth = condition.term.text;
        let mut checks = condition.checks;
        checks.extend(on(&truth, a.checks));
        checks.extend(on(&format!("!{truth}"), b.checks));
        let types = a.term.types | b.term.types;
        let text = format!("({truth} -> {} : {})", text(&a.term)?, text(&b.term)?);
        Ok(Computed { term: Term { text, types, constant: None }, checks })
    }

    /// `list[index]` of a list that is known.
    fn item(&self, list: &Node, index: &Node) -> Result<Computed, Refusal> {
        let list = self.compute(list)?;
        let Some(items) = list.term.constant.as_ref().and_then(Value::as_list) else {
            return Err(no("an item of a list that is computed"));
        };
        let mut index = self.int(index)?;
        let at = &index.term.text;
        let mut checks = list.checks;
        checks.append(&mut index.checks);
        checks.push(fails(format!("({at} < 0 || {at} >= {})", items.len()), Outcome::OUT_OF_RANGE));
        let term = self.one_of(at, items)?;
        Ok(Computed { term, checks })
    }

    /// The item of a known list at an index that is within it.
    pub(super) fn one_of(&self, at: &str, items: &[Value]) -> Result<Term, Refusal> {
        let mut types = Types::NONE;
        let mut written = String::new();
        for (place, item) in items.iter().enumerate().rev() {
            let item = self.literal(item)?;
            types = types | item.types;
            let item = text(&item)?;
            written =
                if written.is_empty() { item.to_owned() } else { format!("({at} == {place} -> {item} : {written})") };
        }
        if written.is_empty() {
            written.push('0');
        }
        Ok(Term { text: written, types, constant: None })
    }

    fn call(&self, name: &str, arguments: &[Node]) -> Result<Computed, Refusal> {
        let sign = match name {
            "math.least" => "<",
            "math.greatest" => ">",
            "abs" | "math.abs" => {
                let [only] = arguments else { return Err(no(&format!("`{name}`"))) };
                let only = self.int(only)?;
                let x = &only.term.text;
                return Ok(Computed { term: Term::int(format!("({x} < 0 -> 0 - {x} : {x})")), checks: only.checks });
            }
            "random" => {
                return Err("a random number is not one value: the model would have to have a branch for each, \
                                    and the search takes the one that the seed gives"
                    .to_owned());
            }
            _ => return Err(no(&format!("`{name}`"))),
        };
        let mut best: Option<Computed> = None;
        for argument in arguments {
            let next = self.int(argument)?;
            best = Some(match best {
                None => next,
                Some(before) => {
                    let (a, b) = (before.term.text, next.term.text);
                    let checks = [before.checks, next.checks].concat();
                    Computed { term: Term::int(format!("({b} {sign} {a} -> {b} : {a})")), checks }
                }
            });
        }
        best.ok_or_else(|| no(&format!("`{name}`")))
    }
}
