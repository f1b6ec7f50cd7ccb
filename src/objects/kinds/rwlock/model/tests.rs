use crate::objects::contract::model::Willing;
use crate::objects::testing::model_harness::{Step, World, as_the_kernel, on};
use crate::outcome::Outcome;
use crate::value::Value;

const LOCK: u32 = 0;

fn lock(mode: &str, willing: Willing) -> Step {
    Step::On(LOCK, "lock", vec![Value::from(mode)], willing)
}

#[test]
fn it_does_what_the_kernel_does() {
    for prefer in ["reader", "writer"] {
        let attributes = [("prefer", Value::from(prefer))];
        let steps = [(LOCK, "lock", Some("read")), (LOCK, "lock", Some("write")), (LOCK, "unlock", None)];
        as_the_kernel(&[("rwlock", &attributes, &[])], &steps, 1);
    }
}

#[test]
fn it_says_what_its_trace_leads_to() {
    for prefer in ["reader", "writer"] {
        let attributes = [("prefer", Value::from(prefer))];
        let world = World::new(3, &[("rwlock", &attributes, &[])]);
        let steps = [
            lock("read", Willing::Forever),
            lock("write", Willing::Forever),
            lock("read", Willing::Never),
            lock("write", Willing::Timed),
            on(LOCK, "unlock"),
        ];
        for seed in 0..5 {
            world.wander(&steps, seed, 400);
        }
    }
}

#[test]
fn readers_overtake_a_waiting_writer_unless_it_goes_first() {
    for (prefer, overtaken) in [("reader", true), ("writer", false)] {
        let attributes = [("prefer", Value::from(prefer))];
        let world = World::new(3, &[("rwlock", &attributes, &[])]);
        let programs = [
            vec![lock("read", Willing::Forever), on(LOCK, "unlock")],
            vec![lock("write", Willing::Timed)],
            vec![lock("read", Willing::Never)],
        ];
        let mut seen = false;
        world.explore(&programs, &mut |world, at| {
            let is =
                |process, verb| world.events.iter().any(|event| event.id.process() == process && event.verb == verb);
            let waits = at[1] == 0 && world.shares(LOCK)[1] != 0;
            let reads = world.events.iter().any(|event| event.id.process() == 2 && event.outcome == Outcome::OK);
            seen |= waits && reads && is(0, "lock") && !is(0, "unlock");
        });
        // A writer that does not go first leaves no trace of its waiting.
        assert!(overtaken || !seen, "{prefer}");
    }
}
