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
