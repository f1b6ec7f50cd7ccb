//! From the kernel to the model: what free runs end in is among the ends that a search finds, what each process does in
//! them is a path of the model, and no verdict over all executions denies what they show.

use std::collections::BTreeSet;

use ipcrun::explore::execution::concretise::tell;
use ipcrun::explore::run as explore;
use ipcrun::explore::semantics::transition::Time;
use ipcrun::explore::state_space::StateSpace;
use ipcrun::explore::strategy::bfs::{Limits, Reductions, Search};
use ipcrun::judge::{self, Frequency, Status, Summary, Verdict};
use ipcrun::scenario::expectation::Holds;
use ipcrun::scenario::plan::Plan;
use ipcrun::trace::{RunEnd, Trace};

use super::lanes::{Answer, is_path};
use super::{Found, load, over, shipped};

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

/// The most events of a run whose path is looked for.
const LONGEST: usize = 300;

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

/// Looks at one run. The run, where the host gives what it asks for, and what is wrong with it.
fn look(
    found: &mut Found,
    plan: &Plan,
    ends: Option<&BTreeSet<String>>,
    paths: bool,
) -> (Option<Trace>, Option<String>) {
    match found.run(plan, None) {
        Ok(Some(trace)) => {
            let problem = problem(found, plan, &trace, ends, paths);
            (Some(trace), problem)
        }
        Ok(None) => (None, None),
        Err(problem) => (None, Some(problem)),
    }
}

fn problem(
    found: &mut Found,
    plan: &Plan,
    trace: &Trace,
    ends: Option<&BTreeSet<String>>,
    paths: bool,
) -> Option<String> {
    let told = || trace.events.iter().map(|event| format!("\n  {event:?}")).collect::<String>();
    if !trace.causality.problems().is_empty() {
        return Some(format!("{:?}{}", trace.causality.problems(), told()));
    }
    if let Some(ends) = ends {
        let end = end_of(plan, trace);
        // A signal can stop a process for ever within a step, which has then done a part of its work.
        let stopped = trace.stuck.iter().any(|waiting| waiting.verb == "stopped");
        if !ends.contains(&end) && stopped {
            found.undecided += 1;
        } else if !ends.contains(&end) {
            let known: String = ends.iter().map(|end| format!("\n  {end}")).collect();
            return Some(format!("an end that the model does not know:\n  {end}\nit knows{known}{}", told()));
        }
    }
    // What spins has made thousands of steps by chance: its paths are too many.
    if paths && trace.events.len() > LONGEST {
        found.undecided += 1;
    } else if paths {
        match is_path(plan, trace) {
            Answer::Path => {}
            Answer::Undecided => found.undecided += 1,
            Answer::None(farthest) => return Some(format!("no path:{farthest}{}", told())),
        }
    }
    None
}

/// What every execution says of the expectations of a plan and its rules; none where there is too much to look at.
fn verdicts(plan: &Plan) -> Option<Summary> {
    let limits = Limits { states: STATES, ..Limits::default() };
    let reductions = Reductions::ALL;
    let mut options = explore::Options { time: Time::Any, limits, reductions, ..explore::Options::default() };
    options.beyond.descend = false;
    let explored = explore::explore(plan, &options, &mut |_| true).ok()?;
    explored.cut.is_none().then_some(explored.summary)
}

/// What a run shows that no execution is said to show.
fn denied(known: &Summary, verdict: &Verdict) -> Option<String> {
    verdict.findings.iter().find_map(|one| {
        let known = known.overall.iter().find(|known| known.subject == one.subject && known.label == one.label);
        let Some(known) = known else {
            return Some(format!("{}: {}, which never happens", one.label, one.finding.measured));
        };
        let vacuous = one.finding.reason.as_ref().is_some_and(|reason| reason.starts_with("vacuous"));
        let never = known.frequency == Frequency::Never && known.unknown == 0;
        let not_so = match (one.finding.status, known.holds, known.status) {
            (Status::Fail, Holds::Always, Status::Pass) => !vacuous,
            (Status::Pass, Holds::Sometimes, Status::Fail) => known.held == 0,
            (Status::Pass, Holds::Never, Status::Pass) => true,
            (Status::Pass, ..) => never,
            _ => false,
        };
        not_so.then(|| {
            let (said, status, measured) = (known.status, one.finding.status, &one.finding.measured);
            format!(
                "{} {:?} is said to {said:?} over all executions, and a run says {status:?}: {measured}",
                one.label, one.holds
            )
        })
    })
}

pub(super) fn of_drawn_scenarios() {
    over(4, |found, drawn| {
        let ends = explored(&load("p.toml", drawn.text()));
        found.too_large += u64::from(ends.is_none());
        let asked = drawn.expectations(5).concat();
        // The same scenario with other delays in it has the same ends.
        (0..3).find_map(|delays| {
            let text = drawn.delayed(delays) + &asked;
            let plan = load("p.toml", text.clone());
            let (trace, problem) = look(found, &plan, ends.as_ref(), true);
            let problem = problem.or_else(|| {
                let known = ends.as_ref().and_then(|_| verdicts(&plan))?;
                denied(&known, &judge::judge(&plan, &trace?))
            });
            problem.map(|problem| format!("delays {delays}: {problem}\n{text}"))
        })
    });
}

/// Whether a run ends by itself, and no step computes with the clock or a process number, which are the kernel's own.
fn is_comparable(name: &str, plan: &Plan) -> bool {
    let computes = ["{now", "{pid -"].iter().any(|own| plan.source.text.contains(own));
    !computes && !name.ends_with("-forever.toml")
}

pub(super) fn of_shipped_scenarios() {
    let mut found = Found::default();
    for (name, plan) in shipped().filter(|(name, plan)| is_comparable(name, plan)) {
        found.scenarios += 1;
        let ends = explored(&plan);
        found.too_large += u64::from(ends.is_none());
        for round in 0..5 {
            if let (_, Some(problem)) = look(&mut found, &plan, ends.as_ref(), round < 3) {
                found.problems.push(format!("{name}: {problem}"));
                break;
            }
        }
    }
    found.tell();
}
