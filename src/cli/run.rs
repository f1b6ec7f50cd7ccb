//! `ipcrun run FILE..`, and `ipcrun FILE..`.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};

use super::arguments::Common;
use super::export::Format;
use super::golden::Golden;
use super::inputs::{self, Input};
use super::output::{self, Output};
use super::picture::{Picture, ViewChoice};
use super::reports::Reports;
use super::schedules::{self, Chosen};
use super::searching::{RandomChoice, TimeChoice, allowing};
use super::session::{self, Held, Options, Report};
use super::status::Status;
use super::workers;
use crate::diagnostic::{Code, Diagnostic, printable};
use crate::model::chance::Leeway;
use crate::report::progress::{Mode, Progress, Snapshot};
use crate::report::suite::Suite;
use crate::scenario::units::parse_duration;

/// What runs and how.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(super) struct Arguments {
    /// Scenarios; directories are searched for *.toml; `-` is standard input
    #[arg(value_name = "FILE", required = true, value_hint = clap::ValueHint::AnyPath, help_heading = "Arguments")]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) scenario: Scenario,
    #[command(flatten)]
    pub(super) running: Running,
    #[command(flatten)]
    pub(super) traces: TraceOption,
    #[command(flatten)]
    pub(super) reports: ReportOptions,
}

/// What is changed of a scenario.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Scenario")]
#[group(skip)]
pub(super) struct Scenario {
    /// Give a param another value; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    pub(super) set: Vec<(String, String)>,
    /// The seed of every random number: an integer, or `random` for another one each time
    #[arg(long, value_name = "N|random", value_parser = seed)]
    pub(super) seed: Option<u64>,
    /// The longest a run may take, as 30s or 1m30s
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) timeout: Option<u64>,
}

impl Scenario {
    /// The arguments that give params other values.
    pub(super) fn params(&self) -> Vec<String> {
        self.set.iter().flat_map(|(name, value)| ["--set".to_owned(), format!("{name}={value}")]).collect()
    }
}

/// How scenarios are run.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Running")]
#[group(skip)]
pub(super) struct Running {
    /// Run each scenario so many times, and show how the runs differ
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) repeat: u32,
    /// Run so many scenarios at once; 0 is one for each CPU
    #[arg(short, long, value_name = "N", default_value = "1")]
    pub(super) jobs: u32,
    /// What to record one by one: every step, or only steps that blocked or failed, the others being counted
    #[arg(long, value_name = "WHAT", default_value = "full", hide_possible_values = true)]
    pub(super) record: RecordChoice,
    /// Hold the processes to a schedule, in virtual time: seed:N is a random one, the same for the same number; else a file
    /// of `ipcrun explore --save`, or the turns themselves, as 'A3 B1 worker[0]2'
    #[arg(long, value_name = "SCHEDULE", value_parser = schedules::argument)]
    pub(super) schedule: Option<Chosen>,
    /// How time passes under a schedule: `virtual`, only when nothing else can move, or `any`
    #[arg(long, value_name = "HOW", default_value = "virtual", hide_possible_values = true, requires = "schedule")]
    pub(super) time: TimeChoice,
    /// Where random numbers come from under a schedule: each process's own stream, `seed`, or the schedule's choices, `all`
    #[arg(long, value_name = "HOW", default_value = "seed", hide_possible_values = true, requires = "schedule")]
    pub(super) random: RandomChoice,
    /// Compare the trace with the one that is kept beside the scenario, as NAME.golden, or in DIR; without a schedule it is
    /// that of seed:0
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, default_missing_value = "", value_hint = clap::ValueHint::DirPath)]
    pub(super) golden: Option<String>,
    /// Keep the trace as it is now, for `--golden`
    #[arg(long)]
    pub(super) bless: bool,
}

/// Where the trace of a run goes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Reports")]
#[group(skip)]
pub(super) struct TraceOption {
    /// Save the trace, in the form that the ending says: .jsonl (which ipcrun reads again), .json (for ui.perfetto.dev),
    /// .mmd (Mermaid), .shiviz or .log, .txt; may be repeated. `full` and `blocking` stand for `--record` instead
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) trace: Vec<String>,
}

