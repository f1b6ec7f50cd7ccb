//! One value for anything that has a place in a file, and its renderings.
//!
//! Every error in a scenario, a trace or a host is a [`Diagnostic`]: a stable [`Code`], a message,
//! its place and a fix. This room renders it (`render/`) and explains its code (`codes.rs`); it does not depend on the
//! subject of the message.

mod codes;
mod render;
mod source;
mod suggest;

pub use codes::{Code, EXPLANATIONS, Explanation, explain};
pub use render::{Format, render};
pub use source::{Place, Source};
pub use suggest::nearest;

use std::ops::Range;
use std::sync::Arc;

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Severity {
    /// The scenario cannot run, or an expectation does not hold.
    Error,
    /// It runs, but probably not as meant.
    Warning,
}

/// A range of a source with the words beside it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Label {
    /// Bytes of the source's text.
    pub span: Range<usize>,
    /// What to say there; may be empty.
    pub text: String,
}

/// A replacement that would mend the fault.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Suggestion {
    /// Bytes of the source's text to replace.
    pub span: Range<usize>,
    /// What to write there.
    pub replacement: String,
    /// "did you mean `acquire`?"
    pub message: String,
}

/// Something to tell about a place in a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Diagnostic {
    /// Which kind of fault it is; `ipcrun explain CODE` tells more.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// One lower-case sentence without a full stop.
    pub message: String,
    /// The file it is in. None where there is none, as for a missing file.
    pub source: Option<Arc<Source>>,
    /// Where it is; the file as a whole where there is no such place.
    pub primary: Option<Label>,
    /// Other places that have to do with it.
    pub secondary: Vec<Label>,
    /// What would mend it, as text to put in place.
    pub suggestion: Option<Suggestion>,
    /// What would mend it, in words.
    pub help: Vec<String>,
    pub notes: Vec<String>,
}

impl Diagnostic {
    /// An error without a place yet.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            source: None,
            primary: None,
            secondary: Vec::new(),
            suggestion: None,
            help: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A warning without a place yet.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Sets the file and the place in it.
    #[must_use]
    pub fn at(mut self, source: &Arc<Source>, span: Range<usize>, text: impl Into<String>) -> Self {
        self.source = Some(Arc::clone(source));
        self.primary = Some(Label { span, text: text.into() });
        self
    }

    /// Sets the file where the fault has no place within it.
    #[must_use]
    pub fn within(mut self, source: &Arc<Source>) -> Self {
        self.source = Some(Arc::clone(source));
        self
    }

    /// Adds another place that has to do with it.
    #[must_use]
    pub fn also(mut self, span: Range<usize>, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Proposes `replacement` for `span`.
    #[must_use]
    pub fn suggest(mut self, span: Range<usize>, replacement: impl Into<String>) -> Self {
        let replacement = replacement.into();
        let message = format!("did you mean `{replacement}`?");
        self.suggestion = Some(Suggestion { span, replacement, message });
        self
    }

    /// Proposes the nearest of `names` for what stands at `span`, where one is near.
    #[must_use]
    pub fn suggest_nearest<'a>(
        self,
        span: Range<usize>,
        wrong: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        match nearest(wrong, names) {
            Some(name) => self.suggest(span, name),
            None => self,
        }
    }

    /// Adds a line of help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}
