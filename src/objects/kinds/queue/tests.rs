//! What queues do, over the kernel and over shared memory.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::event::{EventId, look};
use crate::objects::causality::happens_before::Tie;
use crate::objects::testing::one_object::{Hand, Rig, declaration, event, within};
use crate::os::limits::Limit;
use crate::os::testing::Child;

const ALL: [&str; 3] = ["posix", "sysv", "memory"];

fn rig(via: &str, capacity: i64) -> Rig {
    Rig::new(&KIND, &[("capacity", Value::Int(capacity)), ("via", Value::from(via))], [0, 0])
}

fn int(n: i64) -> Value {
    Value::Int(n)
}

/// `get` with these `max`.
fn get(rig: &Rig, hand: &mut Hand, max: Option<i64>, patience: Patience) -> Completion {
    rig.step(hand, "get", &[Value::Null, Value::Null, max.map_or(Value::Null, int)], patience)
}

#[test]
fn what_is_put_first_comes_first_and_as_it_was() {
    for via in ALL {
        let rig = rig(via, 5);
        let (mut putter, mut getter) = (Hand::new(0), Hand::new(1));
        let values =
            [Value::Null, int(-3), Value::from("长"), vec![int(1), Value::Bool(true)].into(), vec![7u8; 1024].into()];
        for value in &values {
            assert_eq!(rig.now(&mut putter, "put", std::slice::from_ref(value)), Outcome::OK, "{via}");
        }
        for (number, value) in values.iter().enumerate() {
            let size = rig.step(&mut getter, "size", &[], Patience::Forever).value;
            assert_eq!(size, int((values.len() - number) as i64));
            let got = get(&rig, &mut getter, None, Patience::Forever);
            assert_eq!((got.outcome, &got.value), (Outcome::OK, value), "{via}");
            assert_eq!(EventId::unpack(got.cause), Some(EventId::new(0, number as u64 + 1)));
            assert!(!getter.blocked);
        }
    }
}

#[test]
fn the_capacity_is_exact() {
    for via in ALL {
        for capacity in [1, 3, 10] {
            let rig = rig(via, capacity);
            let mut hand = Hand::new(0);
            for _ in 0..3 {
                for n in 0..capacity {
                    assert_eq!(rig.now(&mut hand, "put", &[int(n)]), Outcome::OK, "{via} {capacity}");
                }
                assert_eq!(rig.now(&mut hand, "put", &[int(99)]), Outcome::WOULD_BLOCK, "{via} {capacity}");
                assert_eq!(rig.step(&mut hand, "put", &[int(99)], within(2)).outcome, Outcome::TIMEOUT);
                assert!(hand.blocked);
                for n in 0..capacity {
                    assert_eq!(get(&rig, &mut hand, None, Patience::Never).value, int(n));
                }
                assert_eq!(get(&rig, &mut hand, None, Patience::Never).outcome, Outcome::WOULD_BLOCK);
                assert_eq!(get(&rig, &mut hand, None, within(2)).outcome, Outcome::TIMEOUT);
                assert!(hand.blocked);
            }
        }
    }
}

#[test]
fn the_highest_priority_comes_first_where_there_are_priorities() {
    for via in ["posix", "sysv"] {
        let rig = rig(via, 4);
        let mut hand = Hand::new(0);
        for (value, priority) in [("low", 0), ("first", 9), ("top", 32_767), ("second", 9)] {
            assert_eq!(rig.now(&mut hand, "put", &[Value::from(value), int(priority)]), Outcome::OK, "{via}");
        }
        assert_eq!(rig.now(&mut hand, "put", &[int(1), int(32_768)]), Outcome::INVALID);
        for (value, priority) in [("top", 32_767), ("first", 9), ("second", 9), ("low", 0)] {
            let got = get(&rig, &mut hand, None, Patience::Forever);
            assert_eq!((got.value, got.second), (Value::from(value), int(priority)), "{via}");
        }
    }
    let rig = rig("memory", 4);
    assert_eq!(rig.now(&mut Hand::new(0), "put", &[int(1), int(1)]), Outcome::INVALID);
    let (_, put) = KIND.verb(PUT).expect("a verb");
    let foreseen = rig.object.foresee(put, None, &[None, Some(int(1))]);
    assert_eq!(foreseen.map(|(outcome, _)| outcome), Some(Outcome::INVALID));
}

