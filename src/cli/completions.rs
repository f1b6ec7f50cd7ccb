//! `ipcrun completions SHELL`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::output;
use super::status::Status;
use super::{arguments, run};

/// The arguments of `completions`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn main(arguments: &Arguments) -> Status {
    // Without a command the arguments are those of `run`.
    let mut command = run::Arguments::augment_args(arguments::Arguments::command());
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "ipcrun", &mut text);
    output::print(&String::from_utf8_lossy(&text));
    Status::Passed
}
