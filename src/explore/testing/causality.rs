//! Random programs and expectations about causes; and what is known of causes along random executions, compared with
//! what the judge says of each.

use std::sync::Arc;

use crate::diagnostic::Source;
use crate::explore::execution::concretise::tell;
use crate::explore::history::{History, HistoryOptions};
use crate::explore::semantics::transition::{Step, Time};
use crate::explore::state_space::{StateSpace, Transition, is_over};
use crate::explore::tests::plan;
use crate::interpreter::Random;
use crate::judge::{self, FORMS, Status};
use crate::scenario;

/// Random programs of up to that many steps over all that can be a cause of something else.
pub(crate) fn program(random: &mut Random, longest: i64) -> String {
    let mut of = |count: i64| random.between(0, count - 1);
    let kinds = ["memory", "posix", "sysv"];
    let mut text = format!(
        r#"[objects]
x = {{ kind = "value", value = 0 }}
a = {{ kind = "array", type = "i32", len = 2 }}
s = {{ kind = "semaphore", value = {}{} }}
m = {{ kind = "mutex", robust = {}, type = "{}" }}
c = {{ kind = "condition", mutex = "m" }}
e = {{ kind = "event" }}
b = {{ kind = "barrier", parties = 2 }}
q = {{ kind = "queue", capacity = {}, via = "{}" }}
l = {{ kind = "pipe"{} }}
d = {{ kind = "pipe", duplex = true }}
"#,
        of(2),
        if of(3) == 0 { ", bound = true" } else { "" },
        of(2) == 0,
        ["normal", "recursive"][of(2) as usize],
        1 + of(2),
        kinds[of(3) as usize],
        ["", ", capacity = 1", ", framing = \"bytes\""][of(3) as usize],
    );
    // Mostly of a few kinds, so that they meet.
    let mut menu: Vec<i64> = (0..2 + of(2)).map(|_| of(11)).collect();
    menu.push(0);
    let programs = 2 + of(2);
    for program in 0..programs {
        let count = 1 + i64::from(of(5) == 0);
        let mut steps = String::new();
        for _ in 0..=of(longest) {
            let kind = menu[of(menu.len() as i64) as usize];
            let step: &[&str] = match kind {
                0 => &[
                    r#"{ load = "x" }"#,
                    r#"{ store = "x", value = 1 }"#,
                    r#"{ add = "x", value = 1 }"#,
                    r#"{ mark = "here" }"#,
                ],
                1 => &[
                    r#"{ load = "a" }"#,
                    r#"{ store = "a", value = [1, 1] }"#,
                    r#"{ store = "a[0]", value = 1 }"#,
                    r#"{ load = "a[1]" }"#,
                    r#"{ add = "a[0]", value = 1 }"#,
                ],
                2 => &[
                    r#"{ acquire = "s" }"#,
                    r#"{ release = "s", outcome = "o" }"#,
                    r#"{ acquire = "s", timeout = "1ms", outcome = "o" }"#,
                    r#"{ acquire = "s", timeout = "0s", outcome = "o" }"#,
                ],
                3 => &[
                    r#"{ lock = "m", outcome = "o" }, { add = "x", value = 1 }, { unlock = "m", outcome = "o" }"#,
                    r#"{ lock = "m", outcome = "o" }"#,
                    r#"{ unlock = "m", outcome = "o" }"#,
                ],
                4 => &[
                    r#"{ lock = "m", outcome = "o" }, { wait = "c", outcome = "o" }, { unlock = "m", outcome = "o" }"#,
                    r#"{ lock = "m", outcome = "o" }, { wait = "c", timeout = "1ms", outcome = "o" }"#,
                    r#"{ notify = "c" }"#,
                    r#"{ notify_all = "c" }"#,
                ],
                5 => &[
                    r#"{ set = "e" }"#,
                    r#"{ clear = "e" }"#,
                    r#"{ wait = "e" }"#,
                    r#"{ wait = "e", timeout = "1ms", outcome = "o" }"#,
                ],
                6 => &[
                    r#"{ wait = "b", outcome = "o" }"#,
                    r#"{ wait = "b", timeout = "1ms", outcome = "o" }"#,
                    r#"{ abort = "b" }"#,
                    r#"{ reset = "b" }"#,
                ],
                7 => &[
                    r#"{ put = "q", value = 1 }"#,
                    r#"{ get = "q" }"#,
                    r#"{ put = "q", value = 1, timeout = "1ms", outcome = "o" }"#,
                    r#"{ get = "q", timeout = "0s", outcome = "o" }"#,
                    r#"{ done = "q", outcome = "o" }"#,
                    r#"{ wait = "q" }"#,
                ],
                8 => &[
                    r#"{ send = "l.w", value = "v" }"#,
                    r#"{ recv = "l.r", outcome = "o" }"#,
                    r#"{ send = "l.w", value = "v", timeout = "1ms", outcome = "o" }"#,
                    r#"{ send = "l.w", value = "LONG", timeout = "1ms", outcome = "o" }"#,
                    r#"{ recv = "l.r", timeout = "0s", outcome = "o" }"#,
                    r#"{ close = "l.r" }"#,
                ],
                9 => &[
                    r#"{ send = "d.a", value = "v" }"#,
                    r#"{ send = "d.b", value = "v" }"#,
                    r#"{ recv = "d.a" }"#,
                    r#"{ recv = "d.b" }"#,
                ],
                _ => &[
                    r#"{ sleep = "1ms" }"#,
                    r#"{ join = "p0", outcome = "o" }"#,
                    "{ ready = true }",
                    r#"{ status = "p0" }"#,
                ],
            };
            steps.push_str(step[of(step.len() as i64) as usize]);
            steps.push_str(", ");
        }
        let starts = if program > 0 && of(8) == 0 {
            [
                "depends_on = { p0 = \"exited\" }\n",
                "depends_on = { p0 = \"ready\" }\n",
                "depends_on = { p0 = \"started\" }\n",
            ][of(3) as usize]
        } else if program == 1 && of(8) == 0 {
            "start = \"manual\"\n"
        } else {
            ""
        };
        let begins = if program == 0 && of(4) == 0 { "{ start = \"p1\", outcome = \"o\" }, " } else { "" };
        text.push_str(&format!("[processes.p{program}]\ncount = {count}\n{starts}steps = [{begins}{steps}]\n"));
    }
    // Too long for one packet.
    text.replace("LONG", &"v".repeat(5000))
}

