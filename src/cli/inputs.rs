//! Reads the scenarios that arguments name: files, directories, standard input.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;

use super::options::{Common, Scenario};
use super::output::{self, Output};
use super::run_scenario;
use super::status::Status;
use crate::diagnostic::{Code, Diagnostic, Source, nearest};
use crate::os::fault;
use crate::os::limits::Limit;
use crate::scenario::matrix;

/// The largest scenario that is read. A mistaken path to a device or an image is refused before memory is gone.
const LARGEST: u64 = 4 << 20;
/// The largest other file that is read whole.
const LARGEST_OTHER: u64 = 64 << 20;

/// A scenario that was named, read or not.
#[derive(Debug)]
pub(crate) struct Input {
    /// Its path as the user would write it.
    pub(crate) path: String,
    /// Its text, or why there is none.
    pub(crate) source: Result<Arc<Source>, Box<Diagnostic>>,
    /// What tells it from the others of one file: the combination of its matrix.
    pub(crate) set: Vec<(String, String)>,
}

impl Input {
    fn new(path: String, source: Result<Arc<Source>, Box<Diagnostic>>) -> Self {
        Self { path, source, set: Vec::new() }
    }

    /// Its path, and its combination.
    pub(crate) fn label(&self) -> String {
        let set: Vec<_> = self.set.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if set.is_empty() { self.path.clone() } else { format!("{} [{}]", self.path, set.join(", ")) }
    }

    /// The scenario with its combination.
    pub(crate) fn changes<'a>(&self, changes: &'a Scenario) -> Cow<'a, Scenario> {
        let mut changes = Cow::Borrowed(changes);
        if !self.set.is_empty() {
            changes.to_mut().set.extend(self.set.iter().cloned());
        }
        changes
    }
}

/// The scenarios that a command was given, one for each combination of a matrix.
///
/// # Errors
/// The exit status where there is none, or a choice that leaves none: that is reported.
pub(crate) fn given(
    files: &[PathBuf],
    changes: &Scenario,
    common: &Common,
    output: Output,
) -> Result<Vec<Input>, Status> {
    match collect(files, &common.commands).and_then(|inputs| combinations(inputs, changes)) {
        Ok(inputs) if inputs.is_empty() => {
            output::eprint(&nothing(files));
            Err(Status::Nothing)
        }
        Ok(inputs) => Ok(inputs),
        Err(diagnostic) => {
            let reasons = [*diagnostic];
            output.report(&reasons);
            Err(Status::refused(&reasons))
        }
    }
}

/// An input for each combination of each matrix, those that `--matrix` chooses.
///
/// # Errors
/// A choice that leaves no scenario.
pub(crate) fn combinations(inputs: Vec<Input>, changes: &Scenario) -> Result<Vec<Input>, Box<Diagnostic>> {
    let options = run_scenario::load_options(changes);
    let mut all = Vec::new();
    for input in inputs {
        let found = input.source.as_ref().map(|source| matrix::combinations(source, &options)).unwrap_or_default();
        if found.is_empty() {
            all.push(input);
            continue;
        }
        let mut first = Input { path: input.path.clone(), source: input.source.clone(), set: found[0].clone() };
        if found.len() > 1 && run_scenario::load_input(&first, changes).is_err() {
            // What is wrong with it is said once.
            first.set.clear();
            all.push(first);
            continue;
        }
        for set in found {
            if changes.matrix.iter().all(|chosen| set.contains(chosen)) {
                all.push(Input { path: input.path.clone(), source: input.source.clone(), set });
            }
        }
    }
    let known = |(name, _): &&(String, String)| {
        !all.iter().any(|input: &Input| input.set.iter().any(|(other, _)| other == name))
    };
    if let Some((name, value)) = changes.matrix.iter().find(known) {
        let message = format!("`--matrix {name}={value}`: no scenario has that combination");
        return Err(Box::new(Diagnostic::error(Code::USAGE, message)));
    }
    Ok(all)
}

/// Every scenario the arguments name, in their order, directories sorted. Empty where directories hold none. `commands`
/// are the names of ipcrun's commands.
///
/// # Errors
/// A path that does not exist and is near the name of a command: the command line is wrong as a whole.
fn collect(paths: &[PathBuf], commands: &[String]) -> Result<Vec<Input>, Box<Diagnostic>> {
    let mut inputs = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            inputs.push(Input::new("standard input".to_owned(), read(io::stdin().lock(), "standard input")));
        } else if path.is_dir() {
            let mut found = Vec::new();
            walk(path, &mut found, &mut inputs);
            inputs.extend(found.iter().map(PathBuf::as_path).map(open));
        } else {
            if let Some(command) = mistyped(path, commands) {
                return Err(Box::new(command));
            }
            inputs.push(open(path));
        }
    }
    Ok(inputs)
}