#[test]
fn a_message_or_a_buffer_of_the_wrong_size_is_too_big() {
    for via in ALL {
        let attributes = [("capacity", int(2)), ("via", Value::from(via)), ("message_size", int(100))];
        let rig = Rig::new(&KIND, &attributes, [0, 0]);
        let mut hand = Hand::new(0);
        let (fits, over) = (Value::from("x".repeat(100)), Value::from("x".repeat(101)));
        assert_eq!(rig.now(&mut hand, "put", std::slice::from_ref(&over)), Outcome::TOO_BIG, "{via}");
        assert_eq!(rig.now(&mut hand, "put", std::slice::from_ref(&fits)), Outcome::OK, "{via}");
        assert_eq!(get(&rig, &mut hand, Some(99), Patience::Forever).outcome, Outcome::TOO_BIG, "{via}");
        assert_eq!(get(&rig, &mut hand, Some(100), Patience::Forever).value, fits, "{via}");
        let (_, put) = KIND.verb(PUT).expect("a verb");
        assert_eq!(
            rig.object.foresee(put, None, &[Some(over), None]).map(|(outcome, _)| outcome),
            Some(Outcome::TOO_BIG)
        );
        assert_eq!(rig.object.foresee(put, None, &[Some(fits), None]), None);
    }
}

#[test]
fn a_queue_without_capacity_takes_anything_and_gives_memory_back() {
    let rig = Rig::new(&KIND, &[], [0, 0]);
    let mut hand = Hand::new(0);
    let large: Value = vec![5u8; 3_000_000].into();
    for round in 0..3 {
        for n in 0..20_000 {
            assert_eq!(rig.now(&mut hand, "put", &[int(n)]), Outcome::OK);
        }
        assert_eq!(rig.now(&mut hand, "put", std::slice::from_ref(&large)), Outcome::OK);
        for n in 0..20_000 {
            assert_eq!(get(&rig, &mut hand, None, Patience::Never).value, int(n), "round {round}");
        }
        assert!(get(&rig, &mut hand, None, Patience::Never).value == large);
    }
    let whole: Value = vec![5u8; 257 << 20].into();
    assert_eq!(rig.now(&mut hand, "put", std::slice::from_ref(&whole)), Outcome::TOO_BIG);
    let half: Value = vec![5u8; 130 << 20].into();
    assert_eq!(rig.now(&mut hand, "put", std::slice::from_ref(&half)), Outcome::OK);
    assert_eq!(rig.now(&mut hand, "put", std::slice::from_ref(&half)).name(), "ENOSPC");
    assert!(get(&rig, &mut hand, None, Patience::Never).value == half);
}

#[test]
fn a_ring_that_is_never_empty_goes_round() {
    let rig =
        Rig::new(&KIND, &[("capacity", int(9)), ("via", Value::from("memory")), ("message_size", int(600))], [0, 0]);
    let mut hand = Hand::new(0);
    let value = |n: usize| Value::from(vec![n as u8; n * 37 % 600]);
    for n in 0..5000 {
        assert_eq!(rig.now(&mut hand, "put", &[value(n)]), Outcome::OK);
        if n >= 5 {
            assert_eq!(get(&rig, &mut hand, None, Patience::Never).value, value(n - 5));
        }
    }
    assert_eq!(rig.live.value(), Some((4995..5000).map(value).collect::<Vec<_>>().into()));
}

#[test]
fn who_waits_goes_on() {
    for via in ALL {
        let rig = rig(via, 1);
        for timed in [false, true] {
            let patience = || if timed { within(30_000) } else { Patience::Forever };
            let getter = Child::run(|| {
                let mut hand = Hand::new(1);
                (0..50).any(|n| get(&rig, &mut hand, None, patience()).value != int(n)) as i32
            });
            let mut hand = Hand::new(0);
            for n in 0..50 {
                assert_eq!(rig.step(&mut hand, "put", &[int(n)], patience()).outcome, Outcome::OK, "{via}");
            }
            assert_eq!(getter.join(), Some(0), "{via}");
        }
    }
}

