//! `ipcrun explain CODE`.

use clap::Args;

use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::status::Status;
use crate::diagnostic::{Code, Diagnostic, EXPLANATIONS, explain, nearest};

/// The arguments of `explain`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The code, such as E0102; without one, all codes are listed
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

pub(crate) fn main(arguments: &Arguments, output: Output) -> Status {
    let Some(code) = &arguments.code else {
        let lines = EXPLANATIONS.iter().map(|explanation| format!("{}  {}\n", explanation.code, explanation.title));
        output::print(&lines.collect::<String>());
        return Status::Passed;
    };
    if let Some(explanation) = explain(code) {
        output::print(explanation.text);
        return Status::Passed;
    }
    let codes: Vec<String> = EXPLANATIONS.iter().map(|explanation| explanation.code.to_string()).collect();
    let diagnostic = Diagnostic::error(Code::USAGE, format!("there is no code `{code}`"));
    output.report(&[match nearest(&code.to_uppercase(), codes.iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`? `ipcrun explain` lists them all")),
        None => diagnostic.help("`ipcrun explain` lists them all"),
    }]);
    Status::Invalid
}
