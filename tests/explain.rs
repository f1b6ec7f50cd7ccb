//! The pages of the codes, and that their examples are what they say.

use crate::support::Test;

#[test]
fn every_code_is_explained() {
    let list = Test::new().args(["explain"]).run().status(0);
    for line in list.out.lines() {
        let (code, title) = line.split_once("  ").expect("a code and its title");
        let done = Test::new().args(["explain", &code.to_lowercase()]).run().status(0).stderr("");
        done.stdout_contains(&format!("# {code}: {title}\n"));
    }
    assert!(list.out.lines().count() >= 28);
}

#[test]
fn an_unknown_code_is_refused_with_the_nearest() {
    Test::new().args(["explain", "E0012"]).run().status(2).stdout("").stderr_contains("there is no code `E0012`");
}

/// The TOML blocks of a code's page.
fn examples(code: &str) -> Vec<String> {
    let done = Test::new().args(["explain", code]).run().status(0);
    let blocks = done.out.split("```toml\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_wrong_examples_are_wrong_and_the_mended_ones_are_not() {
    let list = Test::new().args(["explain"]).run().status(0);
    let codes: Vec<&str> =
        list.out.lines().map(|line| &line[..5]).filter(|code| *code > "E0001" && *code < "E0200").collect();
    assert_eq!(codes.len(), 19);
    for code in codes {
        let examples = examples(code);
        let [wrong, mended] = examples.as_slice() else { panic!("{code} has {} examples", examples.len()) };
        let check =
            |text: &str| Test::new().file("a.toml", text).args(["check", "a.toml", "--error-format", "concise"]);
        let done = check(wrong).run().status(2).stderr_contains(&format!("error[{code}]"));
        assert_eq!(done.err.matches("error[").count(), 1, "{code}:\n{}", done.err);
        check(mended).run().status(0).stderr("1 scenario checked: no errors\n");
    }
}

#[test]
fn the_runs_that_fail_are_mended_too() {
    for code in ["E0301", "E0302", "E0303", "E0304"] {
        let examples = examples(code);
        let [wrong, mended] = examples.as_slice() else { panic!("{code} has {} examples", examples.len()) };
        // A lost update is no certainty.
        if code != "E0301" {
            Test::scenario(wrong).run().status(1).nothing_left();
        }
        Test::scenario(mended).run().status(0).nothing_left();
    }
}