#[test]
fn nothing_is_lost_or_twice_between_many() {
    const ROUNDS: i64 = 400;
    for via in ALL {
        let rig = rig(via, 3);
        let sum = rig.arena.alloc::<AtomicU64>().expect("shared memory");
        let children: Vec<_> = (0..4u32)
            .map(|process| {
                let (rig, sum) = (&rig, &sum);
                Child::run(move || {
                    let mut hand = Hand::new(process);
                    (0..ROUNDS).any(|n| {
                        let patience = if n % 3 == 0 { within(60_000) } else { Patience::Forever };
                        let done = if process < 2 {
                            rig.step(&mut hand, "put", &[int(n)], patience)
                        } else {
                            get(rig, &mut hand, None, patience)
                        };
                        if process >= 2 {
                            sum.fetch_add(done.value.as_int().unwrap_or(0) as u64, Ordering::Relaxed);
                        }
                        !done.outcome.is_ok()
                    }) as i32
                })
            })
            .collect();
        for child in children {
            assert_eq!(child.join(), Some(0), "{via}");
        }
        assert_eq!(sum.load(Ordering::Relaxed), (ROUNDS * (ROUNDS - 1)) as u64, "{via}");
        assert_eq!(rig.live.value(), Some(Vec::<Value>::new().into()), "{via}");
    }
}

#[test]
fn a_killed_process_leaves_the_queue_whole() {
    for via in ALL {
        let rig = rig(via, 4);
        let begun = rig.arena.alloc::<AtomicU64>().expect("shared memory");
        for round in 0..20u64 {
            let child = Child::fork(|| {
                let mut hand = Hand::new(1);
                begun.fetch_add(1, Ordering::Release);
                loop {
                    rig.now(&mut hand, "put", &[vec![9u8; 900].into()]);
                    get(&rig, &mut hand, None, Patience::Never);
                }
            });
            while begun.load(Ordering::Acquire) <= round {
                std::thread::yield_now();
            }
            std::thread::sleep(std::time::Duration::from_micros(200 + 37 * round));
            child.kill();
            rig.live.reclaim(1);
            let mut hand = Hand::new(0);
            let mut left = 0;
            while get(&rig, &mut hand, None, Patience::Never).outcome.is_ok() {
                left += 1;
            }
            assert!(left <= 1, "{via}: {left} messages");
            for _ in 0..4 {
                assert_eq!(rig.now(&mut hand, "put", &[int(1)]), Outcome::OK, "{via}");
            }
            assert_eq!(rig.now(&mut hand, "put", &[int(1)]), Outcome::WOULD_BLOCK, "{via}");
            for _ in 0..4 {
                assert_eq!(get(&rig, &mut hand, None, Patience::Never).value, int(1), "{via}");
            }
        }
    }
}

#[test]
fn wait_returns_when_all_is_done() {
    for via in ALL {
        let rig = rig(via, 5);
        let mut hand = Hand::new(0);
        assert_eq!(rig.now(&mut hand, "wait", &[]), Outcome::OK);
        assert_eq!(rig.now(&mut hand, "done", &[]), Outcome::INVALID);
        for n in 0..2 {
            assert_eq!(rig.now(&mut hand, "put", &[int(n)]), Outcome::OK);
        }
        assert_eq!(rig.now(&mut hand, "wait", &[]), Outcome::WOULD_BLOCK);
        assert_eq!(rig.step(&mut hand, "wait", &[], within(2)).outcome, Outcome::TIMEOUT);
        let child = Child::run(|| {
            let mut hand = Hand::new(1);
            (0..2).any(|_| {
                !(get(&rig, &mut hand, None, Patience::Forever).outcome.is_ok()
                    && rig.now(&mut hand, "done", &[]).is_ok())
            }) as i32
        });
        let waited = rig.step(&mut hand, "wait", &[], within(30_000));
        assert_eq!((waited.outcome, waited.ticket), (Outcome::OK, 2), "{via}");
        assert_eq!(child.join(), Some(0));
        assert_eq!(rig.now(&mut hand, "done", &[]), Outcome::INVALID);
    }
}

