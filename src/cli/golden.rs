//! `--golden` and `--bless`: compares the trace of a run with a golden trace.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files;
use super::inputs;
use super::output::{self, Output};
use crate::diagnostic::{Code, Diagnostic};
use crate::report::ci::golden;
use crate::scenario::matrix;
use crate::scenario::plan::Plan;
use crate::trace::Trace;

/// Where kept traces are, and what is done with them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Golden {
    /// The directory; beside each scenario where there is none.
    pub(crate) directory: Option<PathBuf>,
    /// Whether they are written anew.
    pub(crate) bless: bool,
}

/// What came of it.
pub(crate) struct Outcome {
    /// Whether the run did what was kept.
    pub(crate) same: bool,
    pub(crate) text: String,
}

impl Golden {
    /// The file of a scenario: its name with `.golden` for `.toml`, and before that the combination of its matrix.
    fn file(&self, plan: &Plan) -> PathBuf {
        let plain = |c: char| if c == '/' || c.is_control() { '-' } else { crate::text::harmless(c) };
        let set = plan.combination.iter().map(|(name, value)| format!("{name}={}.", matrix::text(value)));
        let set: String = set.collect::<String>().chars().map(plain).collect();
        let file = Path::new(plan.source.path.raw()).with_extension(format!("{set}golden"));
        match (&self.directory, file.file_name()) {
            (Some(directory), Some(name)) => directory.join(name),
            _ => file,
        }
    }

    /// Keeps the trace, or compares it with the one that is kept.
    ///
    /// # Errors
    /// A file that cannot be read or written.
    pub(crate) fn take(
        &self,
        plan: &Plan,
        trace: &Trace,
        schedule: &str,
        output: Output,
    ) -> Result<Outcome, Vec<Diagnostic>> {
        let file = self.file(plan);
        let shown = file.display();
        let text = golden::text(plan, trace, schedule);
        let kept = match inputs::whole(&file) {
            Ok(kept) => Some(String::from_utf8_lossy(&kept).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(vec![*inputs::cannot_read(&shown.to_string(), &error)]),
        };
        let known = kept.as_deref().unwrap_or("");
        let changes = golden::difference(known, &text, output.color, output::columns());
        if changes.is_empty() && kept.is_some() {
            return Ok(Outcome { same: true, text: format!("  = matches {shown}\n") });
        }
        if self.bless {
            let written =
                file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| files::replace(&file, text.as_bytes()));
            written.map_err(|error| {
                let message = format!("`{shown}` cannot be written: {error}");
                vec![Diagnostic::error(Code::HOST_LIMIT, message)]
            })?;
            let what = if kept.is_some() { "updated" } else { "created" };
            return Ok(Outcome { same: true, text: format!("  = {what} {shown}\n") });
        }
        let text = match kept {
            Some(_) => format!("  ≠ differs from {shown}; `--bless` updates it\n{changes}"),
            None => format!("  ≠ {shown} does not exist; run with `--bless` to create it\n"),
        };
        Ok(Outcome { same: false, text })
    }
}
