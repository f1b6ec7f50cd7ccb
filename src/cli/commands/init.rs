//! `ipcrun init`: a first scenario, with the schema for editors beside it.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::schema;
use crate::cli::files;
use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::status::Status;
use crate::diagnostic::{Code, Diagnostic};
use crate::text;

/// The name of the schema's file, as the first line of the scenario has it.
const SCHEMA: &str = "ipcrun.schema.json";

const FIRST: &str = include_str!("init.toml");

/// The arguments of `init`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The scenario, which must not exist
    #[arg(value_name = "FILE", default_value = "scenario.toml")]
    file: PathBuf,
}

pub(crate) fn main(arguments: &Arguments, output: Output) -> Status {
    let file = &arguments.file;
    if let Err(status) = write_new(file, FIRST, output) {
        return status;
    }
    let schema = file.with_file_name(SCHEMA);
    // The schema is this version's, whatever stood there.
    if let Err(error) = files::replace(&schema, schema::text().as_bytes()) {
        output.report(&[*files::unwritable("schema", &schema, &error)]);
        return Status::Host;
    }
    let [file, schema] = [file, &schema].map(|path| text::line(&path.to_string_lossy()).into_owned());
    let width = "ipcrun explore ".len() + file.chars().count();
    let line = |command: &str, what: &str| format!("  {command:width$}  {what}\n");
    output::print(&format!("wrote {file}, and {schema} for the editor\n\n"));
    output::print(&line(&format!("ipcrun {file}"), "runs it"));
    output::print(&line(&format!("ipcrun explore {file}"), "tries every order of its steps"));
    output::print(&line("ipcrun help WORD", "explains a kind, step or expectation; `ipcrun list` names them"));
    Status::Passed
}

/// Writes a file that must not exist yet.
///
/// # Errors
/// The exit status where it cannot be written, which is then reported.
pub(super) fn write_new(path: &Path, content: &str, output: Output) -> Result<(), Status> {
    let made = OpenOptions::new().write(true).create_new(true).open(path);
    made.and_then(|mut file| file.write_all(content.as_bytes())).map_err(|error| {
        let (status, diagnostic) = if error.kind() == io::ErrorKind::AlreadyExists {
            let shown = text::line(&path.to_string_lossy()).into_owned();
            let there = Diagnostic::error(Code::USAGE, format!("`{shown}` is there already"));
            (Status::Invalid, there.help("give another name, or remove it first"))
        } else {
            (Status::Host, *files::unwritable("scenario", path, &error))
        };
        output.report(&[diagnostic]);
        status
    })
}
