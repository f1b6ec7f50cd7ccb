use crate::event::Event;
use crate::objects::testing::kernel_harness::Stage;
use crate::objects::testing::one_object::within;
use crate::os::clock;
use crate::os::testing::Child;
use crate::outcome::Outcome;
use crate::value::Value;

const READ: &[&str] = &["read"];
const WRITE: &[&str] = &["write"];

fn stage(prefer: &str) -> Stage {
    let mut stage = Stage::new();
    stage.add("rwlock", &[("prefer", prefer.into())], &[]);
    stage
}

fn mode(mode: &[&str]) -> Vec<Value> {
    mode.iter().map(|word| Value::from(*word)).collect()
}

#[test]
fn several_read_or_one_writes() {
    let stage = stage("reader");
    let (mut a, mut b) = (stage.actor(0), stage.actor(1));
    for actor in [&mut a, &mut b] {
        assert_eq!(stage.step(actor, 0, "lock", &mode(READ)).outcome, Outcome::OK);
    }
    assert_eq!(stage.step(&mut a, 0, "lock", &mode(READ)).outcome, Outcome::OK, "once more");
    assert_eq!(stage.try_step(&mut b, 0, "lock", &mode(WRITE)).outcome, Outcome::WOULD_BLOCK);
    assert_eq!(stage.step(&mut b, 0, "lock", &mode(WRITE)).outcome, Outcome::WOULD_DEADLOCK);
    stage.step(&mut a, 0, "unlock", &[]);
    stage.step(&mut b, 0, "unlock", &[]);
    assert_eq!(stage.step(&mut a, 0, "unlock", &[]).outcome, Outcome::OK);
    assert_eq!(stage.step(&mut a, 0, "unlock", &[]).outcome, Outcome::NOT_OWNER);
    assert_eq!(stage.step(&mut a, 0, "lock", &mode(WRITE)).outcome, Outcome::OK);
    assert_eq!(stage.live(0).owner(), Some(0));
    assert_eq!(stage.step(&mut a, 0, "lock", &mode(READ)).outcome, Outcome::WOULD_DEADLOCK);
    assert_eq!(stage.try_step(&mut b, 0, "lock", &mode(READ)).outcome, Outcome::WOULD_BLOCK);
    stage.step(&mut a, 0, "unlock", &[]);
    assert_eq!(stage.live(0).value(), Some(stage.replay(0, &[&a, &b])));
    let tickets: Vec<_> = a.events.iter().filter_map(Event::own_place).collect();
    assert_eq!(tickets, [1, 3, 4, 6, 7, 8]);
}

#[test]
fn new_readers_wait_behind_a_writer_that_goes_first() {
    for (prefer, outcome) in [("reader", Outcome::OK), ("writer", Outcome::WOULD_BLOCK)] {
        let stage = stage(prefer);
        let (mut a, mut b) = (stage.actor(0), stage.actor(1));
        stage.step(&mut a, 0, "lock", &mode(READ));
        let child = {
            let (mut writer, stage) = (stage.actor(2), &stage);
            Child::run(move || i32::from(stage.step(&mut writer, 0, "lock", &mode(WRITE)).outcome.code()))
        };
        clock::sleep_until(clock::now() + 20_000_000);
        assert_eq!(stage.try_step(&mut b, 0, "lock", &mode(READ)).outcome, outcome, "{prefer}");
        assert_eq!(stage.step(&mut a, 0, "lock", &mode(READ)).outcome, Outcome::OK, "it reads already");
        stage.step(&mut a, 0, "unlock", &[]);
        stage.step(&mut a, 0, "unlock", &[]);
        if outcome.is_ok() {
            stage.step(&mut b, 0, "unlock", &[]);
        }
        assert_eq!(child.join(), Some(0), "{prefer}");
    }
}

#[test]
fn a_writer_that_gives_up_or_dies_lets_readers_in() {
    let stage = stage("writer");
    let (mut a, mut b) = (stage.actor(0), stage.actor(1));
    stage.step(&mut a, 0, "lock", &mode(READ));
    assert_eq!(stage.perform(&mut b, 0, "lock", None, &mode(WRITE), within(2)).outcome, Outcome::TIMEOUT);
    assert_eq!(stage.try_step(&mut b, 0, "lock", &mode(READ)).outcome, Outcome::OK);
    stage.step(&mut b, 0, "unlock", &[]);
    let child = {
        let (mut writer, stage) = (stage.actor(2), &stage);
        Child::run(move || i32::from(stage.step(&mut writer, 0, "lock", &mode(WRITE)).outcome.code()))
    };
    while stage.try_step(&mut b, 0, "lock", &mode(READ)).outcome.is_ok() {
        stage.step(&mut b, 0, "unlock", &[]);
    }
    assert_eq!(child.kill(), Some(-libc::SIGKILL));
    stage.live(0).reclaim(2);
    assert_eq!(stage.try_step(&mut b, 0, "lock", &mode(READ)).outcome, Outcome::OK);
}

#[test]
fn a_dead_holder_leaves_it_locked() {
    let stage = stage("reader");
    let child = {
        let (mut writer, stage) = (stage.actor(2), &stage);
        Child::run(move || i32::from(stage.step(&mut writer, 0, "lock", &mode(WRITE)).outcome.code()))
    };
    assert_eq!(child.join(), Some(0));
    stage.live(0).reclaim(2);
    assert_eq!(stage.try_step(&mut stage.actor(0), 0, "lock", &mode(READ)).outcome, Outcome::WOULD_BLOCK);
    assert_eq!((stage.live(0).owner(), stage.live(0).value()), (Some(2), None));
}

#[test]
fn releases_are_causes_of_those_that_lock_it_otherwise() {
    let stage = stage("reader");
    let (mut a, mut b, mut c) = (stage.actor(0), stage.actor(1), stage.actor(2));
    for (actor, words) in [(&mut a, READ), (&mut b, READ), (&mut c, WRITE)] {
        stage.step(actor, 0, "lock", &mode(words));
        stage.step(actor, 0, "unlock", &[]);
    }
    stage.step(&mut a, 0, "lock", &mode(READ));
    assert_eq!(stage.causes(0, &[&a, &b, &c]), [((1, 1), (2, 0)), ((0, 1), (2, 0)), ((2, 1), (0, 2))]);
}
