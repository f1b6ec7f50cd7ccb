//! A trace as text: one line an event, for `ipcrun trace FILE`.
//!
//! ```text
//! #12    502.000 ms  worker[2]  acquire permits  waited 500 ms, from #8  semaphore.toml:12
//! ```
//! The time is when the event ended, since the run began. What a step did on another's behalf is indented under it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::style::{DOUBT, FAINT, Pen, duration, file_name, process_style, shorten, value, visible, width};
use crate::event::{Event, EventId, Target};
use crate::scenario::plan::Plan;
use crate::trace::Trace;
use crate::value::Value;

/// The most columns of each part of a line; what is longer is cut.
const NAME: usize = 24;
const ACTION: usize = 40;
const DETAIL: usize = 60;
/// How many columns of what an event says are worth more than its place.
const SAID: usize = 24;
/// The most columns of a value.
const VALUE: usize = 32;
/// From this duration on, in ns, a step that did not wait says how long it took: a `sleep`, a `busy`.
const LONG: u64 = 1_000_000;

/// Writes one line an event, none longer than `columns` as far as there are at least 60: what does not fit is cut.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut dyn Write, plan: &Plan, trace: &Trace, color: bool, columns: Option<usize>) -> io::Result<()> {
    let numbers = trace.events.iter().map(|event| event.id).zip(1..).collect();
    let lines = Lines { plan, numbers, pen: Pen { color } };
    // Twice over the events instead of once over lines kept: a trace can be long.
    let mut widths = Columns::default();
    for (at, event) in trace.events.iter().enumerate() {
        widths.take(&lines.parts(at, event));
    }
    if let Some(columns) = columns {
        widths = widths.fit(columns);
    }
    for (at, event) in trace.events.iter().enumerate() {
        writeln!(out, "{}", lines.line(&widths, event, &lines.parts(at, event)))?;
    }
    Ok(())
}

/// One event in a few words, for a report that shows few of them: `#12  1.234 ms  worker[3] acquire permits  timeout`.
pub(crate) fn event_words(plan: &Plan, trace: &Trace, at: usize) -> Option<String> {
    let event = trace.events.get(at)?;
    // Only this event's cause is asked for.
    let cause = event.cause.and_then(|cause| trace.events.iter().position(|other| other.id == cause));
    let numbers = cause.map(|at| (trace.events[at].id, at as u64 + 1)).into_iter().collect();
    let parts = Lines { plan, numbers, pen: Pen { color: false } }.parts(at, event);
    let mut line = format!("{}  {}  {} {}", parts.number, parts.time, parts.process, parts.action.trim_start());
    if !parts.detail.is_empty() {
        let _ = write!(line, "  {}", parts.detail);
    }
    Some(line)
}

struct Lines<'a> {
    plan: &'a Plan,
    numbers: HashMap<EventId, u64>,
    pen: Pen,
}

struct Parts {
    number: String,
    time: String,
    process: String,
    action: String,
    detail: String,
    place: String,
    /// The columns of the outcome within `detail`, which is never cut.
    outcome: usize,
}

/// How wide the widest of each part is.
#[derive(Clone, Copy, Default)]
struct Columns {
    number: usize,
    time: usize,
    process: usize,
    action: usize,
    detail: usize,
    place: usize,
    outcome: usize,
}

impl Columns {
    fn take(&mut self, parts: &Parts) {
        self.number = self.number.max(parts.number.len());
        self.time = self.time.max(parts.time.len());
        self.process = self.process.max(width(&parts.process));
        self.action = self.action.max(width(&parts.action));
        self.detail = self.detail.max(width(&parts.detail));
        self.place = self.place.max(width(&parts.place));
        self.outcome = self.outcome.max(parts.outcome);
    }

    /// Narrower ones that together fit: names and actions keep what tells them apart, and where little would be left of
    /// what an event says, the place goes.
    fn fit(self, columns: usize) -> Self {
        let with = self.narrower(columns);
        if with.detail < self.detail.min(SAID) { Self { place: 0, ..self }.narrower(columns) } else { with }
    }

