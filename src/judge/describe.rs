//! Events, durations and processes in words.

use std::fmt::Write;

use crate::event::{Event, Target};
use crate::scenario::plan::Plan;
use crate::trace::{Beyond, ProcessEnd, RunEnd, Waiting};
use crate::value::Value;

/// How many of a list are named one by one.
const NAMED: usize = 4;
/// How many characters of a value are shown.
const LONGEST: usize = 80;

/// `#12`, as reports number events.
pub(crate) fn number(place: usize) -> String {
    format!("#{}", place + 1)
}

/// `#1, #2, #3 and 5 more`.
pub(crate) fn numbers(places: &[usize]) -> String {
    listed(places.iter().map(|place| number(*place)), places.len())
}

/// The first few of a list, and how many more there are.
pub(crate) fn listed(items: impl Iterator<Item = String>, length: usize) -> String {
    let shown = if length <= NAMED + 1 { length } else { NAMED };
    let mut text = items.take(shown).collect::<Vec<_>>().join(", ");
    if length > shown {
        let _ = write!(text, " and {} more", length - shown);
    }
    text
}

/// `1 event`, `3 events`.
pub(crate) fn counted(number: i64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// `#12 worker[3] get q ended timeout`.
pub(crate) fn event(plan: &Plan, place: usize, event: &Event) -> String {
    let mut text = format!("{} {}", number(place), action(plan, event));
    if !event.outcome.is_ok() {
        let _ = write!(text, " ended {}", event.outcome);
    }
    text
}

/// `worker[3] get q`.
pub(crate) fn action(plan: &Plan, event: &Event) -> String {
    let name = plan.processes.get(event.id.process() as usize).map_or("?", |process| process.name.as_str());
    let mut text = format!("{name} {}", event.verb);
    let target = target(plan, event.target);
    if !target.is_empty() {
        let _ = write!(text, " {target}");
    }
    if let Some(element) = event.element.get() {
        let _ = write!(text, "[{element}]");
    }
    if event.target == Target::None
        && let Some(label) = event.second.as_str()
    {
        let _ = write!(text, " {label}");
    }
    text
}

/// The name of a target; empty where there is none.
pub(crate) fn target(plan: &Plan, target: Target) -> &str {
    match target {
        Target::None => "",
        Target::Object(id) => plan.objects.get(id as usize).map_or("?", |object| object.name.as_str()),
        Target::Process(id) => plan.processes.get(id as usize).map_or("?", |process| process.name.as_str()),
    }
}

/// A value, cut where it is long.
pub(crate) fn value(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

/// `41.87 ms`.
pub(crate) fn duration(ns: u64) -> String {
    let (unit, name) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => (1e3, "µs"),
        1_000_000..1_000_000_000 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    let number = format!("{:.2}", ns as f64 / unit);
    format!("{} {name}", number.trim_end_matches('0').trim_end_matches('.'))
}

/// `SIGTERM`, or `signal 40`.
pub(crate) fn signal(number: i32) -> String {
    match nix::sys::signal::Signal::try_from(number) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) => format!("signal {number}"),
    }
}

/// How a process ended, as in "worker[3] ..".
pub(crate) fn process_end(end: ProcessEnd) -> String {
    match end {
        ProcessEnd::NotStarted => "was never started".to_owned(),
        ProcessEnd::Exited(code) => format!("exited with status {code}"),
        ProcessEnd::Killed(number) => format!("was killed by {}", signal(number)),
        ProcessEnd::Crashed(number) => format!("crashed with {}", signal(number)),
        ProcessEnd::Stopped => "never ended".to_owned(),
    }
}

/// `the 10000000 events of the trace do not fit in 500 MiB of memory`.
pub fn beyond(beyond: &Beyond) -> String {
    format!("the {} events of the trace do not fit in {} of memory", beyond.events, size(beyond.most))
}

/// Bytes in the largest unit that leaves at least one of it: `512 MiB`, `1.5 GiB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let (mut scaled, mut unit) = (bytes as f64, "bytes");
    for larger in UNITS {
        if scaled < 1024.0 {
            break;
        }
        (scaled, unit) = (scaled / 1024.0, larger);
    }
    let digits = usize::from(scaled.fract() >= 0.05 && scaled < 100.0);
    format!("{scaled:.digits$} {unit}")
}

/// How a run ended, as in "the run ..".
pub(crate) fn run_end(end: &RunEnd) -> &'static str {
    match end {
        RunEnd::Completed => "it ended by itself",
        RunEnd::Deadlock => "it ended in a deadlock",
        RunEnd::Timeout(_) => "it was cut off by the timeout",
        RunEnd::Livelock(_) => "livelock: the same states repeat for ever",
        RunEnd::Interrupted => "it was interrupted",
        RunEnd::Limit(_) => "it was cut off by the trace's limit",
    }
}

/// `philosopher[0] at acquire forks[1]`.
pub(crate) fn waiting(plan: &Plan, waiting: &Waiting) -> String {
    let name = target(plan, Target::Process(waiting.process));
    if waiting.is_stopped() {
        return format!("{name} (stopped by a signal)");
    }
    let at = target(plan, waiting.target);
    if at.is_empty() { format!("{name} at {}", waiting.verb) } else { format!("{name} at {} {at}", waiting.verb) }
}
