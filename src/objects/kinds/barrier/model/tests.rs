use std::collections::BTreeSet;

use crate::objects::contract::model::{Progress, Willing};
use crate::objects::kinds::barrier::unticket;
use crate::objects::testing::kernel_harness::Stage;
use crate::objects::testing::model_harness::{Step, World, as_the_kernel, on, timed, told};
use crate::os::clock;
use crate::os::testing::Child;
use crate::outcome::Outcome;
use crate::value::Value;

const B: u32 = 0;

fn world(processes: usize, parties: i64, via: &'static str) -> World {
    World::new(processes, &[("barrier", &[("parties", Value::Int(parties)), ("via", via.into())], &[])])
}

/// A `wait` that takes the order of arrival.
fn taking() -> Step {
    Step::On(B, "wait", vec![Value::Bool(true)], Willing::Forever)
}

fn ended(world: &World) -> Vec<(u32, Outcome, Value)> {
    let steps = world.events.iter().filter(|event| event.verb == "wait" && !event.implicit);
    let mut ended: Vec<_> = steps.map(|event| (event.id.process(), event.outcome, event.value.clone())).collect();
    ended.sort_by_key(|(process, ..)| *process);
    ended
}

#[test]
fn it_does_what_the_kernel_does() {
    let steps = ["wait", "wait", "abort", "reset", "size"].map(|verb| (B, verb, None::<i64>));
    for (parties, via) in [(1, "memory"), (2, "memory"), (1, "posix"), (2, "posix")] {
        as_the_kernel(&[("barrier", &[("parties", Value::Int(parties)), ("via", via.into())], &[])], &steps, 7);
    }
}

/// What a process records that comes first, and one that comes last, in two rounds and one that a timeout breaks.
#[test]
fn a_wait_tells_what_the_kernels_tells() {
    let mut stage = Stage::new();
    stage.add("barrier", &[("parties", Value::Int(2))], &[]);
    let (mut actor, mut world) = (stage.actor(0), world(2, 2, "memory"));
    for last in [true, false] {
        let (mut other, stage) = (stage.actor(1), &stage);
        let child = Child::fork(move || {
            if !last {
                until_waiting(stage);
            }
            stage.step(&mut other, B, "wait", &[]);
        });
        if last {
            until_waiting(stage);
        }
        stage.step(&mut actor, B, "wait", &[]);
        assert_eq!(child.join(), Some(0));
        let order = if last { [1, 0] } else { [0, 1] };
        assert!(matches!(world.step(order[0], &on(B, "wait")), Progress::Parked));
        assert!(matches!(world.step(order[1], &on(B, "wait")), Progress::Done(_)));
        assert!(matches!(world.step(order[0], &on(B, "wait")), Progress::Done(_)));
    }
    stage.step_within(&mut actor, B, "wait", 2);
    stage.step(&mut actor, B, "wait", &[]);
    stage.step(&mut actor, B, "reset", &[]);
    world.step(0, &timed(B, "wait"));
    world.give_up(0);
    world.step(0, &on(B, "wait"));
    world.step(0, &on(B, "reset"));
    assert_eq!(world.told_by(0), actor.events.iter().map(told).collect::<Vec<_>>());
}

fn until_waiting(stage: &Stage) {
    let deadline = clock::now() + 20_000_000_000;
    let mut actor = stage.actor(15);
    while clock::now() < deadline && stage.step(&mut actor, B, "size", &[]).value != Value::Int(1) {
        actor.events.clear();
        std::thread::yield_now();
    }
}

#[test]
fn it_says_what_its_trace_leads_to() {
    let mut steps = vec![on(B, "wait"), taking(), on(B, "size")];
    for posix in [true, false] {
        let via = if posix { "posix" } else { "memory" };
        for parties in 1..4 {
            let world = world(3, parties, via);
            for seed in 0..10 {
                let seen = world.wander(&steps, seed, 300);
                assert!(seen < 100, "{seen}");
            }
        }
        let try_once = Step::On(B, "wait", Vec::new(), Willing::Never);
        steps.extend([timed(B, "wait"), try_once, on(B, "abort"), on(B, "reset"), on(B, "reset")]);
    }
}

