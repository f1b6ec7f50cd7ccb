//! The table, as Markdown that reads as well in a terminal.

use std::fmt;

use crate::contest::{Contest, Sample};
use crate::rows::{Goal, Row};

#[derive(Default)]
pub(crate) struct Table {
    lines: Vec<Vec<String>>,
}

const HEAD: [&str; 12] = [
    "measured", "of a", "trace", "least", "median", "spread", "against", "least", "median", "spread", "result", "goal",
];

impl Table {
    pub(crate) fn add(&mut self, row: &Row, contest: &Contest) {
        let mut cells = vec![row.name.to_owned(), row.unit.to_owned(), contest.side.name().to_owned()];
        cells.extend(figures(Some(&contest.ours)));
        cells.push(row.against.map_or("", |side| side.name()).to_owned());
        cells.extend(figures(contest.theirs.as_ref()));
        cells.push(result(contest));
        cells.push(goal(contest));
        self.lines.push(cells);
    }

    pub(crate) fn skip(&mut self, row: &Row, reason: &str) {
        let mut cells = vec![row.name.to_owned(), row.unit.to_owned()];
        cells.resize(HEAD.len() - 2, String::new());
        cells.push(reason.to_owned());
        cells.push(String::new());
        self.lines.push(cells);
    }
}

fn figures(sample: Option<&Sample>) -> [String; 3] {
    sample.map_or_else(Default::default, |sample| {
        [time(sample.least()), time(sample.median()), format!("{:.0} %", sample.spread() * 100.0)]
    })
}

/// Three digits and a unit.
pub(crate) fn time(ns: f64) -> String {
    match ns {
        ns if ns < 10.0 => format!("{ns:.1} ns"),
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e4 => format!("{:.2} µs", ns / 1e3),
        ns if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
        ns if ns < 1e7 => format!("{:.2} ms", ns / 1e6),
        ns if ns < 1e9 => format!("{:.0} ms", ns / 1e6),
        ns => format!("{:.2} s", ns / 1e9),
    }
}

fn result(contest: &Contest) -> String {
    match (contest.goal, contest.ratio, contest.difference) {
        (Some(Goal::Times(_)), Some(ratio), _) => format!("{ratio:.2} x"),
        (Some(Goal::Over(_)), _, Some(difference)) => format!("{difference:+.1} ns"),
        (Some(Goal::Faster(_)) | None, Some(ratio), _) if ratio > 1.0 => format!("{ratio:.2} x slower"),
        (Some(Goal::Faster(_)) | None, Some(ratio), _) => format!("{:.1} x faster", 1.0 / ratio),
        _ => time(contest.ours.median()),
    }
}

fn goal(contest: &Contest) -> String {
    let Some(goal) = contest.goal else { return String::new() };
    let words = match goal {
        Goal::Times(most) => format!("{most:.2} x"),
        Goal::Over(most) => format!("+{most:.0} ns"),
        Goal::Faster(least) => format!("{least:.0} x faster"),
        Goal::Below(most) => time(most),
    };
    match contest.reached() {
        Some(true) => format!("{words}, reached"),
        Some(false) => format!("{words}, missed"),
        None => words,
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lines.is_empty() {
            return Ok(());
        }
        write(f, &HEAD, &self.lines, |column| (3..=5).contains(&column) || (7..=10).contains(&column))
    }
}

/// Lines of cells under a head, all of a width; numbers stand to the right.
pub(crate) fn write(
    f: &mut fmt::Formatter<'_>,
    head: &[&str],
    lines: &[Vec<String>],
    is_number: impl Fn(usize) -> bool,
) -> fmt::Result {
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let write = |f: &mut fmt::Formatter<'_>, cells: &[String]| {
        for (column, cell) in cells.iter().enumerate() {
            let width = widths[column];
            if is_number(column) {
                write!(f, "| {cell:>width$} ")?;
            } else {
                write!(f, "| {cell:<width$} ")?;
            }
        }
        writeln!(f, "|")
    };
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    write(f, &head)?;
    for (column, width) in widths.iter().enumerate() {
        let dashes = "-".repeat(width + 1);
        if is_number(column) { write!(f, "|{dashes}:")? } else { write!(f, "|{dashes}-")? }
    }
    writeln!(f, "|")?;
    lines.iter().try_for_each(|line| write(f, line))
}
