//! Output that cannot be written, and files that output replaces.

use std::fs;
use std::path::Path;

use crate::support::Test;

const GOOD: &str =
    "[processes.p]\nsteps = [{ print = \"here\" }, { mark = \"m\" }]\n[[expect]]\ncount = \"p print\"\nequals = 1\n";
/// Two locks in two orders: exploring it finds a schedule to save.
const LOCKS: &str = "[objects]\na = { kind = \"mutex\" }\nb = { kind = \"mutex\" }\n[processes.A]\nsteps = [{ lock = \"a\" }, { lock \
                     = \"b\" }, { unlock = \"b\" }, { unlock = \"a\" }]\n[processes.B]\nsteps = [{ lock = \"b\" }, { lock = \"a\" }, { \
                     unlock = \"a\" }, { unlock = \"b\" }]\n";

/// A directory with all that commands read.
fn prepared() -> Test {
    let made = Test::scenario(GOOD).args(["--trace", "t.jsonl", "-q"]).run().status(0);
    let trace = fs::read(made.directory().join("t.jsonl")).expect("a trace");
    Test::new().file("a.toml", GOOD).file("b.toml", LOCKS).file("t.jsonl", trace)
}

#[test]
fn what_standard_output_does_not_take_is_reported_by_every_command_and_format() {
    let commands = "a.toml|--json a.toml|--junit - a.toml|--tap - a.toml|--ctrf - a.toml|--sarif - a.toml|--timeline a.toml|--timeline=log a.toml|--repeat 3 \
                    a.toml|-j2 a.toml b.toml|a.toml --schedule seed:1|replay a.toml seed:1|a.toml --golden=. --bless|explore \
                    a.toml|explore b.toml|explore --json a.toml|explore --junit - a.toml|explore --tap - a.toml|explore a.toml \
                    --emit promela|explore b.toml --timeline|trace t.jsonl|trace t.jsonl --view gantt|trace t.jsonl --view \
                    sequence|trace t.jsonl --view log|trace t.jsonl --to text|trace t.jsonl --to jsonl|trace t.jsonl --to \
                    chrome|trace t.jsonl --to mermaid|trace t.jsonl --to shiviz|trace t.jsonl --to html|trace t.jsonl --to \
                    verdict|trace t.jsonl --to json|trace t.jsonl --to junit|trace t.jsonl --to tap|trace t.jsonl --to ctrf|trace t.jsonl --to sarif|mutate a.toml|mutate --json a.toml|list|list queue|list \
                    --markdown|schema|man|man run|completions bash|explain|explain E0102|--help|run --help|--version";
    for command in commands.split('|') {
        let words: Vec<&str> = command.split_whitespace().collect();
        let done = prepared().behind("exec >/dev/full").args(words).run();
        assert_eq!(done.status, 3, "{command}: {}", done.err);
        assert!(
            done.err.contains("standard output cannot be written: No space left on device"),
            "{command}: {}",
            done.err
        );
    }
}

#[test]
fn a_reader_that_is_gone_is_no_failure() {
    for command in [&["a.toml"][..], &["--json", "a.toml"], &["list"], &["trace", "t.jsonl"], &["--help"]] {
        let done = prepared().behind("mkfifo f; head -c0 <f & exec >f; wait").args(command).run();
        assert_eq!(done.status, 0, "{command:?}: {}", done.err);
    }
}

