//! `--untrusted`: what a stranger's scenario may not ask for is refused at its place, and the rest is bounded.

use crate::support::{Done, Test};

const PLAIN: &str = "[processes.p]\nsteps = [\"yield\"]\n";

/// Refused with that option by every command that reads a scenario, at that place; without it nothing is wrong.
#[track_caller]
fn refused(text: &str, place: &str, words: &str) {
    let test = || Test::new().file("a.toml", text);
    test().args(["check", "a.toml"]).run().status(0);
    for command in [&["check"][..], &["run"], &["explore", "-j", "1"]] {
        let done = test().args(command.iter().copied()).args(["--untrusted", "a.toml"]).run().status(2).nothing_left();
        done.stderr_contains("error[E0202]").stderr_contains(&format!("a.toml:{place}")).stderr_contains(words);
    }
    let done = test().args(["replay", "--untrusted", "a.toml", "seed:1"]).run().status(2);
    done.stderr_contains("E0202").stderr_contains(&format!("a.toml:{place}"));
}

#[test]
fn what_burdens_the_host_is_refused_at_its_place() {
    refused(&format!("{PLAIN}policy = \"fifo\"\n"), "3:10", "the policy `fifo`");
    refused(&format!("{PLAIN}nice = -1\n"), "3:8", "`nice = -1`");
    refused(&format!("{PLAIN}count = 65\n"), "3:9", "65 processes so far");
    refused(&format!("{PLAIN}count = 60\n[processes.q]\nsteps = []\ncount = 5\n"), "6:9", "65 processes so far");
    refused(&format!("timeout = \"61s\"\n{PLAIN}"), "1:11", "a timeout of 1m01s");
    let objects = "[objects]\ne = { kind = \"event\", count = 257 }\n";
    refused(&format!("{objects}{PLAIN}"), "2:31", "257 objects so far");
}

#[test]
fn what_is_within_the_bounds_runs_as_ever() {
    let text = format!(
        "timeout = \"60s\"\n[objects]\ne = {{ kind = \"event\", count = 256 }}\n{PLAIN}count = 64\nnice = 1\npolicy = \"batch\"\n"
    );
    Test::scenario(&text).args(["--untrusted"]).run().status(0).nothing_left();
    // The user's own word stands above the file's.
    let late = format!("timeout = \"1h\"\n{PLAIN}");
    Test::scenario(&late).args(["--untrusted", "--timeout", "2h"]).run().status(0);
}

#[test]
fn a_saved_trace_of_a_stranger_is_read_within_the_bounds() {
    let saved = Test::scenario(&format!("{PLAIN}nice = -1\n")).args(["--trace", "t.jsonl"]).run();
    let trace = || Test::new().file("t.jsonl", saved.read("t.jsonl")).args(["trace", "t.jsonl", "--to", "text"]);
    trace().run().status(0);
    trace().args(["--untrusted"]).run().status(2).stderr_contains("E0202");
}

#[test]
fn memory_is_bounded_in_the_supervisor_and_in_every_process() {
    let large =
        "[objects]\na = { kind = \"array\", type = \"i64\", len = 1048576, count = 256 }\n[processes.p]\nsteps = []\n";
    let done = Test::scenario(large).args(["--untrusted"]).run().status(3).nothing_left();
    done.stderr_contains("the host cannot give `a[");
    // A process that fills its memory ends by itself; the others and ipcrun go on.
    let doubling = "timeout = \"20s\"\n[processes.greedy]\nvars = { text = \"0123456789abcdef\" }\n\
                    steps = [{ repeat = 40, do = [{ let = { text = \"{text}{text}\" } }] }]\n\
                    [processes.other]\ncount = 31\nsteps = [{ sleep = \"200ms\" }]\n";
    let memory = |done: &Done| done.out.contains("greedy");
    let done = Test::scenario(doubling).args(["--untrusted"]).run().status(1).nothing_left();
    assert!(memory(&done), "{}", done.both());
}

#[test]
fn the_command_that_repeats_a_run_says_it_too() {
    let failing = "[processes.p]\nsteps = [{ exit = 1 }]\n";
    Test::scenario(failing).args(["--untrusted"]).run().status(1).stdout_contains("--untrusted");
}
