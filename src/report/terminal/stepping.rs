//! A place in an execution that is chosen step by step, on the terminal.

use std::fmt::Write as _;

use super::style::{BAD, FAINT, GOOD, Pen, STRONG, shorten, width};
use crate::explore::analysis::prospects::Prospect;
use crate::report::view::position::Position;

/// The most columns of the names of processes.
const NAMES: usize = 20;

/// Draws it.
pub(crate) fn position(position: &Position, pen: Pen, columns: usize) -> String {
    let mut text = String::new();
    if let Some(last) = &position.last {
        let who = last.process.as_ref().map_or(String::new(), |name| format!("{name} "));
        let changes = if last.changes.is_empty() { String::new() } else { format!("   {}", last.changes) };
        let _ =
            writeln!(text, "{} {who}{}{}", pen.paint(FAINT, format!("step {}:", position.steps)), last.does, changes);
    }
    let names = position.choices.iter().filter_map(|choice| choice.process.as_deref());
    let names = names.chain(position.waiting.iter().map(|(name, _)| name.as_str()));
    let wide = names.map(width).max().unwrap_or(0).min(NAMES);
    let room = columns.saturating_sub(wide + 8).max(20);
    for (place, choice) in position.choices.iter().enumerate() {
        let name = choice.process.as_deref().unwrap_or_default();
        let number = pen.paint(STRONG, format!("{:>4}", place + 1));
        let mark = match choice.prospect {
            Some(Prospect::Good) => pen.paint(GOOD, "✓"),
            Some(Prospect::Mixed) => "~".into(),
            Some(Prospect::Bad) => pen.paint(BAD, "✗"),
            None => " ".into(),
        };
        let _ = writeln!(text, "{number} {mark} {}  {}", padded(name, wide), shorten(&choice.does, room));
    }
    for (name, why) in &position.waiting {
        let line = format!("       {}  {}", padded(name, wide), shorten(why, room));
        let _ = writeln!(text, "{}", pen.paint(FAINT, line));
    }
    let objects: Vec<String> = position.objects.iter().map(|(name, held)| format!("{name} = {held}")).collect();
    let variables = position.variables.iter().map(|(process, name, held)| format!("{process} {name} = {held}"));
    for list in [objects, variables.collect()] {
        for line in rows(&list, columns.saturating_sub(2)) {
            let _ = writeln!(text, "  {line}");
        }
    }
    if position.choices.iter().all(|choice| choice.outside) {
        let _ = writeln!(text, "{}", pen.paint(BAD, "nothing more can happen"));
    }
    text
}

fn padded(text: &str, columns: usize) -> String {
    let text = shorten(text, columns);
    let left = columns.saturating_sub(width(&text));
    format!("{text}{}", " ".repeat(left))
}

/// Joins items to lines that are at most `columns` wide.
fn rows(items: &[String], columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut().filter(|line| width(line) + 3 + width(item) <= columns) {
            Some(line) => {
                line.push_str("   ");
                line.push_str(item);
            }
            None => lines.push(shorten(item, columns).into_owned()),
        }
    }
    lines
}
