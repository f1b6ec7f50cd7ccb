//! `ipcrun run FILE..`, and `ipcrun FILE..`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::arguments::Common;
use super::inputs;
use super::output::Output;
use super::session;
use super::status::Status;
use crate::diagnostic::{Code, Diagnostic};
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
    pub(super) reports: Reports,
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

/// How scenarios are run.
#[derive(Args, Clone, Debug)]
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
}

/// What a run leaves behind.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Reports")]
#[group(skip)]
pub(super) struct Reports {
    /// Save the trace; `full` and `blocking` stand for `--record` instead
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) trace: Vec<String>,
    /// Print the results as JSON, one object a line and scenario
    #[arg(long)]
    pub(super) json: bool,
    /// How to show how far a long run is: auto, bar, plain or none
    #[arg(long, value_name = "HOW", default_value = "auto", hide_possible_values = true)]
    pub(super) progress: ProgressChoice,
}

/// What is recorded one by one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum RecordChoice {
    /// Every step
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
    /// The file that takes the trace.
    fn trace_file(&self) -> Option<PathBuf> {
        self.reports.trace.iter().rfind(|word| RecordChoice::from_str(word, false).is_err()).map(PathBuf::from)
    }

    /// What to record: `--trace blocking` says it too.
    fn record(&self) -> RecordChoice {
        let said = self.reports.trace.iter().rev().find_map(|word| RecordChoice::from_str(word, false).ok());
        said.unwrap_or(self.running.record)
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

fn duration(text: &str) -> Result<u64, String> {
    parse_duration(text).map_err(str::to_owned)
}

pub(super) fn main(arguments: &Arguments, common: &Common, output: Output) -> Status {
    let inputs = match inputs::collect(&arguments.files) {
        Ok(inputs) => inputs,
        Err(diagnostic) => {
            output.report(&[diagnostic]);
            return Status::Invalid;
        }
    };
    if inputs.is_empty() {
        output.eprint(&inputs::nothing(&arguments.files));
        return Status::Nothing;
    }
    let trace = arguments.trace_file();
    if let Some(file) = trace.as_ref().filter(|_| inputs.len() > 1) {
        let message =
            format!("`--trace {}` takes the trace of one scenario, and these are {}", file.display(), inputs.len());
        output.report(&[Diagnostic::error(Code::USAGE, message)]);
        return Status::Invalid;
    }
    let options = session::Options {
        scenario: arguments.scenario.clone(),
        repeat: arguments.running.repeat,
        record: arguments.record(),
        trace,
        json: arguments.reports.json,
        progress: arguments.reports.progress,
        quiet: common.quiet,
        output,
    };
    session::run(inputs, &options, arguments.running.jobs)
}
