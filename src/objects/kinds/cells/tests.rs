use crate::event::{ObjectId, ProcessId};
use crate::objects::causality::happens_before::Tie;
use crate::objects::testing::kernel_harness::{Actor, Stage, declare};
use crate::objects::{Patience, kind};
use crate::os::testing::{Child, moment};
use crate::outcome::Outcome;
use crate::value::Value;

fn int(n: i64) -> Value {
    Value::Int(n)
}

fn ints<const N: usize>(items: [i64; N]) -> Value {
    items.map(Value::Int).to_vec().into()
}

fn on(stage: &Stage, actor: &mut Actor, verb: &str, element: u32, arguments: &[Value]) -> (Outcome, Value, Value) {
    let done = stage.perform(actor, 0, verb, Some(element), arguments, Patience::Forever);
    (done.outcome, done.value, done.second)
}

#[test]
fn each_verb_gives_and_leaves_what_it_says() {
    let mut stage = Stage::new();
    let money = stage.add("value", &[("type", "i8".into()), ("value", int(50))], &[]);
    let mut actor = stage.actor(0);
    let mut step = |verb: &str, arguments: &[Value]| {
        let done = stage.step(&mut actor, money, verb, arguments);
        assert_eq!(done.ticket != 0, done.outcome.is_ok());
        (done.outcome, done.value, done.second)
    };
    assert_eq!(step("load", &[]), (Outcome::OK, int(50), Value::Null));
    assert_eq!(step("store", &[int(-7)]), (Outcome::OK, int(-7), Value::Null));
    assert_eq!(step("add", &[int(10)]), (Outcome::OK, int(-7), int(3)));
    assert_eq!(step("swap", &[int(100)]), (Outcome::OK, int(3), int(100)));
    assert_eq!(step("compare_swap", &[int(1), int(2)]), (Outcome::OK, int(100), int(100)));
    assert_eq!(step("compare_swap", &[int(100), int(2)]), (Outcome::OK, int(100), int(2)));
    assert_eq!(step("add", &[int(126)]).0, Outcome::OVERFLOW);
    assert_eq!(step("store", &[int(128)]).0, Outcome::OUT_OF_RANGE);
    assert_eq!(step("store", &[Value::Float(1.0)]).0, Outcome::INVALID);
    actor.compute = |it| Ok(Value::Int(it.as_int().unwrap() * 3));
    let done = stage.step(&mut actor, money, "update", &[]);
    assert_eq!((done.value, done.second), (int(6), int(2)));
    actor.compute = |_| Ok(Value::Int(1000));
    assert_eq!(stage.step(&mut actor, money, "update", &[]).outcome, Outcome::OUT_OF_RANGE);
    actor.compute = |_| Err(Outcome::OVERFLOW);
    assert_eq!(stage.step(&mut actor, money, "update", &[]).outcome, Outcome::OVERFLOW);
    assert_eq!(stage.live(money).value(), Some(int(6)));
    assert_eq!(stage.replay(money, &[&actor]), int(6));
}

#[test]
fn an_array_is_read_and_written_by_element_and_whole() {
    let mut stage = Stage::new();
    let numbers = stage.add("array", &[("type", "i32".into()), ("value", ints([1, 2, 3]))], &[]);
    let mut actor = stage.actor(0);
    assert_eq!(on(&stage, &mut actor, "store", 1, &[int(1000)]), (Outcome::OK, int(1000), Value::Null));
    assert_eq!(on(&stage, &mut actor, "add", 2, &[int(1)]), (Outcome::OK, int(3), int(4)));
    assert_eq!(on(&stage, &mut actor, "load", 3, &[]).0, Outcome::OUT_OF_RANGE);
    assert_eq!(stage.step(&mut actor, numbers, "load", &[]).value, ints([1, 1000, 4]));
    assert_eq!(stage.step(&mut actor, numbers, "store", &[ints([7, 8, 9])]).outcome, Outcome::OK);
    assert_eq!(stage.step(&mut actor, numbers, "store", &[ints([7, 8])]).outcome, Outcome::OUT_OF_RANGE);
    assert_eq!(on(&stage, &mut actor, "swap", 0, &[int(1)]), (Outcome::OK, int(7), int(1)));
    assert_eq!(stage.live(numbers).value(), Some(ints([1, 8, 9])));
    assert_eq!(stage.replay(numbers, &[&actor]), ints([1, 8, 9]));
    assert_eq!(stage.object(numbers).length(), Some(3));
}

