//! What kinds say of causes (`relate`, `hand_over`, `tells_order`), checked along random executions of small scenarios of
//! three processes, drawn for each kind of the catalogue.
//!
//! Neighbouring steps that are declared independent change places: every event keeps its causes. And what the search knows
//! of causes after the last step is what the judge finds in the trace of the same execution.

use std::sync::Arc;

use std::collections::BTreeSet;

use crate::event::{EventId, ProcessId};
use crate::explore::execution::concretise::tell;
use crate::explore::history::{History, HistoryOptions};
use crate::explore::reduction::independence::{Footprints, conflict, tells_order};
use crate::explore::semantics::transition::{Step, Time};
use crate::explore::state_space::{NONE, StateSpace, Transition, is_over};
use crate::explore::strategy::depth_bound::longest;
use crate::explore::testing::step_soundness::{after, used};
use crate::explore::tests::plan;
use crate::generate::{self, Taste};
use crate::interpreter::Random;
use crate::judge::{self, Status};
use crate::objects::contract::model::Willing;
use crate::objects::{CATALOGUE, Effect};
use crate::scenario::plan::Plan;
use crate::trace::{RunEnd, Trace};

/// The most steps of an execution that is looked at.
const MOST: usize = 60;
/// The most events of an execution of which every two are compared: one step of the search can be many.
const MOST_EVENTS: usize = 300;
/// How many ways are gone through each scenario, and of how many pairs of patterns it is asked.
const WALKS: usize = 6;
const PAIRS: usize = 8;

/// Processes over objects of one kind, those that it needs, and cells by which races are found.
pub(super) fn text(kind: &'static str, seed: u64) -> String {
    let taste = Taste {
        name: "causes",
        kind: Some(kind),
        cells: seed % 2 == 1,
        times: seed % 4 > 1,
        lives: seed % 8 == 7,
        ..generate::EVERYTHING
    };
    generate::scenario(seed, taste).text()
}

/// Expectations about causes of the events that a scenario can have, each as a text that stands behind the scenario's own.
pub(super) fn asked(text: &str, random: &mut Random, count: usize) -> Vec<String> {
    let plan = plan(text);
    let events = events(&plan);
    let mut below = |count: usize| random.between(0, count as i64 - 1) as usize;
    let mut all = Vec::new();
    for _ in 0..count {
        let one = &events[below(events.len())];
        // Mostly of what happens to the same object in another process.
        let near: Vec<_> = events.iter().filter(|other| other.2 == one.2 && other.0 != one.0).collect();
        let other =
            if near.is_empty() || below(3) == 0 { &events[below(events.len())] } else { near[below(near.len())] };
        let [one, other] = [one, other].map(|(process, verb, object)| {
            format!("{{ process = \"{process}\", verb = \"{verb}\", object = \"{object}\", outcome = \"*\" }}")
        });
        all.push(match below(3) {
            0 => format!("order = [{one}, {other}]\nallow_empty = true"),
            _ => format!("all_before = [{one}, {other}]"),
        });
    }
    let groups = plan.groups.iter().filter(|group| group.kind.verb_that(Effect::Writes).is_some());
    all.extend(groups.map(|group| format!("race_free = \"{}\"", group.name)));
    let mut texts: Vec<String> = all.iter().map(|one| format!("\n[[expect]]\n{one}\n")).collect();
    texts.retain(|one| generate::is_accepted(&format!("{text}{one}")));
    texts.sort();
    texts.dedup();
    texts
}

/// Process, verb and object of the events that a scenario can have.
fn events(plan: &Plan) -> Vec<(String, &'static str, String)> {
    let mut events = Vec::new();
    for process in &plan.processes {
        let program = &plan.programs[process.program];
        let names = [&process.name, &program.name];
        let mut add = |verb, object: &str| {
            events.extend(names.iter().map(|name| ((*name).clone(), verb, object.to_owned())));
        };
        add("begin", "*");
        add("end", "*");
        for operation in program.operations() {
            if let Some((object, verb)) = operation.accessed().next() {
                add(plan.kind(object).verbs[verb as usize].name, &plan.objects[object as usize].name);
            }
        }
    }
    events
}

/// A random execution: its steps and the state before each; none where it is too long.
fn walk(space: &mut StateSpace<'_>, random: &mut Random) -> Option<(Vec<Step>, Vec<Vec<u32>>)> {
    let mut states = vec![space.initial().expect("no process computes without end")];
    let (mut path, mut moves): (Vec<Step>, Vec<Transition>) = (Vec::new(), Vec::new());
    loop {
        let state = states.last().expect("there is one");
        space.moves(state, &mut moves).expect("no process computes without end");
        if is_over(&moves) {
            return Some((path, states));
        }
        if path.len() == MOST {
            return None;
        }
        let step = moves[random.between(0, moves.len() as i64 - 1) as usize];
        let next = after(space, state, step);
        path.push(space.step(step));
        states.push(next);
    }
}

