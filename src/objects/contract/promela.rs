//! A kind's side in Promela, the language of the model checker SPIN.
//!
//! What a step on an object does is said as *ways*: a guard over the object's variables, and what happens where it
//! holds. A step that waits is one none of whose guards holds. The ways of one step say all that can come of it: where
//! several guards hold at once, each is a possibility.

use super::model::Willing;
use crate::outcome::Outcome;
use crate::value::{Types, Value};

/// Stands for null among the numbers of Promela: the one number of 32 bits that no value of a scenario may have.
pub const NIL: &str = "NIL";
/// The largest number that a value can have: those of Promela have 32 bits.
pub const LARGEST: i64 = i32::MAX as i64;

/// Why something cannot be said in Promela: one lower-case sentence.
pub type Refusal = String;

/// A value in Promela.
#[derive(Clone, Debug)]
pub struct Term {
    pub text: String,
    /// The types that it can have: bool, int or string, with null or without.
    pub types: Types,
    /// What it is, where that is known.
    pub constant: Option<Value>,
}

impl Term {
    pub fn int(text: impl Into<String>) -> Self {
        Self { text: text.into(), types: Types::INT, constant: None }
    }

    pub fn bool(text: impl Into<String>) -> Self {
        Self { text: text.into(), types: Types::BOOL, constant: None }
    }

    /// The int that it is, where it is a constant.
    pub fn as_int(&self) -> Option<i64> {
        self.constant.as_ref().and_then(Value::as_int)
    }

    /// Whether it is null for certain: an argument that was left out.
    pub fn is_null(&self) -> bool {
        self.types == Types::NULL
    }
}

/// What may go wrong where an expression is computed, in the order in which it is looked for.
#[derive(Clone, Debug)]
pub struct Check {
    /// Where this holds, it has.
    pub when: String,
    /// The outcome; none where the value is only too large for Promela, which ends the search.
    pub outcome: Option<Outcome>,
}

/// A value with what may go wrong on the way to it.
#[derive(Clone, Debug)]
pub struct Computed {
    pub term: Term,
    /// What may go wrong.
    pub checks: Vec<Check>,
}

/// What a step gives.
#[derive(Clone, Debug)]
pub enum Given {
    /// Nothing that any process takes.
    Nothing,
    /// What this is before the effects.
    Before(Term),
    /// What this is after them.
    After(Term),
    /// The next message of that channel.
    Received(String),
}

/// How far a way leads.
#[derive(Clone, Debug)]
pub enum Then {
    /// The step has ended.
    Done {
        outcome: Outcome,
        /// What `into` takes.
        value: Given,
    },
    /// It waits inside, and continues by [`Promela::resume`].
    Parked,
}

/// One possibility of a step.
#[derive(Clone, Debug)]
pub struct Way {
    /// Where it is one.
    pub guard: String,
    /// The statements that it carries out, none of which can block.
    pub effects: Vec<String>,
    /// What comes of it.
    pub then: Then,
}

impl Way {
    /// A step that ends so, without any effect.
    pub fn ends(guard: impl Into<String>, outcome: Outcome) -> Self {
        Self { guard: guard.into(), effects: Vec::new(), then: Then::Done { outcome, value: Given::Nothing } }
    }

    /// A step that ends `ok`.
    pub fn ok(guard: impl Into<String>, effects: Vec<String>) -> Self {
        Self { effects, ..Self::ends(guard, Outcome::OK) }
    }

    /// A step that waits inside.
    pub fn parks(guard: impl Into<String>, effects: Vec<String>) -> Self {
        Self { guard: guard.into(), effects, then: Then::Parked }
    }

    /// Sets what it gives.
    #[must_use]
    pub fn gives(mut self, given: Given) -> Self {
        if let Then::Done { value, .. } = &mut self.then {
            *value = given;
        }
        self
    }
}

/// How the value of an `update` follows from the value before.
pub type Update<'a> = dyn Fn(&Term) -> Result<Computed, Refusal> + 'a;