#[test]
fn bytes_and_text_are_whole_what_they_are_called() {
    let mut stage = Stage::new();
    let bytes = stage.add("array", &[("value", b"hello".to_vec().into())], &[]);
    let text = stage.add("array", &[("value", "执行".into())], &[]);
    let floats = stage.add("array", &[("type", "f32".into()), ("len", int(2))], &[]);
    let mut actor = stage.actor(0);
    assert_eq!(on(&stage, &mut actor, "swap", 0, &[int(72)]), (Outcome::OK, int(104), int(72)));
    assert_eq!(on(&stage, &mut actor, "store", 0, &[int(256)]).0, Outcome::OUT_OF_RANGE);
    assert_eq!(stage.step(&mut actor, bytes, "load", &[]).value, b"Hello".to_vec().into());
    assert_eq!(stage.step(&mut actor, text, "store", &["任务".into()]).value, "任务".into());
    assert_eq!(stage.live(text).value(), Some("任务".into()));
    let list: Value = vec![Value::Int(1), Value::Float(0.1)].into();
    let stored: Value = vec![Value::Float(1.0), Value::Float(f64::from(0.1f32))].into();
    assert_eq!(stage.step(&mut actor, floats, "store", &[list]).value, stored);
    assert_eq!(stage.live(floats).value(), Some(stored));
}

#[test]
fn text_ends_at_the_first_nul_and_fills_the_rest_with_it() {
    let mut stage = Stage::new();
    let text = stage.add("array", &[("value", "ab".into()), ("len", int(4)), ("type", "char".into())], &[]);
    let mut actor = stage.actor(0);
    let mut step = |verb, arguments: &[Value]| {
        let done = stage.step(&mut actor, text, verb, arguments);
        (done.outcome, done.value)
    };
    assert_eq!(step("load", &[]), (Outcome::OK, "ab".into()));
    assert_eq!(step("store", &["wxyz".into()]), (Outcome::OK, "wxyz".into()));
    assert_eq!(step("store", &["é".into()]).0, Outcome::OK);
    assert_eq!(step("load", &[]), (Outcome::OK, "é".into()));
    assert_eq!(step("store", &["abcde".into()]).0, Outcome::TOO_BIG);
    assert_eq!(on(&stage, &mut actor, "store", 2, &["!".into()]).0, Outcome::OK);
    assert_eq!(stage.step(&mut actor, text, "load", &[]).value, "é".into(), "a NUL is before it");
    assert_eq!((stage.live(text).value(), stage.replay(text, &[&actor])), (Some("é".into()), "é".into()));
    let store = kind("array").unwrap().verb("store").unwrap().1;
    assert_eq!(stage.object(text).foresee(store, None, &[Some("abcde".into())]).unwrap().0, Outcome::TOO_BIG);
}

