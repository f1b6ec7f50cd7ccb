//! From the model to the kernel: each end that a search finds, and some of what lies on the way, is driven on real
//! processes, and their trace is the model's.

use std::sync::Arc;
use std::time::Duration;

use ipcrun::diagnostic::{Code, Source};
use ipcrun::explore::counterexample;
use ipcrun::explore::execution::concretise::{Told, tell};
use ipcrun::explore::execution::guided;
use ipcrun::explore::run;
use ipcrun::explore::semantics::transition::{Nondeterminism, Time};
use ipcrun::explore::state_space::StateSpace;
use ipcrun::explore::strategy::bfs::{Limits, Reductions, Search};
use ipcrun::generate::{TASTES, scenario};
use ipcrun::judge::{self, Verdict};
use ipcrun::scenario::plan::Plan;
use ipcrun::schedule::{self, Rest};
use ipcrun::trace::Trace;
use ipcrun::trace::diff::difference;
use ipcrun::trace::file::{self, Meta};

use super::{Found, load, loaded, over, shipped};

/// The most states of a search.
const STATES: usize = 20_000;
/// The longest that a scenario is explored of which schedules are printed.
const LONGEST: Duration = Duration::from_secs(2);

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

/// Drives an execution of the model on the kernel. What is different there.
fn driven(found: &mut Found, plan: &Plan, course: &Told) -> Option<String> {
    match found.run(plan, Some(&course.turns)) {
        Ok(trace) => difference(&trace?, &course.trace).map(|difference| difference.to_string()),
        Err(problem) => Some(problem),
    }
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
            if let Some(problem) = driven(found, plan, course) {
                let events: String = course.trace.events.iter().map(|event| format!("\n  {event:?}")).collect();
                return Some(format!("{time:?} {reductions:?}: {problem}{turns}{events}"));
            }
        }
    }
    None
}

pub(super) fn of_drawn_scenarios() {
    over(4, |found, drawn| {
        let problem = compare(found, &load("p.toml", drawn.text()), 4);
        problem.map(|problem| format!("{problem}\n{}", drawn.text()))
    });
}

/// The executions that decide an exploration, as they are printed, and their schedules read and driven on the kernel. What
/// is different there.
fn printed(found: &mut Found, plan: &Plan, leeway: Nondeterminism) -> Option<String> {
    let Nondeterminism { time, random, kill, spurious } = leeway;
    let limits = Limits { states: STATES / 10, ..Limits::default() };
    let mut options =
        run::Options { time, random, kill, spurious, limits, reductions: Reductions::ALL, ..run::Options::default() };
    options.beyond.descend = false;
    options.longest = Some(LONGEST);
    let explored = match run::explore(plan, &options, &mut |_| true) {
        Ok(explored) => explored,
        Err(fault) => return Some(format!("{fault:?}")),
    };
    if explored.cut.is_some() {
        found.too_large += 1;
        return None;
    }
    let stories = (0..plan.expectations.len()).filter_map(|place| explored.witness(place));
    stories.chain(explored.counterexample()).find_map(|(story, place, status)| {
        let one = &explored.summary.overall[place];
        let mut space = run::space(plan, leeway, explored.ends);
        let best = match counterexample::best(plan, &mut space, story, (one.subject, &one.label), status) {
            Ok(best) => best,
            Err(fault) => return Some(format!("{}: {fault:?}", one.label)),
        };
        let words = schedule::compact(plan, &best.orders);
        let problem = match followed(plan, &words, leeway) {
            Ok(told) => {
                let (ours, printed) = (events(&told.trace), events(&best.told.trace));
                // What decides a run before its end is printed up to there.
                let unlike = ours.iter().zip(&printed).find(|(one, other)| !one.starts_with(other.as_str()));
                let unlike = unlike.map(|(one, other)| format!("it is read as\n{one}printed is\n{other}"));
                let whole = told.trace.end == best.told.trace.end;
                let of = |verdict: &Verdict| {
                    let mut all = verdict.findings.iter();
                    let found = all.find(|found| found.subject == one.subject && found.label == one.label);
                    found.map(|found| (found.finding.status, whole || found.is_firm()))
                };
                let (shows, said) = (of(&judge::judge(plan, &told.trace)), of(&best.verdict));
                let decided = said.is_some_and(|(_, decided)| decided);
                let other = (decided && shows.map(|one| one.0) != said.map(|one| one.0))
                    .then(|| format!("it shows {shows:?} and {said:?} is printed"));
                unlike.or(other).or_else(|| driven(found, plan, &told))
            }
            Err(problem) => Some(problem),
        };
        problem.map(|problem| format!("{} {leeway:?} `{words}`: {problem}", one.label))
    })
}

