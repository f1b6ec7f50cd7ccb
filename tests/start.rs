//! The first five minutes: `init`, `example`, `help`.

use std::fs;
use std::path::Path;

use crate::support::Test;

#[test]
fn init_writes_a_scenario_that_can_be_explored_and_mended() {
    let done = Test::new().args(["init"]).run().status(0);
    let text = fs::read_to_string(done.directory().join("scenario.toml")).expect("the scenario");
    assert!(text.starts_with("#:schema ./ipcrun.schema.json\n"));
    let schema = fs::read_to_string(done.directory().join("ipcrun.schema.json")).expect("the schema");
    Test::new().args(["schema"]).run().status(0).stdout(&schema);
    let run = |command, text: &str| Test::new().file("mine.toml", text).args([command, "mine.toml"]).run();
    run("check", &text).status(0);
    run("explore", &text).status(1);
    // As its last comment says.
    let begin = text.find("  { load = ").expect("the first step");
    let end = text.find("  { print = ").expect("the last step");
    let mended = format!("{}  {{ add = \"balance\", value = 10, into = \"b\" }},\n{}", &text[..begin], &text[end..]);
    run("explore", &mended).status(0);
}

#[test]
fn what_is_there_is_not_overwritten() {
    for arguments in [&["init", "mine.toml"][..], &["example", "semaphore", "--write", "mine.toml"]] {
        let done = Test::new().file("mine.toml", "mine").args(arguments).run().status(2);
        assert!(done.err.contains("`mine.toml` is there already"), "{}", done.both());
        assert_eq!(fs::read_to_string(done.directory().join("mine.toml")).expect("it is there"), "mine");
        assert!(!done.directory().join("ipcrun.schema.json").exists());
    }
    for arguments in [&["init", "no/mine.toml"][..], &["example", "semaphore", "--write", "no/mine.toml"]] {
        let done = Test::new().args(arguments).run().status(3);
        assert!(done.err.contains("no/mine.toml"), "{}", done.both());
    }
}

#[test]
fn every_shipped_scenario_is_an_example() {
    let listed = Test::new().args(["example"]).run().status(0).out;
    let mut shipped = 0;
    for folder in ["scenarios", "scenarios/classics"] {
        let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).expect("the folder is there");
        for path in entries.map(|entry| entry.expect("a file").path()) {
            if path.extension().is_none_or(|ending| ending != "toml") {
                continue;
            }
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            assert!(listed.lines().any(|line| line.starts_with(&format!("  {name} "))), "{name} is not listed");
            let text = fs::read_to_string(&path).expect("it can be read");
            let (schema, rest) = text.split_once('\n').expect("several lines");
            assert!(schema.starts_with("#:schema "));
            Test::new().args(["example", &name]).run().status(0).stdout(rest);
            shipped += 1;
        }
    }
    assert_eq!(listed.lines().filter(|line| line.starts_with("  ")).count(), shipped);
    let done = Test::new().args(["example", "semafore"]).run().status(2);
    assert!(done.err.contains("did you mean `semaphore`?"), "{}", done.both());
    let done = Test::new().args(["example", "semaphore.toml", "--write", "mine.toml"]).run().status(0).stdout("");
    assert!(done.directory().join("mine.toml").exists());
}

#[test]
fn help_explains_whatever_it_is_asked() {
    let help = |word: &str| Test::new().args(["help", word]).run().status(0).out;
    assert_eq!(help("explore"), Test::new().args(["explore", "--help"]).run().status(0).out);
    assert_eq!(help("pipe"), Test::new().args(["list", "pipe"]).run().status(0).out);
    assert_eq!(help("E0102"), Test::new().args(["explain", "E0102"]).run().status(0).out);
    let done = Test::new().args(["help", "acquir"]).run().status(2);
    assert!(done.err.contains("did you mean `acquire`?"), "{}", done.both());
    assert_eq!(Test::new().args(["help"]).run().status(0).out, Test::new().args(["--help"]).run().status(0).out);
}
