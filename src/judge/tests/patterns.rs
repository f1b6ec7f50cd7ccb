//! Forms over patterns of events: how many, in which order, each with its own.

use crate::event::StepId;
use crate::judge::Status::{Fail, Pass, Unknown};
use crate::judge::testing::{QUEUE, Scene, check, ints, lists, patterns};
use crate::outcome::Outcome;
use crate::scenario::expectation::Argument::{Boolean, Duration, Integer, Text, Value as Given};
use crate::scenario::plan::Plan;
use crate::trace::Trace;
use crate::value::Value;

/// A producer puts 1, 2, 3; a consumer gets them, and then nothing more.
fn dialogue() -> (Plan, Trace) {
    let mut scene = Scene::new(&[("q", &QUEUE, 0)], &[("producer", None), ("consumer", None)]);
    for number in 1..=3 {
        let at = number as u64 * 100;
        let put = scene.on(0, "put", "q", (at, at + 10), number as u64 * 2 - 1);
        put.value = Value::Int(number);
        let id = put.id;
        let get = scene.on(1, "get", "q", (at, at + 20), number as u64 * 2);
        (get.value, get.cause, get.blocked) = (Value::Int(number), Some(id), true);
    }
    let get = scene.on(1, "get", "q", (400, 500), 0);
    (get.outcome, get.blocked) = (Outcome::TIMEOUT, true);
    scene.finish()
}

#[test]
fn count_counts_what_ends_as_the_pattern_says() {
    let run = &mut dialogue();
    let count =
        |run: &(Plan, Trace), text, key, number| vec![("count", patterns(&run.0, &[text])), (key, Integer(number))];
    let arguments = count(run, "consumer get q", "equals", 3);
    assert_eq!(check(run, "count", arguments, Pass).measured, "3 events");
    let arguments = count(run, "consumer get q failed", "equals", 1);
    check(run, "count", arguments, Pass);
    let arguments = count(run, "* put q", "at_most", 2);
    let finding = check(run, "count", arguments, Fail);
    assert_eq!((finding.measured.as_str(), finding.witnesses.len()), ("3 events", 3));
    let arguments = vec![("count", patterns(&run.0, &["producer get q"]))];
    assert_eq!(check(run, "count", arguments, Fail).expected, "at least 1");
}

#[test]
fn events_that_were_only_counted_are_counted_in() {
    let mut scene = Scene::new(&[("q", &QUEUE, 0)], &[("p", Some(2))]);
    let put = scene.step(0, "put", "q");
    scene.on(0, "put", "q", (1, 9), 1);
    let run = &mut scene.finish();
    (run.1.whole, run.1.counted) = (false, vec![(put, 40)]);
    for (text, status) in [("p put q", Pass), ("* put q", Pass), ("p[0] put q", Unknown), ("p get q", Fail)] {
        let arguments = vec![("count", patterns(&run.0, &[text])), ("equals", Integer(41))];
        check(run, "count", arguments, status);
    }
    let arguments = vec![("never", patterns(&run.0, &["p put q timeout"]))];
    check(run, "never", arguments, Pass);
    let arguments = vec![("values", patterns(&run.0, &["p put q"])), ("equals", ints(&[1]))];
    check(run, "values", arguments, Unknown);
}

#[test]
fn never_shows_the_first() {
    let run = &mut dialogue();
    let arguments = vec![("never", patterns(&run.0, &["* * q failed"]))];
    let finding = check(run, "never", arguments, Fail);
    assert!(finding.measured.contains("consumer get q ended timeout"), "{}", finding.measured);
    assert_eq!(finding.witnesses.len(), 1);
}

#[test]
fn order_is_by_cause_unless_time_is_asked_for() {
    let run = &mut dialogue();
    let arguments = vec![("order", patterns(&run.0, &["producer put q", "consumer get q"]))];
    check(run, "order", arguments, Pass);
    let arguments = vec![("order", patterns(&run.0, &["producer put q", "consumer get q", "producer put q"]))];
    let finding = check(run, "order", arguments, Fail);
    assert!(finding.measured.contains("but was not a cause of it"), "{}", finding.measured);
    let texts = ["producer put q", "consumer get q", "producer put q"];
    let arguments = vec![("order", patterns(&run.0, &texts)), ("by", Text("time".to_owned()))];
    check(run, "order", arguments, Pass);
    let arguments = vec![("order", patterns(&run.0, &["consumer get q", "producer put q"]))];
    let finding = check(run, "order", arguments, Fail);
    assert!(finding.measured.contains("and was a cause of it"), "{}", finding.measured);
}

#[test]
fn an_order_without_a_match_is_vacuous() {
    let run = &mut dialogue();
    let texts = ["producer get q", "consumer get q"];
    let arguments = vec![("order", patterns(&run.0, &texts))];
    let finding = check(run, "order", arguments, Fail);
    assert!(finding.reason.is_some_and(|reason| reason.starts_with("vacuous")));
    let arguments = vec![("order", patterns(&run.0, &texts)), ("allow_empty", Boolean(true))];
    check(run, "order", arguments, Pass);
}

