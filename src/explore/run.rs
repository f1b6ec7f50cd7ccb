//! The verdict over every execution: searches all states, tells one execution for each end that differs, and lets the
//! judge judge it.
//!
//! Two executions are told apart where an expectation could tell them apart; so what is judged once is judged for all
//! that it stands for, and what all of them say together is what holds in every execution.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::analysis::race_freedom;
use super::analysis::starvation;
use super::analysis::starvation::Liveness;
use super::execution::verdicts::{Fault, Found, Gathering, Story, cases};
use super::history::{Memories, Wish};
use super::semantics::transition::{Endless, Kind, Leeway, Step, Time};
use super::state_space::Space;
use super::strategy::bfs::{Cut, Limits, Reached, Reductions, Search, Threads, Trail};
use super::strategy::cycle_proviso;
use super::strategy::fallback;
use super::strategy::fallback::{Beyond, Clock, Progress, Rung, Strategy};
use super::strategy::random_walk_parallel;
use crate::event::ProcessId;
use crate::judge::{self, Status, Subject, Summary, Verdict};
use crate::scenario::plan::Plan;

/// How many executions are judged between two looks at the clock.
const OFTEN: usize = 256;

/// How to explore.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// How time passes.
    pub time: Time,
    /// Whether every random number of its range can be drawn.
    pub random: bool,
    /// Whether one process may be killed from outside, at any moment.
    pub kill: bool,
    /// What may be left out of the search.
    pub reductions: Reductions,
    /// How much to look at.
    pub limits: Limits,
    /// The longest that it may take.
    pub longest: Option<Duration>,
    /// How it goes about it.
    pub strategy: Strategy,
    /// What is looked at where not every state is.
    pub beyond: Beyond,
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
    pub fn leeway(&self) -> Leeway {
        Leeway { time: self.time, random: self.random, kill: self.kill }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Explored {
    /// What all executions say of each expectation and rule; its `runs` are the executions that were judged, each for
    /// all that no expectation can tell from it.
    pub summary: Summary,
    /// The executions that decide it, each with its number among those that were judged.
    pub stories: Vec<Story>,
    /// Why not every execution was looked at.
    pub cut: Option<Cut>,
    /// How much there was.
    pub size: Size,
    /// What goes on for ever.
    pub circles: Circles,
    /// Who can be starved.
    pub liveness: Liveness,
    /// What was done where not every state was looked at.
    pub rungs: Vec<Rung>,
    /// One execution of each kind, where asked for.
    pub found: Vec<Found>,
    /// Whether the end of each process is a step of its own, since it matters when it ends.
    pub ends: bool,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Size {
    /// States met.
    pub states: usize,
    /// Steps between them.
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

/// Executions that go on for ever.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Circles {
    /// Whether one can be gone through again and again that can be left at any time: who is scheduled fairly leaves it.
    pub left: bool,
    /// How many sets of states there are that are never left and where nothing ends.
    pub livelocks: usize,
}

/// Where an execution leads.
#[derive(Clone, Debug)]
struct Goal {
    /// The states of its path.
    line: Vec<u32>,
    /// The place in `line` to which the last state leads back.
    stem: Option<usize>,
    /// The processes whose steps follow that lead beyond the last state, as they are called there.
    beyond: Vec<ProcessId>,
    /// Whether it is no end.
    partial: bool,
}

impl Goal {
    fn end(line: Vec<u32>) -> Self {
        Self { line, stem: None, beyond: Vec::new(), partial: false }
    }

    fn part(line: Vec<u32>, beyond: Vec<ProcessId>) -> Self {
        Self { beyond, partial: true, ..Self::end(line) }
    }
}

/// The states of a plan as an exploration sees them. `ends`: whether the end of every process is a step of its own.
pub fn space(plan: &Plan, leeway: impl Into<Leeway>, ends: bool) -> Space<'_> {
    let leeway = leeway.into();
    let wish = Wish { ends, ..Wish::default() };
    Space::remembering(plan, leeway, Memories::new(plan, judge::memories(plan), leeway, wish))
}

/// The same for who only follows a path and need not remember what was before.
pub fn bare(plan: &Plan, leeway: impl Into<Leeway>) -> Space<'_> {
    let leeway = leeway.into();
    let memories = Memories::new(plan, judge::memories(plan), leeway, Wish::default());
    Space::unremembering(plan, leeway, &memories)
}

