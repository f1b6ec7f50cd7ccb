//! What a scenario may ask of the host where its author is not trusted.

use std::ops::Range;

use super::document::Checker;
use crate::diagnostic::{Code, Diagnostic};

/// The most that a scenario may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Processes of all programs, those that a step starts among them.
    pub processes: u64,
    /// Objects, arrays expanded.
    pub objects: u64,
    /// The longest a run may take where the command line does not say, ns.
    pub timeout: u64,
}

impl Bounds {
    /// Those of `--untrusted`.
    pub const UNTRUSTED: Self = Self { processes: 64, objects: 256, timeout: super::DEFAULT_TIMEOUT };
}

impl Checker {
    /// Refuses what the bounds do not allow, at its place. `asks` names what it is and how much of it.
    pub(super) fn refuse(&mut self, span: Range<usize>, asks: &str, most: &str) {
        let message = format!("{asks}: a scenario that is not trusted {most}");
        let diagnostic = Diagnostic::error(Code::UNTRUSTED, message)
            .at(&self.source, span, "refused by `--untrusted`")
            .help("without `--untrusted` it may; see docs/trust.md");
        self.report(diagnostic);
    }
}
