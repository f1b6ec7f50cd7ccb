//! `ipcrun trace FILE`: a saved trace shown, converted, judged again.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::cli::explore_args;
use crate::cli::export::{Format, Shown};
use crate::cli::options::{Common, Scenario, Trust};
use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::status::Status;
use crate::cli::timeline_choice::{Picture, ViewChoice};
use crate::cli::{html_file, inputs, run_scenario};
use crate::diagnostic::{Code, Diagnostic, Source};
use crate::judge::{self, Matches};
use crate::objects;
use crate::objects::kinds::signals::HANDLED;
use crate::scenario::steps::STEPS;
use crate::trace::file;

/// The arguments of `trace`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// A trace of `ipcrun run --trace`; `-` is standard input
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath, help_heading = "Arguments")]
    pub(crate) file: PathBuf,
    /// What to print: text (one line for each event), jsonl (the trace file itself), chrome (for ui.perfetto.dev), mermaid,
    /// shiviz, html; or the expectations, judged again: verdict, json, junit, tap, ctrf, sarif
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
    /// Judge a trace that takes more than SIZE of memory as far as that is possible without its events in memory; without
    /// it a quarter of the memory that is free
    #[arg(long, value_name = "SIZE", value_parser = explore_args::size)]
    pub(crate) max_trace: Option<usize>,
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
    let most = arguments.max_trace.map(|bytes| bytes as u64).or_else(|| run_scenario::share(1));
    if arguments.file == Path::new("-") {
        judge_and_show(arguments, common, output, file::open("standard input", io::stdin().lock(), &verb)?, most)
    } else {
        let opened = File::open(&arguments.file).and_then(|file| {
            let directory = file.metadata()?.is_dir();
            if directory { Err(io::Error::from(io::ErrorKind::IsADirectory)) } else { Ok(file) }
        });
        let file = opened.map_err(|error| vec![*inputs::cannot_read(&path, &error)])?;
        judge_and_show(arguments, common, output, file::open(&path, BufReader::new(file), &verb)?, most)
    }
}

fn judge_and_show(
    arguments: &Arguments,
    common: &Common,
    output: Output,
    opened: file::Opened<'_, impl BufRead>,
    most: Option<u64>,
) -> Result<Status, Vec<Diagnostic>> {
    let first = opened.saved();
    let source = match &arguments.scenario {
        None => Arc::new(Source::new(first.path.clone(), first.text.clone())),
        Some(scenario) => inputs::open(scenario).source.map_err(|diagnostic| vec![*diagnostic])?,
    };
    let changes = Scenario {
        set: first.meta.set.clone(),
        matrix: Vec::new(),
        seed: Some(first.seed),
        timeout: Some(first.timeout),
        trust: arguments.trust,
    };
    let meta = first.meta.clone();
    let plan = run_scenario::load(&source, &changes)?.plan;
    let mut matches = Matches::new(&plan);
    let saved = opened.read(most, &mut |event| matches.take(event))?;
    let mut trace = saved.into_trace(&plan)?;
    if let Some(beyond) = &mut trace.beyond {
        beyond.matches = matches.counts().to_vec();
        if arguments.to != Some(Format::Verdict) {
            let message = judge::beyond(beyond);
            let help = "`--max-trace` allows more; `--to verdict` judges what can be judged without them";
            return Err(vec![Diagnostic::error(Code::HOST_LIMIT, message).help(help)]);
        }
    }
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
    STEPS.iter().chain(of_kinds).map(|verb| verb.name).chain(["begin", "end", HANDLED]).find(|verb| *verb == name)
}
