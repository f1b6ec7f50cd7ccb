use std::collections::BTreeSet;

use super::{LOST, WAITING};
use crate::event::EventId;
use crate::objects::contract::model::{Progress, Willing};
use crate::objects::kinds::mutex;
use crate::objects::testing::kernel_harness::Stage;
use crate::objects::testing::model_harness::{Step, World, as_the_kernel, on, timed, told};
use crate::os::clock;
use crate::os::testing::Child;
use crate::outcome::Outcome;
use crate::value::Value;

const M: u32 = 0;
const C: u32 = 1;

fn world(attributes: &[(&'static str, Value)]) -> World {
    World::new(3, &[("mutex", attributes, &[]), ("condition", &[], &[("mutex", M)])])
}

fn notify(n: i64) -> Step {
    Step::On(C, "notify", vec![Value::Int(n)], Willing::Forever)
}

fn waiter() -> Vec<Step> {
    vec![on(M, "lock"), on(C, "wait"), on(M, "unlock")]
}

/// The processes whose `wait` ended, with what it ended.
fn woken(world: &World) -> BTreeSet<u32> {
    let ended = world.events.iter().filter(|event| event.verb == "wait" && !event.implicit && event.outcome.is_ok());
    ended.map(|event| event.id.process()).collect()
}

#[test]
fn it_does_what_the_kernel_does() {
    let steps = [
        (M, "lock", None),
        (M, "unlock", None),
        (C, "wait", None),
        (C, "notify", None),
        (C, "notify", Some(0)),
        (C, "notify", Some(70_000)),
        (C, "notify_all", None),
    ];
    as_the_kernel(&[("mutex", &[], &[]), ("condition", &[], &[("mutex", M)])], &steps, 5);
}

/// A wait whose time is over, and one that another process notifies, on the kernel's side and in the model.
#[test]
fn a_wait_tells_what_the_kernels_tells() {
    let recursive = [("type", "recursive".into())];
    let mut stage = Stage::new();
    stage.add("mutex", &recursive, &[]);
    stage.add("condition", &[], &[("mutex", M)]);
    let mut actor = stage.actor(1);
    let notifier = {
        let (mut notifier, stage) = (stage.actor(0), &stage);
        let until_waiting = move |stage: &Stage| {
            let deadline = clock::now() + 20_000_000_000;
            while stage.live(C).value() != Some(Value::Int(1)) && clock::now() < deadline {
                std::thread::yield_now();
            }
        };
        Child::fork(move || {
            until_waiting(stage);
            stage.step(&mut notifier, C, "notify_all", &[]);
        })
    };
    let mut world = world(&recursive);
    for _ in 0..2 {
        stage.step(&mut actor, M, "lock", &[]);
        world.step(1, &on(M, "lock"));
    }
    stage.step_within(&mut actor, C, "wait", 20_000);
    assert_eq!(notifier.join(), Some(0));
    assert!(matches!(world.step(1, &on(C, "wait")), Progress::Parked));
    world.step(0, &on(C, "notify_all"));
    world.step(1, &on(C, "wait"));
    stage.step_within(&mut actor, C, "wait", 2);
    world.step(1, &timed(C, "wait"));
    assert!(matches!(world.give_up(1), Progress::Parked));
    world.step(1, &on(C, "wait"));
    assert_eq!(world.told_by(1), actor.events.iter().map(told).collect::<Vec<_>>());
    assert_eq!(world.events.iter().filter(|event| event.verb == "wait" && !event.implicit).count(), 2);
}

#[test]
fn it_says_what_its_trace_leads_to() {
    let mut steps = vec![
        on(M, "lock"),
        on(M, "lock"),
        on(M, "unlock"),
        on(M, "repair"),
        on(C, "wait"),
        timed(C, "wait"),
        timed(C, "wait"),
        Step::On(C, "wait", Vec::new(), Willing::Never),
        on(C, "notify"),
        on(C, "notify_all"),
    ];
    for (kind, robust) in [("normal", false), ("recursive", true), ("errorcheck", true)] {
        let world = world(&[("type", kind.into()), ("robust", robust.into())]);
        for seed in 0..10 {
            world.wander(&steps, seed, 300);
        }
        steps.push(notify(2));
    }
}

#[test]
fn each_waiter_is_woken_in_some_run() {
    let mut seen = BTreeSet::new();
    world(&[]).explore(&[waiter(), waiter(), vec![on(C, "notify")]], &mut |world, at| {
        let notified = world.events.iter().any(|event| event.verb == "notify" && event.value == Value::Int(1));
        assert_eq!(woken(world).len(), usize::from(notified), "{at:?}");
        seen.insert(woken(world).into_iter().collect::<Vec<_>>());
    });
    assert_eq!(seen, BTreeSet::from([vec![], vec![0], vec![1]]));
}

#[test]
fn several_are_woken_without_one_twice() {
    let mut parked = World::new(4, &[("mutex", &[], &[]), ("condition", &[], &[("mutex", M)])]);
    for process in 0..3 {
        parked.step(process, &on(M, "lock"));
        parked.step(process, &on(C, "wait"));
    }
    let rest = |process: usize| if process < 3 { waiter()[1..].to_vec() } else { vec![notify(2)] };
    let mut seen = BTreeSet::new();
    parked.explore(&[0, 1, 2, 3].map(rest), &mut |world, at| {
        assert_eq!(at.iter().sum::<usize>(), 5);
        assert_eq!((world.value(C), woken(world).len()), (Value::Int(1), 2));
        let cause = |event: &crate::event::Event| event.cause == Some(EventId::new(3, 0));
        assert_eq!(world.events.iter().filter(|event| cause(event)).count(), 2);
        seen.insert(woken(world));
    });
    assert_eq!(seen.len(), 3);
    let mut all = parked.clone();
    assert!(matches!(all.step(3, &notify(3)), Progress::Done(done) if done.value == Value::Int(3)));
    assert_eq!(all.model(C).last(all.shares(C)), Some(Value::Int(0)));
}

#[test]
fn a_wait_that_was_notified_or_given_up_has_to_have_the_mutex() {
    for over in [false, true] {
        let mut world = world(&[("type", "recursive".into())]);
        for _ in 0..2 {
            world.step(0, &on(M, "lock"));
        }
        assert!(matches!(world.step(0, &timed(C, "wait")), Progress::Parked));
        assert_eq!(world.model(C).waits_for(0, world.shares(C)[0]), None);
        world.step(1, &on(M, "lock"));
        if over {
            assert!(matches!(world.give_up(0), Progress::Parked));
        } else {
            world.step(1, &on(C, "notify"));
        }
        assert_eq!(world.model(C).waits_for(0, world.shares(C)[0]), Some((M, mutex::LOCK)));
        assert_eq!(world.value(C), Value::Int(i64::from(over)));
        assert!(matches!(world.step(0, &on(C, "wait")), Progress::Waits));
        assert!(matches!(world.give_up(0), Progress::Waits));
        world.step(1, &on(M, "unlock"));
        let Progress::Done(done) = world.step(0, &on(C, "wait")) else { panic!() };
        assert_eq!(done.outcome, if over { Outcome::TIMEOUT } else { Outcome::OK });
        assert_eq!((world.value(C), world.value(M), world.shares(M)[0]), (Value::Int(0), "zero".into(), 2));
        world.agree();
    }
}

#[test]
fn an_owner_that_died_is_told_to_the_woken() {
    let mut world = world(&[("type", "recursive".into()), ("robust", true.into())]);
    for _ in 0..2 {
        world.step(0, &on(M, "lock"));
    }
    world.step(0, &on(C, "wait"));
    world.step(1, &on(M, "lock"));
    world.step(1, &on(C, "notify"));
    world.end(1, true);
    let Progress::Done(done) = world.step(0, &on(C, "wait")) else { panic!() };
    assert_eq!(done.outcome, Outcome::OWNER_DIED);
    let locks = world.events.iter().filter(|event| event.verb == "lock" && event.implicit);
    assert_eq!(locks.map(|event| event.outcome).collect::<Vec<_>>(), [Outcome::OWNER_DIED, Outcome::OK]);
    world.agree();
}

#[test]
fn a_killed_waiter_is_woken_by_nobody() {
    let mut world = world(&[]);
    for process in [0, 1] {
        world.step(process, &on(M, "lock"));
        world.step(process, &on(C, "wait"));
    }
    world.end(0, true);
    assert_eq!(world.shares(C), [LOST, WAITING | 1, 0]);
    assert_eq!((world.value(C), world.model(C).last(world.shares(C))), (Value::Int(2), Some(Value::Int(1))));
    let Progress::Done(done) = world.step(2, &on(C, "notify_all")) else { panic!() };
    assert_eq!(done.value, Value::Int(1));
    assert_eq!(world.value(C), Value::Int(1));
    world.agree();
}
