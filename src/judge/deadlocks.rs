//! Who was blocked for ever, in words and against lists of who is expected to be.

use std::fmt::Write;

use super::context::Context;
use super::describe;
use crate::event::ProcessId;
use crate::scenario::expectation::BlockedAt;
use crate::trace::Waiting;

/// `philosopher[0] at acquire forks[1], philosopher[1] at acquire forks[0]`.
pub(crate) fn who(context: &Context<'_>) -> String {
    let stuck = &context.trace.stuck;
    describe::listed(stuck.iter().map(|waiting| describe::waiting(context.plan, waiting)), stuck.len())
}

/// A line for each process that waits, and the cycle they wait in.
pub(crate) fn explain(context: &Context<'_>, waiting: &[Waiting]) -> Vec<String> {
    let mut lines: Vec<String> = waiting.iter().map(|waiting| explain_one(context, waiting)).collect();
    if let Some(cycle) = cycle(waiting) {
        let names: Vec<&str> = cycle.iter().chain(cycle.first()).map(|process| context.name(*process)).collect();
        lines.push(format!("the cycle: {}", names.join(" waits for ")));
    }
    lines
}

fn explain_one(context: &Context<'_>, waiting: &Waiting) -> String {
    let mut line = format!("{} since {}", describe::waiting(context.plan, waiting), describe::duration(waiting.since));
    if let Some(step) = waiting.step.filter(|step| (*step as usize) < context.plan.steps.len()) {
        let _ = write!(line, " ({})", context.plan.place(step));
    }
    if let Some(holder) = waiting.holder {
        let _ = write!(line, ", held by {}", context.name(holder));
    }
    let on = waiting.on.iter().filter(|process| Some(**process) != waiting.holder);
    let on: Vec<String> = on.map(|process| context.name(*process).to_owned()).collect();
    if !on.is_empty() {
        let length = on.len();
        let _ = write!(line, ", could be let go by {}", describe::listed(on.into_iter(), length));
    }
    line
}

/// Processes of which each waits for the next and the last for the first.
fn cycle(waiting: &[Waiting]) -> Option<Vec<ProcessId>> {
    let next = |process: ProcessId| waiting.iter().find(|waiting| waiting.process == process);
    for start in waiting {
        let mut path = vec![start.process];
        let mut at = start;
        // One way on is enough to show a cycle: the holder where there is one.
        while let Some(on) = at.holder.or(at.on.first().copied()) {
            if let Some(begin) = path.iter().position(|process| *process == on) {
                return Some(path.split_off(begin));
            }
            path.push(on);
            match next(on) {
                Some(waiting) => at = waiting,
                None => break,
            }
        }
    }
    None
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
        return "nobody".to_owned();
    }
    describe::listed(expected.iter().map(|blocked| blocked.text.clone()), expected.len())
}
