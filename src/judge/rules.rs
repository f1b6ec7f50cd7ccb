//! What fails a run unless an expectation says so: a deadlock, a process that fails or never ends, the timeout, a
//! trace that is not whole.

use std::fmt::Write;

use super::context::Context;
use super::deadlocks;
use super::describe;
use super::forms;
use super::verdict::{Finding, Judged, Rule, Status, Subject};
use crate::event::ProcessId;
use crate::scenario::expectation::{Expectation, Holds};
use crate::trace::{Limit, ProcessEnd, RunEnd};

/// The rules that the run broke, after its expectations were judged.
pub(crate) fn broken(context: &Context<'_>, judged: &[Judged]) -> Vec<Judged> {
    let trace = context.trace;
    let mut broken = Vec::new();
    let problems: Vec<String> = trace.lost.iter().chain(trace.causality.problems()).cloned().collect();
    if let Some(first) = problems.first() {
        let measured = if trace.lost.is_empty() { "it contradicts itself" } else { "events were lost" };
        let measured = format!("{measured}: {first}");
        let finding = if trace.is_partial() {
            Finding::unknown("a whole trace", measured, "the run was interrupted")
        } else {
            Finding::fail("a whole trace", measured)
        };
        broken.push(rule(Rule::Trace, "the trace is whole", finding.notes(problems.into_iter().skip(1))));
    }
    match &trace.end {
        RunEnd::Interrupted => {
            let finding = Finding::unknown("the run ends", "it was interrupted", "a signal ended ipcrun");
            broken.push(rule(Rule::Interrupt, "the run is not interrupted", finding));
        }
        RunEnd::Limit(limit) => {
            let events = trace.length();
            let what = match limit {
                Limit::Events(most) => format!("{most} events"),
                Limit::Bytes(most) => format!("{} of memory", describe::size(*most)),
                Limit::File(most) => format!("{} of its file", describe::size(*most)),
            };
            let measured = format!("trace limit reached after {events} events: {what}");
            let reason = match limit {
                Limit::Events(_) => "the trace was full; `--max-events` raises its limit",
                Limit::Bytes(_) => "the trace was full; `--max-trace` raises its limit",
                Limit::File(_) => "the trace was full; its file may take a quarter of the space that is free",
            };
            let finding = Finding::unknown("the run ends", measured, reason);
            broken.push(rule(Rule::Limit, "the trace stays within its limit", finding));
        }
        RunEnd::Timeout(left) if !speaks_of_end(context, judged) => {
            let timeout = describe::duration(context.plan.timeout);
            let finding =
                Finding::fail(format!("the run ends within {timeout}"), format!("it was cut off after {timeout}"))
                    .notes(deadlocks::explain(context, left));
            broken.push(rule(Rule::Timeout, "the run ends before its timeout", finding));
        }
        RunEnd::Livelock(left) if !speaks_of_end(context, judged) => {
            let measured = describe::run_end(&trace.end);
            let finding = Finding::fail("the run ends", measured).notes(deadlocks::explain(context, left));
            broken.push(rule(Rule::Livelock, "no livelock", finding));
        }
        RunEnd::Deadlock if !speaks_of_end(context, judged) => {
            let measured = format!("blocked for ever: {}", deadlocks::who(context));
            let finding = Finding::fail("no deadlock", measured).notes(deadlocks::explain(context, &trace.stuck));
            broken.push(rule(Rule::Deadlock, "no unexpected deadlock", finding));
        }
        _ => {}
    }
    for (process, end) in trace.ends.iter().enumerate() {
        let process = process as ProcessId;
        if process as usize >= context.plan.processes.len() || covered(context, process, *end) {
            continue;
        }
        let wrong = match end {
            ProcessEnd::Exited(code) => *code != 0,
            ProcessEnd::Crashed(_) => true,
            // Of a run that did not end by itself, the reason is reported above.
            ProcessEnd::Stopped => context.ended_by_itself() && !context.plan.program(process).daemon,
            ProcessEnd::NotStarted | ProcessEnd::Killed(_) => false,
        };
        if wrong {
            broken.push(rule(
                Rule::Exit,
                &format!("{} exits with status 0", context.name(process)),
                exit(context, process, *end),
            ));
        }
    }
    broken
}

fn rule(rule: Rule, label: &str, finding: Finding) -> Judged {
    let (status, reason) = (finding.status, finding.reason.clone());
    let label = label.to_owned();
    Judged { subject: Subject::Rule(rule), label, holds: Holds::Always, status, reason, finding }
}

/// Whether an expectation says that the run ends as it did, or fails because of it.
fn speaks_of_end(context: &Context<'_>, judged: &[Judged]) -> bool {
    judged.iter().any(|judged| {
        let Subject::Expectation(place) = judged.subject else { return false };
        let expectation = &context.plan.expectations[place];
        let expected = match expectation.form.name {
            // Only a deadlock that is listed is expected; what is said of others may still have failed by it.
            "deadlock" => expectation.boolean("deadlock"),
            "ends" => !expectation.boolean("ends"),
            _ => return false,
        };
        match judged.finding.status {
            Status::Pass => expected && context.trace.end != RunEnd::Completed && shows_end(context, expectation),
            Status::Fail => judged.status == Status::Fail,
            // Where deadlocks were not looked for, a run that would have ended by one is cut off by its time.
            Status::Unknown => expected && context.trace.unwatched,
        }
    })
}

/// Whether the form speaks of ends such as this one: a listed deadlock does not excuse a timeout.
fn shows_end(context: &Context<'_>, expectation: &Expectation) -> bool {
    expectation.form.name == "ends" || context.trace.end == RunEnd::Deadlock
}

/// Whether an `exits` says of this process how it ends. One over some executions only excuses what it says.
fn covered(context: &Context<'_>, process: ProcessId, end: ProcessEnd) -> bool {
    context.plan.expectations.iter().any(|expectation| {
        expectation.form.name == "exits"
            && expectation.processes("exits").is_some_and(|processes| processes.contains(&process))
            && (expectation.holds == Holds::Always || forms::fits(expectation, end))
    })
}

/// How a process ended that should not have, and the event that made it.
fn exit(context: &Context<'_>, process: ProcessId, end: ProcessEnd) -> Finding {
    let mut measured = format!("{} {}", context.name(process), describe::process_end(end));
    let last = context
        .trace
        .events
        .iter()
        .enumerate()
        .rev()
        .find(|(_, event)| event.id.process() == process && event.step.is_some() && !event.implicit);
    let mut finding = Finding::fail("exit status 0", "");
    if let Some((place, event)) = last {
        let _ = write!(measured, ", after {}", context.describe(place));
        if let Some(step) = event.step.filter(|step| (*step as usize) < context.plan.steps.len()) {
            let _ = write!(measured, " ({})", context.plan.place(step));
        }
        finding = finding.witnesses([place]);
    }
    finding.measured = measured;
    finding
}
