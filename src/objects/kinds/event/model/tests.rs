use crate::objects::contract::model::Willing;
use crate::objects::testing::model_harness::{Step, World, as_the_kernel, on, timed};
use crate::outcome::Outcome;
use crate::value::Value;

const READY: u32 = 0;

#[test]
fn it_does_what_the_kernel_does() {
    for set in [false, true] {
        let attributes = [("set", Value::Bool(set))];
        let steps = [(READY, "set", None::<i64>), (READY, "clear", None), (READY, "wait", None)];
        as_the_kernel(&[("event", &attributes, &[])], &steps, 1);
    }
}

#[test]
fn it_says_what_its_trace_leads_to() {
    let world = World::new(3, &[("event", &[], &[])]);
    let steps = [
        on(READY, "set"),
        on(READY, "clear"),
        on(READY, "wait"),
        timed(READY, "wait"),
        Step::On(READY, "wait", Vec::new(), Willing::Never),
    ];
    for seed in 0..5 {
        assert!(world.wander(&steps, seed, 400) <= 2);
    }
}

#[test]
fn a_flag_that_is_cleared_at_once_may_be_missed() {
    let world = World::new(2, &[("event", &[], &[])]);
    let programs = [vec![on(READY, "set"), on(READY, "clear")], vec![on(READY, "wait")]];
    let (mut seen, mut missed) = (false, false);
    world.explore(&programs, &mut |world, at| {
        seen |= world.events.iter().any(|event| event.verb == "wait" && event.outcome == Outcome::OK);
        missed |= at == [2, 0];
    });
    assert!(seen && missed);
}
