//! Deadlocks are found, each as what it is, and nothing else is taken for one.
//!
//! `deadlocks/` holds what is stuck for ever, with an expectation that says who and where; `near-misses/` what looks
//! so and is not. Every one of them runs many times, several at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::support::Test;

/// The scenarios of a folder beside this file.
fn folder(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files
}

#[test]
fn there_are_a_dozen_of_each() {
    assert!(folder("deadlocks").len() >= 12);
    assert!(folder("near-misses").len() >= 12);
}

/// Runs a folder of scenarios so often that the runs are at least `runs`, and all must pass.
fn often(name: &str, runs: usize, jobs: &str) {
    let files = folder(name);
    let repeat = runs.div_ceil(files.len()).to_string();
    let done = Test::new()
        .patient(Duration::from_secs(300))
        .args(["--quiet", "--repeat", &repeat, "-j", jobs])
        .args(files)
        .run()
        .status(0)
        .nothing_left();
    assert_eq!(done.out, "", "only what failed is said");
}

#[test]
fn every_deadlock_ends_as_the_one_it_is() {
    often("deadlocks", 600, "4");
}

#[test]
fn no_near_miss_is_taken_for_a_deadlock() {
    often("near-misses", 480, "4");
}

#[test]
fn no_near_miss_is_taken_for_a_deadlock_under_load() {
    // More processes burn CPU than there are CPUs, so that whoever is woken waits long before it runs.
    let burn =
        Test::scenario("[processes.p]\ncount = 6\nsteps = [{ busy = \"1h\" }]\n").args(["--timeout", "1h"]).start();
    burn.until_processes(7);
    often("near-misses", 48, "6");
    burn.signal("INT");
    burn.wait().status(130).nothing_left();
}

#[test]
fn a_deadlock_that_no_expectation_lists_fails_and_is_told() {
    for file in folder("deadlocks") {
        let text = fs::read_to_string(&file).expect("a scenario");
        let (bare, expectations) = text.split_once("[[expect]]").expect("it says what it expects");
        let done = Test::scenario(bare).run().nothing_left();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        assert_eq!(done.status, 1, "{name}\n{}\n{}", done.out, done.err);
        assert!(done.out.contains("deadlock: "), "{name}\n{}", done.out);
        assert!(done.out.contains("a.toml:"), "{name}\n{}", done.out);
        // Who is blocked, and at what, as the expectation has it.
        let Some((_, list)) = expectations.split_once("blocked = [") else { continue };
        let list = list.lines().next().unwrap_or_default();
        for entry in list.split('"').skip(1).step_by(2) {
            let (process, at) = entry.split_once(" at ").unwrap_or((entry, ""));
            let seen =
                done.out.lines().find(|line| line.contains("seen ")).map_or(0, |line| done.out.find(line).unwrap_or(0));
            let told = done.out[seen..].split("deadlock: ").next().unwrap_or_default();
            assert!(told.contains(process) && told.contains(at), "{name}: {entry}\n{}", done.out);
        }
    }
}

#[test]
fn a_ring_is_told_in_its_order() {
    let philosophers = fs::read_to_string(
        folder("deadlocks").iter().find(|path| path.ends_with("philosophers.toml")).expect("it is there"),
    );
    let text = philosophers.expect("a scenario");
    let bare = text.split("[[expect]]").next().unwrap_or_default().to_owned();
    let done = Test::scenario(&bare).run().status(1).nothing_left();
    let done = done.stdout_contains("wait-for cycle: philosopher[0] → forks[1] → philosopher[1] → forks[2]");
    done.stdout_contains("philosopher[4] waits to lock forks[0]").stdout_contains("philosopher[0] holds it");
}

#[test]
fn a_partial_deadlock_is_told_although_others_go_on_to_the_timeout() {
    let text = r#"
timeout = "300ms"
[objects]
m = { kind = "mutex", count = 2 }
met = { kind = "barrier", parties = 2 }
[processes.p]
count = 2
steps = [{ lock = "m[index]" }, { wait = "met" }, { lock = "m[1 - index]" }]
[processes.other]
steps = [{ forever = [{ sleep = "5ms" }] }]
"#;
    let done = Test::scenario(text).run().status(1).nothing_left();
    done.stdout_contains("p[0] waits to lock m[1]").stdout_contains("p[1] holds it").stdout_contains("timeout");
}

/// Runs a scenario many times and asserts that no run is taken for a deadlock.
#[track_caller]
fn live(text: &str, repeat: &str) {
    let text = format!("{text}\n[[expect]]\nends = true\n[[expect]]\ndeadlock = false\n");
    Test::scenario(&text)
        .args(["--repeat", repeat, "--quiet"])
        .patient(Duration::from_secs(120))
        .run()
        .status(0)
        .nothing_left();
}

#[test]
fn wake_ups_in_flight_are_not_sleep() {
    // Everybody sleeps almost always, and the one wake-up is on its way.
    for (object, take, give) in [
        ("kind = \"semaphore\", value = 0", "acquire", "release"),
        ("kind = \"semaphore\", value = 0, via = \"sysv\"", "acquire", "release"),
        ("kind = \"queue\", capacity = 1", "get", "put"),
        ("kind = \"queue\", capacity = 1, via = \"sysv\"", "get", "put"),
        ("kind = \"queue\"", "get", "put"),
    ] {
        let value = if give == "put" { ", value = 1" } else { "" };
        live(
            &format!(
                r#"
[objects]
o = {{ count = 12, {object} }}
[processes.p]
count = 12
steps = [
  {{ if = "index == 0", then = [{{ {give} = "o[0]"{value} }}] }},
  {{ repeat = 60, do = [{{ {take} = "o[index]" }}, {{ {give} = "o[(index + 1) % 12]"{value} }}] }},
  {{ if = "index == 0", then = [{{ {take} = "o[0]" }}] }},
]
"#
            ),
            "6",
        );
    }
}