/// What a run leaves behind.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Reports")]
#[group(skip)]
pub(super) struct ReportOptions {
    /// Write the results as JUnit XML; `-` is standard output, instead of the summaries
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) junit: Option<PathBuf>,
    /// Write the results in the Test Anything Protocol; `-` as above
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) tap: Option<PathBuf>,
    /// Draw the run, as `ipcrun trace` does; `--timeline=gantt`, `=sequence` or `=log` says how
    #[arg(long, value_name = "VIEW", num_args = 0..=1, require_equals = true, default_missing_value = "auto", hide_possible_values = true)]
    pub(super) timeline: Option<ViewChoice>,
    /// Write the run as a page that opens in a browser, from disk
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) html: Option<PathBuf>,
    /// Print the results as JSON, one object a line and scenario
    #[arg(long)]
    pub(super) json: bool,
    /// How to show how far a long run is: auto, bar, plain or none
    #[arg(long, value_name = "HOW", default_value = "auto", hide_possible_values = true)]
    pub(super) progress: ProgressChoice,
}

/// What is recorded one by one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum RecordChoice {
    /// Every step
    #[default]
    Full,
    /// Steps that blocked or failed; the others are counted
    Blocking,
}

/// How a long run's progress is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum ProgressChoice {
    /// A bar on a terminal, unless `CI` is set
    Auto,
    /// A bar
    Bar,
    /// A line now and then
    Plain,
    /// Nothing
    None,
}

impl Arguments {
    /// The files that take the trace, each in the form that its ending says.
    fn traces(&self) -> Result<Vec<(PathBuf, Format)>, Box<Diagnostic>> {
        let files = self.traces.trace.iter().filter(|word| RecordChoice::from_str(word, false).is_err());
        files.map(PathBuf::from).map(|file| Format::of(&file).map(|format| (file, format))).collect()
    }

    /// What to record: `--trace blocking` says it too.
    fn record(&self) -> RecordChoice {
        let said = self.traces.trace.iter().rev().find_map(|word| RecordChoice::from_str(word, false).ok());
        said.unwrap_or(self.running.record)
    }
}

impl Arguments {
    /// The schedule that processes are held to: for a trace to be kept there has to be one.
    fn schedule(&self) -> Option<Chosen> {
        let kept = self.running.golden().map(|_| Chosen::Seed(0));
        self.running.schedule.clone().or(kept)
    }

