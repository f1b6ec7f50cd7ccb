//! The exploration's verdicts, compared with those of every order of steps, each concretised and judged by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::causality;
use super::corpus::scenarios;
use crate::event::{Event, Target};
use crate::explore::execution::concretise::tell;
use crate::explore::execution::verdicts::judged;
use crate::explore::history::{History, HistoryOptions};
use crate::explore::run::{Explored, Options, exploring};
use crate::explore::semantics::transition::{ModelError, Nondeterminism, Step, Time};
use crate::explore::state_space::{StateSpace, Transition, is_over};
use crate::explore::strategy::bfs::{Limits, Reductions};
use crate::explore::tests::plan;
use crate::interpreter::Random;
use crate::judge::{self, FORMS, Status, Subject, Verdict};
use crate::objects::CATALOGUE;
use crate::outcome::Outcome;
use crate::scenario::expectation::{Expectation, Holds};
use crate::scenario::plan::{Fact, Plan};
use crate::trace::Trace;

/// Orders of steps beyond which a scenario is too large to try them all.
const MOST: usize = 12_000;
/// The most open waits of one order.
const MOST_OPEN: usize = 12;
/// The same, where many scenarios are tried.
pub(super) const FEW: usize = 1_500;
/// The same, where nothing is expected.
const FEWER: usize = 150;

/// What was found: of each expectation by its label, and how executions ended.
pub(super) type Found = BTreeMap<String, BTreeSet<String>>;

fn note(found: &mut Found, verdict: &Verdict, state: &str) {
    let mut add = |key: &str, value: String| found.entry(key.to_owned()).or_default().insert(value);
    for judged in &verdict.findings {
        if let Subject::Expectation(_) = judged.subject {
            add(&judged.label, format!("{:?} {:?}", judged.finding.status, judged.finding.seen));
        }
    }
    add(ENDS, state.to_owned());
}

pub(super) const ENDS: &str = "the ends";

/// Every order of steps, with every step one of its own, and of each step that had to wait whether its process had come
/// to it by then.
struct Brute<'p> {
    plan: &'p Plan,
    time: Time,
    space: StateSpace<'p>,
    path: Vec<Step>,
    found: Found,
    paths: usize,
    most: usize,
}

impl<'p> Brute<'p> {
    fn new(plan: &'p Plan, time: Time, most: usize) -> Self {
        let wish = HistoryOptions { fine: true, ..HistoryOptions::default() };
        let memories = History::new(plan, judge::memories(plan), time, wish);
        let space = StateSpace::unremembering(plan, time, &memories);
        Self { plan, time, space, path: Vec::new(), found: Found::new(), paths: 0, most }
    }

    /// Whether there were not too many.
    fn run(&mut self) -> bool {
        let Ok(state) = self.space.initial() else { return false };
        self.walk(&state) == Ok(true) && self.paths < self.most
    }

    fn walk(&mut self, state: &[u32]) -> Result<bool, ModelError> {
        let mut moves: Vec<Transition> = Vec::new();
        self.space.moves(state, &mut moves)?;
        if is_over(&moves) {
            let mut told = tell(&self.space, &self.path).expect("it can be followed");
            assert!(told.trace.causality.problems().is_empty(), "{:?}", told.trace.causality.problems());
            let open = open_waits(self.plan, self.time, &told.trace);
            for unwaited in 0..1_u64 << open.len().min(MOST_OPEN) {
                for (bit, event) in open.iter().enumerate() {
                    told.trace.events[*event].blocked = unwaited & 1 << bit == 0;
                }
                let verdict = judged(self.plan, self.time, &mut told.trace);
                note(&mut self.found, &verdict, &judge::final_state(self.plan, &told.trace));
            }
            self.paths += 1;
        }
        for step in moves {
            if self.paths >= self.most || self.path.len() > 60 {
                return Ok(false);
            }
            let mut after = state.to_vec();
            self.space.take(&mut after, step)?;
            self.path.push(Step { process: step.process, kind: step.kind, choices: self.space.script(step) });
            if !self.walk(&after)? {
                return Ok(false);
            }
            self.path.pop();
        }
        Ok(true)
    }
}

/// The events, by place, whose process waited or came only when it had not to: where conditions ask for waits, those of
/// steps that could not be taken for a while, while no time passed, or any may, and the step did nothing before it waited.
fn open_waits(plan: &Plan, time: Time, trace: &Trace) -> Vec<usize> {
    if !plan.facts.iter().any(|fact| matches!(fact, Fact::Blocked(..))) {
        return Vec::new();
    }
    let parks = |event: &Event| match event.target {
        Target::Object(object) => ["barrier", "condition"].contains(&plan.kind(object).name),
        _ => false,
    };
    let late = |event: &Event| time == Time::Any || event.begin == event.end;
    let open = |event: &Event| event.blocked && late(event) && event.outcome != Outcome::TIMEOUT && !parks(event);
    (0..trace.events.len()).filter(|place| open(&trace.events[*place])).collect()
}

/// What an exploration finds; none where a process computes without end.
pub(super) fn explored(
    plan: &Plan,
    leeway: Nondeterminism,
    reductions: Reductions,
    states: usize,
) -> Option<(Found, Explored)> {
    let mut found = Found::new();
    let Nondeterminism { time, random, kill, spurious } = leeway;
    let limits = Limits { states, ..Limits::default() };
    let mut options = Options { time, random, kill, spurious, reductions, limits, ..Options::default() };
    options.beyond.descend = false;
    let explored = exploring(plan, &options, &Arc::default(), &mut |_| true, &mut |verdict, state| {
        note(&mut found, verdict, state);
    });
    let explored = explored.ok()?;
    // In how many executions a race is, is not looked for.
    for label in races(plan) {
        let one = explored.summary.overall.iter().find(|one| one.label == label);
        found.insert(label.to_owned(), one.iter().map(|one| format!("{:?}", one.status)).collect());
    }
    Some((found, explored))
}

