//! Bad input: every error of a file at once, each at its place, and never a panic.
//!
//! `bad/` holds scenarios with what is said of each beside them. `IPCRUN_BLESS=1 cargo test` writes that anew, to be
//! read before it is kept.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipcrun::diagnostic::Source;
use ipcrun::{judge, scenario};

use crate::support::Test;

fn shipped(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("a file").path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect();
    files.sort();
    files
}

#[test]
fn everything_is_said_of_every_bad_file() {
    let bless = std::env::var_os("IPCRUN_BLESS").is_some();
    let files = shipped("tests/bad");
    assert!(files.len() >= 12);
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read(&file).expect("a scenario");
        let done = Test::new().file(&name, &text).args(["check", &name]).run().status(2).stdout("").nothing_left();
        // A run says the same, and starts nothing.
        let run = Test::new().file(&name, &text).args(["run", &name]).run().status(2).nothing_left();
        let errors = |text: &str| text.matches("error[").count();
        assert_eq!(errors(&done.err), errors(&run.err), "{}", run.err);
        let golden = file.with_extension("stderr");
        if bless {
            fs::write(&golden, &done.err).expect("it can be written");
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(done.err, expected, "{name}: IPCRUN_BLESS=1 writes what is said now");
    }
}

#[test]
fn every_error_has_its_line_and_column() {
    for file in shipped("tests/bad") {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read(&file).expect("a scenario");
        let done = Test::new().file(&name, text).args(["check", "--error-format", "concise", &name]).run().status(2);
        for line in done.err.lines().filter(|line| line.contains("error[") && name != "empty.toml") {
            let rest = line.strip_prefix(&format!("{name}:")).unwrap_or_else(|| panic!("no place: {line}"));
            let mut numbers = rest.split(':');
            for _ in 0..2 {
                let number = numbers.next().and_then(|number| number.parse::<u32>().ok());
                assert!(number.is_some_and(|number| number > 0), "{line}");
            }
        }
    }
}

/// What is wrong with a text, through the library. `None` where nothing is.
fn errors(text: &str) -> Option<usize> {
    let source = Arc::new(Source::new("a.toml", text));
    let forms: Vec<_> = judge::FORMS.iter().map(|form| &form.description).collect();
    scenario::load(&source, &scenario::Options::default(), &forms).err().map(|errors| errors.len())
}

#[test]
fn shipped_scenarios_are_right() {
    for folder in ["scenarios", "tests/deadlocks", "tests/near-misses"] {
        for file in shipped(folder) {
            assert_eq!(errors(&fs::read_to_string(&file).expect("a scenario")), None, "{}", file.display());
        }
    }
}

/// Numbers that look random, the same in each run of the tests.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound.max(1)
    }
}

/// A text with something changed: a byte, a word, a line, or a value.
fn mutate(text: &str, draws: &mut Draws) -> String {
    const WORDS: [&str; 34] = [
        "",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "=",
        ",",
        "{x}",
        "{{",
        "0",
        "-1",
        "9223372036854775808",
        "1e400",
        "nan",
        "true",
        "\"\"",
        "\"\\u0000\"",
        "[]",
        "{}",
        "[[]]",
        "\"0s\"",
        "\"-5ms\"",
        "\"99999999999h\"",
        "\"a[\"",
        "\"a[-1].x\"",
        "\"{1/0}\"",
        "\"{range(99999999999)}\"",
        "文",
        "steps",
        "kind",
        "count = 999999999",
        "\"{((((((((((1))))))))))}\"",
    ];
    let chars: Vec<char> = text.chars().collect();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut tokens: Vec<&str> = text.split_inclusive([' ', '\n', ',']).collect();
    match draws.below(8) {
        0 => {
            let mut chars = chars;
            let at = draws.below(chars.len());
            chars.remove(at);
            chars.into_iter().collect()
        }
        1 => {
            let at = draws.below(chars.len());
            let word = WORDS[draws.below(WORDS.len())];
            chars[..at].iter().collect::<String>() + word + &chars[at..].iter().collect::<String>()
        }
        2 => {
            let at = draws.below(lines.len());
            lines.remove(at);
            lines.join("\n")
        }
        3 => {
            let (from, to) = (draws.below(lines.len()), draws.below(lines.len()));
            lines.swap(from, to);
            lines.join("\n")
        }
        4 => {
            let at = draws.below(lines.len());
            lines.insert(at, lines[draws.below(lines.len())].clone());
            lines.join("\n")
        }
        5 => chars[..draws.below(chars.len())].iter().collect(),
        6 => {
            let (from, to) = (draws.below(tokens.len()), draws.below(tokens.len()));
            tokens.swap(from, to);
            tokens.concat()
        }
        _ => {
            let at = draws.below(tokens.len());
            tokens[at] = WORDS[draws.below(WORDS.len())];
            tokens.concat()
        }
    }
}

