use crate::objects::kind;
use crate::objects::testing::kernel_harness::{Stage, declare};
use crate::os::clock;
use crate::os::testing::Child;
use crate::outcome::Outcome;
use crate::value::Value;

fn int(n: i64) -> Value {
    Value::Int(n)
}

#[test]
fn permits_are_taken_and_given_back() {
    for via in ["posix", "sysv"] {
        let mut stage = Stage::new();
        let permits = stage.add("semaphore", &[("value", int(1)), ("via", via.into())], &[]);
        let mut actor = stage.actor(0);
        assert_eq!(stage.step(&mut actor, permits, "acquire", &[]).outcome, Outcome::OK);
        assert!(!actor.blocked, "what can be done at once does not wait");
        assert_eq!(stage.try_step(&mut actor, permits, "acquire", &[]).outcome, Outcome::WOULD_BLOCK);
        assert!(!actor.blocked);
        let begin = clock::now();
        assert_eq!(stage.step_within(&mut actor, permits, "acquire", 3).outcome, Outcome::TIMEOUT);
        assert!(actor.blocked && clock::now() >= begin + 3_000_000);
        assert_eq!(stage.step(&mut actor, permits, "release", &[int(3)]).value, int(3));
        assert_eq!(stage.step(&mut actor, permits, "size", &[]).value, int(3));
        assert_eq!(stage.step_within(&mut actor, permits, "acquire", 0).outcome, Outcome::OK);
        assert_eq!(stage.live(permits).value(), Some(int(2)));
        assert_eq!(stage.replay(permits, &[&actor]), int(2));
    }
}

#[test]
fn several_at_once_are_all_or_none() {
    let mut stage = Stage::new();
    let posix = stage.add("semaphore", &[("value", int(3))], &[]);
    let sysv = stage.add("semaphore", &[("value", int(3)), ("via", "sysv".into())], &[]);
    let mut actor = stage.actor(0);
    assert_eq!(stage.try_step(&mut actor, sysv, "acquire", &[int(4)]).outcome, Outcome::WOULD_BLOCK);
    assert_eq!(stage.try_step(&mut actor, sysv, "acquire", &[int(3)]).outcome, Outcome::OK);
    assert_eq!(stage.step(&mut actor, sysv, "release", &[int(32_767)]).outcome, Outcome::OK);
    assert_eq!(stage.step(&mut actor, sysv, "release", &[int(1)]).outcome, Outcome::OVERFLOW);
    assert_eq!(stage.step(&mut actor, sysv, "acquire", &[int(40_000)]).outcome, Outcome::OUT_OF_RANGE);
    assert_eq!(stage.step(&mut actor, posix, "acquire", &[int(2)]).outcome, Outcome::INVALID);
    assert_eq!(stage.step(&mut actor, posix, "release", &[int(0)]).outcome, Outcome::OK);
    assert_eq!(stage.step(&mut actor, posix, "release", &[int(-1)]).outcome, Outcome::OUT_OF_RANGE);
    let acquire = kind("semaphore").unwrap().verb("acquire").unwrap().1;
    assert_eq!(stage.object(posix).foresee(acquire, None, &[Some(int(2))]).unwrap().0, Outcome::INVALID);
    assert!(stage.object(sysv).foresee(acquire, None, &[Some(int(2))]).is_none());
    let large = [("value", int(40_000)), ("via", "sysv".into())];
    assert!(declare(0, kind("semaphore").unwrap(), &large, &[]).is_err());
}

#[test]
fn a_bound_refuses_what_goes_past_it() {
    let mut stage = Stage::new();
    let permits = stage.add("semaphore", &[("value", int(2)), ("bound", true.into())], &[]);
    let mut actor = stage.actor(0);
    assert_eq!(stage.step(&mut actor, permits, "release", &[]).outcome, Outcome::OVERFLOW);
    stage.step(&mut actor, permits, "acquire", &[]);
    assert_eq!(stage.step(&mut actor, permits, "release", &[int(2)]).outcome, Outcome::OVERFLOW);
    assert_eq!(stage.live(permits).value(), Some(int(1)));
    assert_eq!(stage.step(&mut actor, permits, "release", &[]).outcome, Outcome::OK);
    assert_eq!(stage.replay(permits, &[&actor]), int(2));
}

#[test]
fn a_release_is_a_cause_of_what_needs_it() {
    let mut stage = Stage::new();
    let permits = stage.add("semaphore", &[("value", int(1))], &[]);
    let (mut a, mut b) = (stage.actor(0), stage.actor(1));
    stage.step(&mut a, permits, "release", &[]);
    stage.step(&mut b, permits, "acquire", &[]);
    assert_eq!(stage.causes(permits, &[&a, &b]).len(), 0, "the first permit was there before");
    stage.step(&mut b, permits, "acquire", &[]);
    assert_eq!(stage.causes(permits, &[&a, &b]), [((0, 0), (1, 1))]);
}

#[test]
fn a_killed_process_keeps_nobody_from_a_permit() {
    for bound in [false, true] {
        let mut stage = Stage::new();
        let permits = stage.add("semaphore", &[("value", int(1)), ("bound", bound.into())], &[]);
        for round in 0..50u32 {
            let children: Vec<_> = (0..2)
                .map(|process| {
                    let mut actor = stage.actor(process);
                    let stage = &stage;
                    Child::fork(move || {
                        loop {
                            actor.events.clear();
                            stage.step(&mut actor, permits, "acquire", &[]);
                            stage.step(&mut actor, permits, "release", &[]);
                        }
                    })
                })
                .collect();
            for _ in 0..round * 5 {
                std::thread::yield_now();
            }
            for child in children {
                assert!(child.kill().is_some());
            }
            (0..2).for_each(|process| stage.live(permits).reclaim(process));
            let free = stage.live(permits).value().and_then(|value| value.as_int()).unwrap();
            assert!((0..=1).contains(&free), "at most one of them held the permit");
            let mut actor = stage.actor(2);
            if free == 0 {
                assert_eq!(stage.step(&mut actor, permits, "release", &[]).outcome, Outcome::OK);
            }
            assert_eq!(stage.step_within(&mut actor, permits, "acquire", 20_000).outcome, Outcome::OK);
            stage.step(&mut actor, permits, "release", &[]);
        }
    }
}
