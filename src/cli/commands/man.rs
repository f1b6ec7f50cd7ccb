//! `ipcrun man`.

use clap::error::ErrorKind;
use clap::{Args, Command};
use clap_mangen::Man;

use crate::cli::output;
use crate::cli::status::Status;
use crate::text;

/// The arguments of `man`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The command whose page to print (default: ipcrun's own)
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

/// `whole` is the command line as a whole.
pub(crate) fn main(arguments: &Arguments, mut whole: Command) -> Status {
    let mut command = whole.clone();
    if let Some(name) = &arguments.command {
        whole.build();
        match whole.find_subcommand(name) {
            Some(found) => command = found.clone(),
            None => {
                let names: Vec<&str> = whole.get_subcommands().map(Command::get_name).collect();
                let message = format!("no command is called `{}`: they are {}", text::line(name), names.join(", "));
                let _ = whole.error(ErrorKind::InvalidValue, message).print();
                return Status::Invalid;
            }
        }
    }
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = Man::new(command).render(&mut text);
    output::print(&String::from_utf8_lossy(&text));
    Status::Passed
}
