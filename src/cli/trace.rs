//! `ipcrun trace FILE`: a saved trace shown, converted, judged again.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::arguments::Common;
use super::output::{self, Output};
use super::run::Scenario;
use super::status::Status;
use super::{inputs, page, session};
use crate::diagnostic::{Code, Diagnostic, Source};
use crate::report::{terminal, text};
use crate::scenario::steps::STEPS;
use crate::trace::file;
use crate::{judge, objects};

/// The arguments of `trace`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// A trace that `run --trace` has saved; `-` is standard input
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath, help_heading = "Arguments")]
    pub(super) file: PathBuf,
    /// What to print: text, one line an event; jsonl, the trace file itself; verdict, its expectations judged again
    #[arg(long, short, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub(super) format: TraceFormat,
    /// Write it as a page that opens in a browser, judged again; nothing is printed then
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with = "format")]
    pub(super) html: Option<PathBuf>,
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
    match show(arguments, common, output) {
        Ok(status) => status,
        Err(diagnostics) => {
            output.report(&diagnostics);
            Status::Invalid
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
    let changes = Scenario { set: saved.meta.set.clone(), seed: Some(saved.seed), timeout: Some(saved.timeout) };
    let plan = session::load(&source, &changes)?.plan;
    let meta = saved.meta.clone();
    let trace = saved.into_trace(&plan)?;
    if let Some(path) = &arguments.html {
        let verdict = judge::judge(&plan, &trace);
        let set = meta.set.iter().flat_map(|(name, value)| ["--set".to_owned(), format!("{name}={value}")]);
        let written = page::write(path, &plan, &trace, &verdict, &set.collect::<Vec<_>>(), None);
        return match written {
            Ok(()) => Ok(verdict.status.into()),
            Err(diagnostic) => {
                output.report(&[*diagnostic]);
                Ok(Status::Host)
            }
        };
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match arguments.format {
        TraceFormat::Text => text::write(&mut out, &plan, &trace, output.color),
        TraceFormat::Jsonl => file::write(&mut out, &plan, &trace, &meta),
        TraceFormat::Verdict => {
            let verdict = judge::judge(&plan, &trace);
            let options = terminal::Options { color: output.color, columns: output::columns(), arguments: &[] };
            let status = Status::from(verdict.status);
            if !common.quiet || status != Status::Passed {
                let text = terminal::run(&plan, &trace, &verdict, &options);
                // Nobody reads any more: the verdict is in the exit status.
                let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            }
            return Ok(status);
        }
    };
    match written.and_then(|()| out.flush()) {
        Ok(()) => Ok(Status::Passed),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Status::Passed),
        Err(error) => {
            let message = format!("standard output cannot be written: {error}");
            output.report(&[Diagnostic::error(Code::HOST_LIMIT, message)]);
            Ok(Status::Host)
        }
    }
}

/// The verb of that name, of an object or of none.
fn verb(name: &str) -> Option<&'static str> {
    let of_kinds = objects::CATALOGUE.iter().flat_map(|kind| kind.verbs);
    STEPS.iter().chain(of_kinds).map(|verb| verb.name).chain(["begin", "end"]).find(|verb| *verb == name)
}
