use crate::objects::testing::kernel_harness::Stage;
use crate::os::testing::Child;
use crate::outcome::Outcome;
use crate::value::Value;

fn stage(value: i64, semaphore: bool) -> Stage {
    let mut stage = Stage::new();
    stage.add("eventfd", &[("value", value.into()), ("semaphore", semaphore.into())], &[]);
    stage
}

#[test]
fn the_counter_is_taken_whole_or_by_one() {
    for (semaphore, taken, left) in [(false, 5, 0), (true, 1, 4)] {
        let stage = stage(2, semaphore);
        let mut actor = stage.actor(0);
        stage.step(&mut actor, 0, "add", &[3.into()]);
        assert_eq!(stage.step(&mut actor, 0, "poll", &[]).outcome, Outcome::OK);
        assert_eq!(stage.step(&mut actor, 0, "take", &[]).value, Value::Int(taken));
        assert_eq!((stage.live(0).value(), stage.replay(0, &[&actor])), (Some(left.into()), left.into()));
    }
}

#[test]
fn what_cannot_be_done_waits_or_gives_up() {
    let stage = stage(0, false);
    let mut actor = stage.actor(0);
    for verb in ["take", "poll"] {
        assert_eq!(stage.try_step(&mut actor, 0, verb, &[]).outcome, Outcome::WOULD_BLOCK);
        assert_eq!(stage.step_within(&mut actor, 0, verb, 2).outcome, Outcome::TIMEOUT);
        assert!(actor.blocked);
    }
    for _ in 0..2 {
        stage.step(&mut actor, 0, "add", &[i64::MAX.into()]);
    }
    assert_eq!(stage.try_step(&mut actor, 0, "add", &[1.into()]).outcome, Outcome::WOULD_BLOCK);
    assert_eq!(stage.step_within(&mut actor, 0, "add", 2).outcome, Outcome::TIMEOUT);
    assert_eq!(stage.step(&mut actor, 0, "take", &[]).outcome, Outcome::OVERFLOW);
    assert_eq!(stage.replay(0, &[&actor]), Value::Int(0));
}

#[test]
fn an_add_waits_for_room_and_a_take_for_an_add() {
    for (value, waits, gives) in [(0, "take", "add"), (1, "add", "take")] {
        let stage = stage(value, false);
        let mut actor = stage.actor(0);
        for _ in 0..value * 2 {
            stage.try_step(&mut actor, 0, "add", &[(i64::MAX - 1).into()]);
        }
        let child = {
            let (mut actor, stage) = (stage.actor(1), &stage);
            let amount = if waits == "add" { vec![7.into()] } else { Vec::new() };
            Child::run(move || i32::from(stage.step(&mut actor, 0, waits, &amount).outcome.code()))
        };
        crate::os::clock::sleep_until(crate::os::clock::now() + 5_000_000);
        stage.step(&mut actor, 0, gives, &[]);
        assert_eq!(child.join(), Some(0), "{waits}");
    }
}

#[test]
fn the_adds_since_the_last_take_are_causes() {
    let stage = stage(0, false);
    let (mut a, mut b, mut c) = (stage.actor(0), stage.actor(1), stage.actor(2));
    stage.step(&mut a, 0, "add", &[]);
    stage.step(&mut c, 0, "take", &[]);
    stage.step(&mut b, 0, "add", &[]);
    stage.step(&mut c, 0, "poll", &[]);
    assert_eq!(stage.causes(0, &[&a, &b, &c]), [((0, 0), (2, 0)), ((1, 0), (2, 1))]);
}

#[test]
fn an_add_is_no_cause_of_what_there_was_at_first() {
    let stage = stage(1, true);
    let (mut a, mut c) = (stage.actor(0), stage.actor(2));
    stage.step(&mut a, 0, "add", &[]);
    stage.step(&mut c, 0, "take", &[]);
    stage.step(&mut c, 0, "take", &[]);
    assert_eq!(stage.causes(0, &[&a, &c]), [((0, 0), (2, 1))]);
}
