//! The verdict over every execution: searches all states and judges one execution for each class of executions.
//!
//! Executions are in one class where no expectation can distinguish them, so the verdict on one holds for its class.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::analysis::race_freedom;
use super::analysis::starvation;
use super::analysis::starvation::Liveness;
use super::budget::{Budget, Pace};
use super::execution::verdicts::{Fault, Found, Story, VerdictCollector, cases};
use super::history::{History, HistoryOptions};
use super::looks::Look;
use super::semantics::transition::{Kind, ModelError, Nondeterminism, Step, Time};
use super::state_space::StateSpace;
use super::strategy::bfs::{Cut, Limits, Reached, Reductions, Search, Threads, Trail, WHILE};
use super::strategy::cycle_proviso;
use super::strategy::fallback;
use super::strategy::fallback::{Coverage, FallbackOptions, Progress, Strategy};
use super::strategy::random_walk_parallel;
use crate::event::{ProcessId, StepId};
use crate::judge::{self, Overall, Status, Subject, Summary, Verdict};
use crate::os::memory;

use crate::scenario::plan::Plan;
use crate::schedule::Order;

/// How many executions are judged at once, and how many steps they have together where they are more than one for each
/// thread.
const OFTEN: usize = 256;
const STEPS: usize = 1 << 13;
/// About how many bytes it takes at least to explore a process that does nothing.
const PROCESS: usize = 1 << 10;

#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    pub time: Time,
    /// Whether every random number of its range can be drawn.
    pub random: bool,
    /// Whether one process may be killed from outside, at any moment.
    pub kill: bool,
    /// How many waits may end although nothing has ended them.
    pub spurious: u32,
    /// What may be left out of the search.
    pub reductions: Reductions,
    /// How much to look at.
    pub limits: Limits,
    /// The longest that it may take.
    pub longest: Option<Duration>,
    /// How it goes about it.
    pub strategy: Strategy,
    /// What is explored if not every state is.
    pub beyond: FallbackOptions,
    /// How many threads work on it, of which at least one does. What is found does not depend on it, unless
    /// memory or time ends the search.
    pub jobs: usize,
    /// Whether several threads work on it although it is so small that it is not worth it.
    pub eager: bool,
}

impl Options {
    fn threads(&self) -> Threads {
        let usual = Threads::new(self.jobs);
        if self.eager { Threads { least: 1, alone: 0, ..usual } } else { usual }
    }

    /// What is left open besides the order of steps.
    pub fn leeway(&self) -> Nondeterminism {
        Nondeterminism { time: self.time, random: self.random, kill: self.kill, spurious: self.spurious }
    }
}

#[derive(Debug, Default)]
pub struct Explored {
    /// What all executions say of each expectation and rule; its `runs` are the executions that were judged, each for
    /// all that no expectation can tell from it.
    pub summary: Summary,
    /// The executions that decide it, each with its number among those that were judged.
    pub stories: Vec<Story>,
    /// Why not every execution was explored.
    pub cut: Option<Cut>,
    /// How much there was.
    pub size: Size,
    /// The cycles of the state graph.
    pub circles: Cycles,
    /// The processes that can starve.
    pub liveness: Liveness,
    /// What was explored if not every state was.
    pub rungs: Vec<Coverage>,
    /// One execution of each kind, where asked for.
    pub found: Vec<Found>,
    /// Whether the end of each process is a step of its own, since it matters when it ends.
    pub ends: bool,
    pub time: Time,
    /// The looks that it consists of: see [`super::looks`].
    pub looks: Vec<Look>,
    /// The steps that no execution reaches, if every execution was explored.
    pub unreached: Option<Vec<StepId>>,
    /// What was done after a cut search, in words, where a report has several looks.
    pub words: Vec<String>,
}

/// The size of the explored state space.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Size {
    pub states: usize,
    pub edges: u64,
    /// States in which a run is over.
    pub ends: usize,
    /// Steps to the farthest of them.
    pub depth: usize,
    /// Bytes that the states take.
    pub bytes: usize,
    /// How long it took.
    pub elapsed: Duration,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Cycles {
    /// Whether one can be gone through again and again that can be left at any time: under fair scheduling it is left.
    pub left: bool,
    /// How many sets of states there are that are never left and where nothing ends.
    pub livelocks: usize,
}