    fn narrower(mut self, columns: usize) -> Self {
        let spaces = if self.place == 0 { 8 } else { 10 };
        let whole = self.number + self.time + self.process + self.action + self.detail + self.place + spaces;
        let mut over = whole.saturating_sub(columns);
        let mut cut = |part: &mut usize, least: usize| {
            let cut = over.min(part.saturating_sub(least));
            *part -= cut;
            over -= cut;
        };
        cut(&mut self.detail, SAID);
        cut(&mut self.action, 18);
        cut(&mut self.process, 10);
        cut(&mut self.detail, self.outcome.max(8));
        cut(&mut self.action, 14);
        cut(&mut self.process, 6);
        self
    }
}

impl Lines<'_> {
    fn parts(&self, at: usize, event: &Event) -> Parts {
        let name = self.plan.target_name(Target::Process(event.id.process()));
        let indent = if event.implicit { "  " } else { "" };
        Parts {
            number: format!("#{}", at + 1),
            time: format!("{:.3} ms", event.end as f64 / 1e6),
            process: shorten(name, NAME).into_owned(),
            action: shorten(&format!("{indent}{}", action(self.plan, event)), ACTION).into_owned(),
            detail: shorten(&self.detail(event), DETAIL).into_owned(),
            // With the mark of what is cut behind it.
            outcome: if event.outcome.is_ok() { 0 } else { event.outcome.to_string().len() + 1 },
            place: event.step.map_or_else(String::new, |step| {
                format!("{}:{}", file_name(&self.plan.source.path.shown()), self.plan.steps[step as usize].line)
            }),
        }
    }

    fn detail(&self, event: &Event) -> String {
        let mut words = Vec::new();
        if !event.outcome.is_ok() {
            words.push(event.outcome.to_string());
        }
        if event.value != Value::Null {
            words.push(value(&event.value, VALUE));
        }
        if event.second != Value::Null && label(event).is_none() {
            words.push(format!("and {}", value(&event.second, VALUE)));
        }
        if event.blocked {
            words.push(format!("waited {}", duration(event.duration())));
        } else if event.duration() >= LONG {
            words.push(format!("took {}", duration(event.duration())));
        }
        if let Some(number) = event.cause.and_then(|cause| self.numbers.get(&cause)) {
            words.push(format!("from #{number}"));
        }
        words.join(", ")
    }

    fn line(&self, columns: &Columns, event: &Event, parts: &Parts) -> String {
        let (mut name, mut rest) = (process_style(event.id.process()), anstyle::Style::new());
        let mut detail = if event.outcome.is_ok() { rest } else { DOUBT };
        if event.implicit {
            (name, rest, detail) = (FAINT, FAINT, FAINT);
        }
        let pen = self.pen;
        let line = format!(
            "{}{}  {}{}  {}  {}  {}  {}",
            " ".repeat(columns.number - parts.number.len()),
            pen.paint(FAINT, parts.number.as_str()),
            " ".repeat(columns.time - parts.time.len()),
            pen.paint(rest, parts.time.as_str()),
            pen.pad(name, &shorten(&parts.process, columns.process), columns.process),
            pen.pad(rest, &shorten(&parts.action, columns.action), columns.action),
            pen.pad(detail, &shorten(&parts.detail, columns.detail), columns.detail),
            pen.paint(FAINT, if columns.place == 0 { "" } else { parts.place.as_str() }),
        );
        line.trim_end().to_owned()
    }
}

/// What the event did: `acquire permits`, `load numbers[1]`, `mark here`.
pub(crate) fn action(plan: &Plan, event: &Event) -> String {
    let mut text = event.verb.to_owned();
    let target = plan.target_name(event.target);
    if !target.is_empty() {
        let _ = write!(text, " {target}");
    }
    if let Some(element) = event.element.get() {
        let _ = write!(text, "[{element}]");
    }
    if let Some(label) = label(event) {
        let _ = write!(text, " {}", visible(label));
    }
    text
}

