//! From the kernel to the model: what free runs end in is among the ends that a search finds, and what each process does
//! in them is a path of the model.

use std::collections::BTreeSet;

use ipcrun::explore::execution::concretise::tell;
use ipcrun::explore::semantics::transition::Time;
use ipcrun::explore::state_space::StateSpace;
use ipcrun::explore::strategy::bfs::{Limits, Reductions, Search};
use ipcrun::judge;
use ipcrun::scenario::plan::Plan;
use ipcrun::trace::{RunEnd, Trace};

use super::lanes::{Answer, is_path};
use super::{Found, budget, generate, load, seeds, shipped, taste};

/// The most states of a search.
const STATES: usize = 20_000;

/// What a run ended in: last values, how each process ended, and who was left waiting for what.
fn end_of(plan: &Plan, trace: &Trace) -> String {
    let stuck: Vec<_> = trace.stuck.iter().map(|waiting| (waiting.process, &waiting.verb, waiting.target)).collect();
    let end = match trace.end {
        RunEnd::Timeout(_) => "Timeout".to_owned(),
        ref end => format!("{end:?}"),
    };
    format!("{end} {} {:?} {:?} {stuck:?}", judge::final_state(plan, trace), trace.ends, trace.finals)
}

/// Every end that the model finds; none where there is too much to look at.
fn explored(plan: &Plan) -> Option<BTreeSet<String>> {
    let mut space = StateSpace::new(plan, Time::Any, vec![false; plan.steps.len()], false);
    let mut search = Search::new(&mut space, Reductions { partial_order: true, symmetry: false });
    search.run(Limits { states: STATES, ..Limits::default() }, &mut |_| true).ok()?;
    if search.cut.is_some() {
        return None;
    }
    let mut paths = Vec::new();
    for end in search.ends.clone() {
        let line = search.line(end);
        paths.push(search.path(&line).ok()?);
    }
    Some(paths.iter().filter_map(|path| Some(end_of(plan, &tell(&space, path).ok()?.trace))).collect())
}

/// Looks at one run. What is wrong with it.
fn look(found: &mut Found, plan: &Plan, ends: Option<&BTreeSet<String>>, paths: bool) -> Option<String> {
    let trace = match found.run(plan, None) {
        Ok(trace) => trace,
        Err(diagnostics) => return Some(format!("{diagnostics:?}")),
    };
    let told = || trace.events.iter().map(|event| format!("\n  {event:?}")).collect::<String>();
    if !trace.causality.problems().is_empty() {
        return Some(format!("{:?}{}", trace.causality.problems(), told()));
    }
    if let Some(ends) = ends {
        let end = end_of(plan, &trace);
        if !ends.contains(&end) {
            let known: String = ends.iter().map(|end| format!("\n  {end}")).collect();
            return Some(format!("an end that the model does not know:\n  {end}\nit knows{known}{}", told()));
        }
    }
    if paths {
        match is_path(plan, &trace) {
            Answer::Path => {}
            Answer::Undecided => found.undecided += 1,
            Answer::None(farthest) => return Some(format!("no path:{farthest}{}", told())),
        }
    }
    None
}

pub(super) fn of_random_scenarios() {
    let mut found = Found::default();
    for seed in seeds(60) {
        let taste = taste(seed);
        let text = generate::scenario(seed, taste);
        found.scenarios += 1;
        let Ok(plan) = load("p.toml", text.clone()) else {
            found.refused += 1;
            continue;
        };
        let ends = explored(&plan);
        found.too_large += u64::from(ends.is_none());
        for round in 0..4 {
            // The same scenario with other delays in it has the same ends.
            let text = if round == 0 { text.clone() } else { generate::delayed(seed, taste, round) };
            let plan = load("p.toml", text.clone()).expect("a delay changes nothing");
            if let Some(problem) = look(&mut found, &plan, ends.as_ref(), true) {
                println!("seed {seed}, round {round}: {problem}\n{text}");
                found.problems.push(format!("seed {seed}, round {round}: {problem}"));
                break;
            }
        }
    }
    found.tell();
}

pub(super) fn of_shipped_scenarios() {
    let mut found = Found::default();
    for (name, plan) in shipped() {
        found.scenarios += 1;
        let ends = explored(&plan);
        found.too_large += u64::from(ends.is_none());
        for round in 0..5 * budget() {
            if let Some(problem) = look(&mut found, &plan, ends.as_ref(), round < 3) {
                found.problems.push(format!("{name}: {problem}"));
                break;
            }
        }
    }
    found.tell();
}