/// Where an execution leads. There may be as many as states, so the states of its path are computed on demand.
#[derive(Clone, Debug)]
struct Goal {
    last: u32,
    then: Then,
}

/// What follows in the state where an execution leads.
#[derive(Clone, Debug)]
enum Then {
    /// Nothing: it is an end.
    End,
    /// It is no end; these processes take a step, as they are called there.
    Part(Box<[ProcessId]>),
    /// It continues through these states and returns.
    Round(Box<[u32]>),
}

impl Goal {
    fn part(last: u32, beyond: &[ProcessId]) -> Self {
        Self { last, then: Then::Part(beyond.into()) }
    }

    fn partial(&self) -> bool {
        matches!(self.then, Then::Part(_))
    }

    /// The states of its path, and the place among them to which the last leads back.
    fn line(&self, search: &Search<'_, '_>) -> (Vec<u32>, Option<usize>) {
        let mut line = search.line(self.last);
        let Then::Round(round) = &self.then else { return (line, None) };
        let stem = line.len() - 1;
        line.extend_from_slice(round);
        (line, Some(stem))
    }
}

/// The states of a plan as an exploration sees them. `ends`: whether the end of every process is a step of its own.
pub fn space(plan: &Plan, leeway: impl Into<Nondeterminism>, ends: bool) -> StateSpace<'_> {
    let leeway = leeway.into();
    let wish = HistoryOptions { ends, ..HistoryOptions::default() };
    StateSpace::remembering(plan, leeway, History::new(plan, judge::memories(plan), leeway, wish))
}

/// The same for following a path, without a history.
pub(super) fn bare(plan: &Plan, leeway: impl Into<Nondeterminism>, ends: bool) -> StateSpace<'_> {
    let leeway = leeway.into();
    let wish = HistoryOptions { ends, ..HistoryOptions::default() };
    StateSpace::unremembering(plan, leeway, &History::new(plan, judge::memories(plan), leeway, wish))
}

/// The states in which a schedule is followed: what it names is a step of its own there.
pub fn scheduled<'p>(plan: &'p Plan, leeway: impl Into<Nondeterminism>, orders: &[Order]) -> StateSpace<'p> {
    let kill = orders.iter().any(|order| order.killed);
    let spurious = orders.iter().filter(|order| order.wakes).count() as u32;
    bare(plan, Nondeterminism { kill, spurious, ..leeway.into() }, orders.iter().any(|order| order.ends))
}

/// By step: whether it is a turn of its own although it is about no object, since an expectation could tell its place.
pub fn told_apart(plan: &Plan) -> Vec<bool> {
    History::new(plan, judge::memories(plan), Time::default(), HistoryOptions::default()).visible
}

/// Explores every execution of a plan. `progress` is called now and then and returns whether to continue.
///
/// # Errors
/// A process that the model cannot execute: `ModelError`.
pub fn explore(plan: &Plan, options: &Options, progress: &mut dyn FnMut(&Progress) -> bool) -> Result<Explored, Fault> {
    let budget = Budget::new(Instant::now(), options.longest, options.limits.bytes);
    exploring(plan, options, &Arc::new(budget), progress, &mut |_, _| {})
}

/// The same within a budget, whatever the options say of time and memory.
///
/// # Errors
/// A process that the model cannot execute: `ModelError`.
pub fn within(
    plan: &Plan,
    options: &Options,
    budget: &Arc<Budget>,
    progress: &mut dyn FnMut(&Progress) -> bool,
) -> Result<Explored, Fault> {
    exploring(plan, options, budget, progress, &mut |_, _| {})
}

