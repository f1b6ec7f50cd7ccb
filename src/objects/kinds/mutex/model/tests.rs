use std::collections::BTreeSet;

use super::{DAMAGED, DIED};
use crate::objects::contract::model::{Progress, Willing};
use crate::objects::testing::model_harness::{Step, World, as_the_kernel, on, timed};
use crate::outcome::Outcome;
use crate::value::Value;

const M: u32 = 0;

fn mutex(attributes: &[(&'static str, Value)]) -> World {
    World::new(3, &[("mutex", attributes, &[])])
}

fn outcome(world: &mut World, process: u32, verb: &'static str) -> Option<Outcome> {
    match world.step(process, &on(M, verb)) {
        Progress::Done(completion) => Some(completion.outcome),
        _ => None,
    }
}

#[test]
fn it_does_what_the_kernel_does() {
    let steps = [(M, "lock", None::<i64>), (M, "unlock", None), (M, "repair", None)];
    for robust in [false, true] {
        let attributes = [("robust", Value::Bool(robust))];
        as_the_kernel(&[("mutex", &attributes, &[])], &steps, 3);
    }
}

#[test]
fn it_says_what_its_trace_leads_to() {
    let steps = [
        on(M, "lock"),
        timed(M, "lock"),
        Step::On(M, "lock", Vec::new(), Willing::Never),
        on(M, "unlock"),
        on(M, "unlock"),
        on(M, "repair"),
    ];
    for kind in ["normal", "recursive", "errorcheck"] {
        for robust in [false, true] {
            let world = mutex(&[("type", kind.into()), ("robust", robust.into())]);
            for seed in 0..8 {
                world.wander(&steps, seed, 300);
            }
        }
    }
}

#[test]
fn each_type_treats_a_second_lock_its_own_way() {
    let mut checked = mutex(&[("type", "errorcheck".into())]);
    outcome(&mut checked, 0, "lock");
    assert_eq!(outcome(&mut checked, 0, "lock"), Some(Outcome::WOULD_DEADLOCK));
    let mut recursive = mutex(&[("type", "recursive".into())]);
    for _ in 0..2 {
        assert_eq!(outcome(&mut recursive, 0, "lock"), Some(Outcome::OK));
    }
    outcome(&mut recursive, 0, "unlock");
    assert_eq!(outcome(&mut recursive, 1, "lock"), None);
    outcome(&mut recursive, 0, "unlock");
    assert_eq!(outcome(&mut recursive, 1, "lock"), Some(Outcome::OK));
    let mut normal = mutex(&[]);
    outcome(&mut normal, 0, "lock");
    assert_eq!(outcome(&mut normal, 0, "lock"), None);
    assert!(matches!(normal.give_up(0), Progress::Done(done) if done.outcome == Outcome::TIMEOUT));
}

#[test]
fn a_robust_mutex_tells_the_next_owner() {
    let mut world = mutex(&[("robust", true.into())]);
    outcome(&mut world, 2, "lock");
    assert_eq!(outcome(&mut world, 0, "lock"), None);
    world.end(2, false);
    world.agree();
    assert_eq!((world.value(M), world.model(M).owner(world.shares(M))), ("two".into(), None));
    assert_eq!(world.model(M).last(world.shares(M)), Some(Value::Null));
    assert_eq!(world.shares(M), [0, 0, DIED | 1]);
    assert_eq!(outcome(&mut world, 0, "lock"), Some(Outcome::OWNER_DIED));
    assert_eq!((world.shares(M), world.value(M)), ([DAMAGED | 1, 0, DIED | 1].as_slice(), "zero".into()));
    assert_eq!(outcome(&mut world, 1, "repair"), Some(Outcome::NOT_OWNER));
    let mut again = world.clone();
    again.end(0, true);
    assert_eq!(again.value(M), "zero".into(), "the last that died");
    again.agree();
    let mut repaired = world.clone();
    assert_eq!(outcome(&mut repaired, 0, "repair"), Some(Outcome::OK));
    assert_eq!(outcome(&mut repaired, 0, "repair"), Some(Outcome::INVALID));
    assert_eq!(outcome(&mut repaired, 0, "unlock"), Some(Outcome::OK));
    assert_eq!(outcome(&mut repaired, 1, "lock"), Some(Outcome::OK));
    assert_eq!(outcome(&mut world, 0, "unlock"), Some(Outcome::OK));
    assert_eq!(outcome(&mut world, 1, "lock"), Some(Outcome::UNRECOVERABLE));
    assert_eq!(world.value(M), Value::Null);
    repaired.agree();
    world.agree();
}

#[test]
fn an_owner_that_ends_is_an_owner_that_died() {
    for robust in [true, false] {
        let mut ends = BTreeSet::new();
        let programs = [vec![on(M, "lock"), Step::End], vec![on(M, "lock"), on(M, "unlock"), Step::End]];
        mutex(&[("robust", robust.into())]).explore(&programs, &mut |world, at| {
            let last = world.events.iter().rfind(|event| event.verb == "lock").unwrap();
            ends.insert((at[1], last.id.process(), last.outcome));
        });
        let late = if robust { (3, 1, Outcome::OWNER_DIED) } else { (0, 0, Outcome::OK) };
        assert_eq!(ends, BTreeSet::from([(3, 0, Outcome::OK), late]));
    }
}

#[test]
fn any_other_mutex_stays_its_dead_owners() {
    let mut world = mutex(&[]);
    outcome(&mut world, 2, "lock");
    world.end(2, true);
    assert_eq!(outcome(&mut world, 0, "lock"), None);
    assert_eq!((world.value(M), world.model(M).owner(world.shares(M))), ("two".into(), Some(2)));
    assert_eq!(world.model(M).last(world.shares(M)), None);
    world.agree();
}

#[test]
fn whoever_comes_may_have_it_next() {
    let program = vec![on(M, "lock"), on(M, "unlock")];
    let mut orders = BTreeSet::new();
    mutex(&[]).explore(&[program.clone(), program.clone(), program], &mut |world, at| {
        assert_eq!(at, [2, 2, 2]);
        orders.insert(world.events.iter().map(|event| event.id.process()).collect::<Vec<_>>());
    });
    assert_eq!(orders.len(), 6);
}
