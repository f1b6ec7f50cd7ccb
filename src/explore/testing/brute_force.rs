//! The exploration's verdicts, compared with those of every order of steps, each concretised and judged by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::causality;
use super::corpus::{ALIKE, CORPUS};
use crate::event::{Event, Target};
use crate::explore::execution::concretise::tell;
use crate::explore::execution::verdicts::judged;
use crate::explore::history::{History, HistoryOptions};
use crate::explore::run::{Explored, Options, exploring};
use crate::explore::semantics::transition::{ModelError, Step, Time};
use crate::explore::state_space::{StateSpace, Transition};
use crate::explore::strategy::bfs::{Limits, Reductions};
use crate::explore::tests::plan;
use crate::generate::is_accepted;
use crate::interpreter::Random;
use crate::judge::{self, FORMS, Status, Subject, Verdict};
use crate::objects::CATALOGUE;
use crate::outcome::Outcome;
use crate::scenario::expectation::Holds;
use crate::scenario::plan::{Fact, Plan};
use crate::trace::Trace;

/// Orders of steps beyond which a scenario is too large to try them all.
const MOST: usize = 12_000;
/// The most open waits of one order.
const MOST_OPEN: usize = 12;
/// The same, where many scenarios are tried.
pub(super) const FEW: usize = 1_500;

/// What was found: of each expectation by its label, and how executions ended.
type Found = BTreeMap<String, BTreeSet<String>>;

fn note(found: &mut Found, verdict: &Verdict, state: &str) {
    let mut add = |key: &str, value: String| found.entry(key.to_owned()).or_default().insert(value);
    for judged in &verdict.findings {
        if let Subject::Expectation(_) = judged.subject {
            add(&judged.label, format!("{:?} {:?}", judged.finding.status, judged.finding.seen));
        }
    }
    add(ENDS, state.to_owned());
}

const ENDS: &str = "the ends";

/// Every order of steps, with every step one of its own, and of each step that had to wait whether its process had come
/// to it by then.
struct Brute<'p> {
    plan: &'p Plan,
    space: StateSpace<'p>,
    path: Vec<Step>,
    found: Found,
    paths: usize,
    most: usize,
}

impl<'p> Brute<'p> {
    fn new(plan: &'p Plan, most: usize) -> Self {
        let wish = HistoryOptions { fine: true, ..HistoryOptions::default() };
        let memories = History::new(plan, judge::memories(plan), Time::Virtual, wish);
        let space = StateSpace::unremembering(plan, Time::Virtual, &memories);
        Self { plan, space, path: Vec::new(), found: Found::new(), paths: 0, most }
    }

    /// Whether there were not too many.
    fn run(&mut self) -> bool {
        let state = self.space.initial().expect("no process computes without end");
        self.walk(&state).expect("no process computes without end") && self.paths < self.most
    }

