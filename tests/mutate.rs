//! `mutate`: the changes of a scenario that no expectation notices.

use serde_json::Value;

use crate::support::{Done, Test};

const COUNTER: &str = r#"
[objects]
n = { kind = "value", value = 0 }
m = { kind = "mutex" }
s = { kind = "semaphore", value = 1 }

[processes.p]
count = 2
steps = [
  { lock = "m" },
  { load = "n", into = "x" },
  { store = "n", value = "{x + 1}" }, # what is protected
  { unlock = "m" },
  { if = "index == 0", then = [ { acquire = "s" }, { release = "s" } ] },
  { print = "done" },
]

[[expect]]
final = "n == 2"
"#;

fn mutate(text: &str, options: &[&str]) -> Done {
    Test::new().file("a.toml", text).args(["mutate"]).args(options.iter().copied()).args(["a.toml"]).run()
}

/// Every change as JSON has it: the line, what it is, the text and what becomes of it.
fn changes(done: &Done) -> Vec<(u64, String, String, String)> {
    let scenario: Value = serde_json::from_str(&done.out).expect("one object");
    let text = |change: &Value, key: &str| change[key].as_str().expect("a text").to_owned();
    let all = scenario["changes"].as_array().expect("the changes").iter();
    all.map(|change| {
        (change["line"].as_u64().expect("a line"), text(change, "change"), text(change, "text"), text(change, "result"))
    })
    .collect()
}

#[test]
fn what_protects_is_noticed_and_what_does_not_is_not() {
    let done = mutate(COUNTER, &["--json"]).status(1);
    let changes = changes(&done);
    let found = |line: u64, change: &str, text: &str| {
        let found = changes.iter().find(|one| one.0 == line && one.1 == change && one.2.contains(text));
        found.unwrap_or_else(|| panic!("{change} {text} in line {line}: {changes:?}")).3.clone()
    };
    assert_eq!(found(10, "leave out both", "{ lock = \"m\" } and { unlock = \"m\" }"), "noticed");
    assert_eq!(found(10, "leave out", "{ lock = \"m\" }"), "noticed");
    assert_eq!(found(11, "swap", "{ load = \"n\", into = \"x\" } and { store"), "noticed");
    assert_eq!(found(12, "swap", "and { unlock = \"m\" }"), "noticed");
    assert_eq!(found(14, "always", "index == 0"), "unnoticed");
    assert_eq!(found(14, "leave out both", "{ acquire = \"s\" } and { release = \"s\" }"), "unnoticed");
    assert_eq!(found(5, "set", "s.value = 0 (was 1)"), "noticed");
    assert_eq!(found(5, "set", "s.value = 2 (was 1)"), "unnoticed");
    assert!(changes.iter().all(|one| !one.2.contains("print")), "{changes:?}");

    let done = mutate(COUNTER, &[]).status(1);
    let done = done.stdout_contains("  unnoticed  a.toml:14  always: if = \"index == 0\"\n");
    assert!(!done.out.contains("\n  noticed"), "{}", done.out);
    mutate(COUNTER, &["--all"]).status(1).stdout_contains("  noticed    a.toml:10  leave out: { lock = \"m\" }  (by ");
}

#[test]
fn where_everything_is_noticed_it_passes() {
    let text = r#"
[objects]
s = { kind = "semaphore", value = 0 }
[processes.p]
steps = [ { release = "s" } ]
[processes.q]
steps = [ { acquire = "s" }, { mark = "after" } ]
[[expect]]
order = ["p release s", "q acquire s", "q mark after"]
[[expect]]
final = "s == 0"
"#;
    mutate(text, &[]).status(0).stdout_contains("a.toml: changes noticed: 1 of 1, unnoticed: 0, undecided: 0; ");
    assert_eq!(mutate(text, &["-q"]).status(0).out, "");
}

#[test]
fn a_change_that_has_no_end_is_undecided() {
    let text = r#"
[objects]
n = { kind = "value", value = 0 }
[processes.p]
steps = [ { forever = [ { add = "n", value = 1 }, "break" ] } ]
"#;
    let done = mutate(text, &["--max-time", "200ms", "--json"]).status(1);
    let of = |text: &str| changes(&done).into_iter().find(|one| one.2 == text).expect("it is there").3;
    assert_eq!(of("\"break\""), "undecided");
    assert_eq!(of("{ add = \"n\", value = 1 }"), "unnoticed");
}

#[test]
fn a_scenario_in_which_something_does_not_hold_is_refused() {
    let broken = COUNTER.replace("n == 2", "n == 3");
    mutate(&broken, &[]).status(1).stdout("").stderr_contains("not every expectation of `a` holds");
    mutate("steps = [", &[]).status(2).stdout("");
    mutate(&COUNTER.replace("lock", "lokc"), &[]).status(2).stderr_contains("no verb is called `lokc`");
    mutate(COUNTER, &["--max-time", "1ns"]).status(5).stderr_contains("was not explored completely");
}

#[test]
fn steps_in_tables_of_their_own_and_long_texts_are_left_as_they_are() {
    let text = r#"
time = "ideal"
[objects]
n = { kind = "value", value = 0 }
[[processes.p.steps]]
sleep = "1ms"
[[processes.p.steps]]
forever = [ { add = "n", value = 1 }, { print = """
# no comment ]""" }, "break" ]
[processes.q]
steps = [ { sleep = "5ms" }, { load = "n", into = "x" }, { assert = "x == 1" } ]
[[expect]]
final = "n == 1"
"#;
    let done = mutate(text, &["--json", "--max-time", "500ms"]).status(5);
    let changes = changes(&done);
    assert!(
        changes.iter().any(|one| one.1 == "leave out" && one.2.contains("5ms") && one.3 == "noticed"),
        "{changes:?}"
    );
    assert!(changes.iter().all(|one| !one.2.contains("1ms")), "{changes:?}");
}

/// Every shipped scenario of which everything holds can be changed, and every change is one of the format.
#[test]
fn shipped_scenarios_notice_what_is_changed() {
    for name in ["semaphore", "classics/peterson-mended", "classics/lost-update-mutex", "classics/eventfd-adds-up"] {
        let text = std::fs::read_to_string(format!("scenarios/{name}.toml")).expect("a shipped scenario");
        let done = mutate(&text, &["--json"]);
        assert!(changes(&done).iter().any(|one| one.3 == "noticed"), "{name}: {}", done.out);
    }
}
