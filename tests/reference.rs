//! What is generated and kept: the reference and the schema of `docs`.

use std::fs;
use std::path::Path;

use crate::support::Test;

#[track_caller]
fn fresh(file: &str, arguments: &[&str]) {
    let done = Test::new().args(arguments.iter().copied()).run().status(0).stderr("");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(file);
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let command = format!("ipcrun {} > docs/{file}", arguments.join(" "));
    assert!(kept == done.out, "docs/{file} is not what this version generates: `{command}`");
}

#[test]
fn the_reference_is_fresh() {
    fresh("reference.md", &["list", "--markdown"]);
}

#[test]
fn the_schema_is_fresh() {
    fresh("ipcrun.schema.json", &["schema"]);
}

#[test]
fn every_name_of_the_list_has_an_entry() {
    let list = Test::new().args(["list"]).run().status(0);
    let names = list.out.lines().take_while(|line| !line.starts_with("Not supported yet"));
    let names = names.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<&str> = names.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 80, "{names:?}");
    for name in names {
        Test::new().args(["list", name]).run().status(0).stdout_contains(name);
    }
}

#[test]
fn the_examples_of_the_reference_are_right() {
    let done = Test::new().args(["list", "--markdown"]).run().status(0);
    let objects = done.out.split("## Objects").nth(1).and_then(|rest| rest.split("## Outcomes").next());
    let examples = objects.expect("a part on objects").split("```toml\n").skip(1);
    let examples: Vec<&str> = examples.filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 9);
    for example in examples {
        let done = Test::new().file("a.toml", example).args(["check", "a.toml"]).run();
        assert_eq!(done.status, 0, "{example}\n{}", done.err);
    }
}
