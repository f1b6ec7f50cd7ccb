use std::collections::BTreeMap;

use crate::event::{Event, ProcessId};
use crate::objects::causality::happens_before::Tie;
use crate::objects::testing::kernel_harness::Stage;
use crate::objects::{Patience, kind};
use crate::os::clock;
use crate::os::testing::{Child, moment};
use crate::outcome::Outcome;
use crate::value::Value;

fn stage(parties: i64, via: &'static str) -> Stage {
    let mut stage = Stage::new();
    stage.add("barrier", &[("parties", Value::Int(parties)), ("via", via.into())], &[]);
    stage
}

fn state(waiting: i64, broken: bool) -> Value {
    let entries = [("waiting", Value::Int(waiting)), ("broken", broken.into())];
    Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<BTreeMap<_, _>>().into())
}

/// A process that waits once, and exits with the outcome or, where that is ok, 100 and the order of arrival.
fn waiter(stage: &Stage, process: ProcessId, ms: u64) -> Child {
    let mut actor = stage.actor(process);
    Child::run(move || {
        let done = stage.step_within(&mut actor, 0, "wait", ms);
        match done.value.as_int() {
            Some(order) if done.outcome.is_ok() => 100 + order as i32,
            _ => i32::from(done.outcome.code()),
        }
    })
}

fn until_waiting(stage: &Stage, count: i64) {
    let mut actor = stage.actor(15);
    let deadline = clock::now() + 20_000_000_000;
    while stage.step(&mut actor, 0, "size", &[]).value != Value::Int(count) {
        assert!(clock::now() < deadline);
        std::thread::yield_now();
    }
}

const BROKEN: Option<i32> = Some(Outcome::BROKEN.code() as i32);

#[test]
fn each_round_gives_each_party_its_place() {
    for via in ["memory", "posix"] {
        let stage = stage(3, via);
        for _ in 0..20 {
            let children: Vec<_> = (0..3)
                .map(|process| {
                    let mut actor = stage.actor(process);
                    let stage = &stage;
                    Child::run(move || {
                        let done = stage.step(&mut actor, 0, "wait", &[]);
                        done.value.as_int().filter(|_| done.outcome.is_ok()).map_or(63, |order| order as i32)
                    })
                })
                .collect();
            let mut orders: Vec<_> = children.into_iter().map(|child| child.join().unwrap()).collect();
            orders.sort_unstable();
            assert_eq!(orders, [0, 1, 2]);
        }
    }
}

#[test]
fn a_timeout_breaks_it_until_a_reset() {
    let stage = stage(3, "memory");
    let mut actor = stage.actor(0);
    assert_eq!(stage.try_step(&mut actor, 0, "wait", &[]).outcome, Outcome::WOULD_BLOCK);
    let other = waiter(&stage, 1, 20_000);
    until_waiting(&stage, 1);
    assert_eq!(stage.step_within(&mut actor, 0, "wait", 2).outcome, Outcome::TIMEOUT);
    assert_eq!(other.join(), BROKEN);
    assert_eq!(stage.step(&mut actor, 0, "wait", &[]).outcome, Outcome::BROKEN);
    assert_eq!(stage.live(0).value(), Some(state(0, true)));
    assert_eq!(stage.replay(0, &[&actor]), state(0, true));
    assert_eq!(stage.step(&mut actor, 0, "reset", &[]).outcome, Outcome::OK);
    assert_eq!((stage.live(0).value(), stage.replay(0, &[&actor])), (Some(state(0, false)), state(0, false)));
}

#[test]
fn abort_and_reset_send_the_waiting_away() {
    let stage = stage(3, "memory");
    let mut actor = stage.actor(0);
    for (verb, broken) in [("reset", false), ("abort", true), ("reset", false)] {
        let waiters = if broken || stage.live(0).value() == Some(state(0, false)) { 2 } else { 0 };
        let children: Vec<_> = (1..=waiters).map(|process| waiter(&stage, process, 20_000)).collect();
        until_waiting(&stage, waiters.into());
        assert_eq!(stage.step(&mut actor, 0, verb, &[]).outcome, Outcome::OK);
        for child in children {
            assert_eq!(child.join(), BROKEN);
        }
        assert_eq!(stage.live(0).value(), Some(state(0, broken)));
    }
}