#[test]
fn nobody_passes_before_all_have_come_and_each_has_its_place() {
    for via in ["memory", "posix"] {
        let program = vec![on(B, "wait"), on(B, "wait")];
        let mut places = BTreeSet::new();
        world(2, 2, via).explore(&[program.clone(), program], &mut |world, at| {
            assert_eq!(at, [2, 2]);
            let ended = ended(world);
            assert!(ended.iter().all(|(_, outcome, _)| outcome.is_ok()));
            places.insert(ended.iter().map(|(.., place)| place.as_int().unwrap()).collect::<Vec<_>>());
            for (at, event) in world.events.iter().enumerate().filter(|(_, event)| !event.implicit) {
                let round = unticket(event.ticket).0;
                let arrivals = [1, 2].map(|number| (round, number));
                let come = world.events[..at].iter().filter(|event| arrivals.contains(&unticket(event.ticket)));
                assert_eq!(come.count(), 2);
            }
        });
        // The first process is the first or the last of each round.
        assert_eq!(places.len(), 4);
    }
}

#[test]
fn the_order_of_arrival_is_right_without_a_trace() {
    let mut world = world(3, 3, "memory");
    world.traced = false;
    for process in [2, 0, 1] {
        world.step(process, &taking());
    }
    for (process, order) in [(0, 1), (2, 0)] {
        assert!(matches!(world.step(process, &taking()), Progress::Done(done) if done.value == Value::Int(order)));
    }
}

#[test]
fn the_order_of_arrival_is_kept_where_it_is_taken() {
    for (step, states) in [(on(B, "wait"), 1), (taking(), 6)] {
        let mut keys = BTreeSet::new();
        let program = vec![step];
        world(4, 4, "memory").explore(&[program.clone(), program.clone(), program], &mut |world, _| {
            keys.insert(world.key());
        });
        assert_eq!(keys.len(), states);
    }
}

#[test]
fn one_more_than_the_parties_waits_for_ever() {
    let program = vec![on(B, "wait")];
    world(3, 2, "memory").explore(&[program.clone(), program.clone(), program], &mut |world, at| {
        assert_eq!(at.iter().sum::<usize>(), 2);
        assert_eq!(world.model(B).size(world.shares(B)), Some(1));
    });
}

#[test]
fn whatever_breaks_a_round_sends_its_waiters_away() {
    for (verb, broken) in [("abort", true), ("reset", false)] {
        let mut outcomes = BTreeSet::new();
        let programs = [vec![on(B, "wait")], vec![on(B, verb)]];
        world(2, 2, "memory").explore(&programs, &mut |world, at| {
            outcomes.insert((at[0], ended(world).first().map(|(_, outcome, _)| *outcome)));
        });
        let late = if broken { (1, Some(Outcome::BROKEN)) } else { (0, None) };
        assert_eq!(outcomes, BTreeSet::from([(1, Some(Outcome::BROKEN)), late]));
    }
    let mut outcomes = BTreeSet::new();
    let programs = [vec![timed(B, "wait")], vec![on(B, "wait")]];
    world(2, 3, "memory").explore(&programs, &mut |world, _| {
        outcomes.insert(ended(world).iter().map(|(_, outcome, _)| *outcome).collect::<Vec<_>>());
    });
    assert_eq!(outcomes, BTreeSet::from([vec![Outcome::TIMEOUT, Outcome::BROKEN]]));
}

#[test]
fn one_that_was_killed_waiting_has_come_all_the_same() {
    for via in ["memory", "posix"] {
        let mut world = world(2, 2, via);
        world.step(0, &on(B, "wait"));
        world.end(0, true);
        assert_eq!(world.model(B).size(world.shares(B)), Some(1));
        let Progress::Done(done) = world.step(1, &on(B, "wait")) else { panic!() };
        assert_eq!((done.outcome, done.value), (Outcome::OK, Value::Int(1)));
        world.agree();
    }
}