/// By step: whether it is a turn of its own although it is about no object, since an expectation could tell its place.
pub fn told_apart(plan: &Plan) -> Vec<bool> {
    Memories::new(plan, judge::memories(plan), Time::default(), Wish::default()).visible
}

/// Explores every execution of a plan. `progress` is told now and then how far it has come, and says whether to go on.
///
/// # Errors
/// A process that computes without end.
pub fn explore(plan: &Plan, options: &Options, progress: &mut dyn FnMut(&Progress) -> bool) -> Result<Explored, Fault> {
    let begin = Instant::now();
    exploring(plan, options, begin, progress, &mut |_, _| {})
}

/// The same; `judged` is told each verdict, with how that execution ended.
pub(super) fn exploring(
    plan: &Plan,
    options: &Options,
    begin: Instant,
    progress: &mut dyn FnMut(&Progress) -> bool,
    judged: &mut dyn FnMut(&Verdict, &str),
) -> Result<Explored, Fault> {
    let mut wish = Wish { races: race_freedom::is_tame(plan) && !options.kill, ..Wish::default() };
    loop {
        match once(plan, options, wish, begin, progress, judged)? {
            Ok(mut explored) => {
                let goes_round = explored.circles.left || explored.circles.livelocks > 0;
                if goes_round && explored.cut.is_none() {
                    let mut goes_on = || options.longest.is_none_or(|longest| begin.elapsed() < longest);
                    explored.liveness = starvation::find(plan, options.leeway(), &mut goes_on)?;
                }
                return Ok(*explored);
            }
            Err(more) => wish = more,
        }
    }
}

