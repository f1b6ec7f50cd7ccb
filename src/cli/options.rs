//! Options that several commands have.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use super::output::{ColorChoice, ErrorFormat};
use super::timeline_choice::ViewChoice;
use crate::diagnostic::{Code, Diagnostic};
use crate::os::limits;
use crate::scenario::bounds::Bounds;
use crate::scenario::units::parse_duration;

/// Options of every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct Common {
    /// The names of the commands: a file that does not exist may be one of them, mistyped.
    #[arg(skip)]
    pub(crate) commands: Vec<String>,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub(crate) color: ColorChoice,
    /// How to show diagnostics: full, concise, json or github
    #[arg(long, global = true, value_name = "FORMAT", default_value = "full", hide_possible_values = true)]
    pub(crate) error_format: ErrorFormat,
    /// Draw with ASCII characters only (default if the locale is not UTF-8)
    #[arg(long, global = true)]
    pub(crate) ascii: bool,
    /// Print only failures
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Log to standard error; -vv in detail, -vvv with the events of scenarios. `IPCRUN_LOG` takes a filter:
    /// `ipcrun::event=trace` logs only the events
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// The changes to a scenario.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Scenario")]
#[group(skip)]
pub(crate) struct Scenario {
    /// Set the value of a param; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) set: Vec<(String, String)>,
    /// Take only the combinations of `[matrix]` with that value; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) matrix: Vec<(String, String)>,
    /// The seed of all random numbers: an integer, or `random` for a new one each time
    #[arg(long, value_name = "N|random", value_parser = seed)]
    pub(crate) seed: Option<u64>,
    /// Time limit of a run, such as 30s or 1m30s
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<u64>,
    #[command(flatten)]
    pub(crate) trust: Trust,
}

impl Scenario {
    /// The arguments that give params other values, and whether the scenario is trusted.
    pub(crate) fn params(&self) -> Vec<String> {
        let set = self.set.iter().flat_map(|(name, value)| ["--set".to_owned(), format!("{name}={value}")]);
        set.chain(self.trust.untrusted.then(|| "--untrusted".to_owned())).collect()
    }
}

/// Whether the author of a scenario is trusted.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Scenario")]
#[group(skip)]
pub(crate) struct Trust {
    /// The file is a stranger's: refuse a real-time policy, a negative nice, and more than 64 processes, 256 objects or one
    /// minute; raise no limit of this user, and use at most 2 GiB of memory
    #[arg(long)]
    pub(crate) untrusted: bool,
}

impl Trust {
    /// The most that a scenario may ask for.
    pub(crate) fn bounds(self) -> Option<Bounds> {
        self.untrusted.then_some(Bounds::UNTRUSTED)
    }

    /// Bounds this process, and all that it starts, where the scenario is not trusted.
    ///
    /// # Errors
    /// Where the host refuses it.
    pub(crate) fn confine(self) -> Result<(), Box<Diagnostic>> {
        if !self.untrusted {
            return Ok(());
        }
        limits::confine().map_err(|error| {
            let message = format!("`--untrusted`: the memory cannot be bounded: {error}");
            Box::new(Diagnostic::error(Code::HOST_LIMIT, message))
        })
    }
}

/// Where the trace of a run goes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Reports")]
#[group(skip)]
pub(crate) struct TraceOption {
    /// Save the trace, in the format of the file's extension: .jsonl (for `ipcrun trace`), .json (for ui.perfetto.dev),
    /// .mmd (Mermaid), .shiviz or .log, .html, .txt; may be repeated. `full` and `blocking` mean `--record`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) trace: Vec<String>,
}

/// The output of a run.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Reports")]
#[group(skip)]
pub(crate) struct ReportOptions {
    /// Write the results as JUnit XML; `-` writes to standard output, instead of the summaries
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) junit: Option<PathBuf>,
    /// Write the results in the Test Anything Protocol; `-` writes to standard output
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) tap: Option<PathBuf>,
    /// Write the results in the Common Test Report Format; `-` writes to standard output
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) ctrf: Option<PathBuf>,
    /// Write what fails in SARIF 2.1.0, for code scanning; `-` writes to standard output
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) sarif: Option<PathBuf>,
    /// Draw the run, as `ipcrun trace` does: `--timeline=gantt`, `=sequence` or `=log`
    #[arg(long, value_name = "VIEW", num_args = 0..=1, require_equals = true, default_missing_value = "auto", hide_possible_values = true)]
    pub(crate) timeline: Option<ViewChoice>,
    /// Write the run as an HTML page
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) html: Option<PathBuf>,
    /// Print the results as JSON, one object on a line for each scenario
    #[arg(long)]
    pub(crate) json: bool,
    /// How to show the progress of a long run: auto, bar, plain or none
    #[arg(long, value_name = "HOW", default_value = "auto", hide_possible_values = true)]
    pub(crate) progress: ProgressChoice,
}

/// What is recorded one by one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum RecordChoice {
    /// All steps
    #[default]
    Full,
    /// Steps that blocked or failed; the others are counted
    Blocking,
}

/// How a long run's progress is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ProgressChoice {
    /// A bar on a terminal, unless `CI` is set
    Auto,
    /// A bar
    Bar,
    /// A line now and then
    Plain,
    /// Nothing
    None,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

fn seed(text: &str) -> Result<u64, String> {
    if text == "random" {
        return Ok(random_seed());
    }
    // A seed in a file is one of TOML's integers, which end here.
    text.parse()
        .ok()
        .filter(|seed| i64::try_from(*seed).is_ok())
        .ok_or(format!("an integer from 0 to {}, or `random`", i64::MAX))
}

/// A duration in ns, as an argument says it: `30s`.
pub(crate) fn duration(text: &str) -> Result<u64, String> {
    parse_duration(text).map_err(str::to_owned)
}

/// A random seed, within TOML's integers.
pub(crate) fn random_seed() -> u64 {
    // The hasher's keys come from the kernel's random numbers.
    RandomState::new().build_hasher().finish() >> 1
}