/// A random expectation about causes.
pub(crate) fn expectation(random: &mut Random) -> String {
    let mut pattern = || {
        let process = ["p0", "p1", "*", "p2"][random.between(0, 3) as usize];
        let what = [
            "*",
            "*",
            "* x",
            "add",
            "mark here",
            "acquire",
            "release",
            "lock",
            "unlock",
            "wait",
            "* q",
            "* b",
            "* e",
            "load",
            "store",
            "send",
            "recv",
        ];
        format!("\"{process} {}\"", what[random.between(0, what.len() as i64 - 1) as usize])
    };
    let (first, second, third) = (pattern(), pattern(), pattern());
    let patterns =
        if random.between(0, 3) == 0 { format!("{first}, {second}, {third}") } else { format!("{first}, {second}") };
    let holds = ["", "", "\nholds = \"sometimes\"", "\nholds = \"never\""][random.between(0, 3) as usize];
    let form = match random.between(0, 5) {
        0 | 1 => format!("order = [{patterns}]\nallow_empty = true"),
        2 | 3 => format!("all_before = [{patterns}]"),
        4 => "race_free = \"x\"".to_owned(),
        _ => ["race_free = \"a\"", "race_free = \"a[0]\""][random.between(0, 1) as usize].to_owned(),
    };
    format!("\n[[expect]]\n{form}{holds}\n")
}

/// Whether the scenario is one: an expectation of what never can be is none.
pub(crate) fn loads(text: &str) -> bool {
    let source = Arc::new(Source::new("p.toml".to_owned(), text.to_owned()));
    let forms: Vec<_> = FORMS.iter().map(|form| &form.description).collect();
    scenario::load(&source, &scenario::Options::default(), &forms).is_ok()
}

/// Goes a random way through the program and compares. By expectation: whether something was not as it should be; none
/// where an object could not say what it handed over.
fn walk(text: &str, random: &mut Random) -> Option<Vec<bool>> {
    let plan = plan(text);
    let memories = History::new(&plan, judge::memories(&plan), Time::Virtual, HistoryOptions::default());
    let mut space = StateSpace::remembering(&plan, Time::Virtual, memories);
    let mut state = space.initial().expect("no process computes without end");
    let (mut path, mut moves): (Vec<Step>, Vec<Transition>) = (Vec::new(), Vec::new());
    loop {
        space.moves(&state, &mut moves).expect("no process computes without end");
        if is_over(&moves) {
            break;
        }
        let step = moves[random.between(0, moves.len() as i64 - 1) as usize];
        path.push(space.step(step));
        space.take(&mut state, step).expect("no process computes without end");
    }
    let kept = space.kept().start;
    let known = space.memories.as_ref()?.failed(&|place| state[kept + place])?;
    let told = tell(&space, &path).expect("it can be followed");
    assert_eq!(told.trace.causality.problems(), [] as [&str; 0], "{text}");
    let verdict = judge::judge(&plan, &told.trace);
    let failed = |one: &judge::Judged| one.is_firm() && one.finding.status == Status::Fail;
    let judged: Vec<bool> = verdict.findings.iter().take(plan.expectations.len()).map(failed).collect();
    let events = told.trace.events.iter().map(|event| (event.id.process, event.verb, event.target, event.outcome));
    assert_eq!(known, judged, "{:#?}\n{text}", events.collect::<Vec<_>>());
    Some(judged)
}

#[test]
fn what_is_known_is_what_the_judge_finds() {
    let (mut failed, mut passed) = (0, 0);
    for seed in 0..SEEDS {
        let mut random = Random::new(seed, "walks", 0);
        let mut text = program(&mut random, 6);
        if !loads(&text) {
            continue;
        }
        for _ in 0..12 {
            let one = expectation(&mut random);
            // A trace has those that leave a barrier in the order in which they came, which is not the order of their
            // steps: it may have another first match there, and then every step is kept and not what is known.
            let first = one.contains("\norder") && text.contains("\"b\"");
            if !first && loads(&format!("{text}{one}")) {
                text.push_str(&one);
            }
        }
        for _ in 0..WALKS {
            for fails in walk(&text, &mut random).into_iter().flatten() {
                *(if fails { &mut failed } else { &mut passed }) += 1;
            }
        }
    }
    assert!(failed > 100 && passed > 100, "{failed} {passed}");
}

/// How many programs are tried, and how many ways through each.
const SEEDS: u64 = 60;
const WALKS: usize = 12;
