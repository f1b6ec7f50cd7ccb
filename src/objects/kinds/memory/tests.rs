use super::{MOST, NUMBERS};
use crate::objects::causality::happens_before::Tie;
use crate::objects::contract::operation::{Access, Given};
use crate::objects::testing::kernel_harness::{Actor, Stage, declare};
use crate::objects::{Object, kind};
use crate::os::testing::{Child, moment};
use crate::outcome::Outcome;
use crate::value::Value;

const VIAS: [&str; 5] = ["posix", "memfd", "file", "sysv", "anonymous"];
const PAGE: i64 = 4096;

fn stage(via: &str, size: i64) -> Stage {
    let mut stage = Stage::new();
    stage.add("memory", &[("via", via.into()), ("size", size.into())], &[]);
    stage
}

fn raw(bytes: &[u8]) -> Value {
    bytes.to_vec().into()
}

/// A step's outcome and value: the place, the type or none, and the values.
fn at(stage: &Stage, actor: &mut Actor, verb: &str, at: i64, of: &str, values: &[Value]) -> (Outcome, Value) {
    let of = if of.is_empty() { Value::Null } else { of.into() };
    let arguments = [&[at.into(), of], values].concat();
    let done = stage.step(actor, 0, verb, &arguments);
    assert_eq!(done.ticket != 0, done.outcome.is_ok() || done.outcome == Outcome::BUS_ERROR);
    (done.outcome, done.value)
}

#[test]
fn bytes_and_numbers_are_views_of_one_memory() {
    for via in VIAS {
        let stage = stage(via, 16);
        let mut actor = stage.actor(0);
        let mut step =
            |verb: &str, place: i64, of: &str, values: &[Value]| at(&stage, &mut actor, verb, place, of, values);
        assert_eq!(step("store", 0, "i32", &[(-2).into()]), (Outcome::OK, (-2).into()));
        assert_eq!(step("load", 0, "", &[5.into()]), (Outcome::OK, raw(&[254, 255, 255, 255, 0])));
        assert_eq!(step("store", 1, "", &[raw(&[0, 0, 0])]).0, Outcome::OK);
        assert_eq!(step("load", 0, "u16", &[]), (Outcome::OK, 254.into()));
        assert_eq!(step("add", 0, "u8", &[1.into()]), (Outcome::OK, 254.into()));
        assert_eq!(step("add", 0, "u8", &[1.into()]).0, Outcome::OVERFLOW);
        assert_eq!(step("swap", 8, "f64", &[1.5.into()]), (Outcome::OK, 0.0.into()));
        assert_eq!(step("compare_swap", 8, "f64", &[1.0.into(), 2.0.into()]), (Outcome::OK, 1.5.into()));
        assert_eq!(step("compare_swap", 8, "f64", &[1.5.into(), 2.0.into()]), (Outcome::OK, 1.5.into()));
        assert_eq!(step("store", 4, "", &["é".into()]), (Outcome::OK, raw("é".as_bytes())));
        assert_eq!(step("load", 12, "", &[100.into()]), (Outcome::OK, raw(&[0, 0, 0, 64])), "up to the end");
        assert_eq!(stage.live(0).value(), Some(stage.replay(0, &[&actor])), "{via}");
    }
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let stage = stage("posix", 16);
    let mut actor = stage.actor(0);
    let mut outcome =
        |verb: &str, place: i64, of: &str, values: &[Value]| at(&stage, &mut actor, verb, place, of, values).0;
    assert_eq!(outcome("load", 16, "", &[]), Outcome::OUT_OF_RANGE);
    assert_eq!(outcome("load", 14, "i32", &[]), Outcome::OUT_OF_RANGE);
    assert_eq!(outcome("store", 15, "", &[raw(b"ab")]), Outcome::OUT_OF_RANGE);
    assert_eq!(outcome("store", 16, "", &[raw(b"")]), Outcome::OK);
    assert_eq!(outcome("store", 0, "u8", &[256.into()]), Outcome::OUT_OF_RANGE);
    assert_eq!(outcome("store", 0, "u8", &[raw(b"a")]), Outcome::INVALID);
    assert_eq!(outcome("store", 0, "", &[1.into()]), Outcome::INVALID);
    assert_eq!(outcome("add", 2, "i32", &[1.into()]), Outcome::INVALID, "an atomic number stands on its own words");
    assert_eq!(outcome("load", 0, "i32", &[1.into()]), Outcome::INVALID);
    assert_eq!(outcome("store", 0, "", &[raw(&[255; 8])]), Outcome::OK);
    assert_eq!(outcome("load", 0, "u64", &[]), Outcome::OVERFLOW, "an int holds at most 2^63 - 1");
}

