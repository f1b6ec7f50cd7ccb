//! Suites in the Test Anything Protocol, version 13: a test point for each case.
//!
//! What is not `ok` has a YAML block with what was expected and seen. What could not be decided is skipped, with its
//! reason.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::test_suite::{Case, Ending, Fault, Suite, one_line};

pub fn report(suites: &[Suite]) -> String {
    let total: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    let mut out = format!("TAP version 13\n1..{total}");
    if total == 0 {
        out.push_str(" # SKIP no scenario was found");
    }
    out.push('\n');
    let cases = suites.iter().flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)));
    for (number, (suite, case)) in (1..).zip(cases) {
        point(&mut out, number, suite, case);
    }
    out
}

fn point(out: &mut String, number: usize, suite: &Suite, case: &Case) {
    let ok = match case.result {
        Ending::Passed(_) | Ending::Skipped(_) => "ok",
        Ending::Failed(_) | Ending::Error(_) => "not ok",
    };
    let _ = write!(out, "{ok} {number} - {}: {}", described(&suite.name), described(&case.name));
    match &case.result {
        Ending::Passed(_) => out.push('\n'),
        Ending::Skipped(reason) => {
            let _ = writeln!(out, " # SKIP {}", described(reason));
        }
        Ending::Failed(fault) => diagnostics(out, "fail", suite, case, fault),
        Ending::Error(fault) => diagnostics(out, "error", suite, case, fault),
    }
}

/// The YAML block of a test point. A text of one line is in double quotes, which YAML reads as JSON does.
fn diagnostics(out: &mut String, severity: &str, suite: &Suite, case: &Case, fault: &Fault) {
    out.push_str("\n  ---\n");
    let mut line = |key: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(out, "  {key}: {}", quoted(value));
        }
    };
    line("message", &fault.message);
    line("severity", severity);
    line("kind", &fault.kind);
    line("expected", &fault.expected);
    line("actual", &fault.seen);
    let _ = writeln!(out, "  at:\n    file: {}", quoted(&suite.path));
    if let Some(at) = case.line {
        let _ = writeln!(out, "    line: {at}");
    }
    for (key, list) in [("events", &fault.witnesses), ("notes", &fault.notes)] {
        if !list.is_empty() {
            // A block of text, as some readers take a text in a list for a table where it has a colon. Its first line
            // says how far it is indented, and an empty line would end it.
            let _ = writeln!(out, "  {key}: |");
            let lines = list.iter().filter(|text| !text.trim().is_empty()).enumerate();
            for (at, text) in lines {
                let text = one_line(text);
                let _ = writeln!(out, "    {}", if at == 0 { text.trim_start() } else { text.trim_end() });
            }
        }
    }
    out.push_str("  ...\n");
}

fn quoted(text: &str) -> String {
    // A byte order mark, a line separator and the like are no part of YAML's printable characters.
    Json::from(crate::text::printable(text).into_owned()).to_string()
}

/// A description: a `#` in it would begin a directive.
fn described(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('#', "\\#").trim().to_owned()
}
