//! An exploration under what is assumed of time: one look where that is known, and where it is not, one in which time
//! is ideal and one in which a sleep or a timeout may end at any moment.

use std::sync::Arc;

use super::analysis::starvation::Liveness;
use super::budget::Budget;
use super::execution::verdicts::Fault;
use super::run::{Cycles, Explored, Options, Size, within};
use super::semantics::transition::Time;
use super::strategy::bfs::Cut;
use super::strategy::fallback::{Coverage, Progress};
use crate::judge::Status;
use crate::judge::timing::{self, both};
use crate::scenario::plan::Plan;

/// A look that an exploration consists of.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Look {
    /// How time passes in it.
    pub time: Time,
    /// Whether the end of each process is a step of its own.
    pub ends: bool,
    /// The number of the first of its executions.
    pub first: u64,
}

/// The looks that a plan needs. `given` is what was asked for besides what its file says.
pub fn times(plan: &Plan, given: Option<Time>) -> Vec<Time> {
    match given.or(plan.time) {
        None if plan.passes_time() => vec![Time::Virtual, Time::Any],
        None => vec![Time::Virtual],
        // Without CPUs and priorities it is not known whether a timeout comes first.
        Some(Time::Virtual) if plan.processors().is_some() && plan.waits_with_timeout() => {
            vec![Time::Virtual, Time::Any]
        }
        Some(time) => vec![time],
    }
}

/// Explores a plan: each look, within the limits of all of them together.
///
/// # Errors
/// A process that the model cannot execute: `ModelError`.
pub fn look(
    plan: &Plan,
    options: &Options,
    times: &[Time],
    budget: &Arc<Budget>,
    progress: &mut dyn FnMut(&Progress) -> bool,
) -> Result<Vec<Explored>, Fault> {
    let mut looks: Vec<Explored> = Vec::with_capacity(times.len());
    for time in times {
        let mut options = Options { time: *time, ..*options };
        let states: usize = looks.iter().map(|look| look.size.states).sum();
        options.limits.states = options.limits.states.saturating_sub(states).max(1);
        let explored = within(plan, &options, budget, progress)?;
        let stopped = explored.cut == Some(Cut::Stopped);
        looks.push(explored);
        if stopped {
            break;
        }
    }
    Ok(looks)
}

/// What the looks say together. `assumed`: that time is ideal was asked for, and the second look is there since it
/// cannot be known.
pub fn together(plan: &Plan, looks: Vec<Explored>, given: Option<Time>) -> Explored {
    let mut looks = looks.into_iter();
    let Some(mut first) = looks.next() else { return Explored::default() };
    first.looks = vec![Look { time: first.time, ends: first.ends, first: 1 }];
    let Some(mut second) = looks.next() else { return first };
    let offset = first.stories.iter().map(|story| story.run).max().unwrap_or(0).max(first.summary.runs);
    let look = |explored: &Explored| timing::Look { summary: explored.summary.clone(), whole: explored.cut.is_none() };
    let mut summary = both(&look(&first), &look(&second), offset);
    if given.or(plan.time).is_some() {
        for one in summary.overall.iter_mut().filter(|one| one.timing) {
            one.timing = false;
            one.reason = Some(unprocessed(plan, "whether a timeout ends first"));
        }
    }
    for story in &mut second.stories {
        story.run += offset;
    }
    let named = |explored: &Explored, name: &str| {
        let words = explored.rungs.iter().flat_map(Coverage::words);
        words.map(|words| format!("{name}: {words}")).collect::<Vec<_>>()
    };
    let mut words = named(&first, "where time is ideal");
    words.extend(named(&second, "where a sleep or a timeout may end at any moment"));
    first.looks.push(Look { time: second.time, ends: second.ends, first: offset + 1 });
    first.stories.append(&mut second.stories);
    Explored {
        summary,
        cut: first.cut.or(second.cut),
        size: Size {
            states: first.size.states + second.size.states,
            edges: first.size.edges + second.size.edges,
            ends: first.size.ends + second.size.ends,
            depth: first.size.depth.max(second.size.depth),
            bytes: first.size.bytes.max(second.size.bytes),
            elapsed: first.size.elapsed + second.size.elapsed,
        },
        circles: Cycles {
            left: first.circles.left || second.circles.left,
            livelocks: first.circles.livelocks.max(second.circles.livelocks),
        },
        liveness: if second.liveness == Liveness::Ends { first.liveness } else { second.liveness },
        unreached: first.unreached.zip(second.unreached).map(|(mut steps, other)| {
            steps.retain(|step| other.contains(step));
            steps
        }),
        words,
        ..first
    }
}

/// Why something is not known of a plan that says where and with which priority something runs.
pub(super) fn unprocessed(plan: &Plan, what: &str) -> String {
    let said = plan.processors().map_or_else(String::new, |(key, name)| format!(" (`{key}` of {name})"));
    format!("the model has neither CPUs nor priorities{said}, so {what} is not known")
}

impl Explored {
    /// The look that an execution is of, by its number.
    pub fn look(&self, run: u64) -> Look {
        let of = self.looks.iter().rev().find(|look| look.first <= run);
        of.copied().unwrap_or(Look { time: self.time, ends: self.ends, first: 1 })
    }

    /// What was explored if not every state was, in words.
    pub fn words(&self) -> Vec<String> {
        if self.words.is_empty() { self.rungs.iter().flat_map(Coverage::words).collect() } else { self.words.clone() }
    }

    /// Whether nothing failed but something depends on timing.
    pub fn depends_on_timing(&self) -> bool {
        self.summary.status == Status::Unknown && self.summary.overall.iter().any(|one| one.timing)
    }
}
