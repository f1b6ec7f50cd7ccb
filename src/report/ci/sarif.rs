//! What fails in suites as SARIF 2.1.0 (OASIS): a result at its place in the file, for code scanning and editors.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::test_suite::{Case, Ending, Suite, one_line};
use crate::text;

pub fn report(suites: &[Suite]) -> String {
    let cases = || suites.iter().flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)));
    let results: Vec<Json> = cases().filter_map(|(suite, case)| result(suite, case)).collect();
    let rules: BTreeSet<&str> = results.iter().filter_map(|result| result["ruleId"].as_str()).collect();
    let rules: Vec<Json> = rules.into_iter().map(|rule| json!({ "id": rule })).collect();
    let driver = json!({ "name": "ipcrun", "version": env!("CARGO_PKG_VERSION"), "rules": rules });
    let run = json!({ "tool": { "driver": driver }, "columnKind": "unicodeCodePoints", "results": results });
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    });
    text::json(&document.to_string()).into_owned() + "\n"
}

/// What does not hold, or could not be tried.
fn result(suite: &Suite, case: &Case) -> Option<Json> {
    let fault = match &case.result {
        Ending::Failed(fault) | Ending::Error(fault) => fault,
        Ending::Passed(_) | Ending::Skipped(_) => return None,
    };
    let message = std::iter::once(format!("{}: {}", one_line(&case.name), one_line(&fault.message)));
    let message: Vec<String> = message.chain(fault.lines()).collect();
    let mut place = json!({ "artifactLocation": { "uri": uri(&suite.path) } });
    // A rule has no line of its own: it is about the whole file.
    place["region"] = json!({ "startLine": case.line.unwrap_or(1) });
    Some(json!({
        "ruleId": if fault.kind.is_empty() { "run" } else { fault.kind.as_str() },
        "level": "error",
        "message": { "text": message.join("\n") },
        "locations": [{ "physicalLocation": place }],
    }))
}

/// A path as a relative reference of RFC 3986.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.trim_start_matches("./").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte.into()),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
