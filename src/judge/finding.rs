//! What was found.

/// Whether an expectation holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// It could not be decided.
    Unknown,
}

/// What judging an expectation over one run found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Whether it holds in this run.
    pub status: Status,
    /// What was measured.
    pub measured: String,
    /// What was expected.
    pub expected: String,
    /// Why it is unknown, or vacuous.
    pub reason: Option<String>,
}

impl Finding {
    /// Something that could not be decided.
    pub fn unknown(expected: &str, measured: &str, reason: &str) -> Self {
        Self {
            status: Status::Unknown,
            measured: measured.to_owned(),
            expected: expected.to_owned(),
            reason: Some(reason.to_owned()),
        }
    }
}
