//! Every form of expectation: a run where it holds and one where it does not, and what is then said.

use crate::support::{Done, Test};

/// What the expectations below are about; the steps stand on the lines that the tests name.
const BASE: &str = r#"[params]
three = 3
[objects]
q = { kind = "queue", capacity = 2 }
v = { kind = "value", type = "i32", value = 1 }
a = { kind = "array", type = "i32", value = [7, 8] }
s = { kind = "semaphore", value = 2 }
m = { kind = "mutex" }
met = { kind = "barrier", parties = 2 }
[processes.maker]
steps = [
  { put = "q", value = 10 },
  { put = "q", value = 20 },
  { put = "q", value = 30 },
  { print = "made 3" },
  { mark = "made", value = 3 },
]
[processes.taker]
steps = [
  { sleep = "100ms" },
  { repeat = 3, do = [
    { get = "q", into = "x" },
    { print = "took {x}" },
  ] },
  { get = "q", timeout = "1ms", on = { timeout = [] } },
]
[processes.user]
count = 2
steps = [
  { wait = "met" },
  { acquire = "s" },
  { section = "bath", do = [{ wait = "met" }, { mark = "in" }, { wait = "met" }] },
  { release = "s" },
  { lock = "m" }, { add = "v", value = 1 }, { unlock = "m" },
  { mark = "out" },
]
[processes.quitter]
steps = [{ exit = 4 }]
[processes.victim]
steps = [{ sleep = "1h" }]
[processes.killer]
steps = [{ kill = "victim", signal = "TERM" }]
[[expect]]
exits = "quitter"
code = 4
[[expect]]
exits = "victim"
signal = "TERM"
[[expect]]
"#;

/// Runs the base with one more expectation.
fn with(expectation: &str) -> Done {
    Test::scenario(&format!("{BASE}{expectation}\n")).run().nothing_left()
}

#[track_caller]
fn holds(expectation: &str) {
    let done = with(expectation);
    assert_eq!(done.status, 0, "{expectation}\n{}\n{}", done.out, done.err);
}

/// The expectation fails, alone, and what is said of it contains all these.
#[track_caller]
fn fails(expectation: &str, says: &[&str]) {
    let done = with(expectation);
    assert_eq!(done.status, 1, "{expectation}\n{}\n{}", done.out, done.err);
    assert_eq!(done.out.matches("✗").count(), 2, "{expectation}\n{}", done.out);
    for says in ["expected", "seen"].iter().chain(says) {
        assert!(done.out.contains(says), "`{says}` is not said of {expectation}\n{}", done.out);
    }
}

/// The expectation is refused by `check`, at its line.
#[track_caller]
fn refused(expectation: &str, says: &str) {
    let text = format!("{BASE}{expectation}\n");
    let line = BASE.lines().count() + 1;
    let done = Test::new().file("a.toml", text).args(["check", "a.toml"]).run().status(2).stderr_contains(says);
    let place = |line: usize| done.err.contains(&format!("a.toml:{line}:"));
    assert!((line - 1..line + 4).any(place), "{}", done.err);
}

