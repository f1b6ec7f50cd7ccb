//! `ipcrun trace FILE`: a saved trace shown, converted, judged again.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::arguments::Common;
use super::output::Output;
use super::session;
use super::status::Status;

/// The arguments of `trace`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// A trace that `run --trace` has saved; `-` is standard input
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath, help_heading = "Arguments")]
    pub(super) file: PathBuf,
    /// What to print: text, one line an event; jsonl, the trace file itself; verdict, its expectations judged again
    #[arg(long, short, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub(super) format: TraceFormat,
    /// Judge it by this scenario instead of the one it was made of; its objects, processes and steps must be the same
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) scenario: Option<PathBuf>,
}

/// What is printed of a trace.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum TraceFormat {
    /// One line an event
    Text,
    /// The trace file, in the version of this ipcrun
    Jsonl,
    /// The expectations, judged again
    Verdict,
}

pub(super) fn main(arguments: &Arguments, common: &Common, output: Output) -> Status {
    session::trace(arguments, common, output)
}
