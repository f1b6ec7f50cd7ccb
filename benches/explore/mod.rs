//! The explorer, beside SPIN: how fast it searches, in how much memory, how little it has to look at, and how soon it
//! says what it has found.
//!
//! Machines are shared, so speeds are of CPU time, of whole processes, and of each side the least of its runs; the
//! sides run in turn. Counts of states are exact.

mod cores;
mod fuzz;
mod problems;
mod replay;
mod rows;
mod shards;
mod shuttle;
mod side;
mod spin;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::options::Options;
use crate::table;
use spin::Spin;

pub(crate) use side::be;

/// What is needed to run both sides.
struct Kit<'o> {
    options: &'o Options,
    /// This program, which is ipcrun's side too.
    this: PathBuf,
    ipcrun: PathBuf,
    folder: PathBuf,
    spin: Result<Spin, String>,
}

/// What a side has said.
struct Said(String);

impl Said {
    /// The number behind a name.
    fn number(&self, name: &str) -> Result<f64, String> {
        let lines = self.0.lines().filter_map(|line| line.split_once(' '));
        let number = lines.filter(|(word, _)| *word == name).find_map(|(_, number)| number.parse().ok());
        number.ok_or_else(|| format!("there is no `{name}` in\n{}", self.0))
    }
}

impl Kit<'_> {
    /// ipcrun's side does something, watched.
    fn ours(&self, words: &[&str]) -> Result<Said, String> {
        let this = self.this.to_string_lossy();
        let mut all = vec![&*this, side::MARK];
        all.extend(words);
        self.watched(&all)
    }

    fn watched(&self, words: &[&str]) -> Result<Said, String> {
        spin::run(Command::new(&self.this).args([side::MARK, "watch"]).args(words)).map(Said)
    }

    /// How often each side runs.
    fn runs(&self) -> usize {
        self.options.runs.min(5)
    }
}

/// One line of the table.
#[derive(Default)]
struct Line {
    name: String,
    about: String,
    ours: String,
    theirs: String,
    result: String,
    goal: String,
}

/// The lines, and what went wrong.
#[derive(Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
    against: String,
    pub(crate) failures: Vec<String>,
}

impl Report {
    fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Adds what rows found, or why they did not.
    fn take(&mut self, name: &str, lines: Result<Vec<Line>, String>) {
        match lines {
            Ok(lines) => self.lines.extend(lines),
            Err(reason) => {
                let result = "failed, see below".to_owned();
                self.add(Line { name: name.to_owned(), result, ..Line::default() });
                self.failures.push(format!("{name}: {reason}"));
            }
        }
    }
}

/// A goal, and whether it is reached.
fn goal(words: &str, reached: bool) -> String {
    format!("{words}, {}", if reached { "reached" } else { "missed" })
}

/// Measures every row of the group that is asked for.
pub(crate) fn run(options: &Options, ipcrun: &Path) -> Report {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-explore");
    let mut report = Report::default();
    let this = match std::env::current_exe() {
        Ok(this) => this,
        Err(error) => {
            report.failures.push(format!("this program cannot be found: {error}"));
            return report;
        }
    };
    let spin = Spin::find(&folder);
    report.against = spin.as_ref().map_or_else(Clone::clone, |spin| format!("{}, cc -O2", spin.version));
    if let Err(error) = std::fs::create_dir_all(&folder) {
        report.failures.push(format!("{}: {error}", folder.display()));
        return report;
    }
    let kit = Kit { options, this, ipcrun: ipcrun.to_owned(), folder, spin };
    rows::all(&kit, &mut report);
    report
}

/// Whether a row of the group is asked for.
pub(crate) fn wanted(options: &Options) -> bool {
    rows::NAMES.iter().any(|name| options.wants(name))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lines.is_empty() {
            return Ok(());
        }
        writeln!(f, "explorer against: {}\n", self.against)?;
        let cells = |line: &Line| {
            let Line { name, about, ours, theirs, result, goal } = line;
            Vec::from([name, about, ours, theirs, result, goal].map(Clone::clone))
        };
        let lines: Vec<Vec<String>> = self.lines.iter().map(cells).collect();
        let head = ["measured", "of", "ipcrun", "SPIN", "result", "goal"];
        table::write(f, &head, &lines, |column| (2..=4).contains(&column))
    }
}
