//! Evaluates a condition in one state of a run after another.

use std::collections::BTreeMap;

use super::context::Context;
use super::describe;
use super::state_replay::{Evaluation, Replay};
use crate::expression::Expression;
use crate::value::Value;

/// What evaluating a condition along a run gave.
pub(crate) struct Walk {
    /// The first state that was looked for.
    pub(crate) stop: Option<Stop>,
    /// Between which values the facts were: `size(q) from 0 to 5, in 58 states`.
    pub(crate) measured: String,
    /// Why the states are not certain.
    pub(crate) uncertain: Option<String>,
    /// Why the condition had no value, in the first state where it had none.
    pub(crate) error: Option<String>,
}

/// A state that was looked for.
pub(crate) struct Stop {
    /// The event after which the run is in it; none for the first state.
    pub(crate) place: Option<usize>,
    /// The facts that decided it.
    pub(crate) facts: String,
    /// The event, and those that made the facts what they are.
    pub(crate) witnesses: Vec<usize>,
    pub(crate) result: Result<bool, String>,
}

impl Stop {
    /// `after #12 worker[3] get q`, `before the first event`.
    pub(crate) fn when(&self, context: &Context<'_>) -> String {
        match self.place {
            Some(place) => format!("after {}", context.describe(place)),
            None => "before the first event".to_owned(),
        }
    }
}

impl Walk {
    /// Goes through the states until one is as `wanted`.
    pub(crate) fn until(context: &Context<'_>, condition: &Expression, wanted: impl Fn(&Evaluation) -> bool) -> Self {
        let mut replay = Replay::new(context);
        let mut ranges: BTreeMap<u32, (Value, Value)> = BTreeMap::new();
        let mut walk = Self { stop: None, measured: String::new(), uncertain: None, error: None };
        let mut place = None;
        let mut found = replay.evaluate(condition);
        loop {
            for fact in &found.read {
                let value = replay.fact(*fact);
                let range = ranges.entry(*fact).or_insert_with(|| (value.clone(), value.clone()));
                if value < range.0 {
                    range.0 = value;
                } else if value > range.1 {
                    range.1 = value;
                }
            }
            if let Some(reason) = found.uncertain.take() {
                walk.uncertain = Some(reason);
                break;
            }
            if let (Err(message), None) = (&found.result, &walk.error) {
                walk.error = Some(message.clone());
            }
            if wanted(&found) {
                let facts = replay.facts(&found.read);
                let touches = found.read.iter().filter_map(|fact| replay.last_touch(*fact));
                let witnesses = touches.chain(place).collect();
                walk.stop = Some(Stop { place, facts, witnesses, result: found.result });
                break;
            }
            // On to the next state in which anything that was read is different.
            let Some(at) = next(&mut replay, &found) else { break };
            place = Some(at);
            found = replay.evaluate(condition);
        }
        let facts: Vec<String> = ranges
            .iter()
            .filter_map(|(fact, (low, high))| {
                let name = replay.fact_name(*fact);
                match (low, high) {
                    _ if low == high => Some(format!("{name} = {}", describe::value(low))),
                    (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
                        Some(format!("{name} from {low} to {high}"))
                    }
                    _ => None,
                }
            })
            .collect();
        let states = describe::counted(context.trace.events.len() as i64 + 1, "state");
        let length = facts.len();
        walk.measured = match length {
            0 => states,
            _ => format!("{}, in {states}", describe::listed(facts.into_iter(), length)),
        };
        walk
    }
}

/// Goes on to the next event that changes what was read.
fn next(replay: &mut Replay<'_>, found: &Evaluation) -> Option<usize> {
    loop {
        let (place, changed) = replay.step()?;
        if found.volatile || changed.iter().any(|fact| found.read.binary_search(fact).is_ok()) {
            return Some(place);
        }
    }
}
