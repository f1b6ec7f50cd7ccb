//! The verdict over every execution: searches all states, tells one execution for each end that differs, and lets the
//! judge judge it.
//!
//! Two executions are told apart where an expectation could tell them apart; so what is judged once is judged for all
//! that it stands for, and what all of them say together is what holds in every execution.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::components;
use super::count::{self, Counts};
use super::gather::{Found, Gathering, case};
use super::ladder::{self, Beyond, Clock, Rung, Strategy};
use super::memories::{Memories, Wish};
use super::search::{Cut, Limits, Reached, Reductions, Search};
use super::space::{Endless, Space, Time};
use super::tell::{Lost, Step, Told};
use crate::judge::{self, Status, Subject, Summary, Verdict};
use crate::scenario::plan::Plan;

/// How to explore.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// How time passes.
    pub time: Time,
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
    /// Up to how many states schedules are counted.
    pub counted: usize,
}

/// How far an exploration has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What was searched.
    pub reached: Reached,
    /// Ends that were judged.
    pub judged: usize,
    /// How long it has taken.
    pub elapsed: Duration,
    /// What `reached` counts: `state looked at`, `execution`.
    pub unit: &'static str,
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
    /// What was done where not every state was looked at.
    pub rungs: Vec<Rung>,
    /// One execution of each kind, where asked for.
    pub found: Vec<Found>,
    /// Whether the end of each process is a step of its own.
    pub ends: bool,
    /// How many schedules there are, where all states were looked at and that could be counted.
    pub counts: Option<Counts>,
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

/// An execution that was told.
#[derive(Debug)]
pub struct Story {
    /// Its number among those that were judged, from 1: that of [`judge::Overall::example`].
    pub run: u64,
    /// Its steps.
    pub path: Vec<Step>,
    /// What happened.
    pub told: Told,
    /// What was found in it.
    pub verdict: Verdict,
    /// How many of its steps lead to where it goes round for ever; none where it ends.
    pub stem: Option<usize>,
}

/// Why there is no verdict.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A process computes without end.
    Endless(Endless),
    /// A path that was found could not be followed.
    Lost(Lost),
}

impl From<Endless> for Fault {
    fn from(endless: Endless) -> Self {
        Self::Endless(endless)
    }
}

/// Where an execution leads.
#[derive(Clone, Debug)]
struct Goal {
    /// The states of its path.
    line: Vec<u32>,
    /// The place in `line` to which the last state leads back.
    stem: Option<usize>,
}

/// The states of a plan as an exploration sees them.
pub fn space(plan: &Plan, time: Time) -> Space<'_> {
    let memories = Memories::new(plan, judge::memories(plan), time, Wish::default());
    Space::unremembering(plan, time, &memories)
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
    match once(plan, options, Wish::default(), begin, progress, judged)? {
        Some(explored) => Ok(explored),
        // It matters when processes end.
        None => {
            let wish = Wish { ends: true, ..Wish::default() };
            Ok(once(plan, options, wish, begin, progress, judged)?.unwrap_or_default())
        }
    }
}

