//! The exit statuses: one table, for the code and for the help.

use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::judge;

/// How ipcrun ends. Of several scenarios the one further down this list decides.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) enum Status {
    /// 0
    Passed,
    /// 4
    Nothing,
    /// 5
    Unknown,
    /// 1
    Failed,
    /// 3
    Host,
    /// 2
    Invalid,
    /// 130
    Interrupted,
}

impl Status {
    /// Every status, in the order of its number, with what it says.
    pub(crate) const TABLE: [(Self, u8, &'static str); 7] = [
        (Self::Passed, 0, "all expectations hold"),
        (Self::Failed, 1, "an expectation does not hold, or an unexpected deadlock, exit or timeout happened"),
        (Self::Invalid, 2, "a scenario or the arguments are invalid"),
        (Self::Host, 3, "the host could not provide a resource that was requested"),
        (Self::Nothing, 4, "no scenario was found"),
        (Self::Unknown, 5, "no expectation failed, but one is unknown"),
        (Self::Interrupted, 130, "interrupted; everything was cleaned up"),
    ];

    pub(crate) fn code(self) -> u8 {
        Self::TABLE.iter().find(|(status, ..)| *status == self).map_or(1, |(_, code, _)| *code)
    }

    /// What it means that nothing could be done for these reasons: the host's fault where all is right but for what the
    /// host does not give.
    pub(crate) fn refused(reasons: &[Diagnostic]) -> Self {
        let host = |reason: &Diagnostic| reason.code == Code::HOST_LIMIT || reason.severity == Severity::Warning;
        if !reasons.is_empty() && reasons.iter().all(host) { Self::Host } else { Self::Invalid }
    }

    /// The table as the help shows it.
    pub(crate) fn help() -> String {
        let lines = Self::TABLE.iter().map(|(_, code, meaning)| format!("  {code:>3}  {meaning}\n"));
        lines.collect::<String>().trim_end().to_owned()
    }
}

impl From<judge::Status> for Status {
    fn from(status: judge::Status) -> Self {
        match status {
            judge::Status::Pass => Self::Passed,
            judge::Status::Fail => Self::Failed,
            judge::Status::Unknown => Self::Unknown,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Status;

    #[test]
    fn the_worst_of_several_decides() {
        assert_eq!([Status::Failed, Status::Invalid, Status::Passed].iter().max(), Some(&Status::Invalid));
        assert_eq!([Status::Unknown, Status::Passed].iter().max().map(|status| status.code()), Some(5));
    }
}
