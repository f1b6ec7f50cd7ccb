//! Several scenarios: one after the other or several at once, their reports in the order of the files, and an overview.

use std::fmt::Write as _;
use std::io;
use std::time::Instant;

use super::inputs::Input;
use super::output;
use super::reports::Reports;
use super::run_scenario::{Options, Report};
use super::status::Status;
use super::worker_processes;
use crate::diagnostic::{Code, Diagnostic};
use crate::report::ci::test_suite::Suite;
use crate::report::terminal::progress::{Progress, Snapshot};
use crate::text::line;

/// How many scenarios at once `-j` asks for.
pub(crate) fn jobs(asked: u32) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        jobs => jobs as usize,
    }
}

/// What is done with one scenario; with `true`, what it shows meanwhile may go out at once.
pub(crate) type Work<'a> = &'a dyn Fn(&Input, bool) -> Report;

/// Does the work for every scenario, `jobs` of them at once, and reports on all of them.
pub(crate) fn all(inputs: &[Input], options: &Options, reports: Reports, jobs: usize, work: Work<'_>) -> Status {
    if jobs > 1 && inputs.len() > 1 {
        at_once(inputs, options, reports, jobs, work)
    } else {
        one_by_one(inputs, options, reports, work)
    }
}

/// Takes the scenarios in this process, one after the other.
fn one_by_one(inputs: &[Input], options: &Options, reports: Reports, work: Work<'_>) -> Status {
    let mut overview = Overview::new(inputs, options, reports);
    for input in inputs {
        overview.begin(&input.path);
        let mut report = work(input, true);
        let interrupted = report.status == Status::Interrupted;
        overview.take(&mut report);
        if interrupted {
            break;
        }
    }
    overview.end()
}

/// Takes several scenarios at once, each in a process of its own; their reports come in the order of the files.
fn at_once(inputs: &[Input], options: &Options, reports: Reports, jobs: usize, work: Work<'_>) -> Status {
    let work = |place: usize| {
        let report = work(&inputs[place], false);
        serde_json::to_vec(&report).unwrap_or_default()
    };
    let mut overview = Overview::new(inputs, options, reports);
    let mut progress = Progress::new(options.progress, output::columns());
    let begin = Instant::now();
    let shown = std::cell::RefCell::new(&mut progress);
    let hide = || {
        let _ = shown.borrow_mut().erase(&mut io::stderr().lock());
    };
    let mut take = |place: usize, outcome: worker_processes::Outcome| {
        hide();
        let input = &inputs[place];
        let report =
            outcome.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| format!("strangely: {error}")));
        overview.begin(&input.path);
        overview.take(&mut report.unwrap_or_else(|how| lost(&input.label(), &how, options)));
    };
    let total = inputs.len() as u64;
    let mut tick = |done: usize| {
        let now = Snapshot { name: "ipcrun", done: done as u64, total, unit: "scenario ended", detail: "" };
        let _ = shown.borrow_mut().tick(&mut io::stderr().lock(), begin.elapsed(), &now);
    };
    let ended = worker_processes::run(inputs.len(), jobs, &work, &mut take, &mut tick);
    hide();
    match ended {
        Ok(false) => overview.end(),
        Ok(true) => overview.end().max(Status::Interrupted),
        Err(error) => {
            let message = format!("scenarios cannot be run at once: {error}");
            options
                .output
                .report(&[Diagnostic::error(Code::HOST_LIMIT, message).help("`-j 1` needs no further processes")]);
            overview.end().max(Status::Host)
        }
    }
}

/// The report of a scenario whose process ended without one.
fn lost(path: &str, how: &str, options: &Options) -> Report {
    let message = format!("the process that ran `{path}` ended {how}");
    let diagnostics = [Diagnostic::error(Code::HOST_LIMIT, message)];
    let err = options.output.render(&diagnostics);
    let suite = options.suites.then(|| Suite::refused(path, &diagnostics));
    Report { path: path.to_owned(), status: Status::Host, out: String::new(), err, suite }
}

/// Prints the reports of several scenarios, and at the end which of them did not pass.
struct Overview<'a> {
    options: &'a Options,
    reports: Reports,
    inputs: &'a [Input],
    suites: Vec<Suite>,
    taken: usize,
    worst: Status,
    rest: Vec<(String, Status)>,
}

impl<'a> Overview<'a> {
    fn new(inputs: &'a [Input], options: &'a Options, reports: Reports) -> Self {
        let (suites, rest) = (Vec::new(), Vec::new());
        Self { options, reports, inputs, suites, taken: 0, worst: Status::Passed, rest }
    }

    /// Sets a scenario apart from the one before it.
    fn begin(&self, _path: &str) {
        if self.taken > 0 && !self.options.json && !self.options.silent && !self.options.quiet {
            output::print("\n");
        }
    }

    fn take(&mut self, report: &mut Report) {
        output::eprint(&report.err);
        output::print(&report.out);
        self.suites.extend(report.suite.take());
        self.taken += 1;
        self.worst = self.worst.max(report.status);
        if report.status != Status::Passed {
            self.rest.push((report.path.clone(), report.status));
        }
    }

    fn end(mut self) -> Status {
        if self.options.suites {
            let rest = self.inputs.iter().skip(self.taken);
            self.suites.extend(rest.map(|input| Suite::skipped(&input.label(), "it was interrupted before it began")));
            if let Err(diagnostic) = self.reports.write(&self.suites) {
                self.options.output.report(&[*diagnostic]);
                self.worst = self.worst.max(Status::Host);
            }
        }
        let total = self.inputs.len();
        if total > 1 && !self.options.json && !self.options.silent {
            let passed = self.taken - self.rest.len();
            if !self.options.quiet || !self.rest.is_empty() {
                let missing = total - self.taken;
                let mut text = format!("\n{total} scenarios: {passed} passed");
                for (status, word) in WORDS {
                    let count = self.rest.iter().filter(|(_, other)| *other == status).count();
                    if count > 0 {
                        let _ = write!(text, ", {count} {word}");
                    }
                }
                if missing > 0 {
                    let _ = write!(text, ", {missing} not run");
                }
                text.push('\n');
                for (path, status) in &self.rest {
                    let word = WORDS.iter().find(|(other, _)| other == status).map_or("", |(_, word)| word);
                    let _ = writeln!(text, "  {word:<11}  {}", line(path));
                }
                output::print(&text);
            }
        }
        self.worst
    }
}

/// What became of a scenario that did not pass, in a word.
const WORDS: [(Status, &str); 5] = [
    (Status::Failed, "failed"),
    (Status::Invalid, "wrong"),
    (Status::Host, "refused"),
    (Status::Unknown, "unknown"),
    (Status::Interrupted, "interrupted"),
];
