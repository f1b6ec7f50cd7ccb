//! What free runs say of conditions about waits is what some execution of the model says.

use ipcrun::explore::run::{Options, explore};
use ipcrun::explore::semantics::transition::Time;
use ipcrun::explore::strategy::bfs::{Limits, Reductions};
use ipcrun::judge::{self, Status, Subject};
use ipcrun::scenario::plan::Plan;

use super::{Found, generate, load, seeds, taste};

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
    asked.retain(|line| load("p.toml", with(text, line)).is_ok());
    asked.iter().fold(text.to_owned(), |text, line| with(&text, line))
}

/// By expectation, what some execution of the model says of it; none where there is too much to look at.
fn explored(plan: &Plan) -> Option<Vec<Vec<Status>>> {
    let limits = Limits { states: STATES, ..Limits::default() };
    let options = Options { time: Time::Any, reductions: Reductions::ALL, limits, ..Options::default() };
    let explored = explore(plan, &options, &mut |_| true).ok().filter(|explored| explored.cut.is_none())?;
    let said = explored.summary.overall.iter().filter(|one| matches!(one.subject, Subject::Expectation(_)));
    let counts = said.map(|one| [(one.held, Status::Pass), (one.failed, Status::Fail), (one.unknown, Status::Unknown)]);
    Some(counts.map(|all| all.iter().filter(|(count, _)| *count > 0).map(|(_, status)| *status).collect()).collect())
}

pub(super) fn of_random_scenarios() {
    let mut found = Found::default();
    let mut said = 0;
    for seed in seeds(12) {
        for round in [0, 1] {
            let text = generate::delayed(seed, taste(seed), round);
            found.scenarios += 1;
            let Ok(text) = load("p.toml", text.clone()).map(|plan| asking(&text, &plan)) else {
                found.refused += 1;
                break;
            };
            let Ok(plan) = load("p.toml", text.clone()) else {
                found.refused += 1;
                break;
            };
            let Some(known) = explored(&plan) else {
                found.too_large += 1;
                continue;
            };
            for _ in 0..5 {
                let Ok(trace) = found.run(&plan, None) else { continue };
                let verdict = judge::judge(&plan, &trace);
                let own = verdict.findings.iter().filter(|one| matches!(one.subject, Subject::Expectation(_)));
                for (one, known) in own.zip(&known) {
                    said += 1;
                    if one.finding.status != Status::Unknown && !known.contains(&one.finding.status) {
                        let problem = format!("seed {seed}, round {round}: {} {:?}", one.label, one.finding);
                        println!("{problem}\nthe model says {known:?}\n{text}");
                        found.problems.push(problem);
                    }
                }
            }
        }
    }
    assert!(said > 0, "no run said anything");
    found.tell();
}
