//! Columns, durations, names and colours, the same in every report.

use std::borrow::Cow;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::event::ProcessId;
use crate::scenario::plan::Plan;
use crate::value::Value;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is neither: unknown, or an outcome other than `ok`.
pub(crate) const DOUBT: Style = AnsiColor::Yellow.on_default();
/// A heading or a name that matters.
pub(crate) const STRONG: Style = Style::new().bold();
/// What is there for completeness.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// A place in a file, drawn as diagnostics draw it.
pub(crate) const PLACE: Style = AnsiColor::BrightBlue.on_default();

/// The colours that tell processes apart. Red is left for what is wrong.
const PROCESSES: [AnsiColor; 10] = [
    AnsiColor::Cyan,
    AnsiColor::Green,
    AnsiColor::Yellow,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::BrightCyan,
    AnsiColor::BrightGreen,
    AnsiColor::BrightYellow,
    AnsiColor::BrightMagenta,
    AnsiColor::BrightBlue,
];

/// A process's colour, the same in every report.
pub(crate) fn process_style(process: ProcessId) -> Style {
    PROCESSES[process as usize % PROCESSES.len()].on_default()
}

/// Puts styles around text, or leaves them out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pen {
    pub color: bool,
}

impl Pen {
    /// The text in that style. Nothing is put around empty text.
    pub(crate) fn paint<'a>(self, style: Style, text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
        let text = text.into();
        if self.color && !text.is_empty() { format!("{style}{text}{style:#}").into() } else { text }
    }

    /// The text in that style, then spaces up to `columns`.
    pub(crate) fn pad(self, style: Style, text: &str, columns: usize) -> String {
        let spaces = columns.saturating_sub(width(text));
        format!("{}{:spaces$}", self.paint(style, text), "")
    }
}

/// How many columns of a terminal a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text, cut to at most `columns`, the last of them `…` where it was cut.
pub(crate) fn shorten(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return text.into();
    }
    let mut kept = String::new();
    let mut taken = 0;
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken >= columns.max(1) {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept.into()
}

/// The text in lines of at most `columns`, broken between words; a word that is longer has a line of its own.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut rest = String::new();
        for word in line.split(' ') {
            if !rest.is_empty() && width(&rest) + 1 + width(word) > columns {
                lines.push(std::mem::take(&mut rest));
            }
            if !rest.is_empty() {
                rest.push(' ');
            }
            rest.push_str(word);
        }
        lines.push(rest);
    }
    lines
}

/// What stands behind a line of `used` columns to say where in a file that is: at its end, or under it where they do
/// not fit together.
pub(crate) fn placed(place: &str, used: usize, columns: usize, pen: Pen) -> String {
    let place = &*visible(place);
    if place.is_empty() {
        "\n".to_owned()
    } else if used + 2 + width(place) <= columns {
        format!("  {}\n", pen.paint(PLACE, place))
    } else {
        format!("\n      {}\n", pen.paint(PLACE, format!("--> {place}")))
    }
}

/// A value as written in CEL, cut to at most `columns`.
pub(crate) fn value(value: &Value, columns: usize) -> String {
    // Escaping a huge text only to cut it would be felt in a trace of many.
    let text = match value {
        Value::String(text) if text.len() > 4 * columns => {
            Value::from(text.chars().take(columns + 1).collect::<String>()).to_string()
        }
        Value::Bytes(bytes) if bytes.len() > columns => Value::from(bytes[..columns].to_vec()).to_string(),
        other => other.to_string(),
    };
    visible(&shorten(&text, columns)).into_owned()
}

pub(crate) use crate::text::line as visible;

/// The text with ASCII characters only, each as wide as what it stands for.
pub(crate) fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            _ if c.is_ascii() => out.push(c),
            '✓' => out.push('+'),
            '✗' | '×' => out.push('x'),
            'µ' => out.push('u'),
            '…' => out.push('~'),
            '→' => out.push('>'),
            '│' => out.push('|'),
            '█' => out.push('#'),
            _ => out.push_str(&"?".repeat(c.width().unwrap_or(0))),
        }
    }
    out
}

/// A duration in the unit that fits, with three digits: `340 ns`, `12.3 µs`, `4.10 ms`, `0.41 s` from 400 ms on.
pub(crate) fn duration(ns: u64) -> String {
    let (value, unit) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => (ns as f64 / 1e3, "µs"),
        1_000_000..400_000_000 => (ns as f64 / 1e6, "ms"),
        _ => (ns as f64 / 1e9, "s"),
    };
    let decimals = match value {
        _ if value >= 99.95 => 0,
        _ if value >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$} {unit}")
}

/// `1 event`, `47 events`, `2 processes`.
pub(crate) fn plural(n: u64, noun: &str) -> String {
    match n {
        1 => format!("1 {noun}"),
        _ if noun.ends_with(['s', 'x', 'h']) => format!("{n} {noun}es"),
        _ => format!("{n} {noun}s"),
    }
}

/// Processes by name, those next to each other of one program as `worker[0..9]`.
pub(crate) fn names(plan: &Plan, processes: &[ProcessId]) -> String {
    let mut text = String::new();
    let mut rest = processes;
    while let Some((first, _)) = rest.split_first() {
        let here = &plan.processes[*first as usize];
        let run = (0..).zip(rest).take_while(|(offset, process)| {
            **process == first + offset && plan.processes[**process as usize].program == here.program
        });
        let count = run.count();
        if !text.is_empty() {
            text.push_str(", ");
        }
        if count == 1 {
            text.push_str(&here.name);
        } else {
            let last = here.index as usize + count - 1;
            let _ = write!(text, "{}[{}..{last}]", plan.programs[here.program].name, here.index);
        }
        rest = &rest[count..];
    }
    text
}

/// The last part of a path.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::file::fixture;

    #[test]
    fn durations_have_three_digits() {
        let cases = [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (12_345, "12.3 µs"),
            (999_499, "999 µs"),
            (4_100_000, "4.10 ms"),
            (200_123_456, "200 ms"),
            (410_000_000, "0.41 s"),
            (9_999_999_999, "10.0 s"),
            (61_000_000_000, "61.0 s"),
            (3_600_000_000_000, "3600 s"),
        ];
        for (ns, text) in cases {
            assert_eq!(duration(ns), text);
        }
    }

    #[test]
    fn wide_text_is_measured_and_cut_by_columns() {
        assert_eq!(width("执行任务"), 8);
        assert_eq!(shorten("执行任务", 8), "执行任务");
        assert_eq!(shorten("执行任务", 7), "执行任…");
        assert_eq!(shorten("执行任务", 6), "执行…");
        assert_eq!(shorten("abc", 0), "…");
        assert_eq!(value(&Value::from("x".repeat(100_000)), 8), "\"xxxxxx…");
        assert_eq!(value(&Value::from(vec![Value::Int(1), Value::from("a\u{1b}")]), 40), "[1, \"a\\u{1b}\"]");
    }

    #[test]
    fn text_is_broken_between_words() {
        assert_eq!(wrap("a bb ccc\ndddddddd e", 4), ["a bb", "ccc", "dddddddd", "e"]);
        assert_eq!(wrap("", 4), [""; 0]);
    }

    #[test]
    fn neighbours_of_one_program_are_one_name() {
        let plan = fixture::plan("", &[], &[("main", None, 0), ("worker", Some(4), 0), ("other", Some(1), 0)]);
        assert_eq!(names(&plan, &[0, 1, 2, 3, 4, 5]), "main, worker[0..3], other[0]");
        assert_eq!(names(&plan, &[1, 3, 4]), "worker[0], worker[2..3]");
    }
}
