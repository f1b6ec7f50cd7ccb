//! `ipcrun example`: the shipped scenarios.

use std::path::PathBuf;

use clap::Args;

use super::init;
use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::status::Status;
use crate::diagnostic::{Code, Diagnostic, nearest};

/// A scenario that is shipped.
struct Example {
    name: &'static str,
    /// Whether it is one of the textbook problems.
    classic: bool,
    text: &'static str,
}

static EXAMPLES: &[Example] = include!(concat!(env!("OUT_DIR"), "/examples.rs"));

impl Example {
    /// Its text without the line that says where its schema is in the repository.
    fn text(&self) -> &'static str {
        match self.text.split_once('\n') {
            Some((first, rest)) if first.starts_with("#:schema") => rest,
            _ => self.text,
        }
    }

    /// What it says that it is about.
    fn about(&self) -> String {
        let table: Option<toml::Table> = self.text.parse().ok();
        let about = table.as_ref().and_then(|table| table.get("about")).and_then(toml::Value::as_str);
        about.unwrap_or_default().to_owned()
    }
}

/// The arguments of `example`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The example; without one, all are listed
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Write it to FILE, which must not exist, instead of printing it
    #[arg(long, value_name = "FILE", requires = "name")]
    write: Option<PathBuf>,
}

pub(crate) fn main(arguments: &Arguments, output: Output) -> Status {
    let Some(name) = &arguments.name else {
        output::print(&list());
        return Status::Passed;
    };
    let wanted = name.strip_suffix(".toml").unwrap_or(name);
    let Some(example) = EXAMPLES.iter().find(|example| example.name == wanted) else {
        let mut diagnostic = Diagnostic::error(Code::USAGE, format!("there is no example `{name}`"));
        if let Some(near) = nearest(wanted, EXAMPLES.iter().map(|example| example.name)) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        }
        output.report(&[diagnostic.help("`ipcrun example` lists them all")]);
        return Status::Invalid;
    };
    match &arguments.write {
        None => output::print(example.text()),
        Some(path) => {
            if let Err(status) = init::write_new(path, example.text(), output) {
                return status;
            }
        }
    }
    Status::Passed
}

/// Their names and what they are about.
fn list() -> String {
    let width = EXAMPLES.iter().map(|example| example.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (classic, title) in [(false, "Objects"), (true, "Classics")] {
        text.push_str(&format!("{}{title}:\n", if text.is_empty() { "" } else { "\n" }));
        for example in EXAMPLES.iter().filter(|example| example.classic == classic) {
            text.push_str(&format!("  {:width$}  {}\n", example.name, example.about()));
        }
    }
    text + "\n`ipcrun example NAME` prints one, `ipcrun example NAME --write FILE` writes it to a file.\n"
}
