//! The catalogue, put together from the rooms that hold its parts.

use crate::expression::FUNCTIONS;
use crate::judge::FORMS;
use crate::objects;
use crate::report::catalogue::{Catalogue, Function};
use crate::scenario::steps;

/// Everything that this version can do.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue {
        kinds: objects::CATALOGUE,
        steps: steps::STEPS,
        common: steps::COMMON,
        // The last stands beside a step: it is one of the keys that every step may have.
        forms: FORMS.iter().map(|form| &form.description).filter(|form| form.name != "expect").collect(),
        functions: FUNCTIONS
            .iter()
            .map(|function| Function { name: function.name, signature: function.signature, summary: function.summary })
            .collect(),
        later: objects::LATER.iter().chain(steps::LATER).copied().collect(),
    }
}
