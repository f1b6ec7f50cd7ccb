//! `ipcrun check FILE..`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::inputs;
use crate::cli::options::{Common, Scenario};
use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::run_scenario;
use crate::cli::status::Status;
use crate::diagnostic::Diagnostic;

/// The arguments of `check`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Scenarios; directories are searched for *.toml; `-` is standard input
    #[arg(value_name = "FILE", required = true, value_hint = clap::ValueHint::AnyPath, help_heading = "Arguments")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) scenario: Scenario,
}

pub(crate) fn main(arguments: &Arguments, common: &Common, output: Output) -> Status {
    let inputs = match inputs::given(&arguments.files, &arguments.scenario, common, output) {
        Ok(inputs) => inputs,
        Err(status) => return status,
    };
    let (mut wrong, mut diagnostics, mut status) = (0, Vec::new(), Status::Passed);
    let total = inputs.len();
    for input in inputs {
        let said = match run_scenario::load_input(&input, &arguments.scenario) {
            Ok(loaded) => loaded.warnings,
            Err(errors) => {
                wrong += 1;
                status = status.max(Status::refused(&errors));
                errors
            }
        };
        // What is so of every combination of a matrix is said once.
        let new: Vec<Diagnostic> = said.into_iter().filter(|one| !diagnostics.contains(one)).collect();
        diagnostics.extend(new);
    }
    output.report(&diagnostics);
    if !common.quiet {
        let right = total - wrong;
        let plural = if total == 1 { "" } else { "s" };
        output::eprint(&match wrong {
            0 => format!("{total} scenario{plural} checked: no errors\n"),
            _ => format!("{total} scenario{plural} checked: {right} valid, {wrong} with errors\n"),
        });
    }
    status
}