/// The same; `judged` is called with each verdict and the final state of its execution.
pub(super) fn exploring(
    plan: &Plan,
    options: &Options,
    budget: &Arc<Budget>,
    progress: &mut dyn FnMut(&Progress) -> bool,
    judged: &mut dyn FnMut(&Verdict, &str),
) -> Result<Explored, Fault> {
    if plan.processes.len().saturating_mul(PROCESS) > budget.bytes() {
        return Ok(nothing(plan, Cut::Memory, budget, judged));
    }
    let begin = budget.elapsed();
    // The shortest story takes time and memory too.
    let all = Arc::new(budget.part((15, 16), (15, 16)));
    let mut wish = HistoryOptions { races: race_freedom::is_tame(plan) && !options.kill, ..HistoryOptions::default() };
    loop {
        let explored = match once(plan, options, wish, &all, progress, judged) {
            Err(fault) => match fault.spent() {
                Some(cut) => return Ok(nothing(plan, cut, budget, judged)),
                None => return Err(fault),
            },
            Ok(explored) => explored,
        };
        match explored {
            Ok(mut explored) => {
                explored.size.elapsed = budget.elapsed().saturating_sub(begin);
                let goes_round = explored.circles.left || explored.circles.livelocks > 0;
                if goes_round && explored.cut.is_none() {
                    explored.liveness = starvation::find(plan, options.leeway(), &all)?;
                }
                return Ok(*explored);
            }
            Err(more) => {
                memory::release();
                wish = more;
            }
        }
    }
}

/// What there is to say where the budget was spent before the first state was there.
fn nothing(plan: &Plan, cut: Cut, budget: &Budget, judged: &mut dyn FnMut(&Verdict, &str)) -> Explored {
    let size = Size { elapsed: budget.elapsed(), ..Size::default() };
    let (summary, ..) = VerdictCollector::new(plan, false, judged).finish(false);
    Explored { summary, cut: Some(cut), size, ..Explored::default() }
}

/// The same, keeping what is wished; or what must be kept, where it turns out that it was not enough.
fn once(
    plan: &Plan,
    options: &Options,
    wish: HistoryOptions,
    budget: &Arc<Budget>,
    progress: &mut dyn FnMut(&Progress) -> bool,
    judged: &mut dyn FnMut(&Verdict, &str),
) -> Result<Result<Box<Explored>, HistoryOptions>, Fault> {
    let space = |wish: HistoryOptions, budget: &Arc<Budget>| {
        let memories = History::new(plan, judge::memories(plan), options.leeway(), wish);
        StateSpace::remembering(plan, options.leeway(), memories).within(budget)
    };
    let wants = |space: &StateSpace<'_>, wish: HistoryOptions| {
        space.memories.as_ref().and_then(|memories| memories.wants(wish))
    };
    let Options { strategy, beyond, limits, .. } = *options;
    let full = strategy == Strategy::Full;
    let mut gathering = VerdictCollector::new(plan, beyond.keep, judged);
    let (mut size, mut circles) = (Size::default(), Cycles::default());
    let mut cut = Some(Cut::Chosen);
    let mut unreached = None;
    if full {
        // Where the ladder is gone down, that takes time too; and to judge what was found takes both.
        let time = if beyond.descend { (3, 4) } else { (1, 1) };
        let judging = Arc::new(budget.part(time, (1, 1)));
        let mut space = space(wish, &Arc::new(budget.part(time, (7, 8))));
        let mut search = Search::new(&mut space, options.reductions).by(options.threads());
        search.run(limits, &mut |reached| {
            let elapsed = budget.elapsed();
            progress(&Progress { reached: *reached, judged: 0, elapsed, unit: "state explored" })
        })?;
        search.space.budget = judging;
        if let Some(more) = wants(search.space, wish) {
            return Ok(Err(more));
        }
        match gather(&mut search, (plan, wish), options.jobs, &mut gathering, progress)? {
            Some(found) => (size, circles) = found,
            None => return Ok(Err(HistoryOptions { races: false, ..wish })),
        }
        cut = search.cut;
        unreached = if cut.is_none() { Some(search.space.unreached()) } else { None };
    }
    memory::release();
    // What races are can be found in states only if all of them are expanded.
    let wish = HistoryOptions { races: false, ..wish };
    let mut rungs: Vec<Coverage> = Vec::new();
    let limit = matches!(cut, Some(Cut::States | Cut::Memory | Cut::Time)) && beyond.descend;
    if strategy == Strategy::Bounded || full && limit {
        let own = Arc::new(budget.part(if full { (13, 16) } else { (7, 8) }, (7, 8)));
        let mut space = space(wish, &own);
        let rung = fallback::preemptions(&mut space, (&beyond, limits), full, budget, &mut gathering, progress)?;
        if let Some(more) = wants(&space, wish) {
            return Ok(Err(more));
        }
        if let Coverage::Preemptions { states, edges, ends, whole, cut: why, .. } = rung {
            if !full {
                size = Size { states, edges, ends, ..size };
                cut = why.or(cut);
            }
            // What is round is not looked for.
            if whole && !space.loops() {
                cut = None;
            } else if why == Some(Cut::Stopped) {
                cut = why;
            }
        }
        rungs.push(rung);
    }
    memory::release();
    let walks = matches!(strategy, Strategy::Random | Strategy::Pct);
    if walks || full && limit && !matches!(cut, None | Some(Cut::Stopped)) {
        let own = Arc::new(budget.part((7, 8), (7, 8)));
        let make = || space(wish, &own);
        let how = (&beyond, strategy, options.jobs);
        let Some(rung) = random_walk_parallel::walks(&make, how, full, budget, &mut gathering, progress)? else {
            return Ok(Err(HistoryOptions { ends: true, ..wish }));
        };
        if let Coverage::Walks(walks) = &rung {
            if !full {
                size = of_walks(walks);
                cut = walks.cut.or(cut);
            } else if walks.cut == Some(Cut::Stopped) {
                cut = walks.cut;
            }
        }
        rungs.push(rung);
    }
    let (summary, stories, found) = gathering.finish(cut.is_none());
    Ok(Ok(Box::new(Explored {
        summary,
        stories,
        cut,
        size,
        circles,
        rungs,
        found,
        ends: wish.ends,
        time: options.time,
        unreached,
        ..Explored::default()
    })))
}

