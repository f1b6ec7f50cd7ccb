//! The command line: its arguments, its commands, its exit statuses.
//!
//! `commands` has one file for each command. `options` holds the options that commands share, `run_scenario` takes one
//! scenario from its text to its report, `batch` runs several scenarios, each in a process of its own if several at
//! once.

mod arguments;
mod batch;
pub(crate) mod commands;
mod explore_args;
mod export;
mod files;
mod full_catalogue;
mod golden;
mod growing;
mod html_file;
mod inputs;
mod options;
mod output;
mod playing;
mod reports;
mod run_scenario;
mod schedules;
mod sharding;
mod status;
mod timeline_choice;
mod worker_processes;

use std::env;
use std::io;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use crate::os::{fault, process};
use arguments::Command;
use options::Common;
use output::Output;

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    if let Err(error) = fault::arm() {
        output::eprint(&format!("error: the switch of faults cannot be used: {error}\n"));
        return status::Status::Host.into();
    }
    process::ignore_file_size_signal();
    let arguments = match arguments::parse(env::args_os().collect()) {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    let common = &arguments.common;
    let output = Output::new(common.color, common.error_format, common.ascii);
    log(common, output);
    if let Err(diagnostic) = arguments.command.trust().confine() {
        output.report(&[*diagnostic]);
        return status::Status::Host.into();
    }
    let status = match &arguments.command {
        Command::Run(arguments) => commands::run::main(arguments, common, output),
        Command::Explore(arguments) => commands::explore::main(arguments, common, output),
        Command::Replay(arguments) => commands::replay::main(arguments, common, output),
        Command::Step(arguments) => commands::step::main(arguments, common, output),
        Command::Mutate(arguments) => commands::mutate::main(arguments, common, output),
        Command::Watch(arguments) => commands::watch::main(arguments, common, output),
        Command::Check(arguments) => commands::check::main(arguments, common, output),
        Command::Trace(arguments) => commands::trace::main(arguments, common, output),
        Command::Init(arguments) => commands::init::main(arguments, output),
        Command::Example(arguments) => commands::example::main(arguments, output),
        Command::Help(arguments) => commands::help::main(arguments, output),
        Command::List(arguments) => commands::list::main(arguments, output),
        Command::Schema(arguments) => commands::schema::main(arguments),
        Command::Explain(arguments) => commands::explain::main(arguments, output),
        Command::Completions(arguments) => commands::completions::main(arguments, arguments::whole()),
        Command::Man(arguments) => commands::man::main(arguments, arguments::whole()),
    };
    match output::lost() {
        Some(lost) => {
            output.report(&[lost]);
            status.max(status::Status::Host).into()
        }
        None => status.into(),
    }
}

/// Logs to standard error what `-v` or `IPCRUN_LOG` ask for. Processes of a scenario never log: they only record.
fn log(common: &Common, output: Output) {
    let filter = match (common.verbose, env::var("IPCRUN_LOG")) {
        (0, Ok(filter)) if !filter.is_empty() => filter,
        (0, _) => return,
        (1, _) => "ipcrun=debug".to_owned(),
        // A line for each event of a scenario would bury the rest.
        (2, _) => "ipcrun=trace,ipcrun::event=off".to_owned(),
        _ => "ipcrun=trace".to_owned(),
    };
    match EnvFilter::try_new(&filter) {
        Ok(filter) => tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(io::stderr)
            .with_ansi(output.error_color)
            .without_time()
            .init(),
        Err(error) => output::eprint(&format!("warning: IPCRUN_LOG: {error}\n")),
    }
}
