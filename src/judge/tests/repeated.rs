//! Over which executions an expectation speaks, and what many runs say together.

use crate::judge::Status::{Fail, Pass, Unknown};
use crate::judge::testing::{CELL, Scene, condition, expect, lists, objects};
use crate::judge::{Frequency, Summary, Tally, final_state, judge};
use crate::scenario::expectation::{Argument, Holds};
use crate::scenario::plan::Plan;
use crate::trace::{ProcessEnd, RunEnd, Trace};
use crate::value::Value;

fn ending_with(money: i64) -> (Plan, Trace) {
    let mut scene = Scene::new(&[("money", &CELL, 0)], &[("p", None)]);
    scene.on(0, "store", "money", (1, 2), 1).value = Value::Int(money);
    scene.finish()
}

fn tally(runs: &[i64], holds: Holds, name: &'static str, each_seen: bool) -> Summary {
    let mut tally = Tally::default();
    let (mut plan, _) = ending_with(0);
    let argument = if name == "final" { condition(&mut plan, "money == 5") } else { objects(&plan, &["money"]) };
    let mut arguments = vec![(name, argument)];
    if name == "final_values" {
        arguments.push(("in", lists(&[&[5], &[7]])));
        arguments.push(("each_seen", Argument::Boolean(each_seen)));
    }
    expect(&mut plan, name, arguments);
    plan.expectations[0].holds = holds;
    for money in runs {
        let (_, trace) = ending_with(*money);
        tally.add(&judge(&plan, &trace), final_state(&plan, &trace));
    }
    tally.summary(&plan)
}

#[test]
fn holds_says_over_which_executions() {
    let cases = [
        (Holds::Always, &[5, 5][..], Pass, Frequency::Always),
        (Holds::Always, &[5, 6], Fail, Frequency::Sometimes),
        (Holds::Sometimes, &[6, 5], Pass, Frequency::Sometimes),
        (Holds::Sometimes, &[6, 6], Unknown, Frequency::Never),
        (Holds::Never, &[6, 6], Pass, Frequency::Never),
        (Holds::Never, &[6, 5], Fail, Frequency::Sometimes),
    ];
    for (holds, runs, status, frequency) in cases {
        let summary = tally(runs, holds, "final", false);
        assert_eq!(summary.status, status, "{holds:?} over {runs:?}");
        assert_eq!(summary.overall[0].frequency, frequency);
    }
    let failed = tally(&[5, 5, 6, 7], Holds::Always, "final", false);
    let (run, finding) = failed.overall[0].example.as_ref().expect("one has failed");
    assert_eq!((*run, finding.measured.as_str()), (3, "money = 6"));
    assert_eq!((failed.overall[0].held, failed.overall[0].failed), (2, 2));
}

#[test]
fn a_single_run_cannot_refute_what_happens_sometimes() {
    let (mut plan, trace) = ending_with(6);
    let money = condition(&mut plan, "money == 5");
    expect(&mut plan, "final", vec![("final", money)]);
    for (holds, status) in [(Holds::Always, Fail), (Holds::Sometimes, Unknown), (Holds::Never, Pass)] {
        plan.expectations[0].holds = holds;
        let verdict = judge(&plan, &trace);
        assert_eq!((verdict.status, verdict.findings[0].finding.status), (status, Fail));
    }
}

#[test]
fn each_seen_asks_for_every_entry() {
    assert_eq!(tally(&[5, 5], Holds::Always, "final_values", false).status, Pass);
    let summary = tally(&[5, 5], Holds::Always, "final_values", true);
    assert_eq!((summary.status, summary.overall[0].unseen.as_slice()), (Unknown, &[1][..]));
    assert_eq!(tally(&[5, 7, 5], Holds::Always, "final_values", true).status, Pass);
    assert_eq!(tally(&[5, 7, 6], Holds::Always, "final_values", true).status, Fail);
}

#[test]
fn final_states_are_counted() {
    let summary = tally(&[5, 7, 7, 5, 7], Holds::Always, "final", false);
    let states: Vec<_> = summary.states.iter().map(|state| (state.state.as_str(), state.runs, state.first)).collect();
    assert_eq!(states, [("money=7", 3, 2), ("money=5", 2, 1)]);
    assert_eq!(summary.runs, 5);
}

#[test]
fn a_final_state_says_how_it_ended() {
    let mut run = ending_with(5);
    run.1.ends[0] = ProcessEnd::Exited(2);
    assert_eq!(final_state(&run.0, &run.1), "money=5, p exited with status 2");
    run.1.end = RunEnd::Timeout(vec![]);
    assert!(final_state(&run.0, &run.1).ends_with("cut off by the timeout"));
}

#[test]
fn rules_that_some_runs_broke_stand_behind_the_expectations() {
    let mut tally = Tally::default();
    let (plan, mut trace) = ending_with(5);
    tally.add(&judge(&plan, &trace), String::new());
    trace.ends[0] = ProcessEnd::Exited(1);
    tally.add(&judge(&plan, &trace), String::new());
    let summary = tally.summary(&plan);
    assert_eq!((summary.status, summary.overall.len()), (Fail, 1));
    assert_eq!((summary.overall[0].failed, summary.overall[0].held), (1, 1));
}