/// What each process does in a trace. Where the begin or the end of a process stands among what the others do is told only
/// where an expectation can see it, and whether a step waited for an end with it.
fn events(trace: &Trace) -> Vec<String> {
    let mut lanes = vec![String::new(); trace.ends.len()];
    for event in &trace.events {
        lanes[event.id.process() as usize].push_str(&format!(
            "{:?} {} {:?} {:?} {:?} {:?} {:?}\n",
            event.step, event.verb, event.target, event.element, event.outcome, event.value, event.second
        ));
    }
    lanes
}

/// What a printed schedule says, as `replay` reads it.
fn followed(plan: &Plan, words: &str, leeway: Nondeterminism) -> Result<Told, String> {
    let source = Arc::new(Source::new("the schedule", words));
    let mut wrong = Vec::new();
    let orders = schedule::parse(plan, &source, 0..words.len(), &mut wrong);
    if let Some(wrong) = wrong.first() {
        return Err(wrong.message.clone());
    }
    let mut space = run::scheduled(plan, leeway, &orders);
    let path = guided::follow(&mut space, &orders).map_err(|refused| format!("{refused:?}"))?;
    let (path, round) = guided::complete(&mut space, &path).map_err(|endless| format!("{endless:?}"))?;
    let mut told = tell(&space, &path).map_err(|lost| format!("{lost:?}"))?;
    if round {
        told.round();
    }
    Ok(told)
}

pub(super) fn of_printed_schedules() {
    over(1, |found, drawn| {
        let text = drawn.text() + &drawn.expectations(5).concat();
        let plan = load("p.toml", text.clone());
        let ideal = Nondeterminism { random: text.contains("random("), ..Nondeterminism::default() };
        let any = Nondeterminism { time: Time::Any, ..ideal };
        let ways = [ideal, any, Nondeterminism { kill: true, ..any }];
        let problem = ways.into_iter().find_map(|leeway| printed(found, &plan, leeway));
        problem.map(|problem| format!("{problem}\n{text}"))
    });
}

/// What processes have as they end, in which begins and ends of others come between: with a step behind what they took, and
/// without.
const LEFT: &[&str] = &[
    r#"[{ enter = "bath" }, { acquire = "s" }, { mark = "x" }, { add = "v", value = 1 }]"#,
    r#"[{ acquire = "s" }, { add = "v", value = 1 }, { enter = "bath" }]"#,
    r#"[{ section = "bath", do = [{ mark = "x" }, { acquire = "s" }, { exit = 3 }] }]"#,
    r#"[{ enter = "bath" }, { acquire = "s", timeout = "1ms" }, { mark = "x" }, { exit = "{index}" }]"#,
    r#"[{ enter = "bath" }, { acquire = "s" }, { add = "v", value = "{2 / index}", outcome = "o" }, { mark = "x" }]"#,
];

