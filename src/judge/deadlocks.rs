//! The processes that are blocked for ever, in words and compared with expected lists.

use std::fmt::Write;

use super::context::Context;
use super::describe;
use super::wait_text::{self, Scene};
use crate::scenario::expectation::BlockedAt;
use crate::trace::{Waiting, wait_for};

/// `philosopher[0] at acquire forks[1], philosopher[1] at acquire forks[0]`.
pub(crate) fn who(context: &Context<'_>) -> String {
    let stuck = &context.trace.stuck;
    describe::listed(stuck.iter().map(|waiting| describe::waiting(context.plan, waiting)), stuck.len())
}

/// A line for each process that is left, and the wait-for cycle that they are in.
pub(super) fn explain(context: &Context<'_>, waiting: &[Waiting]) -> Vec<String> {
    let (plan, trace) = (context.plan, context.trace);
    let scene = Scene { plan, waiting: [waiting, &trace.daemons], trace: Some(trace), cut_off: trace.is_cut_off() };
    let line = |waiting: &Waiting| {
        let since = describe::duration(waiting.since);
        let mut line = format!("{} {}", context.name(waiting.process), scene.sentence(waiting, false, Some(&since)));
        if let Some(step) = waiting.step.filter(|step| (*step as usize) < plan.steps.len()) {
            let _ = write!(line, " ({})", plan.place(step));
        }
        line
    };
    let mut lines: Vec<String> = scene.waiting.iter().copied().flatten().map(line).collect();
    let ring = wait_for::cycle(waiting, &trace.daemons);
    lines.extend(ring.map(|ring| format!("wait-for cycle: {}", wait_text::cycle(plan, &ring))));
    lines
}

/// Whether exactly these processes are blocked, each entry standing for one of them.
pub(crate) fn matches(stuck: &[Waiting], expected: &[BlockedAt]) -> bool {
    if stuck.len() != expected.len() {
        return false;
    }
    let mut taken: Vec<Option<usize>> = vec![None; stuck.len()];
    (0..expected.len()).all(|entry| assign(entry, stuck, expected, &mut taken, &mut vec![false; stuck.len()]))
}

/// Finds a process for an entry, moving other entries to other processes where that helps.
fn assign(
    entry: usize,
    stuck: &[Waiting],
    expected: &[BlockedAt],
    taken: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for at in 0..stuck.len() {
        if tried[at] || !fits(&stuck[at], &expected[entry]) {
            continue;
        }
        tried[at] = true;
        let free = match taken[at] {
            None => true,
            Some(other) => assign(other, stuck, expected, taken, tried),
        };
        if free {
            taken[at] = Some(entry);
            return true;
        }
    }
    false
}

fn fits(waiting: &Waiting, expected: &BlockedAt) -> bool {
    expected.processes.contains(&waiting.process)
        && (expected.targets.is_empty() || expected.targets.contains(&waiting.target))
}

/// `reader at link, writer`.
pub(crate) fn list(expected: &[BlockedAt]) -> String {
    if expected.is_empty() {
        return "no process".to_owned();
    }
    describe::listed(expected.iter().map(|blocked| blocked.text.clone()), expected.len())
}
