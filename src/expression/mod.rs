//! Expressions: a subset of CEL, compiled to slots.
//!
//! Text goes through `lexer` and `parser` to a syntax tree; `check` gives names their meaning by a [`Scope`], checks
//! types as far as they are known, computes what is constant and makes an [`Expression`] (`node`), which `evaluate`
//! computes over an [`Environment`]. `operators` and `functions` say what values do. This room knows nothing of TOML:
//! its errors carry byte ranges of the text it was given.
//!
//! Where it differs from CEL: `&&` and `||` go from left to right; an int and a float count together as floats; a
//! float's division by zero or overflow is an error, as an int's is; `type` gives a string; the keys of a map are
//! strings.

mod calls;
mod check;
mod evaluate;
mod functions;
mod lexer;
pub(crate) mod node;
pub(crate) mod operators;
mod parser;
mod template;
#[cfg(test)]
mod tests;

use std::ops::Range;

use node::Node;

use crate::outcome::Outcome;
use crate::value::{Types, Value};

pub(crate) use evaluate::evaluate as evaluate_node;
pub use functions::{FUNCTIONS, Function};

/// What a fault is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FaultKind {
    /// The text cannot be read.
    Syntax,
    /// A name means nothing here.
    Name,
    /// The text can be read, but has no value: types that do not fit, an index out of range.
    Type,
}

/// A fault in the text of an expression.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// What it is about.
    pub kind: FaultKind,
    /// Bytes of the expression's text.
    pub span: Range<usize>,
    /// One lower-case sentence without a full stop.
    pub message: String,
    /// The words beside the underlined text; may be empty.
    pub label: String,
    /// What would mend it, in words.
    pub help: Option<String>,
    /// The right name, where a name is wrong and one is near.
    pub suggestion: Option<String>,
}

impl Fault {
    /// A fault at that place, without words beside it and without help.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            kind: FaultKind::Syntax,
            span,
            message: message.into(),
            label: String::new(),
            help: None,
            suggestion: None,
        }
    }

    /// Sets what it is about; reading is where none is set.
    #[must_use]
    pub fn kind(mut self, kind: FaultKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the words beside the underlined text.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets what would mend it, in words.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Sets the right name for a wrong one.
    #[must_use]
    pub fn suggest(mut self, name: impl Into<String>) -> Self {
        self.suggestion = Some(name.into());
        self
    }
}

/// What a name means where an expression stands.
#[derive(Clone, Debug)]
pub enum Name {
    /// A variable of the process, by slot.
    Slot(u32),
    /// A constant: a param.
    Constant(Value),
    /// One of the names every process has.
    Builtin(Builtin),
    /// A fact of the run's state, by a number that the environment knows.
    State(u32),
}

/// The names every process has, and those of special places.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Builtin {
    Pid,
    /// The process's name, `worker[3]`.
    Name,
    /// 0 to count-1.
    Index,
    /// Seconds since the run began, a float.
    Now,
    /// The value before an `update`.
    It,
}

/// An argument of a function that only a state expression has: `count("worker put q")`, `size(q)`.
#[derive(Clone, Debug, PartialEq)]
pub enum StateArgument {
    /// A bare name, with the index behind it where that is a constant: `q`, `forks[2]`.
    Name(String, Option<i64>),
    Text(String),
}

/// What names mean where an expression is compiled.
pub trait Scope {
    /// What the name means and which types it can have.
    ///
    /// # Errors
    /// The names that were possible, for the message, where there is no such name.
    fn name(&mut self, name: &str) -> Result<(Name, Types), Vec<String>>;

    /// How many items the list of that name has, where that never changes.
    fn length(&self, _name: &str) -> Option<u64> {
        None
    }

    /// What a call means that is none of [`FUNCTIONS`]: the state's number and type. `None` where there is no such
    /// function here. Also asked for `size(NAME)` before the ordinary `size`. The arguments carry their spans.
    fn call(&mut self, name: &str, arguments: &[(StateArgument, Range<usize>)]) -> Option<Result<(u32, Types), Fault>>;

