//! A scenario to be played: every state that can be reached and every step from one to the next, in words.

use std::collections::HashMap;

use serde::Serialize;

use super::position::{self, is_bad};
use crate::event::{ObjectId, ProcessId, StepId};
use crate::explore::analysis::prospects::reaching;
use crate::explore::budget::Budget;
use crate::explore::execution::concretise::Lost;
use crate::explore::execution::guided::obstacle;
use crate::explore::semantics::transition::{Kind, ModelError, ModelErrorKind};
use crate::explore::stepper::Stepper;
use crate::judge::{self, Status};
use crate::report::terminal::style::visible;
use crate::scenario::expectation::{Expectation, Holds};
use crate::scenario::plan::Plan;
use crate::schedule::{Order, compact};
use crate::trace::RunEnd;

/// What stands for no string, step or state.
const NONE: i64 = -1;
/// How much a state and a step take in the page, about, in bytes.
const OF_STATE: usize = 16;
const OF_STEP: usize = 24;
/// The most numbers that all states take together while they are looked for, of 4 bytes each.
const NUMBERS: usize = 20_000_000;

/// A scenario to be played.
#[derive(Debug, Serialize)]
pub(crate) struct Level {
    name: String,
    about: Option<String>,
    /// The command that follows a schedule; the schedule is appended.
    replay: String,
    programs: Vec<Program>,
    /// By process: its name, and its program by place.
    processes: Vec<(String, usize)>,
    objects: Vec<String>,
    strings: Vec<String>,
    /// How a process stands: its step or -1, why it cannot move or -1, its variables. But for the step, places of strings.
    stands: Vec<[i64; 3]>,
    /// What the objects hold: places of strings.
    holdings: Vec<Vec<i64>>,
    states: Vec<State>,
    /// How executions end.
    ends: Vec<End>,
    /// Whether every state is there.
    whole: bool,
    /// What can be played for: `fail`, a bad end; `show`, an end that shows what is to hold sometimes; nothing.
    goal: &'static str,
    /// What is to hold sometimes: labels.
    sometimes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Program {
    name: String,
    /// The line of the file with which the text begins.
    line: usize,
    text: String,
    /// By step, where it stands in the text, in units of UTF-16.
    steps: HashMap<StepId, (usize, usize)>,
}

#[derive(Debug, Default, Serialize)]
struct State {
    /// By process, the place of how it stands.
    p: Vec<u32>,
    /// The place of what the objects hold.
    o: u32,
    /// What it can lead to: 0 no end that is played for, 1 some, 2 only such, 3 not known.
    m: u8,
    /// How the execution ends here; -1 where it can continue.
    e: i64,
    /// The steps: process or -1 for time; what it does; what it changes; the words of a schedule; whether it comes from outside
    /// (1); the state that it leads to, -1 where that is beyond the page.
    s: Vec<[i64; 6]>,
}

#[derive(Debug, Eq, Hash, PartialEq, Serialize)]
struct End {
    /// Whether it fails or is a deadlock.
    bad: bool,
    deadlock: bool,
    /// Whether it shows what is to hold sometimes.
    shows: bool,
    /// By expectation and rule: its status as `pass`, `fail`, `unknown`, and what is said of it.
    findings: Vec<(&'static str, String, String)>,
}

/// Why there is no level.
#[derive(Debug)]
pub(crate) enum Trouble {
    ModelError(ModelError),
    Lost(Lost),
    /// The budget was spent before the first state was there.
    Spent,
}

impl From<ModelError> for Trouble {
    fn from(error: ModelError) -> Self {
        match error.trouble {
            ModelErrorKind::Spent(_) => Self::Spent,
            _ => Self::ModelError(error),
        }
    }
}

impl From<Lost> for Trouble {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Spent(_) => Self::Spent,
            lost => Self::Lost(lost),
        }
    }
}

impl Level {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether every state is there, and how many are.
    pub(crate) fn size(&self) -> (bool, usize) {
        (self.whole, self.states.len())
    }

    /// The states nearest to the first, as many as take about `size` bytes and the budget allows. `replay` is the command that
    /// follows a schedule.
    ///
    /// # Errors
    /// A process that the model cannot execute; a budget that does not suffice for one state.
    pub(crate) fn new(
        plan: &Plan,
        stepper: &mut Stepper<'_, '_>,
        size: usize,
        budget: &Budget,
        replay: String,
    ) -> Result<Self, Trouble> {
        let mut level = Self {
            name: plan.name.shown().to_string(),
            about: plan.about.as_deref().map(|about| visible(about).into_owned()),
            replay,
            programs: (0..plan.programs.len()).map(|program| Program::new(plan, program)).collect(),
            processes: plan.processes.iter().map(|process| (process.name.clone(), process.program)).collect(),
            objects: plan.objects.iter().map(|object| object.name.clone()).collect(),
            strings: Vec::new(),
            stands: Vec::new(),
            holdings: Vec::new(),
            states: Vec::new(),
            ends: Vec::new(),
            whole: true,
            goal: "",
            sometimes: sometimes(plan).map(|one| visible(&one.label).into_owned()).collect(),
        };
        let mut walk = Walk { plan, level: &mut level, known: Known::default() };
        walk.states(stepper, size, budget)?;
        level.mark();
        Ok(level)
    }

