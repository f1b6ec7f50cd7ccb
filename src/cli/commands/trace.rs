//! `ipcrun trace FILE`: a saved trace shown, converted, judged again.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::cli::export::{Format, Shown};
use crate::cli::options::{Common, Scenario, Trust};
use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::status::Status;
use crate::cli::timeline_choice::{Picture, ViewChoice};
use crate::cli::{html_file, inputs, run_scenario};
use crate::diagnostic::{Diagnostic, Source};
use crate::scenario::steps::STEPS;
use crate::trace::file;
use crate::{judge, objects};

/// The arguments of `trace`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// A trace of `ipcrun run --trace`; `-` is standard input
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath, help_heading = "Arguments")]
    pub(crate) file: PathBuf,
    /// What to print: text (one line for each event), jsonl (the trace file itself), chrome (for ui.perfetto.dev), mermaid,
    /// shiviz, html; or the expectations, judged again: verdict, json, junit, tap
    #[arg(long, value_name = "FORMAT", hide_possible_values = true, conflicts_with_all = ["view", "axis"])]
    pub(crate) to: Option<Format>,
    #[command(flatten)]
    pub(crate) picture: Picture,
    /// Write the trace, judged again, as an HTML page, and print nothing
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with_all = ["to", "view", "axis"])]
    pub(crate) html: Option<PathBuf>,
    /// Judge the trace by this scenario instead of its own; objects, processes and steps must be the same
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) scenario: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: Trust,
}

pub(crate) fn main(arguments: &Arguments, common: &Common, output: Output) -> Status {
    match show(arguments, common, output) {
        Ok(status) => status,
        Err(diagnostics) => {
            output.report(&diagnostics);
            Status::refused(&diagnostics)
        }
    }
}

fn show(arguments: &Arguments, common: &Common, output: Output) -> Result<Status, Vec<Diagnostic>> {
    let path = arguments.file.display().to_string();
    let saved = if arguments.file == Path::new("-") {
        file::read("standard input", io::stdin().lock(), verb)?
    } else {
        let opened = File::open(&arguments.file).and_then(|file| {
            let directory = file.metadata()?.is_dir();
            if directory { Err(io::Error::from(io::ErrorKind::IsADirectory)) } else { Ok(file) }
        });
        let file = opened.map_err(|error| vec![*inputs::cannot_read(&path, &error)])?;
        file::read(&path, BufReader::new(file), verb)?
    };
    let source = match &arguments.scenario {
        None => Arc::new(Source::new(saved.path.clone(), saved.text.clone())),
        Some(scenario) => inputs::open(scenario).source.map_err(|diagnostic| vec![*diagnostic])?,
    };
    let changes = Scenario {
        set: saved.meta.set.clone(),
        seed: Some(saved.seed),
        timeout: Some(saved.timeout),
        trust: arguments.trust,
    };
    let plan = run_scenario::load(&source, &changes)?.plan;
    let meta = saved.meta.clone();
    let trace = saved.into_trace(&plan)?;
    let again: Vec<String> =
        meta.set.iter().flat_map(|(name, value)| ["--set".to_owned(), format!("{name}={value}")]).collect();
    if let Some(path) = &arguments.html {
        let verdict = judge::judge(&plan, &trace);
        return match html_file::write(path, &plan, &trace, &verdict, &again, None) {
            Ok(()) => Ok(Status::Passed),
            Err(diagnostic) => {
                output.report(&[*diagnostic]);
                Ok(Status::Host)
            }
        };
    }
    let verdict = judge::judge(&plan, &trace);
    let format = match (arguments.to, arguments.picture.view) {
        (Some(format), _) => format,
        (None, ViewChoice::Log) => Format::Text,
        (None, _) => {
            let text = arguments.picture.draw(&plan, &trace, &verdict, output::rows(), output);
            output::print(&text);
            return Ok(Status::Passed);
        }
    };
    let status = if format.judges() { Status::from(verdict.status) } else { Status::Passed };
    if format == Format::Verdict && common.quiet && status == Status::Passed {
        return Ok(status);
    }
    let shown = Shown {
        plan: &plan,
        trace: &trace,
        verdict: &verdict,
        meta: &meta,
        color: output.color,
        ascii: output.ascii,
        columns: output::columns(),
        arguments: &again,
    };
    output::print_by(|out| format.write(out, &shown));
    Ok(status)
}

/// The verb of that name, of an object or of none.
fn verb(name: &str) -> Option<&'static str> {
    let of_kinds = objects::CATALOGUE.iter().flat_map(|kind| kind.verbs);
    STEPS.iter().chain(of_kinds).map(|verb| verb.name).chain(["begin", "end"]).find(|verb| *verb == name)
}
