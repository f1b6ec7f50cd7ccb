//! What a queue's model does: what the kernel's side does.

use super::*;
use crate::event::EventId;
use crate::objects::contract::operation::Given;
use crate::objects::kinds::queue::KIND;
use crate::objects::testing::one_model::{Desk, Random, Step, as_the_kernel};

const ALL: [&str; 3] = ["posix", "sysv", "memory"];

fn int(n: i64) -> Value {
    Value::Int(n)
}

fn attributes(via: &'static str, capacity: i64) -> Vec<(&'static str, Value)> {
    vec![("capacity", int(capacity)), ("via", Value::from(via)), ("message_size", int(100))]
}

fn desk(via: &'static str, capacity: i64) -> Desk {
    Desk::new(&KIND, &attributes(via, capacity), [0, 0])
}

/// Steps of every kind, some of which fail.
fn steps(priorities: bool) -> Vec<(&'static str, Vec<Value>)> {
    let get = |max: Value| ("get", vec![Value::Null, Value::Null, max]);
    let mut steps = vec![
        ("put", vec![int(1)]),
        ("put", vec![int(2)]),
        ("put", vec![Value::from("x".repeat(60))]),
        ("put", vec![Value::from("x".repeat(101))]),
        get(Value::Null),
        get(Value::Null),
        get(int(50)),
        get(int(-1)),
        ("put", vec![int(3), int(5)]),
        ("size", vec![]),
        ("done", vec![]),
        ("wait", vec![]),
    ];
    if priorities {
        steps.push(("put", vec![int(4), int(32_767)]));
        steps.push(("put", vec![int(5), int(32_768)]));
    }
    steps
}

#[test]
fn it_does_what_the_kernel_does() {
    for via in ALL {
        for capacity in [1, 3] {
            for seed in 0..4 {
                as_the_kernel(&KIND, &attributes(via, capacity), [0, 0], &steps(via != "memory"), seed);
            }
        }
    }
    as_the_kernel(&KIND, &[], [0, 0], &steps(false), 9);
}

#[test]
fn who_waits_goes_on_in_any_order() {
    for via in ALL {
        let mut desk = desk(via, 1);
        assert!(desk.waits(2, "get", &[]) && desk.waits(3, "get", &[]), "{via}");
        assert_eq!(desk.now(0, "put", &[int(1)]), Outcome::OK);
        assert!(desk.waits(0, "put", &[int(2)]) && desk.waits(1, "put", &[int(3)]));
        let got = desk.done(3, "get", &[], Willing::Forever);
        assert_eq!((got.value, EventId::unpack(got.cause)), (int(1), Some(EventId::new(0, 1))));
        assert_eq!(desk.done(1, "put", &[int(3)], Willing::Forever).outcome, Outcome::OK);
        assert_eq!(desk.done(2, "get", &[], Willing::Forever).value, int(3));
        desk.agree();
    }
}

#[test]
fn a_put_that_gives_up_says_what_it_had() {
    for (via, second, ticket) in [("posix", int(0), 0), ("sysv", int(0), 0), ("memory", Value::Null, 2)] {
        let mut desk = desk(via, 1);
        assert_eq!(desk.now(0, "put", &[int(1)]), Outcome::OK);
        assert!(desk.waits(1, "put", &[int(2)]));
        let over = desk.give_up(1, "put", &[int(2)]);
        assert_eq!(
            (over.outcome, over.value, over.second, over.ticket),
            (Outcome::TIMEOUT, int(2), second, ticket),
            "{via}"
        );
        assert_eq!(desk.done(1, "get", &[], Willing::Forever).value, int(1));
        assert_eq!(desk.give_up(1, "get", &[]).ticket, if ticket == 0 { 0 } else { 4 });
        desk.agree();
    }
}

#[test]
fn only_posix_looks_at_the_buffer_before_there_is_a_message() {
    let small = [Value::Null, Value::Null, int(10)];
    for via in ALL {
        let mut desk = desk(via, 1);
        if via == "posix" {
            assert_eq!(desk.now(0, "get", &small), Outcome::TOO_BIG);
        } else {
            assert!(desk.waits(0, "get", &small), "{via}");
        }
        assert_eq!(desk.now(1, "put", &[int(1)]), Outcome::OK);
        assert_eq!(desk.now(0, "get", &small), if via == "memory" { Outcome::OK } else { Outcome::TOO_BIG });
    }
}

