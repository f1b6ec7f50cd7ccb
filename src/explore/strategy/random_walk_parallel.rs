//! Many single executions, by several threads: each execution depends on its number alone, so what they find together
//! does not depend on the thread of each walk.
//!
//! Each thread has states of its own, whose numbers say nothing to another; what it gives back are kinds of verdicts
//! and ends, each with its smallest number.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::bfs::{Cut, Reached};
use super::depth_bound::longest;
use super::fallback::{Coverage, FallbackOptions, Progress, Strategy, Walks, again};
use super::random_walk;
use super::random_walk::{LONGEST, Manner, Walker};
use crate::explore::budget::{Budget, Pace};
use crate::explore::execution::verdicts::{Fault, Found, VerdictCollector, case, sign};
use crate::explore::state_space::StateSpace;
use crate::explore::visited::{ROOT, VisitedSet};

/// How many executions are gone through to see how many steps one has, where that is not known.
const MEASURED: u64 = 32;
/// Of those that have not ended, which are judged: those with a smaller number.
const UNENDED: u64 = 64;
/// How many executions a thread takes at once.
const CHUNK: u64 = 16;
/// After how many steps of its own a thread looks at the clock: a walk may be a microsecond.
const OFTEN: u64 = 1 << 16;

/// Makes the states that a thread walks through.
pub(crate) type Make<'m, 'p> = &'m (dyn Fn() -> StateSpace<'p> + Sync);

/// What all threads look at.
struct Common {
    /// The executions: those whose number leaves `.0` when it is divided by `.1`.
    shard: (u64, u64),
    /// How many of them there are.
    total: u64,
    strategy: Strategy,
    priorities: Manner,
    /// The first of them that no process has taken.
    next: AtomicU64,
    /// How many have been gone through.
    done: AtomicUsize,
    /// Whether no more are to be taken.
    stop: AtomicBool,
    /// The smallest number that cannot be followed, and why.
    fault: Mutex<Option<(u64, Fault)>>,
    /// The same number, or none so large.
    end: AtomicU64,
}

/// What a thread has found.
#[derive(Default)]
struct Part {
    walks: Walks,
    /// One execution of each kind.
    found: Vec<Found>,
    /// By kind: its place there.
    kinds: HashMap<String, usize>,
    /// Whether it matters when processes end.
    wants_ends: bool,
}