/// The same; none where it turns out that the end of a process must be a step of its own and is not.
fn once(
    plan: &Plan,
    options: &Options,
    wish: Wish,
    begin: Instant,
    progress: &mut dyn FnMut(&Progress) -> bool,
    judged: &mut dyn FnMut(&Verdict, &str),
) -> Result<Option<Explored>, Fault> {
    let space = || {
        let memories = Memories::new(plan, judge::memories(plan), options.time, wish);
        Space::remembering(plan, options.time, memories)
    };
    let wants = |space: &Space<'_>| space.memories.as_ref().is_some_and(|memories| memories.wants_ends);
    let Options { strategy, beyond, limits, longest, .. } = *options;
    let clock = Clock { begin, longest };
    let full = strategy == Strategy::Full;
    let mut gathering = Gathering::new(plan, beyond.keep, judged);
    let (mut size, mut circles) = (Size::default(), Circles::default());
    let mut cut = Some(Cut::Chosen);
    if full {
        let mut space = space();
        // Where the ladder is gone down, that takes time too.
        let clock = if beyond.descend { clock.part(3, 4) } else { clock };
        let mut search = Search::new(&mut space, options.reductions);
        let mut late = false;
        search.run(limits, &mut |reached| clock.tell(*reached, "state looked at", &mut late, progress))?;
        cut = search.cut.map(|cut| if late { Cut::Time } else { cut });
        if wants(search.space) {
            return Ok(None);
        }
        (size, circles) = gather(plan, &mut search, &mut gathering)?;
    }
    let mut rungs: Vec<Rung> = Vec::new();
    let limit = matches!(cut, Some(Cut::States | Cut::Memory | Cut::Time)) && beyond.descend;
    if strategy == Strategy::Bounded || full && limit {
        let mut space = space();
        let clock = if full { clock.part(7, 8) } else { clock };
        let rung = ladder::preemptions(&mut space, (&beyond, limits), full, clock, &mut gathering, progress)?;
        if wants(&space) {
            return Ok(None);
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
        let mut space = space();
        let rung = ladder::walks(&mut space, (&beyond, strategy), full, clock, &mut gathering, progress)?;
        if wants(&space) {
            return Ok(None);
        }
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
    let counts = if full && cut.is_none() && options.counted > 0 {
        let reached = Reached { states: size.states, expanded: size.states, depth: size.depth, bytes: size.bytes };
        let mut late = false;
        count::counts(plan, options.time, options.counted, &mut || {
            clock.tell(reached, "state looked at", &mut late, progress)
        })?
    } else {
        None
    };
    Ok(Some(Explored { summary, stories, cut, size, circles, rungs, found, ends: wish.ends, counts }))
}

/// How much single executions have looked at.
fn of_walks(walks: &ladder::Walks) -> Size {
    Size { states: walks.states.number().0 as usize, edges: walks.steps, ..Size::default() }
}

/// What was found before, by this exploration or by parts of it, said again. `explored` has everything but what is said.
///
/// # Errors
/// An execution that cannot be followed.
pub fn again(plan: &Plan, time: Time, mut explored: Explored) -> Result<Explored, Fault> {
    let wish = Wish { ends: explored.ends, ..Wish::default() };
    let memories = Memories::new(plan, judge::memories(plan), time, wish);
    let space = Space::unremembering(plan, time, &memories);
    let mut judged = |_: &Verdict, _: &str| {};
    let mut gathering = Gathering::new(plan, true, &mut judged);
    for found in std::mem::take(&mut explored.found) {
        ladder::again(&space, found, &mut gathering)?;
    }
    if let [Rung::Walks(walks)] = explored.rungs.as_slice() {
        let elapsed = explored.size.elapsed;
        explored.size = Size { elapsed, ..of_walks(walks) };
    }
    (explored.summary, explored.stories, explored.found) = gathering.finish(explored.cut.is_none());
    Ok(explored)
}

/// Gathers what a search of all states has found.
fn gather(
    plan: &Plan,
    search: &mut Search<'_, '_>,
    gathering: &mut Gathering<'_, '_>,
) -> Result<(Size, Circles), Fault> {
    let mut circles = Circles::default();
    let mut goals: Vec<Goal> = Vec::new();
    let mut depth = 0;
    for end in &search.ends {
        let line = search.line(*end);
        depth = depth.max(line.len() - 1);
        goals.push(Goal { line, stem: None });
    }
    if search.cut.is_none() && search.cyclic {
        goals.extend(livelocks(search, &mut circles)?);
    }
    // What is found first is told first: the shortest.
    goals.sort_by_key(|goal| goal.line.len());
    for goal in &goals {
        let path = search.path(&goal.line)?;
        let case = case(plan, search.space, path, true)?;
        gathering.add(case, gathering.next(), 1, goal.stem, true);
    }
    let size = Size {
        states: search.store.len(),
        edges: search.edges,
        ends: search.ends.len(),
        depth,
        bytes: search.store.bytes(),
        elapsed: Duration::ZERO,
    };
    Ok((size, circles))
}

/// An execution into each set of states that is never left and where nothing ends, once around.
fn livelocks(search: &mut Search<'_, '_>, circles: &mut Circles) -> Result<Vec<Goal>, Endless> {
    let found = components::find(search)?;
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
        goals.push(Goal { line, stem: Some(stem) });
        circles.livelocks += 1;
    }
    Ok(goals)
}

/// The shortest way from a state back to it, without its begin.
fn round(search: &mut Search<'_, '_>, entry: u32) -> Result<Vec<u32>, Endless> {
    let mut before = std::collections::HashMap::new();
    let mut queue = std::collections::VecDeque::from([entry]);
    while let Some(state) = queue.pop_front() {
        for next in components::successors(search, state)? {
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
    /// The story that decides an expectation or a rule, by its place in [`Summary::overall`].
    pub fn story(&self, place: usize) -> Option<&Story> {
        let (run, _) = self.summary.overall.get(place)?.example.as_ref()?;
        self.stories.iter().find(|story| story.run == *run)
    }

    /// The shortest execution that fails, and what fails in it.
    pub fn counterexample(&self) -> Option<(&Story, Subject)> {
        let failed = self.summary.overall.iter().filter(|one| one.status == Status::Fail);
        failed
            .filter_map(|one| {
                let (run, _) = one.example.as_ref()?;
                Some((self.stories.iter().find(|story| story.run == *run)?, one.subject))
            })
            .min_by_key(|(story, _)| story.run)
    }
}
