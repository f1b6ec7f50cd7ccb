//! Where events stand from left to right when the page opens, and which stretches of time are folded.

use crate::report::view::timeline_model::{ArrowKind, Spans};
use crate::trace::Trace;

/// The most folds. More of them would tell less than the plain time does.
const FOLDS: usize = 200;

/// What the axis shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Time,
    /// Time without the stretches in which nothing happens.
    Folded,
    /// One column an event.
    Step,
}

/// Stretches of time in which no event begins or ends, drawn in a fixed width each.
#[derive(Debug, Default)]
pub(super) struct Folds {
    /// From and to, in ns, ascending.
    pub(super) all: Vec<(u64, u64)>,
    /// The width of each, in ns of the axis.
    pub(super) width: u64,
}

impl Kind {
    /// The word by which the page's script knows it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Folded => "folded",
            Self::Step => "step",
        }
    }

    /// What shows a run best: steps for a dialogue among few, folds where most of the time nothing happens.
    pub(super) fn of(trace: &Trace, spans: &Spans, folds: &Folds) -> Self {
        let messages = spans.arrows.iter().filter(|arrow| arrow.kind == ArrowKind::Message).count();
        let idle: u64 = folds.all.iter().map(|(from, to)| to - from).sum();
        if trace.duration == 0 {
            // Where no time passes, only the order says something.
            return Self::Step;
        }
        if messages * 8 >= trace.events.len() && messages > 0 && spans.lanes.len() <= 6 && trace.events.len() <= 80 {
            Self::Step
        } else if idle * 2 > trace.duration {
            Self::Folded
        } else {
            Self::Time
        }
    }
}

impl Folds {
    /// The stretches that are far longer than the usual ones.
    pub(super) fn new(trace: &Trace) -> Self {
        let mut instants: Vec<u64> = trace.events.iter().flat_map(|event| [event.begin, event.end]).collect();
        instants.extend([0, trace.duration]);
        instants.sort_unstable();
        instants.dedup();
        let gaps: Vec<(u64, u64)> = instants.windows(2).map(|pair| (pair[0], pair[1])).collect();
        let mut lengths: Vec<u64> = gaps.iter().map(|(from, to)| to - from).collect();
        lengths.sort_unstable();
        let usual = lengths.get(lengths.len() / 2).copied().unwrap_or(0);
        let most = lengths.len().checked_sub(FOLDS).map_or(0, |at| lengths[at]);
        let least = (usual * 20).max(trace.duration / 1_000).max(most);
        let all: Vec<(u64, u64)> = gaps.into_iter().filter(|(from, to)| to - from > least).collect();
        let idle: u64 = all.iter().map(|(from, to)| to - from).sum();
        let active = trace.duration.saturating_sub(idle);
        // Together they take little more than a third of the whole, one alone a twelfth.
        let width = (active * 6 / 10 / (all.len() as u64).max(1)).min(active / 12).clamp(1, least.max(1));
        Self { all, width }
    }

    /// Where a time lies once the folds are folded.
    pub(super) fn place(&self, time: u64) -> f64 {
        let mut saved = 0;
        for (from, to) in &self.all {
            if time <= *from {
                break;
            }
            if time < *to {
                let part = (time - from) as f64 / (to - from) as f64;
                return (from - saved) as f64 + part * self.width as f64;
            }
            saved += to - from - self.width.min(to - from);
        }
        time.saturating_sub(saved) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Target;
    use crate::trace::file::fixture;

    #[test]
    fn long_silence_is_folded() {
        let plan = fixture::workers();
        let times = [(0, 10), (20, 30), (30, 45), (2_000_000_000, 2_000_000_010), (2_000_000_020, 2_000_000_030)];
        let event = |(n, times)| fixture::event(&plan, (0, n), Some(1), times, Target::None);
        let trace = fixture::trace(&plan, (0..).zip(times).map(event).collect());
        let folds = Folds::new(&trace);
        assert_eq!(folds.all, [(45, 2_000_000_000)]);
        assert!(folds.place(45) <= 45.0 && folds.place(2_000_000_030) < 200.0, "{folds:?}");
        assert!(folds.place(1_000_000_000) > folds.place(45));
        let spans = Spans::new(&plan, &trace);
        assert_eq!(Kind::of(&trace, &spans, &folds), Kind::Folded);
    }

    #[test]
    fn an_empty_run_has_an_axis() {
        let plan = fixture::workers();
        let folds = Folds::new(&fixture::trace(&plan, Vec::new()));
        assert!(folds.all.is_empty());
        assert!((folds.place(5) - 5.0).abs() < f64::EPSILON);
    }
}
