//! The progress of a long run. The caller that waits for the run calls [`Progress::tick`] now and then; there is
//! no thread behind it.

use std::io::{self, Write};
use std::time::Duration;

use super::style::{duration, plural, shorten};

/// A run that is over sooner shows nothing.
const SILENT: Duration = Duration::from_secs(1);
/// How often a bar is drawn again.
const REDRAW: Duration = Duration::from_millis(100);
/// How often a plain line is written.
const LINES: Duration = Duration::from_secs(5);
/// How many columns a bar takes.
const BAR: usize = 20;

/// How progress is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// One line that is drawn over and over, for a terminal.
    Bar,
    /// A line of its own every few seconds, for a file.
    Plain,
    None,
}

/// How far the run is.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    /// What is in progress: the scenario's name.
    pub name: &'a str,
    /// How much is done.
    pub done: u64,
    /// Of how much; 0 where that is not known.
    pub total: u64,
    /// What is counted, as `process ended` or `run`.
    pub unit: &'a str,
    /// What else there is to say, as `47 events`; may be empty.
    pub detail: &'a str,
}

/// Shows how far a run is.
#[derive(Debug)]
pub struct Progress {
    mode: Mode,
    columns: usize,
    next: Duration,
    drawn: bool,
}

impl Progress {
    /// Nothing is shown yet. A bar keeps within that many columns.
    pub fn new(mode: Mode, columns: usize) -> Self {
        let next = if mode == Mode::Plain { LINES } else { SILENT };
        Self { mode, columns, next, drawn: false }
    }

    /// Shows how far it is after `elapsed`, where it is time to.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn tick(&mut self, out: &mut dyn Write, elapsed: Duration, now: &Snapshot<'_>) -> io::Result<()> {
        if self.mode == Mode::None || elapsed < self.next {
            return Ok(());
        }
        let words = words(elapsed, now);
        if self.mode == Mode::Plain {
            self.next = elapsed + LINES;
            writeln!(out, "{}: {words}", now.name)?;
        } else {
            self.next = elapsed + REDRAW;
            self.drawn = true;
            let line = format!("{} {} {words}", now.name, bar(now));
            // The last column stays free: a cursor beyond it would begin a new line.
            write!(out, "\r{}\x1b[K", shorten(&line, self.columns.saturating_sub(1).max(1)))?;
        }
        out.flush()
    }

    /// Takes the bar away, before something else is written and at the end. It comes back with the next tick.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn erase(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !self.drawn {
            return Ok(());
        }
        // It comes back when it was due anyway, so that a run that prints without end does not only draw.
        self.drawn = false;
        out.write_all(b"\r\x1b[K")?;
        out.flush()
    }
}

/// `7 of 10 processes ended, 47 events, 3.20 s`.
fn words(elapsed: Duration, now: &Snapshot<'_>) -> String {
    let mut words = String::new();
    if now.total > 0 {
        let (noun, rest) = now.unit.split_once(' ').unwrap_or((now.unit, ""));
        let gap = if rest.is_empty() { "" } else { " " };
        words = format!("{} of {}{gap}{rest}, ", now.done, plural(now.total, noun));
    }
    if !now.detail.is_empty() {
        words = format!("{words}{}, ", now.detail);
    }
    format!("{words}{}", duration(elapsed.as_nanos() as u64))
}

fn bar(now: &Snapshot<'_>) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let whole = (BAR * 8) as u64;
    let filled = (now.done.min(now.total) * whole).checked_div(now.total).unwrap_or(0) as usize;
    let mut text: String = "█".repeat(filled / 8);
    if filled < BAR * 8 {
        text.push(EIGHTHS[filled % 8]);
        text.push_str(&" ".repeat(BAR - filled / 8 - 1));
    }
    format!("▕{text}▏")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Snapshot<'_> =
        Snapshot { name: "semaphore", done: 7, total: 10, unit: "process ended", detail: "47 events" };

    fn shown(mode: Mode, columns: usize, times: &[u64]) -> String {
        let mut progress = Progress::new(mode, columns);
        let mut out = Vec::new();
        for ms in times {
            progress.tick(&mut out, Duration::from_millis(*ms), &NOW).expect("a vector takes it all");
        }
        progress.erase(&mut out).expect("a vector takes it all");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_short_run_shows_nothing() {
        for mode in [Mode::Bar, Mode::Plain, Mode::None] {
            assert_eq!(shown(mode, 100, &[0, 10, 999]), "");
        }
        assert_eq!(shown(Mode::None, 100, &[100_000]), "");
    }

    #[test]
    fn a_bar_is_drawn_now_and_then_and_taken_away() {
        let line = "\rsemaphore ▕██████████████      ▏ 7 of 10 processes ended, 47 events, 1.00 s\x1b[K";
        assert_eq!(shown(Mode::Bar, 100, &[10, 1000, 1010, 1050]), format!("{line}\r\x1b[K"));
        assert_eq!(shown(Mode::Bar, 16, &[1000]), "\rsemaphore ▕███…\x1b[K\r\x1b[K");
    }

    #[test]
    fn plain_lines_stay() {
        let text = shown(Mode::Plain, 100, &[1000, 5000, 6000, 10_000]);
        assert_eq!(text.lines().next(), Some("semaphore: 7 of 10 processes ended, 47 events, 5.00 s"));
        assert_eq!(text.lines().count(), 2);
    }

    #[test]
    fn a_bar_is_full_at_the_end_only() {
        let at = |done| bar(&Snapshot { done, total: 1000, ..NOW });
        assert_eq!(at(0), format!("▕{}▏", " ".repeat(20)));
        assert_eq!(at(999), format!("▕{}▉▏", "█".repeat(19)));
        assert_eq!(at(1000), format!("▕{}▏", "█".repeat(20)));
        assert_eq!(at(2000), at(1000));
    }
}
