//! What must stay the same where a scenario is asked in another way, over scenarios drawn from the catalogue.
//!
//! As it stands each check looks at a few scenarios of each taste, the same each time. `IPCRUN_DRAWN=N` looks at N of each,
//! `IPCRUN_DRAWN_SEED=N` begins with another, `IPCRUN_DRAWN_TASTE=NAME` takes one taste alone.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::brute_force::{ENDS, FEW, Found, compare, explored, settle};
use crate::explore::execution::concretise::tell;
use crate::explore::history::{History, HistoryOptions};
use crate::explore::run::{Options, explore};
use crate::explore::semantics::transition::{Nondeterminism, Time};
use crate::explore::state_space::StateSpace;
use crate::explore::strategy::bfs::{Limits, Reductions, Search};
use crate::explore::tests::plan;
use crate::generate::{Scenario, TASTES, Taste, is_accepted, scenario};
use crate::judge;
use crate::objects::Form;
use crate::scenario::plan::Group;
use crate::scenario::steps::STEPS;

/// The forms that ask for causes.
const CAUSES: &[&str] = &["order", "all_before", "each", "race_free"];
/// The most states of a search.
const MOST: usize = 2_000;

/// Looks at scenarios of each taste. `look` says whether it could look, or what is wrong.
fn over(usual: u64, tastes: &[Taste], look: impl Fn(&Scenario, u64) -> Result<bool, String>) {
    let first = super::first();
    let only = std::env::var("IPCRUN_DRAWN_TASTE").ok();
    let (mut all, mut problems) = (0, Vec::new());
    for taste in tastes.iter().filter(|taste| only.as_ref().is_none_or(|only| *only == taste.name)) {
        let mut looked = 0;
        let count = super::count(usual);
        for seed in first..first + count {
            let drawn = scenario(seed, *taste);
            // One that panics is a problem like others.
            let result = catch_unwind(AssertUnwindSafe(|| look(&drawn, seed)));
            match result.unwrap_or_else(|_| Err(format!("it panics\n{}", drawn.text()))) {
                Ok(could) => looked += u64::from(could),
                Err(problem) => {
                    println!("## {} seed {seed}: {problem}", taste.name);
                    problems.push(format!("{} {seed}: {}", taste.name, problem.lines().next().unwrap_or_default()));
                }
            }
        }
        println!("{}: {looked} of {count} looked at", taste.name);
        all += looked;
    }
    assert!(all > 0, "none could be looked at");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// In what the executions of a scenario end, but for its last `without` processes; none where there is too much.
fn ends(text: &str, leeway: Nondeterminism, without: usize) -> Option<BTreeSet<String>> {
    let plan = plan(text);
    let mut wish = HistoryOptions::default();
    loop {
        let memories = History::new(&plan, judge::memories(&plan), leeway, wish);
        let mut space = StateSpace::remembering(&plan, leeway, memories);
        let mut search = Search::new(&mut space, Reductions { partial_order: true, symmetry: false });
        let limits = Limits { states: MOST, ..Limits::default() };
        search.run(limits, &mut |_| true).ok()?;
        if search.cut.is_some() {
            return None;
        }
        if let Some(more) = search.space.memories.as_ref().and_then(|memories| memories.wants(wish)) {
            wish = more;
            continue;
        }
        let mut found = BTreeSet::new();
        for end in search.ends.clone() {
            let line = search.line(end);
            let path = search.path(&line).expect("no program computes without end");
            let told = tell(search.space, &path).expect("it can be followed");
            let trace = &told.trace;
            let last = trace.ends.len() - without;
            let stuck: Vec<_> =
                trace.stuck.iter().map(|waiting| (waiting.process, &waiting.verb, waiting.target)).collect();
            found.insert(format!(
                "{:?} {} {:?} {:?} {stuck:?}",
                trace.end,
                judge::final_state(&plan, trace),
                &trace.ends[..last],
                trace.finals
            ));
        }
        return Some(found);
    }
}

/// What is found of each expectation; none where there is too much.
fn findings(text: &str, leeway: Nondeterminism) -> Option<Found> {
    let (found, explored) = explored(&plan(text), leeway, Reductions { partial_order: true, symmetry: false }, MOST)?;
    explored.cut.is_none().then_some(found)
}

/// What is found of each expectation of a text in several explorations together; none where one was too much.
fn together(text: &str, all: impl IntoIterator<Item = Option<Found>>) -> Option<Found> {
    let mut union = Found::new();
    for found in all {
        for (label, some) in found? {
            union.entry(label).or_default().extend(some);
        }
    }
    settle(&mut union, &plan(text));
    Some(union)
}

/// What differs between two explorations.
fn unlike(one: &Found, other: &Found) -> String {
    let none = BTreeSet::new();
    let labels: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let sets = labels.iter().map(|label| (label, one.get(*label).unwrap_or(&none), other.get(*label).unwrap_or(&none)));
    let unlike = sets.filter(|(_, one, other)| one != other);
    unlike.map(|(label, one, other)| format!("\n  {label}:{}", apart(one, other))).collect()
}

/// What is in one set alone.
fn apart(one: &BTreeSet<String>, other: &BTreeSet<String>) -> String {
    let lines = |word: &str, from: &BTreeSet<String>, but: &BTreeSet<String>| {
        from.difference(but).map(|end| format!("\n  {word} {end}")).collect::<String>()
    };
    lines("only before:", one, other) + &lines("only after:", other, one)
}

fn leeway(seed: u64) -> Nondeterminism {
    let time = if seed % 2 == 1 { Time::Any } else { Time::Virtual };
    Nondeterminism { time, ..Nondeterminism::default() }
}

#[test]
fn the_ends_do_not_depend_on_the_expectations() {
    over(7, TASTES, |drawn, seed| {
        let text = drawn.text();
        let leeway = leeway(seed);
        let Some(bare) = ends(&text, leeway, 0) else { return Ok(false) };
        let asked = drawn.expectations(6);
        let Some(with) = ends(&(text.clone() + &asked.concat()), leeway, 0) else { return Ok(false) };
        if bare == with {
            return Ok(true);
        }
        let differs = |one: &&String| ends(&(text.clone() + one), leeway, 0).is_some_and(|with| with != bare);
        let one = asked.iter().find(differs).cloned().unwrap_or_else(|| asked.concat());
        Err(format!("{leeway:?}{}\n{text}{one}", apart(&bare, &with)))
    });
}

/// What is said of each expectation and rule; none where there is too much to look at.
fn said(text: &str, leeway: Nondeterminism, reductions: Reductions, jobs: usize) -> Option<BTreeSet<String>> {
    let plan = plan(text);
    let Nondeterminism { time, random, kill, spurious } = leeway;
    let limits = Limits { states: MOST, ..Limits::default() };
    let eager = jobs > 1;
    let mut options = Options { time, random, kill, spurious, reductions, limits, jobs, eager, ..Options::default() };
    options.beyond.descend = false;
    let explored = explore(&plan, &options, &mut |_| true).ok()?;
    let overall = explored.summary.overall.iter();
    explored.cut.is_none().then(|| overall.map(|one| format!("{:?} {:?}", one.subject, one.status)).collect())
}

#[test]
fn no_verdict_depends_on_what_is_left_out_or_on_threads() {
    over(5, TASTES, |drawn, seed| {
        let text = drawn.text() + &drawn.expectations(5).concat();
        let random = text.contains("random(");
        let leeway = Nondeterminism { kill: seed % 4 == 3, random, spurious: (seed % 3) as u32, ..leeway(seed) };
        let Some(full) = said(&text, leeway, Reductions::NONE, 1) else { return Ok(false) };
        for (partial_order, symmetry, jobs) in
            [(true, false, 1), (false, true, 1), (true, true, 1), (true, true, 2), (false, false, 2)]
        {
            let reductions = Reductions { partial_order, symmetry };
            let other = said(&text, leeway, reductions, jobs).unwrap_or_default();
            if other != full {
                return Err(format!("{leeway:?} {reductions:?} jobs {jobs}{}\n{text}", apart(&full, &other)));
            }
        }
        Ok(true)
    });
}

/// Two processes that are alike race, and then meet twice: what is kept of the race is not the same where they change places.
#[test]
fn processes_that_race_and_then_meet_end_whatever_is_left_out() {
    let text = r#"
[objects]
v1 = { kind = "value", value = 0 }
m1 = { kind = "mutex", type = "errorcheck" }
t = { kind = "barrier", parties = 2 }
[processes.p0]
steps = [{ lock = "m1" }, { unlock = "m1" }]
[processes.p1]
count = 2
steps = [{ store = "v1", value = 1 }, { repeat = 2, do = [{ wait = "t" }] }]
[[expect]]
race_free = "v1"
[[expect]]
ends = true
"#;
    let full = said(text, Nondeterminism::default(), Reductions::NONE, 1);
    assert_eq!(full, Some(BTreeSet::from(["Expectation(0) Fail", "Expectation(1) Pass"].map(str::to_owned))));
    for (partial_order, symmetry) in [(true, false), (false, true), (true, true)] {
        assert_eq!(said(text, Nondeterminism::default(), Reductions { partial_order, symmetry }, 1), full);
    }
}

/// A text with the drawn numbers of each of its places replaced, in every way.
fn replaced(text: &str) -> Vec<String> {
    let Some((before, rest)) = text.split_once("random(") else { return vec![text.to_owned()] };
    let (range, after) = rest.split_once(')').expect("it is closed");
    let (low, high) = range.split_once(", ").expect("it has two bounds");
    let (low, high): (i64, i64) = (low.parse().expect("a number"), high.parse().expect("a number"));
    let rests = replaced(after);
    (low..=high).flat_map(|n| rests.iter().map(move |rest| format!("{before}{n}{rest}"))).collect()
}

#[test]
fn every_drawn_number_is_the_union_over_the_numbers() {
    let random = |taste: Taste| Taste { random: true, processes: 2, ..taste };
    let tastes: Vec<Taste> = TASTES.iter().copied().map(random).collect();
    // A place in a loop draws more than once.
    let again = |text: &str| {
        let loops = |step: &&crate::objects::Verb| {
            let steps = step.arguments.iter().filter(|argument| matches!(argument.form, Form::Steps)).count();
            steps == 1 && text.contains(&format!("{{ {} = ", step.name))
        };
        text.contains("count = ") || STEPS.iter().any(|step| loops(&step))
    };
    over(14, &tastes, |drawn, seed| {
        let text = drawn.text();
        let leeway = leeway(seed);
        let all = replaced(&text);
        // What stands there as a number can be refused before it runs.
        if all.len() == 1 || all.len() > 30 || again(&text) || !all.iter().all(|text| is_accepted(text)) {
            return Ok(false);
        }
        let random = Nondeterminism { random: true, ..leeway };
        let Some(ends_drawn) = ends(&text, random, 0) else { return Ok(false) };
        let mut union = BTreeSet::new();
        for text in &all {
            let Some(some) = ends(text, leeway, 0) else { return Ok(false) };
            union.extend(some);
        }
        if union != ends_drawn {
            return Err(format!("{}\n{text}", apart(&ends_drawn, &union)));
        }
        let asked = drawn.expectations(4).concat();
        let text = text + &asked;
        let each = all.iter().map(|values| findings(&format!("{values}{asked}"), leeway));
        let Some(union) = together(&text, each) else { return Ok(false) };
        let Some(found) = findings(&text, random) else { return Ok(false) };
        if union == found { Ok(true) } else { Err(format!("{leeway:?}{}\n{text}", unlike(&found, &union))) }
    });
}

/// Those that differ in more than in the executions over which they speak.
fn distinct(asked: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let alike = |one: &String| one.lines().filter(|line| !line.starts_with("holds")).collect::<String>();
    asked.into_iter().filter(|one| seen.insert(alike(one))).collect()
}

#[test]
fn expectations_are_judged_as_in_all_orders_of_steps() {
    over(5, TASTES, |drawn, seed| {
        let asked = distinct(drawn.expectations(4));
        Ok(!asked.is_empty() && compare(&drawn.text(), &asked, leeway(seed).time, FEW))
    });
}

/// The conditions of a scenario.
fn conditions(text: &str) -> Vec<String> {
    let plan = plan(text);
    let of = |group: &Group| match group.count {
        None => vec![group.name.clone()],
        Some(count) => (0..count).map(|index| format!("{}[{index}]", group.name)).collect(),
    };
    plan.groups.iter().filter(|group| group.kind.name == "condition").flat_map(of).collect()
}

#[test]
fn a_spurious_wakeup_is_a_notification_by_another_process_at_any_time() {
    let only = Taste { name: "conditions", kind: Some("condition"), ..crate::generate::LOCKS };
    let tastes: Vec<Taste> = TASTES.iter().copied().chain([only]).collect();
    over(12, &tastes, |drawn, _| {
        let text = drawn.text();
        let conditions = conditions(&text);
        let any = Nondeterminism { time: Time::Any, ..Nondeterminism::default() };
        let Some(spurious) = ends(&text, Nondeterminism { spurious: 1, ..any }, 0) else { return Ok(false) };
        let Some(mut union) = ends(&text, any, 0) else { return Ok(false) };
        for condition in &conditions {
            let waker = format!("[processes.waker]\nsteps = [{{ notify = \"{condition}\" }}]\n");
            let Some(woken) = ends(&(text.clone() + &waker), any, 1) else { return Ok(false) };
            union.extend(woken);
        }
        if union == spurious {
            Ok(!conditions.is_empty())
        } else {
            Err(format!("{}\n{text}", apart(&spurious, &union)))
        }
    });
}

#[test]
fn causes_are_judged_as_in_all_orders_of_steps() {
    over(4, TASTES, |drawn, seed| {
        let asked = distinct(drawn.expectations_of(4, CAUSES));
        Ok(!asked.is_empty() && compare(&drawn.text(), &asked, leeway(seed).time, FEW))
    });
}

#[test]
fn waits_are_judged_as_in_all_orders_of_steps() {
    over(3, TASTES, |drawn, seed| {
        let asked = drawn.expectations_of(12, &["final", "always", "reaches"]);
        let asked: Vec<String> = distinct(asked).into_iter().filter(|one| one.contains("blocked(")).take(4).collect();
        Ok(!asked.is_empty() && compare(&drawn.text(), &asked, leeway(seed).time, FEW))
    });
}

#[test]
fn a_kill_from_outside_is_a_kill_by_another_process_at_any_time() {
    over(4, TASTES, |drawn, _| {
        let text = drawn.text();
        let any = Nondeterminism { time: Time::Any, ..Nondeterminism::default() };
        let kill = Nondeterminism { kill: true, ..any };
        let Some(from_outside) = ends(&text, kill, 0) else { return Ok(false) };
        let Some(mut union) = ends(&text, any, 0) else { return Ok(false) };
        for process in drawn.processes() {
            let Some(killed) = ends(&(text.clone() + &Scenario::killer(&process)), any, 1) else { return Ok(false) };
            union.extend(killed);
        }
        if union != from_outside {
            return Err(format!("{}\n{text}", apart(&from_outside, &union)));
        }
        // The process that kills takes a step, which no expectation may be about.
        let all = |one: &String| ["\"*\"", "\"* ", "'* "].iter().any(|process| one.contains(process));
        let asked: String = drawn.expectations(6).into_iter().filter(|one| !all(one)).collect();
        let each = drawn.processes().into_iter().map(|process| text.clone() + &Scenario::killer(&process));
        let each = each.map(|killed| findings(&(killed + &asked), any));
        let text = text.clone() + &asked;
        let Some(mut union) = together(&text, each.chain([findings(&text, any)])) else { return Ok(false) };
        let Some(mut found) = findings(&text, kill) else { return Ok(false) };
        // Those of all processes are compared above.
        union.remove(ENDS);
        found.remove(ENDS);
        if union == found { Ok(true) } else { Err(unlike(&found, &union) + "\n" + &text) }
    });
}

#[test]
fn the_begins_of_processes_that_are_alike_are_their_own() {
    let text = "
        [objects]
        q = { kind = \"queue\", via = \"memory\" }
        [processes.p]
        count = 2
        vars = { o = \"\" }
        steps = [{ done = \"q\", outcome = \"o\" }]
        [[expect]]
        all_before = [\"p[1] end *\", { process = \"p[0]\", verb = \"done\", object = \"q\", outcome = \"broken\" }, \"* begin p[0]\"]
    ";
    let leeway = Nondeterminism::default();
    let full = said(text, leeway, Reductions::NONE, 1);
    assert!(full.is_some());
    for (partial_order, symmetry, jobs) in [(true, true, 1), (false, false, 2), (true, false, 2), (true, true, 2)] {
        assert_eq!(said(text, leeway, Reductions { partial_order, symmetry }, jobs), full, "{jobs}");
    }
}
