//! `ipcrun completions SHELL`.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::cli::output;
use crate::cli::status::Status;

/// The arguments of `completions`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// `whole` is the command line as a whole.
pub(crate) fn main(arguments: &Arguments, mut whole: Command) -> Status {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut whole, "ipcrun", &mut text);
    output::print(&String::from_utf8_lossy(&text));
    Status::Passed
}
