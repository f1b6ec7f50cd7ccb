//! From the model to the kernel: each end that a search finds, and some of what lies on the way, is driven on real
//! processes, and their trace is the model's.

use ipcrun::explore::execution::concretise::{Told, tell};
use ipcrun::explore::semantics::transition::Time;
use ipcrun::explore::state_space::StateSpace;
use ipcrun::explore::strategy::bfs::{Limits, Reductions, Search};
use ipcrun::scenario::plan::Plan;
use ipcrun::schedule::Rest;
use ipcrun::trace::diff::difference;
use ipcrun::trace::file::{self, Meta};

use super::{Found, budget, generate, load, seeds, shipped, taste};

/// The most states of a search.
const STATES: usize = 20_000;

/// Some of what a search finds, as the model tells of it: ends, and states on the way to one.
fn courses(plan: &Plan, time: Time, reductions: Reductions, most: usize) -> Result<Vec<Told>, String> {
    let mut space = StateSpace::new(plan, time, vec![false; plan.steps.len()], false);
    let mut search = Search::new(&mut space, reductions);
    search
        .run(Limits { states: STATES, ..Limits::default() }, &mut |_| true)
        .map_err(|endless| format!("{endless:?}"))?;
    let ends = search.ends.len();
    let mut chosen: Vec<u32> = search.ends.iter().copied().step_by((ends / most).max(1)).take(most).collect();
    let over = chosen.len();
    let met = search.store.len();
    chosen.extend((0..met as u32).step_by((met / 2).max(1)).skip(1).take(2));
    let mut paths = Vec::new();
    for state in chosen {
        let line = search.line(state);
        let path = search.path(&line).map_err(|endless| format!("{endless:?}"))?;
        if path.len() + 1 != line.len() {
            return Err("a line of states is no path".to_owned());
        }
        paths.push(path);
    }
    let mut told = Vec::new();
    for (place, path) in paths.iter().enumerate() {
        let course = tell(&space, path).map_err(|lost| format!("{lost:?} in {path:?}"))?;
        if place < over && course.turns.rest == Rest::Stop {
            return Err(format!("somebody can still move at an end: {path:?}\n{:?}", course.trace.ends));
        }
        told.push(course);
    }
    Ok(told)
}

/// Drives some of what the model finds on the kernel. What is different there.
fn compare(found: &mut Found, plan: &Plan, most: usize) -> Option<String> {
    for (time, reductions) in [
        (Time::Virtual, Reductions::NONE),
        (Time::Any, Reductions::NONE),
        (Time::Virtual, Reductions::ALL),
        (Time::Any, Reductions::ALL),
    ] {
        let courses = match courses(plan, time, reductions, most) {
            Ok(courses) => courses,
            Err(problem) => return Some(format!("{time:?} {reductions:?}: {problem}")),
        };
        for course in &courses {
            let turns: String = course.turns.turns.iter().map(|turn| format!("\n  {turn:?}")).collect();
            let problem = match found.run(plan, Some(&course.turns)) {
                Ok(trace) => difference(&trace, &course.trace).map(|difference| difference.to_string()),
                Err(diagnostics) => Some(format!("{} {:?}", diagnostics[0].message, diagnostics[0].notes)),
            };
            if let Some(problem) = problem {
                let events: String = course.trace.events.iter().map(|event| format!("\n  {event:?}")).collect();
                return Some(format!("{time:?} {reductions:?}: {problem}{turns}{events}"));
            }
        }
    }
    None
}

pub(super) fn of_random_scenarios() {
    let mut found = Found::default();
    for seed in seeds(60) {
        let text = generate::scenario(seed, taste(seed));
        found.scenarios += 1;
        let Ok(plan) = load("p.toml", text.clone()) else {
            found.refused += 1;
            continue;
        };
        if let Some(problem) = compare(&mut found, &plan, 4) {
            println!("seed {seed}: {problem}\n{text}");
            found.problems.push(format!("seed {seed}: {problem}"));
        }
    }
    found.tell();
}

pub(super) fn of_shipped_scenarios() {
    let mut found = Found::default();
    for (name, plan) in shipped() {
        found.scenarios += 1;
        if let Some(problem) = compare(&mut found, &plan, (4 * budget() as usize).min(1000)) {
            found.problems.push(format!("{name}: {problem}"));
        }
    }
    found.tell();
}

/// One end of each of a few scenarios, many times over.
pub(super) fn each_time_the_same() {
    let mut found = Found::default();
    for seed in seeds(3) {
        let Ok(plan) = load("p.toml", generate::scenario(seed, taste(seed))) else { continue };
        let Ok(courses) = courses(&plan, Time::Any, Reductions::ALL, 1) else { continue };
        let Some(course) = courses.first() else { continue };
        found.scenarios += 1;
        let mut written = |plan: &Plan| {
            let trace = found.run(plan, Some(&course.turns)).expect("the kernel follows the schedule");
            let mut bytes = Vec::new();
            file::write(&mut bytes, plan, &trace, &Meta::default()).expect("memory can be written");
            bytes
        };
        let first = written(&plan);
        for round in 0..200 {
            assert!(written(&plan) == first, "seed {seed}, round {round}");
        }
    }
    found.tell();
}