    /// The functions of [`Scope::call`], for suggestions.
    fn calls(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// What an expression reads while it is computed.
pub trait Environment {
    /// The value of a variable.
    fn slot(&self, slot: u32) -> &Value;
    /// The value of a built-in name.
    fn builtin(&self, builtin: Builtin) -> Value;
    /// The value of a fact of the state.
    ///
    /// # Errors
    /// Where it has none here.
    fn state(&mut self, _state: u32) -> Result<Value, Error> {
        Err(Error::new(Outcome::INVALID, "no state can be read here"))
    }
    /// The next random integer, both ends included. `low <= high` holds.
    fn random(&mut self, low: i64, high: i64) -> i64;
}

/// Why an expression has no value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error {
    /// The outcome of the step: `overflow`, `out_of_range`, `not_found` or `invalid`.
    pub outcome: Outcome,
    pub message: String,
}

impl Error {
    /// An error of that outcome and message.
    pub fn new(outcome: Outcome, message: impl Into<String>) -> Self {
        Self { outcome, message: message.into() }
    }
}

#[derive(Clone, Debug)]
pub struct Expression {
    node: Node,
    types: Types,
}

/// What a condition does where facts become true that were false.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Follows {
    /// It can become true.
    pub rises: bool,
    /// It can become false.
    pub falls: bool,
    /// It is one of these facts, or holds where any of several conditions does that each are one or have nothing to do with
    /// them.
    pub any_of: bool,
}

impl Expression {
    /// How a condition follows the facts that `is` says, by their numbers.
    pub fn follows(&self, is: &dyn Fn(u32) -> bool) -> Follows {
        let mut follows = Follows { any_of: self.node.is_any_of(is), ..Follows::default() };
        self.node.follows(true, is, &mut follows);
        follows
    }

    /// Compiles the text of one expression.
    ///
    /// # Errors
    /// Every fault that was found; at least one.
    pub fn parse(text: &str, scope: &mut dyn Scope) -> Result<Self, Vec<Fault>> {
        check::parse(text, scope)
    }

    /// Compiles a string in which `{expr}` is replaced: one `{expr}` and nothing else keeps its type, otherwise the
    /// pieces are joined as text. `{{` and `}}` are the braces themselves.
    ///
    /// # Errors
    /// Every fault that was found; at least one.
    pub fn parse_template(text: &str, scope: &mut dyn Scope) -> Result<Self, Vec<Fault>> {
        template::parse(text, scope)
    }

    /// The expression of a value that is known.
    pub fn constant(value: Value) -> Self {
        let types = value.types();
        Self { node: Node::Constant(value), types }
    }

    /// The expression that reads a variable of these types.
    pub fn variable(slot: u32, types: Types) -> Self {
        Self { node: node::Node::Slot(slot), types }
    }

    /// A list of expressions.
    pub fn list(items: Vec<Self>) -> Self {
        node::list(items)
    }

    /// A map whose values are expressions.
    pub fn map(entries: Vec<(String, Self)>) -> Self {
        node::map(entries)
    }

    /// The types it can have.
    pub fn types(&self) -> Types {
        self.types
    }

    /// The compiled form, for translation to another language.
    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// The value, where it is a constant.
    pub fn as_constant(&self) -> Option<&Value> {
        match &self.node {
            Node::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it reads a variable, the state, the clock or a random number: whether it can differ from one
    /// evaluation to the next within one process.
    pub fn varies(&self) -> bool {
        self.node.varies()
    }

    /// Calls `visit` with the slot of each variable that it reads.
    pub fn slots(&self, visit: &mut dyn FnMut(u32)) {
        self.node.slots(visit);
    }

    /// Calls `visit` with each built-in name that it reads.
    pub fn builtins(&self, visit: &mut dyn FnMut(Builtin)) {
        self.node.builtins(visit);
    }

    /// Calls `visit` with the number of each fact of the state that it reads.
    pub fn states(&self, visit: &mut dyn FnMut(u32)) {
        self.node.states(visit);
    }

    /// Whether it draws a random number.
    pub fn draws(&self) -> bool {
        self.node.draws()
    }

    /// Computes it.
    ///
    /// # Errors
    /// An overflow, a division by zero, an index out of range, a missing key, a type that does not fit.
    #[inline]
    pub fn evaluate<E: Environment + ?Sized>(&self, environment: &mut E) -> Result<Value, Error> {
        match &self.node {
            Node::Constant(value) => Ok(value.clone()),
            Node::Slot(slot) => Ok(environment.slot(*slot).clone()),
            node => evaluate::evaluate(node, environment),
        }
    }
}
