//! `at_least` and `at_most` for durations.

use super::describe;
use super::verdict::Finding;
use crate::scenario::expectation::Expectation;

/// Between which durations the measured ones must lie.
#[derive(Clone, Copy)]
pub(crate) struct Durations {
    least: Option<u64>,
    most: Option<u64>,
}

impl Durations {
    pub(crate) fn of(expectation: &Expectation) -> Self {
        Self { least: expectation.duration("at_least"), most: expectation.duration("at_most") }
    }

    pub(crate) fn text(self) -> String {
        match (self.least, self.most) {
            (None, None) => "any time".to_owned(),
            (Some(least), None) => format!("at least {}", describe::duration(least)),
            (None, Some(most)) => format!("at most {}", describe::duration(most)),
            (Some(least), Some(most)) => {
                format!("at least {} and at most {}", describe::duration(least), describe::duration(most))
            }
        }
    }

    /// Judges durations of which these are the shortest and the longest.
    pub(crate) fn judge(self, shortest: u64, longest: u64, measured: String) -> Finding {
        let holds = self.least.is_none_or(|least| shortest >= least) && self.most.is_none_or(|most| longest <= most);
        let finding = Finding::decide(holds, self.text(), measured);
        if self.least.is_none() && self.most.is_none() {
            finding.because("neither `at_least` nor `at_most` is given")
        } else {
            finding
        }
    }
}
