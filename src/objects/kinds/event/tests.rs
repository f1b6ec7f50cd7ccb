use crate::event::Event;
use crate::objects::testing::kernel_harness::Stage;
use crate::os::testing::Child;
use crate::outcome::Outcome;
use crate::value::Value;

fn stage(set: bool) -> Stage {
    let mut stage = Stage::new();
    stage.add("event", &[("set", set.into())], &[]);
    stage
}

#[test]
fn a_wait_goes_on_while_it_is_set() {
    let stage = stage(false);
    let mut actor = stage.actor(0);
    assert_eq!(stage.try_step(&mut actor, 0, "wait", &[]).outcome, Outcome::WOULD_BLOCK);
    assert_eq!(stage.step_within(&mut actor, 0, "wait", 2).outcome, Outcome::TIMEOUT);
    assert!(actor.blocked);
    stage.step(&mut actor, 0, "set", &[]);
    for _ in 0..2 {
        assert_eq!(stage.step_within(&mut actor, 0, "wait", 0).outcome, Outcome::OK);
        assert!(!actor.blocked);
    }
    assert_eq!((stage.live(0).value(), stage.replay(0, &[&actor])), (Some(true.into()), true.into()));
    stage.step(&mut actor, 0, "clear", &[]);
    assert_eq!(stage.try_step(&mut actor, 0, "wait", &[]).outcome, Outcome::WOULD_BLOCK);
    assert_eq!(stage.replay(0, &[&actor]), Value::Bool(false));
    let tickets: Vec<_> = actor.events.iter().filter_map(Event::own_place).collect();
    assert_eq!(tickets, [1, 2, 3, 4]);
    let looks: Vec<_> = actor.events.iter().filter(|event| event.own_place().is_none()).collect();
    assert_eq!(looks.iter().map(|event| event.last_place()).collect::<Vec<_>>(), [Some(0), Some(0), Some(4)]);
}

#[test]
fn set_wakes_all_who_wait() {
    let stage = stage(false);
    let children: Vec<_> = (1..4)
        .map(|process| {
            let mut actor = stage.actor(process);
            let stage = &stage;
            Child::run(move || i32::from(stage.step_within(&mut actor, 0, "wait", 20_000).outcome.code()))
        })
        .collect();
    crate::os::clock::sleep_until(crate::os::clock::now() + 5_000_000);
    stage.step(&mut stage.actor(0), 0, "set", &[]);
    for child in children {
        assert_eq!(child.join(), Some(0));
    }
}

#[test]
fn the_sets_since_the_last_clear_are_causes() {
    let stage = stage(true);
    let (mut a, mut b, mut c) = (stage.actor(0), stage.actor(1), stage.actor(2));
    stage.step(&mut c, 0, "wait", &[]);
    stage.step(&mut a, 0, "set", &[]);
    stage.step(&mut a, 0, "clear", &[]);
    stage.step(&mut a, 0, "set", &[]);
    stage.step(&mut b, 0, "set", &[]);
    stage.step(&mut c, 0, "wait", &[]);
    assert_eq!(stage.causes(0, &[&a, &b, &c]), [((1, 0), (2, 1)), ((0, 2), (2, 1))]);
}