/// What can be asked of them, with how often it holds left out.
const ASKED: &[&[&str]] = &[
    &[r#"inside = "bath""#, "at_most = 1"],
    &[r#"inside = "bath""#, "at_most = 2"],
    &[r#"inside = "bath""#, "at_least = 2"],
    &[r#"holding = "s""#, "at_most = 1"],
    &[r#"holding = "s""#, "at_most = 2"],
    &[r#"between = ["p acquire s", "p add v"]"#, "at_most = 1"],
    &[r#"between = ["p mark x", "p end *"]"#, "at_most = 1"],
    &[r#"between = ["p begin *", "p acquire s"]"#, "at_most = 1"],
    &[r#"always = "inside('bath') <= 1""#],
    &[r#"reaches = "inside('bath') == 2""#],
    &[r#"always = "count('p mark x') <= 1 || ended('p[0]')""#],
    &[r#"reaches = "ended('p[1]') && !ended('p[0]') && v == 1""#],
    &[r#"reaches = "blocked('p') && inside('bath') == 1""#],
    &[r#"always = "exit('p[0]') == null || s == 0""#],
    &[r#"final = "v == 2""#],
    &[r#"order = ["p[1] end *", "p[0] acquire s"]"#, r#"by = "time""#],
    &[r#"order = ["p[0] begin *", "p[1] end *"]"#, r#"by = "time""#],
    &[r#"all_before = ["p acquire s", "p end *"]"#, r#"by = "time""#],
    &[r#"each = "p mark x""#, r#"preceded_by = "p end *""#, r#"by = "time""#],
    &[r#"each = "p enter bath""#, r#"followed_by = "p end *""#, r#"same = "process""#],
    &[r#"values = "p end *""#, "in = [[0, 1]]"],
    &[r#"values = "p acquire s""#, "in = [[1, 0]]"],
    &[r#"takes = "p""#, r#"at_most = "1ms""#],
    &[r#"count = "p end *""#, "equals = 2"],
    &[r#"count = { process = "p", verb = "add", outcome = "*" }"#, "equals = 1"],
    &["deadlock = true"],
];

pub(super) fn of_processes_that_end_with_what_they_have() {
    let mut found = Found::default();
    for (value, steps) in [3, 1, 3, 1, 3].into_iter().zip(LEFT) {
        for asked in ASKED {
            let expectation = |holds: &str| format!("[[expect]]\n{}\nholds = \"{holds}\"\n", asked.join("\n"));
            let text = format!(
                "[objects]\nv = {{ kind = \"value\", value = 0 }}\ns = {{ kind = \"semaphore\", value = {value} }}\n\
                 [processes.p]\ncount = 2\nsteps = {steps}\n{}{}",
                expectation("always"),
                expectation("never")
            );
            // A pattern that no step of the steps can match is refused.
            let plan = match loaded("p.toml", text.clone()) {
                Ok(plan) => plan,
                Err(wrong) if wrong.iter().all(|one| one.code == Code::NEVER_MATCHES) => continue,
                Err(wrong) => panic!("{wrong:?}\n{text}"),
            };
            found.scenarios += 1;
            let any = Nondeterminism { time: Time::Any, ..Nondeterminism::default() };
            for leeway in [Nondeterminism::default(), Nondeterminism { kill: true, ..any }] {
                if let Some(problem) = printed(&mut found, &plan, leeway) {
                    println!("## {problem}\n{text}");
                    found.problems.push(problem.lines().next().unwrap_or_default().to_owned());
                }
            }
        }
    }
    let most = (LEFT.len() * ASKED.len()) as u64;
    assert!(found.scenarios > most * 2 / 3, "only {} of {most} could be asked", found.scenarios);
    found.tell();
}

pub(super) fn of_shipped_scenarios() {
    let mut found = Found::default();
    for (name, plan) in shipped() {
        found.scenarios += 1;
        if let Some(problem) = compare(&mut found, &plan, 4) {
            found.problems.push(format!("{name}: {problem}"));
        }
    }
    found.tell();
}

/// One end of each of a few scenarios, many times over.
pub(super) fn each_time_the_same() {
    let mut found = Found::default();
    for taste in TASTES.iter().filter(|taste| !taste.loops) {
        let plan = load("p.toml", scenario(1, *taste).text());
        let Ok(courses) = courses(&plan, Time::Any, Reductions::ALL, 1) else { continue };
        let Some(course) = courses.first() else { continue };
        found.scenarios += 1;
        let mut written = |plan: &Plan| {
            let trace = found.run(plan, Some(&course.turns)).expect("the kernel follows the schedule");
            let Some(trace) = trace else { return Vec::new() };
            let mut bytes = Vec::new();
            file::write(&mut bytes, plan, &trace, &Meta::default()).expect("memory can be written");
            bytes
        };
        let first = written(&plan);
        for round in 0..60 {
            assert!(written(&plan) == first, "{}, round {round}", taste.name);
        }
    }
    found.tell();
}
