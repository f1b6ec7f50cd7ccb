//! What verbs do, in the few words that others than their kinds go by: what gives an object to a process, what touches
//! a cell, what carries a message. A verb of one name does the same in every kind.

use std::sync::LazyLock;

use crate::event::Event;
use crate::objects::CATALOGUE;
use crate::outcome::Outcome;

/// What a verb does, as far as others have to know.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Effect {
    #[default]
    None,
    /// It gives the object, or a part of it, to the process: a lock, a permit.
    Takes,
    /// It takes it away from the process again.
    Gives,
    /// It reads a cell.
    Reads,
    /// It writes a cell, whatever stood there.
    Writes,
    /// It reads and writes a cell in one.
    Updates,
    /// It puts a message in.
    Puts,
    /// It takes a message out.
    Gets,
    /// It looks and changes nothing.
    Asks,
    /// It releases an end, as the process's own end does.
    Closes,
}

/// The verbs that do something of it.
static EFFECTS: LazyLock<Vec<(&'static str, Effect)>> = LazyLock::new(|| {
    let verbs = CATALOGUE.iter().flat_map(|kind| kind.verbs).filter(|verb| verb.effect != Effect::None);
    let mut effects: Vec<(&str, Effect)> = Vec::new();
    for verb in verbs {
        if !effects.contains(&(verb.name, verb.effect)) {
            effects.push((verb.name, verb.effect));
        }
    }
    effects
});

/// What the verb of that name does.
pub fn effect(verb: &str) -> Effect {
    EFFECTS.iter().find(|(name, _)| *name == verb).map_or(Effect::None, |(_, effect)| *effect)
}

/// Whether an event gives its object to its process (1: a permit, a lock) or takes it away (-1).
pub fn holding(event: &Event) -> Option<i64> {
    // A step with `n = 0` does nothing.
    if event.value.as_int() == Some(0) {
        return None;
    }
    match effect(event.verb) {
        Effect::Takes if event.outcome.is_ok() || event.outcome == Outcome::OWNER_DIED => Some(1),
        Effect::Gives if event.outcome.is_ok() => Some(-1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_does_the_same_in_every_kind() {
        for verb in CATALOGUE.iter().flat_map(|kind| kind.verbs) {
            assert_eq!(effect(verb.name), verb.effect, "{}", verb.name);
        }
        assert_eq!(effect("print"), Effect::None);
    }
}
