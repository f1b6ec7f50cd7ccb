use crate::objects::contract::model::{Progress, Willing};
use crate::objects::testing::kernel_harness::Stage;
use crate::objects::testing::model_harness::{Random, Step, World};
use crate::outcome::Outcome;
use crate::value::Value;

const MEMORY: u32 = 0;

/// Steps of every kind on a memory of a few bytes, in and out of its range.
fn steps() -> Vec<(&'static str, Vec<Value>)> {
    let mut steps = vec![("size", vec![])];
    for at in [0, 1, 4, 8, 12, 4090] {
        let at = Value::Int(at);
        steps.push(("load", vec![at.clone()]));
        steps.push(("load", vec![at.clone(), Value::Null, 3.into()]));
        steps.push(("store", vec![at.clone(), Value::Null, b"\0ab".to_vec().into()]));
        for of in ["i8", "u32", "u64", "f32", "f64"] {
            steps.push(("load", vec![at.clone(), of.into()]));
            for verb in ["store", "add", "swap"] {
                steps.push((verb, vec![at.clone(), of.into(), 3.into()]));
            }
            steps.push(("compare_swap", vec![at.clone(), of.into(), 3.into(), 0.into()]));
        }
        steps.push(("store", vec![at.clone(), "f64".into(), (-0.5).into()]));
        steps.push(("store", vec![at, "i64".into(), i64::MIN.into()]));
    }
    steps
}

#[test]
fn it_does_what_the_kernel_does() {
    for via in ["posix", "anonymous"] {
        let attributes = [("size", Value::Int(16)), ("via", via.into())];
        let mut steps = steps();
        steps.extend([0, 3, 16, 5000].map(|size| ("resize", vec![Value::Int(size)])));
        let (mut world, mut stage) = (World::new(1, &[("memory", &attributes, &[])]), Stage::new());
        stage.add("memory", &attributes, &[]);
        let mut actor = stage.actor(0);
        let mut random = Random(1);
        for _ in 0..3000 {
            let (verb, arguments) = &steps[random.below(steps.len())];
            let step = Step::On(MEMORY, verb, arguments.clone(), Willing::Forever);
            let Progress::Done(ours) = world.step(0, &step) else { panic!("{step:?} waits") };
            let theirs = stage.step(&mut actor, MEMORY, verb, arguments);
            assert_eq!(
                (ours.outcome, format!("{:?}", ours.value), ours.ticket),
                (theirs.outcome, format!("{:?}", theirs.value), theirs.ticket),
                "{step:?}"
            );
        }
        assert_eq!(Some(world.value(MEMORY)), stage.live(MEMORY).value());
    }
}

#[test]
fn what_a_process_has_mapped_is_its_own() {
    let mut world = World::new(2, &[("memory", &[("size", Value::Int(8192))], &[])]);
    let mut outcome = |process: u32, verb: &'static str, arguments: &[Value]| match world
        .step(process, &Step::On(MEMORY, verb, arguments.to_vec(), Willing::Forever))
    {
        Progress::Done(done) => done.outcome,
        other => panic!("{other:?}"),
    };
    let far = [Value::Int(5000), "u8".into()];
    assert_eq!(outcome(0, "resize", &[16.into()]), Outcome::OK);
    assert_eq!((outcome(0, "load", &far), outcome(1, "load", &far)), (Outcome::OUT_OF_RANGE, Outcome::BUS_ERROR));
    assert_eq!(outcome(1, "load", &[100.into(), "u8".into()]), Outcome::OK, "the end's page is whole");
    assert_eq!(outcome(1, "resize", &[10_000.into()]), Outcome::OK);
    assert_eq!((outcome(0, "load", &far), outcome(1, "load", &far)), (Outcome::OUT_OF_RANGE, Outcome::OK));
}

#[test]
fn it_says_what_its_trace_leads_to() {
    let world = World::new(3, &[("memory", &[("size", Value::Int(16))], &[])]);
    let mut steps: Vec<Step> =
        (steps().into_iter()).map(|(verb, arguments)| Step::On(MEMORY, verb, arguments, Willing::Forever)).collect();
    steps.push(Step::On(MEMORY, "resize", vec![5000.into()], Willing::Forever));
    steps.push(Step::On(MEMORY, "resize", vec![2.into()], Willing::Forever));
    for seed in 0..5 {
        world.wander(&steps, seed, 200);
    }
}