    fn walk(&mut self, state: &[u32]) -> Result<bool, ModelError> {
        let mut moves: Vec<Transition> = Vec::new();
        self.space.moves(state, &mut moves)?;
        if moves.is_empty() {
            let mut told = tell(&self.space, &self.path).expect("it can be followed");
            assert!(told.trace.causality.problems().is_empty(), "{:?}", told.trace.causality.problems());
            let open = open_waits(self.plan, &told.trace);
            for unwaited in 0..1_u64 << open.len().min(MOST_OPEN) {
                for (bit, event) in open.iter().enumerate() {
                    told.trace.events[*event].blocked = unwaited & 1 << bit == 0;
                }
                let verdict = judged(self.plan, Time::Virtual, &mut told.trace);
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
/// steps that could not be taken for a while, while no time passed and the step did nothing before it waited.
fn open_waits(plan: &Plan, trace: &Trace) -> Vec<usize> {
    if !plan.facts.iter().any(|fact| matches!(fact, Fact::Blocked(..))) {
        return Vec::new();
    }
    let parks = |event: &Event| match event.target {
        Target::Object(object) => ["barrier", "condition"].contains(&plan.kind(object).name),
        _ => false,
    };
    let open =
        |event: &Event| event.blocked && event.begin == event.end && event.outcome != Outcome::TIMEOUT && !parks(event);
    (0..trace.events.len()).filter(|place| open(&trace.events[*place])).collect()
}

fn explored(plan: &Plan, reductions: Reductions) -> (Found, Explored) {
    let mut found = Found::new();
    let options = Options { reductions, limits: Limits { states: 200_000, ..Limits::default() }, ..Options::default() };
    let explored = exploring(plan, &options, &Arc::default(), &mut |_| true, &mut |verdict, state| {
        note(&mut found, verdict, state);
    });
    (found, explored.expect("no process computes without end"))
}

/// Compares each expectation alone and all together, or says that there are too many orders.
pub(super) fn compare(program: &str, expectations: &[String], most: usize) -> bool {
    let all = format!("{program}{}", expectations.concat());
    let whole = plan(&all);
    let mut brute = Brute::new(&whole, most);
    if !brute.run() {
        return false;
    }
    let mut texts: Vec<String> = expectations.iter().map(|one| format!("{program}{one}")).collect();
    texts.push(all);
    let partial_order = Reductions { partial_order: true, ..Reductions::NONE };
    let symmetry = Reductions { symmetry: true, ..Reductions::NONE };
    for text in &texts {
        let plan = plan(text);
        let all = [Reductions::NONE, partial_order, symmetry, Reductions::ALL];
        // All together know so much that little is left out.
        for reductions in if *text == texts[texts.len() - 1] { &all[3..] } else { &all[..] } {
            let reductions = *reductions;
            let (found, explored) = explored(&plan, reductions);
            assert!(explored.cut.is_none(), "{text}");
            for (label, some) in found {
                // Which of several symmetric processes is named depends on the representative.
                let race = label.starts_with("race_free");
                let always = plan.expectations.iter().any(|one| one.label == label && one.holds == Holds::Always);
                if race && always {
                    // One race is enough; in how many executions it is, is not looked for.
                    let fails = |set: &BTreeSet<String>| set.iter().any(|one| one.starts_with("Fail"));
                    let status = explored.summary.overall.iter().find(|one| one.label == label).map(|one| one.status);
                    let expected = if fails(&brute.found[&label]) { Status::Fail } else { Status::Pass };
                    assert_eq!(status, Some(expected), "{label} {reductions:?}\n{text}\n{} orders", brute.paths);
                } else if label != ENDS || !reductions.symmetry {
                    assert_eq!(brute.found[&label], some, "{label} {reductions:?}\n{text}\n{} orders", brute.paths);
                }
            }
        }
    }
    true
}

/// A line of the corpus as an `[[expect]]`.
fn expectations(lines: &str) -> impl Iterator<Item = String> + '_ {
    lines
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| format!("\n[[expect]]\n{}\n", line.replace("; ", "\n")))
}

#[test]
fn each_form_finds_what_all_orders_show() {
    for (program, lines) in CORPUS {
        let expectations: Vec<String> = expectations(lines).collect();
        assert!(compare(program, &expectations, MOST), "too many orders: {program}");
    }
    for form in FORMS {
        let name = form.description.name;
        let tried = CORPUS.iter().any(|(program, lines)| {
            lines.lines().any(|line| line.starts_with(&format!("{name} "))) || program.contains(&format!("{name} = "))
        });
        assert!(tried, "{name} is not tried");
    }
}

#[test]
fn what_changes_places_changes_no_verdict() {
    for (program, lines) in ALIKE {
        let expectations: Vec<String> = expectations(lines).collect();
        assert!(compare(program, &expectations, MOST), "too many orders: {program}");
    }
}

/// Random programs over two values, a semaphore, a mutex and a queue.
fn random_program(random: &mut Random) -> String {
    let mut of = |count: i64| random.between(0, count - 1);
    let mut text = String::from(
        "[objects]\nx = { kind = \"value\", value = 0 }\ny = { kind = \"value\", value = 0 }\ns = { kind = \"semaphore\", value = 1 }\nm = { kind = \"mutex\" }\nq = { kind = \"queue\", capacity = 1, via = \"memory\" }\n",
    );
    for program in 0..2 + of(2) {
        let count = 1 + i64::from(of(4) == 0);
        let mut steps = String::new();
        for _ in 0..=of(if count > 1 { 2 } else { 3 }) {
            steps.push_str(match of(18) {
                0 | 1 => "{ load = \"x\", into = \"v\" }, ",
                2 | 3 => "{ store = \"x\", value = \"{v + 1}\" }, ",
                4 => "{ add = \"x\", value = 1, into = \"v\" }, ",
                5 => "{ store = \"y\", value = \"{v}\" }, ",
                6 => "{ load = \"y\", into = \"v\" }, ",
                7 => "{ acquire = \"s\" }, ",
                8 => "{ release = \"s\" }, ",
                9 => "{ acquire = \"s\", timeout = \"1ms\", outcome = \"o\" }, ",
                10 => "{ lock = \"m\" }, { enter = \"room\" }, { unlock = \"m\", outcome = \"o\" }, ",
                11 => "{ enter = \"room\" }, ",
                12 => "{ leave = \"room\", outcome = \"o\" }, ",
                13 => "{ mark = \"here\", value = \"{v}\" }, ",
                14 => "{ put = \"q\", value = \"{v}\" }, ",
                15 => "{ get = \"q\", into = \"v\" }, ",
                16 => "{ sleep = \"1ms\" }, ",
                _ => "{ print = \"v is {v}\" }, ",
            });
        }
        text.push_str(&format!("[processes.p{program}]\ncount = {count}\nvars = {{ v = 0 }}\nsteps = [{steps}]\n"));
    }
    text
}

/// Expectations that any random program can have.
const ANY: &str = r#"
final = "x <= 1"
always = "x >= y"
always = "inside('room') <= 1"
reaches = "x == 1 && y == 0 && count('p0 load x') == 1"
reaches = "ended('p0') && !ended('p1')"
reaches = "blocked('p0')"
always = "s + size(q) > 0"
count = "* store x"; equals = 1
never = { verb = "load", value = 1 }
order = ["p0 *", "p1 *"]; allow_empty = true
order = ["p0 * x", "p1 * x"]; allow_empty = true
order = ["p0 *", "p1 *"]; allow_empty = true; by = "time"
all_before = ["p0 * x", "p1 *"]
all_before = ["p0 *", "p1 mark here"]; by = "time"
each = "p0 *"; followed_by = "p1 *"; allow_empty = true
each = "p1 *"; preceded_by = "p0 *"; allow_empty = true
each = "p1 *"; followed_by = "* load x"; within = "0s"; allow_empty = true
values = "* load"; equals = [0, 1]
values = "* load"; in = [[0], [0, 0], [1, 0]]; unordered = true
final_values = ["x", "y"]; in = [[0, 0], [1, 0]]
holding = "s"; at_most = 1
holding = "m"; at_most = 1
inside = "room"; at_most = 1
between = ["p0 *", "* load x"]; at_most = 1
between = ["* store", "* acquire s"]; at_most = 1
fifo = "q"
printed = "v is 1"
exits = "p1"
takes = "*"; at_most = "1ms"
takes = "p0"; at_most = "0s"
blocks = "* *"; at_most = "1ms"
deadlock = true
ends = true
race_free = "x"
lost_updates = "x"; at_most = 0
"#;

/// Conditions on processes that wait.
const WAITS: &str = r#"
reaches = "blocked('p0')"
always = "!blocked('p1')"
always = "!(blocked('p0') && x > 0)"
always = "blocked('p0') || x <= 1"
reaches = "blocked('p0 at m') && blocked('p1')"
reaches = "blocked('p0') && blocked('p1 at s') && y == 0"
reaches = "blocked('p1 at q') != (x == 1)"
reaches = "blocked('p0') && ended('p1')"
reaches = "blocked('p1') && count('p0') == 2"
reaches = "blocked('p0 at s') && !blocked('p1 at s') && inside('room') == 0"
final = "blocked('p0')"
"#;

fn random(name: &str, lines: &str, seeds: std::ops::Range<u64>) {
    let mut compared = 0;
    for seed in seeds {
        let mut random = Random::new(seed, name, 0);
        let program = random_program(&mut random);
        let all: Vec<String> = expectations(lines).filter(|one| is_accepted(&format!("{program}{one}"))).collect();
        let some: Vec<String> = (0..4).map(|_| all[random.between(0, all.len() as i64 - 1) as usize].clone()).collect();
        compared += usize::from(compare(&program, &some, MOST));
    }
    assert!(compared > 0);
}

#[test]
fn random_programs_are_judged_as_all_their_orders_are() {
    random("verdicts", ANY, 0..25);
}

#[test]
fn waits_are_judged_as_in_all_orders() {
    random("waits", WAITS, 0..12);
}

fn causes_of(seeds: std::ops::Range<u64>) {
    let mut compared = 0;
    for seed in seeds {
        let mut random = Random::new(seed, "causes", 0);
        let kind = CATALOGUE[seed as usize % CATALOGUE.len()].name;
        let program = causality::text(kind, seed);
        let some = causality::asked(&program, &mut random, 5);
        if !some.is_empty() {
            compared += usize::from(compare(&program, &some, FEW));
        }
    }
    assert!(compared > 0);
}

#[test]
fn causes_are_judged_as_in_all_orders() {
    causes_of(0..60);
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
    let (_, explored) = explored(&plan(&text), Reductions::ALL);
    let statuses: Vec<Status> = explored.summary.overall.iter().map(|one| one.status).collect();
    assert_eq!(statuses, [Status::Pass, Status::Fail, Status::Fail, Status::Pass, Status::Fail]);
}
