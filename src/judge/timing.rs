//! What two looks at the same scenario say together: one in which time is ideal, and one in which a sleep or a timeout
//! may end at any moment.
//!
//! What both say is the verdict. Where they differ, the verdict depends on timing.

use super::repeat::{FinalState, Overall, Summary};
use super::verdict::{Status, worst};
use crate::scenario::expectation::Holds;

/// What one look says, and whether it has seen every execution.
#[derive(Clone, Debug)]
pub struct Look {
    pub summary: Summary,
    /// Whether it has seen every execution.
    pub whole: bool,
}

/// What both looks say. The runs of the second are numbered from `offset` + 1 on.
pub fn both(ideal: &Look, any: &Look, offset: u64) -> Summary {
    let shifted = |one: &Overall| {
        let mut one = one.clone();
        one.example = one.example.map(|(run, finding)| (run + offset, finding));
        one
    };
    let mut overall: Vec<Overall> = Vec::new();
    for one in &any.summary.overall {
        let same = ideal.summary.overall.iter().find(|other| is_same(one, other));
        overall.push(together(same, ideal.whole, &shifted(one)));
    }
    for (place, one) in ideal.summary.overall.iter().enumerate() {
        if !any.summary.overall.iter().any(|other| is_same(one, other)) {
            overall.insert(place.min(overall.len()), alone(one, any.whole));
        }
    }
    let mut states = any.summary.states.clone();
    for state in &mut states {
        state.first += offset;
    }
    // Executions that go round for ever where time is ideal are none of the others.
    let known: Vec<FinalState> = states.clone();
    states
        .extend(ideal.summary.states.iter().filter(|one| known.iter().all(|other| other.state != one.state)).cloned());
    let status = worst(overall.iter().map(|one| one.status));
    Summary { runs: any.summary.runs.max(ideal.summary.runs), status, overall, states }
}

fn is_same(one: &Overall, other: &Overall) -> bool {
    one.subject == other.subject && one.label == other.label
}

/// What both say of one expectation or rule, of which the second look has said `any`.
fn together(ideal: Option<&Overall>, whole: bool, any: &Overall) -> Overall {
    let Some(ideal) = ideal else {
        // A rule that no execution breaks where time is ideal.
        return if whole { depends(any, any, true) } else { any.clone() };
    };
    match (ideal.status, any.status) {
        (Status::Pass, Status::Pass) | (Status::Unknown, Status::Unknown | Status::Fail) => any.clone(),
        (Status::Fail, Status::Unknown) | (Status::Unknown, Status::Pass) => ideal.clone(),
        // The example is one of ideal time: that it fails there is no matter of timing.
        (Status::Fail, Status::Fail) => {
            Overall { example: ideal.example.clone(), reason: ideal.reason.clone(), ..any.clone() }
        }
        (Status::Pass, Status::Unknown) => {
            let why = any.reason.clone().unwrap_or_default();
            Overall { reason: Some(format!("it holds under ideal time; otherwise: {why}")), ..any.clone() }
        }
        (Status::Pass, Status::Fail) => depends(any, if any.holds == Holds::Sometimes { ideal } else { any }, true),
        (Status::Fail, Status::Pass) => depends(any, if any.holds == Holds::Sometimes { any } else { ideal }, false),
    }
}

/// What both say of a rule that only the look at ideal time has found broken.
fn alone(ideal: &Overall, whole: bool) -> Overall {
    if ideal.status == Status::Fail && whole { depends(ideal, ideal, false) } else { ideal.clone() }
}

/// A verdict that depends on timing. `numbers` has how often it holds, `shows` an example, and `ideal` is whether it
/// holds where time is ideal, and not otherwise.
fn depends(numbers: &Overall, shows: &Overall, ideal: bool) -> Overall {
    let (first, second) = if ideal { ("holds", "fails") } else { ("fails", "holds") };
    let reason = format!("it {first} under ideal time and {second} if a sleep or a timeout may end at any moment");
    Overall {
        status: Status::Unknown,
        timing: true,
        reason: Some(reason),
        example: shows.example.clone(),
        ..numbers.clone()
    }
}
