//! Nothing is left behind, however a run ends: no process, no name in /dev/shm or /dev/mqueue, no System V object.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::{Running, Test, wait_until};

/// Objects that leave something behind where nobody removes it, and processes that use all of them.
const ALL: &str = r#"
[objects]
pq = { kind = "queue", capacity = 2 }
sq = { kind = "queue", capacity = 2, via = "sysv", count = 3 }
mq = { kind = "queue" }
ss = { kind = "semaphore", value = 0, via = "sysv", count = 3 }
ps = { kind = "semaphore", value = 0 }
v = { kind = "array", type = "i64", len = 1000 }
m = { kind = "mutex", robust = true }
c = { kind = "condition", mutex = "m" }
b = { kind = "barrier", parties = 5, via = "posix" }
link = { kind = "pipe", duplex = true }
"#;

/// A scenario over all objects, whose processes end as `last` does.
fn all(last: &str) -> String {
    format!(
        r#"{ALL}
[processes.p]
count = 4
steps = [
  {{ put = "pq", value = 1, timeout = "0s", on = {{ any = [] }} }},
  {{ put = "sq[0]", value = 1, timeout = "0s", on = {{ any = [] }} }},
  {{ put = "mq", value = 1 }},
  {{ release = "ss[0]" }},
  {{ release = "ps" }},
  {{ store = "v[0]", value = 1 }},
  {{ lock = "m" }},
  {{ unlock = "m" }},
  {{ print = "at work" }},
  {last}
]
"#
    )
}

#[test]
fn after_success() {
    Test::scenario(&all("\"yield\"")).run().status(0).nothing_left();
}

#[test]
fn after_failure() {
    Test::scenario(&all("{ exit = 3 }")).run().status(1).nothing_left();
    Test::scenario(&all("\"abort\"")).run().status(1).nothing_left();
    Test::scenario(&all("{ assert = \"index == 9\" }")).run().status(1).nothing_left();
}

#[test]
fn after_the_timeout() {
    for last in [
        "{ sleep = \"1h\" }",
        "{ forever = [] }",
        "{ acquire = \"ss[1]\", timeout = \"1h\" }",
        "{ get = \"sq[2]\", timeout = \"1h\" }",
    ] {
        Test::scenario(&all(last)).args(["--timeout", "200ms"]).run().status(1).nothing_left();
    }
}

#[test]
fn after_a_deadlock() {
    for last in [
        "{ acquire = \"ss[1]\" }",
        "{ get = \"sq[2]\" }",
        "{ wait = \"b\" }",
        "{ recv = \"link.a\" }, { send = \"link.b\", value = 1 }",
    ] {
        Test::scenario(&all(last)).run().status(1).nothing_left().stdout_contains("deadlock");
    }
}

#[test]
fn after_what_the_host_cannot_give() {
    // Others are made before the one that cannot be.
    let text =
        format!("{ALL}z = {{ kind = \"queue\", capacity = 16000000, via = \"posix\" }}\n[processes.p]\nsteps = []\n");
    Test::scenario(&text).run().status(3).nothing_left();
    let text =
        format!("{ALL}z = {{ kind = \"queue\", capacity = 16000000, via = \"sysv\" }}\n[processes.p]\nsteps = []\n");
    Test::scenario(&text).run().status(3).nothing_left();
}

/// A run at whose end all processes sleep, with all of them there.
fn sleeping() -> Running {
    let running = Test::scenario(&all("{ sleep = \"1h\" }")).start();
    running.until_children(4);
    running
}

#[test]
fn after_an_interrupt() {
    for signal in ["INT", "TERM", "HUP"] {
        let running = sleeping();
        running.signal(signal);
        let done = running.wait().nothing_left();
        assert_eq!(done.status, 130, "{signal}\n{}\n{}", done.out, done.err);
    }
    // As a terminal does it: everybody gets it.
    let running = sleeping();
    running.signal_group("INT");
    running.wait().status(130).nothing_left();
}