#[test]
fn all_is_done_when_it_was_said_of_each() {
    let mut desk = desk("posix", 3);
    for n in 0..2 {
        assert_eq!(desk.now(0, "put", &[int(n)]), Outcome::OK);
    }
    assert!(desk.waits(0, "wait", &[]));
    assert_eq!(desk.give_up(0, "wait", &[]).outcome, Outcome::TIMEOUT);
    assert_eq!(desk.done(1, "done", &[], Willing::Forever).ticket, 1);
    assert!(desk.waits(0, "wait", &[]));
    assert_eq!(desk.done(1, "done", &[], Willing::Forever).ticket, 2);
    assert_eq!(desk.now(1, "done", &[]), Outcome::INVALID);
    assert_eq!(desk.done(0, "wait", &[], Willing::Forever).ticket, 2);
}

#[test]
fn a_closed_queue_is_closed_for_this_process_alone() {
    let mut desk = desk("memory", 2);
    assert_eq!(desk.now(1, "close", &[]), Outcome::OK);
    for step in ["close", "put", "get", "size", "done", "wait"] {
        assert_eq!(desk.now(1, step, &[int(1)]), Outcome::INVALID);
    }
    assert_eq!(desk.done(0, "put", &[int(1)], Willing::Forever).ticket, 1);
}

#[test]
fn a_ring_has_an_end() {
    let mut desk = Desk::new(&KIND, &[], [0, 0]);
    let whole = Value::from(vec![5u8; 257 << 20]);
    assert_eq!(desk.done(0, "put", &[whole], Willing::Forever).outcome, Outcome::TOO_BIG);
    let half = Value::from(vec![5u8; 130 << 20]);
    assert_eq!(desk.done(0, "put", std::slice::from_ref(&half), Willing::Forever).outcome, Outcome::OK);
    assert_eq!(desk.done(0, "put", &[half], Willing::Forever).outcome.name(), "ENOSPC");
}

#[test]
fn states_are_the_same_where_the_future_is() {
    let turn = |desk: &mut Desk| {
        assert_eq!(desk.now(0, "put", &[int(1)]), Outcome::OK);
        assert_eq!(desk.now(1, "get", &[]), Outcome::OK);
    };
    let mut told = desk("memory", 2);
    let first = told.key();
    turn(&mut told);
    assert_ne!(told.key(), first, "somebody may still say that it is done");
    assert_eq!(told.now(1, "done", &[]), Outcome::OK);
    assert_eq!(told.key(), first);
    let mut untold = desk("memory", 2);
    untold.model.narrow(1 << PUT_AT | 1 << GET_AT);
    let first = untold.key();
    turn(&mut untold);
    assert_eq!(untold.key(), first);
}

#[test]
fn what_is_said_to_commute_does() {
    for via in ALL {
        let mut count = 0;
        for seed in 0..20 {
            let (mut desk, mut random, all) = (desk(via, 3), Random(seed), steps(via != "memory"));
            for _ in 0..40 {
                let mut step = || -> Step<'_> {
                    let (step, arguments) = &all[random.below(all.len())];
                    (step, arguments, Willing::Forever)
                };
                let (first, second, (next, arguments, _)) = (step(), step(), step());
                count += usize::from(desk.exchange(first, second));
                desk.done(2, next, arguments, Willing::Never);
            }
        }
        assert!(count > 100, "{via}: {count}");
    }
    let access = |verb: u8, given: Given| Access { given, ..Access::of(verb) };
    let posix = desk("posix", 3).object;
    assert!(posix.commute(access(PUT_AT, Given::NONE.with(0)), access(GET_AT, Given::NONE)));
    assert!(!posix.commute(access(PUT_AT, Given::NONE.with(0).with(1)), access(GET_AT, Given::NONE)));
    assert!(desk("memory", 3).object.commute(access(PUT_AT, Given::UNKNOWN), access(GET_AT, Given::NONE)));
}

#[test]
fn whoever_waits_is_let_go_by_what_is_named() {
    for via in ALL {
        for seed in 0..10 {
            let mut desk = desk(via, 1 + seed as i64 % 2);
            desk.wander(&steps(via != "memory"), seed, |_, _, _| {});
            desk.agree();
        }
    }
}
