//! Several scenarios in one run: order, overview, exit status, at once and one by one.

use std::time::Duration;

use crate::support::Test;

const GOOD: &str = "[processes.p]\nsteps = [{ print = \"here is {name}\" }]\n";
const WRONG: &str = "[processes.p]\nsteps = [{ prnt = \"x\" }]\n";
const FAILS: &str = "[processes.p]\nsteps = [{ exit = 3 }]\n";
const FOREVER: &str = "[processes.p]\ncount = 3\nsteps = [{ print = \"begins\" }, { sleep = \"1h\" }]\n";

fn folder() -> Test {
    Test::new()
        .file("all/b/wrong.toml", WRONG)
        .file("all/a.toml", GOOD)
        .file("all/c.toml", FAILS)
        .file("all/d.toml", GOOD)
        .file("all/.hidden.toml", WRONG)
        .args(["all"])
}

#[test]
fn a_broken_file_hides_no_other() {
    for jobs in ["1", "3", "0"] {
        let done = folder().args(["-j", jobs]).run().status(2).nothing_left();
        let done =
            done.stderr_contains("all/b/wrong.toml:2:12").stdout_contains("4 scenarios: 2 passed, 1 failed, 1 wrong\n");
        assert_eq!(done.out.matches("here is p").count(), 2, "{}", done.out);
    }
}

#[test]
fn at_once_and_one_by_one_say_the_same_in_the_same_order() {
    let lines = |jobs: &str| {
        let done = folder().args(["-j", jobs]).run().status(2);
        done.out.lines().filter(|line| line.contains("toml")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines("1"), lines("4"));
}

#[test]
fn json_has_a_line_for_each_scenario_also_for_a_broken_one() {
    let done = folder().args(["--json", "-j", "2"]).run().status(2);
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!(lines.len(), 4, "{}", done.out);
    assert!(lines.iter().all(|line| line.starts_with('{') && line.ends_with('}')));
    assert!(lines[1].contains("E0103") && lines[1].contains("all/b/wrong.toml"));
}

#[test]
fn scenarios_run_at_once() {
    let sleeps = "[processes.p]\nsteps = [{ sleep = \"300ms\" }]\n";
    let mut test = Test::new();
    for n in 0..6 {
        test = test.file(&format!("all/{n}.toml"), sleeps);
    }
    let running = test.args(["-j", "6", "all"]).start();
    // ipcrun, six workers and a process of each.
    running.until_processes(13);
    running.wait().status(0).nothing_left();
}

#[test]
fn an_interrupt_ends_all_of_them_and_what_has_not_begun_never_begins() {
    for jobs in ["1", "2"] {
        let test = Test::new().file("a.toml", FOREVER).file("b.toml", FOREVER).file("c.toml", FOREVER);
        let running = test.args(["-j", jobs, "a.toml", "b.toml", "c.toml"]).start();
        running.until_processes(if jobs == "1" { 4 } else { 9 });
        std::thread::sleep(Duration::from_millis(50));
        running.signal("INT");
        running.wait().status(130).nothing_left().stdout_contains("not run");
    }
}

#[test]
fn an_interrupt_of_the_terminal_reaches_all_processes_at_once() {
    for jobs in ["1", "2"] {
        let test = Test::new().file("a.toml", FOREVER).file("b.toml", FOREVER);
        let running = test.args(["-j", jobs, "a.toml", "b.toml"]).start();
        running.until_processes(if jobs == "1" { 4 } else { 9 });
        std::thread::sleep(Duration::from_millis(50));
        running.signal_group("INT");
        running.wait().status(130).nothing_left();
    }
}

#[test]
fn ipcrun_killed_takes_its_workers_and_their_processes_with_it() {
    let test = Test::new().file("a.toml", FOREVER).file("b.toml", FOREVER);
    let running = test.args(["-j", "2", "a.toml", "b.toml"]).start();
    running.until_processes(9);
    running.signal("KILL");
    running.wait().status(137).nothing_left();
}

#[test]
fn a_worker_that_is_killed_takes_nothing_with_it() {
    let test = Test::new().file("a.toml", FOREVER).file("b.toml", GOOD);
    let running = test.args(["-j", "2", "--timeout", "20s", "a.toml", "b.toml"]).start();
    let own = running.id();
    // The process of b.toml may have come and gone.
    let worker = running.until_processes(4).into_iter().filter(|process| *process != own).min().expect("a worker");
    let _ = std::process::Command::new("kill").args(["-9", &worker.to_string()]).status();
    running.wait().status(3).nothing_left().stderr_contains("ended by SIGKILL").stdout_contains("1 passed, 1 refused");
}

#[test]
fn a_trace_is_of_one_scenario() {
    let test = Test::new().file("a.toml", GOOD).file("b.toml", GOOD);
    test.args(["--trace", "x.jsonl", "a.toml", "b.toml"]).run().status(2).stderr_contains("takes one scenario");
}

#[test]
fn a_trace_that_cannot_be_written_is_no_success() {
    Test::scenario(GOOD)
        .args(["--trace", "none/x.jsonl"])
        .run()
        .status(3)
        .stderr_contains("cannot be written to `none/x.jsonl`");
}