/// Goes through single executions, `jobs` of them at once. Random ones and those by priorities take turns where there
/// is no strategy for one of them. They use the budget of the space, and judging their results uses that of `judging`.
/// `fresh`: only verdicts and ends that have not been met are gathered, each once. None where it matters when processes
/// end, and that is no part of the states.
pub(crate) fn walks(
    make: Make<'_, '_>,
    (beyond, strategy, jobs): (&FallbackOptions, Strategy, usize),
    fresh: bool,
    judging: &Arc<Budget>,
    gathering: &mut VerdictCollector<'_, '_>,
    progress: &mut dyn FnMut(&Progress) -> bool,
) -> Result<Option<Coverage>, Fault> {
    let mut space = make();
    let plan = space.plan;
    let depth = beyond.depth.max(1);
    let (length, bounded) = if strategy == Strategy::Random { (0, false) } else { length(&mut space)? };
    let (index, count) = (beyond.shard.0, beyond.shard.1.max(1));
    let common = Common {
        shard: (index, count),
        total: beyond.runs.saturating_sub(index).div_ceil(count),
        strategy,
        priorities: Manner::Priorities { depth, steps: length },
        next: AtomicU64::new(0),
        done: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        fault: Mutex::new(None),
        end: AtomicU64::new(u64::MAX),
    };
    let budget = Arc::clone(&space.budget);
    let mut cut = None;
    let mut watch = |bytes: usize| {
        let done = common.done.load(Ordering::Relaxed);
        let reached = Reached { states: common.total as usize, expanded: done, depth: 0, bytes };
        let elapsed = budget.elapsed();
        let goes_on = progress(&Progress { reached, judged: 0, elapsed, unit: "execution" });
        if !goes_on {
            cut = Some(Cut::Stopped);
        }
        goes_on
    };
    let others = (jobs.max(1) as u64).min(common.total.div_ceil(CHUNK).max(1)) - 1;
    let parts = std::thread::scope(|scope| {
        // Where the host starts no more threads, those that there are do it all.
        let start =
            |_| std::thread::Builder::new().spawn_scoped(scope, || common.part(&mut make(), &mut |_| true)).ok();
        let threads: Vec<_> = (0..others).map_while(start).collect();
        let mut parts = vec![common.part(&mut space, &mut watch)];
        for thread in threads {
            parts.push(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        parts
    });
    if let Some((_, fault)) = common.fault.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(fault);
    }
    let mut cut = cut.or_else(|| common.stop.load(Ordering::Relaxed).then(|| budget.spent()).flatten());
    let mut all = Part::default();
    for part in parts {
        all.join(part);
    }
    if all.wants_ends {
        return Ok(None);
    }
    let processes = plan.processes.len() as u32;
    space.budget = Arc::clone(judging);
    let mut kinds: Vec<(String, usize)> = all.kinds.into_iter().collect();
    kinds.sort_by_key(|(_, place)| all.found[*place].number);
    for (kind, place) in kinds {
        let found = all.found[place].clone();
        let found = if fresh {
            if gathering.knows(&kind) {
                continue;
            }
            Found { number: gathering.next(), times: 1, ..found }
        } else {
            found
        };
        if let Err(fault) = again(&space, found, gathering) {
            cut = Some(fault.spent().ok_or(fault)?);
            break;
        }
    }
    Ok(Some(Coverage::Walks(Walks { depth, processes, length, bounded, cut, ..all.walks })))
}

/// How many steps an execution has at most, and whether that is so of all of them or only of some that show it.
fn length(space: &mut StateSpace<'_>) -> Result<(u32, bool), Fault> {
    if let Some(longest) = longest(space).filter(|longest| *longest <= LONGEST) {
        return Ok((longest, true));
    }
    let seed = space.plan.seed;
    let mut walker = Walker::new(space)?;
    let mut length = 0;
    for number in 0..MEASURED {
        length = length.max(walker.walk(random_walk::seed(seed, u64::MAX - number), Manner::Random, None)?.steps);
    }
    Ok((length, false))
}

impl Common {
    /// What one thread does. `watch` gets the number of bytes that it keeps, and returns whether to continue.
    fn part(&self, space: &mut StateSpace<'_>, watch: &mut dyn FnMut(usize) -> bool) -> Part {
        let mut part = Part::default();
        let mut number = 0;
        if let Err(fault) = self.go(space, &mut part, &mut number, watch) {
            // One thread would not have explored what comes after it.
            self.end.fetch_min(number, Ordering::Relaxed);
            let mut first = self.fault.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if first.as_ref().is_none_or(|(other, _)| number < *other) {
                *first = Some((number, fault));
            }
        }
        part.wants_ends = space.memories.as_ref().is_some_and(|memories| memories.wants_ends);
        part
    }

    fn go(
        &self,
        space: &mut StateSpace<'_>,
        part: &mut Part,
        number: &mut u64,
        watch: &mut dyn FnMut(usize) -> bool,
    ) -> Result<(), Fault> {
        let seed = space.plan.seed;
        let mut over = VisitedSet::new(space.width(), space.plan.processes.len());
        let mut walker = Walker::new(space)?;
        // By end: the place of its kind.
        let mut of: Vec<usize> = Vec::new();
        let mut told = None;
        let mut pace = Pace::new(&walker.space.budget);
        let Part { walks, found, kinds, .. } = part;
        loop {
            let first = self.next.fetch_add(CHUNK, Ordering::Relaxed);
            for place in first..(first + CHUNK).min(self.total) {
                *number = self.shard.0 + place * self.shard.1;
                if told.is_none_or(|told| walks.steps - told > OFTEN) {
                    told = Some(walks.steps);
                    if !watch(over.bytes()) {
                        self.stop.store(true, Ordering::Relaxed);
                    }
                }
                if self.stop.load(Ordering::Relaxed) || *number > self.end.load(Ordering::Relaxed) {
                    (walks.states, walks.chosen) = (std::mem::take(&mut walker.sketch), walker.chosen);
                    return Ok(());
                }
                let pct = self.strategy == Strategy::Pct || self.strategy != Strategy::Random && *number % 2 == 1;
                let manner = if pct { self.priorities } else { Manner::Random };
                let seed = random_walk::seed(seed, *number);
                let reached = walker.walk(seed, manner, None)?;
                if pace.spent().is_some() {
                    self.stop.store(true, Ordering::Relaxed);
                    continue;
                }
                self.done.fetch_add(1, Ordering::Relaxed);
                *(if pct { &mut walks.pct } else { &mut walks.random }) += 1;
                walks.steps += u64::from(reached.steps);
                if reached.over {
                    let (end, new) = over.insert(&walker.state, ROOT);
                    if !new {
                        found[of[end as usize]].times += 1;
                        continue;
                    }
                } else {
                    walks.unended += 1;
                    if *number >= UNENDED {
                        continue;
                    }
                }
                let mut path = Vec::new();
                walker.walk(seed, manner, Some(&mut path))?;
                let case = match case(walker.space, path, reached.over) {
                    Ok(case) => case,
                    Err(fault) if fault.spent().is_some() => {
                        self.stop.store(true, Ordering::Relaxed);
                        continue;
                    }
                    Err(fault) => return Err(fault),
                };
                if !reached.over && !case.decides() {
                    continue;
                }
                let place = *kinds.entry(case.kind).or_insert_with_key(|kind| {
                    let (kind, path, ended) = (sign(kind), case.path, reached.over);
                    found.push(Found { number: *number + 1, times: 0, kind, path, stem: None, ended, part: 0 });
                    found.len() - 1
                });
                found[place].times += 1;
                if reached.over {
                    of.push(place);
                }
            }
            if first + CHUNK >= self.total {
                (walks.states, walks.chosen) = (std::mem::take(&mut walker.sketch), walker.chosen);
                return Ok(());
            }
        }
    }
}

impl Part {
    fn join(&mut self, other: Self) {
        self.walks.join(&other.walks);
        self.wants_ends |= other.wants_ends;
        for (kind, place) in other.kinds {
            let found = other.found[place].clone();
            match self.kinds.get(&kind) {
                Some(known) => self.found[*known].join(found),
                None => {
                    self.kinds.insert(kind, self.found.len());
                    self.found.push(found);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::run::{Explored, Options, explore};
    use crate::explore::strategy::bfs::Limits;
    use crate::explore::tests::{lost_update, philosophers, plan};

    /// Everything that is said, besides how long it took.
    fn told(text: &str, options: &Options) -> Result<String, Fault> {
        let explored = explore(&plan(text), options, &mut |_| true)?;
        let Explored { summary, stories, cut, size, rungs, found, ends, .. } = explored;
        let words: Vec<String> = rungs.iter().flat_map(Coverage::words).collect();
        let stories: Vec<_> = stories.iter().map(|story| (story.run, &story.path, story.stem)).collect();
        let size = (size.states, size.edges, size.ends, size.depth);
        Ok(format!("{summary:?}\n{words:?}\n{stories:?}\n{cut:?} {size:?} {ends}\n{found:?}"))
    }

    /// With several threads the same is said as with one.
    fn same(text: &str, options: &Options) {
        let one = told(text, options);
        for jobs in [2, 5] {
            assert_eq!(told(text, &Options { jobs, ..*options }), one, "with {jobs} threads");
        }
    }

    #[test]
    fn several_threads_say_what_one_says() {
        let lost = lost_update(2, 3) + "[[expect]]\nfinal = \"money == 6\"\n";
        let lost = lost + "[[expect]]\nfinal = \"money == 2\"\nholds = \"sometimes\"\n";
        for text in [lost, philosophers(3, false, false)] {
            for strategy in [Strategy::Random, Strategy::Pct] {
                let beyond = FallbackOptions { runs: 200, shard: (2, 3), keep: true, ..FallbackOptions::default() };
                same(&text, &Options { strategy, beyond, ..Options::default() });
            }
            let limits = Limits { states: 5, ..Limits::default() };
            let beyond = FallbackOptions { runs: 100, ..FallbackOptions::default() };
            same(&text, &Options { limits, beyond, ..Options::default() });
        }
    }

    #[test]
    fn the_first_execution_that_cannot_be_followed_is_the_same_for_all() {
        let text = "[objects]\nv = { kind = \"value\", value = 0 }\n[processes.p]\ncount = 3\nvars = { x = 0 }\n\
                    steps = [{ repeat = 3, do = [{ load = \"v\", into = \"x\" }, { store = \"v\", value = \"{x + 1}\" }] },\n\
                    { load = \"v\", into = \"x\" }, { while = \"x == 4\", do = [{ let = { x = 4 } }] }]\n";
        let beyond = FallbackOptions { runs: 500, ..FallbackOptions::default() };
        let options = Options { strategy: Strategy::Random, beyond, ..Options::default() };
        assert!(matches!(told(text, &options), Err(Fault::ModelError(_))), "{:?}", told(text, &options));
        same(text, &options);
    }

    #[test]
    fn all_threads_stop_where_one_is_told_to() {
        let beyond = FallbackOptions { runs: u64::MAX, ..FallbackOptions::default() };
        let options = Options { strategy: Strategy::Random, beyond, jobs: 3, ..Options::default() };
        let mut asked = 0;
        let mut watch = |_: &Progress| {
            asked += 1;
            asked < 3
        };
        let explored = explore(&plan(&lost_update(2, 3)), &options, &mut watch).expect("it is stopped");
        assert_eq!(explored.cut, Some(Cut::Stopped));
    }
}