#[test]
fn no_text_panics() {
    let texts: Vec<String> = ["scenarios", "tests/deadlocks", "tests/near-misses", "tests/bad"]
        .into_iter()
        .flat_map(shipped)
        .filter_map(|file| fs::read_to_string(file).ok())
        .filter(|text| !text.is_empty())
        .collect();
    let mut draws = Draws(7);
    for _ in 0..1500 {
        let mut text = texts[draws.below(texts.len())].clone();
        for _ in 0..=draws.below(3) {
            text = mutate(&text, &mut draws);
            if text.trim().is_empty() {
                break;
            }
        }
        let checked = catch_unwind(|| errors(&text));
        assert!(checked.is_ok(), "this text panics:\n{text}");
        assert_ne!(checked.ok().flatten(), Some(0), "refused without a word:\n{text}");
    }
}

#[test]
fn nothing_nests_too_deep() {
    for (open, close) in [("[", "]"), ("{a=", "}")] {
        for depth in [100, 10_000, 100_000] {
            for before in ["x = ", "[processes.p]\nsteps = "] {
                let text = format!("{before}{}1{}\n", open.repeat(depth), close.repeat(depth));
                let done = Test::new().file("a.toml", &text).args(["check", "a.toml"]).run();
                done.status(2).stdout("").stderr_contains("error[");
                let text = format!("{before}{}", open.repeat(depth));
                Test::new().file("a.toml", &text).args(["check", "a.toml"]).run().status(2).stderr_contains("error[");
            }
        }
    }
    for depth in [100, 10_000, 100_000] {
        let steps = format!("{}{}", "{ forever = [".repeat(depth), "] }".repeat(depth));
        let text = format!("[processes.p]\nsteps = [{steps}]\n");
        let done = Test::new().file("a.toml", &text).args(["check", "a.toml"]).run();
        assert!(matches!(done.status, 0 | 2), "{}", done.err);
        for expression in [
            format!("{}1{} == 1", "(".repeat(depth), ")".repeat(depth)),
            format!("{}true", "!".repeat(depth)),
            format!("1{} == 1", " + 1".repeat(depth)),
            format!("{}1{}", "[".repeat(depth), "]".repeat(depth)),
            format!("x{}", ".a".repeat(depth)),
            format!("true{}", " ? true : true".repeat(depth)),
        ] {
            let text = format!("[processes.p]\nvars = {{ x = 1 }}\nsteps = [{{ assert = \"{expression}\" }}]\n");
            let done = Test::new().file("a.toml", &text).args(["check", "a.toml"]).run();
            assert!(matches!(done.status, 0 | 2), "{}\n{}", &expression[..40.min(expression.len())], done.err);
        }
        let text = format!("[a.{}c]\n[processes.p]\nsteps = []\n", "b.".repeat(depth));
        Test::new().file("a.toml", &text).args(["check", "a.toml"]).run().status(2);
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    Test::new().args(["check", "none.toml"]).run().status(2).stderr_contains("no such file");
    Test::new().folder("d.toml").args(["check", "d.toml"]).run().status(4);
    Test::new().file("a.toml", "").args(["check", "a.toml"]).run().status(2).stderr_contains("no process");
    Test::new().file("a.toml", " \n\t\n# only a comment\n").args(["check", "a.toml"]).run().status(2);
    for bytes in [&b"\x7fELF\x02\x01\x01\0"[..], b"\xff\xfe\0\0", b"a = \"\xc3\x28\"", b"\0\0\0\0"] {
        let done = Test::new().file("a.toml", bytes).args(["check", "a.toml"]).run().status(2).stdout("");
        assert!(done.err.contains("error["), "{}", done.err);
    }
    let bom = "\u{feff}[processes.p]\r\nsteps = [{ print = \"x\" }]\r\n";
    Test::new().file("a.toml", bom).args(["check", "a.toml"]).run().status(0);
    Test::new().args(["chekc", "a.toml"]).run().status(2).stderr_contains("did you mean the command `check`?");
}

#[test]
fn what_the_host_has_not_got_is_named_with_the_way_to_raise_it() {
    for (object, limit) in [
        ("{ kind = \"queue\", capacity = 1000000 }", "fs.mqueue.msg_max"),
        ("{ kind = \"queue\", capacity = 2, message_size = 16000000 }", "fs.mqueue.msgsize_max"),
        ("{ kind = \"queue\", capacity = 10000000, message_size = 1024, via = \"sysv\" }", "kernel.msgmnb"),
        ("{ kind = \"queue\", capacity = 2, message_size = 16000000, via = \"sysv\" }", "kernel.msgmax"),
        ("{ kind = \"pipe\", framing = \"bytes\", capacity = \"1GiB\" }", "fs.pipe-max-size"),
    ] {
        let text = format!("[objects]\nx = {object}\n[processes.p]\nsteps = [{{ print = \"started\" }}]\n");
        let done = Test::scenario(&text).run().nothing_left();
        // As root the kernel gives more than its limits say.
        if done.status == 0 {
            continue;
        }
        let done = done.status(3).stderr_contains("a.toml:2");
        assert!(done.err.contains(limit), "{limit}\n{}", done.err);
        assert!(!done.out.contains("started"), "{}", done.out);
    }
    let text = "[processes.p]\ncount = 100000\nsteps = [{ print = \"started\" }]\n";
    let done = Test::scenario(text).run().status(3).nothing_left();
    assert!(!done.out.contains("started"), "{}", done.out);
}
