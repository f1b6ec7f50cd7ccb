//! Runs written down as text, for golden tests: a scenario, and a line for each event.
//!
//! ```text
//! worker[0] 10 20 acquire permits ticket=1
//! worker[1] 11 220 acquire permits ticket=3 blocked
//! app2 5 9 recv link cause=app1:1 value="ping"
//! worker[2] ends killed 9
//! worker[3] waits 30 acquire permits
//! ```
//! Times are µs. Each process has a `begin` at 0 and, unless it is left waiting, an `end` where its last event ends.

use std::sync::Arc;

use crate::diagnostic::Source;
use crate::event::{Event, EventId, ProcessId, Target};
use crate::judge::FORMS;
use crate::objects::CATALOGUE;
use crate::outcome::Outcome;
use crate::scenario;
use crate::scenario::plan::Plan;
use crate::scenario::steps::STEPS;
use crate::trace::testing::completed;
use crate::trace::{ProcessEnd, RunEnd, Trace, Waiting};
use crate::value::Value;

/// The plan of that scenario, and the run of those lines.
pub(crate) fn sketch(scenario: &str, lines: &str) -> (Plan, Trace) {
    let source = Arc::new(Source::new("test.toml", scenario));
    let options = scenario::Options::default();
    let forms: Vec<_> = FORMS.iter().map(|form| &form.description).collect();
    let plan = scenario::load(&source, &options, &forms).expect("a right scenario").plan;
    let mut lanes: Vec<Vec<Event>> = (0..plan.processes.len()).map(|process| vec![begin(process as u32)]).collect();
    let mut ends = vec![ProcessEnd::Exited(0); plan.processes.len()];
    let mut stuck = Vec::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap_or_else(|| panic!("more words in `{line}`"));
        let process = process(&plan, word());
        match word() {
            "ends" => {
                ends[process as usize] = match (word(), words.next().and_then(|code| code.parse().ok())) {
                    ("exited", Some(code)) => ProcessEnd::Exited(code),
                    ("killed", Some(signal)) => ProcessEnd::Killed(signal),
                    ("crashed", Some(signal)) => ProcessEnd::Crashed(signal),
                    _ => ProcessEnd::Stopped,
                }
            }
            "waits" => {
                let (since, verb) = (time(word()), word().to_owned());
                let (target, step) = target(&plan, process, &verb, word());
                stuck.push(Waiting { process, step, verb, target, since, on: Vec::new(), holder: None });
                ends[process as usize] = ProcessEnd::Stopped;
            }
            begin => {
                let (begin, end) = (time(begin), time(word()));
                let verb = known(word());
                let mut event = Event::plain(process, lanes[process as usize].len() as u64, verb, begin, end);
                for rest in words {
                    match rest.split_once('=') {
                        Some(("ticket", number)) => event.ticket = number.parse().expect("a number"),
                        Some(("value", text)) => event.value = value(text),
                        Some(("second", text)) => event.second = value(text),
                        Some(("outcome", name)) => event.outcome = Outcome::parse(name).expect("an outcome"),
                        Some(("cause", text)) => {
                            let (name, number) = text.split_once(':').expect("process:number");
                            let (process, number) = (self::process(&plan, name), number.parse().expect("a number"));
                            event.cause = Some(EventId::new(process, number));
                        }
                        _ if rest == "blocked" => event.blocked = true,
                        _ if rest == "implicit" => event.implicit = true,
                        _ => (event.target, event.step) = target(&plan, process, verb, rest),
                    }
                }
                if event.step.is_none() {
                    event.step = target(&plan, process, verb, "").1;
                }
                lanes[process as usize].push(event);
            }
        }
    }
    for (process, lane) in (0..).zip(&mut lanes) {
        let Some(code) = ends[process as usize].code() else { continue };
        let at = lane.last().map_or(0, |event| event.end);
        let mut end = Event::plain(process, lane.len() as u64, "end", at, at);
        (end.value, end.target) = (Value::Int(code), Target::Process(process));
        lane.push(end);
    }
    let mut trace = completed(&plan, lanes);
    trace.ends = ends;
    if !stuck.is_empty() {
        (trace.end, trace.stuck) = (RunEnd::Deadlock, stuck);
        trace.duration += 20_000_000;
    }
    (plan, trace)
}

fn time(word: &str) -> u64 {
    word.parse::<u64>().expect("a time in µs") * 1_000
}

fn value(text: &str) -> Value {
    text.parse().map_or_else(|_| Value::from(text.trim_matches('"').replace('_', " ")), Value::Int)
}

fn process(plan: &Plan, name: &str) -> ProcessId {
    plan.processes.iter().position(|process| process.name == name).unwrap_or_else(|| panic!("no process {name}"))
        as ProcessId
}

/// The target of that name, and the step of the process that has that verb and, if it is known, that object.
fn target(plan: &Plan, process: ProcessId, verb: &str, name: &str) -> (Target, Option<u32>) {
    let target = plan.objects.iter().position(|object| object.name == name).map_or_else(
        || {
            let process = plan.processes.iter().position(|process| process.name == name);
            process.map_or(Target::None, |at| Target::Process(at as u32))
        },
        |at| Target::Object(at as u32),
    );
    let program = plan.processes[process as usize].program;
    let base = name.split('[').next().unwrap_or(name);
    let fits = |with: bool| {
        plan.steps.iter().position(|step| {
            step.program == program
                && step.verb == verb
                && (!with || step.object.split(['[', '.']).next() == Some(base))
        })
    };
    (target, fits(true).or_else(|| fits(false)).map(|at| at as u32))
}

fn known(name: &str) -> &'static str {
    let of_kinds = CATALOGUE.iter().flat_map(|kind| kind.verbs);
    let mut verbs = STEPS.iter().chain(of_kinds).map(|verb| verb.name);
    verbs.find(|verb| *verb == name).unwrap_or_else(|| panic!("no verb {name}"))
}

fn begin(process: ProcessId) -> Event {
    let mut event = Event::plain(process, 0, "begin", 0, 0);
    event.target = Target::Process(process);
    event
}