#[test]
fn a_mapping_that_another_cuts_short_ends_in_a_bus_error() {
    for via in &VIAS[..3] {
        let stage = stage(via, 3 * PAGE);
        let (mut own, mut other) = (stage.actor(0), stage.actor(1));
        at(&stage, &mut own, "store", 100, "", &[raw(b"rest")]);
        at(&stage, &mut own, "store", PAGE, "", &[raw(b"gone")]);
        let child = Child::run(|| {
            let cut = stage.step(&mut other, 0, "resize", &[16.into()]);
            let past = at(&stage, &mut other, "load", PAGE, "", &[1.into()]).0;
            i32::from(cut.outcome.code()) * 100 + i32::from(past.code())
        });
        assert_eq!(child.join(), Some(i32::from(Outcome::OUT_OF_RANGE.code())), "its own mapping is short too");
        let mut step = |verb: &str, place: i64, values: &[Value]| at(&stage, &mut own, verb, place, "", values);
        assert_eq!(step("load", PAGE, &[1.into()]).0, Outcome::BUS_ERROR, "{via}");
        assert_eq!(step("store", PAGE - 1, &[raw(b"ab")]).0, Outcome::BUS_ERROR);
        assert_eq!(step("load", 3 * PAGE, &[1.into()]).0, Outcome::OUT_OF_RANGE);
        assert_eq!(step("load", 100, &[4.into()]), (Outcome::OK, raw(&[0; 4])), "the end's page is zero behind it");
        assert_eq!(stage.step(&mut own, 0, "size", &[]).value, 16.into());
        assert_eq!(stage.step(&mut own, 0, "store", &[20.into(), Value::Null, raw(b"x")]).outcome, Outcome::OK);
        assert_eq!(stage.step(&mut own, 0, "resize", &[(2 * PAGE).into()]).second, 16.into());
        assert_eq!(at(&stage, &mut own, "load", 20, "", &[1.into()]).1, raw(b"\0"), "no part of the memory");
        assert_eq!(at(&stage, &mut own, "store", 2 * PAGE - 1, "", &[raw(b"z")]).0, Outcome::OK);
        assert_eq!(
            stage.live(0).value().and_then(|value| super::bytes(&value).map(<[u8]>::len)),
            Some(2 * PAGE as usize)
        );
    }
}

#[test]
fn what_has_no_size_of_its_own_is_not_resized() {
    for via in &VIAS[3..] {
        let stage = stage(via, 16);
        let mut actor = stage.actor(0);
        assert_eq!(stage.step(&mut actor, 0, "resize", &[8.into()]).outcome, Outcome::INVALID);
        assert_eq!(stage.step(&mut actor, 0, "size", &[]).value, 16.into());
    }
}

#[test]
fn a_killed_writer_leaves_its_store_whole_or_undone() {
    for round in 0..30 {
        let stage = stage("memfd", 8 * PAGE);
        let size = 8 * PAGE as usize;
        let child = Child::fork(|| {
            let mut actor = stage.actor(1);
            for byte in (1..=255).cycle() {
                at(&stage, &mut actor, "store", 0, "", &[raw(&vec![byte; size])]);
            }
        });
        moment(round);
        child.kill();
        stage.live(0).reclaim(1);
        let (outcome, value) = at(&stage, &mut stage.actor(0), "load", 0, "", &[]);
        let bytes = super::bytes(&value).expect("bytes");
        assert!(outcome.is_ok() && bytes.iter().all(|byte| *byte == bytes[0]), "round {round}");
    }
}

#[test]
fn steps_are_whole_and_numbers_lose_no_update() {
    let stage = stage("posix", 4096);
    let children: Vec<Child> = [0, 1]
        .map(|process| {
            let mut actor = stage.actor(process);
            let stage = &stage;
            Child::fork(move || {
                for _ in 0..5000 {
                    at(stage, &mut actor, "add", 8, "i64", &[1.into()]);
                }
            })
        })
        .into();
    for child in children {
        assert_eq!(child.join(), Some(0));
    }
    assert_eq!(at(&stage, &mut stage.actor(2), "load", 8, "i64", &[]).1, 10_000.into());
}

