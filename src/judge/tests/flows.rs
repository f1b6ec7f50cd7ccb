//! First in, first out.

use crate::event::EventId;
use crate::judge::Finding;
use crate::judge::Status::{self, Fail, Pass, Unknown};
use crate::judge::testing::{QUEUE, Scene, check, objects};
use crate::trace::ProcessEnd;
use crate::value::Value;

/// A queue without an order of its own: only each message's number.
struct Flow {
    scene: Scene,
    at: u64,
}

impl Flow {
    fn new() -> Self {
        Self { scene: Scene::new(&[("q", &QUEUE, 0)], &[("p", Some(4))]), at: 1 }
    }

    fn put(&mut self, process: u32, value: i64) -> EventId {
        self.at += 10;
        let event = self.scene.on(process, "put", "q", (self.at, self.at + 5), 0);
        event.value = Value::Int(value);
        event.id
    }

    fn get(&mut self, process: u32, cause: EventId, value: i64) {
        self.at += 10;
        let event = self.scene.on(process, "get", "q", (self.at, self.at + 5), 0);
        (event.value, event.cause) = (Value::Int(value), Some(cause));
    }

    fn check(self, status: Status) -> Finding {
        let run = &mut self.scene.finish();
        let arguments = vec![("fifo", objects(&run.0, &["q"]))];
        check(run, "fifo", arguments, status)
    }
}

#[test]
fn what_comes_out_in_order_passes() {
    let mut flow = Flow::new();
    let (a, b, c) = (flow.put(0, 1), flow.put(0, 2), flow.put(0, 3));
    flow.get(1, a, 1);
    flow.get(1, b, 2);
    flow.get(1, c, 3);
    assert_eq!(flow.check(Pass).measured, "q: 3 sent, 3 received, in order");
}

#[test]
fn what_overtakes_is_found_with_its_four_events() {
    let mut flow = Flow::new();
    let (a, b) = (flow.put(0, 1), flow.put(0, 2));
    flow.get(1, b, 2);
    flow.get(1, a, 1);
    let finding = flow.check(Fail);
    assert_eq!(finding.witnesses.len(), 4);
    assert!(finding.measured.contains("was sent before"), "{}", finding.measured);
}

#[test]
fn of_different_producers_only_a_known_order_counts() {
    // Nothing orders the two puts, although one was recorded first.
    let mut flow = Flow::new();
    let (a, b) = (flow.put(0, 1), flow.put(1, 2));
    flow.get(2, b, 2);
    flow.get(2, a, 1);
    flow.check(Pass);
    // Process 1 has got a message of process 0 that was put after the first.
    let mut flow = Flow::new();
    let (a, b) = (flow.put(0, 1), flow.put(0, 2));
    flow.get(1, b, 2);
    let c = flow.put(1, 3);
    flow.get(2, c, 3);
    flow.get(2, a, 1);
    flow.check(Fail);
}

#[test]
fn of_different_consumers_only_a_known_order_counts() {
    let mut flow = Flow::new();
    let (a, b) = (flow.put(0, 1), flow.put(0, 2));
    flow.get(1, b, 2);
    flow.get(2, a, 1);
    flow.check(Pass);
}

#[test]
fn nothing_comes_out_twice_or_from_nowhere() {
    let mut flow = Flow::new();
    let a = flow.put(0, 1);
    flow.get(1, a, 1);
    flow.get(2, a, 1);
    assert!(flow.check(Fail).measured.contains("was received twice"));
    let mut flow = Flow::new();
    flow.put(0, 1);
    flow.get(1, EventId::new(0, 77), 9);
    assert!(flow.check(Fail).measured.contains("which was never sent"));
    let mut flow = Flow::new();
    let a = flow.put(0, 1);
    flow.get(1, a, 9);
    assert!(flow.check(Fail).measured.contains("sent 1"));
}

#[test]
fn what_is_left_inside_is_not_lost_but_what_was_skipped_is() {
    let mut flow = Flow::new();
    let a = flow.put(0, 1);
    flow.put(0, 2);
    flow.get(1, a, 1);
    assert_eq!(flow.check(Pass).measured, "q: 2 sent, 1 received, in order, 1 still inside at the end");
    let mut flow = Flow::new();
    flow.put(0, 1);
    let b = flow.put(0, 2);
    flow.get(1, b, 2);
    assert!(flow.check(Fail).measured.contains("was never received"));
    // A killed process may have taken it.
    let mut flow = Flow::new();
    flow.put(0, 1);
    let b = flow.put(0, 2);
    flow.get(1, b, 2);
    flow.scene.ends[3] = ProcessEnd::Killed(9);
    flow.check(Unknown);
}

#[test]
fn the_object_itself_may_say_that_something_is_lost() {
    let mut flow = Flow::new();
    flow.put(0, 1);
    flow.put(0, 2);
    let run = &mut flow.scene.finish();
    run.1.finals[0] = Some(Value::from(vec![Value::Int(2)]));
    let arguments = vec![("fifo", objects(&run.0, &["q"]))];
    assert!(check(run, "fifo", arguments, Fail).measured.contains("1 lost"));
}

#[test]
fn priorities_keep_the_order_among_their_like() {
    let mut flow = Flow::new();
    let (a, b, c) = (flow.put(0, 1), flow.put(0, 2), flow.put(0, 3));
    for (event, priority) in flow.scene.lanes[0].iter_mut().filter(|event| event.verb == "put").zip([0, 9, 0]) {
        event.second = Value::Int(priority);
    }
    flow.get(1, b, 2);
    flow.get(1, a, 1);
    flow.get(1, c, 3);
    flow.check(Pass);
}

#[test]
fn bytes_may_be_cut_elsewhere_when_they_come_out() {
    let bytes = |chunks: [&str; 2]| {
        let mut scene = Scene::new(&[("q", &QUEUE, 0)], &[("w", None), ("r", None)]);
        scene.on(0, "send", "q", (1, 2), 0).value = Value::from("hello");
        let counted = scene.on(0, "send", "q", (2, 3), 0);
        (counted.value, counted.second) = (Value::Int(6), Value::from(" there"));
        for (chunk, at) in chunks.into_iter().zip([10, 20]) {
            scene.on(1, "recv", "q", (at, at + 1), 0).value = Value::from(chunk.as_bytes().to_vec());
        }
        scene.finish()
    };
    for (chunks, status) in [(["hel", "lo the"], Pass), (["hello ", "the"], Pass), (["hel", "o there"], Fail)] {
        let run = &mut bytes(chunks);
        let arguments = vec![("fifo", objects(&run.0, &["q"]))];
        check(run, "fifo", arguments, status);
    }
}
