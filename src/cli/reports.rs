//! The reports for CI servers: over all scenarios, written once the last one has run.

use std::path::{Path, PathBuf};

use super::files::{self, Replacing};
use super::options::ReportOptions;
use super::output;
use crate::diagnostic::{Code, Diagnostic};
use crate::report::ci::test_suite::Suite;
use crate::report::ci::{ctrf, junit, sarif, tap};

/// How suites become a report.
type Form = fn(&[Suite]) -> String;

/// The reports that were asked for, each with the file that takes it; `-` is standard output. What is no
/// regular file is open already.
pub(crate) struct Reports {
    all: Vec<(PathBuf, Option<Replacing>, Form)>,
}

impl Reports {
    /// Tries the files, so that one that cannot be written is reported before anything runs.
    ///
    /// # Errors
    /// Two results for standard output, or a file that cannot be written.
    pub(crate) fn new(options: &ReportOptions) -> Result<Self, Box<Diagnostic>> {
        let asked = [
            (&options.junit, junit::report as Form),
            (&options.tap, tap::report),
            (&options.ctrf, ctrf::report),
            (&options.sarif, sarif::report),
        ];
        let mut reports = Self { all: Vec::new() };
        for (path, form) in asked {
            let Some(path) = path else { continue };
            let opened = if is_stdout(path) {
                None
            } else {
                files::probe(path).map_err(|error| files::unwritable("the report", path, &error))?
            };
            reports.all.push((path.clone(), opened, form));
        }
        let to_stdout = reports.all.iter().filter(|(path, ..)| is_stdout(path)).count();
        if to_stdout + usize::from(options.json) > 1 {
            let message = "standard output takes one of `--json`, `--junit -`, `--tap -`, `--ctrf -` and `--sarif -`";
            return Err(Box::new(Diagnostic::error(Code::USAGE, message)));
        }
        Ok(reports)
    }

    /// Whether there are any.
    pub(crate) fn any(&self) -> bool {
        !self.all.is_empty()
    }

    /// Whether one of them goes to standard output.
    pub(crate) fn take_stdout(&self) -> bool {
        self.all.iter().any(|(path, ..)| is_stdout(path))
    }

    /// Writes them.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn write(&mut self, suites: &[Suite]) -> Result<(), Box<Diagnostic>> {
        for (path, opened, form) in &mut self.all {
            let text = form(suites);
            if is_stdout(path) {
                output::print(&text);
                continue;
            }
            let written = match opened.take() {
                Some(opened) => opened.fill(text.as_bytes()),
                None => files::replace(path, text.as_bytes()),
            };
            written.map_err(|error| files::unwritable("the report", path, &error))?;
        }
        Ok(())
    }
}

fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}
