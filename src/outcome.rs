//! How a step can end: `ok`, or one of the named outcomes, or the name of another errno.

use std::fmt;

/// The outcome of a step, one byte wide so that it fits a trace record.
///
/// Values below 64 are the named outcomes; the others are 64 plus an errno.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Outcome(u8);

macro_rules! outcomes {
    ($($name:ident = $number:literal, $text:literal, $summary:literal;)*) => {
        impl Outcome {
            $(#[doc = $summary] pub const $name: Self = Self($number);)*

            /// Every named outcome, with what it means.
            pub const NAMED: &'static [(Self, &'static str, &'static str)] =
                &[$((Self::$name, $text, $summary),)*];
        }
    };
}

outcomes! {
    OK = 0, "ok", "the step succeeded";
    TIMEOUT = 1, "timeout", "the step's `timeout` passed first";
    WOULD_BLOCK = 2, "would_block", "the step has `timeout = \"0s\"` and could not be done at once";
    CLOSED = 3, "closed", "end of file: every writer has closed its end, and no message is left";
    BROKEN = 4, "broken", "no process holds the other end any more (EPIPE), or the barrier is broken";
    TOO_BIG = 5, "too_big", "the message is larger than the object or the buffer allows (EMSGSIZE, E2BIG)";
    OWNER_DIED = 6, "owner_died", "the mutex is locked now; its last owner died while it held the mutex (EOWNERDEAD)";
    UNRECOVERABLE = 7, "unrecoverable", "the mutex was unlocked without a `repair` after its owner died (ENOTRECOVERABLE)";
    NOT_OWNER = 8, "not_owner", "only the owner may do this (EPERM)";
    WOULD_DEADLOCK = 9, "would_deadlock", "the process would wait for itself (EDEADLK)";
    OVERFLOW = 10, "overflow", "the result does not fit the type, or the count exceeds its bound";
    OUT_OF_RANGE = 11, "out_of_range", "the index or value is outside the range of the object";
    WRONG_END = 12, "wrong_end", "the end does not support the operation: it only receives, or only sends (EBADF)";
    EXISTS = 13, "exists", "the name exists already (EEXIST)";
    NOT_FOUND = 14, "not_found", "the name does not exist (ENOENT)";
    BUSY = 15, "busy", "the object is in use in a way that excludes this (EBUSY)";
    REFUSED = 16, "refused", "permission is missing, or no process listens (EACCES, ECONNREFUSED)";
    IN_USE = 17, "in_use", "it is in use already, such as a process that is already started (EADDRINUSE)";
    INVALID = 18, "invalid", "the operation is not valid: a closed end, a wrong type, a division by zero (EINVAL, EBADF)";
    NO_PROCESS = 19, "no_process", "the process has ended and was joined (ESRCH)";
    INTERRUPTED = 20, "interrupted", "a signal handler ended the wait (EINTR)";
    BUS_ERROR = 21, "bus_error", "the memory was cut short: behind its end there is nothing to access (SIGBUS)";
    FAILED = 63, "failed", "in `on` and in patterns: any outcome but `ok`";
}

const ERRNO: u8 = 64;

impl Outcome {
    /// The outcome as its byte in a trace record.
    pub const fn code(self) -> u8 {
        self.0
    }

    /// The outcome a trace record's byte stands for.
    pub const fn from_code(code: u8) -> Self {
        Self(code)
    }

    /// The outcome that stands for an errno of the kernel: a named one where format and errno(3) agree.
    pub const fn from_errno(errno: i32) -> Self {
        match errno {
            0 => Self::OK,
            libc::ETIMEDOUT => Self::TIMEOUT,
            libc::EAGAIN => Self::WOULD_BLOCK,
            libc::EPIPE | libc::ECONNRESET => Self::BROKEN,
            libc::EMSGSIZE | libc::E2BIG => Self::TOO_BIG,
            libc::EOWNERDEAD => Self::OWNER_DIED,
            libc::ENOTRECOVERABLE => Self::UNRECOVERABLE,
            libc::EPERM => Self::NOT_OWNER,
            libc::EDEADLK => Self::WOULD_DEADLOCK,
            libc::EOVERFLOW => Self::OVERFLOW,
            libc::ERANGE | libc::EDOM => Self::OUT_OF_RANGE,
            libc::EEXIST => Self::EXISTS,
            libc::ENOENT => Self::NOT_FOUND,
            libc::EBUSY => Self::BUSY,
            libc::EACCES | libc::ECONNREFUSED => Self::REFUSED,
            libc::EADDRINUSE => Self::IN_USE,
            libc::EINVAL | libc::EBADF => Self::INVALID,
            libc::ESRCH => Self::NO_PROCESS,
            libc::EINTR => Self::INTERRUPTED,
            other if other < 0 => Self(ERRNO),
            other if other > 190 => Self(ERRNO + 190),
            other => Self(ERRNO + other as u8),
        }
    }

    /// Whether the step did what it says.
    pub fn is_ok(self) -> bool {
        self == Self::OK
    }

    /// The outcome's name in a scenario: a named outcome, or an errno's name such as `ENOSPC`.
    pub fn name(self) -> String {
        self.to_string()
    }

    /// The outcome of that name.
    pub fn parse(name: &str) -> Option<Self> {
        if let Some((outcome, ..)) = Self::NAMED.iter().find(|(_, text, _)| *text == name) {
            return Some(*outcome);
        }
        (1..=133).find(|n| errno_name(*n) == name).map(Self::from_errno)
    }
}

/// `EAGAIN` for 11, from nix's own table.
fn errno_name(errno: i32) -> String {
    format!("{:?}", nix::errno::Errno::from_raw(errno))
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMED.iter().find(|(outcome, ..)| outcome == self) {
            Some((_, text, _)) => f.write_str(text),
            None => f.write_str(&errno_name(i32::from(self.0.saturating_sub(ERRNO)))),
        }
    }
}

