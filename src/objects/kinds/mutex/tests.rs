use crate::event::look;
use crate::objects::testing::kernel_harness::{Actor, Stage, declare};
use crate::objects::{Completion, kind};
use crate::os::testing::{Child, moment};
use crate::outcome::Outcome;
use crate::value::Value;

fn stage(attributes: &[(&'static str, Value)]) -> (Stage, Actor, Actor) {
    let mut stage = Stage::new();
    stage.add("mutex", attributes, &[]);
    let (a, b) = (stage.actor(0), stage.actor(1));
    (stage, a, b)
}

fn outcome(completion: &Completion) -> Outcome {
    let own = completion.ticket != 0 && completion.ticket != look(completion.ticket);
    assert_eq!(own, completion.outcome.is_ok() || completion.outcome == Outcome::OWNER_DIED);
    completion.outcome
}

#[test]
fn only_the_owner_unlocks() {
    let (stage, mut a, mut b) = stage(&[]);
    assert_eq!(outcome(&stage.step(&mut a, 0, "unlock", &[])), Outcome::NOT_OWNER);
    assert_eq!(outcome(&stage.step(&mut a, 0, "lock", &[])), Outcome::OK);
    assert!(!a.blocked);
    assert_eq!(stage.live(0).owner(), Some(0));
    assert_eq!(outcome(&stage.try_step(&mut b, 0, "lock", &[])), Outcome::WOULD_BLOCK);
    assert_eq!(outcome(&stage.step_within(&mut b, 0, "lock", 2)), Outcome::TIMEOUT);
    assert!(b.blocked);
    assert_eq!(outcome(&stage.step(&mut b, 0, "unlock", &[])), Outcome::NOT_OWNER);
    assert_eq!(outcome(&stage.step(&mut a, 0, "repair", &[])), Outcome::INVALID);
    assert_eq!(outcome(&stage.step_within(&mut a, 0, "lock", 2)), Outcome::TIMEOUT, "it waits for itself");
    assert_eq!(stage.replay(0, &[&a, &b]), "zero".into());
    assert_eq!(outcome(&stage.step(&mut a, 0, "unlock", &[])), Outcome::OK);
    assert_eq!((stage.live(0).owner(), stage.replay(0, &[&a, &b])), (None, Value::Null));
    stage.step(&mut b, 0, "lock", &[]);
    assert_eq!(stage.causes(0, &[&a, &b]), [((0, 4), (1, 3))]);
}

#[test]
fn each_type_treats_a_second_lock_its_own_way() {
    let (checked, mut a, _) = stage(&[("type", "errorcheck".into())]);
    checked.step(&mut a, 0, "lock", &[]);
    assert_eq!(outcome(&checked.step(&mut a, 0, "lock", &[])), Outcome::WOULD_DEADLOCK);
    let (recursive, mut a, b) = stage(&[("type", "recursive".into()), ("protocol", "inherit".into())]);
    // Another process, since the kernel knows its owners by thread.
    let by_another = || {
        let mut actor = recursive.actor(1);
        let child = Child::run(|| i32::from(recursive.try_step(&mut actor, 0, "lock", &[]).outcome.code()));
        child.join().map(|code| Outcome::from_code(code as u8))
    };
    for _ in 0..3 {
        assert_eq!(outcome(&recursive.step(&mut a, 0, "lock", &[])), Outcome::OK);
    }
    for _ in 0..2 {
        recursive.step(&mut a, 0, "unlock", &[]);
        assert_eq!(by_another(), Some(Outcome::WOULD_BLOCK));
    }
    assert_eq!(recursive.replay(0, &[&a, &b]), "zero".into());
    recursive.step(&mut a, 0, "unlock", &[]);
    assert_eq!(recursive.replay(0, &[&a, &b]), Value::Null);
    assert_eq!(by_another(), Some(Outcome::OK));
}

fn die_holding(stage: &Stage) {
    let mut dead = stage.actor(2);
    let child = Child::run(|| i32::from(!stage.step(&mut dead, 0, "lock", &[]).outcome.is_ok()));
    assert_eq!(child.join(), Some(0));
    stage.live(0).reclaim(2);
}

#[test]
fn a_robust_mutex_tells_the_next_owner() {
    let (stage, mut a, mut b) = stage(&[("robust", true.into())]);
    die_holding(&stage);
    assert_eq!(stage.live(0).owner(), None);
    assert_eq!(outcome(&stage.step(&mut a, 0, "lock", &[])), Outcome::OWNER_DIED);
    assert_eq!(stage.live(0).owner(), Some(0));
    assert_eq!(outcome(&stage.step(&mut b, 0, "repair", &[])), Outcome::NOT_OWNER);
    assert_eq!(outcome(&stage.step(&mut a, 0, "repair", &[])), Outcome::OK);
    assert_eq!(outcome(&stage.step(&mut a, 0, "repair", &[])), Outcome::INVALID);
    assert_eq!(outcome(&stage.step(&mut a, 0, "unlock", &[])), Outcome::OK);
    die_holding(&stage);
    assert_eq!(outcome(&stage.step_within(&mut b, 0, "lock", 20_000)), Outcome::OWNER_DIED);
    stage.step(&mut b, 0, "unlock", &[]);
    assert_eq!(outcome(&stage.step(&mut a, 0, "lock", &[])), Outcome::UNRECOVERABLE);
    assert_eq!(stage.live(0).owner(), None);
}

#[test]
fn any_other_mutex_stays_its_dead_owners() {
    let (stage, mut a, _) = stage(&[]);
    die_holding(&stage);
    assert_eq!(stage.live(0).owner(), Some(2));
    assert_eq!(outcome(&stage.step_within(&mut a, 0, "lock", 2)), Outcome::TIMEOUT);
    assert_eq!(stage.live(0).value(), None);
}

#[test]
fn a_killed_waiter_keeps_nobody_from_the_lock() {
    let (stage, mut a, _) = stage(&[("robust", true.into())]);
    for round in 0..50u32 {
        let children: Vec<_> = (1..4)
            .map(|process| {
                let mut actor = stage.actor(process);
                let stage = &stage;
                Child::fork(move || {
                    loop {
                        actor.events.clear();
                        if stage.step(&mut actor, 0, "lock", &[]).outcome == Outcome::OWNER_DIED {
                            stage.step(&mut actor, 0, "repair", &[]);
                        }
                        stage.step(&mut actor, 0, "unlock", &[]);
                    }
                })
            })
            .collect();
        moment(round);
        for (process, child) in (1..4).zip(children) {
            child.kill();
            stage.live(0).reclaim(process);
        }
        let done = stage.step_within(&mut a, 0, "lock", 20_000).outcome;
        assert!(done.is_ok() || done == Outcome::OWNER_DIED, "{done}");
        stage.step(&mut a, 0, "repair", &[]);
        assert!(stage.step(&mut a, 0, "unlock", &[]).outcome.is_ok());
    }
}

#[test]
fn a_ceiling_goes_with_its_protocol() {
    let mutex = kind("mutex").unwrap();
    assert!(declare(0, mutex, &[("ceiling", Value::Int(5))], &[]).is_err());
    assert!(declare(0, mutex, &[("protocol", "protect".into())], &[]).is_err());
    assert!(declare(0, mutex, &[("protocol", "protect".into()), ("ceiling", Value::Int(5))], &[]).is_ok());
}
