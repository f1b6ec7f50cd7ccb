//! What is left open besides the order of steps: random numbers that are each tried, and who is killed from outside.

use crate::support::Test;

const SUM: &str = "\
[objects]
sum = { kind = \"value\", value = 0 }
[processes.a]
steps = [{ let = { n = \"{random(1, 3)}\" } }, { add = \"sum\", value = \"{n}\" }]
[processes.b]
steps = [{ add = \"sum\", value = \"{random(10, 13)}\" }]
";
const TWICE: &str = "\
[objects]
sum = { kind = \"value\", value = 0 }
[processes.p]
count = 2
steps = [
  { mark = \"begin\" },
  { let = { n = \"{random(1, 6)}\" } },
  { print = \"{n}\" },
  { let = { m = \"{random(0, 1)}\" } },
  { add = \"sum\", value = \"{n + m}\" },
]
[[expect]]
final = \"sum != 14\"
";

fn explore(scenario: &str) -> Test {
    Test::new().file("a.toml", scenario).args(["explore", "a.toml", "--random", "all"])
}

#[test]
fn each_number_of_its_range_is_drawn() {
    let done = explore(SUM).run().status(0);
    let done = done.stdout_contains("6 final states").stdout_contains("sum=11").stdout_contains("sum=16");
    done.stdout_contains("every random number of its range was tried");
    Test::new().file("a.toml", SUM).args(["explore", "a.toml"]).run().status(0).stdout_contains("final state:");
}

#[test]
fn what_needs_certain_numbers_is_found_and_happens_on_the_kernel() {
    let saved = explore(TWICE).args(["--save", "s.toml"]).run().status(1).read("s.toml");
    assert!(saved.contains("random = \"all\"") && saved.contains("\"p[0] chooses 5,1\""), "{saved}");
    let done = Test::new().file("a.toml", TWICE).file("s.toml", &saved).args(["replay", "a.toml", "s.toml"]).run();
    done.status(1).stdout_contains("sum = 14").stdout_contains("= the kernel matched the model").nothing_left();
    // Typed, it has to be said.
    let typed = ["replay", "a.toml", "a chooses 2 b chooses 3 a b", "--random", "all"];
    let done = Test::new().file("a.toml", SUM).args(typed).run().status(2);
    done.stderr_contains("b has ended");
    let typed = ["replay", "a.toml", "a chooses 2 b chooses 3 a", "--random", "all"];
    let done = Test::new().file("a.toml", SUM).args(typed).run().status(0);
    done.stdout_contains("last 16").stdout_contains("= the kernel matched the model").nothing_left();
}

#[test]
fn what_cannot_be_tried_number_by_number_is_said_at_its_step() {
    let refused = |steps: &str| {
        let text = format!(
            "[objects]\ns = {{ kind = \"semaphore\", via = \"sysv\", value = 1 }}\n[processes.p]\nsteps = [{steps}]\n"
        );
        explore(&text).run().status(2).stderr_contains("a.toml:4").stderr_contains("--random seed")
    };
    refused("{ acquire = \"s\" }, { let = { n = \"{random(1, 1000)}\" } }, { print = \"{n}\" }")
        .stderr_contains("one of 1000 numbers, and at most 256");
    refused("{ sleep = \"{random(1, 5)}ms\" }").stderr_contains("draw it in a `let` before the step");
    refused("{ acquire = \"s\", n = \"{random(1, 2)}\" }").stderr_contains("whether this step waits");
}

/// Workers that take turns by a semaphore, which nobody gives back for the dead.
const PERMIT: &str = "\
[objects]
permit = { kind = \"semaphore\", value = 1 }
[processes.worker]
count = 2
steps = [{ acquire = \"permit\" }, { mark = \"work\" }, { release = \"permit\" }]
";
/// The same by a mutex whose next owner is told.
const ROBUST: &str = "\
[objects]
m = { kind = \"mutex\", robust = true }
[processes.worker]
count = 2
steps = [
  { lock = \"m\", on = { owner_died = [{ repair = \"m\" }] } },
  { mark = \"work\" },
  { unlock = \"m\" },
]
";

fn kill(scenario: &str) -> Test {
    Test::new().file("a.toml", scenario).args(["explore", "a.toml", "--kill", "any"])
}

#[test]
fn what_a_killed_process_leaves_taken_is_found_and_happens_on_the_kernel() {
    Test::new().file("a.toml", PERMIT).args(["explore", "a.toml"]).run().status(0);
    let done = kill(PERMIT).args(["--save", "s.toml"]).run().status(1);
    let done = done
        .stdout_contains("deadlock")
        .stdout_contains("the counterexample below requires killing a process: worker[");
    let done = done.stdout_contains("in its step release permit").stdout_contains("is killed");
    let saved = done.read("s.toml");
    assert!(saved.contains("is killed\""), "{saved}");
    let done = Test::new().file("a.toml", PERMIT).file("s.toml", &saved).args(["replay", "a.toml", "s.toml"]).run();
    done.status(1).stdout_contains("deadlock").stdout_contains("= the kernel matched the model").nothing_left();
}

#[test]
fn every_report_says_who_has_to_be_killed() {
    let names = ["--junit", "r.xml", "--tap", "r.tap", "--html", "r.html"];
    let done = kill(PERMIT).args(names).run().status(1);
    let says = "the counterexample requires killing a process: worker[";
    for file in ["r.xml", "r.tap", "r.html"] {
        let text = done.read(file);
        assert!(text.contains(says), "{file}: {text}");
    }
    let done = kill(PERMIT).args(["--json"]).run().status(1);
    let document: serde_json::Value = serde_json::from_str(&done.out).expect("JSON");
    let killed = &document["story"]["killed"];
    assert!(killed["process"].as_str().is_some_and(|name| name.starts_with("worker[")), "{killed}");
    assert_eq!((&killed["verb"], &killed["object"]), (&"release".into(), &"permit".into()));
    assert!(killed["line"].is_u64() && killed["only"] == true, "{killed}");
    let how = document["how"].as_array().expect("a list");
    assert!(how.contains(&"any one process could be killed at any moment".into()), "{how:?}");
    let notes = document["broken"][0]["example"]["notes"].as_array().expect("a list");
    assert!(notes.iter().any(|note| note.as_str().is_some_and(|note| note.starts_with(says))), "{notes:?}");
    // What fails without that says nothing of it.
    let done = kill(&PERMIT.replace("value = 1", "value = 0")).args(["--json"]).run().status(1);
    let document: serde_json::Value = serde_json::from_str(&done.out).expect("JSON");
    assert!(document["story"]["killed"].is_null(), "{}", document["story"]);
}

#[test]
fn what_is_mended_after_a_death_holds_whoever_is_killed_and_whenever() {
    let done = kill(ROBUST).run().status(0);
    done.stdout_contains("any one process could be killed at any moment").stdout_contains("killed by");
    let typed = ["replay", "a.toml", "worker[0] worker[0] is killed"];
    let done = Test::new().file("a.toml", ROBUST).args(typed).run().status(0);
    done.stdout_contains("= the kernel matched the model").nothing_left();
    let typed = ["replay", "a.toml", "worker[0] is dead"];
    Test::new().file("a.toml", ROBUST).args(typed).run().status(2).stderr_contains("`is` is followed by `killed`");
}

#[test]
fn what_fails_without_a_kill_is_told_without_one() {
    let text = PERMIT.replace("value = 1", "value = 0");
    let done = kill(&text).args(["--save", "s.toml"]).run().status(1).stdout_contains("deadlock");
    let saved = done.read("s.toml");
    assert!(!saved.contains("is killed"), "{saved}");
}

#[test]
fn who_can_be_starved_is_told_from_who_is_only_unlucky() {
    // Daemons that go round for ever end by the timeout.
    let explored = |text: &str| Test::new().file("a.toml", text).args(["explore", "a.toml"]).run().status(1);
    // The semaphore is free again and again, and each can be overtaken for ever.
    let pair = "\
[objects]
s = { kind = \"semaphore\", value = 1 }
[processes.p]
count = 2
daemon = true
steps = [{ forever = [{ acquire = \"s\" }, { release = \"s\" }] }]
[processes.main]
steps = [{ yield = true }]
";
    explored(pair).stdout_contains("can starve, under weak fairness: p[0], p[1]");
    // Readers hand the lock to one another, and the writer never finds it free.
    let readers = "\
[objects]
l = { kind = \"semaphore\", via = \"sysv\", value = 2 }
[processes.reader]
count = 2
daemon = true
steps = [{ forever = [{ acquire = \"l\" }, { release = \"l\" }] }]
[processes.writer]
daemon = true
steps = [{ forever = [{ acquire = \"l\", n = 2 }, { release = \"l\", n = 2 }] }]
[processes.main]
steps = [{ yield = true }]
";
    explored(readers).stdout_contains("even under strong fairness: writer");
    let turns = "\
[objects]
a = { kind = \"semaphore\", value = 1 }
b = { kind = \"semaphore\", value = 0 }
[processes.p]
daemon = true
steps = [{ forever = [{ acquire = \"a\" }, { release = \"b\" }] }]
[processes.q]
daemon = true
steps = [{ forever = [{ acquire = \"b\" }, { release = \"a\" }] }]
[processes.main]
steps = [{ yield = true }]
";
    explored(turns).stdout_contains("no process can starve");
}
