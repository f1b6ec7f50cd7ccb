//! The textbook problems in `scenarios/classics`: each is clean, and no run of one fails, however it is scheduled.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::support::Test;

/// The scenarios, by their names without the ending.
fn classics() -> BTreeMap<String, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios/classics");
    let mut classics = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("a file").path();
        assert!(path.extension().is_some_and(|ending| ending == "toml"), "not a scenario: {}", path.display());
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        classics.insert(name, fs::read_to_string(&path).expect("a scenario"));
    }
    assert!(!classics.is_empty());
    classics
}

#[test]
fn nothing_is_wrong_with_them() {
    let classics = classics();
    let number = classics.len();
    let mut test = Test::new().args(["check"]);
    for (name, text) in classics {
        assert!(text.starts_with("#:schema ../../docs/ipcrun.schema.json\n"), "{name} names no schema");
        let file = format!("{name}.toml");
        test = test.file(&file, text).args([file]);
    }
    // A warning would stand there too.
    test.run().status(0).stderr(&format!("{number} scenarios checked: no errors\n"));
}

/// A `sometimes` that a run did not show leaves it unknown.
#[test]
fn no_run_of_them_fails() {
    for (name, text) in classics() {
        for _ in 0..3 {
            let done = Test::new().file(&format!("{name}.toml"), &text).args([format!("{name}.toml")]).run();
            assert!([0, 5].contains(&done.status), "{name}: {}\n{}\n{}", done.status, done.out, done.err);
        }
    }
}

/// Over all executions nothing is left unknown.
#[test]
fn exploring_them_decides_everything() {
    let mut test = Test::new().args(["explore"]);
    for (name, text) in classics() {
        let file = format!("{name}.toml");
        test = test.file(&file, text).args([file]);
    }
    test.run().status(0);
}

#[test]
fn each_has_its_line_in_the_documentation() {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/classics.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let listed: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|pair| pair.0).collect();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, classics().keys().map(String::as_str).collect::<Vec<_>>());
}

/// Each expectation says something: where it is turned round, it fails. What always holds is said never to, what holds
/// sometimes too, and what never holds to hold sometimes.
#[test]
fn each_of_their_expectations_can_fail() {
    for (name, text) in classics() {
        let mut turned: toml::Table = text.parse().expect("TOML");
        let Some(toml::Value::Array(expectations)) = turned.get_mut("expect") else { panic!("{name} expects nothing") };
        for expectation in expectations.iter_mut().filter_map(toml::Value::as_table_mut) {
            let never = expectation.get("holds").and_then(toml::Value::as_str) == Some("never");
            expectation.insert("holds".to_owned(), if never { "sometimes" } else { "never" }.into());
        }
        let number = expectations.len();
        let file = format!("{name}.toml");
        let done = Test::new().file(&file, turned.to_string()).args(["explore", "--json", &file]).run().status(1);
        let said: serde_json::Value = serde_json::from_str(&done.out).expect("JSON");
        let judged = said["expectations"].as_array().expect("the expectations");
        assert!(judged.len() >= number, "{name}: {} of {number} are judged", judged.len());
        for expectation in judged {
            assert_eq!(expectation["status"], "failed", "{name} holds turned round too: {}", expectation["label"]);
        }
    }
}