#[test]
fn all_before_compares_every_pair() {
    let run = &mut dialogue();
    let arguments = vec![("all_before", patterns(&run.0, &["producer put q", "consumer get q timeout"]))];
    check(run, "all_before", arguments, Pass);
    let arguments = vec![("all_before", patterns(&run.0, &["producer put q", "consumer get q"]))];
    let finding = check(run, "all_before", arguments, Fail);
    assert_eq!(finding.witnesses.len(), 2, "{}", finding.measured);
    let arguments = vec![("all_before", patterns(&run.0, &["producer get q", "consumer get q"]))];
    check(run, "all_before", arguments, Pass);
}

#[test]
fn each_needs_a_partner_of_its_own() {
    let run = &mut dialogue();
    let each = |run: &(Plan, Trace), first, key, second| {
        vec![("each", patterns(&run.0, &[first])), (key, patterns(&run.0, &[second]))]
    };
    let mut arguments = each(run, "producer put q", "followed_by", "consumer get q");
    arguments.push(("within", Duration(10)));
    check(run, "each", arguments, Pass);
    let mut arguments = each(run, "producer put q", "followed_by", "consumer get q");
    arguments.push(("within", Duration(9)));
    let finding = check(run, "each", arguments, Fail);
    assert!(finding.notes[0].contains("10 ns away"), "{:?}", finding.notes);
    let arguments = each(run, "consumer get q", "preceded_by", "producer put q");
    check(run, "each", arguments, Pass);
    // Three puts, but the timeout is only one.
    let arguments = each(run, "producer put q", "followed_by", "consumer get q timeout");
    let finding = check(run, "each", arguments, Fail);
    assert!(finding.measured.starts_with("2 of 3 events without"), "{}", finding.measured);
    let mut arguments = each(run, "producer put q", "followed_by", "consumer get q");
    arguments.push(("same", Text("process".to_owned())));
    check(run, "each", arguments, Fail);
    let arguments = each(run, "producer get q", "followed_by", "consumer get q");
    check(run, "each", arguments, Fail);
}

#[test]
fn values_are_compared_in_order() {
    let run = &mut dialogue();
    let values = |run: &(Plan, Trace)| ("values", patterns(&run.0, &["consumer get q"]));
    let arguments = vec![values(run), ("equals", ints(&[1, 2, 3]))];
    check(run, "values", arguments, Pass);
    let arguments = vec![values(run), ("equals", ints(&[3, 2, 1]))];
    let finding = check(run, "values", arguments, Fail);
    assert_eq!(finding.measured, "[1, 2, 3]");
    let arguments = vec![values(run), ("equals", ints(&[3, 2, 1])), ("unordered", Boolean(true))];
    check(run, "values", arguments, Pass);
    let arguments = vec![values(run), ("in", lists(&[&[1], &[1, 2, 3]]))];
    assert_eq!(check(run, "values", arguments, Pass).seen, Some(1));
    run.1.end = crate::trace::RunEnd::Deadlock;
    let arguments = vec![values(run), ("equals", ints(&[3]))];
    check(run, "values", arguments, Unknown);
}

#[test]
fn printed_looks_at_lines_of_output() {
    let mut scene = Scene::new(&[], &[("app", Some(2))]);
    for (process, line) in [(0, "hello"), (1, "hello there"), (1, "bye")] {
        scene.act(process, "print", 1, 2).value = Value::from(line);
    }
    let run = &mut scene.finish();
    let printed = |text: &str| ("printed", Text(text.to_owned()));
    check(run, "printed", vec![printed("hello"), ("equals", Integer(2))], Pass);
    check(run, "printed", vec![printed("bye")], Pass);
    let by = crate::scenario::expectation::Argument::Processes(Some(vec![0]));
    let finding = check(run, "printed", vec![printed("bye"), ("by", by)], Fail);
    assert_eq!(finding.measured, "0 lines of 1");
}

#[test]
fn expect_beside_a_step_looks_at_every_time_it_is_carried_out() {
    let mut scene = Scene::new(&[("q", &QUEUE, 0)], &[("p", None)]);
    let get = scene.step(0, "get", "q");
    let never = scene.step(0, "get", "q");
    for (at, outcome) in [(10, Outcome::OK), (20, Outcome::WOULD_BLOCK)] {
        let event = scene.on(0, "get", "q", (at, at + 1), 0);
        (event.step, event.outcome, event.value) = (Some(get), outcome, Value::Int(3));
    }
    let run = &mut scene.finish();
    let mut step = |step: StepId, argument, status| {
        run.0.expectations.clear();
        crate::judge::testing::expect(&mut run.0, "expect", vec![argument]);
        run.0.expectations[0].step = Some(step);
        let finding = crate::judge::testing::finding(&run.0, &run.1);
        assert_eq!(finding.status, status, "{finding:?}");
        finding
    };
    let finding = step(get, ("outcome", Text("would_block".to_owned())), Fail);
    assert!(finding.measured.ends_with("ended ok"), "{}", finding.measured);
    step(get, ("value", Given(Value::Int(3))), Fail);
    step(never, ("outcome", Text("would_block".to_owned())), Fail);
    run.1.events.retain(|event| event.outcome != Outcome::OK || event.step.is_none());
    let mut step = |argument, status| {
        run.0.expectations.clear();
        crate::judge::testing::expect(&mut run.0, "expect", vec![argument]);
        run.0.expectations[0].step = Some(get);
        assert_eq!(crate::judge::testing::finding(&run.0, &run.1).status, status);
    };
    step(("outcome", Text("would_block".to_owned())), Pass);
    step(("outcome", Text("failed".to_owned())), Pass);
}