/// The size of what random executions have explored.
fn of_walks(walks: &fallback::Walks) -> Size {
    Size { states: walks.states.number().0 as usize, edges: walks.steps, ..Size::default() }
}

/// What was found before, by this exploration or by parts of it, said again. `explored` has everything but what is
/// said.
///
/// # Errors
/// The part that names an execution which does not lead to the result in the part: [`Fault::Part`].
pub fn again(plan: &Plan, leeway: Nondeterminism, mut explored: Explored) -> Result<Explored, Fault> {
    let space = explored.space(plan, leeway);
    let mut judged = |_: &Verdict, _: &str| {};
    let mut gathering = VerdictCollector::new(plan, true, &mut judged);
    for found in std::mem::take(&mut explored.found) {
        let part = found.part;
        fallback::again(&space, found, &mut gathering).map_err(|_| Fault::Part(part))?;
    }
    if let [Coverage::Walks(walks)] = explored.rungs.as_slice() {
        let elapsed = explored.size.elapsed;
        explored.size = Size { elapsed, ..of_walks(walks) };
    }
    (explored.summary, explored.stories, explored.found) = gathering.finish(explored.cut.is_none());
    Ok(explored)
}

/// Gathers what a search of all states has found. None where races have to be looked for in another way.
fn gather(
    search: &mut Search<'_, '_>,
    (plan, wish): (&Plan, HistoryOptions),
    jobs: usize,
    gathering: &mut VerdictCollector<'_, '_>,
    progress: &mut dyn FnMut(&Progress) -> bool,
) -> Result<Option<(Size, Cycles)>, Fault> {
    let budget = Arc::clone(&search.space.budget);
    let asked = if wish.races { race_freedom::asked(&judge::memories(plan)) } else { Vec::new() };
    let mut circles = Cycles::default();
    let mut goals: Vec<Goal> = Vec::new();
    goals.extend(search.ends.iter().map(|end| Goal { last: *end, then: Then::End }));
    if !asked.is_empty() {
        match race_freedom::find(search, &asked) {
            None => return Ok(None),
            Some(found) => {
                goals.extend(found.iter().map(|race| Goal::part(race.state, &race.processes)));
            }
        }
    }
    if search.cut.is_some() {
        goals.extend(glimpses(search));
    }
    if search.cut.is_none() && search.cyclic {
        goals.extend(livelocks(search, &mut circles)?);
    }
    // The shortest first; executions with a kill from outside after those without.
    let depths = search.depths();
    let depth = search.ends.iter().map(|end| depths[*end as usize]).max().unwrap_or(0) as usize;
    let round = |goal: &Goal| if let Then::Round(round) = &goal.then { round.len() as u32 } else { 0 };
    let long = |goal: &Goal| depths[goal.last as usize] + round(goal);
    goals.sort_by_cached_key(|goal| (search.is_killed(Some(goal.last)), long(goal)));
    let mut trail = Trail::default();
    let (mut done, mut told) = (0, budget.elapsed());
    while done < goals.len() && !matches!(search.cut, Some(Cut::Stopped)) {
        let mut steps = 0;
        let few = goals[done..].iter().take(OFTEN).take_while(|goal| {
            let before = steps;
            steps += long(goal) as usize;
            before < STEPS
        });
        let some = few.count().max(jobs).min(goals.len() - done);
        if budget.elapsed().saturating_sub(told) > WHILE {
            told = budget.elapsed();
            let (bytes, states) = (search.store.bytes(), search.store.len());
            let reached = Reached { states, expanded: states, depth, bytes };
            if !progress(&Progress { reached, judged: done, elapsed: told, unit: "state explored" }) {
                search.cut = search.cut.or(Some(Cut::Stopped));
                break;
            }
        }
        let mut paths = Vec::with_capacity(some);
        let mut stems = Vec::with_capacity(some);
        let mut spent = None;
        for goal in &goals[done..done + some] {
            let (line, stem) = goal.line(search);
            match path(search, &mut trail, goal, &line).map_err(Fault::from) {
                Ok(path) => paths.push((path, !goal.partial())),
                Err(fault) => {
                    spent = Some(fault.spent().ok_or(fault)?);
                    break;
                }
            }
            stems.push(stem);
        }
        for ((case, goal), stem) in cases(search.space, jobs, &paths).into_iter().zip(&goals[done..]).zip(stems) {
            match case {
                Ok(case) => gathering.add(case, gathering.next(), 1, stem, !goal.partial()),
                Err(fault) => spent = spent.or(Some(fault.spent().ok_or(fault)?)),
            }
        }
        if spent.is_some() {
            search.cut = search.cut.or(spent);
            break;
        }
        done += some;
    }
    let size = Size {
        states: search.store.len(),
        edges: search.edges,
        ends: search.ends.len(),
        depth,
        bytes: search.store.bytes(),
        elapsed: Duration::ZERO,
    };
    Ok(Some((size, circles)))
}

