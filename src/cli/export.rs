//! The forms in which a trace can be written: by `--trace FILE`, whose ending chooses one, and by `trace FILE --to FORMAT`.

use std::io::{self, Write};
use std::path::Path;

use clap::ValueEnum;

use super::html_file;
use crate::diagnostic::{Code, Diagnostic};
use crate::judge::Verdict;
use crate::report::ci::test_suite::Suite;
use crate::report::ci::{ctrf, junit, sarif, tap};
use crate::report::export::{chrome, json, mermaid, shiviz};
use crate::report::terminal::{event_list, run_summary};
use crate::scenario::plan::Plan;
use crate::text;
use crate::trace::Trace;
use crate::trace::file::{self, Meta};

/// A form of a trace.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// One line for each event
    Text,
    /// The trace file, in the version of this ipcrun
    Jsonl,
    /// Chrome's trace format, for ui.perfetto.dev
    Chrome,
    /// A Mermaid sequence diagram
    Mermaid,
    /// A log for `ShiViz`
    Shiviz,
    /// An HTML page
    Html,
    /// The expectations, judged again
    Verdict,
    /// The verdict as one JSON document
    Json,
    /// The verdict as `JUnit` XML
    Junit,
    /// The verdict in the Test Anything Protocol
    Tap,
    /// The verdict in the Common Test Report Format
    Ctrf,
    /// What fails, in SARIF
    Sarif,
}

/// The endings of files that take a trace, and what is written to them.
const ENDINGS: [(&str, Format, &str); 7] = [
    ("jsonl", Format::Jsonl, "the trace file, for `ipcrun trace`"),
    ("json", Format::Chrome, "for ui.perfetto.dev"),
    ("mmd", Format::Mermaid, "a Mermaid sequence diagram"),
    ("shiviz", Format::Shiviz, "a ShiViz log"),
    ("log", Format::Shiviz, "the same"),
    ("html", Format::Html, "a page for a browser"),
    ("txt", Format::Text, "one line for each event"),
];

/// What a form shows.
pub(crate) struct Shown<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) trace: &'a Trace,
    pub(crate) verdict: &'a Verdict,
    pub(crate) meta: &'a Meta,
    /// Whether text is coloured.
    pub(crate) color: bool,
    /// Whether pictures keep to ASCII.
    pub(crate) ascii: bool,
    pub(crate) columns: usize,
    /// The arguments that a command to repeat the run needs besides the file and the seed.
    pub(crate) arguments: &'a [String],
}

impl Format {
    /// The form that a file's ending asks for.
    ///
    /// # Errors
    /// An ending that stands for none.
    pub(crate) fn of(path: &Path) -> Result<Self, Box<Diagnostic>> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("");
        let known = ENDINGS.iter().find(|(name, ..)| ending.eq_ignore_ascii_case(name));
        known.map(|(_, format, _)| *format).ok_or_else(|| {
            let message = format!("the extension of `{}` is not a trace format", path.display());
            let endings = ENDINGS.map(|(name, _, meaning)| format!(".{name} ({meaning})")).join(", ");
            Box::new(Diagnostic::error(Code::USAGE, message).help(format!("use {endings}")))
        })
    }

    /// Whether it is about the verdict, which then is the exit status too.
    pub(crate) fn judges(self) -> bool {
        matches!(self, Self::Verdict | Self::Json | Self::Junit | Self::Tap | Self::Ctrf | Self::Sarif)
    }

    /// Writes the trace.
    ///
    /// # Errors
    /// Those of `out`.
    pub(crate) fn write(self, out: &mut dyn Write, shown: &Shown<'_>) -> io::Result<()> {
        let Shown { plan, trace, verdict, meta, .. } = *shown;
        match self {
            Self::Text => event_list::write(out, plan, trace, shown.color, None),
            Self::Jsonl => file::write(out, plan, trace, meta),
            Self::Chrome => chrome::write(out, plan, trace, verdict),
            Self::Mermaid => out.write_all(mermaid::diagram(plan, trace, verdict).as_bytes()),
            Self::Shiviz => shiviz::write(out, plan, trace),
            Self::Html => out.write_all(html_file::text(plan, trace, verdict, shown.arguments, None).as_bytes()),
            Self::Verdict => out.write_all(shown.summary(shown.color).as_bytes()),
            Self::Json => writeln!(out, "{}", text::json(&json::run(plan, trace, verdict).to_string())),
            Self::Junit => out.write_all(junit::report(&[shown.suite()]).as_bytes()),
            Self::Tap => out.write_all(tap::report(&[shown.suite()]).as_bytes()),
            Self::Ctrf => out.write_all(ctrf::report(&[shown.suite()]).as_bytes()),
            Self::Sarif => out.write_all(sarif::report(&[shown.suite()]).as_bytes()),
        }
    }
}

impl Shown<'_> {
    fn summary(&self, color: bool) -> String {
        let options = run_summary::Options {
            color,
            picture: true,
            ascii: self.ascii,
            columns: self.columns,
            arguments: self.arguments,
        };
        run_summary::run(self.plan, self.trace, self.verdict, &options)
    }

    fn suite(&self) -> Suite {
        Suite::run(self.plan, self.trace, self.verdict, &self.meta.started, self.summary(false))
    }
}