#[test]
fn a_closed_queue_is_closed_for_this_process_alone() {
    for via in ALL {
        let rig = rig(via, 2);
        let child = Child::run(|| {
            let mut hand = Hand::new(1);
            let outcomes = [rig.now(&mut hand, "close", &[]), rig.now(&mut hand, "put", &[int(1)])];
            i32::from(outcomes != [Outcome::OK, Outcome::INVALID])
        });
        assert_eq!(child.join(), Some(0));
        assert_eq!(rig.now(&mut Hand::new(0), "put", &[int(1)]), Outcome::OK);
    }
}

#[test]
fn what_the_host_cannot_give_names_its_limit() {
    // Over what the kernel gives even to root.
    let posix = Rig::make(&KIND, &[("capacity", int(1_000_000)), ("via", Value::from("posix"))], [0, 0]);
    let error = posix.err().expect("an error");
    assert!(error.message.contains("fs.mqueue.msg_max is "), "{}", error.message);
    assert!(error.help.expect("help").contains("sysctl -w fs.mqueue.msg_max=1000000"));
    let large = Limit::MessageSize.value().expect("a limit") as i64;
    let attributes = [("capacity", int(1)), ("via", Value::from("sysv")), ("message_size", int(large))];
    let error = Rig::make(&KIND, &attributes, [0, 0]).err().expect("an error");
    assert!(error.help.expect("help").contains("sysctl -w kernel.msgmax="));
    // Root may go past this one.
    if let Err(error) = Rig::make(&KIND, &[("capacity", int(1000)), ("via", Value::from("sysv"))], [0, 0]) {
        assert!(error.message.contains("kernel.msgmnb is "), "{}", error.message);
        assert!(error.help.expect("help").contains("sysctl -w kernel.msgmnb=1044000"));
    }
}