/// The label of a `mark`, `enter` or `leave`, which is what such an event is about.
fn label(event: &Event) -> Option<&str> {
    event.second.as_str().filter(|_| matches!(event.verb, "mark" | "enter" | "leave"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;
    use crate::trace::file::fixture;

    fn text(plan: &Plan, trace: &Trace, color: bool) -> String {
        let mut out = Vec::new();
        write(&mut out, plan, trace, color, None).expect("a vector takes it all");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn every_event_is_a_line_in_columns() {
        let plan = fixture::workers();
        assert_eq!(
            text(&plan, &fixture::work(&plan), false),
            "\
#1  0.001 ms  worker[0]  acquire permits                          test.toml:7
#2  0.001 ms  worker[0]  print            \"at work\"               test.toml:8
#3  0.002 ms  worker[1]  acquire permits                          test.toml:7
#4  0.002 ms  worker[1]  print            \"at work\"               test.toml:8
#5  0.451 ms  worker[0]  release permits                          test.toml:9
#6  0.452 ms  worker[1]  release permits                          test.toml:9
#7  0.502 ms  worker[2]  acquire permits  waited 500 µs, from #5  test.toml:7
#8  0.502 ms  worker[2]  print            \"at work\"               test.toml:8
#9  0.952 ms  worker[2]  release permits                          test.toml:9
"
        );
    }

    #[test]
    fn a_narrow_screen_has_no_longer_lines() {
        let plan = fixture::plan(
            "steps = [ { mark = \"a label of many words that say little\" } ]",
            &[],
            &[("a-process-of-a-long-name", Some(1), 1)],
        );
        let mut mark = fixture::event(&plan, (0, 0), Some(0), (4_000_000, 9_000_000_000), Target::None);
        (mark.second, mark.value) = (Value::from("a label of many words that say little"), Value::from("x".repeat(80)));
        let trace = fixture::trace(&plan, vec![mark]);
        for columns in [60, 72, 100, 200] {
            let mut out = Vec::new();
            write(&mut out, &plan, &trace, false, Some(columns)).expect("a vector takes it all");
            let text = String::from_utf8(out).expect("text");
            assert!(text.lines().all(|line| width(line) <= columns), "{text}");
            assert_eq!(text.contains("test.toml:1"), columns >= 100, "{text}");
        }
    }

    #[test]
    fn values_outcomes_and_implicit_events_are_told_apart() {
        let plan = fixture::plan(
            "steps = [ { load = \"numbers\" }, { mark = \"half\" } ]",
            &[("numbers", &fixture::ARRAY)],
            &[("计算", None, 2)],
        );
        let at = |number| (0, number);
        let mut load = fixture::event(&plan, at(0), Some(0), (0, 3_000_000), Target::Object(0));
        load.element = Some(1).into();
        load.outcome = Outcome::OUT_OF_RANGE;
        load.value = Value::from("x".repeat(500));
        let mut unlock = fixture::event(&plan, at(1), Some(0), (3_000_000, 3_000_001), Target::Object(0));
        (unlock.verb, unlock.implicit) = ("unlock", true);
        let mut mark = fixture::event(&plan, at(2), Some(1), (4_000_000, 4_000_001), Target::None);
        (mark.second, mark.value) = (Value::from("half\n"), Value::Float(0.5));
        let mut end = fixture::event(&plan, at(3), None, (12_000_000_000, 12_000_000_000), Target::None);
        end.value = Value::Int(1);
        let trace = fixture::trace(&plan, vec![load, unlock, mark, end]);
        assert_eq!(
            text(&plan, &trace, false),
            "\
#1      3.000 ms  计算  load numbers[1]   out_of_range, \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…, took 3.00 ms  test.toml:1
#2      3.000 ms  计算    unlock numbers                                                                test.toml:1
#3      4.000 ms  计算  mark half         0.5                                                           test.toml:1
#4  12000.000 ms  计算  end               1
"
        );
        let colored = text(&plan, &trace, true);
        assert_eq!(anstream::adapter::strip_str(&colored).to_string(), text(&plan, &trace, false));
        assert!(colored.contains("\u{1b}[2m  unlock numbers\u{1b}[0m"));
    }
}