/// Where an execution shows another thing than is said of it.
pub(super) fn fault(text: &str, seed: u64) -> Option<String> {
    let mut random = Random::new(seed, "causes", 0);
    moved(text, &mut random).or_else(|| misjudged(text, &mut random).err())
}

/// Two neighbouring steps that are said to be independent, of which another order gives other causes; or an execution that is
/// longer than the longest.
fn moved(text: &str, random: &mut Random) -> Option<String> {
    let plan = plan(text);
    let time = if random.between(0, 1) == 0 { Time::Virtual } else { Time::Any };
    let mut space = StateSpace::new(&plan, time, vec![false; plan.steps.len()], false);
    let futures = Footprints::new(&plan, false, &Arc::default()).expect("nothing limits it");
    let most = longest(&space);
    for _ in 0..WALKS {
        let Some((path, states)) = walk(&mut space, random) else { continue };
        let steps = path.iter().filter(|step| step.process != NONE).count();
        if most.is_some_and(|most| steps > most as usize) {
            return Some(format!("{steps} steps, of which there are {most:?} at most"));
        }
        if let Some(problem) = parked(&space, &path, &states) {
            return Some(problem);
        }
        let told = tell(&space, &path).expect("it can be followed").trace;
        if told.events.len() > MOST_EVENTS {
            continue;
        }
        if let RunEnd::Timeout(doing) = &told.end {
            return Some(format!("the search knows no further step, and {doing:?} have one"));
        }
        let last = states.last().expect("there is one");
        for (object, value) in (0..).zip(&told.finals) {
            let shares: Vec<u32> =
                (0..plan.processes.len()).map(|at| space.segment_of(last[at]).share(object)).collect();
            let known = space.object_of(object, last[plan.processes.len() + object as usize]).last(&shares);
            if known != *value {
                return Some(format!("the search ends with {known:?}, not {value:?}"));
            }
        }
        let causes = relation(&told);
        for at in 1..path.len() {
            let Some(other) = exchanged(&mut space, &futures, &path, &states, at) else { continue };
            let Ok(other) = tell(&space, &other) else {
                return Some(format!("{:?} and {:?} do not change places", path[at - 1], path[at]));
            };
            let others = relation(&other.trace);
            if others != causes {
                let (lost, found) = (causes.difference(&others).next(), others.difference(&causes).next());
                return Some(format!(
                    "{:?} and {:?} decide what is a cause: {lost:?} or {found:?}",
                    path[at - 1],
                    path[at]
                ));
            }
        }
    }
    None
}

/// A step of a process that is parked more often than its kind says.
fn parked(space: &StateSpace<'_>, path: &[Step], states: &[Vec<u32>]) -> Option<String> {
    let mut turns = vec![0; space.plan.processes.len()];
    for (step, state) in path.iter().zip(states) {
        if step.process == NONE {
            continue;
        }
        let number = state[step.process as usize];
        let count = &mut turns[step.process as usize];
        *count = if space.segment_of(number).parked { *count + 1 } else { 1 };
        let next = space.info(number).next.operation();
        if let Some((next, (object, access))) = next.and_then(|next| Some((next, next.object()?))) {
            let model = space.object_of(object, state[space.plan.processes.len() + object as usize]);
            let timed = next.willing == Willing::Timed;
            let most = model.turns(access.verb).map(|most| most + u32::from(most > 1 && timed));
            if most.is_some_and(|most| *count > most) {
                return Some(format!("{access:?} takes {count} turns, not {most:?}"));
            }
        }
    }
    None
}

/// The path with a step before the one that it follows, where both are about objects and said to be independent.
fn exchanged(
    space: &mut StateSpace<'_>,
    futures: &Footprints,
    path: &[Step],
    states: &[Vec<u32>],
    at: usize,
) -> Option<Vec<Step>> {
    let plan = space.plan;
    let pair = [at - 1, at];
    let [one, other] = pair.map(|at| path[at].process);
    let about = |process: ProcessId, state: &[u32]| {
        process != NONE && space.info(state[process as usize]).next.object().is_some()
    };
    if one == other || !pair.iter().all(|at| about(path[*at].process, &states[*at])) {
        return None;
    }
    let [first, second] = pair.map(|at| used(space, futures, path[at].process, &states[at], &states[at + 1]));
    if first.iter().any(|one| second.iter().any(|two| conflict(plan, *one, *two) || tells_order(plan, *one, *two))) {
        return None;
    }
    let mut moves = Vec::new();
    space.moves(&states[at - 1], &mut moves).expect("no process computes without end");
    if !moves.iter().any(|step| space.step(*step) == path[at]) {
        return None;
    }
    let mut path = path.to_vec();
    path.swap(at - 1, at);
    Some(path)
}

