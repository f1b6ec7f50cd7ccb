//! Who waits for what when a run does not go on, told as a person would tell it.

use std::fmt::Write as _;

use super::style::{BAD, FAINT, Pen, STRONG, duration, names, placed, plural, width, wrap};
use crate::event::{ProcessId, Target};
use crate::report::view::statistics::{cycle, unfinished};
use crate::scenario::plan::Plan;
use crate::trace::{RunEnd, Trace, Waiting};

/// How many lines of processes are told.
const TOLD: usize = 10;

/// The deadlock or the timeout, as lines indented by two; empty where the run had neither. `expected` says whether an
/// expectation wanted it.
pub(crate) fn tell(plan: &Plan, trace: &Trace, expected: bool, pen: Pen, columns: usize) -> String {
    let waiting = unfinished(trace);
    let timeout = matches!(trace.end, RunEnd::Timeout(_)) && trace.stuck.is_empty();
    if waiting.is_empty() && !timeout {
        return String::new();
    }
    let mut out = String::new();
    let style = if expected { STRONG } else { BAD };
    let heading = if timeout {
        format!("timeout after {}", duration(trace.duration))
    } else {
        let also = if matches!(trace.end, RunEnd::Deadlock) { "" } else { ", while the others went on" };
        let verb = if waiting.len() == 1 { "waits" } else { "wait" };
        format!("deadlock: {} {verb} for ever{also}", plural(waiting.len() as u64, "process"))
    };
    let _ = writeln!(out, "  {}{}", pen.paint(style, heading), if expected { ", as expected" } else { "" });
    let told = together(waiting);
    for same in told.iter().take(TOLD) {
        let first = same[0];
        let processes: Vec<ProcessId> = same.iter().map(|waiting| waiting.process).collect();
        let since = same.iter().map(|waiting| waiting.since).min().unwrap_or(first.since);
        let name = names(plan, &processes);
        // Where no time passes, no time says more than another.
        let since = waiting.iter().any(|one| one.since > 0).then_some(since);
        let said = sentence(plan, first, same.len() > 1, since, timeout);
        let place = first.step.map(|step| plan.place(step)).unwrap_or_default();
        one(&mut out, &name, &said, &place, 4, pen, columns);
    }
    if told.len() > TOLD {
        let _ = writeln!(out, "    {}", pen.paint(FAINT, format!("and {} more", told.len() - TOLD)));
    }
    // A ring of one was told as what it holds itself.
    if let Some(ring) = cycle(waiting).filter(|ring| ring.len() > 1) {
        round(&mut out, plan, waiting, &ring, pen, columns);
    }
    out
}

/// Who waits for what, and where: on a line, or under one another where that is too long.
fn one(out: &mut String, name: &str, said: &str, place: &str, indent: usize, pen: Pen, columns: usize) {
    let lines = wrap(&format!("{name} {said}"), columns.saturating_sub(indent));
    let mut indent = indent;
    for (at, line) in lines.iter().enumerate() {
        let painted = match line.strip_prefix(name).filter(|_| at == 0) {
            Some(rest) => format!("{}{rest}", pen.paint(STRONG, name)),
            None => line.clone(),
        };
        let _ = write!(out, "{:indent$}{painted}", "");
        let last = at + 1 == lines.len();
        out.push_str(&if last { placed(place, indent + width(line), columns, pen) } else { "\n".to_owned() });
        if at == 0 {
            indent += 2;
        }
    }
}

/// Those that wait at the same step for the same thing, in the order of the first of them.
fn together(waiting: &[Waiting]) -> Vec<Vec<&Waiting>> {
    let mut all: Vec<Vec<&Waiting>> = Vec::new();
    for one in waiting {
        let same = |other: &Waiting| {
            (other.step, &other.verb, other.target, other.holder) == (one.step, &one.verb, one.target, one.holder)
        };
        match all.iter_mut().find(|group| same(group[0])) {
            Some(group) => group.push(one),
            None => all.push(vec![one]),
        }
    }
    all
}

