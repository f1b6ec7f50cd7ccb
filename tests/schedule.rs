//! Processes that are held to a schedule, by the library: a program without threads of its own, since it forks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

use ipcrun::diagnostic::{Diagnostic, Source};
use ipcrun::judge::FORMS;
use ipcrun::kernel::{self, Notice, Options, Recording};
use ipcrun::model::full;
use ipcrun::model::space::{Space, Time};
use ipcrun::model::tell::{Told, tell};
use ipcrun::scenario;
use ipcrun::scenario::plan::Plan;
use ipcrun::schedule::{Rest, Turn, Turns};
use ipcrun::trace::file::{self, Meta};
use ipcrun::trace::{ProcessEnd, RunEnd, Trace};
use ipcrun::value::Value;

const TESTS: &[(&str, fn())] = &[
    ("an_update_is_lost_or_not_as_the_schedule_says", an_update_is_lost_or_not_as_the_schedule_says),
    ("every_end_of_the_model_is_reached_on_the_kernel", every_end_of_the_model_is_reached_on_the_kernel),
];

fn main() -> ExitCode {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let mut failed = 0;
    for (name, test) in TESTS.iter().filter(|(name, _)| name.contains(&filter)) {
        let begin = std::time::Instant::now();
        let passed = catch_unwind(AssertUnwindSafe(test)).is_ok();
        failed += u32::from(!passed);
        println!("test {name} ... {} ({} ms)", if passed { "ok" } else { "FAILED" }, begin.elapsed().as_millis());
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn plan(text: &str) -> Plan {
    let source = Arc::new(Source::new("p.toml".to_owned(), text.to_owned()));
    let forms: Vec<_> = FORMS.iter().map(|form| &form.description).collect();
    match scenario::load(&source, &scenario::Options::default(), &forms) {
        Ok(loaded) => loaded.plan,
        Err(diagnostics) => panic!("{diagnostics:?}"),
    }
}

fn run(plan: &Plan, turns: &Turns) -> Result<Trace, Vec<Diagnostic>> {
    let mut notice = |_: Notice<'_>| {};
    kernel::run(plan, &mut Options { recording: Recording::Full, schedule: Some(turns), notice: &mut notice })
}

fn held(plan: &Plan, turns: &Turns) -> Trace {
    match run(plan, turns) {
        Ok(trace) => trace,
        Err(diagnostics) => panic!("{diagnostics:?}"),
    }
}

/// A turn of one step for each process of the list.
fn turns(of: &[u32]) -> Turns {
    let turns = of.iter().map(|process| Turn { process: *process, steps: 1, ..Turn::default() });
    Turns { turns: turns.collect(), ..Turns::default() }
}

/// The events as text, one a line.
fn told(trace: &Trace) -> String {
    trace.events.iter().map(|event| format!("{event:?}\n")).collect()
}

fn an_update_is_lost_or_not_as_the_schedule_says() {
    let plan = plan(
        r#"
[objects]
money = { kind = "value", value = 0 }
[processes.p]
count = 2
steps = [{ load = "money", into = "m" }, { store = "money", value = "{m + 1}" }]
"#,
    );
    for (order, money) in [([0, 0, 1, 1], 2), ([0, 1, 0, 1], 1), ([1, 0, 0, 1], 1), ([1, 1, 0, 0], 2)] {
        let mut turns = turns(&order);
        turns.turns[3].ends = true;
        let other = order.iter().rposition(|process| *process != order[3]).unwrap();
        turns.turns[other].ends = true;
        let trace = held(&plan, &turns);
        assert_eq!(trace.finals, [Some(Value::Int(money))], "{order:?}");
        assert_eq!(trace.end, RunEnd::Completed);
    }
}

/// Each end that the model finds, and how the model tells of it.
fn ends(plan: &Plan, time: Time) -> Vec<Told> {
    let mut space = Space::new(plan, time, vec![false; plan.steps.len()], false);
    let full = full::search(&mut space, 100_000).expect("it ends");
    full.ends
        .iter()
        .map(|end| {
            let path = full.path(&mut space, *end).expect("it is a path");
            tell(&space, &path).expect("it can be followed")
        })
        .collect()
}

/// Scenarios in which everything happens that a schedule has a word for.
const SCENARIOS: &[(&str, &str)] = &[
    (
        "update",
        r#"
[objects]
money = { kind = "value", value = 0 }
[processes.p]
count = 2
steps = [{ print = "hello" }, { repeat = 2, do = [{ load = "money", into = "m" }, { store = "money", value = "{m + 1}" }, { print = "{m}" }] }]
"#,
    ),
    (
        "abba",
        r#"
[objects]
a = { kind = "mutex" }
b = { kind = "mutex" }
[processes.p]
steps = [{ lock = "a" }, { lock = "b" }, { unlock = "b" }, { unlock = "a" }]
[processes.q]
steps = [{ lock = "b" }, { lock = "a" }, { unlock = "a" }, { unlock = "b" }]
"#,
    ),
    (
        "condition",
        r#"
[objects]
m = { kind = "mutex" }
c = { kind = "condition", mutex = "m" }
x = { kind = "value", value = 0 }
[processes.w]
count = 3
steps = [{ lock = "m" }, { wait = "c" }, { update = "x", value = "{it * 3 + index}" }, { unlock = "m" }]
[processes.n]
steps = [{ sleep = "1s" }, { lock = "m" }, { notify = "c", n = 2 }, { unlock = "m" }, { notify_all = "c" }]
"#,
    ),
    (
        "impatient",
        r#"
[objects]
m = { kind = "mutex" }
c = { kind = "condition", mutex = "m" }
[processes.w]
count = 2
steps = [{ lock = "m" }, { wait = "c", timeout = "1s", on = { timeout = [{ print = "late at {now}" }] } }, { unlock = "m" }]
[processes.n]
steps = [{ sleep = "1s" }, { lock = "m" }, { sleep = "1s" }, { unlock = "m" }, { notify = "c", into = "n" }, { print = "{n}" }]
"#,
    ),
    (
        "barrier",
        r#"
[objects]
b = { kind = "barrier", parties = 3 }
[processes.p]
count = 3
steps = [{ repeat = 2, do = [{ wait = "b", into = "k" }, { print = "{k}" }] }]
"#,
    ),
    (
        "posix",
        r#"
[objects]
b = { kind = "barrier", parties = 2, via = "posix" }
[processes.p]
count = 2
steps = [{ repeat = 2, do = [{ wait = "b", into = "k" }, { print = "{k}" }] }]
"#,
    ),
    (
        "broken",
        r#"
[objects]
b = { kind = "barrier", parties = 3 }
[processes.p]
count = 2
steps = [{ wait = "b", timeout = "1s", on = { timeout = [{ print = "first" }], broken = [{ print = "second" }] } }]
"#,
    ),
    (
        "permits",
        r#"
[objects]
s = { kind = "semaphore", value = 1 }
[processes.p]
count = 2
steps = [{ acquire = "s", timeout = "1s", on = { timeout = ["break"] } }, { sleep = "2s" }, { release = "s" }]
"#,
    ),
    (
        "family",
        r#"
[objects]
s = { kind = "semaphore", value = 0 }
m = { kind = "mutex", robust = true }
[processes.main]
steps = [{ start = "child" }, { acquire = "s" }, { kill = "child[1]", signal = "TERM" }, { join = "child", into = "code" }, { print = "{code} {pid}" }, { status = "child[0]", into = "how" }]
[processes.child]
count = 2
start = "manual"
steps = [{ print = "born" }, { lock = "m", on = { owner_died = [{ repair = "m" }] } }, { release = "s" }, { sleep = "1s" }, { unlock = "m" }]
[processes.late]
depends_on = { child = "exited" }
steps = [{ print = "late" }, { mark = "done" }]
"#,
    ),
    (
        "event",
        r#"
[objects]
e = { kind = "event" }
[processes.w]
count = 2
steps = [{ wait = "e", timeout = "1s", on = { timeout = [] } }, { clear = "e" }]
[processes.s]
steps = [{ sleep = "1s" }, { set = "e" }, { exit = 3 }]
"#,
    ),
];

fn every_end_of_the_model_is_reached_on_the_kernel() {
    for (name, text) in SCENARIOS {
        let plan = plan(text);
        let mut seen = 0;
        for time in [Time::Virtual, Time::Any] {
            for end in ends(&plan, time).iter().take(60) {
                let trace = match run(&plan, &end.turns) {
                    Ok(trace) => trace,
                    Err(diagnostics) => panic!("{name}: {diagnostics:?}\n{:#?}", end.turns),
                };
                assert_eq!(told(&trace), told(&end.trace), "{name}: {:#?}", end.turns);
                assert_eq!(
                    (&trace.finals, &trace.ends),
                    (&end.trace.finals, &end.trace.ends),
                    "{name}: {:#?}",
                    end.turns
                );
                assert_eq!(trace.duration, end.trace.duration);
                assert!(trace.causality.problems().is_empty());
                if !matches!(trace.end, RunEnd::Timeout(_)) {
                    assert_eq!(trace.end, end.trace.end, "{name}: {:#?}", end.turns);
                }
                seen += 1;
            }
        }
        println!("{name}: {seen}");
    }
}