/// The expectations of which one execution that fails is enough, by their labels.
fn races(plan: &Plan) -> impl Iterator<Item = &str> {
    let one_is_enough = |one: &&Expectation| one.form.name == "race_free" && one.holds == Holds::Always;
    plan.expectations.iter().filter(one_is_enough).map(|one| one.label.as_str())
}

/// Says of what needs one execution that fails whether there is one.
pub(super) fn settle(found: &mut Found, plan: &Plan) {
    for label in races(plan) {
        let all = found.entry(label.to_owned()).or_default();
        let fails = all.iter().any(|one| one.starts_with("Fail"));
        *all = BTreeSet::from([if fails { "Fail" } else { "Pass" }.to_owned()]);
    }
}

/// Compares each expectation alone and all together, or says that there are too many orders.
pub(super) fn compare(program: &str, expectations: &[String], time: Time, most: usize) -> bool {
    let all = format!("{program}{}", expectations.concat());
    let whole = plan(&all);
    let mut brute = Brute::new(&whole, time, most);
    if !brute.run() {
        return false;
    }
    settle(&mut brute.found, &whole);
    let mut texts: Vec<String> = expectations.iter().map(|one| format!("{program}{one}")).collect();
    texts.push(all);
    let partial_order = Reductions { partial_order: true, ..Reductions::NONE };
    let symmetry = Reductions { symmetry: true, ..Reductions::NONE };
    for text in &texts {
        let plan = plan(text);
        let all = [Reductions::NONE, partial_order, symmetry, Reductions::ALL];
        // All together know so much that little is left out.
        for reductions in if *text == texts[texts.len() - 1] { &all[3..] } else { &all[..] } {
            let (found, explored) =
                explored(&plan, time.into(), *reductions, 200_000).expect("none computes without end");
            assert!(explored.cut.is_none(), "{text}");
            for (label, some) in found {
                // Which of several symmetric processes is named depends on the representative.
                if label != ENDS || !reductions.symmetry {
                    let orders = brute.paths;
                    assert_eq!(brute.found[&label], some, "{label} {time:?} {reductions:?}\n{text}\n{orders} orders");
                }
            }
        }
    }
    true
}

/// The same of a whole text.
fn compare_text(text: &str, most: usize) -> bool {
    let mut parts = text.split("[[expect]]");
    let program = parts.next().unwrap_or_default();
    let expectations: Vec<String> = parts.map(|one| format!("\n[[expect]]{one}")).collect();
    compare(program, &expectations, Time::Virtual, most)
}

/// Compares the scenarios of the corpus that are named after a kind and judge something.
pub(super) fn compare_judged(kind: &str) {
    let corpus = scenarios("tests/corpus");
    for (_, text) in corpus.iter().filter(|(name, _)| name.contains(&format!("judged-{kind}-"))) {
        assert!(compare_text(text, MOST), "too many orders");
    }
}

#[test]
fn each_form_finds_what_all_orders_show() {
    let corpus = scenarios("tests/corpus");
    let mut compared = 0;
    for (name, text) in &corpus {
        let asked = text.contains("[[expect]]");
        let few = compare_text(text, if asked { MOST } else { FEWER });
        assert!(few || !asked, "too many orders: {name}");
        compared += usize::from(few);
    }
    assert!(compared > corpus.len() / 3, "{compared} of {} have few orders", corpus.len());
    for form in FORMS {
        let name = form.description.name;
        let tried = corpus.iter().any(|(_, text)| {
            let before = if name == "expect" { ", " } else { "\n" };
            text.contains(&format!("{before}{name} = "))
        });
        assert!(tried, "{name} is not tried");
    }
}

/// Expectations about causes, of scenarios drawn for each kind.
#[test]
fn causes_are_judged_as_in_all_orders() {
    let mut compared = 0;
    for seed in super::first()..super::first() + super::count(60) {
        let mut random = Random::new(seed, "causes", 0);
        let program = causality::text(CATALOGUE[seed as usize % CATALOGUE.len()].name, seed);
        let some = causality::asked(&program, &mut random, 5);
        compared += usize::from(!some.is_empty() && compare(&program, &some, Time::Virtual, FEW));
    }
    assert!(compared > 0);
}

/// What a status over all executions says.
#[test]
fn what_is_looked_for_in_some_execution_is_decided() {
    let text = crate::explore::tests::lost_update(2, 1)
        + r#"
[[expect]]
final = "money == 2"
holds = "sometimes"
[[expect]]
final = "money == 3"
holds = "sometimes"
[[expect]]
lost_updates = "money"
holds = "never"
[[expect]]
final_values = ["money"]
in = [[1], [2]]
each_seen = true
[[expect]]
final_values = ["money"]
in = [[1], [2], [3]]
each_seen = true
"#;
    let (_, explored) = explored(&plan(&text), Time::Virtual.into(), Reductions::ALL, 200_000).expect("it ends");
    let statuses: Vec<Status> = explored.summary.overall.iter().map(|one| one.status).collect();
    assert_eq!(statuses, [Status::Pass, Status::Fail, Status::Fail, Status::Pass, Status::Fail]);
}