/// A set of outcomes: what a handler takes, what a pattern allows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Outcomes([u64; 4]);

impl Outcomes {
    pub const NONE: Self = Self([0; 4]);
    /// Every outcome, `ok` among them.
    pub const ALL: Self = Self([u64::MAX; 4]);

    /// The set of one outcome; of all but `ok` for [`Outcome::FAILED`].
    pub fn of(outcome: Outcome) -> Self {
        if outcome == Outcome::FAILED {
            return Self([u64::MAX - 1, u64::MAX, u64::MAX, u64::MAX]);
        }
        let mut set = Self::NONE;
        set.0[usize::from(outcome.0 >> 6)] |= 1 << (outcome.0 & 63);
        set
    }

    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
        self
    }

    /// Whether the outcome is in the set.
    pub fn contains(self, outcome: Outcome) -> bool {
        self.0[usize::from(outcome.0 >> 6)] & (1 << (outcome.0 & 63)) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_outcomes() {
        for (outcome, name, _) in Outcome::NAMED {
            assert_eq!(Outcome::parse(name), Some(*outcome));
        }
        assert_eq!(Outcome::parse("ENOSPC"), Some(Outcome::from_errno(libc::ENOSPC)));
        assert_eq!(Outcome::from_errno(libc::ENOSPC).name(), "ENOSPC");
        assert_eq!(Outcome::parse("EAGAIN"), Some(Outcome::WOULD_BLOCK));
        assert_eq!(Outcome::parse("nonsense"), None);
    }

    #[test]
    fn failed_is_everything_but_ok() {
        let failed = Outcomes::of(Outcome::FAILED);
        assert!(!failed.contains(Outcome::OK));
        assert!(failed.contains(Outcome::TIMEOUT) && failed.contains(Outcome::from_errno(libc::ENOSPC)));
    }
}
