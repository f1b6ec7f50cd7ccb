//! Processes that are held to a schedule, by the library: a program without threads of its own, since it forks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

use ipcrun::diagnostic::{Diagnostic, Source};
use ipcrun::explore::execution::concretise::tell;
use ipcrun::explore::execution::guided;
use ipcrun::explore::run as explore;
use ipcrun::explore::semantics::transition::Time;
use ipcrun::judge::FORMS;
use ipcrun::kernel::{self, Notice, Options, Recording};
use ipcrun::scenario;
use ipcrun::scenario::plan::Plan;
use ipcrun::schedule::{Rest, Turn, Turns};
use ipcrun::trace::file::{self, Meta};
use ipcrun::trace::{ProcessEnd, RunEnd, Trace};
use ipcrun::value::Value;

const TESTS: &[(&str, fn())] = &[
    ("an_update_is_lost_or_not_as_the_schedule_says", an_update_is_lost_or_not_as_the_schedule_says),
    ("a_deadlock_is_reached_and_confirmed", a_deadlock_is_reached_and_confirmed),
    ("the_chosen_waiter_is_woken", the_chosen_waiter_is_woken),
    ("a_time_is_over_although_a_permit_comes", a_time_is_over_although_a_permit_comes),
    ("a_step_that_parks_goes_on_in_a_later_turn", a_step_that_parks_goes_on_in_a_later_turn),
    ("random_numbers_are_chosen", random_numbers_are_chosen),
    ("a_process_dies_in_its_turn", a_process_dies_in_its_turn),
    ("a_run_stops_where_its_schedule_ends", a_run_stops_where_its_schedule_ends),
    ("a_run_stops_at_the_first_event_behind_its_schedule", a_run_stops_at_the_first_event_behind_its_schedule),
    ("the_same_schedule_gives_the_same_trace", the_same_schedule_gives_the_same_trace),
    ("what_the_schedule_does_not_foresee_is_told", what_the_schedule_does_not_foresee_is_told),
    ("nothing_is_left_behind", nothing_is_left_behind),
    ("an_interrupt_ends_the_run", an_interrupt_ends_the_run),
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
    kernel::run(
        plan,
        &mut Options {
            recording: Recording::Full,
            limits: kernel::Limits::default(),
            schedule: Some(turns),
            notice: &mut notice,
            spool: None,
        },
    )
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

/// One turn of one step.
fn turn(process: u32) -> Turn {
    Turn { process, steps: 1, ..Turn::default() }
}

const PHILOSOPHERS: &str = r#"
[objects]
a = { kind = "mutex" }
b = { kind = "mutex" }
[processes.p]
steps = [{ lock = "a" }, { lock = "b" }, { unlock = "b" }, { unlock = "a" }]
[processes.q]
steps = [{ lock = "b" }, { lock = "a" }, { unlock = "a" }, { unlock = "b" }]
"#;

fn a_deadlock_is_reached_and_confirmed() {
    let plan = plan(PHILOSOPHERS);
    let trace = held(&plan, &Turns { end: 5, ..turns(&[0, 1]) });
    assert_eq!(trace.end, RunEnd::Deadlock);
    assert_eq!(
        trace.stuck.iter().map(|waiting| (waiting.process, waiting.holder)).collect::<Vec<_>>(),
        [(0, Some(1)), (1, Some(0))]
    );
    assert_eq!(trace.duration, 5);
}

const WAITERS: &str = r#"
[objects]
m = { kind = "mutex" }
c = { kind = "condition", mutex = "m" }
[processes.w]
count = 2
steps = [{ lock = "m" }, { wait = "c" }, { unlock = "m" }]
[processes.n]
steps = [{ notify = "c" }]
"#;

fn the_chosen_waiter_is_woken() {
    let plan = plan(WAITERS);
    let parks = |process| Turn { parks: true, ..turn(process) };
    for chosen in [0, 1] {
        let turns = Turns {
            turns: vec![
                turn(0),
                parks(0),
                turn(1),
                parks(1),
                Turn { choices: vec![chosen], ends: true, ..turn(2) },
                Turn { waited: true, ..turn(chosen) },
                Turn { ends: true, ..turn(chosen) },
            ],
            ..Turns::default()
        };
        let trace = held(&plan, &turns);
        assert_eq!(trace.end, RunEnd::Deadlock);
        assert_eq!(trace.stuck.iter().map(|waiting| waiting.process).collect::<Vec<_>>(), [1 - chosen]);
        let wait = trace.events.iter().find(|event| event.verb == "wait" && !event.implicit).unwrap();
        assert!(wait.blocked && wait.id.process() == chosen && wait.cause.is_some_and(|cause| cause.process() == 2));
    }
}

fn a_time_is_over_although_a_permit_comes() {
    let plan = plan(
        r#"
[objects]
s = { kind = "semaphore", value = 0 }
[processes.p]
steps = [{ acquire = "s", timeout = "1ms", on = { timeout = [{ print = "late" }] } }]
[processes.q]
steps = [{ release = "s" }]
"#,
    );
    let late = Turn { times_out: true, waited: true, ends: true, at: 1_000_000, steps: 2, ..turn(0) };
    let release = Turn { ends: true, ..turn(1) };
    let early =
        Turns { turns: vec![late, Turn { at: 1_000_000, ..release.clone() }], end: 1_000_000, ..Turns::default() };
    let trace = held(&plan, &early);
    assert_eq!(trace.ends, [ProcessEnd::Exited(0), ProcessEnd::Exited(0)]);
    let acquire = trace.events.iter().find(|event| event.verb == "acquire").unwrap();
    assert_eq!((acquire.outcome.name().as_str(), acquire.blocked, acquire.end), ("timeout", true, 1_000_000));
    assert!(trace.events.iter().any(|event| event.verb == "print"));
    let taken = Turn { ends: true, at: 500, ..turn(0) };
    let trace = held(&plan, &Turns { turns: vec![release, taken], end: 500, ..Turns::default() });
    assert!(trace.events.iter().all(|event| event.outcome.is_ok() && event.verb != "print"));
}

fn a_step_that_parks_goes_on_in_a_later_turn() {
    let plan = plan(
        r#"
[objects]
b = { kind = "pipe", framing = "bytes", capacity = 4096 }
[processes.p]
steps = [{ send = "b.w", value = { bytes = "x", repeat = 8192 } }]
[processes.g]
steps = [{ recv = "b.r", into = "v", max = 4096 }, { recv = "b.r", into = "v", max = 4096 }]
"#,
    );
    let turns = Turns {
        turns: vec![
            Turn { parks: true, ..turn(0) },
            Turn { at: 1, ..turn(1) },
            Turn { at: 2, waited: true, ends: true, ..turn(0) },
            Turn { at: 3, ends: true, ..turn(1) },
        ],
        end: 3,
        ..Turns::default()
    };
    let trace = held(&plan, &turns);
    assert_eq!(trace.end, RunEnd::Completed);
    let send = trace.events.iter().find(|event| event.verb == "send").unwrap();
    assert_eq!((send.begin, send.end, send.blocked), (0, 2, true));
}

fn random_numbers_are_chosen() {
    let plan = plan(
        r#"
[objects]
x = { kind = "value", value = 0 }
[processes.p]
steps = [{ store = "x", value = "{random(1, 6)}" }, { let = { n = "{random(-3, 3)}" } }, { store = "x", value = "{n}" }]
"#,
    );
    for (first, second) in [(0, 6), (5, 0)] {
        let turns = Turns {
            turns: vec![Turn { choices: vec![first, second], ..turn(0) }, Turn { ends: true, ..turn(0) }],
            random: true,
            ..Turns::default()
        };
        let trace = held(&plan, &turns);
        let stored = trace.events.iter().filter(|event| event.verb == "store").map(|event| event.value.clone());
        let stored: Vec<Value> = stored.collect();
        assert_eq!(stored, [Value::Int(i64::from(first) + 1), Value::Int(i64::from(second) - 3)]);
    }
}

fn a_process_dies_in_its_turn() {
    let plan = plan(
        r#"
[objects]
x = { kind = "value", value = 0 }
[processes.p]
steps = [{ repeat = 3, do = [{ update = "x", value = "{it + 1}" }] }]
[processes.q]
steps = [{ kill = "p", signal = "TERM" }, { join = "p", into = "code" }, { exit = "{-code}" }]
"#,
    );
    let turns = Turns {
        turns: vec![
            turn(1),
            turn(0),
            turn(0),
            Turn { dies: true, ends: true, steps: 0, ..turn(0) },
            Turn { waited: true, ends: true, steps: 2, ..turn(1) },
        ],
        ..Turns::default()
    };
    let trace = held(&plan, &turns);
    assert_eq!(trace.ends, [ProcessEnd::Killed(libc_term()), ProcessEnd::Exited(libc_term())]);
    assert_eq!(trace.finals, [Some(Value::Int(2))]);
}

fn libc_term() -> i32 {
    nix::sys::signal::Signal::SIGTERM as i32
}

fn a_run_stops_where_its_schedule_ends() {
    let plan = plan(PHILOSOPHERS);
    let trace = held(&plan, &Turns { rest: Rest::Stop, end: 9, ..turns(&[0, 0, 0]) });
    assert!(matches!(&trace.end, RunEnd::Timeout(left) if left.len() == 2));
    assert_eq!(trace.ends, [ProcessEnd::Stopped, ProcessEnd::Stopped]);
    assert_eq!((trace.duration, trace.events.len()), (9, 5));
}

fn a_run_stops_at_the_first_event_behind_its_schedule() {
    let plan = plan(
        r#"
timeout = "60s"
[objects]
x = { kind = "value", value = 0 }
[processes.p]
steps = [{ add = "x", value = 1 }, { add = "x", value = 1 }, { sleep = "50s" }, { add = "x", value = 1 }]
"#,
    );
    let begin = std::time::Instant::now();
    // What waits for ever in the schedule continues on the kernel.
    let trace = held(&plan, &turns(&[0]));
    assert!(begin.elapsed() < std::time::Duration::from_secs(20), "it runs on");
    assert!(matches!(&trace.end, RunEnd::Timeout(left) if left.len() == 1), "{:?}", trace.end);
    assert_eq!(trace.finals, [Some(Value::Int(2))]);
    assert_no_children();
}

fn the_same_schedule_gives_the_same_trace() {
    let plan = plan(include_str!("../corpus/driven-family.toml"));
    let mut space = explore::scheduled(&plan, Time::Virtual, &[]);
    let path = guided::walk(&mut space, 1).expect("it ends");
    let course = tell(&space, &path).expect("it can be followed");
    let written = || {
        let mut bytes = Vec::new();
        file::write(&mut bytes, &plan, &held(&plan, &course.turns), &Meta::default()).unwrap();
        bytes
    };
    let first = written();
    for round in 0..100 {
        assert!(written() == first, "round {round}");
    }
    let verbs = |verb: &str| scenario_verb(&plan, verb);
    let saved = file::open("t.jsonl", first.as_slice(), &verbs).unwrap().read(None, &mut |_| {}).unwrap();
    let mut again = Vec::new();
    file::write(&mut again, &plan, &saved.into_trace(&plan).unwrap(), &Meta::default()).unwrap();
    assert!(again == first, "a trace that was read is in the order in which it was written");
}

fn scenario_verb(plan: &Plan, verb: &str) -> Option<&'static str> {
    let of_objects = plan.groups.iter().flat_map(|group| group.kind.verbs).map(|verb| verb.name);
    of_objects.chain(plan.steps.iter().map(|step| step.verb)).chain(["begin", "end"]).find(|name| *name == verb)
}

