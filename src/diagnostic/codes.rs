//! The stable codes of diagnostics, and their pages for `ipcrun explain`.

use std::fmt;

/// Which kind of fault a diagnostic is about. Codes never change their meaning.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Code(&'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What a code means, with an example and the way out.
pub struct Explanation {
    pub code: Code,
    /// Its title, one lower-case line.
    pub title: &'static str,
    /// The text of `ipcrun explain`, Markdown.
    pub text: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $title:literal, $file:literal;)*) => {
        impl Code {
            $(#[doc = $title] pub const $name: Self = Self($code);)*
        }
        /// Every code, in order.
        pub static EXPLANATIONS: &[Explanation] = &[
            $(Explanation { code: Code::$name, title: $title, text: include_str!(concat!("codes/", $file)) },)*
        ];
    };
}

codes! {
    UNREADABLE = "E0001", "the file cannot be read", "E0001.md";
    NOT_TOML = "E0002", "the file is not TOML", "E0002.md";
    UNKNOWN_KEY = "E0101", "unknown key", "E0101.md";
    UNKNOWN_NAME = "E0102", "nothing of that name is declared", "E0102.md";
    UNKNOWN_VERB = "E0103", "unknown verb", "E0103.md";
    UNKNOWN_KIND = "E0104", "unknown kind of object", "E0104.md";
    WRONG_TYPE = "E0105", "a value of the wrong type", "E0105.md";
    MISSING_KEY = "E0106", "a key is missing", "E0106.md";
    LATER = "E0107", "not supported yet", "E0107.md";
    BAD_STEP = "E0108", "a step needs exactly one verb", "E0108.md";
    BAD_VALUE = "E0109", "a value that is not allowed", "E0109.md";
    SYNTAX = "E0110", "the expression cannot be read", "E0110.md";
    TYPE_ERROR = "E0111", "the types of an expression do not fit", "E0111.md";
    CAN_ONLY_FAIL = "E0112", "the step can only fail", "E0112.md";
    OUT_OF_RANGE = "E0113", "an index is out of range", "E0113.md";
    CYCLE = "E0114", "processes wait for each other to start", "E0114.md";
    NEVER_MATCHES = "E0115", "no step of the file could ever match", "E0115.md";
    UNKNOWN_END = "E0116", "the object has no such end", "E0116.md";
    BAD_LOOP = "E0117", "break or continue outside a loop", "E0117.md";
    NO_PROCESS = "E0118", "the scenario has no process", "E0118.md";
    HOST_LIMIT = "E0201", "the host cannot provide a resource", "E0201.md";
    UNTRUSTED = "E0202", "an untrusted scenario asks for too much", "E0202.md";
    FAILED = "E0301", "an expectation does not hold", "E0301.md";
    DEADLOCK = "E0302", "unexpected deadlock", "E0302.md";
    BAD_END = "E0303", "a process ended unexpectedly", "E0303.md";
    TIMEOUT = "E0304", "the run did not end in time", "E0304.md";
    INCOMPLETE = "E0305", "the trace is not complete", "E0305.md";
    DIVERGED = "E0306", "the processes did not follow the schedule", "E0306.md";
    BAD_TRACE = "E0401", "the file is not a readable trace", "E0401.md";
    BAD_SCHEDULE = "E0402", "the schedule cannot be followed", "E0402.md";
    USAGE = "E0501", "the arguments are wrong", "E0501.md";
    NOT_IN_PROMELA = "E0511", "not supported in Promela", "E0511.md";
}

/// The explanation of the code of that name, in either case.
pub fn explain(name: &str) -> Option<&'static Explanation> {
    EXPLANATIONS.iter().find(|explanation| explanation.code.0.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::{EXPLANATIONS, explain};

    #[test]
    fn every_code_has_a_page_with_its_title_and_an_example() {
        for explanation in EXPLANATIONS {
            let head = format!("# {}: {}\n", explanation.code, explanation.title);
            assert!(explanation.text.starts_with(&head), "{}", explanation.code);
            assert!(explanation.text.contains("```"), "{}", explanation.code);
            assert!(explanation.text.lines().all(|line| line.chars().count() <= 120), "{}", explanation.code);
        }
    }

    #[test]
    fn codes_ascend_and_are_found_in_either_case() {
        assert!(EXPLANATIONS.is_sorted_by(|a, b| a.code < b.code));
        assert_eq!(explain("e0102").map(|found| found.title), Some("nothing of that name is declared"));
        assert!(explain("E9999").is_none());
    }
}