    /// Marks every state by the ends that it can lead to. One from which none can be reached is bad.
    fn mark(&mut self) {
        let some = |holds: &dyn Fn(&End) -> bool| self.ends.iter().any(holds);
        self.goal = match () {
            () if some(&|end| end.bad) => "fail",
            () if some(&|end| end.shows) => "show",
            () => "",
        };
        let goal = self.goal;
        let wanted = |end: &End| if goal == "show" { end.shows } else { end.bad };
        let mut before: Vec<Vec<u32>> = vec![Vec::new(); self.states.len()];
        let [mut good, mut bad, mut open] = [(); 3].map(|()| vec![false; self.states.len()]);
        for (at, state) in self.states.iter().enumerate() {
            for step in &state.s {
                match usize::try_from(step[5]) {
                    Ok(to) => before[to].push(at as u32),
                    Err(_) => open[at] = true,
                }
            }
            if let Ok(end) = usize::try_from(state.e) {
                bad[at] = wanted(&self.ends[end]);
                good[at] = !bad[at];
            }
        }
        let [good, bad, open] = [good, bad, open].map(|marked| reaching(&before, marked));
        for (at, state) in self.states.iter_mut().enumerate() {
            state.m = match (good[at], bad[at], open[at]) {
                (true, true, _) => 1,
                (_, _, true) => 3,
                (true, false, _) => 0,
                (false, ..) => 2,
            };
        }
    }
}

/// What has a number already.
#[derive(Default)]
struct Known {
    strings: HashMap<String, i64>,
    stands: HashMap<[i64; 3], u32>,
    holdings: HashMap<Vec<i64>, u32>,
    ends: HashMap<String, i64>,
    /// What a step does, what it changes, and its words in a schedule, by what that depends on.
    steps: HashMap<Vec<u32>, [String; 3]>,
    /// About how many bytes the strings take.
    bytes: usize,
}

/// A state as the page shows it, and the states behind its steps.
type Expanded = (State, Vec<Vec<u32>>);

struct Walk<'w, 'p> {
    plan: &'p Plan,
    level: &'w mut Level,
    known: Known,
}

impl Walk<'_, '_> {
    fn states(&mut self, stepper: &mut Stepper<'_, '_>, size: usize, budget: &Budget) -> Result<(), Trouble> {
        let mut numbers = HashMap::from([(stepper.state().to_vec(), 0_usize)]);
        // By state, the one before it and the place of the step between.
        let mut found: Vec<Option<(usize, usize)>> = vec![None];
        let mut bytes = 0;
        let mut at = 0;
        let most = NUMBERS / stepper.state().len().max(1);
        while at < found.len() && bytes + self.known.bytes < size && found.len() < most {
            let mut path = Vec::new();
            let mut place = at;
            while let Some((from, step)) = found[place] {
                path.push(step);
                place = from;
            }
            path.reverse();
            let there = stepper.go(&path).map_err(Trouble::from);
            let (mut state, after) = match there.and_then(|()| self.state(stepper, budget)) {
                Ok(Some(expanded)) => expanded,
                Ok(None) | Err(Trouble::Spent) => break,
                Err(trouble) => return Err(trouble),
            };
            for ((step, shown), next) in state.s.iter_mut().enumerate().zip(after) {
                let number = *numbers.entry(next).or_insert(found.len());
                if number == found.len() {
                    found.push(Some((at, step)));
                }
                shown[5] = number as i64;
            }
            bytes += OF_STATE + 4 * state.p.len() + OF_STEP * state.s.len();
            self.level.states.push(state);
            at += 1;
        }
        if at == 0 {
            return Err(Trouble::Spent);
        }
        let count = self.level.states.len() as i64;
        self.level.whole = at == found.len();
        for step in self.level.states.iter_mut().flat_map(|state| &mut state.s) {
            if step[5] >= count {
                step[5] = NONE;
            }
        }
        Ok(())
    }

