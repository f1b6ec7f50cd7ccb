//! What a pipe's model does: what the kernel's side does.

use super::*;
use crate::event::EventId;
use crate::objects::kinds::pipe::KIND;
use crate::objects::testing::one_model::{Desk, Random, Step, as_the_kernel};
use crate::objects::testing::one_object::alone;

type Attributes = Vec<(&'static str, Value)>;

fn text(text: &str) -> Value {
    Value::from(text)
}

/// Bytes, of that many.
fn large(byte: u8, length: usize) -> Value {
    Value::from(vec![byte; length])
}

fn duplex(duplex: bool) -> (&'static str, Value) {
    ("duplex", Value::Bool(duplex))
}

fn bytes() -> (&'static str, Value) {
    ("framing", text("bytes"))
}

fn capacity(capacity: i64) -> (&'static str, Value) {
    ("capacity", Value::Int(capacity))
}

/// The ends that send and receive.
fn ends(duplex: bool) -> (&'static str, &'static str) {
    if duplex { ("send a", "recv b") } else { ("send w", "recv r") }
}

fn counted(value: Value) -> Vec<Value> {
    vec![value, Value::Bool(true)]
}

/// Steps on messages, some of which fail.
fn message_steps(duplex: bool) -> Vec<(&'static str, Vec<Value>)> {
    let ways: &[_] = if duplex {
        &[("send a", "recv b", "poll b"), ("send b", "recv a", "poll a")]
    } else {
        &[("send w", "recv r", "poll r")]
    };
    let mut steps = Vec::new();
    for (send, receive, poll) in ways {
        for value in [Value::Int(1), text("two"), large(3, 4000), large(4, 4080), large(5, 9000)] {
            steps.push((*send, vec![value]));
        }
        // What a buffer of sockets holds depends on the kernel's version, so that it is not to be full.
        steps.push((*send, vec![large(6, if duplex { 33_000 } else { 20_000 })]));
        steps.extend(vec![(*receive, vec![]); if duplex { 8 } else { 0 }]);
        steps.push((send, counted(text("counted"))));
        steps.extend([
            (*receive, vec![]),
            (receive, vec![]),
            (receive, vec![]),
            (receive, vec![Value::Null, Value::Int(3)]),
        ]);
        steps.push((poll, vec![]));
    }
    steps.extend(resizes(duplex));
    if !duplex {
        steps.extend([("send r", vec![Value::Int(1)]), ("recv w", vec![]), ("poll w", vec![])]);
    }
    steps
}

/// Steps that ask for room, some of which fail.
fn resizes(duplex: bool) -> Vec<(&'static str, Vec<Value>)> {
    let (resize, size) = if duplex { ("resize a", "size b") } else { ("resize w", "size r") };
    let sizes = [-1, 0, 5000, 8192, 16_000, 70_000, i64::MAX];
    let mut steps: Vec<_> = sizes.map(|bytes| (resize, vec![Value::Int(bytes)])).into();
    steps.extend([(resize, vec![Value::from("large")]), (size, vec![]), (size, vec![])]);
    steps
}

/// Steps on bytes, some of which fail.
fn byte_steps(duplex: bool) -> Vec<(&'static str, Vec<Value>)> {
    let (send, receive) = ends(duplex);
    let mut steps = vec![(send, vec![Value::Int(1)]), (if duplex { "poll b" } else { "poll r" }, vec![])];
    for length in [0, 1, 100, 3000, 4096, 4097, 6000, 10_000] {
        steps.push((send, vec![large(length as u8, length)]));
        steps.push((send, counted(large(length as u8, length))));
    }
    for max in [1, 50, 96, 100, 1000, 4095, 4096, 4097, 5000, 8192] {
        steps.push((receive, vec![Value::Null, Value::Int(max)]));
    }
    steps.push((receive, vec![]));
    steps.extend(resizes(duplex));
    steps
}

#[test]
fn messages_go_as_through_the_kernel() {
    let _alone = alone();
    for seed in 0..12 {
        let holders = [[1, 1], [3, 3], [1, 3]][seed as usize % 3];
        let room = [1, 4, 16][seed as usize / 4];
        as_the_kernel(&KIND, &[capacity(room)], holders, &message_steps(false), seed);
        as_the_kernel(&KIND, &[duplex(true)], holders, &message_steps(true), seed);
    }
    as_the_kernel(&KIND, &[], [2, 2], &message_steps(false), 99);
}

#[test]
fn bytes_go_as_through_the_kernel() {
    let _alone = alone();
    for seed in 0..24 {
        let holders = [[1, 1], [3, 3], [1, 3]][seed as usize % 3];
        let room = 4096 << (seed as usize / 6);
        as_the_kernel(&KIND, &[bytes(), capacity(room)], holders, &byte_steps(false), seed);
    }
    as_the_kernel(&KIND, &[bytes()], [1, 1], &byte_steps(false), 99);
}

#[test]
fn who_waits_goes_on_in_any_order() {
    let mut desk = Desk::new(&KIND, &[capacity(1)], [2, 2]);
    assert!(desk.waits(2, "recv r", &[]) && desk.waits(3, "recv r", &[]) && desk.waits(3, "poll r", &[]));
    let done = desk.done(0, "send w", &[Value::Int(1)], Willing::Forever);
    assert!(desk.waits(0, "send w", &[Value::Int(2)]) && desk.waits(1, "send w", &[Value::Int(3)]));
    assert_eq!(desk.now(3, "poll r", &[]), Outcome::OK);
    let got = desk.done(3, "recv r", &[], Willing::Forever);
    assert_eq!((got.value, got.ticket), (Value::Int(1), done.ticket));
    assert_eq!(EventId::unpack(got.cause), Some(EventId::new(0, 1)));
    assert_eq!(desk.done(1, "send w", &[Value::Int(3)], Willing::Forever).ticket, 2);
    assert_eq!(desk.give_up(0, "send w", &[Value::Int(2)]).value, Value::Int(2));
    assert_eq!(desk.done(2, "recv r", &[], Willing::Forever).value, Value::Int(3));
    assert_eq!(desk.give_up(2, "recv r", &[]).outcome, Outcome::TIMEOUT);
    desk.agree();
}

#[test]
fn the_last_writer_brings_the_end_of_file_and_the_last_reader_breaks_the_pipe() {
    for (two, framing) in [(false, "message"), (false, "bytes"), (true, "message"), (true, "bytes")] {
        let attributes: Attributes = vec![duplex(two), ("framing", text(framing))];
        let (send, receive) = ends(two);
        let (w, r) = if two { ("a", "b") } else { ("w", "r") };
        let (close_w, close_r, poll) = (format!("close {w}"), format!("close {r}"), format!("poll {r}"));
        let mut desk = Desk::new(&KIND, &attributes, [2, 2]);
        assert_eq!(desk.now(0, send, &[text("last")]), Outcome::OK);
        assert_eq!(desk.now(0, &close_w, &[]), Outcome::OK);
        for step in [&*close_w, send] {
            assert_eq!(desk.now(0, step, &[text("x")]), Outcome::INVALID);
        }
        assert_eq!(desk.now(2, receive, &[]), Outcome::OK);
        assert!(desk.waits(2, receive, &[]) && desk.waits(2, &poll, &[]), "another still holds the end");
        let held: Vec<_> = desk.object.ends().iter().map(|end| *end == w).collect();
        desk.end(1, &held);
        assert_eq!(desk.now(2, &poll, &[]), Outcome::OK);
        for willing in [Willing::Forever, Willing::Never, Willing::Timed] {
            assert_eq!(desk.done(2, receive, &[], willing).outcome, Outcome::CLOSED);
        }

        let mut desk = Desk::new(&KIND, &attributes, [2, 2]);
        for reader in [2, 3] {
            assert_eq!(desk.now(0, send, &[text("x")]), Outcome::OK);
            assert_eq!(desk.now(reader, &close_r, &[]), Outcome::OK);
        }
        for willing in [Willing::Forever, Willing::Never, Willing::Timed] {
            let done = desk.done(0, send, &[text("x")], willing);
            let part = if framing == "bytes" { large(0, 0) } else { text("x") };
            assert_eq!((done.outcome, done.value, done.ticket), (Outcome::BROKEN, part, 0), "{attributes:?}");
        }
        desk.agree();
    }
}

#[test]
fn a_process_that_has_closed_an_end_lets_go_of_it_once() {
    let mut desk = Desk::new(&KIND, &[], [2, 2]);
    assert_eq!(desk.now(0, "close w", &[]), Outcome::OK);
    let held: Vec<_> = desk.object.ends().iter().map(|end| *end == "w").collect();
    desk.end(0, &held);
    assert!(desk.waits(2, "recv r", &[]), "the other writer is there");
}

#[test]
fn what_was_left_unread_is_no_error_of_the_other_side() {
    let mut desk = Desk::new(&KIND, &[duplex(true)], [1, 1]);
    assert_eq!(desk.now(0, "send a", &[text("never read")]), Outcome::OK);
    assert_eq!(desk.now(1, "send b", &[text("read")]), Outcome::OK);
    assert_eq!(desk.value(), vec![text("never read"), text("read")].into());
    assert_eq!(desk.now(1, "close b", &[]), Outcome::OK);
    assert_eq!(desk.done(0, "recv a", &[], Willing::Forever).value, text("read"));
    assert_eq!(desk.done(0, "recv a", &[], Willing::Forever).outcome, Outcome::CLOSED);
    desk.agree();
}

#[test]
fn a_message_larger_than_the_room_leaves_its_sender_parked() {
    for (two, whole) in [(false, large(1, 20_000)), (true, large(1, 400_000))] {
        let attributes = [duplex(two), capacity(if two { 100_000 } else { 4 })];
        let (send, receive) = ends(two);
        let mut desk = Desk::new(&KIND, &attributes, [2, 2]);
        let whole = std::slice::from_ref(&whole);
        assert!(desk.parks(0, send, whole));
        assert!(matches!(desk.step(0, send, whole, Willing::Forever), Progress::Waits));
        assert_eq!(desk.value(), Vec::<Value>::new().into(), "nobody has sent it yet");
        assert_eq!(desk.now(2, if two { "poll b" } else { "poll r" }, &[]), Outcome::OK);
        assert_eq!(desk.now(1, send, &[text("next")]), Outcome::WOULD_BLOCK);
        let got = desk.done(2, receive, &[], Willing::Never);
        assert_eq!((got.outcome, &got.value), (Outcome::OK, &whole[0]));
        // Another sends before the first has noticed that all is gone.
        assert!(desk.parks(1, send, whole));
        let done = desk.done(0, send, whole, Willing::Forever);
        assert_eq!((done.outcome, done.ticket), (Outcome::OK, got.ticket));
        assert_eq!(desk.done(3, receive, &[], Willing::Forever).value, whole[0]);
        let over = desk.give_up(1, send, whole);
        assert_eq!(over.outcome, Outcome::OK, "all of it had gone in");
    }
}

#[test]
fn a_message_goes_on_when_room_is_made() {
    let mut desk = Desk::new(&KIND, &[capacity(4)], [2, 1]);
    let (three, two) = (large(1, 12_000), large(2, 8000));
    assert_eq!(desk.now(0, "send w", std::slice::from_ref(&three)), Outcome::OK);
    assert_eq!(desk.now(1, "send w", std::slice::from_ref(&two)), Outcome::WOULD_BLOCK);
    assert!(desk.parks(1, "send w", std::slice::from_ref(&two)));
    assert_eq!(desk.done(2, "recv r", &[], Willing::Forever).value, three);
    let done = desk.done(1, "send w", &[two], Willing::Forever);
    assert_eq!((done.outcome, done.ticket), (Outcome::OK, 5));
    desk.agree();
}

#[test]
fn what_was_given_up_in_the_middle_is_dropped() {
    let mut desk = Desk::new(&KIND, &[capacity(4)], [2, 1]);
    let first = desk.key();
    let whole = [large(1, 20_000)];
    assert!(desk.parks(0, "send w", &whole));
    let over = desk.give_up(0, "send w", &whole);
    assert_eq!((over.outcome, over.value, over.ticket), (Outcome::TIMEOUT, whole[0].clone(), 0));
    assert_eq!(desk.now(1, "send w", &[text("no room")]), Outcome::WOULD_BLOCK);
    assert_eq!(desk.now(2, "poll r", &[]), Outcome::OK);
    assert!(desk.parks(2, "recv r", &[]), "it drops the part");
    assert_eq!(desk.give_up(2, "recv r", &[]).outcome, Outcome::TIMEOUT);
    assert_eq!(desk.key(), first);
    let done = desk.done(1, "send w", &[text("next")], Willing::Never);
    assert_eq!((done.outcome, done.ticket), (Outcome::OK, 5));
    assert_eq!(desk.done(2, "recv r", &[], Willing::Never).ticket, 5);
    desk.agree();
}

#[test]
fn a_writer_killed_in_the_middle_of_a_message_does_no_harm() {
    for two in [false, true] {
        let (send, receive) = ends(two);
        let mut desk = Desk::new(&KIND, &[duplex(two)], [2, 2]);
        assert!(desk.parks(0, send, &[large(1, 2_000_000)]));
        assert!(desk.waits(1, send, &[text("next")]));
        let held: Vec<_> = desk.object.ends().iter().map(|end| ["w", "a"].contains(end)).collect();
        desk.end(0, &held);
        assert!(desk.parks(2, receive, &[]));
        assert_eq!(desk.done(1, send, &[text("next")], Willing::Forever).outcome, Outcome::OK);
        assert_eq!(desk.done(2, receive, &[], Willing::Forever).value, text("next"));
        assert_eq!(desk.now(1, if two { "close a" } else { "close w" }, &[]), Outcome::OK);
        assert_eq!(desk.now(2, receive, &[]), Outcome::CLOSED);
        desk.agree();
    }
}

#[test]
fn nobody_receives_and_the_sender_in_the_middle_learns_it() {
    for framing in ["message", "bytes"] {
        let mut desk = Desk::new(&KIND, &[("framing", text(framing))], [1, 1]);
        let much = [large(1, 100_000)];
        assert!(desk.parks(0, "send w", &much));
        assert_eq!(desk.now(1, "close r", &[]), Outcome::OK);
        let done = desk.done(0, "send w", &much, Willing::Forever);
        let (value, ticket) = if framing == "bytes" { (large(1, 65_536), 65_536) } else { (much[0].clone(), 0) };
        assert_eq!((done.outcome, done.value, done.ticket), (Outcome::BROKEN, value, ticket));
    }
    let mut desk = Desk::new(&KIND, &[bytes()], [1, 1]);
    let much = counted(large(1, 100_000));
    assert!(desk.parks(0, "send w", &much));
    assert_eq!(desk.now(1, "close r", &[]), Outcome::OK);
    let done = desk.done(0, "send w", &much, Willing::Forever);
    assert_eq!((done.outcome, done.value), (Outcome::OK, Value::Int(65_536)));
}

#[test]
fn a_large_write_goes_in_part_by_part() {
    let mut desk = Desk::new(&KIND, &[bytes(), capacity(4096)], [2, 1]);
    let much = [large(1, 10_000)];
    assert!(desk.parks(0, "send w", &much) && desk.waits(1, "send w", &[large(2, 10)]));
    assert_eq!(desk.done(2, "recv r", &[], Willing::Forever).value, large(1, 4096));
    assert!(desk.parks(0, "send w", &much));
    assert_eq!(desk.done(2, "recv r", &[], Willing::Forever).value, large(1, 4096));
    assert_eq!(desk.now(1, "send w", &[large(2, 10)]), Outcome::OK, "writes over a page can be cut");
    assert_eq!(desk.done(2, "recv r", &[], Willing::Forever).value, large(2, 10));
    assert_eq!(desk.done(0, "send w", &much, Willing::Forever).outcome, Outcome::OK);
    let rest = 10_000 - 2 * 4096;
    assert_eq!(desk.done(2, "recv r", &[], Willing::Forever).value, large(1, rest));

    let part = desk.step(0, "send w", &much, Willing::Timed);
    assert!(matches!(part, Progress::Parked));
    assert_eq!(desk.give_up(0, "send w", &much).value, large(1, 4096));
    let counted = desk.done(0, "recv r", &[], Willing::Never).value;
    assert_eq!(counted, large(1, 4096));
    let done = desk.done(0, "send w", &[much[0].clone(), Value::Bool(true)], Willing::Timed);
    assert_eq!((done.outcome, done.value), (Outcome::OK, Value::Int(4096)));
}

#[test]
fn a_pipe_has_as_many_pages_as_the_kernel_gives() {
    for (length, times) in [(1000, 64), (2049, 16), (3000, 16), (5000, 10)] {
        let mut desk = Desk::new(&KIND, &[bytes()], [1, 1]);
        let value = [large(1, length)];
        for _ in 0..times {
            assert_eq!(desk.now(0, "send w", &value), Outcome::OK, "{length}");
        }
        assert_eq!(desk.now(0, "send w", &value), Outcome::WOULD_BLOCK, "{length}");
    }
}

#[test]
fn the_same_contents_are_the_same_state() {
    for attributes in [vec![], vec![bytes()], vec![duplex(true)], vec![duplex(true), bytes()]] {
        let mut desk = Desk::new(&KIND, &attributes, [2, 2]);
        let (send, receive) = ends(attributes.iter().any(|(name, _)| *name == "duplex"));
        let first = desk.key();
        for process in [0, 1, 0] {
            assert_eq!(desk.now(process, send, &[text("x")]), Outcome::OK);
            assert_ne!(desk.key(), first);
            assert_eq!(desk.now(2, receive, &[]), Outcome::OK);
            assert_eq!(desk.key(), first);
        }
    }
}

#[test]
fn what_is_said_to_commute_does() {
    for (two, framing) in [(false, "message"), (false, "bytes"), (true, "message"), (true, "bytes")] {
        let attributes: Attributes = vec![duplex(two), ("framing", text(framing))];
        let mut all = if framing == "bytes" { byte_steps(two) } else { message_steps(two) };
        let steps = all.len();
        all.extend(if two {
            [("close a", vec![]), ("close b", vec![])]
        } else {
            [("close r", vec![]), ("close w", vec![])]
        });
        let mut count = 0;
        for seed in 0..20 {
            let holders = [1 + seed as u32 % 3, 1 + seed as u32 / 7];
            let (mut desk, mut random) = (Desk::new(&KIND, &attributes, holders), Random(seed));
            for _ in 0..60 {
                let mut step = |count: usize| -> Step<'_> {
                    let (step, arguments) = &all[random.below(count)];
                    (step, arguments, Willing::Forever)
                };
                let (first, second, (next, arguments, _)) = (step(all.len()), step(all.len()), step(steps));
                count += usize::from(desk.exchange(first, second));
                desk.done(2, next, arguments, Willing::Never);
            }
        }
        assert!(count > 100, "{attributes:?}: {count}");
    }
    let object = Desk::new(&KIND, &[duplex(true)], [1, 1]).object;
    let access = |verb: u8, end: u8| Access { end, ..Access::of(verb) };
    assert!(object.commute(access(SEND_AT, 0), access(SEND_AT, 1)), "two ways");
    assert!(!object.commute(access(SEND_AT, 0), access(SEND_AT, 0)));
    assert!(!object.commute(access(SEND_AT, 0), access(3, 1)), "it may be the last");
}