/// The same, keeping what is wished; or what must be kept, where it turns out that it was not enough.
fn once(
    plan: &Plan,
    options: &Options,
    wish: Wish,
    begin: Instant,
    progress: &mut dyn FnMut(&Progress) -> bool,
    judged: &mut dyn FnMut(&Verdict, &str),
) -> Result<Result<Box<Explored>, Wish>, Fault> {
    let space = |wish: Wish| {
        Space::remembering(plan, options.leeway(), Memories::new(plan, judge::memories(plan), options.leeway(), wish))
    };
    let wants = |space: &Space<'_>, wish: Wish| space.memories.as_ref().and_then(|memories| memories.wants(wish));
    let Options { strategy, beyond, limits, longest, .. } = *options;
    let clock = Clock { begin, longest };
    let full = strategy == Strategy::Full;
    let mut gathering = Gathering::new(plan, beyond.keep, judged);
    let (mut size, mut circles) = (Size::default(), Circles::default());
    let mut cut = Some(Cut::Chosen);
    if full {
        let mut space = space(wish);
        // Where the ladder is gone down, that takes time too.
        let clock = if beyond.descend { clock.part(3, 4) } else { clock };
        let mut search = Search::new(&mut space, options.reductions).by(options.threads());
        let mut late = false;
        search.run(limits, &mut |reached| clock.tell(*reached, 0, "state looked at", &mut late, progress))?;
        if let Some(more) = wants(search.space, wish) {
            return Ok(Err(more));
        }
        match gather(&mut search, (plan, wish), (clock, options.jobs), &mut late, &mut gathering, progress)? {
            Some(found) => (size, circles) = found,
            None => return Ok(Err(Wish { races: false, ..wish })),
        }
        cut = search.cut.map(|cut| if late { Cut::Time } else { cut });
    }
    // What races are is seen in states only where all of them are looked at.
    let wish = Wish { races: false, ..wish };
    let mut rungs: Vec<Rung> = Vec::new();
    let limit = matches!(cut, Some(Cut::States | Cut::Memory | Cut::Time)) && beyond.descend;
    if strategy == Strategy::Bounded || full && limit {
        let mut space = space(wish);
        let clock = if full { clock.part(7, 8) } else { clock };
        let rung = fallback::preemptions(&mut space, (&beyond, limits), full, clock, &mut gathering, progress)?;
        if let Some(more) = wants(&space, wish) {
            return Ok(Err(more));
        }
        if let Rung::Preemptions { states, edges, ends, whole, cut: why, .. } = rung {
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
    let walks = matches!(strategy, Strategy::Random | Strategy::Pct);
    if walks || full && limit && !matches!(cut, None | Some(Cut::Stopped)) {
        let make = || space(wish);
        let how = (&beyond, strategy, options.jobs);
        let Some(rung) = random_walk_parallel::walks(&make, how, full, clock, &mut gathering, progress)? else {
            return Ok(Err(Wish { ends: true, ..wish }));
        };
        if let Rung::Walks(walks) = &rung {
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
    size.elapsed = begin.elapsed();
    Ok(Ok(Box::new(Explored {
        summary,
        stories,
        cut,
        size,
        circles,
        rungs,
        found,
        ends: wish.ends,
        liveness: Liveness::Ends,
    })))
}

/// How much single executions have looked at.
fn of_walks(walks: &fallback::Walks) -> Size {
    Size { states: walks.states.number().0 as usize, edges: walks.steps, ..Size::default() }
}

/// What was found before, by this exploration or by parts of it, said again. `explored` has everything but what is said.
///
/// # Errors
/// An execution that cannot be followed.
pub fn again(plan: &Plan, leeway: Leeway, mut explored: Explored) -> Result<Explored, Fault> {
    let space = explored.space(plan, leeway);
    let mut judged = |_: &Verdict, _: &str| {};
    let mut gathering = Gathering::new(plan, true, &mut judged);
    for found in std::mem::take(&mut explored.found) {
        fallback::again(&space, found, &mut gathering)?;
    }
    if let [Rung::Walks(walks)] = explored.rungs.as_slice() {
        let elapsed = explored.size.elapsed;
        explored.size = Size { elapsed, ..of_walks(walks) };
    }
    (explored.summary, explored.stories, explored.found) = gathering.finish(explored.cut.is_none());
    Ok(explored)
}

/// Gathers what a search of all states has found. None where races have to be looked for in another way.
fn gather(
    search: &mut Search<'_, '_>,
    (plan, wish): (&Plan, Wish),
    (clock, jobs): (Clock, usize),
    late: &mut bool,
    gathering: &mut Gathering<'_, '_>,
    progress: &mut dyn FnMut(&Progress) -> bool,
) -> Result<Option<(Size, Circles)>, Fault> {
    let asked = if wish.races { race_freedom::asked(&judge::memories(plan)) } else { Vec::new() };
    let mut circles = Circles::default();
    let mut goals: Vec<Goal> = Vec::new();
    let mut depth = 0;
    for end in &search.ends {
        let line = search.line(*end);
        depth = depth.max(line.len() - 1);
        goals.push(Goal::end(line));
    }
    if !asked.is_empty() {
        match race_freedom::find(search, &asked) {
            None => return Ok(None),
            Some(found) => {
                goals.extend(found.iter().map(|race| Goal::part(search.line(race.state), race.processes.to_vec())));
            }
        }
    }
    if search.cut.is_some() {
        goals.extend(glimpses(search));
    }
    if search.cut.is_none() && search.cyclic {
        goals.extend(livelocks(search, &mut circles)?);
    }
    // What is found first is told first: the shortest.
    // What happens only where somebody is killed from outside comes behind what happens anyway.
    goals.sort_by_key(|goal| (search.is_killed(goal.line.last().copied()), goal.line.len()));
    let mut trail = Trail::default();
    for (some, goals) in goals.chunks(OFTEN).enumerate() {
        if some > 0 {
            let (bytes, states) = (search.store.bytes(), search.store.len());
            let reached = Reached { states, expanded: states, depth, bytes };
            let mut over = false;
            if !clock.tell(reached, some * OFTEN, "state looked at", &mut over, progress) {
                *late |= over;
                search.cut = search.cut.or(Some(Cut::Stopped));
                break;
            }
        }
        let paths = goals.iter().map(|goal| Ok((path(search, &mut trail, goal)?, !goal.partial)));
        let paths = paths.collect::<Result<Vec<_>, Endless>>()?;
        for (goal, case) in goals.iter().zip(cases(search.space, jobs, &paths)) {
            gathering.add(case?, gathering.next(), 1, goal.stem, !goal.partial);
        }
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
fn path(search: &mut Search<'_, '_>, trail: &mut Trail, goal: &Goal) -> Result<Vec<Step>, Endless> {
    let mut path = search.path_from(trail, &goal.line)?;
    if !goal.beyond.is_empty() {
        let origins = search.origins(trail.last());
        path.extend(goal.beyond.iter().map(|process| Step {
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
    for number in 0..search.store.len() as u32 {
        search.store.get(number, &mut state);
        if !kept.is_empty() && goals.len() < MOST_GLIMPSES && seen.insert(state[kept.clone()].to_vec()) {
            goals.push(Goal::part(search.line(number), Vec::new()));
        }
    }
    goals
}

/// An execution into each set of states that is never left and where nothing ends, once around.
fn livelocks(search: &mut Search<'_, '_>, circles: &mut Circles) -> Result<Vec<Goal>, Endless> {
    let found = cycle_proviso::find(search)?;
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
        let mut line = search.line(entry);
        let stem = line.len() - 1;
        line.extend(round(search, entry)?);
        goals.push(Goal { stem: Some(stem), ..Goal::end(line) });
        circles.livelocks += 1;
    }
    Ok(goals)
}

/// The shortest way from a state back to it, without its begin.
fn round(search: &mut Search<'_, '_>, entry: u32) -> Result<Vec<u32>, Endless> {
    let mut before = std::collections::HashMap::new();
    let mut queue = std::collections::VecDeque::from([entry]);
    while let Some(state) = queue.pop_front() {
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
    pub fn space<'p>(&self, plan: &'p Plan, leeway: impl Into<Leeway>) -> Space<'p> {
        let leeway = leeway.into();
        let wish = Wish { ends: self.ends, ..Wish::default() };
        Space::unremembering(plan, leeway, &Memories::new(plan, judge::memories(plan), leeway, wish))
    }

    /// The story that decides an expectation or a rule, by its place in [`Summary::overall`].
    pub fn story(&self, place: usize) -> Option<&Story> {
        let (run, _) = self.summary.overall.get(place)?.example.as_ref()?;
        self.stories.iter().find(|story| story.run == *run)
    }

    /// The shortest execution that fails, and what fails in it.
    pub fn counterexample(&self) -> Option<(&Story, usize)> {
        let failed = self.summary.overall.iter().enumerate().filter(|(_, one)| one.status == Status::Fail);
        failed
            .filter_map(|(place, one)| {
                let (run, _) = one.example.as_ref()?;
                Some((self.stories.iter().find(|story| story.run == *run)?, place))
            })
            .min_by_key(|(story, _)| story.run)
    }

    /// The execution that shows what an expectation says, by its place in the file: what can happen, or what fails. With
    /// its place among what is said, and what each run says in which it comes to that.
    pub fn witness(&self, expectation: usize) -> Option<(&Story, usize, Status)> {
        let subject = Subject::Expectation(expectation);
        let place = self.summary.overall.iter().position(|one| one.subject == subject)?;
        Some((self.story(place)?, place, self.summary.overall[place].status))
    }
}