    /// The present state, and the states behind its steps; none where the budget is spent before.
    fn state(&mut self, stepper: &mut Stepper<'_, '_>, budget: &Budget) -> Result<Option<Expanded>, Trouble> {
        let plan = self.plan;
        let told = stepper.told()?;
        let waiting = stepper.standstills(&told);
        let mut state = State { e: NONE, ..State::default() };
        for process in 0..plan.processes.len() as ProcessId {
            let why = waiting.iter().find(|one| one.process == process);
            let why = why.map_or(NONE, |one| self.string(&visible(&obstacle(plan, &one.why))));
            let variables: Vec<String> = position::variables(stepper, process)
                .into_iter()
                .map(|(name, held)| format!("{name} = {held}"))
                .collect();
            let variables = self.string(&variables.join("\n"));
            let stand = [stepper.step_of(process).map_or(NONE, i64::from), why, variables];
            let next = self.known.stands.len() as u32;
            let number = *self.known.stands.entry(stand).or_insert(next);
            if number == next {
                self.level.stands.push(stand);
            }
            state.p.push(number);
        }
        let objects = 0..plan.objects.len() as ObjectId;
        let holding: Vec<i64> = objects.map(|object| self.string(&position::object(plan, stepper, object))).collect();
        let next = self.known.holdings.len() as u32;
        state.o = *self.known.holdings.entry(holding.clone()).or_insert(next);
        if state.o == next {
            self.known.bytes += 4 * holding.len();
            self.level.holdings.push(holding);
        }
        let steps = stepper.choices();
        let mut after = Vec::with_capacity(steps.len());
        for (place, step) in steps.iter().enumerate() {
            if budget.spent().is_some() {
                return Ok(None);
            }
            let next = stepper.after(place)?;
            let key = stepper.depends_on(step, &next);
            let [does, changes, words] = match self.known.steps.get(&key) {
                Some(known) => known.clone(),
                None => {
                    let then = stepper.foretold(step)?;
                    let (does, changes) = position::said(plan, step, &then);
                    let before = turns(stepper.orders(&told)).len();
                    let orders = turns(stepper.orders_with(step, &then));
                    let words = orders.get(before..).map_or_else(String::new, |last| compact(plan, last));
                    let said = [does, changes, words].map(|text| visible(&text).into_owned());
                    self.known.steps.insert(key, said.clone());
                    said
                }
            };
            let does = format!("{does}{}", position::choice(&steps, place));
            let process = if step.kind == Kind::Tick { NONE } else { i64::from(step.process) };
            let outside = i64::from(matches!(step.kind, Kind::Kill | Kind::Wake));
            let [does, changes, words] = [&does, &changes, &words].map(|text| self.string(text));
            state.s.push([process, does, changes, words, outside, NONE]);
            after.push(next);
        }
        if stepper.is_over() {
            let verdict = judge::judge(plan, &told.trace);
            let findings = verdict.findings.iter().map(|one| {
                let (word, seen) = match one.status {
                    Status::Pass => ("pass", String::new()),
                    Status::Fail => ("fail", one.finding.measured.clone()),
                    Status::Unknown => ("unknown", one.finding.reason.clone().unwrap_or_default()),
                };
                (word, visible(&one.label).into_owned(), visible(&seen).into_owned())
            });
            let shows = verdict.findings.iter().any(|one| {
                let holds = one.finding.status == Status::Pass && !one.finding.vacuous;
                holds && sometimes(plan).any(|wanted| wanted.label == one.label)
            });
            let deadlock = told.trace.end == RunEnd::Deadlock;
            let end = End { bad: is_bad(plan, &told), deadlock, shows, findings: findings.collect() };
            let next = self.level.ends.len() as i64;
            let number = *self.known.ends.entry(format!("{end:?}")).or_insert(next);
            if number == next {
                self.known.bytes += format!("{end:?}").len();
                self.level.ends.push(end);
            }
            state.e = number;
        }
        Ok(Some((state, after)))
    }

    /// The place of a string; -1 for the empty one.
    fn string(&mut self, text: &str) -> i64 {
        if text.is_empty() {
            return NONE;
        }
        if let Some(number) = self.known.strings.get(text) {
            return *number;
        }
        let number = self.level.strings.len() as i64;
        self.known.bytes += text.len() + 4;
        self.known.strings.insert(text.to_owned(), number);
        self.level.strings.push(text.to_owned());
        number
    }
}

/// The same schedule, each turn apart.
fn turns(orders: Vec<Order>) -> Vec<Order> {
    let each = |order: Order| {
        let times = order.turns as usize;
        std::iter::repeat_n(Order { turns: 1, ..order }, times)
    };
    orders.into_iter().flat_map(each).collect()
}

/// The expectations that one execution is enough for.
fn sometimes(plan: &Plan) -> impl Iterator<Item = &Expectation> {
    plan.expectations.iter().filter(|one| one.holds == Holds::Sometimes)
}

impl Program {
    /// The text of a program, from its declaration to its last step.
    fn new(plan: &Plan, program: usize) -> Self {
        let source = &plan.source;
        let declared = &plan.programs[program].span;
        let own = || plan.steps.iter().enumerate().filter(|(_, step)| step.program == program);
        let first = own().map(|(_, step)| step.span.start).chain([declared.start]).min().unwrap_or(0);
        let last = own().map(|(_, step)| step.span.end).chain([declared.end]).max().unwrap_or(0);
        let line = source.line_number(first);
        let (begin, end) = (source.line(line).start, source.line(source.line_number(last)).end);
        let text = source.slice(&(begin..end));
        let units = |byte: usize| source.slice(&(begin..byte.clamp(begin, end))).encode_utf16().count();
        let steps = own().map(|(at, step)| (at as StepId, (units(step.span.start), units(step.span.end)))).collect();
        Self { name: plan.programs[program].name.clone(), line, text: text.to_owned(), steps }
    }
}
