//! What processes wait for, where a run is cut off and how it comes to that, in the same words in a run, in the runs of
//! `--repeat`, in an exploration and in a replay.

use crate::support::Test;

/// A client that holds a mutex waits for a server that needs it.
const DAEMON: &str = r#"[objects]
a = { kind = "queue" }
b = { kind = "queue" }
m = { kind = "mutex" }

[processes.client]
steps = [{ lock = "m" }, { put = "a", value = 1 }, { get = "b" }, { unlock = "m" }]

[processes.server]
daemon = true
steps = [{ forever = [{ get = "a" }, { lock = "m" }, { unlock = "m" }, { put = "b", value = 1 }] }]
"#;

const BARRIER: &str = r#"[objects]
sync = { kind = "barrier", parties = 3 }

[processes.a]
steps = [{ wait = "sync" }]

[processes.b]
steps = [{ wait = "sync" }]

[processes.c]
steps = [{ mark = "does not come" }]
"#;

const OWN_READER: &str = r#"[objects]
c = { kind = "pipe", capacity = 1 }

[processes.main]
steps = [{ repeat = 2, do = [{ send = "c.w", value = 1 }] }, { recv = "c.r" }]
"#;

const OWN_WRITER: &str = r#"[objects]
c = { kind = "pipe" }

[processes.helper]
uses = ["c.w"]
steps = [{ recv = "c.r" }]
"#;

const LONG_VALUE: &str = r#"[objects]
data = { kind = "pipe", capacity = 1 }

[processes.web_content]
steps = [{ poll = "data.r" }, { mark = "never reads" }]

[processes.ui]
steps = [{ mark = "x" }]

[processes.request_server]
uses = ["data.r"]
steps = [
  { send = "data.w", value = "chunk of a web page" },
  { forever = [{ send = "data.w", value = "chunk of a web page", timeout = "0s", on = { would_block = ["yield"] } }] },
]
"#;

const LIVELOCK: &str = r#"timeout = "200ms"

[objects]
m = { kind = "mutex" }
q = { kind = "queue" }

[processes.a]
steps = [{ lock = "m" }, { get = "q" }, { unlock = "m" }]

[processes.b]
vars = { on = true }
steps = [
  { while = "on", do = [{ lock = "m", timeout = "0s", on = { would_block = ["yield"], ok = [{ let = { on = false } }] } }] },
  { put = "q", value = 1 },
  { unlock = "m" },
]
"#;

/// The arguments of a run, of several, of an exploration and of a replay.
fn ways(schedule: &str) -> [Vec<&str>; 4] {
    [
        vec!["run", "a.toml"],
        vec!["--repeat", "2", "a.toml"],
        vec!["explore", "-j", "1", "a.toml"],
        vec!["replay", "a.toml", schedule],
    ]
}

/// The standard output of each, in one line each, without the times.
fn said(text: &str, schedule: &str) -> Vec<String> {
    ways(schedule)
        .into_iter()
        .map(|arguments| {
            let done = Test::new().file("a.toml", text).args(arguments.iter()).run().status(1).nothing_left();
            let mut words: Vec<String> = done.out.split_whitespace().map(str::to_owned).collect();
            // `since 120 ms;`: the semicolon belongs to the word before.
            while let Some(at) = words.iter().position(|word| word == "since") {
                let time: Vec<String> = words.drain(at..(at + 3).min(words.len())).collect();
                let unit = time.last().map_or("", String::as_str);
                words[at - 1].push_str(unit.trim_start_matches(char::is_alphabetic));
            }
            words.join(" ")
        })
        .collect()
}

#[track_caller]
fn all_say(text: &str, schedule: &str, sentences: &[&str], never: &[&str]) {
    for (said, way) in said(text, schedule).iter().zip(ways(schedule)) {
        for sentence in sentences {
            assert!(said.contains(sentence), "{way:?} does not say {sentence:?}: {said}");
        }
        for sentence in never {
            assert!(!said.contains(sentence), "{way:?} says {sentence:?}: {said}");
        }
    }
}

#[test]
fn what_a_daemon_waits_for_is_part_of_the_cycle_but_does_not_count() {
    all_say(
        DAEMON,
        "client2 server",
        &[
            "client waits to get b; only server can unblock it",
            "server waits to lock m; client holds it",
            "wait-for cycle: client → b → server → m → client",
            "blocked for ever: client at get b",
        ],
        &["2 processes wait", "server at lock m"],
    );
}

#[test]
fn a_barrier_says_how_many_have_arrived_and_which_cannot() {
    let sentences = [
        "a waits for sync; 2 of 3 have arrived; c has ended, no other process can arrive",
        "b waits for sync; 2 of 3 have arrived; c has ended, no other process can arrive",
    ];
    all_say(BARRIER, "a b", &sentences, &["cycle", "can unblock"]);
}

#[test]
fn a_process_that_waits_for_itself_alone_is_said_to() {
    let sentences =
        ["main waits to send c; it waits for itself: no other process holds c.r", "wait-for cycle: main → c → main"];
    all_say(OWN_READER, "main", &sentences, &["no end of file", "no process can end"]);
    let sentences = [
        "helper waits to recv c; it waits for itself: no other process holds c.w, so no end of file comes",
        "wait-for cycle: helper → c → helper",
    ];
    all_say(OWN_WRITER, "", &sentences, &["no process can end"]);
}