/// What is told at once of processes that wait for ever while others go on.
pub(crate) fn found(plan: &Plan, waiting: &[Waiting], pen: Pen, columns: usize) -> String {
    let count = plural(waiting.len() as u64, "process");
    let mut text = format!("{}: {count} blocked for ever, while others go on\n", pen.paint(BAD, "deadlock"));
    for group in together(waiting) {
        let processes: Vec<_> = group.iter().map(|one| one.process).collect();
        let since = group.iter().map(|one| one.since).min().unwrap_or(0);
        let said = sentence(plan, group[0], group.len() > 1, Some(since), false);
        let place = group[0].step.map(|step| plan.place(step)).unwrap_or_default();
        one(&mut text, &few(plan, &processes), &said, &place, 2, pen, columns);
    }
    text
}

/// `waits to lock forks[1] from 120 ms on; philosopher[1] holds it`.
fn sentence(plan: &Plan, waiting: &Waiting, several: bool, since: Option<u64>, timeout: bool) -> String {
    if waiting.verb == "start" && waiting.step.is_none() {
        let was = if several { "were" } else { "was" };
        return format!("{was} never started");
    }
    if waiting.is_stopped() {
        let are = if several { "are" } else { "is" };
        let since = since.map_or_else(String::new, |since| format!(" from {} on", duration(since)));
        return format!("{are} stopped by a signal{since}");
    }
    let target = plan.target_name(waiting.target);
    // "waits to wait" says nothing more than "waits for".
    let verb = if waiting.verb == "wait" && !timeout { "" } else { waiting.verb.as_str() };
    let space = if target.is_empty() { "" } else { " " };
    // After a timeout a process may well be in a step that only takes long.
    let begin = match (timeout, several) {
        (true, true) => "are in",
        (true, false) => "is in",
        (false, true) if verb.is_empty() => "wait for",
        (false, false) if verb.is_empty() => "waits for",
        (false, true) => "wait to",
        (false, false) => "waits to",
    };
    let mut text = format!("{begin} {verb}{}{target}", if verb.is_empty() { "" } else { space });
    if let Some(since) = since {
        let _ = write!(text, " from {} on", duration(since));
    }
    if let Some(holder) = waiting.holder {
        let name = plan.target_name(Target::Process(holder));
        let holds = if holder == waiting.process { "which it holds itself" } else { "" };
        if holds.is_empty() {
            let _ = write!(text, "; {name} holds it");
        } else {
            let _ = write!(text, ", {holds}");
        }
    } else if !timeout {
        let others: Vec<ProcessId> = waiting.on.iter().copied().filter(|other| *other != waiting.process).collect();
        match (waiting.target, others.is_empty()) {
            (Target::Process(_), _) => {}
            (_, true) if several => text.push_str("; nobody is left to let them go on"),
            (_, true) => text.push_str("; nobody is left to let it go on"),
            (_, false) => {
                let _ = write!(text, "; it is up to {}", few(plan, &others));
            }
        }
    }
    text
}

/// The names of a few processes; of many, how many.
fn few(plan: &Plan, processes: &[ProcessId]) -> String {
    let text = names(plan, processes);
    if text.split(", ").count() > 3 { plural(processes.len() as u64, "stuck process") } else { text }
}