    /// The arguments that change what a run does, besides the file and the seed.
    fn again(&self) -> Vec<String> {
        let mut again = self.scenario.params();
        if let Some(timeout) = self.scenario.timeout {
            again.extend(["--timeout".to_owned(), whole(timeout)]);
        }
        if self.running.repeat > 1 {
            again.extend(["--repeat".to_owned(), self.running.repeat.to_string()]);
        }
        if self.record() == RecordChoice::Blocking {
            again.extend(["--record".to_owned(), "blocking".to_owned()]);
        }
        if let Some(schedule) = self.schedule() {
            again.extend(["--schedule".to_owned(), schedule.argument()]);
        }
        again.extend(allowing(self.running.time, self.running.random));
        again
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

fn seed(text: &str) -> Result<u64, String> {
    if text == "random" {
        return Ok(session::random_seed());
    }
    // A seed in a file is one of TOML's integers, which end here.
    text.parse()
        .ok()
        .filter(|seed| i64::try_from(*seed).is_ok())
        .ok_or(format!("an integer from 0 to {}, or `random`", i64::MAX))
}

/// A duration as an argument says it, in the largest unit of which it is a whole number.
fn whole(ns: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns")];
    let (unit, name) = UNITS.into_iter().find(|(unit, _)| ns.is_multiple_of(*unit)).unwrap_or((1, "ns"));
    format!("{}{name}", ns / unit)
}

pub(super) fn duration(text: &str) -> Result<u64, String> {
    parse_duration(text).map_err(str::to_owned)
}

impl Running {
    /// What is done with kept traces.
    fn golden(&self) -> Option<Golden> {
        let asked = self.bless || self.golden.is_some();
        let directory = self.golden.as_ref().filter(|directory| !directory.is_empty()).map(PathBuf::from);
        asked.then_some(Golden { directory, bless: self.bless })
    }
}

pub(super) fn main(arguments: &Arguments, common: &Common, output: Output) -> Status {
    held(arguments, common, output, false)
}

/// Runs scenarios. With `compared`, what processes do under the schedule is held against what the model does.
pub(super) fn held(arguments: &Arguments, common: &Common, output: Output, compared: bool) -> Status {
    let inputs = match inputs::collect(&arguments.files) {
        Ok(inputs) => inputs,
        Err(diagnostic) => {
            output.report(&[*diagnostic]);
            return Status::Invalid;
        }
    };
    if inputs.is_empty() {
        output::eprint(&inputs::nothing(&arguments.files));
        return Status::Nothing;
    }
    let prepared = arguments.traces().and_then(|traces| {
        if let Some((file, _)) = traces.first().filter(|_| inputs.len() > 1) {
            let message =
                format!("`--trace {}` takes the trace of one scenario, and these are {}", file.display(), inputs.len());
            return Err(Box::new(Diagnostic::error(Code::USAGE, message)));
        }
        Ok((traces, Reports::new(&arguments.reports)?))
    });
    let (traces, reports) = match prepared {
        Ok(prepared) => prepared,
        Err(diagnostic) => {
            let status = if diagnostic.code == Code::USAGE { Status::Invalid } else { Status::Host };
            output.report(&[*diagnostic]);
            return status;
        }
    };
    if let Some(file) = arguments.reports.html.as_ref().filter(|_| inputs.len() > 1) {
        let message =
            format!("`--html {}` takes the page of one scenario, and these are {}", file.display(), inputs.len());
        output.report(&[Diagnostic::error(Code::USAGE, message)]);
        return Status::Invalid;
    }
    let schedule = arguments.schedule();
    let usage = if schedule.is_some() && arguments.record() == RecordChoice::Blocking {
        Some("a run under a schedule is recorded in full: `--record blocking` does not go with it".to_owned())
    } else {
        arguments.running.schedule.as_ref().filter(|_| inputs.len() > 1).and_then(|schedule| {
            let own = !matches!(schedule, Chosen::Seed(_));
            own.then(|| format!("a schedule is one scenario's, and these are {}", inputs.len()))
        })
    };
    if let Some(message) = usage {
        output.report(&[Diagnostic::error(Code::USAGE, message)]);
        return Status::Invalid;
    }
    let options = session::Options {
        held: schedule.map(|schedule| Held {
            schedule,
            leeway: Leeway {
                time: arguments.running.time.into(),
                random: arguments.running.random == RandomChoice::All,
                kill: false,
            },
            compared,
            golden: arguments.running.golden(),
        }),
        scenario: arguments.scenario.clone(),
        repeat: arguments.running.repeat,
        record: arguments.record(),
        traces,
        suites: reports.any(),
        silent: reports.take_stdout(),
        timeline: arguments.reports.timeline.map(Picture::of),
        watched: false,
        html: arguments.reports.html.clone(),
        json: arguments.reports.json,
        progress: if common.quiet { Mode::None } else { session::mode(arguments.reports.progress) },
        quiet: common.quiet,
        output,
        arguments: arguments.again(),
    };
    let jobs = jobs(arguments.running.jobs);
    all(&inputs, &options, reports, jobs, &|input, direct| session::one(input, &options, direct))
}

/// How many scenarios at once `-j` asks for.
pub(super) fn jobs(asked: u32) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        jobs => jobs as usize,
    }
}

/// What is done with one scenario; with `true`, what it shows meanwhile may go out at once.
pub(super) type Work<'a> = &'a dyn Fn(&Input, bool) -> Report;

/// Does the work for every scenario, `jobs` of them at once, and reports on all of them.
pub(super) fn all(inputs: &[Input], options: &Options, reports: Reports, jobs: usize, work: Work<'_>) -> Status {
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
    let mut take = |place: usize, outcome: workers::Outcome| {
        hide();
        let input = &inputs[place];
        let report =
            outcome.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| format!("strangely: {error}")));
        overview.begin(&input.path);
        overview.take(&mut report.unwrap_or_else(|how| lost(&input.path, &how, options)));
    };
    let total = inputs.len() as u64;
    let mut tick = |done: usize| {
        let now = Snapshot { name: "ipcrun", done: done as u64, total, unit: "scenario ended", detail: "" };
        let _ = shown.borrow_mut().tick(&mut io::stderr().lock(), begin.elapsed(), &now);
    };
    let ended = workers::run(inputs.len(), jobs, &work, &mut take, &mut tick);
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
            self.suites.extend(rest.map(|input| Suite::skipped(&input.path, "it was interrupted before it began")));
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
                    let _ = writeln!(text, "  {word:<11}  {}", printable(path));
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
