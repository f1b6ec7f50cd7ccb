//! `ipcrun run FILE..`, and `ipcrun FILE..`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::batch;
use crate::cli::explore_args::{self, RandomChoice, TimeChoice, allowing};
use crate::cli::export::Format;
use crate::cli::golden::Golden;
use crate::cli::inputs;
use crate::cli::options::{Common, RecordChoice, ReportOptions, Scenario, TraceOption};
use crate::cli::output::Output;
use crate::cli::reports::Reports;
use crate::cli::run_scenario;
use crate::cli::run_scenario::Held;
use crate::cli::schedules;
use crate::cli::schedules::Chosen;
use crate::cli::status::Status;
use crate::cli::timeline_choice::Picture;
use crate::diagnostic::{Code, Diagnostic};
use crate::explore::semantics::transition::Nondeterminism;
use crate::kernel::Limits;
use crate::report::terminal::progress::Mode;

/// What runs and how.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct Arguments {
    /// Scenarios; directories are searched for *.toml; `-` is standard input
    #[arg(value_name = "FILE", required = true, value_hint = clap::ValueHint::AnyPath, help_heading = "Arguments")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) scenario: Scenario,
    #[command(flatten)]
    pub(crate) running: Running,
    #[command(flatten)]
    pub(crate) traces: TraceOption,
    #[command(flatten)]
    pub(crate) reports: ReportOptions,
}

/// How scenarios are run.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Running")]
#[group(skip)]
pub(crate) struct Running {
    /// Number of runs of each scenario; the report shows how they differ
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat: u32,
    /// Number of scenarios that run at once; 0 is one for each CPU
    #[arg(short, long, value_name = "N", default_value = "1")]
    pub(crate) jobs: u32,
    /// Which steps to record: `full`, all; `blocking`, those that blocked or failed, while the others are counted
    #[arg(long, value_name = "WHAT", default_value = "full", hide_possible_values = true)]
    pub(crate) record: RecordChoice,
    /// Maximum number of recorded events of a run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_events: Option<u64>,
    /// Memory limit for the trace of a run, such as 512MiB or 4GiB (default: a quarter of the free memory)
    #[arg(long, value_name = "SIZE", value_parser = explore_args::size)]
    pub(crate) max_trace: Option<usize>,
    /// Run the processes under a schedule, in virtual time: seed:N, a random one, the same for the same number; a file of
    /// `ipcrun explore --save`; or turns such as 'A3 B1 worker[0]2'
    #[arg(long, value_name = "SCHEDULE", value_parser = schedules::argument)]
    pub(crate) schedule: Option<Chosen>,
    /// How time passes under a schedule: `ideal`, only when nothing else can move; `any`, at any moment
    #[arg(long, value_name = "HOW", default_value = "ideal", hide_possible_values = true, requires = "schedule")]
    pub(crate) time: TimeChoice,
    /// Source of random numbers under a schedule: `seed`, each process's own stream; `all`, the schedule's choices
    #[arg(long, value_name = "HOW", default_value = "seed", hide_possible_values = true, requires = "schedule")]
    pub(crate) random: RandomChoice,
    /// Compare the trace with the golden trace NAME.golden, beside the scenario or in DIR (default schedule: seed:0)
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, default_missing_value = "", value_hint = clap::ValueHint::DirPath)]
    pub(crate) golden: Option<String>,
    /// Write the golden trace anew
    #[arg(long)]
    pub(crate) bless: bool,
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
        again.extend(allowing(self.running.time.into(), self.running.random));
        again
    }
}

/// A duration as an argument says it, in the largest unit of which it is a whole number.
fn whole(ns: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns")];
    let (unit, name) = UNITS.into_iter().find(|(unit, _)| ns.is_multiple_of(*unit)).unwrap_or((1, "ns"));
    format!("{}{name}", ns / unit)
}

impl Running {
    /// The limits of one trace where `at_once` scenarios run in parallel.
    fn limits(&self, scenarios: usize) -> Limits {
        let at_once = batch::jobs(self.jobs).min(scenarios);
        let bytes = self.max_trace.map(|bytes| bytes as u64);
        Limits { events: self.max_events, bytes: bytes.or_else(|| run_scenario::share(at_once)) }
    }

    /// What is done with kept traces.
    fn golden(&self) -> Option<Golden> {
        let asked = self.bless || self.golden.is_some();
        let directory = self.golden.as_ref().filter(|directory| !directory.is_empty()).map(PathBuf::from);
        asked.then_some(Golden { directory, bless: self.bless })
    }
}

pub(crate) fn main(arguments: &Arguments, common: &Common, output: Output) -> Status {
    held(arguments, common, output, false)
}

/// Runs scenarios. With `compared`, what processes do under the schedule is held against what the model does.
pub(crate) fn held(arguments: &Arguments, common: &Common, output: Output, compared: bool) -> Status {
    let inputs = match inputs::given(&arguments.files, &arguments.scenario, common, output) {
        Ok(inputs) => inputs,
        Err(status) => return status,
    };
    let prepared = arguments.traces().and_then(|traces| {
        if let Some((file, _)) = traces.first().filter(|_| inputs.len() > 1) {
            let message = format!("`--trace {}` takes one scenario, and these are {}", file.display(), inputs.len());
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
        let message = format!("`--html {}` takes one scenario, and these are {}", file.display(), inputs.len());
        output.report(&[Diagnostic::error(Code::USAGE, message)]);
        return Status::Invalid;
    }
    let schedule = arguments.schedule();
    let usage = if schedule.is_some() && arguments.record() == RecordChoice::Blocking {
        Some("a run under a schedule is recorded in full: `--record blocking` cannot be used with it".to_owned())
    } else {
        arguments.running.schedule.as_ref().filter(|_| inputs.len() > 1).and_then(|schedule| {
            let own = !matches!(schedule, Chosen::Seed(_));
            own.then(|| format!("a schedule belongs to one scenario, and these are {}", inputs.len()))
        })
    };
    if let Some(message) = usage {
        output.report(&[Diagnostic::error(Code::USAGE, message)]);
        return Status::Invalid;
    }
    let options = run_scenario::Options {
        held: schedule.map(|schedule| Held {
            schedule,
            leeway: Nondeterminism {
                time: arguments.running.time.into(),
                random: arguments.running.random == RandomChoice::All,
                ..Nondeterminism::default()
            },
            compared,
            golden: arguments.running.golden(),
        }),
        scenario: arguments.scenario.clone(),
        repeat: arguments.running.repeat,
        record: arguments.record(),
        limits: arguments.running.limits(inputs.len()),
        traces,
        suites: reports.any(),
        silent: reports.take_stdout(),
        timeline: arguments.reports.timeline.map(Picture::of),
        watched: false,
        html: arguments.reports.html.clone(),
        json: arguments.reports.json,
        progress: if common.quiet { Mode::None } else { run_scenario::mode(arguments.reports.progress) },
        quiet: common.quiet,
        output,
        arguments: arguments.again(),
    };
    let jobs = batch::jobs(arguments.running.jobs);
    batch::all(&inputs, &options, reports, jobs, &|input, direct| run_scenario::one(input, &options, direct))
}
