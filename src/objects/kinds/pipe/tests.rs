//! What pipes do, over the kernel.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::event::EventId;
use crate::objects::causality::happens_before::Tie;
use crate::objects::testing::one_object::{Hand, Rig, alone, declaration, event, within};
use crate::os::testing::Child;

const BYTES: (&str, Value) = ("framing", Value::Null);

fn text(text: &str) -> Value {
    Value::from(text)
}

fn bytes_framing() -> (&'static str, Value) {
    (BYTES.0, text("bytes"))
}

/// A value that no other process sends, of that many bytes.
fn large(process: u32, length: usize) -> Value {
    Value::from(vec![process as u8; length])
}

#[test]
fn any_value_comes_as_it_was_sent() {
    let _alone = alone();
    for duplex in [false, true] {
        let rig = Rig::new(&KIND, &[("duplex", Value::Bool(duplex))], [1, 1]);
        let (send, receive) = if duplex { ("send a", "recv b") } else { ("send w", "recv r") };
        let (mut writer, mut reader) = (Hand::new(0), Hand::new(1));
        let values =
            [Value::Null, Value::Int(-5), text(""), vec![text("Dave"), text("123")].into(), large(1, 4080 - 4)];
        for value in values {
            let done = rig.step(&mut writer, send, std::slice::from_ref(&value), Patience::Forever);
            assert_eq!((done.outcome, &done.value), (Outcome::OK, &value));
            assert!(!writer.blocked);
            assert_eq!(rig.now(&mut reader, if duplex { "poll b" } else { "poll r" }, &[]), Outcome::OK);
            let received = rig.step(&mut reader, receive, &[], Patience::Forever);
            assert_eq!((received.outcome, received.value), (Outcome::OK, value));
            assert_eq!(EventId::unpack(received.cause), Some(writer.event()));
            assert_eq!(received.ticket, done.ticket);
            assert!(!reader.blocked);
        }
        assert_eq!(rig.now(&mut reader, receive, &[]), Outcome::WOULD_BLOCK);
        assert_eq!(rig.step(&mut reader, receive, &[], within(2)).outcome, Outcome::TIMEOUT);
        assert!(reader.blocked);
    }
}

#[test]
fn the_count_of_a_send_can_be_taken() {
    let _alone = alone();
    let rig = Rig::new(&KIND, &[], [1, 1]);
    let done = rig.step(&mut Hand::new(0), "send w", &[text("four"), Value::Bool(true)], Patience::Forever);
    assert_eq!((done.value, done.second), (Value::Int(4), text("four")));
}

#[test]
fn both_ways_are_apart() {
    let _alone = alone();
    let rig = Rig::new(&KIND, &[("duplex", Value::Bool(true))], [1, 1]);
    let (mut a, mut b) = (Hand::new(0), Hand::new(1));
    assert_eq!(rig.now(&mut a, "send a", &[text("ask")]), Outcome::OK);
    assert_eq!(rig.now(&mut a, "recv a", &[]), Outcome::WOULD_BLOCK);
    assert_eq!(rig.now(&mut b, "send b", &[text("answer")]), Outcome::OK);
    assert_eq!(rig.step(&mut a, "recv a", &[], Patience::Forever).value, text("answer"));
    assert_eq!(rig.step(&mut b, "recv b", &[], Patience::Forever).value, text("ask"));
}

#[test]
fn the_last_writer_brings_the_end_of_file_and_the_last_reader_breaks_the_pipe() {
    let _alone = alone();
    for duplex in [false, true] {
        for framing in ["message", "bytes"] {
            let attributes = [("duplex", Value::Bool(duplex)), ("framing", text(framing))];
            let (w, r) = if duplex { ("a", "b") } else { ("w", "r") };
            let mut hand = Hand::new(0);
            let rig = Rig::new(&KIND, &attributes, [1, 1]);
            assert_eq!(rig.now(&mut hand, &format!("send {w}"), &[text("last")]), Outcome::OK);
            assert_eq!(rig.now(&mut hand, &format!("close {w}"), &[]), Outcome::OK);
            assert_eq!(rig.now(&mut hand, &format!("close {w}"), &[]), Outcome::INVALID);
            assert_eq!(rig.now(&mut hand, &format!("send {w}"), &[text("x")]), Outcome::INVALID);
            assert_eq!(rig.step(&mut hand, &format!("recv {r}"), &[], Patience::Forever).outcome, Outcome::OK);
            assert_eq!(rig.now(&mut hand, &format!("poll {r}"), &[]), Outcome::OK);
            for patience in [Patience::Forever, Patience::Never, within(1000)] {
                assert_eq!(rig.step(&mut hand, &format!("recv {r}"), &[], patience).outcome, Outcome::CLOSED);
            }
            let rig = Rig::new(&KIND, &attributes, [1, 1]);
            rig.live.part(&if duplex { [true, false] } else { [false, true] });
            for patience in [Patience::Forever, Patience::Never, within(1000)] {
                let done = rig.step(&mut hand, &format!("send {w}"), &[text("x")], patience);
                assert_eq!(done.outcome, Outcome::BROKEN, "{attributes:?}");
            }
        }
    }
}

