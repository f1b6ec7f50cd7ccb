//! `ipcrun explore`: what it finds in every interleaving, and how it says so.

use crate::support::Test;

const ABBA: &str = "\
[objects]
left = { kind = \"mutex\" }
right = { kind = \"mutex\" }
[processes.A]
steps = [
  { lock = \"left\" },
  { lock = \"right\" },
  { unlock = \"right\" },
  { unlock = \"left\" },
]
[processes.B]
steps = [
  { lock = \"right\" },
  { lock = \"left\" },
  { unlock = \"left\" },
  { unlock = \"right\" },
]
";

fn lost(rounds: u32, expect: &str) -> String {
    format!(
        "[objects]
money = {{ kind = \"value\", value = 0 }}
[processes.p]
count = 2
steps = [{{ repeat = {rounds}, do = [
  {{ load = \"money\", into = \"m\" }},
  {{ store = \"money\", value = \"{{m + 1}}\" }},
] }}]
{expect}
"
    )
}

fn explore(text: &str) -> Test {
    Test::new().file("a.toml", text).args(["explore", "a.toml"])
}

#[test]
fn a_possible_deadlock_is_told_with_its_shortest_story() {
    let done = explore(ABBA).run().status(1).stderr("");
    let (before, story) = done.out.split_once("  2 final states:\n").expect("a histogram");
    assert!(before.contains("✗ Sometimes  no unexpected deadlock  holds in 1 of 2 ends"), "{}", done.out);
    assert_eq!(
        story,
        "    - ended
    - deadlock: A at lock right, B at lock left
  shortest counterexample: 2 steps, 1 context switch
      A           B
   1  lock left   │           left free → A
   2  │           lock right  right free → B  ◀ point of no return
  deadlock: 2 processes wait for ever
    A waits to lock right; B holds it  a.toml:7
    B waits to lock left; A holds it  a.toml:14
    wait-for cycle: A → right → B → left → A
  replay: ipcrun replay a.toml 'A B'
"
    );
}

#[test]
fn the_story_of_a_lost_update_has_the_fewest_switches() {
    let done = explore(&lost(2, "[[expect]]\nfinal = \"money == 4\"")).run().status(1);
    done.stdout_contains("    - money=2\n    - money=3\n    - money=4\n")
        .stdout_contains("shortest counterexample: 8 steps, 2 context switches")
        .stdout_contains("load money = 1   ◀ point of no return");
}

#[test]
fn what_holds_in_every_order_holds_always_and_what_no_order_shows_is_refuted() {
    let expect = "[[expect]]\nfinal = \"money >= 2\"\n[[expect]]\nfinal = \"money == 1\"\nholds = \"sometimes\"\n";
    explore(&lost(2, expect))
        .run()
        .status(1)
        .stdout_contains("✓ Always     final = \"money >= 2\"")
        .stdout_contains("✗ Never      final = \"money == 1\"")
        .stdout_contains("no execution satisfies it");
    let expect = "[[expect]]\nfinal = \"money == 2\"\nholds = \"sometimes\"\n";
    explore(&lost(2, expect)).run().status(0).stdout_contains("✓ Sometimes  final = \"money == 2\"");
}

#[test]
fn a_search_that_was_cut_never_says_that_anything_holds() {
    let text = lost(4, "[[expect]]\nfinal = \"money >= 2\"");
    let done = explore(&text).args(["--max-states", "20", "--reduce", "none"]).run().status(5);
    let done = done.stdout_contains("incomplete: the state limit was reached");
    assert!(!done.out.contains('✓'), "{}", done.out);
    let done = explore(&text).args(["--max-states", "20", "--json"]).run().status(5);
    let document: serde_json::Value = serde_json::from_str(&done.out).expect("one document");
    assert_eq!((&document["complete"], &document["status"]), (&false.into(), &"unknown".into()));
    // What failed before the cut has failed.
    let text = lost(1, "[[expect]]\nfinal = \"money == 2\"");
    explore(&text).args(["--max-states", "1000", "--max-memory", "64MiB", "--max-time", "1m"]).run().status(1);
}

#[test]
fn every_reduction_says_the_same() {
    let histogram = |reduce: &str| {
        let done = explore(ABBA).args(["--reduce", reduce, "--json"]).run().status(1);
        let document: serde_json::Value = serde_json::from_str(&done.out).expect("one document");
        let mut ends: Vec<String> = (document["histogram"].as_array().expect("a list").iter())
            .map(|state| state["state"].as_str().unwrap_or_default().to_owned())
            .collect();
        ends.sort();
        (ends, document["explored"]["states"].as_u64().unwrap_or(0), document["story"]["switches"].clone())
    };
    let (ends, states, switches) = histogram("none");
    for reduce in ["all", "order", "symmetry"] {
        let (other, fewer, same) = histogram(reduce);
        assert_eq!((&other, &same), (&ends, &switches), "{reduce}");
        assert!(fewer <= states, "{reduce}: {fewer} of {states}");
    }
}

#[test]
fn time_passes_only_when_nothing_else_can_move_unless_it_may_at_any_moment() {
    let text = "[objects]\nm = { kind = \"mutex\" }\nc = { kind = \"condition\", mutex = \"m\" }\n\
                [processes.waiter]\nsteps = [{ lock = \"m\" }, { wait = \"c\" }, { unlock = \"m\" }]\n\
                [processes.waker]\nsteps = [{ sleep = \"10ms\" }, { lock = \"m\" }, { notify = \"c\" }, { unlock = \"m\" }]\n";
    explore(text).args(["--time", "ideal"]).run().status(0).stdout_contains("time: ideal, it passes only when");
    explore(text).args(["--time", "virtual"]).run().status(0);
    let done = explore(text).args(["--time", "any"]).run().status(1);
    let done = done.stdout_contains("deadlock: 1 process waits for ever").stdout_contains("--time any");
    let (_, command) = done.out.split_once("replay: ipcrun replay a.toml '").expect("a command");
    let (schedule, _) = command.split_once('\'').expect("a schedule");
    Test::new()
        .file("a.toml", text)
        .args(["replay", "a.toml", schedule, "--time", "any"])
        .run()
        .status(1)
        .stdout_contains("= the kernel matched the model")
        .nothing_left();
}

#[test]
fn several_scenarios_are_explored_one_after_the_other_or_at_once() {
    for jobs in ["1", "2"] {
        let test = Test::new().file("all/a.toml", ABBA).file("all/b.toml", lost(1, "")).file("all/c.toml", "[procs]\n");
        let done = test.args(["explore", "-j", jobs, "all"]).run().status(2);
        done.stdout_contains("3 scenarios: 1 passed, 1 failed, 1 wrong").stderr_contains("error[");
    }
}

#[test]
fn reports_are_written_as_for_a_run() {
    let test = explore(ABBA).args(["--junit", "r.xml", "--trace", "t.jsonl", "--html", "p.html", "--save", "s.toml"]);
    let done = test.run().status(1).stdout_contains("replay: ipcrun replay a.toml s.toml");
    assert!(done.read("r.xml").contains("<failure"));
    assert!(done.read("t.jsonl").contains("\"model\""));
    assert!(done.read("p.html").contains("<html"));
    assert!(done.read("s.toml").contains("\"A\", # lock left (line 6)"));
    let test = Test::new().file("all/a.toml", ABBA).file("all/b.toml", ABBA).folder("out");
    let done = test.args(["explore", "all", "--save", "out"]).run().status(1);
    assert_eq!(
        done.read("out/a.schedule.toml"),
        done.read("out/b.schedule.toml").replace("b.toml", "a.toml").replace("out/b.", "out/a.")
    );
    Test::new()
        .file("all/a.toml", ABBA)
        .file("all/b.toml", ABBA)
        .args(["explore", "all", "--save", "s.toml"])
        .run()
        .status(2)
        .stderr_contains("these are 2");
}

#[test]
fn a_scenario_can_be_printed_for_spin() {
    explore(ABBA).args(["--emit", "promela"]).run().status(0).stdout_contains("proctype");
}

#[test]
fn pictures_keep_to_ascii_where_that_is_asked_for() {
    let done = explore(ABBA).args(["--ascii"]).run().status(1);
    assert!(done.out.is_ascii(), "{}", done.out);
}

#[test]
fn what_can_happen_is_told_where_that_is_asked_for() {
    let expected = format!("{ABBA}[[expect]]\ndeadlock = true\nholds = \"sometimes\"\n");
    let silent = explore(&expected).run().status(0);
    assert!(!silent.out.contains("counterexample"), "{}", silent.out);
    explore(&expected)
        .args(["--show", "1"])
        .run()
        .status(0)
        .stdout_contains("shortest execution that shows `deadlock = true, holds = \"sometimes\" (sometimes)`: 2 steps, 1 context switch")
        .stdout_contains("replay:");
}

/// A waker that sleeps until the waiter waits: as long as nobody is slow.
const SLEEPS: &str = "\
[objects]
m = { kind = \"mutex\" }
c = { kind = \"condition\", mutex = \"m\" }
v = { kind = \"value\", value = 0 }
[processes.waiter]
steps = [{ lock = \"m\" }, { wait = \"c\" }, { unlock = \"m\" }]
[processes.waker]
steps = [{ sleep = \"10ms\" }, { lock = \"m\" }, { notify = \"c\" }, { unlock = \"m\" }]
";

fn json(done: &crate::support::Done) -> serde_json::Value {
    serde_json::from_str(&done.out).expect("one document")
}

#[test]
fn what_holds_only_where_time_is_ideal_depends_on_timing() {
    let text = format!("{SLEEPS}[[expect]]\nends = true\n[[expect]]\nfinal = \"v == 0\"\n");
    let done = explore(&text).args(["--junit", "r.xml", "--tap", "r.tap"]).run().status(5);
    let done = done
        .stdout_contains("? Timing-dependent  ends = true")
        .stdout_contains("it holds under ideal time and fails if a sleep or a timeout may end at any moment")
        .stdout_contains("✓ Always            final")
        .stdout_contains("deadlock: 1 process waits for ever")
        .stdout_contains("time: ideal and any, both explored");
    assert!(done.read("r.xml").contains("<skipped message=\"timing-dependent: it holds under ideal time"));
    assert!(done.read("r.tap").contains("# SKIP timing-dependent: it holds under ideal time"));
    let (_, command) = done.out.split_once("replay: ipcrun replay a.toml '").expect("a command");
    let (schedule, options) = command.split_once('\'').expect("a schedule");
    assert!(options.contains("--time any"), "{options}");
    let replay = Test::new().file("a.toml", &text).args(["replay", "a.toml", schedule, "--time", "any"]);
    replay.run().status(1).stdout_contains("= the kernel matched the model").nothing_left();
    let document = json(&explore(&text).args(["--json"]).run().status(5));
    assert_eq!(document["expectations"][0]["status"], "timing-dependent");
    assert_eq!(document["expectations"][1]["status"], "passed");
    assert_eq!(document["assumes"]["time"], serde_json::json!(["ideal", "any"]));
    assert_eq!(document["assumes"]["memory"], "sequentially consistent");
}

#[test]
fn the_file_says_what_is_assumed_of_time_and_the_command_line_stands_above_it() {
    for (time, status) in [("ideal", 0), ("any", 1)] {
        let text = format!("time = \"{time}\"\n{SLEEPS}");
        explore(&text).run().status(status);
        explore(&text).args(["--time", "ideal"]).run().status(0);
        explore(&text).args(["--time", "any"]).run().status(1);
    }
    explore(&format!("time = \"virtual\"\n{SLEEPS}")).run().status(2).stderr_contains("is not one of");
    // Where no time can pass there is nothing to look at twice.
    let text = lost(1, "");
    explore(&text).run().status(0).stdout_contains("time: none passes");
}

#[test]
fn parts_of_both_looks_say_together_what_one_exploration_says() {
    let one = ["explore", "a.toml", "--strategy", "random", "--runs", "200"];
    let whole = Test::new().file("a.toml", SLEEPS).args(one).run();
    let mut together = Test::new().file("a.toml", SLEEPS).args(["explore", "--merge"]);
    for part in 1..=2 {
        let done = Test::new().file("a.toml", SLEEPS).args(one).args(["--shard", &format!("{part}/2")]).run();
        let name = format!("part-{part}-of-2.json");
        together = together.file(&name, done.read(&name)).args([name.as_str()]);
    }
    let merged = together.run();
    assert_eq!((merged.status, &merged.out), (whole.status, &whole.out));
}

#[test]
fn durations_are_undecided_where_a_file_has_priorities() {
    let text = "[objects]\nm = { kind = \"mutex\" }\n[processes.low]\nnice = 5\nsteps = [{ lock = \"m\" }, { unlock = \"m\" }]\n\
                [processes.high]\nsteps = [{ lock = \"m\" }, { unlock = \"m\" }]\n\
                [[expect]]\nblocks = \"high lock m\"\nat_most = \"100ms\"\n";
    for time in ["ideal", "any"] {
        explore(text)
            .args(["--time", time])
            .run()
            .status(5)
            .stdout_contains("the model has neither CPUs nor priorities (`nice` of low)");
    }
    let free = text.replace("nice = 5\n", "");
    explore(&free).args(["--time", "ideal"]).run().status(0);
}

/// A lock with a ceiling raises its owner, and no lock with a lower ceiling can be had meanwhile (pthread_mutex_lock(3p)).
#[test]
fn a_lock_with_a_ceiling_needs_a_priority_that_is_not_over_it() {
    let text = |policy: &str, first: &str, second: &str| {
        format!(
            r#"
[objects]
low = {{ kind = "mutex", protocol = "protect", ceiling = 3 }}
high = {{ kind = "mutex", protocol = "protect", ceiling = 9 }}
[processes.p]
{policy}
steps = [{{ lock = "{first}" }}, {{ lock = "{second}", outcome = "o" }}, {{ exit = "{{o == 'ok' ? 0 : o == 'invalid' ? 1 : 2}}" }}]
[[expect]]
exits = "p"
code = 0
"#
        )
    };
    let fifo = "policy = \"fifo\"\npriority = 2";
    explore(&text(fifo, "low", "high")).run().status(0);
    explore(&text(fifo, "high", "low")).run().status(1).stdout_contains("p exited with status 1");
    let high = "policy = \"rr\"\npriority = 7";
    Test::new().file("a.toml", text(high, "low", "high")).args(["check", "a.toml"]).run().status(2);
    let done = Test::new().file("a.toml", text("", "low", "high")).args(["check", "a.toml"]).run().status(2);
    done.stderr_contains("this can only end `invalid`: a ceiling needs a process");
}

#[test]
fn a_search_that_looked_at_some_executions_speaks_of_those() {
    let text = "[objects]\nv = { kind = \"value\", value = 0 }\n[processes.a]\nsteps = [{ store = \"v\", value = 1 }]\n\
                [processes.b]\nsteps = [{ store = \"v\", value = 2 }]\n[[expect]]\nfinal = \"v == 1\"\n";
    let mut seen = std::collections::BTreeSet::new();
    for seed in ["0", "1", "2", "3"] {
        let done = explore(text).args(["--strategy", "random", "--runs", "1", "--seed", seed]).run();
        for word in ["Never", "Always", "every execution ends"] {
            assert!(!done.out.contains(word), "{}", done.out);
        }
        assert!(done.out.contains("final state so far:"), "{}", done.out);
        seen.insert(if done.out.contains("holds in none explored") { "none" } else { "all" });
    }
    assert_eq!(seen.len(), 2);
}

#[test]
fn what_expectations_tell_apart_is_not_counted_together() {
    let prints = "[processes.a]\nsteps = [{ print = \"a\" }]\n[processes.b]\nsteps = [{ print = \"b\" }]\n\
                  [[expect]]\norder = [\"a print *\", \"b print *\"]\nby = \"time\"\nholds = \"sometimes\"\n";
    let done = explore(prints).run().status(0);
    assert!(!done.out.contains("interleavings"), "{}", done.out);
    explore(&lost(2, "[[expect]]\nfinal = \"money >= 2\"")).run().status(0).stdout_contains("= 70 schedules");
}

#[test]
fn a_pattern_is_vacuous_where_no_execution_has_it() {
    let text = "[objects]\nv = { kind = \"value\", value = 0 }\n[processes.a]\nsteps = [{ store = \"v\", value = 1 }]\n\
                [processes.b]\nsteps = [{ load = \"v\", into = \"x\" }, { if = \"x == 1\", then = [{ mark = \"saw\" }] }]\n";
    let each = "[[expect]]\neach = \"b mark saw\"\npreceded_by = \"a store v\"\n";
    explore(&format!("{text}{each}")).run().status(0).stdout_contains("✓ Always");
    let never = text.replace("x == 1", "x == 7");
    explore(&format!("{never}{each}")).run().status(1).stdout_contains("vacuous");
}

#[test]
fn how_often_there_is_a_race_is_not_said() {
    let text = "[objects]\nv = { kind = \"value\", value = 0 }\ns = { kind = \"semaphore\", value = 0 }\n\
                [processes.a]\nsteps = [{ store = \"v\", value = 1 }, { release = \"s\" }]\n\
                [processes.c]\nsteps = [{ release = \"s\" }]\n\
                [processes.b]\nsteps = [{ acquire = \"s\" }, { load = \"v\" }]\n[[expect]]\nrace_free = \"v\"\n";
    let done = explore(text).run().status(1).stdout_contains("✗ Not always  race_free");
    assert!(!done.out.contains("Never"), "{}", done.out);
    let document = json(&explore(text).args(["--json"]).run().status(1));
    assert_eq!(document["expectations"][0]["held"], serde_json::Value::Null);
}

#[test]
fn what_no_execution_comes_to_is_listed_under_every_reduction() {
    let text = "[objects]\ns = { kind = \"semaphore\", value = 0 }\nv = { kind = \"value\", value = 0 }\n\
                [processes.a]\ncount = 3\nsteps = [\n  { release = \"s\" },\n  { load = \"v\", into = \"x\" },\n  { if = \"x > 9\", then = [\n    \
                { mark = \"never\" },\n  ], else = [\n    { mark = \"here\" },\n  ] },\n]\n\
                [processes.b]\nsteps = [\n  { acquire = \"s\", timeout = \"1s\", on = { timeout = [\n    { store = \"v\", value = 1 },\n  ] } },\n]\n";
    for reduce in ["none", "order", "symmetry", "all"] {
        let done = explore(text).args(["--time", "ideal", "--reduce", reduce, "--junit", "r.xml"]).run().status(0);
        let done = done.stdout_contains("never reached: lines 10, 18\n");
        assert!(done.read("r.xml").contains("<property name=\"never reached\" value=\"lines 10, 18\"/>"));
        let any = explore(text).args(["--time", "any", "--reduce", reduce, "--json"]).run().status(0);
        assert_eq!(json(&any)["unreached"], serde_json::json!([10]));
    }
    let cut = explore(text).args(["--time", "ideal", "--max-states", "3", "--reduce", "none"]).run();
    assert!(!cut.out.contains("never reached"), "{}", cut.out);
}