#[test]
fn after_an_interrupt_at_any_moment() {
    for round in 0..30 {
        let running = Test::scenario(&all("{ sleep = \"1h\" }")).start();
        thread::sleep(Duration::from_micros(400 * round));
        running.signal("INT");
        let done = running.wait().nothing_left();
        // Before it has said that it wants to know, a signal ends it as it ends anybody.
        assert!(done.status == 130, "round {round}: {}\n{}\n{}", done.status, done.out, done.err);
    }
}

#[test]
fn after_the_death_of_a_child() {
    let running = Test::scenario(&all("{ sleep = \"1h\" }")).args(["--timeout", "300ms"]).start();
    let children = running.until_children(4);
    kill(children[0], "KILL");
    kill(children[1], "SEGV");
    let done = running.wait().status(1).nothing_left();
    done.stdout_contains("SIGKILL").stdout_contains("p[");
}

#[test]
fn after_the_death_of_all_children() {
    let running = sleeping();
    for child in running.until_children(4) {
        kill(child, "KILL");
    }
    running.wait().status(1).nothing_left();
}

#[test]
fn after_the_death_of_ipcrun() {
    let running = sleeping();
    running.signal("KILL");
    running.wait().status(137).nothing_left();
}

#[test]
fn after_the_death_of_ipcrun_at_any_moment() {
    for round in 0..50 {
        let running = Test::scenario(&all("{ sleep = \"1h\" }")).start();
        // Through the start, the making of the objects and the forks.
        thread::sleep(Duration::from_micros(250 * round));
        running.signal("KILL");
        running.wait().status(137).nothing_left();
    }
}

#[test]
fn after_the_death_of_ipcrun_and_of_its_processes() {
    let running = sleeping();
    let children = running.until_children(4);
    running.signal("KILL");
    for child in children {
        kill(child, "KILL");
    }
    running.wait().status(137).nothing_left();
}

#[test]
fn with_several_at_once_and_repeated() {
    Test::scenario(&all("\"yield\"")).args(["--repeat", "20", "-j", "4", "--quiet"]).run().status(0).nothing_left();
    let running = Test::scenario(&all("{ sleep = \"50ms\" }")).args(["--repeat", "200", "-j", "4", "--quiet"]).start();
    running.until_processes(6);
    running.signal("INT");
    running.wait().status(130).nothing_left();
    let running = Test::scenario(&all("{ sleep = \"50ms\" }")).args(["--repeat", "200", "-j", "4", "--quiet"]).start();
    running.until_processes(6);
    running.signal("KILL");
    running.wait().status(137).nothing_left();
}

#[test]
fn when_the_output_is_closed() {
    // `ipcrun .. | head -1`
    let test = Test::new().file("a.toml", all("{ repeat = 2000, do = [{ print = \"more {now}\" }] }"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_ipcrun"))
        .arg("a.toml")
        .current_dir(test.directory())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ipcrun starts");
    let mut first = [0; 1];
    std::io::Read::read_exact(child.stdout.as_mut().expect("a pipe"), &mut first).expect("some output");
    drop(child.stdout.take());
    let done = child.wait_with_output().expect("ipcrun ends");
    let err = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{err}");
    assert!(!err.contains("panicked"), "{err}");
}

#[test]
fn an_orphan_ends_with_ipcrun_also_where_it_stopped() {
    let running = sleeping();
    let children = running.until_children(4);
    for child in &children {
        kill(*child, "STOP");
    }
    running.signal("KILL");
    running.wait().status(137).nothing_left();
    wait_until(|| {
        children.iter().all(|child| !std::path::Path::new(&format!("/proc/{child}/fd")).exists() || zombie(*child))
    });
}

fn zombie(process: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

fn kill(process: u32, name: &str) {
    let _ = Command::new("kill").args(["-s", name, &process.to_string()]).stderr(Stdio::null()).status();
}