/// The steps that lead to a goal, behind those to another.
fn path(search: &mut Search<'_, '_>, trail: &mut Trail, goal: &Goal, line: &[u32]) -> Result<Vec<Step>, ModelError> {
    let mut path = search.path_from(trail, line)?;
    if let Then::Part(beyond) = &goal.then
        && !beyond.is_empty()
    {
        let origins = search.origins(trail.last());
        path.extend(beyond.iter().map(|process| Step {
            process: origins[*process as usize],
            kind: Kind::Go,
            choices: Vec::new(),
        }));
    }
    Ok(path)
}

/// Where a search was cut: a state for each way in which what is kept of the past differs.
fn glimpses(search: &Search<'_, '_>) -> Vec<Goal> {
    const MOST_GLIMPSES: usize = 4096;
    let kept = search.space.kept();
    let mut state = vec![0; search.space.width()];
    let mut seen = std::collections::HashSet::new();
    let mut goals = Vec::new();
    let mut pace = Pace::new(&search.space.budget);
    for number in 0..search.store.len() as u32 {
        if kept.is_empty() || goals.len() >= MOST_GLIMPSES || pace.spent().is_some() {
            break;
        }
        search.store.get(number, &mut state);
        if seen.insert(state[kept.clone()].to_vec()) {
            goals.push(Goal::part(number, &[]));
        }
    }
    goals
}