#[test]
fn one_that_was_killed_waiting_has_come_all_the_same() {
    let stage = stage(2, "memory");
    let killed = waiter(&stage, 1, 20_000);
    until_waiting(&stage, 1);
    killed.kill();
    stage.live(0).reclaim(1);
    let mut actor = stage.actor(0);
    assert_eq!(stage.step_within(&mut actor, 0, "wait", 20_000).value, Value::Int(1));
}

#[test]
fn one_killed_while_it_breaks_the_barrier_leaves_it_working() {
    let stage = stage(3, "memory");
    let mut actor = stage.actor(0);
    for round in 0..60u32 {
        let waiting = waiter(&stage, 1, 20_000);
        let breaker = {
            let mut breaker = stage.actor(2);
            let stage = &stage;
            Child::fork(move || {
                loop {
                    breaker.events.clear();
                    stage.step(&mut breaker, 0, "abort", &[]);
                    stage.step(&mut breaker, 0, "reset", &[]);
                }
            })
        };
        moment(round);
        breaker.kill();
        stage.live(0).reclaim(2);
        let mut waiting = Some(waiting);
        let deadline = clock::now() + 20_000_000_000;
        while let Some(child) = &mut waiting {
            assert!(clock::now() < deadline);
            actor.events.clear();
            stage.step(&mut actor, 0, "reset", &[]);
            if let Some(code) = child.poll() {
                assert_eq!(Some(code), BROKEN);
                waiting = None;
            }
        }
        assert_eq!(stage.live(0).value(), Some(state(0, false)));
    }
}

/// Two processes of a barrier of two, whose steps are told by hand from what one of them records.
#[test]
fn every_arrival_is_a_cause_of_every_departure() {
    let stage = stage(2, "memory");
    let first = waiter(&stage, 1, 20_000);
    until_waiting(&stage, 1);
    let mut last = stage.actor(0);
    stage.step(&mut last, 0, "wait", &[]);
    assert_eq!(first.join(), Some(100));
    assert_eq!(
        last.events.iter().map(|event| (event.implicit, event.outcome)).collect::<Vec<_>>(),
        [(true, Outcome::WOULD_BLOCK), (true, Outcome::OK), (false, Outcome::OK)]
    );
    let mut other = stage.actor(1);
    let event = |at: usize, ticket: u64, outcome: Outcome, implicit: bool| {
        let id = crate::event::EventId::new(1, at as u64);
        Event { id, outcome, ticket, implicit, ..last.events[0].clone() }
    };
    other.events.push(event(0, 1, Outcome::WOULD_BLOCK, true));
    other.events.push(event(1, 4, Outcome::OK, false));
    let edges = stage.relate(0, &[&last, &other]);
    let causes: Vec<_> = edges.iter().filter(|edge| edge.2 == Tie::Sync).map(|edge| (edge.0, edge.1)).collect();
    assert!(causes.contains(&((1, 0), (0, 0))) && causes.contains(&((0, 1), (1, 1))), "{causes:?}");
    assert_eq!(stage.replay(0, &[&last, &other]), state(0, false));
}

#[test]
fn a_posix_barrier_knows_neither_timeout_nor_abort() {
    let stage = stage(1, "posix");
    let mut actor = stage.actor(0);
    assert_eq!(stage.step(&mut actor, 0, "wait", &[]).value, Value::Int(0));
    assert_eq!(stage.step(&mut actor, 0, "abort", &[]).outcome, Outcome::INVALID);
    let done = stage.perform(&mut actor, 0, "wait", None, &[], Patience::Until(u64::MAX));
    assert_eq!(done.outcome, Outcome::INVALID);
    let abort = kind("barrier").unwrap().verb("abort").unwrap().1;
    assert_eq!(stage.object(0).foresee(abort, None, &[]).unwrap().0, Outcome::INVALID);
}
