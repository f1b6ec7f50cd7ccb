//! Expectations over a trace: what held, what was measured, and which events decide it.
//!
//! [`judge`] judges one run; a [`Tally`] adds up the runs of `--repeat`. Each form of `[[expect]]` is a file of
//! `forms/`; `rules` has the checks that every run must pass. This room sees a run only as a [`Trace`], whichever
//! engine made it, and does not depend on the reports.

mod bounds;
pub(crate) mod checks;
mod context;
mod deadlocks;
mod describe;
mod durations;
mod forms;
pub mod history;
mod one_of;
mod repeat;
mod rules;
mod state_replay;
mod state_scan;
pub mod timing;
mod verdict;
pub(crate) mod wait_text;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use crate::event::Event;
use crate::scenario::expectation::{Expectation, Holds};
use crate::scenario::plan::Plan;
use crate::trace::{RunEnd, Trace};
use context::Context;

pub use describe::beyond;
pub use forms::{FORMS, Form, form};
pub use repeat::{FinalState, Frequency, Overall, Summary, Tally, final_state};
pub use verdict::{Finding, Judged, Rule, Status, Subject, Verdict};

/// Judges one run: every expectation of the plan, in the order of the file, and behind them each rule that the run
/// broke without an expectation that says so.
pub fn judge(plan: &Plan, trace: &Trace) -> Verdict {
    let context = Context::new(plan, trace);
    let mut findings: Vec<Judged> = (0..plan.expectations.len()).map(|place| expectation(&context, place)).collect();
    let rules = rules::broken(&context, &findings);
    findings.extend(rules);
    Verdict::new(findings)
}

/// Whether that is what one run says of an expectation or a rule; the others are only evaluated if necessary.
pub fn says(plan: &Plan, trace: &Trace, (subject, label): (Subject, &str), status: Status) -> bool {
    match subject {
        Subject::Expectation(place) if place < plan.expectations.len() => {
            expectation(&Context::new(plan, trace), place).status == status
        }
        _ => judge(plan, trace)
            .findings
            .iter()
            .any(|one| one.subject == subject && one.label == label && one.status == status),
    }
}

/// What one run says of an expectation, by its place.
fn expectation(context: &Context<'_>, place: usize) -> Judged {
    let expectation = &context.plan.expectations[place];
    let mut finding = match (form(expectation.form.name), context.beyond()) {
        (Some(_), Some(reason)) if needs_events(expectation) => Finding::unknown("", "nothing", reason),
        (Some(form), _) => (form.judge)(expectation, context),
        (None, _) => Finding::unknown("", "nothing", "there is no such form"),
    };
    if context.trace.end.is_cut() && !finding.firm && finding.status != Status::Unknown {
        finding.status = Status::Unknown;
        let how = if context.trace.end == RunEnd::Interrupted { "interrupted" } else { "cut off by the trace's limit" };
        finding.reason = Some(format!("the run was {how} before this was decided"));
    }
    let each_seen = expectation.boolean("each_seen");
    let (status, reason) = over_one_run(expectation.holds, each_seen, &finding);
    let (subject, label) = (Subject::Expectation(place), expectation.label.clone());
    Judged { subject, label, holds: expectation.holds, status, reason, finding }
}

/// Whether an expectation cannot be judged by how the run ended, by the last values and by how many events match.
fn needs_events(expectation: &Expectation) -> bool {
    let by_end = ["ends", "deadlock", "exits", "final", "final_values"].contains(&expectation.form.name);
    !by_end && context::counted(expectation).is_none()
}

/// Counts the events that match expectations, of a trace that may not fit in memory.
pub struct Matches<'p> {
    plan: &'p Plan,
    counts: Vec<u64>,
}

impl<'p> Matches<'p> {
    /// None so far.
    pub fn new(plan: &'p Plan) -> Self {
        Self { plan, counts: vec![0; plan.expectations.len()] }
    }

    /// Takes in an event.
    pub fn take(&mut self, event: &Event) {
        for (expectation, count) in self.plan.expectations.iter().zip(&mut self.counts) {
            if context::counted(expectation).is_some_and(|pattern| pattern.matches(event)) {
                *count += 1;
            }
        }
    }

    /// How many match, by expectation.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }
}

/// What the verdicts of a plan's expectations depend on besides the state in which a run ends.
pub fn memories(plan: &Plan) -> Vec<history::Memory<'_>> {
    (0..plan.expectations.len()).flat_map(|place| memories_of(plan, place)).collect()
}

/// What the verdict of one expectation depends on besides the state in which a run ends.
pub(crate) fn memories_of(plan: &Plan, place: usize) -> Vec<history::Memory<'_>> {
    let Some(expectation) = plan.expectations.get(place) else { return Vec::new() };
    form(expectation.form.name).map_or_else(Vec::new, |form| (form.memory)(expectation, plan))
}

/// Whether the verdict of an expectation depends on how long something takes.
pub fn is_timed(plan: &Plan, place: usize) -> bool {
    memories_of(plan, place).iter().any(history::Memory::is_timed)
}

/// What one run says of an expectation over the executions it speaks of.
fn over_one_run(holds: Holds, each_seen: bool, finding: &Finding) -> (Status, Option<String>) {
    let say = |status, reason: &str| (status, Some(reason.to_owned()));
    match (holds, finding.status) {
        (_, Status::Unknown) => (Status::Unknown, finding.reason.clone()),
        (Holds::Always | Holds::Sometimes, Status::Pass) if each_seen => {
            say(Status::Unknown, "one run cannot show every one of `in`")
        }
        (Holds::Always, status) => (status, finding.reason.clone()),
        (Holds::Sometimes, Status::Pass) => (Status::Pass, finding.reason.clone()),
        (Holds::Sometimes, Status::Fail) => {
            say(Status::Unknown, "this run did not satisfy it, and one run cannot refute it")
        }
        (Holds::Never, Status::Pass) => say(Status::Fail, "this run satisfied it"),
        (Holds::Never, Status::Fail) => say(Status::Pass, "this run did not satisfy it; other executions may"),
    }
}
