//! Forms over states, and the greatest number at once.

use crate::event::Target;
use crate::judge::Status::{Fail, Pass, Unknown};
use crate::judge::testing::{CELL, PERMITS, QUEUE, Scene, check, condition, lists, objects, patterns};
use crate::scenario::expectation::Argument::{Integer, Text};
use crate::scenario::plan::Plan;
use crate::trace::{ProcessEnd, RunEnd, Trace, Waiting};
use crate::value::Value;

/// Two writers and a queue that takes two and gives one.
fn queue() -> (Plan, Trace) {
    let mut scene = Scene::new(&[("q", &QUEUE, 0), ("money", &CELL, 5000)], &[("p", Some(2))]);
    scene.on(0, "put", "q", (10, 20), 1).value = Value::Int(1);
    scene.on(1, "put", "q", (10, 30), 2).value = Value::Int(2);
    scene.on(0, "get", "q", (20, 40), 3).value = Value::Int(1);
    scene.on(1, "store", "money", (30, 50), 1).value = Value::Int(4800);
    scene.finish()
}

fn judged(
    run: &mut (Plan, Trace),
    name: &'static str,
    text: &str,
    status: crate::judge::Status,
) -> crate::judge::Finding {
    let text = condition(&mut run.0, text);
    check(run, name, vec![(name, text)], status)
}

#[test]
fn always_stops_at_the_first_state_that_breaks_it() {
    let run = &mut queue();
    let finding = judged(run, "always", "size(q) <= 2 && money > 4000", Pass);
    assert!(finding.measured.starts_with("size(q) from 0 to 2, money from 4800 to 5000"), "{}", finding.measured);
    let finding = judged(run, "always", "size(q) < 2", Fail);
    assert!(finding.measured.contains("put q: size(q) = 2"), "{}", finding.measured);
    assert_eq!(finding.witnesses.len(), 1);
    let finding = judged(run, "always", "money < 5000", Fail);
    assert_eq!(finding.measured, "false before the first event: money = 5000");
    judged(run, "always", "count('p put q') < 3", Pass);
    judged(run, "always", "size(q) / 0 == 1", Fail);
}

#[test]
fn reaches_finds_some_state() {
    let run = &mut queue();
    let finding = judged(run, "reaches", "size(q) == 2", Pass);
    assert!(finding.measured.starts_with("reached after #"), "{}", finding.measured);
    assert!(finding.measured.ends_with("size(q) = 2"), "{}", finding.measured);
    judged(run, "reaches", "size(q) == 3", Fail);
    judged(run, "reaches", "ended('p') && money == 4800", Pass);
    judged(run, "reaches", "exit('p[0]') == 0", Pass);
}

#[test]
fn final_reads_what_the_engine_says_before_what_was_replayed() {
    let run = &mut queue();
    judged(run, "final", "money == 4800 && size(q) == 1 && q == [2]", Pass);
    let finding = judged(run, "final", "money == 5000", Fail);
    assert_eq!(finding.measured, "money = 4800");
    assert_eq!(run.1.events[finding.witnesses[0]].verb, "store");
    run.1.finals[1] = Some(Value::Int(5000));
    judged(run, "final", "money == 5000", Pass);
    run.1.whole = false;
    let put = 0;
    run.0.steps[put as usize].object = "q".to_owned();
    run.1.counted = vec![(put, 1)];
    judged(run, "final", "money == 5000", Pass);
    judged(run, "final", "size(q) == 1", Unknown);
    run.1.end = RunEnd::Deadlock;
    judged(run, "final", "money == 5000", Unknown);
}

#[test]
fn a_process_is_blocked_while_it_waits_and_for_ever_when_stuck() {
    let mut scene = Scene::new(&[("q", &QUEUE, 0)], &[("a", None), ("b", None)]);
    scene.on(0, "get", "q", (5, 90), 2).blocked = true;
    scene.act(1, "mark", 20, 30);
    scene.on(1, "put", "q", (30, 40), 1);
    scene.ends[1] = ProcessEnd::Stopped;
    scene.end = RunEnd::Deadlock;
    let mut run = scene.finish();
    run.1.stuck = vec![Waiting {
        process: 1,
        step: None,
        verb: "get".to_owned(),
        target: Target::Object(0),
        since: 50,
        on: vec![],
        holder: None,
    }];
    judged(&mut run, "reaches", "blocked('a') && count('b mark') == 1", Pass);
    judged(&mut run, "always", "!(blocked('a') && blocked('b'))", Pass);
    judged(&mut run, "reaches", "blocked('b')", Pass);
}

