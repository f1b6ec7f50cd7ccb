//! The characters that a timeline is drawn with, in Unicode and in ASCII, and its lines.

use anstyle::{AnsiColor, Style};

use crate::report::terminal::style::{Pen, ascii, width};

pub(super) struct Glyphs {
    /// What a process was doing in a cell, by [`Cell`](super::lanes::Cell).
    pub cells: [char; 8],
    /// From the least number to the greatest.
    pub levels: [char; 8],
    /// The sides of the picture.
    pub side: char,
    /// A band of an owner or a text continues.
    pub band: char,
    /// Where a band begins.
    pub edge: char,
    /// A time on the axis.
    pub tick: char,
    /// Time that is folded.
    pub fold: char,
    /// An event that decides.
    pub mark: char,
    /// From one value to another.
    pub to: &'static str,
    pub times: char,
    /// Something was left out.
    pub more: &'static str,
    /// A process of a dialogue continues, had a step, had its last step.
    pub line: char,
    pub step: char,
    pub last: char,
    /// An arrow's shaft, certain or not, its heads, and where it crosses a lane.
    pub shaft: char,
    pub faint: char,
    pub right: char,
    pub left: char,
    pub cross: char,
    /// What stands before a difference of times.
    pub delta: &'static str,
}

/// For a terminal of our time.
pub(super) static UNICODE: Glyphs = Glyphs {
    cells: [' ', '─', '·', '╌', '▬', '█', '░', '▒'],
    levels: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    side: '│',
    band: '─',
    edge: '├',
    tick: '╵',
    fold: '⋯',
    mark: '◆',
    to: "→",
    times: '×',
    more: "⋯",
    line: '│',
    step: '├',
    last: '└',
    shaft: '─',
    faint: '╌',
    right: '▶',
    left: '◀',
    cross: '┼',
    delta: "Δ",
};

/// For one without Unicode.
pub(super) static ASCII: Glyphs = Glyphs {
    cells: [' ', '-', '_', '?', '=', '#', '.', '%'],
    levels: ['_', '.', '-', ':', '=', '+', '*', '#'],
    side: '|',
    band: '-',
    edge: '|',
    tick: '\'',
    fold: '~',
    mark: '@',
    to: "->",
    times: 'x',
    more: "...",
    line: '|',
    step: '+',
    last: '+',
    shaft: '-',
    faint: '.',
    right: '>',
    left: '<',
    cross: '+',
    delta: "+",
};

/// The words beside the cells' characters, and their colours; those of an empty cell are never shown.
pub(super) const CELLS: [(&str, Style); 8] = [
    ("", Style::new()),
    ("computing", Style::new().dimmed()),
    ("sleeping", Style::new().dimmed()),
    ("unrecorded", Style::new().dimmed()),
    ("in a step", AnsiColor::Blue.on_default()),
    ("holding", AnsiColor::Green.on_default()),
    ("blocked", AnsiColor::Yellow.on_default()),
    ("holding and blocked", AnsiColor::Magenta.on_default()),
];

impl Glyphs {
    /// The text without characters beyond ASCII, where these are ASCII.
    pub(super) fn plain(&self, text: &str) -> String {
        if self.side == UNICODE.side { text.to_owned() } else { ascii(text) }
    }
}

/// One line, in pieces of one style.
#[derive(Default)]
pub(super) struct Line {
    runs: Vec<(Style, String)>,
    columns: usize,
}

impl Line {
    pub(super) fn put(&mut self, style: Style, text: &str) {
        self.columns += width(text);
        match self.runs.last_mut() {
            Some((last, run)) if *last == style => run.push_str(text),
            _ => self.runs.push((style, text.to_owned())),
        }
    }

    pub(super) fn char(&mut self, style: Style, c: char) {
        self.put(style, c.encode_utf8(&mut [0; 4]));
    }

    /// Adds spaces up to that column.
    pub(super) fn to(&mut self, column: usize) {
        let spaces = column.saturating_sub(self.columns);
        if spaces > 0 {
            self.put(Style::new(), &" ".repeat(spaces));
        }
    }

    /// How many columns it has so far.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The line with its end, without spaces before that.
    pub(super) fn finish(mut self, pen: Pen) -> String {
        while let Some((style, run)) = self.runs.last_mut() {
            if *style == Style::new() {
                run.truncate(run.trim_end().len());
            }
            if !run.is_empty() {
                break;
            }
            self.runs.pop();
        }
        let mut out = String::new();
        for (style, run) in &self.runs {
            if *style == Style::new() {
                out.push_str(run);
            } else {
                out.push_str(&pen.paint(*style, run.as_str()));
            }
        }
        out.push('\n');
        out
    }
}