fn what_the_schedule_does_not_foresee_is_told() {
    let plan = plan(PHILOSOPHERS);
    let cases: [(Turns, &str, &str); 7] = [
        (turns(&[0, 0, 1]), "`q` blocked, but continues in the schedule, in turn 3 of 3", "{ lock = \"b\" }"),
        (
            Turns { turns: vec![Turn { ends: true, ..turn(0) }], ..Turns::default() },
            "`p` continues, but ends in the schedule",
            "{ lock = \"a\" }",
        ),
        (
            Turns { turns: vec![Turn { steps: 4, ..turn(0) }], ..Turns::default() },
            "`p` ended, but continues in the schedule",
            "{ unlock = \"a\" }",
        ),
        (
            Turns { turns: vec![Turn { steps: 9, ends: true, ..turn(0) }], ..Turns::default() },
            "`p` took 5 steps fewer",
            "{ unlock = \"a\" }",
        ),
        (
            Turns { turns: vec![Turn { parks: true, ..turn(0) }], ..Turns::default() },
            "`p` did not have to wait, but waits in the schedule",
            "{ lock = \"a\" }",
        ),
        (
            Turns { turns: vec![Turn { choices: vec![1], ..turn(0) }], ..Turns::default() },
            "`p` had 0 choices, but 1 in the schedule",
            "{ lock = \"a\" }",
        ),
        (
            Turns { turns: vec![Turn { dies: true, ..turn(0) }], ..Turns::default() },
            "dies in the schedule of a signal that was not sent to it",
            "",
        ),
    ];
    for (turns, message, place) in cases {
        let diagnostics = run(&plan, &turns).map(|_| ()).unwrap_err();
        let [diagnostic] = diagnostics.as_slice() else { panic!("{diagnostics:?}") };
        assert_eq!(diagnostic.code.to_string(), "E0306");
        assert!(diagnostic.message.contains(message), "{} / {message}", diagnostic.message);
        let span = diagnostic.primary.as_ref().unwrap().span.clone();
        assert!(plan.source.text[span].contains(place), "{message}");
        assert_no_children();
    }
    let none = Turns { turns: vec![turn(5)], ..Turns::default() };
    assert!(run(&plan, &none).is_err());
}

