//! Suites as `JUnit` XML, in the part of it that Jenkins, GitLab, GitHub's reporters and others read alike: Jenkins's
//! schema `junit-10.xsd`.

use std::fmt::Write as _;

use super::test_suite::{Case, Ending, Fault, Suite};

pub fn report(suites: &[Suite]) -> String {
    let of = |test: fn(&Ending) -> bool| suites.iter().map(|suite| suite.count(test)).sum::<usize>();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuites name=\"ipcrun\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{}\">",
        of(|_| true),
        of(failed),
        of(error),
        seconds(suites.iter().map(|suite| suite.duration).sum()),
    );
    for suite in suites {
        write_suite(&mut out, suite);
    }
    out.push_str("</testsuites>\n");
    out
}

fn failed(ending: &Ending) -> bool {
    matches!(ending, Ending::Failed(_))
}

fn error(ending: &Ending) -> bool {
    matches!(ending, Ending::Error(_))
}

fn skipped(ending: &Ending) -> bool {
    matches!(ending, Ending::Skipped(_))
}

fn write_suite(out: &mut String, suite: &Suite) {
    let _ = write!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\"",
        attribute(&suite.name),
        suite.cases.len(),
        suite.count(failed),
        suite.count(error),
        suite.count(skipped),
        seconds(suite.duration),
    );
    // Without a fraction and a zone, which some readers do not take. It is UTC, as they all suppose.
    if let Some(moment) = suite.started.get(..19) {
        let _ = write!(out, " timestamp=\"{}\"", attribute(moment));
    }
    let _ = writeln!(out, " file=\"{}\">", attribute(&suite.path));
    if !suite.properties.is_empty() {
        out.push_str("    <properties>\n");
        for (name, value) in &suite.properties {
            let _ = writeln!(out, "      <property name=\"{}\" value=\"{}\"/>", attribute(name), attribute(value));
        }
        out.push_str("    </properties>\n");
    }
    for case in &suite.cases {
        write_case(out, suite, case);
    }
    if !suite.output.is_empty() {
        let _ = writeln!(out, "    <system-out>{}</system-out>", text(&suite.output));
    }
    out.push_str("  </testsuite>\n");
}

fn write_case(out: &mut String, suite: &Suite, case: &Case) {
    let _ = write!(
        out,
        "    <testcase name=\"{}\" classname=\"{}\" time=\"{}\"",
        attribute(&case.name),
        attribute(&suite.name),
        seconds(case.duration)
    );
    match &case.result {
        Ending::Passed(_) => {
            out.push_str("/>\n");
            return;
        }
        Ending::Failed(fault) => write_fault(out, "failure", fault),
        Ending::Error(fault) => write_fault(out, "error", fault),
        Ending::Skipped(reason) => {
            let _ = write!(out, ">\n      <skipped message=\"{}\"/>\n", attribute(reason));
        }
    }
    out.push_str("    </testcase>\n");
}

fn write_fault(out: &mut String, element: &str, fault: &Fault) {
    let _ = write!(
        out,
        ">\n      <{element} message=\"{}\" type=\"{}\">{}</{element}>\n",
        attribute(&fault.message),
        attribute(&fault.kind),
        text(&fault.lines().join("\n"))
    );
}

/// Seconds with three decimals, which is what readers show.
fn seconds(ns: u64) -> String {
    format!("{}.{:03}", ns / 1_000_000_000, ns / 1_000_000 % 1_000)
}

/// The character as XML 1.0 allows it to stand in a document: control characters are shown by their pictures.
fn allowed(c: char) -> char {
    match c {
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        _ => crate::text::harmless(c),
    }
}

fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            // Only within `]]>` it must not stand; everywhere it may stand so.
            '>' => out.push_str("&gt;"),
            _ => out.push(allowed(c)),
        }
    }
    out
}

/// The same with what an attribute would end at or change.
fn attribute(value: &str) -> String {
    text(value).replace('"', "&quot;").replace('\n', "&#10;").replace('\t', "&#9;")
}
