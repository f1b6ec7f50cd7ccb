//! The catalogue, put together from the rooms that hold its parts.

use crate::objects;
use crate::report::reference::Catalogue;
use crate::scenario::steps;

/// Everything that this version can do.
pub(super) fn catalogue() -> Catalogue {
    Catalogue {
        kinds: objects::CATALOGUE,
        steps: steps::STEPS,
        common: steps::COMMON,
        forms: Vec::new(),
        functions: Vec::new(),
        later: objects::LATER.iter().chain(steps::LATER).copied().collect(),
    }
}