#[test]
fn a_type_is_what_is_declared_or_what_the_value_needs() {
    let array = kind("array").unwrap();
    let value = kind("value").unwrap();
    let of = |attributes: &[(&'static str, Value)]| {
        declare(0, array, attributes, &[])
            .map_err(|problems| problems.into_iter().map(|p| p.message).collect::<Vec<_>>())
    };
    assert_eq!(
        of(&[("value", ints([1, 2])), ("len", int(3))]).unwrap_err(),
        ["`len` is 3, but `value` has 2 elements"]
    );
    assert_eq!(of(&[]).unwrap_err(), ["the array's length is missing"]);
    assert_eq!(of(&[("type", "u8".into()), ("value", ints([1, 256, -1]))]).unwrap_err().len(), 2);
    assert!(of(&[("value", vec![Value::Int(1), Value::Float(2.5)].into())]).is_ok());
    assert!(of(&[("value", vec![Value::Int(1), Value::from("a")].into())]).is_err());
    assert!(of(&[("value", Vec::<Value>::new().into())]).is_err());
    assert!(of(&[("type", "bytes".into()), ("value", "text".into())]).is_err());
    assert!(declare(0, value, &[("value", "ab".into())], &[]).is_err());
    let flag = declare(0, value, &[("value", true.into())], &[]).unwrap();
    let add = value.verb("add").unwrap().1;
    assert_eq!(flag.foresee(add, None, &[None, None]).unwrap().0, Outcome::INVALID);
    let small = declare(0, value, &[("type", "u8".into())], &[]).unwrap();
    let store = value.verb("store").unwrap().1;
    assert_eq!(small.foresee(store, None, &[Some(int(256))]).unwrap().0, Outcome::OUT_OF_RANGE);
    assert_eq!(small.foresee(store, None, &[Some(1.5.into())]).unwrap().0, Outcome::INVALID);
    assert!(small.foresee(store, None, &[None]).is_none() && small.foresee(store, None, &[Some(int(255))]).is_none());
}

#[test]
fn atomic_steps_are_causes_of_one_another_and_plain_ones_are_not() {
    let mut stage = Stage::new();
    let money = stage.add("value", &[], &[]);
    let (mut a, mut b) = (stage.actor(0), stage.actor(1));
    stage.step(&mut a, money, "store", &[int(1)]);
    stage.step(&mut b, money, "load", &[]);
    stage.step(&mut a, money, "add", &[int(1)]);
    stage.step(&mut b, money, "add", &[int(1)]);
    stage.step(&mut a, money, "store", &[int(1)]);
    stage.step(&mut b, money, "swap", &[int(1)]);
    assert_eq!(stage.causes(money, &[&a, &b]), [((0, 1), (1, 1))]);
    let relation = stage.relate(money, &[&a, &b]);
    let of = |wanted: Tie| relation.iter().filter(|(.., tie)| *tie == wanted).count();
    assert_eq!(of(Tie::Order), 5, "besides, each comes before the next");
    assert_eq!(of(Tie::Reads), 3, "and what reads another's write after that");
}

#[test]
fn processes_lose_no_update() {
    let mut stage = Stage::new();
    let money = stage.add("value", &[], &[]);
    let children: Vec<_> = (0..4)
        .map(|process: ProcessId| {
            let mut actor = stage.actor(process);
            actor.compute = |it| Ok(Value::Int(it.as_int().unwrap_or(0) + 1));
            let stage = &stage;
            Child::fork(move || {
                for _ in 0..5000 {
                    actor.events.clear();
                    stage.step(&mut actor, money, "update", &[]);
                    stage.step(&mut actor, money, "add", &[Value::Int(1)]);
                }
            })
        })
        .collect();
    for child in children {
        assert_eq!(child.join(), Some(0));
    }
    assert_eq!(stage.live(money).value(), Some(int(40_000)));
}

/// Each writer fills the whole array with one number, so that any half-done store would show.
#[test]
fn a_killed_writer_leaves_the_array_whole_and_free() {
    let mut stage = Stage::new();
    let numbers = stage.add("array", &[("len", int(64))], &[]);
    let mut reader = stage.actor(1);
    for round in 0..100u32 {
        let mut writer = stage.actor(0);
        let child = {
            let (stage, fills) = (&stage, [ints([1; 64]), ints([2; 64])]);
            Child::fork(move || {
                loop {
                    for fill in &fills {
                        writer.events.clear();
                        stage.step(&mut writer, numbers, "store", std::slice::from_ref(fill));
                    }
                }
            })
        };
        moment(round);
        child.kill();
        stage.live(numbers).reclaim(0);
        let seen = stage.step(&mut reader, numbers, "load", &[]).value;
        let items = seen.as_list().unwrap();
        assert!(items.iter().all(|item| *item == items[0]), "{seen}");
    }
}

fn futex() -> (Stage, ObjectId) {
    let mut stage = Stage::new();
    let word = stage.add("value", &[("type", "u32".into())], &[]);
    (stage, word)
}

#[test]
fn a_futex_sleeps_only_where_the_value_is_what_it_says() {
    let (stage, word) = futex();
    let mut actor = stage.actor(0);
    let ends = |actor: &mut Actor, value| stage.step(actor, word, "futex_wait", &[int(value)]).outcome;
    assert_eq!(ends(&mut actor, 1), Outcome::WOULD_BLOCK);
    assert_eq!(ends(&mut actor, -1), Outcome::OUT_OF_RANGE);
    assert_eq!(stage.try_step(&mut actor, word, "futex_wait", &[int(0)]).outcome, Outcome::WOULD_BLOCK);
    assert_eq!(stage.step(&mut actor, word, "futex_wake", &[]).value, int(0));
    let implicit = actor.events.iter().filter(|event| event.implicit).count();
    assert_eq!(implicit, 0, "none has slept");
    assert_eq!(stage.replay(word, &[&actor]), int(0));
}

#[test]
fn a_wake_is_the_cause_of_what_it_wakes() {
    let (stage, word) = futex();
    let mut waker = stage.actor(0);
    let mut sleeper = stage.actor(1);
    let child = {
        let stage = &stage;
        Child::run(move || {
            let done = stage.step(&mut sleeper, word, "futex_wait", &[int(0)]);
            i32::from(!done.outcome.is_ok()) + 2 * i32::from(done.cause == 0)
        })
    };
    let mut woken = 0;
    while woken == 0 {
        waker.events.clear();
        woken = stage.step(&mut waker, word, "futex_wake", &[int(3)]).value.as_int().unwrap_or(0);
        std::thread::yield_now();
    }
    assert_eq!((woken, child.join()), (1, Some(0)));
}

/// Of a process that is killed while it sleeps nothing is left that a wake could be lost to.
#[test]
fn a_killed_sleeper_takes_no_wake() {
    let (stage, word) = futex();
    let sleeper = |process: ProcessId| {
        let mut actor = stage.actor(process);
        let stage = &stage;
        Child::run(move || i32::from(!stage.step(&mut actor, word, "futex_wait", &[int(0)]).outcome.is_ok()))
    };
    for round in 0..20 {
        let killed = sleeper(1);
        moment(round);
        killed.kill();
        stage.live(word).reclaim(1);
        let child = sleeper(2);
        let mut waker = stage.actor(0);
        while stage.step(&mut waker, word, "futex_wake", &[]).value == int(0) {
            waker.events.clear();
            std::thread::yield_now();
        }
        assert_eq!(child.join(), Some(0));
    }
}

mod model {
    use super::int;
    use crate::objects::contract::model::Willing;
    use crate::objects::testing::model_harness::{Step, World, as_the_kernel};

    const WORD: u32 = 0;

    #[test]
    fn a_futex_does_what_the_kernel_does() {
        let mut steps = vec![(WORD, "futex_wake", None), (WORD, "store", Some(int(1)))];
        for value in [-1, 0, 1, 2] {
            steps.extend(["futex_wait", "futex_wake"].map(|verb| (WORD, verb, Some(int(value)))));
        }
        for of in ["u32", "i64", "u8"] {
            as_the_kernel(&[("value", &[("type", of.into())], &[])], &steps, 2);
        }
    }

    #[test]
    fn a_futex_says_what_its_trace_leads_to() {
        let world = World::new(3, &[("value", &[("type", "u32".into())], &[])]);
        let on = |verb, value: i64, willing| Step::On(WORD, verb, vec![int(value)], willing);
        let steps = [
            on("futex_wait", 0, Willing::Forever),
            on("futex_wait", 1, Willing::Timed),
            on("futex_wait", 0, Willing::Never),
            on("futex_wake", 1, Willing::Forever),
            on("futex_wake", 2, Willing::Forever),
            on("store", 1, Willing::Forever),
            on("add", 1, Willing::Forever),
        ];
        for seed in 0..5 {
            world.wander(&steps, seed, 100);
        }
    }
}