/// An execution into each set of states that is never left and where nothing ends, once around.
fn livelocks(search: &mut Search<'_, '_>, circles: &mut Cycles) -> Result<Vec<Goal>, ModelError> {
    let Some(found) = cycle_proviso::find(search)? else { return Ok(Vec::new()) };
    let count = found.leads_on.len();
    circles.left = (0..count).any(|component| found.circles[component] && found.leads_on[component]);
    let mut first: Vec<Option<u32>> = vec![None; count];
    let mut ends = vec![false; count];
    for end in &search.ends {
        ends[found.of[*end as usize] as usize] = true;
    }
    for (state, component) in found.of.iter().enumerate() {
        first[*component as usize].get_or_insert(state as u32);
    }
    let mut goals = Vec::new();
    for component in 0..count {
        if !found.circles[component] || found.leads_on[component] {
            continue;
        }
        if ends[component] {
            circles.left = true;
            continue;
        }
        let Some(entry) = first[component] else { continue };
        let round = round(search, entry)?;
        if search.cut.is_some() {
            break;
        }
        goals.push(Goal { last: entry, then: Then::Round(round.into()) });
        circles.livelocks += 1;
    }
    Ok(goals)
}

/// The shortest way from a state back to it, without its begin. Where the budget is spent, which cuts the search, it is
/// empty.
fn round(search: &mut Search<'_, '_>, entry: u32) -> Result<Vec<u32>, ModelError> {
    let mut before = std::collections::HashMap::new();
    let mut queue = std::collections::VecDeque::from([entry]);
    let mut pace = Pace::new(&search.space.budget);
    while let Some(state) = queue.pop_front() {
        search.cut = pace.spent();
        if search.cut.is_some() {
            break;
        }
        for next in cycle_proviso::successors(search, state)? {
            if next == entry {
                let mut line = vec![entry];
                let mut at = state;
                while at != entry {
                    line.push(at);
                    at = before[&at];
                }
                line.reverse();
                return Ok(line);
            }
            before.entry(next).or_insert_with(|| {
                queue.push_back(next);
                state
            });
        }
    }
    Ok(Vec::new())
}

impl Explored {
    /// The states of the plan as this exploration saw them: the stories' paths are paths there.
    pub fn space<'p>(&self, plan: &'p Plan, leeway: impl Into<Nondeterminism>) -> StateSpace<'p> {
        bare(plan, leeway, self.ends)
    }

    /// The story that decides an expectation or a rule, by its place in [`Summary::overall`].
    pub fn story(&self, place: usize) -> Option<&Story> {
        let (run, _) = self.summary.overall.get(place)?.example.as_ref()?;
        self.stories.iter().find(|story| story.run == *run)
    }

    /// The shortest execution that fails, with the place of what fails in it among what is said; where nothing fails
    /// outright, the shortest that shows that something depends on timing.
    pub fn counterexample(&self) -> Option<(&Story, usize, Status)> {
        let shortest = |of: &dyn Fn(&Overall) -> bool| {
            let failed = self.summary.overall.iter().enumerate().filter(|(_, one)| of(one));
            failed
                .filter_map(|(place, one)| {
                    let (run, _) = one.example.as_ref()?;
                    Some((self.stories.iter().find(|story| story.run == *run)?, place, one.shown()))
                })
                .min_by_key(|(story, ..)| story.run)
        };
        shortest(&|one| one.status == Status::Fail).or_else(|| shortest(&|one| one.timing))
    }

    /// The execution that shows what an expectation says, by its place in the file: what can happen, or what fails.
    /// With its place among what is said, and the finding of each run that shows it.
    pub fn witness(&self, expectation: usize) -> Option<(&Story, usize, Status)> {
        let subject = Subject::Expectation(expectation);
        let place = self.summary.overall.iter().position(|one| one.subject == subject)?;
        Some((self.story(place)?, place, self.summary.overall[place].shown()))
    }
}