#[test]
fn every_message_comes_once_and_whoever_waits_is_let_go_by_what_is_named() {
    for seed in 0..40 {
        let two = seed % 2 == 1;
        let attributes = [duplex(two), capacity(if two { 8192 } else { 1 << (seed / 2 % 4) })];
        let mut steps = message_steps(two);
        steps.push(if two { ("close a", vec![]) } else { ("close w", vec![]) });
        let mut desk = Desk::new(&KIND, &attributes, [4, 4]);
        let (mut sent, mut received) = (Vec::new(), Vec::new());
        desk.wander(&steps, seed, |process, step, done| {
            if step.starts_with("send") && done.outcome.is_ok() {
                let value = if done.second == Value::Null { &done.value } else { &done.second };
                sent.push((process, value.clone(), done.ticket));
            } else if step.starts_with("recv") && done.outcome.is_ok() {
                let from = EventId::unpack(done.cause).expect("a cause").process();
                received.push((from, done.value.clone(), done.ticket));
            }
        });
        let mut tickets: Vec<_> = received.iter().map(|(.., ticket)| *ticket).collect();
        tickets.dedup();
        assert_eq!(tickets.len(), received.len());
        // What a process that was killed had sent, or has not yet noticed, is received all the same.
        let unknown = received.iter().filter(|(from, value, _)| {
            let at = sent.iter().position(|(process, sent, _)| process == from && sent == value);
            at.map(|at| sent.remove(at)).is_none()
        });
        assert!(unknown.count() <= 4, "seed {seed}");
        let mut left: Vec<_> = sent.into_iter().map(|(_, value, _)| value).collect();
        let mut there = desk.value().as_list().expect("a list").to_vec();
        left.sort();
        there.sort();
        assert_eq!(there, left, "seed {seed}");
    }
}

#[test]
fn every_byte_comes_once_and_whoever_waits_is_let_go_by_what_is_named() {
    for seed in 0..40 {
        let two = seed % 2 == 1;
        let attributes = [duplex(two), bytes(), capacity(4096 << (seed / 2 % 3))];
        let mut steps = byte_steps(two);
        steps.push(if two { ("close b", vec![]) } else { ("close r", vec![]) });
        let mut desk = Desk::new(&KIND, &attributes, [4, 4]);
        let (mut sent, mut received) = (0, 0);
        let length = |value: &Value| value.message_length();
        desk.wander(&steps, seed, |_, step, done| {
            if step.starts_with("send") && done.value != Value::Null {
                sent += length(if done.second == Value::Null { &done.value } else { &done.second });
            } else if step.starts_with("recv") && done.outcome.is_ok() {
                received += length(&done.value);
            }
        });
        // Who is in the middle of a write has not said yet what went in.
        assert!(received + length(&desk.value()) >= sent, "seed {seed}");
    }
}