/// Every option that names a file, with the arguments beside it.
const FILES: [(&str, &[&str]); 20] = [
    ("x.jsonl", &["a.toml", "--trace", "x.jsonl"]),
    ("x.json", &["a.toml", "--trace", "x.json"]),
    ("x.mmd", &["a.toml", "--trace", "x.mmd"]),
    ("x.shiviz", &["a.toml", "--trace", "x.shiviz"]),
    ("x.txt", &["a.toml", "--trace", "x.txt"]),
    ("x.html", &["a.toml", "--trace", "x.html"]),
    ("x.html", &["a.toml", "--html", "x.html"]),
    ("x.xml", &["a.toml", "--junit", "x.xml"]),
    ("x.json", &["a.toml", "--ctrf", "x.json"]),
    ("x.sarif", &["a.toml", "--sarif", "x.sarif"]),
    ("x.tap", &["a.toml", "--tap", "x.tap"]),
    ("a.golden", &["a.toml", "--golden", "--bless"]),
    ("x.html", &["trace", "t.jsonl", "--html", "x.html"]),
    ("x.jsonl", &["replay", "a.toml", "seed:1", "--trace", "x.jsonl"]),
    ("x.xml", &["explore", "a.toml", "--junit", "x.xml"]),
    ("x.jsonl", &["explore", "b.toml", "--trace", "x.jsonl"]),
    ("x.html", &["explore", "b.toml", "--html", "x.html"]),
    ("x.toml", &["explore", "b.toml", "--save", "x.toml"]),
    ("b.schedule.toml", &["explore", "b.toml", "--save", "."]),
    ("x.json", &["explore", "a.toml", "--strategy", "random", "--runs", "5", "--shard", "1/1", "--part", "x.json"]),
];

/// The names in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_file_past_the_limit_of_its_size_is_reported_and_leaves_what_was_there() {
    for (file, arguments) in FILES {
        let done = prepared().file(file, "before").behind("ulimit -f 0").args(arguments).run();
        let text = fs::read_to_string(done.directory().join(file)).expect("the file");
        assert_eq!((done.status, text.as_str()), (3, "before"), "{arguments:?}: {}", done.err);
        assert!(done.err.contains("File too large"), "{arguments:?}: {}", done.err);
        assert!(!names(done.directory()).iter().any(|name| name.ends_with(".partial")), "{arguments:?}");
    }
}

#[test]
fn files_are_replaced_whole() {
    for (file, arguments) in FILES {
        let done = prepared().file(file, "before").args(arguments).run();
        let text = fs::read_to_string(done.directory().join(file)).expect("the file");
        assert!(
            [0, 1, 5].contains(&done.status) && text != "before" && !text.is_empty(),
            "{arguments:?}: {}",
            done.err
        );
        assert!(!names(done.directory()).iter().any(|name| name.ends_with(".partial")), "{arguments:?}");
    }
}

#[test]
fn a_refused_run_touches_no_file() {
    let all = ["--trace", "x.jsonl", "--trace", "x.json", "--html", "x.html", "--junit", "x.xml", "--tap", "x.tap"];
    let files = ["x.jsonl", "x.json", "x.html", "x.xml", "x.tap"];
    // Reports for CI servers tell of a refused scenario too.
    let refused: [(&[&str], usize); 4] = [
        (&["a.toml", "--schedule", "nobody"], 3),
        (&["a.toml", "b.toml"], 5),
        (&["a.toml", "--html", "none/x.html", "--no-such-option"], 5),
        (&["none.toml"], 3),
    ];
    for (arguments, untouched) in refused {
        let test = files.iter().fold(prepared(), |test, file| test.file(file, "before"));
        let done = test.args(arguments).args(all).run();
        assert!([2, 3].contains(&done.status), "{arguments:?}: {}", done.err);
        for file in &files[..untouched] {
            let text = fs::read_to_string(done.directory().join(file)).expect("the file");
            assert_eq!(text, "before", "{arguments:?} {file}: {}", done.err);
        }
    }
}

#[test]
fn devices_and_links_are_written_through() {
    prepared().args(["a.toml", "-q", "--junit", "/dev/null"]).run().status(0);
    prepared().args(["a.toml", "-q", "--junit", "/dev/full"]).run().status(3).stderr_contains("No space left");
    prepared().args(["a.toml", "-q", "--tap", "/dev/stdout"]).run().status(0).stdout_contains("ok 1 - ");
    let done = prepared().behind("mkfifo f; cat f > copy &").args(["a.toml", "-q", "--tap", "f"]).run().status(0);
    assert!(done.read("copy").contains("ok 1 - "));
    let done = prepared().behind("echo before > real; ln -s real link").args(["a.toml", "-q", "--tap", "link"]).run();
    assert!(done.read("real").contains("ok 1 - ") && done.directory().join("link").is_symlink());
}
