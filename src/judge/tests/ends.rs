//! How processes and runs end, how long they take, and what fails a run without being asked for.

use crate::event::Target;
use crate::judge::Status::{Fail, Pass, Unknown};
use crate::judge::testing::{PERMITS, Scene, check, expect, patterns};
use crate::judge::{Rule, Status, Subject, judge};
use crate::scenario::expectation::Argument::{Blocked, Boolean, Duration, Integer, Processes};
use crate::scenario::expectation::{BlockedAt, Holds};
use crate::scenario::plan::Plan;
use crate::trace::{ProcessEnd, RunEnd, Trace, Waiting};

fn stuck(process: u32, object: u32, on: u32) -> Waiting {
    Waiting {
        process,
        step: None,
        verb: "acquire".to_owned(),
        target: Target::Object(object),
        since: 10,
        on: vec![on],
        holder: None,
    }
}

/// Two philosophers who wait for each other's fork.
fn deadlock() -> (Plan, Trace) {
    let mut scene = Scene::new(&[("left", &PERMITS, 1), ("right", &PERMITS, 1)], &[("p", Some(2))]);
    scene.on(0, "acquire", "left", (1, 2), 1);
    scene.on(1, "acquire", "right", (1, 2), 1);
    scene.ends = vec![ProcessEnd::Stopped; 2];
    scene.end = RunEnd::Deadlock;
    let mut run = scene.finish();
    run.1.stuck = vec![stuck(0, 1, 1), stuck(1, 0, 0)];
    run.1.duration = 110;
    run
}

fn entry(text: &str, processes: &[u32], targets: &[u32]) -> BlockedAt {
    let targets = targets.iter().map(|object| Target::Object(*object)).collect();
    BlockedAt { text: text.to_owned(), processes: processes.to_vec(), targets }
}

fn broken(run: &(Plan, Trace)) -> Vec<(Rule, Status)> {
    let rule = |judged: &crate::judge::Judged| match judged.subject {
        Subject::Rule(rule) => Some((rule, judged.status)),
        Subject::Expectation(_) => None,
    };
    judge(&run.0, &run.1).findings.iter().filter_map(rule).collect()
}

#[test]
fn a_deadlock_is_compared_as_a_multiset() {
    let run = &mut deadlock();
    let list = |entries| Blocked(vec![entries]);
    let arguments = vec![
        ("deadlock", Boolean(true)),
        ("blocked", list(vec![entry("p at left", &[0, 1], &[0]), entry("p", &[0, 1], &[])])),
    ];
    let finding = check(run, "deadlock", arguments, Pass);
    assert_eq!(finding.measured, "blocked for ever: p[0] at acquire right, p[1] at acquire left");
    let arguments = vec![("deadlock", Boolean(true)), ("blocked", list(vec![entry("p", &[0, 1], &[])]))];
    let finding = check(run, "deadlock", arguments, Fail);
    assert!(
        finding.notes.iter().any(|note| note == "wait-for cycle: p[0] → right → p[1] → left → p[0]"),
        "{finding:?}"
    );
    let both = vec![entry("p[0] at left", &[0], &[0]), entry("p[1]", &[1], &[])];
    check(run, "deadlock", vec![("deadlock", Boolean(true)), ("blocked", list(both))], Fail);
    let both = || vec![entry("p", &[0, 1], &[]), entry("p[0]", &[0], &[])];
    let lists = Blocked(vec![vec![], both()]);
    assert_eq!(check(run, "deadlock", vec![("deadlock", Boolean(true)), ("in", lists)], Pass).seen, Some(1));
    check(run, "deadlock", vec![("deadlock", Boolean(false))], Fail);
    check(run, "deadlock", vec![("deadlock", Boolean(false)), ("blocked", list(vec![]))], Pass);
    check(run, "ends", vec![("ends", Boolean(true))], Fail);
    check(run, "ends", vec![("ends", Boolean(false))], Pass);
}

#[test]
fn a_deadlock_that_no_expectation_lists_fails_the_run() {
    let run = &mut deadlock();
    assert_eq!(broken(run), [(Rule::Deadlock, Fail)]);
    expect(&mut run.0, "deadlock", vec![("deadlock", Boolean(true))]);
    assert_eq!(broken(run), []);
    assert_eq!(judge(&run.0, &run.1).status, Pass);
    run.0.expectations[0].holds = Holds::Sometimes;
    assert_eq!(broken(run), []);
    let other = Blocked(vec![vec![entry("p[0]", &[0], &[])]]);
    run.0.expectations.clear();
    expect(&mut run.0, "deadlock", vec![("deadlock", Boolean(true)), ("blocked", other)]);
    run.0.expectations[0].holds = Holds::Sometimes;
    assert_eq!(broken(run), [(Rule::Deadlock, Fail)], "what may happen is another deadlock");
}

#[test]
fn a_timeout_fails_the_run() {
    let run = &mut deadlock();
    run.1.end = RunEnd::Timeout(vec![stuck(0, 1, 1)]);
    assert_eq!(broken(run), [(Rule::Timeout, Fail)]);
    expect(&mut run.0, "deadlock", vec![("deadlock", Boolean(false))]);
    assert_eq!(broken(run), [(Rule::Timeout, Fail)], "no deadlock is not yet an end");
    expect(&mut run.0, "ends", vec![("ends", Boolean(false))]);
    assert_eq!(broken(run), []);
}

