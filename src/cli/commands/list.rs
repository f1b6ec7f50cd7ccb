//! `ipcrun list`: the catalogue.

use clap::Args;

use crate::cli::full_catalogue;
use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::status::Status;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::report::catalogue::{self, Catalogue};

/// The arguments of `list`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// A kind, verb, step, expectation or function; without one, all names are listed
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Print the whole reference, as Markdown
    #[arg(long, conflicts_with = "name")]
    markdown: bool,
}

pub(crate) fn main(arguments: &Arguments, output: Output) -> Status {
    let catalogue = full_catalogue::catalogue();
    let Some(name) = &arguments.name else {
        let text = if arguments.markdown { catalogue::markdown(&catalogue) } else { catalogue::overview(&catalogue) };
        output::print(&text);
        return Status::Passed;
    };
    let text = catalogue::entry(&catalogue, name);
    if !text.is_empty() {
        output::print(&text);
        return Status::Passed;
    }
    output.report(&[unknown(&catalogue, name)]);
    Status::Invalid
}

/// That a word is none of the catalogue.
pub(super) fn unknown(catalogue: &Catalogue, name: &str) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(Code::USAGE, format!("`{name}` is not in the catalogue"));
    if catalogue.later.contains(&name) {
        diagnostic = Diagnostic::error(Code::LATER, format!("`{name}` is not supported yet"));
    } else if let Some(near) = nearest(name, catalogue::names(catalogue)) {
        diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
    }
    diagnostic.help("`ipcrun list` shows all names")
}
