//! `ipcrun man`.

use std::io;

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use super::output;
use super::status::Status;
use super::{arguments, run};

/// The arguments of `man`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The command whose page to print; ipcrun's own where none is given
    #[arg(value_name = "COMMAND", value_parser = command)]
    command: Option<String>,
}

fn command(name: &str) -> Result<String, String> {
    let commands = arguments::commands();
    if commands.iter().any(|command| command == name) {
        return Ok(name.to_owned());
    }
    Err(format!("the commands are {}", commands.join(", ")))
}

pub(super) fn main(arguments: &Arguments) -> Status {
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = page(arguments.command.as_deref(), &mut text);
    output::print(&String::from_utf8_lossy(&text));
    Status::Passed
}

fn page(name: Option<&str>, text: &mut Vec<u8>) -> io::Result<()> {
    let mut root = arguments::Arguments::command();
    root.build();
    let command = match name.and_then(|name| root.find_subcommand(name)) {
        Some(command) => command.clone(),
        None => run::Arguments::augment_args(arguments::Arguments::command()),
    };
    Man::new(command).render(text)
}