#[test]
fn final_values_are_one_of_several() {
    let run = &mut queue();
    let arguments = vec![("final_values", objects(&run.0, &["money"])), ("in", lists(&[&[5000], &[4800]]))];
    assert_eq!(check(run, "final_values", arguments, Pass).seen, Some(1));
    let arguments = vec![("final_values", objects(&run.0, &["money"])), ("in", lists(&[&[5000]]))];
    let finding = check(run, "final_values", arguments, Fail);
    assert_eq!((finding.measured.as_str(), finding.witnesses.len()), ("[4800]", 1));
}

/// A permit goes from one process to the next, which is always recorded first.
fn relay(permits: i64, processes: u32) -> Scene {
    let mut scene = Scene::new(&[("s", &PERMITS, permits)], &[("w", Some(processes))]);
    for process in 0..processes {
        let at = u64::from(process) * 100;
        scene.on(process, "acquire", "s", (0, at + 1), u64::from(process) * 2 + 1);
        scene.act(process, "enter", at + 2, at + 3).second = Value::from("bath");
        scene.act(process, "leave", at + 90, at + 91).second = Value::from("bath");
        scene.on(process, "release", "s", (at + 95, at + 130), u64::from(process) * 2 + 2);
    }
    scene
}

#[test]
fn a_permit_that_is_handed_on_is_held_by_one() {
    let run = &mut relay(1, 5).finish();
    let arguments = vec![("holding", objects(&run.0, &["s"])), ("at_most", Integer(1))];
    let finding = check(run, "holding", arguments, Pass);
    assert!(finding.measured.starts_with("measured 1"), "{}", finding.measured);
    check(run, "inside", vec![("inside", Text("bath".to_owned())), ("equals", Integer(1))], Pass);
    let arguments = vec![("between", patterns(&run.0, &["w acquire s", "w release s"])), ("equals", Integer(1))];
    check(run, "between", arguments, Pass);
    judged(run, "always", "s >= 0 && inside('bath') <= 1", Pass);
}

#[test]
fn too_many_at_once_are_shown_by_what_each_of_them_did() {
    let mut scene = Scene::new(&[("s", &PERMITS, 3)], &[("w", Some(4))]);
    for process in 0..4u32 {
        let at = u64::from(process);
        scene.on(process, "acquire", "s", (0, at + 1), at + 1);
        scene.act(process, "enter", at + 1, at + 2).second = Value::from("bath");
        scene.act(process, "sleep", at + 2, at + 100);
        scene.act(process, "leave", at + 100, at + 101).second = Value::from("bath");
        scene.on(process, "release", "s", (at + 101, at + 102), at + 11);
    }
    let run = &mut scene.finish();
    let arguments = vec![("holding", objects(&run.0, &["s"])), ("at_most", Integer(2))];
    let finding = check(run, "holding", arguments, Fail);
    assert!(finding.measured.starts_with("measured 4, first too many at"), "{}", finding.measured);
    assert_eq!(finding.witnesses.len(), 3);
    let finding = check(run, "inside", vec![("inside", Text("bath".to_owned())), ("at_most", Integer(3))], Fail);
    assert_eq!(finding.witnesses.len(), 4);
    judged(run, "always", "inside('bath') <= 3", Fail);
    judged(run, "reaches", "inside('bath') == 4", Pass);
}

#[test]
fn permits_given_back_by_others_are_counted_as_permits() {
    let mut scene = Scene::new(&[("s", &PERMITS, 2)], &[("a", None), ("b", None)]);
    scene.on(0, "acquire", "s", (0, 1), 1);
    scene.on(0, "acquire", "s", (1, 2), 2);
    scene.on(1, "release", "s", (5, 6), 3);
    scene.on(1, "release", "s", (6, 7), 4);
    let run = &mut scene.finish();
    let arguments = vec![("holding", objects(&run.0, &["s"])), ("at_most", Integer(1))];
    let finding = check(run, "holding", arguments, Fail);
    assert!(finding.reason.is_some() && finding.measured.starts_with("measured 2"), "{finding:?}");
}

#[test]
fn whoever_has_died_holds_nothing() {
    let mut scene = relay(1, 2);
    scene.lanes[0].pop();
    let ticket = &mut scene.lanes[1][1];
    ticket.ticket = 2;
    scene.ends[0] = ProcessEnd::Killed(9);
    let run = &mut scene.finish();
    let arguments = vec![("holding", objects(&run.0, &["s"])), ("at_most", Integer(1))];
    check(run, "holding", arguments, Pass);
}