#[test]
fn what_was_left_unread_is_no_error_of_the_other_side() {
    let _alone = alone();
    let rig = Rig::new(&KIND, &[("duplex", Value::Bool(true))], [1, 1]);
    let mut hand = Hand::new(0);
    assert_eq!(rig.now(&mut hand, "send a", &[text("never read")]), Outcome::OK);
    assert_eq!(rig.now(&mut hand, "send b", &[text("read")]), Outcome::OK);
    assert_eq!(rig.now(&mut hand, "close b", &[]), Outcome::OK);
    assert_eq!(rig.step(&mut hand, "recv a", &[], Patience::Forever).value, text("read"));
    assert_eq!(rig.step(&mut hand, "recv a", &[], Patience::Forever).outcome, Outcome::CLOSED);
}

#[test]
fn an_end_that_does_not_do_it_is_foreseen_and_said() {
    let _alone = alone();
    let rig = Rig::new(&KIND, &[], [1, 1]);
    let mut hand = Hand::new(0);
    for (step, end) in [("send r", "r"), ("recv w", "w"), ("poll w", "w")] {
        assert_eq!(rig.now(&mut hand, step, &[Value::Int(1)]), Outcome::WRONG_END);
        let (_, verb) = KIND.verb(&step[..4]).expect("a verb");
        assert_eq!(rig.object.foresee(verb, Some(end), &[]).map(|(outcome, _)| outcome), Some(Outcome::WRONG_END));
    }
    let (_, send) = KIND.verb("send").expect("a verb");
    assert_eq!(rig.object.foresee(send, Some("w"), &[Some(Value::Int(1)), None]), None);
    let stream = Rig::new(&KIND, &[bytes_framing()], [1, 1]);
    let foreseen = stream.object.foresee(send, Some("w"), &[Some(Value::Int(1)), None]);
    assert_eq!(foreseen.map(|(outcome, _)| outcome), Some(Outcome::INVALID));
    assert_eq!(stream.now(&mut hand, "send w", &[Value::Int(1)]), Outcome::INVALID);
}

#[test]
fn as_many_messages_fit_as_the_capacity_says() {
    let _alone = alone();
    for capacity in [1, 4] {
        let rig = Rig::new(&KIND, &[("capacity", Value::Int(capacity))], [1, 1]);
        let (mut writer, mut reader) = (Hand::new(0), Hand::new(1));
        for round in 0..3 {
            for n in 0..capacity {
                assert_eq!(rig.now(&mut writer, "send w", &[Value::Int(n)]), Outcome::OK, "round {round}");
            }
            assert_eq!(rig.now(&mut writer, "send w", &[Value::Int(9)]), Outcome::WOULD_BLOCK);
            assert_eq!(rig.step(&mut writer, "send w", &[Value::Int(9)], within(1)).outcome, Outcome::TIMEOUT);
            assert!(writer.blocked);
            for n in 0..capacity {
                assert_eq!(rig.step(&mut reader, "recv r", &[], Patience::Forever).value, Value::Int(n));
            }
        }
    }
}