fn assert_no_children() {
    let children = nix::sys::wait::waitpid(None::<nix::unistd::Pid>, Some(nix::sys::wait::WaitPidFlag::WNOHANG));
    assert_eq!(children, Err(nix::errno::Errno::ECHILD), "a process is left");
}

fn nothing_is_left_behind() {
    let plan = plan(PHILOSOPHERS);
    held(&plan, &turns(&[0, 1]));
    assert_no_children();
    held(&plan, &Turns { rest: Rest::Stop, ..turns(&[0]) });
    assert_no_children();
}

fn an_interrupt_ends_the_run() {
    let plan = plan(
        r#"
[objects]
x = { kind = "value", value = 0 }
[processes.p]
steps = [{ forever = [{ update = "x", value = "{it + 1}" }, { print = "{it}" }] }]
"#
        .replace("{it}", "on")
        .as_str(),
    );
    let turns = Turns { turns: vec![Turn { steps: 2, ..turn(0) }; 100], begins: vec![0], ..Turns::default() };
    let mut lines = 0;
    let mut notice = |notice: Notice<'_>| {
        if let Notice::Printed { .. } = notice {
            lines += 1;
            if lines == 10 {
                nix::sys::signal::raise(nix::sys::signal::Signal::SIGINT).unwrap();
            }
        }
    };
    let mut options = Options {
        recording: Recording::Full,
        limits: kernel::Limits::default(),
        schedule: Some(&turns),
        notice: &mut notice,
        spool: None,
    };
    let trace = kernel::run(&plan, &mut options).unwrap();
    assert_eq!((trace.end, trace.finals), (RunEnd::Interrupted, vec![Some(Value::Int(lines))]));
    assert_no_children();
}