#[test]
fn pipes_in_both_directions_are_not_stuck() {
    live(
        r#"
[objects]
link = { kind = "pipe", duplex = true }
[processes.a]
steps = [{ repeat = 1500, do = [{ send = "link.a", value = 1 }, { recv = "link.a" }] }]
[processes.b]
steps = [{ repeat = 1500, do = [{ recv = "link.b" }, { send = "link.b", value = 1 }] }]
"#,
        "4",
    );
}

#[test]
fn conditions_and_barriers_in_turn_are_not_stuck() {
    live(
        r#"
[objects]
m = { kind = "mutex" }
c = { kind = "condition", mutex = "m" }
turn = { kind = "value", type = "i32" }
b = { kind = "barrier", parties = 4 }
b2 = { kind = "barrier", parties = 4, via = "posix" }
[processes.p]
count = 4
steps = [
  { repeat = 50, do = [
    { lock = "m" },
    { forever = [{ load = "turn", into = "t" }, { if = "t == index", then = ["break"] }, { wait = "c" }] },
    { store = "turn", value = "{(t + 1) % 4}" },
    { notify_all = "c" },
    { unlock = "m" },
    { wait = "b" },
    { wait = "b2" },
  ] },
]
"#,
        "4",
    );
}

#[test]
fn a_signal_may_still_come_from_a_process() {
    live(
        r#"
[objects]
never = { kind = "semaphore", value = 0 }
m = { kind = "mutex" }
held = { kind = "event" }
[processes.p]
count = 4
steps = [{ lock = "m" }, { set = "held" }, { acquire = "never" }]
[processes.q]
steps = [{ wait = "held" }, { sleep = "3ms" }, { kill = "p" }, { join = "p" }]
[[expect]]
exits = "p"
signal = "KILL"
"#,
        "20",
    );
}

#[test]
fn a_process_that_is_stopped_is_not_stuck() {
    // q is stopped from inside and continued late: p, who waits for it, is not stuck meanwhile.
    live(
        r#"
[objects]
s = { kind = "semaphore", value = 0 }
go = { kind = "event" }
[processes.p]
steps = [{ acquire = "s" }]
[processes.q]
steps = [{ wait = "go" }, { release = "s" }]
[processes.controller]
steps = [
  { kill = "q", signal = "STOP" },
  { set = "go" },
  { sleep = "60ms" },
  { kill = "q", signal = "CONT" },
]
"#,
        "5",
    );
}

#[test]
fn a_process_that_nobody_continues_is_stuck_for_the_model_too() {
    let file = |name: &str| fs::read_to_string(folder("deadlocks")[0].with_file_name(name)).expect("a scenario");
    let alone = "[processes.p]\nsteps = [{ kill = \"p\", signal = \"STOP\" }, { print = \"not here\" }]\n\
                 [[expect]]\ndeadlock = true\nblocked = [\"p\"]\n";
    for text in [file("stopped.toml"), file("stopped-itself.toml"), alone.to_owned()] {
        let explored = |text: &str| Test::new().file("a.toml", text).args(["explore", "a.toml"]).run();
        explored(&text).status(0).stdout_contains("final state:");
        let bare = &text[..text.find("[[expect]]").expect("it expects something")];
        for done in [explored(bare), Test::scenario(bare).run()] {
            done.status(1).stdout_contains("p is stopped by a signal").nothing_left();
        }
    }
}

#[test]
fn stopping_and_continuing_from_outside_is_no_deadlock() {
    let text = r#"
[objects]
s = { kind = "semaphore", value = 0 }
t = { kind = "semaphore", value = 0, via = "sysv" }
q = { kind = "queue", capacity = 1 }
[processes.a]
steps = [{ repeat = 400, do = [{ release = "s" }, { acquire = "t" }, { put = "q", value = 1 }] }]
[processes.b]
steps = [{ repeat = 400, do = [{ acquire = "s" }, { sleep = "1ms" }, { release = "t" }] }]
[processes.c]
steps = [{ repeat = 400, do = [{ get = "q" }] }]
[[expect]]
ends = true
[[expect]]
deadlock = false
"#;
    let running = Test::scenario(text).start();
    let own = running.id();
    let children: Vec<u32> = running.until_processes(4).into_iter().filter(|process| *process != own).collect();
    let send = |process: u32, name: &str| {
        let _ = std::process::Command::new("kill")
            .args(["-s", name, &process.to_string()])
            .stderr(std::process::Stdio::null())
            .status();
    };
    for round in 0..12 {
        let child = children[round % children.len()];
        send(child, "STOP");
        thread::sleep(Duration::from_millis(25));
        send(child, "CONT");
        thread::sleep(Duration::from_millis(4));
    }
    // All at once, the longest of all.
    for child in &children {
        send(*child, "STOP");
    }
    thread::sleep(Duration::from_millis(80));
    for child in children.iter().rev() {
        send(*child, "CONT");
    }
    running.wait().status(0).nothing_left();
}

#[test]
fn a_whole_deadlock_ends_the_run_at_once_and_not_at_the_timeout() {
    let text = r#"
timeout = "1h"
[objects]
e = { kind = "event" }
[processes.p]
count = 30
steps = [{ wait = "e" }]
[[expect]]
deadlock = true
"#;
    Test::scenario(text).run().status(0).nothing_left();
}