/// Which event happened before which, by synchronisation and by all causes.
fn relation(trace: &Trace) -> BTreeSet<(EventId, EventId, bool)> {
    let events = &trace.events;
    let pairs = (0..events.len()).flat_map(|one| (0..events.len()).map(move |other| (one, other)));
    pairs
        .flat_map(|(one, other)| {
            let pair = (events[one].id, events[other].id);
            let ties = [(trace.synchronises(one, other), true), (trace.happens_before(one, other), false)];
            ties.into_iter().filter(|(holds, _)| *holds).map(move |(_, sync)| (pair.0, pair.1, sync))
        })
        .collect()
}

/// Goes random ways through a scenario and compares what is known of causes with what the judge finds. How often an
/// expectation held and failed.
fn misjudged(text: &str, random: &mut Random) -> Result<[usize; 2], String> {
    known(&format!("{text}{}", asked(text, random, PAIRS).concat()), random)
}

/// The same, of a scenario with its expectations.
fn known(text: &str, random: &mut Random) -> Result<[usize; 2], String> {
    let plan = plan(text);
    let mut counts = [0; 2];
    for _ in 0..WALKS {
        let memories = History::new(&plan, judge::memories(&plan), Time::Virtual, HistoryOptions::default());
        let mut space = StateSpace::remembering(&plan, Time::Virtual, memories);
        let Some((path, states)) = walk(&mut space, random) else { continue };
        let (kept, state) = (space.kept().start, states.last().expect("there is one"));
        let known = space.memories.as_ref().and_then(|memories| memories.failed(&|place| state[kept + place]));
        let Some(known) = known else { continue };
        let told = tell(&space, &path).expect("it can be followed");
        let problems = told.trace.causality.problems();
        if !problems.is_empty() {
            return Err(format!("{problems:?}\n{text}"));
        }
        let verdict = judge::judge(&plan, &told.trace);
        let failed = |one: &judge::Judged| one.is_firm() && one.finding.status == Status::Fail;
        // What a step expects of itself asks for no cause.
        let asked = plan.expectations.iter().zip(&verdict.findings).filter(|(one, _)| one.form.name != "expect");
        let judged: Vec<bool> = asked.map(|(_, finding)| failed(finding)).collect();
        if known != judged {
            let events = told.trace.events.iter().map(|event| (event.id.process(), event.verb, event.outcome));
            return Err(format!("known {known:?}, judged {judged:?}: {:?}\n{text}", events.collect::<Vec<_>>()));
        }
        for failed in judged {
            counts[usize::from(failed)] += 1;
        }
    }
    Ok(counts)
}

#[test]
fn independent_steps_decide_no_cause_and_what_is_known_is_what_the_judge_finds() {
    let (mut problems, mut counts) = (Vec::new(), [0; 2]);
    for kind in CATALOGUE {
        for seed in super::first()..super::first() + super::count(12) {
            let text = text(kind.name, seed);
            let mut random = Random::new(seed, "causes", 0);
            let problem = moved(&text, &mut random);
            match problem.map_or_else(|| misjudged(&text, &mut random), Err) {
                Ok([held, failed]) => counts = [counts[0] + held, counts[1] + failed],
                Err(problem) => {
                    println!("## {} seed {seed}: {problem}\n{text}", kind.name);
                    problems.push(format!("{} {seed}: {}", kind.name, problem.lines().next().unwrap_or_default()));
                }
            }
        }
    }
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Which of two steps came last that change places is what a third fails for.
#[test]
fn a_wait_fails_for_the_last_of_two_clears() {
    let program = r#"
[objects]
e = { kind = "event" }
[processes.a]
steps = [{ clear = "e" }]
[processes.b]
steps = [{ clear = "e" }]
[processes.c]
steps = [{ wait = "e", timeout = "0s", outcome = "o" }]
"#;
    let asked = r#"
[[expect]]
all_before = ["a clear", { process = "c", verb = "wait", outcome = "*" }]
holds = "sometimes"
"#;
    assert!(super::brute_force::compare(program, &[asked.to_owned()], Time::Virtual, super::brute_force::FEW));
}

/// What is refused learns nothing.
#[test]
fn a_size_that_is_refused_knows_no_change() {
    let text = r#"
[objects]
b = { kind = "barrier", parties = 1, via = "posix" }
[processes.a]
steps = [{ wait = "b" }]
[processes.c]
steps = [{ size = "b", outcome = "o" }]
[[expect]]
all_before = ["a wait", { process = "c", verb = "size", outcome = "*" }]
"#;
    for seed in 0..8 {
        assert!(known(text, &mut Random::new(seed, "ways", 0)).is_ok_and(|counts| counts != [0, 0]));
    }
}
