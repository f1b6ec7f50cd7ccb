use crate::objects::contract::model::Willing;
use crate::objects::testing::model_harness::{Step, World, as_the_kernel, on, timed};
use crate::value::Value;

const COUNTER: u32 = 0;

#[test]
fn it_does_what_the_kernel_does() {
    for semaphore in [false, true] {
        for value in [0, 3] {
            let attributes = [("value", Value::Int(value)), ("semaphore", Value::Bool(semaphore))];
            let mut steps = vec![(COUNTER, "take", None), (COUNTER, "poll", None)];
            steps.extend([0, 1, 5, i64::MAX, -1].map(|amount| (COUNTER, "add", Some(amount))));
            as_the_kernel(&[("eventfd", &attributes, &[])], &steps, 1);
        }
    }
}

#[test]
fn it_says_what_its_trace_leads_to() {
    for semaphore in [false, true] {
        let attributes = [("semaphore", Value::Bool(semaphore))];
        let world = World::new(3, &[("eventfd", &attributes, &[])]);
        let steps = [
            Step::On(COUNTER, "add", vec![Value::Int(2)], Willing::Forever),
            on(COUNTER, "take"),
            timed(COUNTER, "take"),
            timed(COUNTER, "poll"),
            Step::On(COUNTER, "take", Vec::new(), Willing::Never),
        ];
        for seed in 0..5 {
            world.wander(&steps, seed, 100);
        }
    }
}