/// What stands around an object.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// What its variables' names begin with.
    pub name: &'a str,
    /// The same of every object.
    pub names: &'a [String],
    /// How many processes there are.
    pub processes: usize,
    /// How many of them hold each end at first.
    pub holders: &'a [u32],
    /// The verbs that the scenario has for it, a bit for each by its place.
    pub verbs: u64,
    /// Whether what it depends on counts how often a process holds it.
    pub counted: bool,
}

pub struct Call<'a> {
    /// What stands around the object.
    pub around: Around<'a>,
    /// The verb's place among the kind's.
    pub verb: u8,
    pub end: u8,
    /// The index of an element, known to be within the object's length.
    pub element: Option<&'a Term>,
    /// The arguments, as in [`ModelCall`](super::model::ModelCall).
    pub arguments: &'a [Term],
    /// How long it is willing to wait.
    pub willing: Willing,
    /// Which process it is, as an expression.
    pub me: &'a str,
    /// Whether `into` stands in the step.
    pub into: bool,
    /// The expression of an `update`.
    pub update: Option<&'a Update<'a>>,
}

impl Call<'_> {
    /// A name that begins with the object's.
    pub fn name(&self, rest: &str) -> String {
        format!("{}{rest}", self.around.name)
    }

    /// The result of a step that cannot be done at once while `blocked` holds: none if it waits for ever.
    pub fn wait(&self, blocked: impl Into<String>) -> Option<Way> {
        match self.willing {
            Willing::Forever => None,
            Willing::Never => Some(Way::ends(blocked, Outcome::WOULD_BLOCK)),
            Willing::Timed => Some(Way::ends(blocked, Outcome::TIMEOUT)),
        }
    }
}

/// An object in Promela.
pub trait Promela {
    /// The declarations of its variables.
    ///
    /// # Errors
    /// Why it has none.
    fn declare(&self, around: Around<'_>) -> Result<Vec<String>, Refusal>;

    /// The types of what a verb gives; none where that cannot be said in Promela.
    fn gives(&self, verb: u8) -> Types;

    /// What can come of a step that begins.
    ///
    /// # Errors
    /// Why it cannot be said.
    fn begin(&self, call: &Call<'_>) -> Result<Vec<Way>, Refusal>;

    /// What can come of a step that waits inside.
    fn resume(&self, _call: &Call<'_>) -> Vec<Way> {
        Vec::new()
    }

    /// What the end of a process does to the object that holds these ends.
    fn leave(&self, _around: Around<'_>, _me: &str, _held: &[bool]) -> Vec<String> {
        Vec::new()
    }

    /// Whether it counts how often its owner holds it, in a variable of its own.
    fn is_counted(&self) -> bool {
        false
    }
}

/// A number as it stands in Promela.
///
/// # Errors
/// It has more than 32 bits.
pub fn number(n: i64) -> Result<String, Refusal> {
    if (-LARGEST..=LARGEST).contains(&n) {
        return Ok(if n < 0 { format!("({n})") } else { n.to_string() });
    }
    Err(format!("{n} does not fit the 32 bits of a number in Promela"))
}

/// Ways that are looked for one after another: each where none before it was one.
#[derive(Debug, Default)]
pub struct Ladder {
    ways: Vec<Way>,
    /// What holds where none of them is one.
    passed: Vec<String>,
    /// Whether one of them is one for certain.
    closed: bool,
}

impl Ladder {
    /// The step ends so where `when` holds, which it does not where `unless` does. `known`: whether it holds, where
    /// that is known beforehand.
    pub fn ends(&mut self, known: Option<bool>, when: &str, unless: &str, outcome: Outcome) {
        match known {
            Some(false) => {}
            Some(true) => {
                self.add(Way::ends("true", outcome));
                self.closed = true;
            }
            None => {
                self.add(Way::ends(when, outcome));
                self.passed.push(unless.to_owned());
            }
        }
    }

    /// A way where none before is one.
    pub fn add(&mut self, mut way: Way) {
        if self.closed {
            return;
        }
        let guards = self.passed.iter().chain([&way.guard]).filter(|guard| *guard != "true");
        let guard = guards.cloned().collect::<Vec<_>>().join(" && ");
        way.guard = if guard.is_empty() { "true".to_owned() } else { guard };
        self.ways.push(way);
    }

    pub fn ways(self) -> Vec<Way> {
        self.ways
    }
}