#[test]
fn a_declaration_that_cannot_be_is_refused() {
    let problem = |attributes: &[(&'static str, Value)]| {
        (KIND.declare)(&declaration(attributes)).err().map(|problems| problems[0].attribute)
    };
    assert_eq!(problem(&[("via", Value::from("posix"))]), Some(Some("via")));
    assert_eq!(problem(&[("capacity", int(0))]), Some(Some("capacity")));
    assert_eq!(problem(&[("message_size", int(0))]), Some(Some("message_size")));
    assert_eq!(problem(&[]), None);
}

fn edges(capacity: i64, events: &[Event]) -> Vec<(usize, usize, Tie)> {
    let object = (KIND.declare)(&declaration(&[("capacity", int(capacity))])).expect("a queue");
    let mut relation = Relation::default();
    object.relate(&events.iter().collect::<Vec<_>>(), &mut relation);
    relation.edges.into_iter().map(|edge| (edge.from as usize, edge.to() as usize, edge.tie())).collect()
}

fn put(id: (u32, u64), begin: u64, end: u64, ticket: u64) -> Event {
    Event { second: int(0), ticket, ..event(id, PUT, begin, end, int(1)) }
}

fn got(id: (u32, u64), begin: u64, end: u64, ticket: u64, from: &Event) -> Event {
    Event { cause: Some(from.id), ticket, ..event(id, GET, begin, end, int(1)) }
}

#[test]
fn each_side_of_a_queue_of_the_kernel_has_an_order() {
    // Two puts at the same time; the one that ended later went in first.
    let (late, early) = (put((0, 0), 0, 30, 1), put((1, 0), 5, 10, 2));
    let gets = [got((2, 0), 0, 20, 1, &late), got((2, 1), 20, 40, 2, &early)];
    let edges = edges(5, &[late, early, gets[0].clone(), gets[1].clone()]);
    assert!(edges.contains(&(0, 1, Tie::Order)), "{edges:?}");
    assert!(!edges.contains(&(1, 0, Tie::Order)));
}

#[test]
fn a_put_into_a_full_queue_follows_the_get_that_made_room() {
    let puts = [put((0, 0), 0, 10, 1), put((0, 1), 10, 30, 2)];
    let get = got((1, 0), 15, 40, 1, &puts[0]);
    let edges = edges(1, &[puts[0].clone(), puts[1].clone(), get]);
    assert!(edges.contains(&(2, 1, Tie::Sync)), "{edges:?}");
}

#[test]
fn what_looks_stands_after_what_it_counted() {
    let puts = [put((0, 0), 0, 90, 1), put((1, 0), 0, 10, 2)];
    let get = got((2, 0), 5, 20, 1, &puts[0]);
    let size = Event { ticket: look(1 << 26), ..event((3, 0), SIZE, 0, 100, int(1)) };
    let failed = Event { outcome: Outcome::WOULD_BLOCK, ticket: look(0), ..event((3, 1), GET, 100, 101, Value::Null) };
    let edges = edges(5, &[puts[0].clone(), puts[1].clone(), get, size, failed]);
    let of = |to: usize| edges.iter().filter(|edge| edge.1 == to).map(|edge| (edge.0, edge.2)).collect::<Vec<_>>();
    assert_eq!(of(3), [(0, Tie::Sync)], "whatever ended first");
    assert_eq!(of(4), [], "it failed before any get");
    assert!(edges.contains(&(3, 1, Tie::Order)) && edges.contains(&(3, 2, Tie::Order)));
}

#[test]
fn several_on_each_side_are_numbered_as_the_kernel_does_it() {
    const ROUNDS: u32 = 300;
    for via in ["posix", "sysv"] {
        let rig = rig(via, 2);
        let told = rig.arena.slice::<AtomicU64>(4 * ROUNDS as usize * 3).expect("shared memory");
        let children: Vec<_> = (0..4u32)
            .map(|process| {
                let (rig, told) = (&rig, &told);
                Child::run(move || {
                    let mut hand = Hand::new(process);
                    (0..ROUNDS).any(|n| {
                        let priority = [int(i64::from(n)), int(i64::from(n % 3))];
                        let done = match process {
                            0 | 1 => rig.step(&mut hand, "put", &priority, Patience::Forever),
                            _ => get(rig, &mut hand, None, Patience::Forever),
                        };
                        let size = rig.step(&mut hand, "size", &[], Patience::Forever);
                        let at = ((process * ROUNDS + n) * 3) as usize;
                        told[at].store(done.ticket, Ordering::Relaxed);
                        let (puts, gets) = waiters::counts(size.ticket ^ look(0));
                        told[at + 1].store(puts, Ordering::Relaxed);
                        told[at + 2].store(gets, Ordering::Relaxed);
                        let fits = size.value == int(puts as i64 - gets as i64) && puts - gets <= 2;
                        let own = if process < 2 { puts } else { gets };
                        !done.outcome.is_ok() || !fits || own < done.ticket
                    }) as i32
                })
            })
            .collect();
        for child in children {
            assert_eq!(child.join(), Some(0), "{via}");
        }
        for side in [0, 2] {
            let of = |process: u32| (0..ROUNDS).map(move |n| ((process * ROUNDS + n) * 3) as usize);
            let tickets = of(side).chain(of(side + 1)).map(|at| told[at].load(Ordering::Relaxed));
            let mut tickets: Vec<u64> = tickets.collect();
            tickets.sort_unstable();
            assert_eq!(tickets, (1..=u64::from(2 * ROUNDS)).collect::<Vec<_>>(), "{via}");
        }
    }
}

#[test]
fn the_state_follows_the_events() {
    let object = (KIND.declare)(&declaration(&[("capacity", int(5))])).expect("a queue");
    let mut state = object.state();
    let mut puts: Vec<Event> = (0..3).map(|n| event((0, n), PUT, n, n + 1, int(n as i64))).collect();
    for (put, priority) in puts.iter_mut().zip([1, 5, 5]) {
        put.second = int(priority);
        state.apply(put);
    }
    assert_eq!((state.value(&[]), state.size()), (vec![int(1), int(2), int(0)].into(), Some(3)));
    state.apply(&got((1, 0), 5, 6, 1, &puts[2]));
    state.apply(&Event { outcome: Outcome::TIMEOUT, ..event((1, 1), GET, 6, 7, Value::Null) });
    assert_eq!(state.value(&[]), vec![int(1), int(0)].into());
}
