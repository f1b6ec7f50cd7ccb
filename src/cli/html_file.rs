//! `--html FILE`: a run as a page.

use std::path::Path;

use super::files;
use crate::diagnostic::Diagnostic;
use crate::judge::{Summary, Verdict};
use crate::report::html;
use crate::report::terminal::run_summary::command;
use crate::scenario::plan::Plan;
use crate::trace::Trace;

/// Several runs, and which of them is the one to look at, from 1.
pub(crate) type Repeated<'a> = Option<(&'a Summary, u64)>;

/// Writes the page of a run. `arguments` are those that the command to repeat it needs besides the file and the seed.
///
/// # Errors
/// Where the file cannot be written.
pub(crate) fn write(
    path: &Path,
    plan: &Plan,
    trace: &Trace,
    verdict: &Verdict,
    arguments: &[String],
    repeated: Repeated<'_>,
) -> Result<(), Box<Diagnostic>> {
    let page = text(plan, trace, verdict, arguments, repeated);
    files::replace(path, page.as_bytes()).map_err(|error| files::unwritable("the page", path, &error))
}

/// The page of a run.
pub(crate) fn text(
    plan: &Plan,
    trace: &Trace,
    verdict: &Verdict,
    arguments: &[String],
    repeated: Repeated<'_>,
) -> String {
    let command = command(plan, arguments);
    let (summary, run) = repeated.map_or((None, 1), |(summary, run)| (Some(summary), run));
    html::page(plan, trace, verdict, &html::Options { command: &command, summary, run })
}
