//! `ipcrun replay FILE SCHEDULE`: runs processes under a schedule and compares them with the model.

use std::path::PathBuf;

use clap::Args;

use super::run;
use crate::cli::explore_args::Openness;
use crate::cli::options::{Common, ReportOptions, Scenario, TraceOption};
use crate::cli::output::Output;
use crate::cli::schedules;
use crate::cli::schedules::Chosen;
use crate::cli::status::Status;

/// What is replayed and how.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct Arguments {
    /// The scenario
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath, help_heading = "Arguments")]
    file: PathBuf,
    /// The schedule: a file of `ipcrun explore --save`, turns such as 'A3 B1 worker[0]2', or seed:N for a random one.
    /// Where it ends early, the processes take turns
    #[arg(value_name = "SCHEDULE", value_parser = schedules::argument, help_heading = "Arguments")]
    schedule: Chosen,
    #[command(flatten)]
    pub(crate) scenario: Scenario,
    #[command(flatten)]
    open: Openness,
    #[command(flatten)]
    traces: TraceOption,
    #[command(flatten)]
    reports: ReportOptions,
}

pub(crate) fn main(arguments: &Arguments, common: &Common, output: Output) -> Status {
    let run = run::Arguments {
        files: vec![arguments.file.clone()],
        scenario: arguments.scenario.clone(),
        running: run::Running {
            repeat: 1,
            schedule: Some(arguments.schedule.clone()),
            time: arguments.open.time,
            random: arguments.open.random,
            ..run::Running::default()
        },
        traces: arguments.traces.clone(),
        reports: arguments.reports.clone(),
    };
    run::held(&run, common, output, true)
}
