//! A golden trace, kept beside its scenario, and its differences: one line for each event, without what no reader would
//! miss, so that a difference reads as one.

use std::fmt::Write as _;

use crate::report::terminal::event_list::action;
use crate::report::terminal::style::{BAD, FAINT, GOOD, Pen, duration, shorten, value, visible};
use crate::report::view::statistics::ending;
use crate::scenario::plan::Plan;
use crate::trace::file::end_word;
use crate::trace::{ProcessEnd, Trace};
use crate::value::Value;

/// The first line of every kept trace.
const HEAD: &str = "# ipcrun golden 1: who does what under the schedule";
/// The most columns of a value.
const VALUE: usize = 120;
/// Unchanged lines shown around a change.
const CONTEXT: usize = 2;
/// The most lines compared one by one; of longer traces the common begin and end are left out first.
const COMPARED: usize = 4_000;

/// The trace as it is kept. `schedule` is what it was made by, in words.
pub fn text(plan: &Plan, trace: &Trace, schedule: &str) -> String {
    let mut text = format!("{HEAD} {schedule}\n");
    for event in &trace.events {
        let indent = if event.implicit { "  " } else { "" };
        let _ = write!(
            text,
            "{}  {indent}{}",
            plan.target_name(crate::event::Target::Process(event.id.process())),
            action_of(plan, event)
        );
        if event.value != Value::Null {
            let _ = write!(text, "  {}", value(&event.value, VALUE));
        }
        if !event.outcome.is_ok() {
            let _ = write!(text, "  {}", event.outcome);
        }
        if event.blocked {
            text.push_str("  waited");
        }
        if event.end > 0 {
            let _ = write!(text, "  at {}", duration(event.end));
        }
        text.push('\n');
    }
    for (process, end) in plan.processes.iter().zip(&trace.ends) {
        if !matches!(end, ProcessEnd::Exited(0)) {
            let _ = writeln!(text, "{}: {}", process.name, ending(*end));
        }
    }
    for (object, last) in plan.objects.iter().zip(&trace.finals) {
        if let Some(last) = last {
            let _ = writeln!(text, "{} = {}", object.name, value(last, VALUE));
        }
    }
    let _ = writeln!(text, "end: {}", end_word(&trace.end));
    text
}

/// What the event did, without the target of an `end`, which is the process itself.
fn action_of(plan: &Plan, event: &crate::event::Event) -> String {
    if event.step.is_none() { event.verb.to_owned() } else { visible(&action(plan, event)).into_owned() }
}

/// A line of a difference.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Line<'a> {
    Same(&'a str),
    Old(&'a str),
    New(&'a str),
}

/// What has changed, as lines with `-` and `+`; empty where nothing has.
pub fn difference(old: &str, new: &str, color: bool, columns: usize) -> String {
    let pen = Pen { color };
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let lines = align(&old, &new);
    let changed: Vec<usize> = (0..lines.len()).filter(|at| !matches!(lines[*at], Line::Same(_))).collect();
    let near = |at: usize| changed.iter().any(|change| at.abs_diff(*change) <= CONTEXT);
    let mut out = String::new();
    let mut left_out = false;
    for (at, line) in lines.iter().enumerate() {
        if !near(at) {
            left_out = true;
            continue;
        }
        if std::mem::take(&mut left_out) {
            let _ = writeln!(out, "    {}", pen.paint(FAINT, "…"));
        }
        let room = columns.saturating_sub(6);
        let _ = match line {
            Line::Same(text) => writeln!(out, "      {}", pen.paint(FAINT, shorten(text, room))),
            Line::Old(text) => writeln!(out, "    {}", pen.paint(BAD, format!("- {}", shorten(text, room)))),
            Line::New(text) => writeln!(out, "    {}", pen.paint(GOOD, format!("+ {}", shorten(text, room)))),
        };
    }
    out
}

/// Both texts as one list, with as many common lines as can be.
fn align<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let begin = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let (old_rest, new_rest) = (&old[begin..], &new[begin..]);
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(one, other)| one == other).count();
    let (old_middle, new_middle) = (&old_rest[..old_rest.len() - end], &new_rest[..new_rest.len() - end]);
    let mut lines: Vec<Line<'a>> = old[..begin].iter().map(|line| Line::Same(line)).collect();
    if old_middle.len().max(new_middle.len()) > COMPARED {
        lines.extend(old_middle.iter().map(|line| Line::Old(line)));
        lines.extend(new_middle.iter().map(|line| Line::New(line)));
    } else {
        longest(old_middle, new_middle, &mut lines);
    }
    lines.extend(old_rest[old_rest.len() - end..].iter().map(|line| Line::Same(line)));
    lines
}

/// The longest common subsequence, by the table of its lengths.
fn longest<'a>(old: &[&'a str], new: &[&'a str], lines: &mut Vec<Line<'a>>) {
    let width = new.len() + 1;
    let mut lengths = vec![0u16; (old.len() + 1) * width];
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            lengths[i * width + j] = if one == other {
                lengths[(i + 1) * width + j + 1] + 1
            } else {
                lengths[(i + 1) * width + j].max(lengths[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        let down = lengths.get((i + 1) * width + j).copied().unwrap_or(0);
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(Line::Same(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || down >= lengths[i * width + j + 1]) {
            lines.push(Line::Old(old[i]));
            i += 1;
        } else {
            lines.push(Line::New(new[j]));
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_what_came_and_went_with_a_little_around_it() {
        let old = "a\nb\nc\nd\ne\nf\ng\n";
        assert_eq!(difference(old, old, false, 80), "");
        let new = "a\nb\nc\nd\nx\nf\ng\nh\n";
        assert_eq!(
            difference(old, new, false, 80),
            "    …\n      c\n      d\n    - e\n    + x\n      f\n      g\n    + h\n"
        );
        assert_eq!(difference("", "a\n", false, 80), "    + a\n");
        assert_eq!(difference("a\nb\n", "b\n", false, 80), "    - a\n      b\n");
    }
}