#[test]
fn a_capacity_that_the_kernel_cannot_have_is_refused() {
    let problems = |attributes: &[(&'static str, Value)]| (KIND.declare)(&declaration(attributes)).err();
    let message = problems(&[("capacity", Value::Int(5))]).expect("a problem");
    assert_eq!(message[0].attribute, Some("capacity"));
    assert!(message[0].help.as_ref().is_some_and(|help| help.contains("4 or 8")));
    assert!(problems(&[("capacity", Value::Int(0))]).is_some());
    assert!(problems(&[("capacity", Value::Int(i64::MAX))]).is_some());
    assert!(problems(&[("capacity", Value::Int(5000)), bytes_framing()]).is_none());
    let over = [("capacity", Value::Int(1 << 29)), ("duplex", Value::Bool(true))];
    if let Err(error) = Rig::make(&KIND, &over, [1, 1]) {
        assert!(error.help.expect("help").contains("net.core.wmem_max"));
    }
}

#[test]
fn a_large_message_comes_whole_while_it_is_sent() {
    let _alone = alone();
    for duplex in [false, true] {
        let rig = Rig::new(&KIND, &[("duplex", Value::Bool(duplex))], [1, 1]);
        let (send, receive) = if duplex { ("send a", "recv b") } else { ("send w", "recv r") };
        let value = large(7, 3_000_000);
        assert_ne!(rig.now(&mut Hand::new(0), send, std::slice::from_ref(&value)), Outcome::OK);
        let child = Child::run(|| {
            let done = rig.step(&mut Hand::new(0), send, std::slice::from_ref(&value), Patience::Forever);
            i32::from(!done.outcome.is_ok())
        });
        let received = rig.step(&mut Hand::new(1), receive, &[], within(20_000));
        assert_eq!((received.outcome, received.value == value), (Outcome::OK, true));
        assert_eq!(child.join(), Some(0));
    }
}

#[test]
fn a_message_too_large_for_the_room_is_not_begun_where_it_may_not_wait() {
    let _alone = alone();
    let rig = Rig::new(&KIND, &[("capacity", Value::Int(4))], [1, 1]);
    let mut hand = Hand::new(0);
    assert_eq!(rig.now(&mut hand, "send w", &[large(1, 20_000)]), Outcome::WOULD_BLOCK);
    assert_eq!(rig.now(&mut hand, "recv r", &[]), Outcome::WOULD_BLOCK);
    assert_eq!(rig.now(&mut hand, "send w", &[large(1, 15_000)]), Outcome::OK);
    assert_eq!(rig.step(&mut hand, "recv r", &[], Patience::Never).value, large(1, 15_000));
}

#[test]
fn what_was_given_up_in_the_middle_is_dropped() {
    let _alone = alone();
    let rig = Rig::new(&KIND, &[("capacity", Value::Int(4))], [1, 1]);
    let mut hand = Hand::new(0);
    assert_eq!(rig.step(&mut hand, "send w", &[large(1, 20_000)], within(2)).outcome, Outcome::TIMEOUT);
    assert_eq!(rig.step(&mut hand, "recv r", &[], within(2)).outcome, Outcome::TIMEOUT);
    assert_eq!(rig.now(&mut hand, "send w", &[text("next")]), Outcome::OK);
    assert_eq!(rig.step(&mut hand, "recv r", &[], Patience::Never).value, text("next"));
}

#[test]
fn messages_of_several_writers_and_readers_stay_whole() {
    const ROUNDS: u64 = 60;
    let _alone = alone();
    for duplex in [false, true] {
        let rig = Rig::new(&KIND, &[("duplex", Value::Bool(duplex))], [3, 3]);
        let (send, receive) = if duplex { ("send a", "recv b") } else { ("send w", "recv r") };
        let taken = rig.arena.slice::<AtomicU64>(2).expect("shared memory");
        let values: Vec<Value> = (0..2).map(|writer| large(writer + 1, 60_000)).collect();
        let writers: Vec<_> = (0..2u32)
            .map(|writer| {
                let (rig, value) = (&rig, &values[writer as usize]);
                Child::run(move || {
                    let mut hand = Hand::new(writer);
                    (0..ROUNDS).any(|round| {
                        let patience = if round % 2 == 0 { Patience::Forever } else { within(60_000) };
                        !rig.step(&mut hand, send, std::slice::from_ref(value), patience).outcome.is_ok()
                    }) as i32
                })
            })
            .collect();
        let readers: Vec<_> = (2..4u32)
            .map(|reader| {
                let (rig, taken, values) = (&rig, &taken, &values);
                Child::run(move || {
                    let mut hand = Hand::new(reader);
                    for _ in 0..ROUNDS {
                        let received = rig.step(&mut hand, receive, &[], Patience::Forever);
                        match values.iter().position(|value| *value == received.value) {
                            Some(writer) => taken[writer].fetch_add(1, Ordering::Relaxed),
                            None => return 1,
                        };
                    }
                    0
                })
            })
            .collect();
        for child in writers.into_iter().chain(readers) {
            assert_eq!(child.join(), Some(0));
        }
        assert_eq!([0, 1].map(|writer: usize| taken[writer].load(Ordering::Relaxed)), [ROUNDS, ROUNDS]);
    }
}

#[test]
fn a_writer_killed_in_the_middle_of_a_message_does_no_harm() {
    let _alone = alone();
    for duplex in [false, true] {
        let rig = Rig::new(&KIND, &[("duplex", Value::Bool(duplex))], [3, 3]);
        let (send, receive) = if duplex { ("send a", "recv b") } else { ("send w", "recv r") };
        let value = large(1, 2_000_000);
        let writer = Child::fork(|| {
            rig.step(&mut Hand::new(0), send, std::slice::from_ref(&value), Patience::Forever);
        });
        let mut reader = Hand::new(1);
        assert_eq!(
            rig.step(&mut reader, if duplex { "poll b" } else { "poll r" }, &[], within(20_000)).outcome,
            Outcome::OK
        );
        // The pipe is full of the beginning, and the writer waits with the turn in its hands.
        let mut second = Hand::new(2);
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert_eq!(rig.now(&mut second, send, &[text("no turn")]), Outcome::WOULD_BLOCK);
        let other = Child::run(|| {
            let mut hand = Hand::new(2);
            let done = rig.step(&mut hand, send, &[text("next")], Patience::Forever);
            i32::from(!done.outcome.is_ok())
        });
        writer.kill();
        rig.live.reclaim(0);
        assert_eq!(rig.step(&mut reader, receive, &[], within(20_000)).value, text("next"));
        assert_eq!(other.join(), Some(0));
    }
}

#[test]
fn a_reader_killed_in_the_middle_of_a_message_does_no_harm() {
    let _alone = alone();
    let rig = Rig::new(&KIND, &[("capacity", Value::Int(4))], [3, 3]);
    let begun = rig.arena.alloc::<AtomicU64>().expect("shared memory");
    let value = large(1, 20_000_000);
    let writer = Child::run(|| {
        let mut hand = Hand::new(0);
        begun.fetch_add(1, Ordering::Release);
        let first = rig.step(&mut hand, "send w", std::slice::from_ref(&value), Patience::Forever);
        let second = rig.step(&mut hand, "send w", &[text("next")], Patience::Forever);
        i32::from(!(first.outcome.is_ok() && second.outcome.is_ok()))
    });
    let reader = Child::fork(|| {
        begun.fetch_add(1, Ordering::Release);
        rig.step(&mut Hand::new(1), "recv r", &[], Patience::Forever);
    });
    while begun.load(Ordering::Acquire) < 2 {
        std::thread::yield_now();
    }
    std::thread::sleep(std::time::Duration::from_millis(5));
    reader.kill();
    rig.live.reclaim(1);
    let mut second = Hand::new(2);
    let mut received = rig.step(&mut second, "recv r", &[], within(50_000));
    // On a busy machine the reader may have been killed before it took anything.
    if received.value == value {
        received = rig.step(&mut second, "recv r", &[], within(50_000));
    }
    assert!(received.value == text("next"));
    assert_eq!(writer.join(), Some(0));
}

#[test]
fn bytes_have_no_borders() {
    let _alone = alone();
    for duplex in [false, true] {
        let rig = Rig::new(&KIND, &[bytes_framing(), ("duplex", Value::Bool(duplex))], [1, 1]);
        let (send, receive) = if duplex { ("send a", "recv b") } else { ("send w", "recv r") };
        let mut hand = Hand::new(0);
        assert_eq!(rig.now(&mut hand, send, &[text("hello ")]), Outcome::OK);
        let done = rig.step(&mut hand, send, &[text("world"), Value::Bool(true)], Patience::Forever);
        assert_eq!(done.value, Value::Int(5));
        let taken = rig.step(&mut hand, receive, &[Value::Null, Value::Int(8)], Patience::Forever);
        assert_eq!(taken.value, b"hello wo".to_vec().into());
        assert_eq!(rig.step(&mut hand, receive, &[], Patience::Forever).value, b"rld".to_vec().into());
        assert_eq!(rig.now(&mut hand, receive, &[]), Outcome::WOULD_BLOCK);
    }
}

#[test]
fn a_write_of_bytes_can_be_a_part() {
    let _alone = alone();
    let rig = Rig::new(&KIND, &[bytes_framing(), ("capacity", Value::Int(4096))], [1, 1]);
    let mut hand = Hand::new(0);
    let done = rig.step(&mut hand, "send w", &[large(1, 10_000), Value::Bool(true)], Patience::Never);
    assert_eq!((done.outcome, done.value), (Outcome::OK, Value::Int(4096)));
    let done = rig.step(&mut hand, "send w", &[large(2, 10_000)], within(2));
    assert_eq!((done.outcome, done.value), (Outcome::TIMEOUT, large(2, 0)));
    assert_eq!(rig.step(&mut hand, "recv r", &[], Patience::Never).value, large(1, 4096));
    let done = rig.step(&mut hand, "send w", &[large(3, 10_000)], within(2));
    assert_eq!((done.outcome, done.value), (Outcome::TIMEOUT, large(3, 4096)));
}

fn edges(rig: &Rig, events: &[Event]) -> Vec<(usize, usize, Tie)> {
    let mut relation = Relation::default();
    rig.object.relate(&events.iter().collect::<Vec<_>>(), &mut relation);
    relation.edges.into_iter().map(|edge| (edge.from as usize, edge.to() as usize, edge.tie())).collect()
}

#[test]
fn a_send_is_the_cause_of_its_receive_and_room_is_left_by_an_earlier_one() {
    let rig = Rig::new(&KIND, &[("capacity", Value::Int(1))], [1, 1]);
    let mut events = vec![
        event((0, 0), SEND, 0, 10, Value::Int(1)),
        event((0, 1), SEND, 10, 30, Value::Int(2)),
        event((1, 0), RECEIVE, 5, 25, Value::Int(1)),
    ];
    (events[0].ticket, events[1].ticket, events[2].ticket) = (1, 2, 1);
    events[2].cause = Some(events[0].id);
    let edges = edges(&rig, &events);
    assert!(edges.contains(&(0, 1, Tie::Order)));
    assert!(edges.contains(&(0, 2, Tie::Sync)));
    assert!(edges.contains(&(2, 1, Tie::Sync)));
    let mut state = rig.object.state();
    for at in [0, 2, 1] {
        state.apply(&events[at]);
    }
    assert_eq!((state.value(&[]), state.size()), (vec![Value::Int(2)].into(), Some(1)));
}

#[test]
fn a_write_is_the_cause_of_the_reads_that_took_its_bytes() {
    let rig = Rig::new(&KIND, &[bytes_framing()], [1, 1]);
    let mut events = vec![
        event((0, 0), SEND, 0, 10, text("abcd")),
        event((0, 1), SEND, 10, 30, text("ef")),
        event((1, 0), RECEIVE, 5, 25, b"abc".to_vec().into()),
        event((1, 1), RECEIVE, 25, 35, b"de".to_vec().into()),
    ];
    for (at, ticket) in [4, 6, 3, 5].into_iter().enumerate() {
        events[at].ticket = ticket;
    }
    let causes: Vec<_> = edges(&rig, &events).into_iter().filter(|(.., tie)| *tie == Tie::Sync).collect();
    assert_eq!(causes, [(0, 2, Tie::Sync), (0, 3, Tie::Sync), (1, 3, Tie::Sync)]);
    let mut state = rig.object.state();
    for event in &events {
        state.apply(event);
    }
    assert_eq!(state.value(&[]), b"f".to_vec().into());
}

/// Waits until that process waits in `open`.
fn await_opener(rig: &Rig, process: u32) {
    let channel = rig.live.as_any().downcast_ref::<Channel>().expect("a channel");
    let opening = channel.opening.as_ref().expect("a fifo");
    while !opening.waits(process) {
        std::thread::yield_now();
    }
}

#[test]
fn no_process_holds_an_end_of_a_fifo_before_it_opens_it() {
    let _alone = alone();
    let rig = Rig::new(&FIFO, &[], [1, 1]);
    let mut hand = Hand::new(0);
    for step in ["send w", "recv r", "poll r", "close r", "size w"] {
        assert_eq!(rig.now(&mut hand, step, &[]), Outcome::INVALID, "{step}");
    }
    assert_eq!(rig.now(&mut hand, "open w", &[]), Outcome::from_errno(libc::ENXIO));
    assert_eq!(rig.now(&mut hand, "open r", &[]), Outcome::OK);
    assert_eq!(rig.now(&mut hand, "open r", &[]), Outcome::IN_USE);
    assert_eq!(rig.now(&mut hand, "recv r", &[]), Outcome::CLOSED);
    assert_eq!(rig.now(&mut hand, "poll r", &[]), Outcome::WOULD_BLOCK);
    assert_eq!(rig.step(&mut hand, "open w", &[], Patience::Forever).outcome, Outcome::OK);
    assert!(!hand.blocked);
    assert_eq!(rig.now(&mut hand, "recv r", &[]), Outcome::WOULD_BLOCK);
    assert_eq!(rig.now(&mut hand, "send w", &[text("one")]), Outcome::OK);
    assert_eq!(rig.now(&mut hand, "close r", &[]), Outcome::OK);
    assert_eq!(rig.now(&mut hand, "send w", &[text("two")]), Outcome::BROKEN);
    assert_eq!(rig.now(&mut hand, "open r", &[]), Outcome::OK);
    assert_eq!(rig.step(&mut hand, "recv r", &[], Patience::Forever).value, text("one"));
    assert_eq!(rig.now(&mut hand, "close w", &[]), Outcome::OK);
    assert_eq!(rig.now(&mut hand, "poll r", &[]), Outcome::OK);
}

#[test]
fn what_is_in_a_fifo_and_its_room_go_with_its_last_end() {
    let _alone = alone();
    for framing in ["message", "bytes"] {
        let capacity = if framing == "bytes" { 2 * PACKET as i64 } else { 2 };
        let rig = Rig::new(&FIFO, &[("framing", text(framing)), ("capacity", Value::Int(capacity))], [1, 1]);
        let mut hand = Hand::new(0);
        let mut number = 0;
        for _ in 0..3 {
            assert_eq!(rig.now(&mut hand, "open r", &[]), Outcome::OK);
            let open = rig.step(&mut hand, "open w", &[], Patience::Never);
            assert!(opening::number(open.ticket) > number);
            number = opening::number(open.ticket);
            assert_eq!(rig.step(&mut hand, "size w", &[], Patience::Never).value, Value::Int(2 * PACKET as i64));
            assert_eq!(rig.now(&mut hand, "recv r", &[]), Outcome::WOULD_BLOCK, "nothing is left of the one before");
            let sent = rig.step(&mut hand, "send w", &[text("lost")], Patience::Never);
            assert_eq!((sent.outcome, sent.ticket), (Outcome::OK, if framing == "bytes" { 4 } else { 1 }));
            assert_eq!(rig.now(&mut hand, "resize w", &[Value::Int(4 * PACKET as i64)]), Outcome::OK);
            assert_eq!(rig.now(&mut hand, "close w", &[]), Outcome::OK);
            assert_eq!(rig.now(&mut hand, "close r", &[]), Outcome::OK);
        }
    }
}

#[test]
fn an_open_waits_for_the_other_side_and_continues_though_that_is_closed_again() {
    let _alone = alone();
    for (waits, comes) in [("r", "w"), ("w", "r")] {
        let rig = Rig::new(&FIFO, &[], [2, 2]);
        let child = Child::run(|| {
            let mut hand = Hand::new(1);
            let done = rig.step(&mut hand, &format!("open {waits}"), &[], Patience::Forever);
            let blocked = hand.blocked;
            // What sends once can come before the other side has been closed.
            let after = loop {
                let step = if waits == "r" { "recv r" } else { "send w" };
                match rig.step(&mut hand, step, &[], Patience::Forever).outcome {
                    Outcome::OK => {}
                    outcome => break outcome,
                }
            };
            let expected = if waits == "r" { Outcome::CLOSED } else { Outcome::BROKEN };
            let cause = EventId::unpack(done.cause) == Some(EventId::new(0, 1));
            i32::from(done.outcome != Outcome::OK || after != expected || !blocked || !cause)
        });
        await_opener(&rig, 1);
        let mut hand = Hand::new(0);
        assert_eq!(rig.step(&mut hand, &format!("open {comes}"), &[], Patience::Forever).outcome, Outcome::OK);
        assert!(!hand.blocked, "what waits is held already");
        assert_eq!(rig.now(&mut hand, &format!("close {comes}"), &[]), Outcome::OK);
        assert_eq!(child.join(), Some(0), "{waits}");
    }
}

#[test]
fn an_end_that_waits_is_held_by_its_process_until_it_gives_up_or_dies() {
    let _alone = alone();
    let rig = Rig::new(&FIFO, &[], [2, 2]);
    let mut hand = Hand::new(0);
    for (end, other) in [("r", "w"), ("w", "r")] {
        assert_eq!(rig.step(&mut hand, &format!("open {end}"), &[], within(2)).outcome, Outcome::TIMEOUT);
        assert!(hand.blocked);
        assert_eq!(rig.now(&mut hand, &format!("close {end}"), &[]), Outcome::INVALID);
        let child = Child::fork(|| drop(rig.step(&mut Hand::new(1), &format!("open {end}"), &[], Patience::Forever)));
        await_opener(&rig, 1);
        assert_eq!(child.kill(), Some(-libc::SIGKILL));
        rig.live.reclaim(1);
        assert_eq!(rig.step(&mut hand, &format!("open {other}"), &[], within(2)).outcome, Outcome::TIMEOUT);
    }
}

#[test]
fn a_writer_that_waits_to_open_lets_no_other_write_what_nothing_reads() {
    let _alone = alone();
    for _ in 0..200 {
        let rig = Rig::new(&FIFO, &[], [1, 3]);
        let (mut writer, mut reader) = (Hand::new(0), Hand::new(2));
        assert_eq!(rig.now(&mut reader, "open r", &[]), Outcome::OK);
        assert_eq!(rig.now(&mut writer, "open w", &[]), Outcome::OK);
        assert_eq!(rig.now(&mut reader, "close r", &[]), Outcome::OK);
        let child = Child::fork(|| drop(rig.step(&mut Hand::new(1), "open w", &[], within(1))));
        for _ in 0..20 {
            assert_eq!(rig.now(&mut writer, "send w", &[Value::Int(1)]), Outcome::BROKEN);
        }
        child.kill();
    }
}

#[test]
fn what_an_open_waited_for_comes_before_it_and_a_new_fifo_knows_nothing_of_the_one_before() {
    let object = (FIFO.declare)(&declaration(&[])).expect("a declaration");
    let step = |id: (u32, u64), verb: &'static str, ticket: u64, time: u64| Event {
        ticket,
        ..event(id, verb, time, time + 1, Value::Null)
    };
    let arrival =
        Event { implicit: true, outcome: Outcome::WOULD_BLOCK, ..step((0, 1), OPEN, opening::ticket(1, 1), 1) };
    let events = [
        arrival,
        Event { cause: Some(EventId::new(1, 1)), ..step((0, 2), OPEN, opening::ticket(1, 3), 4) },
        step((0, 3), RECEIVE, 1, 8),
        step((0, 4), CLOSE, opening::ticket(1, 4), 10),
        step((1, 1), OPEN, opening::ticket(1, 2), 2),
        step((1, 2), SEND, 1, 6),
        step((1, 3), CLOSE, opening::ticket(1, 5), 12),
        step((2, 1), OPEN, opening::ticket(2, 6), 14),
        Event { outcome: Outcome::CLOSED, ..step((2, 2), RECEIVE, 0, 16) },
    ];
    let all: Vec<&Event> = events.iter().collect();
    let mut relation = Relation { settled: true, ends: vec![0, 0, 0, 0, 1, 1, 1, 0, 0], ..Relation::default() };
    object.relate(&all, &mut relation);
    let mut told: Vec<_> =
        relation.edges.iter().filter(|edge| edge.tie() == Tie::Sync).map(|edge| (edge.from, edge.to())).collect();
    told.sort_unstable();
    // That the wait ended for the other open stands in its event.
    assert_eq!(told, [(0, 4)]);
}
