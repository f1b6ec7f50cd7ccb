use crate::event::ProcessId;
use crate::objects::testing::kernel_harness::{Actor, Stage};
use crate::os::clock;
use crate::os::testing::{Child, moment};
use crate::outcome::Outcome;
use crate::value::Value;

const MUTEX: u32 = 0;
const CHANGED: u32 = 1;

fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.add("mutex", &[("type", "recursive".into()), ("robust", true.into())], &[]);
    stage.add("condition", &[], &[("mutex", MUTEX)]);
    stage
}

/// A process that waits once under the mutex, and exits with the outcome.
fn waiter(stage: &Stage, process: ProcessId) -> Child {
    let mut actor = stage.actor(process);
    Child::run(move || {
        stage.step(&mut actor, MUTEX, "lock", &[]);
        let done = stage.step_within(&mut actor, CHANGED, "wait", 20_000).outcome;
        if !stage.step(&mut actor, MUTEX, "unlock", &[]).outcome.is_ok() {
            return 63;
        }
        i32::from(done.code())
    })
}

fn until_waiting(stage: &Stage, count: i64) {
    let deadline = clock::now() + 20_000_000_000;
    while stage.live(CHANGED).value() != Some(Value::Int(count)) {
        assert!(clock::now() < deadline);
        std::thread::yield_now();
    }
}

#[test]
fn a_wait_needs_the_mutex_and_has_it_again_after_a_timeout() {
    let stage = stage();
    let mut actor = stage.actor(0);
    assert_eq!(stage.step(&mut actor, CHANGED, "wait", &[]).outcome, Outcome::NOT_OWNER);
    stage.step(&mut actor, MUTEX, "lock", &[]);
    stage.step(&mut actor, MUTEX, "lock", &[]);
    assert_eq!(stage.try_step(&mut actor, CHANGED, "wait", &[]).outcome, Outcome::WOULD_BLOCK);
    assert_eq!(stage.step(&mut actor, CHANGED, "notify", &[]).value, Value::Int(0));
    let done = stage.step_within(&mut actor, CHANGED, "wait", 2);
    assert_eq!((done.outcome, done.cause), (Outcome::TIMEOUT, 0));
    assert_eq!(stage.live(MUTEX).owner(), Some(0));
    let told = |implicit| {
        let events: &Vec<_> = &actor.events;
        events.iter().filter(|event| event.implicit == implicit).map(|event| event.verb).collect::<Vec<_>>()
    };
    assert_eq!(told(true), ["wait", "unlock", "unlock", "lock", "lock"]);
    assert_eq!(stage.replay(CHANGED, &[&actor]), Value::Int(0));
    assert_eq!(stage.replay(MUTEX, &[&actor]), "zero".into());
    for _ in 0..2 {
        assert_eq!(stage.step(&mut actor, MUTEX, "unlock", &[]).outcome, Outcome::OK);
    }
}

#[test]
fn the_longest_waiting_are_woken_first_and_know_by_whom() {
    let stage = stage();
    let mut notifier = stage.actor(0);
    let mut children: Vec<_> = Vec::new();
    for process in [3, 1, 2] {
        children.push(waiter(&stage, process));
        until_waiting(&stage, children.len() as i64);
    }
    assert_eq!(stage.step(&mut notifier, CHANGED, "notify", &[Value::Int(2)]).value, Value::Int(2));
    assert_eq!(children.remove(0).join(), Some(0));
    assert_eq!(children.remove(0).join(), Some(0));
    assert_eq!(stage.live(CHANGED).value(), Some(Value::Int(1)));
    children.push(waiter(&stage, 4));
    until_waiting(&stage, 2);
    assert_eq!(stage.step(&mut notifier, CHANGED, "notify_all", &[]).value, Value::Int(2));
    for child in children {
        assert_eq!(child.join(), Some(0));
    }
    assert_eq!(stage.step(&mut notifier, CHANGED, "notify_all", &[]).value, Value::Int(0));
}

#[test]
fn a_notification_is_the_cause_of_the_wait() {
    let stage = stage();
    let mut waiter = stage.actor(1);
    let child = {
        let mut notifier: Actor = stage.actor(0);
        let stage = &stage;
        Child::fork(move || {
            until_waiting(stage, 1);
            stage.step(&mut notifier, CHANGED, "notify", &[]);
        })
    };
    stage.step(&mut waiter, MUTEX, "lock", &[]);
    let done = stage.step(&mut waiter, CHANGED, "wait", &[]);
    assert_eq!(child.join(), Some(0));
    assert_eq!(done.cause, crate::objects::Caller::event(&stage.actor(0)), "its first event");
}

#[test]
fn an_owner_that_died_is_told_to_the_woken() {
    let stage = stage();
    let child = waiter(&stage, 1);
    until_waiting(&stage, 1);
    let mut notifier = stage.actor(2);
    let dying = {
        let stage = &stage;
        Child::fork(move || {
            stage.step(&mut notifier, MUTEX, "lock", &[]);
            stage.step(&mut notifier, CHANGED, "notify", &[]);
        })
    };
    assert_eq!(dying.join(), Some(0));
    assert_eq!(child.join(), Some(i32::from(Outcome::OWNER_DIED.code())));
}

#[test]
fn a_killed_waiter_is_waited_for_by_nobody() {
    let stage = stage();
    let mut notifier = stage.actor(0);
    let (killed, other) = (waiter(&stage, 1), {
        until_waiting(&stage, 1);
        waiter(&stage, 2)
    });
    until_waiting(&stage, 2);
    killed.kill();
    stage.live(CHANGED).reclaim(1);
    until_waiting(&stage, 1);
    assert_eq!(stage.step(&mut notifier, CHANGED, "notify", &[]).value, Value::Int(1));
    assert_eq!(other.join(), Some(0));
}

#[test]
fn a_notifier_killed_at_any_moment_leaves_the_condition_working() {
    let stage = stage();
    let mut notifier = stage.actor(0);
    for round in 0..60u32 {
        let waiters: Vec<_> = (1..4).map(|process| waiter(&stage, process)).collect();
        let killed = {
            let mut actor = stage.actor(5);
            let stage = &stage;
            Child::fork(move || {
                loop {
                    actor.events.clear();
                    stage.step(&mut actor, CHANGED, "notify", &[]);
                    stage.step(&mut actor, CHANGED, "notify_all", &[]);
                }
            })
        };
        moment(round);
        killed.kill();
        stage.live(CHANGED).reclaim(5);
        let mut left = waiters;
        let deadline = clock::now() + 20_000_000_000;
        while !left.is_empty() {
            assert!(clock::now() < deadline);
            notifier.events.clear();
            stage.step(&mut notifier, CHANGED, "notify_all", &[]);
            left.retain_mut(|child| match child.poll() {
                Some(code) => {
                    assert_eq!(code, 0);
                    false
                }
                None => true,
            });
        }
    }
}
