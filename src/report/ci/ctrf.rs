//! Suites in the Common Test Report Format (ctrf.io): one JSON document with a test for each case.

use serde_json::{Value as Json, json};

use super::test_suite::{Case, Ending, Suite, one_line};
use crate::text;
use crate::trace::file::since_epoch;

/// The version of the format.
const VERSION: &str = "0.0.0";

pub fn report(suites: &[Suite]) -> String {
    let tests: Vec<Json> = suites.iter().flat_map(|suite| suite.cases.iter().map(|case| test(suite, case))).collect();
    let of = |status: &str| tests.iter().filter(|test| test["status"] == status).count();
    let start = suites.iter().filter_map(begin).min().unwrap_or(0);
    let end = |suite: &Suite| begin(suite).map(|begin| begin + milliseconds(suite.duration));
    let summary = json!({
        "tests": tests.len(),
        "passed": of("passed"),
        "failed": of("failed"),
        "skipped": of("skipped"),
        "pending": 0,
        "other": 0,
        "suites": suites.len(),
        "start": start,
        "stop": suites.iter().filter_map(end).max().unwrap_or(start),
    });
    let results = json!({
        "tool": { "name": "ipcrun", "version": env!("CARGO_PKG_VERSION") },
        "summary": summary,
        "tests": tests,
    });
    let document = json!({ "reportFormat": "CTRF", "specVersion": VERSION, "results": results });
    text::json(&document.to_string()).into_owned() + "\n"
}

fn test(suite: &Suite, case: &Case) -> Json {
    let mut test = json!({
        "name": one_line(&case.name),
        "suite": [one_line(&suite.name)],
        "duration": milliseconds(case.duration),
        "filePath": suite.path,
    });
    let mut set = |key: &str, value: Json| test[key] = value;
    if let Some(line) = case.line {
        set("line", line.into());
    }
    if !suite.properties.is_empty() {
        let parameters = suite.properties.iter().map(|(name, value)| (name.clone(), Json::from(value.as_str())));
        set("parameters", Json::Object(parameters.collect()));
    }
    match &case.result {
        Ending::Passed(_) => set("status", "passed".into()),
        Ending::Skipped(reason) => {
            set("status", "skipped".into());
            set("message", one_line(reason).into());
        }
        Ending::Failed(fault) | Ending::Error(fault) => {
            set("status", "failed".into());
            // An error is a case that could not be judged; CTRF has no status for it.
            if matches!(case.result, Ending::Error(_)) {
                set("rawStatus", "error".into());
            }
            set("message", one_line(&fault.message).into());
            set("trace", fault.lines().join("\n").into());
            set("labels", json!({ "kind": fault.kind }));
        }
    }
    test
}

/// When a suite began, in ms since 1970; none where it never did.
fn begin(suite: &Suite) -> Option<u64> {
    since_epoch(&suite.started).map(|since| since.as_secs() * 1000)
}

fn milliseconds(ns: u64) -> u64 {
    ns / 1_000_000
}