/// `in a ring: a → m2 → b → m1 → a`.
fn round(out: &mut String, plan: &Plan, waiting: &[Waiting], ring: &[usize], pen: Pen, columns: usize) {
    const SHOWN: usize = 6;
    const LEAD: &str = "    in a ring: ";
    let mut text = String::new();
    for (at, place) in ring.iter().enumerate() {
        if at == SHOWN && ring.len() > SHOWN + 1 {
            let _ = write!(text, "… {} more → ", ring.len() - SHOWN);
            break;
        }
        let one = &waiting[*place];
        let _ = write!(text, "{} → ", plan.target_name(Target::Process(one.process)));
        if let Target::Object(id) = one.target {
            let _ = write!(text, "{} → ", plan.target_name(Target::Object(id)));
        }
    }
    text.push_str(plan.target_name(Target::Process(waiting[ring[0]].process)));
    let mut lead = pen.paint(FAINT, LEAD).into_owned();
    for line in wrap(&text, columns.saturating_sub(LEAD.len())) {
        let _ = writeln!(out, "{lead}{line}");
        lead = " ".repeat(LEAD.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::file::fixture;

    const PLAIN: Pen = Pen { color: false };

    fn philosophers() -> Plan {
        let text = "[objects]\na = {}\nb = {}\n\n[processes.p]\ncount = 2\nsteps = [\n  { lock = \"a\" },\n  { lock = \"b\" },\n]\n\
                    [processes.q]\ncount = 5\nsteps = [\n  { join = \"p\" },\n]\n";
        fixture::plan(text, &[("a", &fixture::MUTEX), ("b", &fixture::MUTEX)], &[("p", Some(2), 2), ("q", Some(5), 1)])
    }

    fn waiting(process: ProcessId, step: u32, verb: &str, target: Target, holder: Option<ProcessId>) -> Waiting {
        let since = 120_000_000 + u64::from(process);
        Waiting {
            process,
            step: Some(step),
            verb: verb.to_owned(),
            target,
            since,
            on: holder.into_iter().collect(),
            holder,
        }
    }

    #[test]
    fn a_deadlock_names_who_waits_for_what_and_the_ring() {
        let plan = philosophers();
        let mut trace = fixture::trace(&plan, Vec::new());
        trace.stuck =
            vec![waiting(0, 1, "lock", Target::Object(1), Some(1)), waiting(1, 0, "lock", Target::Object(0), Some(0))];
        for process in 2..7 {
            let mut join = waiting(process, 2, "join", Target::Process(0), None);
            join.on = vec![0];
            trace.stuck.push(join);
        }
        trace.end = RunEnd::Deadlock;
        assert_eq!(
            tell(&plan, &trace, false, PLAIN, 100),
            "  deadlock: 7 processes wait for ever
    p[0] waits to lock b from 120 ms on; p[1] holds it  scenarios/test.toml:9
    p[1] waits to lock a from 120 ms on; p[0] holds it  scenarios/test.toml:8
    q[0..4] wait to join p[0] from 120 ms on  scenarios/test.toml:14
    in a ring: p[0] → b → p[1] → a → p[0]
"
        );
        assert_eq!(
            tell(&plan, &trace, false, PLAIN, 44),
            "  deadlock: 7 processes wait for ever
    p[0] waits to lock b from 120 ms on;
      p[1] holds it  scenarios/test.toml:9
    p[1] waits to lock a from 120 ms on;
      p[0] holds it  scenarios/test.toml:8
    q[0..4] wait to join p[0] from 120 ms on
      --> scenarios/test.toml:14
    in a ring: p[0] → b → p[1] → a → p[0]
"
        );
        trace.end = RunEnd::Completed;
        trace.stuck.truncate(1);
        trace.stuck[0].holder = None;
        trace.stuck[0].on.clear();
        assert_eq!(
            tell(&plan, &trace, true, PLAIN, 100),
            "  deadlock: 1 process waits for ever, while the others went on, as expected
    p[0] waits to lock b from 120 ms on; nobody is left to let it go on  scenarios/test.toml:9
"
        );
        let narrow = tell(&plan, &trace, true, PLAIN, 60);
        assert!(narrow.ends_with("nobody is left to\n      let it go on  scenarios/test.toml:9\n"), "{narrow}");
    }

    #[test]
    fn a_timeout_names_what_was_going_on() {
        let plan = philosophers();
        let mut trace = fixture::trace(&plan, Vec::new());
        assert_eq!(tell(&plan, &trace, false, PLAIN, 100), "");
        trace.duration = 2_000_000_000;
        trace.end = RunEnd::Timeout(vec![waiting(0, 1, "lock", Target::Object(1), Some(0))]);
        assert_eq!(
            tell(&plan, &trace, false, PLAIN, 100),
            "  timeout after 2.00 s\n    p[0] is in lock b from 120 ms on, which it holds itself  scenarios/test.toml:9\n"
        );
    }
}