#[test]
fn an_outcome_is_never_cut_off() {
    let done = Test::new().file("a.toml", LONG_VALUE).args(["explore", "-j", "1", "a.toml"]).run().status(1);
    let step = done.out.lines().find(|line| line.contains("   4  ")).expect("a fourth step");
    assert!(step.contains("…: would_block"), "{}", done.out);
    let done = done.stdout_contains("livelock");
    done.stdout_contains("counterexample: 5 steps, 2 context switches");
}

#[test]
fn a_livelock_has_one_name_and_says_where_each_process_is() {
    let explored = Test::new().file("a.toml", LIVELOCK).args(["explore", "-j", "1", "a.toml"]).run().status(1);
    let replayed = Test::new().file("a.toml", LIVELOCK).args(["replay", "a.toml", "a b2"]).run().status(1);
    for done in [&explored, &replayed] {
        assert!(!done.out.contains("timeout") && !done.out.contains("0 ns on"), "{}", done.out);
        assert!(done.out.contains("no livelock"), "{}", done.out);
        assert!(done.out.contains("seen      livelock: the same states repeat for ever"), "{}", done.out);
        assert!(done.out.contains("  livelock: the same states repeat for ever\n"), "{}", done.out);
        assert!(done.out.contains("    a is in get q  a.toml:8\n"), "{}", done.out);
        assert!(done.out.contains("    b is in lock m; a holds it  a.toml:13\n"), "{}", done.out);
    }
    assert!(explored.out.contains("    - livelock\n"), "{}", explored.out);
    assert!(replayed.out.contains("= the kernel matched the model"), "{}", replayed.out);
    let spins = "timeout = \"200ms\"\n[processes.b]\nsteps = [{ forever = [\"yield\"] }]\n";
    let run = Test::new().file("a.toml", spins).args(["run", "a.toml"]).run().status(1).nothing_left();
    assert!(run.out.contains("    b is ") && !run.out.contains("in running"), "{}", run.out);
}

#[test]
fn each_of_several_failures_is_told_in_a_sentence() {
    let text = r#"[objects]
x = { kind = "value", type = "i64", value = 0 }

[processes.p]
steps = [{ store = "x", value = 1 }]

[[expect]]
final = "x == 2"

[[expect]]
final = "x == 3"
"#;
    let done = Test::new().file("a.toml", text).args(["explore", "a.toml"]).run().status(1);
    done.stdout_contains("  shortest counterexample to `final = \"x == 2\"`: 1 step, 0 context switches\n");
}

/// A process that waits at `first`, then at `second`.
const TWO_WAITS: &str = r#"time = "ideal"

[objects]
first = { kind = "queue" }
second = { kind = "queue", count = 2 }

[processes.p]
steps = [{ get = "first" }, { get = "second[1]" }]

[processes.r]
steps = [{ sleep = "20ms" }, { put = "first", value = 1 }, { sleep = "20ms" }, { put = "second[1]", value = 1 }]
"#;

#[test]
fn a_state_expression_can_say_at_what_a_process_is_blocked() {
    let holds = [
        "reaches = \"blocked('p at first')\"",
        "reaches = \"blocked('p at second[1]') && size(first) == 0\"\nholds = \"sometimes\"",
        "reaches = \"blocked('p at second')\"",
        "always = \"!blocked('p at second[0]') && !(blocked('p at first') && blocked('p at second'))\"",
        "always = \"!blocked('p at r')\"",
    ];
    let expectations: String = holds.iter().map(|form| format!("\n[[expect]]\n{form}\n")).collect();
    let text = format!("{TWO_WAITS}{expectations}");
    for arguments in [&["run"][..], &["explore", "-j", "1"], &["explore", "-j", "1", "--reduce", "none"]] {
        Test::new().file("a.toml", &text).args(arguments.iter().chain(&["a.toml"])).run().status(0);
    }
    Test::new().file("a.toml", &text).args(["replay", "a.toml", ""]).run().status(0);
    let wrong = format!("{TWO_WAITS}\n[[expect]]\nreaches = \"blocked('p at secnd')\"\n");
    let done = Test::new().file("a.toml", &wrong).args(["check", "a.toml"]).run();
    assert!(done.status == 2 && done.err.contains("secnd"), "{}{}", done.out, done.err);
    let wrong = format!("{TWO_WAITS}\n[[expect]]\nreaches = \"blocked('p at second[2]')\"\n");
    let done = Test::new().file("a.toml", &wrong).args(["check", "a.toml"]).run();
    assert!(done.status == 2 && done.err.contains("second[2]"), "{}{}", done.out, done.err);
}

#[test]
fn permits_that_are_counted_in_place_of_processes_are_named_where_all_is_well() {
    let text = r#"
[objects]
s = { kind = "semaphore", value = 1 }
[processes.p]
steps = [{ acquire = "s" }]
[processes.q]
steps = [{ release = "s" }]
[[expect]]
at_most = 1
holding = "s"
"#;
    for arguments in [&["run"][..], &["run", "--repeat", "2"], &["explore", "-j", "1"]] {
        let done = Test::new().file("a.toml", text).args(arguments.iter().chain(&["a.toml"])).run().status(0);
        assert!(done.out.contains("one process releases what another acquired"), "{arguments:?}: {}", done.out);
    }
}
