//! `equals`, `at_least`, `at_most`.

use super::verdict::Finding;
use crate::scenario::expectation::Expectation;

/// Between which numbers a measured one must lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    least: Option<i64>,
    most: Option<i64>,
}

impl Bounds {
    /// Those of the expectation; at least 1 where it gives none.
    pub(crate) fn of(expectation: &Expectation) -> Self {
        let equals = expectation.integer("equals");
        let mut bounds = Self {
            least: tighter(equals, expectation.integer("at_least"), i64::max),
            most: tighter(equals, expectation.integer("at_most"), i64::min),
        };
        if bounds.least.is_none() && bounds.most.is_none() {
            bounds.least = Some(1);
        }
        bounds
    }

    pub(crate) fn hold(self, number: i64) -> bool {
        self.least.is_none_or(|least| number >= least) && self.most.is_none_or(|most| number <= most)
    }

    /// The most that is allowed.
    pub(crate) fn most(self) -> Option<i64> {
        self.most
    }

    /// The number above which values are not distinguished.
    pub(crate) fn decisive(self) -> i64 {
        self.most.unwrap_or(0).max(self.least.unwrap_or(0).saturating_sub(1)).max(0)
    }

    pub(crate) fn text(self) -> String {
        match (self.least, self.most) {
            (Some(least), Some(most)) if least == most => format!("exactly {least}"),
            (Some(least), Some(most)) => format!("at least {least} and at most {most}"),
            (Some(least), None) => format!("at least {least}"),
            (None, Some(most)) => format!("at most {most}"),
            (None, None) => "any number".to_owned(),
        }
    }

    /// Judges a number that only grows during the run.
    pub(crate) fn judge(self, number: i64, expected: String, measured: String) -> Finding {
        let holds = self.hold(number);
        let firm = if holds { self.most.is_none() } else { self.most.is_some_and(|most| number > most) };
        Finding::decide(holds, expected, measured).firm(firm)
    }

    /// Judges a number of which only the limits are known.
    pub(crate) fn judge_between(self, low: i64, high: i64, expected: String, measured: String) -> Option<Finding> {
        if self.hold(low) && self.hold(high) {
            return Some(Finding::pass(expected, measured));
        }
        let outside = self.least.is_some_and(|least| high < least) || self.most.is_some_and(|most| low > most);
        outside.then(|| Finding::fail(expected, measured))
    }
}

fn tighter(a: Option<i64>, b: Option<i64>, choose: fn(i64, i64) -> i64) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(choose(a, b)),
        (a, b) => a.or(b),
    }
}
