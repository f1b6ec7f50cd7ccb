//! The reference, generated from the catalogue: what `ipcrun list` shows, and the page `docs/reference.md`.
//!
//! Nothing is written here that a kind, a verb or a form says of itself.

pub mod json_schema;
mod markdown;
mod phrases;
mod terminal;

use crate::objects::{Argument, Kind, Verb};
use crate::outcome::Outcome;
use crate::scenario::expectation::FormDescription;

use crate::scenario::keys::{
    EXPECTATION_KEYS, FILE_KEYS, Key, OBJECT_KEYS, PATTERN_KEYS, PROCESS_KEYS, STATE_TERMS, StateTerm,
};
pub use markdown::markdown;
pub use terminal::{entry, overview};

/// A function of expressions.
pub struct Function {
    pub name: &'static str,
    /// As it is called: `random(low, high)`.
    pub signature: &'static str,
    pub summary: &'static str,
}

/// Everything there is to say of the format, from where it is said.
pub struct Catalogue {
    /// The kinds of objects.
    pub kinds: &'static [&'static Kind],
    /// The verbs without an object. The first argument stands at the verb's own key.
    pub steps: &'static [Verb],
    /// The keys that every step may have.
    pub common: &'static [Argument],
    /// The forms of expectations; that of steps named `expect` left out.
    pub forms: Vec<&'static FormDescription>,
    /// The functions of expressions.
    pub functions: Vec<Function>,
    /// The kinds, verbs and keys that the format names and this version has not got.
    pub later: Vec<&'static str>,
}

impl Catalogue {
    /// The outcomes that a scenario can name, with what they mean.
    pub fn outcomes() -> &'static [(Outcome, &'static str, &'static str)] {
        Outcome::NAMED
    }

    /// What a state expression can read: an object of each kind, and the functions.
    fn state_terms(&self) -> impl Iterator<Item = StateTerm> {
        let of_kind = |kind: &&'static Kind| {
            let (written, summary) = kind.state;
            StateTerm { name: kind.name, written, summary }
        };
        self.kinds.iter().map(of_kind).chain(STATE_TERMS.iter().copied())
    }

    /// The kinds that have a verb of that name, with it.
    fn verbs(&self, name: &str) -> impl Iterator<Item = (&'static Kind, &'static Verb)> {
        self.kinds.iter().filter_map(move |kind| kind.verb(name).map(|(_, verb)| (*kind, verb)))
    }
}

/// Every name that has an entry.
pub fn names(catalogue: &Catalogue) -> Vec<&'static str> {
    let kinds = catalogue
        .kinds
        .iter()
        .flat_map(|kind| std::iter::once(kind.name).chain(kind.verbs.iter().map(|verb| verb.name)));
    let steps = catalogue.steps.iter().map(|verb| verb.name);
    let forms = catalogue.forms.iter().map(|form| form.name);
    let functions = catalogue.functions.iter().map(|function| function.name);
    let outcomes = Catalogue::outcomes().iter().map(|(_, name, _)| *name);
    kinds.chain(steps).chain(forms).chain(functions).chain(outcomes).collect()
}