#[test]
fn final_is_over_the_last_values() {
    holds(r#"final = "v == 3 && size(q) == 0 && a == [7, 8] && a[1] == 8 && s == 2 && m == null""#);
    holds(r#"final = "exit('quitter') == 4 && exit('victim') == -15 && exit('user[1]') == 0 && ended('maker')""#);
    holds(r#"final = "count('maker put q') == three && count('* mark out') == 2 && inside('bath') == 0""#);
    fails(r#"final = "v == 4""#, &["v = 3", "a.toml:34", "v == 4"]);
    fails(r#"final = "exit('quitter') == 0""#, &["4"]);
    refused(r#"final = "w == 4""#, "w");
    refused(r#"final = "v""#, "true or false");
    refused(r#"final = "v == ""#, "");
    refused(r#"final = "exit('nobody') == 0""#, "nobody");
    refused(r#"final = "a[2] == 0""#, "2");
}

#[test]
fn always_and_reaches_are_over_every_state() {
    holds(r#"always = "size(q) <= 2 && v >= 1 && v <= 3 && inside('bath') <= 2 && s >= 0""#);
    holds(r#"reaches = "size(q) == 2""#);
    holds(r#"reaches = "inside('bath') == 2 && s == 0""#);
    holds(r#"reaches = "v == 1""#);
    holds(r#"reaches = "v == 3""#);
    holds(r#"reaches = "count('taker get q') == 2 && !ended('taker')""#);
    fails(r#"always = "size(q) < 2""#, &["size(q) = 2", "a.toml:13", "maker put q"]);
    fails(r#"always = "v < 3""#, &["v = 3", "a.toml:34"]);
    fails(r#"reaches = "size(q) == 3""#, &["size(q)"]);
    fails(r#"reaches = "inside('bath') == 3""#, &["inside"]);
    refused(r#"always = "inside('bathroom') == 0""#, "bath");
}

#[test]
fn count_and_never() {
    holds("count = \"maker put q\"");
    holds("count = \"maker put q\"\nequals = \"{three}\"");
    holds("count = \"user acquire s\"\nequals = 2");
    holds("count = \"user[1] acquire s\"\nequals = 1");
    holds("count = \"* * q\"\nat_least = 6\nat_most = 6");
    holds("count = { process = \"taker\", verb = \"get\", outcome = \"timeout\" }\nequals = 1");
    holds("count = { process = \"taker\", verb = \"get\", outcome = \"failed\" }\nequals = 1");
    holds("count = { verb = \"put\", object = \"q\", value = 20 }\nequals = 1");
    holds("never = { process = \"maker\", verb = \"put\", outcome = \"timeout\" }");
    fails("count = \"maker put q\"\nequals = 4", &["3 events", "a.toml:12"]);
    fails("count = \"maker put q\"\nat_most = 2", &["3 events", "a.toml:12"]);
    fails("count = \"maker put q\"\nat_least = 4", &["3 events"]);
    fails("never = { verb = \"put\", value = 20 }", &["a.toml:13", "maker put q"]);
    fails("never = { process = \"taker\", verb = \"get\", outcome = \"failed\" }", &["a.toml:25", "timeout"]);
    refused("count = \"maker get q\"", "no step could ever match");
    refused("count = \"maker puut q\"", "did you mean `put`?");
    refused("count = \"makr put q\"", "did you mean `maker`?");
    refused("count = \"maker put p\"", "p");
    refused("count = \"user[2] acquire s\"", "2");
    refused("count = \"maker\"", "PROCESS VERB OBJECT");
    refused("count = { verb = \"put\", outcome = \"tiemout\" }", "did you mean");
    refused("count = \"maker put q\"\nequal = 4", "did you mean `equals`?");
}

#[test]
fn order_is_by_cause_or_by_time() {
    holds(r#"order = ["maker put q", "taker get q"]"#);
    holds("order = [\"maker put q\", \"maker put q\", \"taker get q\", \"taker get q\"]\nby = \"time\"");
    // The first get has its cause in the first put, not in the second, whichever of the two came first.
    fails(r#"order = ["maker put q", "maker put q", "taker get q"]"#, &[r#"13 |   { put = "q", value = 20 }"#]);
    holds(r#"order = ["user mark in", "user mark out"]"#);
    holds("order = [\"maker put q\", \"taker get q\"]\nby = \"time\"");
    fails(r#"order = ["taker get q", "maker put q"]"#, &["a.toml:"]);
    // Nothing that one of them does is a cause of what the other does.
    fails(r#"order = ["maker put q", "quitter exit"]"#, &["a.toml:"]);
    fails(r#"order = ["maker mark made", "maker put q"]"#, &["a.toml:"]);
}

#[test]
fn all_before_and_each() {
    holds(r#"all_before = ["user mark in", "user mark out"]"#);
    fails(r#"all_before = ["user mark out", "user mark in"]"#, &["a.toml:"]);
    fails(r#"all_before = ["taker get q", "maker put q"]"#, &["a.toml:"]);
    holds(r#"all_before = [{ verb = "put", value = 10 }, "taker get q"]"#);
    holds("each = \"maker put q\"\nfollowed_by = \"taker get q\"");
    holds("each = \"taker get q\"\npreceded_by = \"maker put q\"");
    holds("each = \"user acquire s\"\nfollowed_by = \"user release s\"\nsame = \"process\"\nwithin = \"50s\"");
    fails("each = \"maker put q\"\nfollowed_by = \"maker mark made\"", &["a.toml:"]);
    fails("each = \"taker get q\"\npreceded_by = \"maker put q\"\nsame = \"process\"", &["a.toml:22"]);
    fails("each = \"maker put q\"\nfollowed_by = \"taker get q\"\nwithin = \"1us\"", &["a.toml:1"]);
}

#[test]
fn values_in_their_order() {
    holds("values = \"taker get q\"\nequals = [10, 20, 30]");
    holds("values = \"taker get q\"\nunordered = true\nequals = [30, 10, 20]");
    holds("values = \"taker get q\"\nin = [[1, 2, 3], [10, 20, 30]]");
    fails("values = \"taker get q\"\nequals = [10, 30, 20]", &["[10, 20, 30]", "a.toml:22"]);
    fails("values = \"taker get q\"\nequals = [10, 20]", &["[10, 20, 30]"]);
    fails("values = \"taker get q\"\nin = [[], [1]]", &["[10, 20, 30]"]);
    holds("final_values = [\"v\", \"a[0]\"]\nin = [[5, 7], [3, 7]]");
    fails("final_values = [\"v\", \"a[0]\"]\nin = [[5, 7], [2, 7]]", &["3", "7"]);
    refused("final_values = [\"v\", \"w\"]\nin = [[5, 7]]", "w");
    refused("final_values = [\"v\", \"a[0]\"]\nin = [[5]]", "");
}

#[test]
fn how_many_at_once() {
    holds("holding = \"s\"\nat_most = 2\nat_least = 2");
    holds("holding = \"m\"\nat_most = 1");
    holds("inside = \"bath\"\nat_least = 2");
    holds("between = [\"user acquire s\", \"user release s\"]\nat_most = 2");
    fails("holding = \"s\"\nat_most = 1", &["2", "a.toml:31", "acquire s"]);
    fails("holding = \"m\"\nat_least = 2", &["1"]);
    fails("inside = \"bath\"\nat_most = 1", &["2", "a.toml:32"]);
    fails("between = [\"user acquire s\", \"user mark out\"]\nat_most = 1", &["2", "a.toml:31"]);
    refused("holding = \"v\"\nat_most = 1", "v");
    refused("inside = \"bahth\"\nat_most = 1", "`\"bath\"`?");
}

#[test]
fn first_in_first_out() {
    holds("fifo = \"q\"");
    let priorities = r#"
[objects]
q = { kind = "queue", capacity = 4 }
s = { kind = "semaphore", value = 0 }
[processes.p]
steps = [{ put = "q", value = 1 }, { put = "q", value = 2 }, { put = "q", value = 3 }]
[[expect]]
fifo = "q"
"#;
    // What stays inside is lost.
    let done = Test::scenario(priorities).run().nothing_left();
    assert!(done.status == 1 || done.status == 0, "{}", done.out);
    refused("fifo = \"v\"", "v");
}

#[test]
fn output_and_ends() {
    holds("printed = \"took\"\nequals = 3");
    holds("printed = \"took\"\nby = \"taker\"\nat_least = 1");
    holds("printed = \"made {three}\"");
    fails("printed = \"took\"\nequals = 2", &["3 lines", "a.toml:23"]);
    fails("printed = \"took\"\nby = \"maker\"", &["0", "maker"]);
    fails("printed = \"stolen\"", &["stolen"]);
    refused("printed = \"took\"\nby = \"takr\"", "did you mean `taker`?");
    holds("exits = \"user\"\ncode = 0");
    holds("exits = \"maker\"");
    holds("exits = \"killer\"\ncode = 0");
    fails("exits = \"user\"\ncode = 1", &["user", "0"]);
    fails("exits = \"maker\"\nsignal = \"KILL\"", &["maker", "KILL"]);
    refused("exits = \"usr\"", "did you mean");
}

#[test]
fn durations() {
    holds("takes = \"taker\"\nat_least = \"5ms\"");
    holds("takes = \"*\"\nat_most = \"50s\"");
    holds("blocks = \"maker put q\"\nat_least = \"1us\"");
    fails("takes = \"taker\"\nat_most = \"1ms\"", &["taker"]);
    fails("takes = \"*\"\nat_most = \"1us\"", &["1"]);
    fails("blocks = \"maker put q\"\nat_most = \"1us\"", &["a.toml:14"]);
    refused("takes = \"taker\"\nat_most = 5", "duration");
}

#[test]
fn races_and_lost_updates() {
    holds("race_free = \"v\"");
    holds("lost_updates = \"v\"\nequals = 0");
    fails("lost_updates = \"v\"", &["0 lost updates"]);
    let racy = |expectation: &str| {
        let text = format!(
            r#"[objects]
v = {{ kind = "value", type = "i32" }}
met = {{ kind = "barrier", parties = 2 }}
[processes.p]
count = 2
steps = [
  {{ load = "v", into = "x" }},
  {{ wait = "met" }},
  {{ store = "v", value = "{{x + 1}}" }},
]
[[expect]]
{expectation}
"#
        );
        Test::scenario(&text).run().nothing_left()
    };
    let done = racy("race_free = \"v\"").status(1);
    done.stdout_contains("a.toml:9").stdout_contains("expected").stdout_contains("seen");
    racy("race_free = \"v\"\nholds = \"never\"").status(0);
    racy("lost_updates = \"v\"\nequals = 1").status(0);
    racy("lost_updates = \"v\"\nat_least = 1").status(0);
    let done = racy("lost_updates = \"v\"\nequals = 0").status(1);
    done.stdout_contains("1 lost update").stdout_contains("\n    9 | ");
    racy("final = \"v == 1\"").status(0);
    refused("race_free = \"q\"", "q");
    refused("lost_updates = \"m\"", "m");
}

#[test]
fn deadlock_and_ends() {
    holds("deadlock = false");
    holds("ends = true");
    fails("deadlock = true", &["no deadlock"]);
    fails("ends = false", &["ended"]);
    let stuck = |expectation: &str| {
        let text = format!(
            r#"[objects]
m = {{ kind = "mutex", count = 2 }}
met = {{ kind = "barrier", parties = 2 }}
[processes.p]
count = 2
steps = [
  {{ lock = "m[index]" }},
  {{ wait = "met" }},
  {{ lock = "m[1 - index]" }},
]
[processes.other]
steps = ["yield"]
{expectation}
"#
        );
        Test::scenario(&text).run().nothing_left()
    };
    let done = stuck("").status(1);
    done.stdout_contains("p[0] waits to lock m[1]").stdout_contains("a.toml:9").stdout_contains("p[1] holds it");
    stuck("[[expect]]\ndeadlock = true\n").status(0);
    stuck("[[expect]]\ndeadlock = true\nblocked = [\"p[0]\", \"p[1]\"]\n").status(0);
    stuck("[[expect]]\ndeadlock = true\nblocked = [\"p[1] at m[0]\", \"p[0] at m[1]\"]\n").status(0);
    stuck("[[expect]]\ndeadlock = true\nblocked = [\"p at m\", \"p at m\"]\n").status(0);
    stuck("[[expect]]\ndeadlock = true\nin = [[\"other\"], [\"p\", \"p\"]]\n").status(0);
    stuck("[[expect]]\ndeadlock = true\nblocked = [\"p[0]\"]\n").status(1).stdout_contains("a.toml:9");
    stuck("[[expect]]\ndeadlock = true\nblocked = [\"p at m\"]\n").status(1);
    stuck("[[expect]]\ndeadlock = true\nblocked = [\"p\", \"p\", \"other\"]\n").status(1);
    stuck("[[expect]]\ndeadlock = true\nblocked = [\"p[0] at met\", \"p[1]\"]\n").status(1);
    stuck("[[expect]]\ndeadlock = false\n").status(1);
    stuck("[[expect]]\nends = true\n").status(1);
    stuck("[[expect]]\ndeadlock = true\n[[expect]]\nends = false\n").status(0);
    stuck("[[expect]]\ndeadlock = true\nblocked = [\"q\"]\n").status(2);
}

#[test]
fn a_process_that_ends_badly_fails_the_run_unless_an_expectation_says_so() {
    let run = |steps: &str, expectation: &str| {
        Test::scenario(&format!("[processes.p]\nsteps = [\n{steps}\n]\n{expectation}")).run().nothing_left()
    };
    run("{ exit = 3 }", "").status(1).stdout_contains("a.toml:3");
    run("{ exit = 3 }", "[[expect]]\nexits = \"p\"\ncode = 3\n").status(0);
    run("{ exit = 3 }", "[[expect]]\nexits = \"p\"\ncode = 4\n").status(1);
    run("\"abort\"", "").status(1);
    run("{ kill = \"p\" }", "").status(0);
}

#[test]
fn what_nothing_matched_is_vacuous() {
    let run = |expectation: &str| {
        let text = format!(
            "[objects]\nv = {{ kind = \"value\", type = \"i32\" }}\n[processes.p]\nsteps = [\n\
             {{ if = \"false\", then = [{{ store = \"v\", value = 1 }}, {{ mark = \"x\" }}] }},\n{{ load = \"v\" }}\n]\n\
             [[expect]]\n{expectation}\n"
        );
        Test::scenario(&text).run().nothing_left()
    };
    for expectation in [
        "each = \"p store v\"\nfollowed_by = \"p load v\"",
        "order = [\"p store v\", \"p mark x\"]",
        "order = [\"p load v\", \"p mark x\"]",
    ] {
        run(expectation).status(1).stdout_contains("expected");
    }
    run("each = \"p store v\"\nfollowed_by = \"p load v\"\nallow_empty = true").status(0);
    run("order = [\"p store v\", \"p mark x\"]\nallow_empty = true").status(0);
    run("all_before = [\"p store v\", \"p load v\"]").status(0);
    run("never = \"p store v\"").status(0);
    run("count = \"p store v\"").status(1);
}

/// A run that ends in one of two ways, by its seed.
const EITHER: &str = r#"
[objects]
v = { kind = "value", type = "i32" }
[processes.p]
steps = [{ sleep = "{random(0, 3)}ms" }, { store = "v", value = 1 }]
[processes.q]
steps = [{ sleep = "{random(0, 3)}ms" }, { store = "v", value = 2 }]
[[expect]]
"#;

#[test]
fn over_many_runs() {
    let run = |expectation: &str| {
        Test::scenario(&format!("{EITHER}{expectation}\n")).args(["--repeat", "40"]).run().nothing_left()
    };
    run("final = \"v == 1 || v == 2\"").status(0).stdout_contains("40 of 40").stdout_contains("Always");
    run("final = \"v == 3\"\nholds = \"never\"").status(0).stdout_contains("Never");
    run("final = \"v == 3\"").status(1).stdout_contains("expected").stdout_contains("seen");
    run("final = \"v == 3\"\nholds = \"sometimes\"").status(5);
    run("final = \"v > 0\"\nholds = \"sometimes\"").status(0);
    run("final = \"v > 0\"\nholds = \"never\"").status(1);
    run("final_values = [\"v\"]\nin = [[1], [2], [3]]").status(0);
    run("final_values = [\"v\"]\nin = [[1], [2], [3]]\neach_seen = true").status(5);
    let done = run("final_values = [\"v\"]\nin = [[3]]").status(1);
    assert!(done.out.contains("v=1") || done.out.contains("v=2"), "{}", done.out);
}

#[test]
fn one_run_cannot_refute_what_holds_sometimes() {
    let run = |expectation: &str| Test::scenario(&format!("{EITHER}{expectation}\n")).run().nothing_left();
    run("final = \"v == 3\"\nholds = \"sometimes\"").status(5).stdout_contains("v == 3");
    run("final = \"v > 0\"\nholds = \"sometimes\"").status(0);
}

#[test]
fn the_histogram_counts_the_distinct_final_states() {
    let text = r#"
[objects]
turn = { kind = "semaphore", value = 1 }
order = { kind = "value", type = "i32" }
[processes.p]
count = 2
steps = [{ acquire = "turn" }, { update = "order", value = "{it * 10 + index + 1}" }, { release = "turn" }]
"#;
    let done = Test::scenario(text).args(["--repeat", "30"]).run().status(0).nothing_left();
    let done = done.stdout_contains("30 runs ended in").stdout_contains("order=12");
    let counted: u32 = done
        .out
        .lines()
        .filter(|line| line.contains("order="))
        .filter_map(|line| line.split_whitespace().next()?.parse::<u32>().ok())
        .sum();
    assert_eq!(counted, 30, "{}", done.out);
}

#[test]
fn a_label_names_an_expectation() {
    let done = with("final = \"v == 9\"\nlabel = \"nine in the end\"").status(1);
    done.stdout_contains("✗ nine in the end");
}

#[test]
fn wrong_expectations_are_refused() {
    refused("finall = \"v == 3\"", "did you mean `final`?");
    refused("final = \"v == 3\"\nalways = \"v == 3\"", "one form");
    refused("holds = \"always\"", "form");
    refused("final = \"v == 3\"\nholds = \"often\"", "sometimes");
    refused("final = 3", "");
    refused("order = \"maker put q\"", "");
    refused("order = []", "");
    refused("each = \"maker put q\"", "followed_by");
    refused("values = \"taker get q\"", "");
    refused("holding = \"s\"", "at_most");
    refused("takes = \"taker\"", "at_most");
}