/// Collects `*.toml` below a directory, sorted. Hidden names are skipped, links to directories not followed.
fn walk(directory: &Path, found: &mut Vec<PathBuf>, unreadable: &mut Vec<Input>) {
    let entries = fs::read_dir(directory).and_then(std::iter::Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            let path = directory.display().to_string();
            let source = Err(cannot_read(&path, &error));
            unreadable.push(Input::new(path, source));
            return;
        }
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if hidden {
        } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&path, found, unreadable);
        } else if path.extension().is_some_and(|extension| extension == "toml") && path.is_file() {
            found.push(path);
        }
    }
}

/// Reads one file. Its name is what reports say: without a `./`, which no tool that reads them expects.
pub(crate) fn open(path: &Path) -> Input {
    let plain = path.strip_prefix(".").ok().filter(|plain| !plain.as_os_str().as_encoded_bytes().starts_with(b"-"));
    let name = plain.unwrap_or(path).display().to_string();
    let opened = fault::call("open", &[Errno::EMFILE, Errno::EIO], || fs::File::open(path));
    let source = opened.map_err(|error| cannot_read(&name, &error)).and_then(|file| read(file, &name));
    Input::new(name, source)
}

fn read(from: impl Read, path: &str) -> Result<Arc<Source>, Box<Diagnostic>> {
    let mut bytes = Vec::new();
    let mut from = from.take(LARGEST + 1);
    let read = fault::call("read", &[Errno::EIO, Errno::ENOMEM], || from.read_to_end(&mut bytes));
    read.map_err(|error| cannot_read(path, &error))?;
    if bytes.len() as u64 > LARGEST {
        let message = format!("`{path}` is larger than {} MiB: it is not a scenario", LARGEST >> 20);
        return Err(Box::new(Diagnostic::error(Code::UNREADABLE, message)));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Arc::new(Source::new(path, text))),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let line = String::from_utf8_lossy(&error.as_bytes()[..at]).matches('\n').count() + 1;
            let message = format!("`{path}` is not text: byte {at}, on line {line}, is not UTF-8");
            Err(Box::new(Diagnostic::error(Code::UNREADABLE, message)))
        }
    }
}

/// The whole of a file that is no scenario: a kept trace, a part of an exploration.
///
/// # Errors
/// Those of reading it; one that is too large to be such a file.
pub(crate) fn whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(LARGEST_OTHER + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_OTHER {
        let message = format!("it is larger than {} MiB", LARGEST_OTHER >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// Why a file cannot be read.
pub(crate) fn cannot_read(path: &str, error: &io::Error) -> Box<Diagnostic> {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ if error.raw_os_error().is_some() => error.to_string().to_lowercase(),
        _ => error.to_string(),
    };
    // What is wrong with the path is wrong with the arguments; else the host does not give what is there.
    let code = match error.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::InvalidData
        | io::ErrorKind::InvalidFilename
        | io::ErrorKind::FileTooLarge => Code::UNREADABLE,
        _ if error.raw_os_error() == Some(libc::ELOOP) => Code::UNREADABLE,
        _ => Code::HOST_LIMIT,
    };
    let mut diagnostic = Diagnostic::error(code, format!("`{path}` cannot be read: {reason}"));
    diagnostic.help.extend(Limit::help_for(error));
    Box::new(diagnostic)
}

/// A path that does not exist and looks like a command.
fn mistyped(path: &Path, commands: &[String]) -> Option<Diagnostic> {
    let name = path.to_str().filter(|name| !name.contains(['/', '.']))?;
    if path.exists() {
        return None;
    }
    let command = nearest(name, commands.iter().map(String::as_str))?;
    let message = format!("there is no file and no command `{name}`");
    let help = if command == name {
        format!("the command comes first: `ipcrun {command} ...`")
    } else {
        format!("did you mean the command `{command}`?")
    };
    let message = if command == name { format!("there is no file `{name}`") } else { message };
    Some(Diagnostic::error(Code::USAGE, message).help(help))
}

/// What to say where the arguments name no scenario at all.
fn nothing(paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
    format!("error: no scenario found: there is no `*.toml` in {}\n", paths.join(", "))
}
