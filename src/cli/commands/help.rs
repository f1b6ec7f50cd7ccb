//! `ipcrun help WORD`: a command, a word of the format or a code, whichever it is.

use clap::{Args, CommandFactory};

use super::list;
use crate::cli::arguments;
use crate::cli::full_catalogue;
use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::status::Status;
use crate::diagnostic::{Code, Diagnostic, explain, nearest};
use crate::report::catalogue;

/// The arguments of `help`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// A command, a kind, verb, step, expectation or function, or the code of a diagnostic
    #[arg(value_name = "WORD")]
    word: Option<String>,
}

pub(crate) fn main(arguments: &Arguments, output: Output) -> Status {
    let mut whole = arguments::Arguments::command();
    whole.build();
    let Some(word) = &arguments.word else {
        output::print(&whole.render_help().to_string());
        return Status::Passed;
    };
    if let Some(command) = whole.find_subcommand_mut(word) {
        output::print(&command.render_help().to_string());
        return Status::Passed;
    }
    if let Some(explanation) = explain(word) {
        output::print(explanation.text);
        return Status::Passed;
    }
    let catalogue = full_catalogue::catalogue();
    let text = catalogue::entry(&catalogue, word);
    if !text.is_empty() {
        output::print(&text);
        return Status::Passed;
    }
    if catalogue.later.contains(&word.as_str()) {
        output.report(&[list::unknown(&catalogue, word)]);
        return Status::Invalid;
    }
    let commands: Vec<&str> = whole.get_subcommands().map(clap::Command::get_name).collect();
    let mut diagnostic = Diagnostic::error(Code::USAGE, format!("there is no help on `{word}`"));
    if let Some(near) = nearest(word, commands.into_iter().chain(catalogue::names(&catalogue))) {
        diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
    }
    output.report(&[diagnostic.help("`ipcrun --help` shows the commands, `ipcrun list` the words of scenarios")]);
    Status::Invalid
}
