//! The command line: its arguments, its commands, its exit statuses.
//!
//! One file a command. `options` is what several commands have; `session` is where a command meets the other rooms: text
//! in, verdict and report out; `suites` is what is done with several scenarios.

mod arguments;
mod catalogue;
mod check;
mod completions;
mod explain;
mod explore;
mod export;
mod files;
mod golden;
mod inputs;
mod list;
mod man;
mod options;
mod output;
mod page;
mod parts;
mod picture;
mod replay;
mod reports;
mod run;
mod schedules;
mod schema;
mod searching;
mod session;
mod signals;
mod status;
mod suites;
mod trace;
mod watch;
mod workers;

use std::env;
use std::io;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use crate::os::process;
use arguments::Command;
use options::Common;
use output::Output;

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    process::ignore_file_size_signal();
    let arguments = match arguments::parse(env::args_os().collect()) {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    let common = &arguments.common;
    let output = Output::new(common.color, common.error_format, common.ascii);
    log(common, output);
    let status = match &arguments.command {
        Command::Run(arguments) => run::main(arguments, common, output),
        Command::Explore(arguments) => explore::main(arguments, common, output),
        Command::Replay(arguments) => replay::main(arguments, common, output),
        Command::Watch(arguments) => watch::main(arguments, common, output),
        Command::Check(arguments) => check::main(arguments, common, output),
        Command::Trace(arguments) => trace::main(arguments, common, output),
        Command::List(arguments) => list::main(arguments, output),
        Command::Schema(arguments) => schema::main(arguments),
        Command::Explain(arguments) => explain::main(arguments, output),
        Command::Completions(arguments) => completions::main(arguments, arguments::whole()),
        Command::Man(arguments) => man::main(arguments, arguments::whole()),
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