fn ended(ends: &[ProcessEnd]) -> (Plan, Trace) {
    let mut scene = Scene::new(&[], &[("p", Some(ends.len() as u32))]);
    scene.ends = ends.to_vec();
    scene.finish()
}

#[test]
fn exits_looks_at_every_process() {
    let run = &mut ended(&[ProcessEnd::Exited(3), ProcessEnd::Killed(15), ProcessEnd::Crashed(11)]);
    let exits = |process| ("exits", Processes(Some(vec![process])));
    check(run, "exits", vec![exits(0), ("code", Integer(3))], Pass);
    check(run, "exits", vec![exits(1), ("signal", Integer(15))], Pass);
    check(run, "exits", vec![exits(1), ("code", Integer(-15))], Pass);
    let finding = check(run, "exits", vec![exits(2), ("code", Integer(0))], Fail);
    assert_eq!(finding.measured, "p[2] crashed with SIGSEGV");
    check(run, "exits", vec![("exits", Processes(Some(vec![0, 1, 2])))], Pass);
    let finding = check(run, "exits", vec![("exits", Processes(Some(vec![0, 1, 2]))), ("code", Integer(3))], Fail);
    assert_eq!(finding.expected, "exit status 3");
}

#[test]
fn a_process_that_fails_fails_the_run() {
    let run =
        &mut ended(&[ProcessEnd::Exited(1), ProcessEnd::Killed(9), ProcessEnd::Crashed(6), ProcessEnd::NotStarted]);
    assert_eq!(broken(run), [(Rule::Exit, Fail), (Rule::Exit, Fail)]);
    expect(&mut run.0, "exits", vec![("exits", Processes(Some(vec![0, 2])))]);
    assert_eq!(broken(run), []);
    run.0.expectations.clear();
    expect(&mut run.0, "exits", vec![("exits", Processes(Some(vec![0, 2]))), ("code", Integer(1))]);
    run.0.expectations[0].holds = Holds::Sometimes;
    assert_eq!(broken(run), [(Rule::Exit, Fail)], "only what it says is excused");
}

#[test]
fn a_daemon_may_be_stopped() {
    let run = &mut ended(&[ProcessEnd::Stopped]);
    assert_eq!(broken(run), [(Rule::Exit, Fail)]);
    run.0.programs[0].daemon = true;
    assert_eq!(broken(run), []);
}

#[test]
fn a_trace_with_gaps_fails_the_run_and_leaves_the_rest_open() {
    let run = &mut ended(&[ProcessEnd::Exited(0)]);
    run.1.lost = vec!["p: its segment was torn".to_owned()];
    let pattern = patterns(&run.0, &["p get"]);
    expect(&mut run.0, "never", vec![("never", pattern)]);
    let verdict = judge(&run.0, &run.1);
    assert_eq!(verdict.findings.iter().map(|judged| judged.status).collect::<Vec<_>>(), [Unknown, Fail]);
}

#[test]
fn an_interrupted_run_decides_only_what_cannot_change() {
    let mut scene = Scene::new(&[("s", &PERMITS, 1)], &[("p", None)]);
    scene.on(0, "acquire", "s", (1, 2), 1);
    scene.ends[0] = ProcessEnd::Stopped;
    scene.end = RunEnd::Interrupted;
    let run = &mut scene.finish();
    let count =
        |run: &(Plan, Trace), key, number| vec![("count", patterns(&run.0, &["p acquire s"])), (key, Integer(number))];
    for (key, number, status) in
        [("at_least", 1, Pass), ("at_least", 2, Unknown), ("at_most", 0, Fail), ("at_most", 1, Unknown)]
    {
        let arguments = count(run, key, number);
        check(run, "count", arguments, status);
    }
    assert_eq!(broken(run), [(Rule::Interrupt, Unknown)]);
}

#[test]
fn durations_are_those_of_processes_runs_and_waits() {
    let mut scene = Scene::new(&[("s", &PERMITS, 0)], &[("a", None), ("b", None)]);
    scene.on(0, "acquire", "s", (100, 400), 2).blocked = true;
    scene.on(1, "release", "s", (0, 350), 1);
    let run = &mut scene.finish();
    let takes = |who| ("takes", Processes(who));
    check(run, "takes", vec![takes(None), ("at_most", Duration(400))], Pass);
    let finding = check(run, "takes", vec![takes(Some(vec![0, 1])), ("at_most", Duration(399))], Fail);
    assert_eq!(finding.measured, "b took 350 ns, a took 400 ns");
    check(run, "takes", vec![takes(Some(vec![0, 1])), ("at_least", Duration(360))], Fail);
    let blocks = |run: &(Plan, Trace), text| ("blocks", patterns(&run.0, &[text]));
    let arguments = vec![blocks(run, "a acquire s"), ("at_least", Duration(300))];
    let finding = check(run, "blocks", arguments, Pass);
    assert!(finding.measured.starts_with("1 of 1 event waited, longest 300 ns"), "{}", finding.measured);
    let arguments = vec![blocks(run, "b release s"), ("at_most", Duration(0))];
    check(run, "blocks", arguments, Pass);
    let run = &mut deadlock();
    let arguments = vec![blocks(run, "p acquire right"), ("at_most", Duration(50))];
    let finding = check(run, "blocks", arguments, Fail);
    assert!(finding.measured.contains("still waited"), "{}", finding.measured);
}