#[test]
fn causes_are_between_steps_on_bytes_in_common() {
    let stage = stage("posix", 64);
    let (mut a, mut b) = (stage.actor(0), stage.actor(1));
    at(&stage, &mut a, "store", 0, "", &[raw(b"0123")]);
    at(&stage, &mut a, "store", 8, "i32", &[1.into()]);
    at(&stage, &mut b, "load", 4, "", &[4.into()]);
    at(&stage, &mut b, "load", 3, "", &[1.into()]);
    at(&stage, &mut b, "load", 10, "u8", &[]);
    at(&stage, &mut a, "add", 16, "i64", &[1.into()]);
    at(&stage, &mut b, "add", 16, "u8", &[1.into()]);
    stage.step(&mut a, 0, "resize", &[18.into()]);
    stage.step(&mut b, 0, "size", &[]);
    let relation = stage.relate(0, &[&a, &b]);
    let of = |tie: Tie| relation.iter().filter(|(.., is)| *is == tie).map(|(a, b, _)| (*a, *b)).collect::<Vec<_>>();
    assert_eq!(of(Tie::Sync), [((0, 2), (1, 3))]);
    assert_eq!(of(Tie::Reads), [((0, 0), (1, 1)), ((0, 1), (1, 2)), ((0, 2), (1, 3)), ((0, 3), (1, 4))]);
}

#[test]
fn steps_change_places_where_their_bytes_are_apart() {
    let kind = kind("memory").unwrap();
    let memory = declare(0, kind, &[("size", 64.into())], &[]).unwrap();
    let access = |verb: &str, at: Option<u32>, of: &str| {
        let mut access = Access { element: at, ..Access::of(kind.verb(verb).unwrap().0) };
        if let Some(word) = NUMBERS.iter().position(|name| *name == of) {
            access.given = Given::NONE.with_word(1, word as u8);
        }
        access
    };
    let commute = |one, other| memory.commute(one, other) && memory.commute(other, one);
    let store = |at, of| access("store", Some(at), of);
    assert!(commute(store(0, "i32"), store(4, "i32")));
    assert!(!commute(store(0, "i64"), store(4, "i32")));
    assert!(!commute(store(0, ""), store(40, "u8")), "bytes may go up to the end");
    assert!(commute(store(0, "u8"), access("add", Some(1), "u8")));
    assert!(!commute(store(0, "u8"), access("load", None, "u8")));
    assert!(commute(access("load", None, ""), access("load", Some(0), "")));
    assert!(commute(access("size", None, ""), store(0, "")));
    assert!(!commute(access("resize", None, ""), access("size", None, "")));
    assert!(!commute(access("resize", None, ""), access("load", Some(0), "u8")));
}

#[test]
fn a_declaration_says_what_the_host_is_asked_for() {
    let kind = kind("memory").unwrap();
    let of = |attributes: &[(&'static str, Value)]| {
        declare(0, kind, attributes, &[]).err().map(|problems| problems[0].message.clone())
    };
    assert_eq!(of(&[("size", i64::from(MOST).into())]), None);
    assert!(of(&[("size", (i64::from(MOST) + 1).into())]).is_some_and(|text| text.contains("1048576 bytes")));
    assert!(of(&[("size", 0.into())]).is_some());
}

#[test]
fn what_can_only_fail_is_foreseen() {
    let kind = kind("memory").unwrap();
    let fixed = declare(0, kind, &[("size", 64.into()), ("via", "sysv".into())], &[]).unwrap();
    let resizable = declare(0, kind, &[("size", 64.into())], &[]).unwrap();
    let outcome = |memory: &dyn Object, verb: &str, arguments: &[Option<Value>]| {
        let verb = kind.verb(verb).unwrap().1;
        let mut all = arguments.to_vec();
        all.resize(verb.arguments.len(), None);
        memory.foresee(verb, None, &all).map(|(outcome, _)| outcome)
    };
    let store = |memory: &dyn Object, at: i64, of: Option<&str>, value: Value| {
        outcome(memory, "store", &[Some(at.into()), of.map(Into::into), Some(value)])
    };
    assert_eq!(store(&*fixed, 61, Some("i32"), 0.into()), Some(Outcome::OUT_OF_RANGE));
    assert_eq!(store(&*resizable, 61, Some("i32"), 0.into()), None, "it may be longer then");
    assert_eq!(store(&*fixed, 60, None, raw(b"12345")), Some(Outcome::OUT_OF_RANGE));
    assert_eq!(store(&*fixed, 0, None, 7.into()), Some(Outcome::INVALID));
    assert_eq!(store(&*fixed, 0, Some("u8"), 256.into()), Some(Outcome::OUT_OF_RANGE));
    assert_eq!(outcome(&*fixed, "add", &[Some(2.into()), Some("i32".into()), Some(1.into())]), Some(Outcome::INVALID));
    assert_eq!(outcome(&*fixed, "add", &[None, Some("i32".into()), Some((-1).into())]), None);
    assert_eq!(outcome(&*fixed, "resize", &[Some(8.into())]), Some(Outcome::INVALID));
    assert_eq!(outcome(&*fixed, "load", &[None, Some("i8".into()), Some(1.into())]), Some(Outcome::INVALID));
}
