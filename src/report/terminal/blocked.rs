//! The blocked processes of a run that cannot continue: what each waits for, and the wait-for cycle.

use std::fmt::Write as _;

use super::style::{BAD, FAINT, Pen, STRONG, duration, names, placed, plural, width, wrap};
use crate::event::ProcessId;
use crate::judge::wait_text::{self, Scene};
use crate::report::view::statistics::unfinished;
use crate::scenario::plan::Plan;
use crate::trace::wait_for::cycle;
use crate::trace::{RunEnd, Trace, Waiting};

/// The most lines of processes that are printed.
const TOLD: usize = 10;

/// The deadlock or the timeout, as lines indented by two; empty where the run had neither. `expected` says whether an
/// expectation wanted it.
pub(crate) fn tell(plan: &Plan, trace: &Trace, expected: bool, pen: Pen, columns: usize) -> String {
    let waiting = unfinished(trace);
    if waiting.is_empty() && !trace.is_cut_off() {
        return String::new();
    }
    let mut out = String::new();
    let style = if expected { STRONG } else { BAD };
    let heading = match trace.end {
        RunEnd::Livelock(_) if trace.duration == 0 => "livelock: the same states repeat for ever".to_owned(),
        RunEnd::Livelock(_) => {
            format!("livelock: the same states repeat for ever since {}", duration(trace.duration))
        }
        RunEnd::Timeout(_) if trace.stuck.is_empty() && trace.duration == 0 => "cut off".to_owned(),
        RunEnd::Timeout(_) if trace.stuck.is_empty() => format!("timeout after {}", duration(trace.duration)),
        _ => {
            let also = if matches!(trace.end, RunEnd::Deadlock) { "" } else { ", while the others continued" };
            let verb = if waiting.len() == 1 { "waits" } else { "wait" };
            format!("deadlock: {} {verb} for ever{also}", plural(waiting.len() as u64, "process"))
        }
    };
    let _ = writeln!(out, "  {}{}", pen.paint(style, heading), if expected { ", as expected" } else { "" });
    let cut_off = trace.is_cut_off();
    let scene = Scene { plan, waiting: [waiting, &trace.daemons], trace: Some(trace), cut_off };
    lines(&mut out, scene, &|processes| names(plan, processes), TOLD, (4, pen, columns));
    if let Some(ring) = cycle(waiting, &trace.daemons).filter(|_| !matches!(trace.end, RunEnd::Livelock(_))) {
        const LEAD: &str = "    wait-for cycle: ";
        let mut lead = pen.paint(FAINT, LEAD).into_owned();
        for line in wrap(&wait_text::cycle(plan, &ring), columns.saturating_sub(LEAD.len())) {
            let _ = writeln!(out, "{lead}{line}");
            lead = " ".repeat(LEAD.len());
        }
    }
    out
}

/// A line for those that wait alike, the daemons last; at most `most`.
fn lines(
    out: &mut String,
    scene: Scene<'_>,
    names: &dyn Fn(&[ProcessId]) -> String,
    most: usize,
    (indent, pen, columns): (usize, Pen, usize),
) {
    let told: Vec<Vec<&Waiting>> = scene.waiting.into_iter().flat_map(together).collect();
    for same in told.iter().take(most) {
        let first = same[0];
        let processes: Vec<ProcessId> = same.iter().map(|waiting| waiting.process).collect();
        let since = same.iter().map(|waiting| waiting.since).min().unwrap_or(first.since);
        let said = scene.sentence(first, same.len() > 1, Some(&duration(since)));
        let place = first.step.map(|step| scene.plan.place(step)).unwrap_or_default();
        one(out, &names(&processes), &said, &place, indent, pen, columns);
    }
    if told.len() > most {
        let _ = writeln!(out, "{:indent$}{}", "", pen.paint(FAINT, format!("and {} more", told.len() - most)));
    }
}

/// What a process waits for, and where: on one line, or on two where one is too long.
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
            // Those that run have no step in common.
            !other.is_in_no_step()
                && (other.step, &other.verb, other.target, other.holder)
                    == (one.step, &one.verb, one.target, one.holder)
        };
        match all.iter_mut().find(|group| same(group[0])) {
            Some(group) => group.push(one),
            None => all.push(vec![one]),
        }
    }
    all
}

/// What is printed at once of processes that wait for ever while others continue.
pub(super) fn found(plan: &Plan, waiting: &[Waiting], daemons: &[Waiting], pen: Pen, columns: usize) -> String {
    let count = plural(waiting.len() as u64, "process");
    let mut text = format!("{}: {count} blocked for ever, while others continue\n", pen.paint(BAD, "deadlock"));
    let scene = Scene { plan, waiting: [waiting, daemons], trace: None, cut_off: false };
    lines(&mut text, scene, &|processes| few(plan, processes), usize::MAX, (2, pen, columns));
    text
}

/// The names of a few processes; of many, how many.
fn few(plan: &Plan, processes: &[ProcessId]) -> String {
    let text = names(plan, processes);
    if text.split(", ").count() > 3 { plural(processes.len() as u64, "stuck process") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Target;
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
    fn a_deadlock_names_who_waits_for_what_and_the_cycle() {
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
    p[0] waits to lock b since 120 ms; p[1] holds it  scenarios/test.toml:9
    p[1] waits to lock a since 120 ms; p[0] holds it  scenarios/test.toml:8
    q[0..4] wait to join p[0] since 120 ms  scenarios/test.toml:14
    wait-for cycle: p[0] → b → p[1] → a → p[0]
"
        );
        assert_eq!(
            tell(&plan, &trace, false, PLAIN, 44),
            "  deadlock: 7 processes wait for ever
    p[0] waits to lock b since 120 ms; p[1]
      holds it  scenarios/test.toml:9
    p[1] waits to lock a since 120 ms; p[0]
      holds it  scenarios/test.toml:8
    q[0..4] wait to join p[0] since 120 ms
      --> scenarios/test.toml:14
    wait-for cycle: p[0] → b → p[1] → a →
                    p[0]
"
        );
        trace.end = RunEnd::Completed;
        trace.stuck.truncate(1);
        trace.stuck[0].holder = None;
        trace.stuck[0].on.clear();
        assert_eq!(
            tell(&plan, &trace, true, PLAIN, 100),
            "  deadlock: 1 process waits for ever, while the others continued, as expected
    p[0] waits to lock b since 120 ms; no process can end its wait  scenarios/test.toml:9
"
        );
        let narrow = tell(&plan, &trace, true, PLAIN, 60);
        assert!(narrow.ends_with("no process can end\n      its wait  scenarios/test.toml:9\n"), "{narrow}");
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
            "  timeout after 2.00 s\n    p[0] is in lock b since 120 ms, which it holds itself  scenarios/test.toml:9\n    wait-for cycle: p[0] → b → p[0]\n"
        );
    }
}
