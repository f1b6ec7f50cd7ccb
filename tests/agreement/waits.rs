//! What free runs say of conditions about waits is what some execution of the model says.

use std::cell::Cell;

use ipcrun::explore::run::{Options, explore};
use ipcrun::explore::semantics::transition::Time;
use ipcrun::explore::strategy::bfs::{Limits, Reductions};
use ipcrun::generate::is_accepted;
use ipcrun::judge::{self, Status, Subject};
use ipcrun::scenario::plan::Plan;

use super::{load, over};

/// The most states of a search.
const STATES: usize = 1_000;

/// A scenario with conditions about the waits of its processes.
fn asking(text: &str, plan: &Plan) -> String {
    let names: Vec<&str> = plan.processes.iter().map(|process| process.name.as_str()).collect();
    let objects = || plan.groups.iter().filter(|group| group.count.is_none());
    let mut asked = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let other = names[(place + 1) % names.len()];
        asked.push(format!("reaches = \"blocked('{name}')\""));
        asked.push(format!("always = \"!blocked('{name}')\""));
        asked.push(format!("reaches = \"blocked('{name}') && !blocked('{other}')\""));
        asked.extend(objects().map(|object| format!("reaches = \"blocked('{name} at {}')\"", object.name)));
    }
    let with = |text: &str, line: &String| format!("{text}[[expect]]\n{line}\n");
    // Some objects are none that a process could wait for.
    asked.retain(|line| is_accepted(&with(text, line)));
    asked.iter().fold(text.to_owned(), |text, line| with(&text, line))
}

/// By expectation, what some execution of the model says of it; none where there is too much to look at.
fn explored(plan: &Plan) -> Option<Vec<Vec<Status>>> {
    let limits = Limits { states: STATES, ..Limits::default() };
    let mut options = Options { time: Time::Any, reductions: Reductions::ALL, limits, ..Options::default() };
    // What was cut says nothing here.
    options.beyond.descend = false;
    let explored = explore(plan, &options, &mut |_| true).ok().filter(|explored| explored.cut.is_none())?;
    let said = explored.summary.overall.iter().filter(|one| matches!(one.subject, Subject::Expectation(_)));
    let counts = said.map(|one| [(one.held, Status::Pass), (one.failed, Status::Fail), (one.unknown, Status::Unknown)]);
    Some(counts.map(|all| all.iter().filter(|(count, _)| *count > 0).map(|(_, status)| *status).collect()).collect())
}

pub(super) fn of_drawn_scenarios() {
    let said = Cell::new(0);
    over(1, |found, drawn| {
        (0..2).find_map(|delays| {
            let text = drawn.delayed(delays);
            let text = asking(&text, &load("p.toml", text.clone()));
            let plan = load("p.toml", text.clone());
            let Some(known) = explored(&plan) else {
                found.too_large += 1;
                return None;
            };
            (0..5).find_map(|_| {
                let trace = match found.run(&plan, None) {
                    Ok(trace) => trace?,
                    Err(problem) => return Some(format!("{problem}\n{text}")),
                };
                let verdict = judge::judge(&plan, &trace);
                let own = verdict.findings.iter().filter(|one| matches!(one.subject, Subject::Expectation(_)));
                own.zip(&known).find_map(|(one, known)| {
                    said.set(said.get() + 1);
                    let denied = one.finding.status != Status::Unknown && !known.contains(&one.finding.status);
                    let problem = || format!("{} {:?}, the model says {known:?}\n{text}", one.label, one.finding);
                    denied.then(problem)
                })
            })
        })
    });
    assert!(said.get() > 0, "no run said anything");
}
