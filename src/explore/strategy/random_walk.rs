//! Random walks, for state spaces that are too large to be searched. Only their ends are kept.
//!
//! In a *random* walk every process that can move is equally likely at each step. In a walk by *priorities* (PCT;
//! Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs)
//! the process with the highest priority moves, of those that can; priorities are random, and after `depth - 1` random
//! steps the process that has moved gets a priority below all others. Of n processes, a bug that needs `depth` steps in a
//! certain order is found by one such walk with a probability of at least 1 / (n k^(depth - 1)), if it shows within the
//! first k steps: a priority changes after each of them with the same probability. All other choices are random.
//!
//! A walk depends on its seed alone, so it can be repeated.

use crate::explore::base::distinct_count::Sketch;
use crate::explore::budget::Pace;
use crate::explore::semantics::transition::{Kind, ModelError, Step};
use crate::explore::state_space::{NONE, Quick, StateSpace, Transition};

/// The most steps of a walk: one that has not ended is cut there.
pub(crate) const LONGEST: u32 = 10_000;

/// How a walk continues.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Manner {
    /// Each process that can go is equally likely.
    Random,
    /// By priorities, which change `depth - 1` times within that many steps.
    Priorities { depth: u32, steps: u32 },
}

/// Where a walk has led.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Reached {
    pub(crate) steps: u32,
    /// Whether the run is over there.
    pub(crate) over: bool,
}

pub(crate) struct Walker<'s, 'p> {
    pub(crate) space: &'s mut StateSpace<'p>,
    pub(crate) state: Vec<u32>,
    /// The states that were met.
    pub(crate) sketch: Sketch,
    first: Vec<u32>,
    /// The processes in the order in which they are asked whether they can go.
    order: Vec<u32>,
    /// The priorities of the last of them, where they have been lowered.
    low: Vec<u32>,
    /// The steps at which a priority is lowered.
    points: Vec<u32>,
    moves: Vec<Transition>,
    random: u64,
    /// Whether something was chosen besides the order of steps.
    pub(crate) chosen: bool,
    /// Whether a turn that changes one process and one object can be taken without asking.
    quick: bool,
    contents: Contents,
    sum: u64,
}

impl<'s, 'p> Walker<'s, 'p> {
    pub(crate) fn new(space: &'s mut StateSpace<'p>) -> Result<Self, ModelError> {
        let first = space.initial()?;
        let processes = space.plan.processes.len();
        let quick = space.memories.as_ref().is_none_or(|memories| !memories.everything);
        Ok(Self {
            state: first.clone(),
            first,
            order: (0..processes as u32).collect(),
            low: Vec::new(),
            points: Vec::new(),
            moves: Vec::new(),
            random: 0,
            chosen: false,
            quick,
            contents: Contents::new(space),
            sum: 0,
            sketch: Sketch::default(),
            space,
        })
    }

    /// Walks from the beginning to an end. `path` takes the steps.
    pub(crate) fn walk(
        &mut self,
        seed: u64,
        manner: Manner,
        mut path: Option<&mut Vec<Step>>,
    ) -> Result<Reached, ModelError> {
        self.random = seed;
        self.state.copy_from_slice(&self.first);
        self.order.iter_mut().zip(0..).for_each(|(process, number)| *process = number);
        self.low.clear();
        self.points.clear();
        if let Manner::Priorities { depth, steps } = manner {
            for at in 0..self.order.len() {
                self.draw(at);
            }
            for _ in 1..depth {
                let point = 1 + below(&mut self.random, steps.max(1).into()) as u32;
                self.points.push(point);
            }
        }
        let random = manner == Manner::Random;
        let mut pace = Pace::new(&self.space.budget);
        let mut steps = 0;
        self.sum = self.contents.sum(self.space, &self.state);
        loop {
            self.sketch.add(finish(self.sum));
            if steps >= LONGEST || pace.spent().is_some() {
                return Ok(Reached { steps, over: false });
            }
            match self.go(random, path.as_deref_mut())? {
                Some(place) => {
                    steps += 1;
                    while let Some(point) = self.points.iter().position(|point| *point == steps) {
                        self.points[point] = 0;
                        self.lower(place, point as u32);
                    }
                }
                None if self.pass(path.as_deref_mut())? => {}
                None => return Ok(Reached { steps, over: true }),
            }
        }
    }

    /// Lets a process go. Its place in `order`; none where no process can.
    fn go(&mut self, random: bool, path: Option<&mut Vec<Step>>) -> Result<Option<usize>, ModelError> {
        for at in 0..self.order.len() {
            if random {
                self.draw(at);
            }
            let process = self.order[at];
            if self.quick {
                let (column, quick) = self.space.quick(&self.state, process);
                match quick {
                    Quick::Waits => continue,
                    Quick::Plain(segment, becomes, _) => {
                        self.change(process, segment);
                        if column != NONE {
                            self.change(column, becomes);
                        }
                        if let Some(path) = path {
                            path.push(Step { process, kind: Kind::Go, choices: Vec::new() });
                        }
                        return Ok(Some(at));
                    }
                    Quick::Unknown | Quick::More(_) => {}
                }
            }
            self.moves.clear();
            self.space.moves_of(&self.state, process, &mut self.moves);
            self.space.check()?;
            if !self.moves.is_empty() {
                self.chosen |= self.moves.len() > 1;
                let step = self.moves[below(&mut self.random, self.moves.len() as u64) as usize];
                self.take(step, path)?;
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Lets time pass. False where nothing waits for it.
    fn pass(&mut self, path: Option<&mut Vec<Step>>) -> Result<bool, ModelError> {
        let mut moves = std::mem::take(&mut self.moves);
        let looked = self.space.moves(&self.state, &mut moves);
        let tick = moves.first().copied().filter(|step| step.kind == Kind::Tick);
        self.moves = moves;
        looked?;
        match tick {
            Some(tick) => self.take(tick, path).map(|()| true),
            None => Ok(false),
        }
    }

    fn take(&mut self, step: Transition, path: Option<&mut Vec<Step>>) -> Result<(), ModelError> {
        if let Some(path) = path {
            path.push(Step { process: step.process, kind: step.kind, choices: self.space.script(step) });
        }
        self.space.take(&mut self.state, step)?;
        self.sum = self.contents.sum(self.space, &self.state);
        Ok(())
    }

    #[inline]
    fn change(&mut self, column: u32, number: u32) {
        let place = &mut self.state[column as usize];
        let before = std::mem::replace(place, number);
        if before != number {
            self.sum = self.sum.wrapping_sub(self.contents.of(self.space, column as usize, before));
            self.sum = self.sum.wrapping_add(self.contents.of(self.space, column as usize, number));
        }
    }

    /// Draws the process at a place of `order` from those at and after that place.
    #[inline]
    fn draw(&mut self, at: usize) {
        let left = self.order.len() - at;
        if left > 1 {
            let other = at + below(&mut self.random, left as u64) as usize;
            self.order.swap(at, other);
        }
    }

    /// Gives the process at a place of `order` a lower priority than all that were given first.
    fn lower(&mut self, place: usize, priority: u32) {
        let high = self.order.len() - self.low.len();
        if place >= high {
            self.low.remove(place - high);
        }
        let process = self.order.remove(place);
        let high = self.order.len() - self.low.len();
        let at = self.low.iter().position(|other| *other < priority).unwrap_or(self.low.len());
        self.low.insert(at, priority);
        self.order.insert(high + at, process);
    }
}

/// Fingerprints of what processes and objects can be, by their numbers. They depend on what it is and not on when it
/// was first met.
struct Contents {
    segments: Vec<u64>,
    objects: Vec<Vec<u64>>,
    key: Vec<u8>,
}

impl Contents {
    fn new(space: &StateSpace<'_>) -> Self {
        Self { segments: Vec::new(), objects: vec![Vec::new(); space.plan.objects.len()], key: Vec::new() }
    }

    /// That of all processes and objects of a state.
    fn sum(&mut self, space: &StateSpace<'_>, state: &[u32]) -> u64 {
        let columns = space.plan.processes.len() + space.plan.objects.len();
        let all = state[..columns].iter().enumerate();
        all.fold(0, |sum, (column, number)| sum.wrapping_add(self.of(space, column, *number)))
    }

    #[inline]
    fn of(&mut self, space: &StateSpace<'_>, column: usize, number: u32) -> u64 {
        let processes = space.plan.processes.len();
        let known = match column.checked_sub(processes) {
            None => self.segments.get(number as usize),
            Some(object) => self.objects[object].get(number as usize),
        };
        let content = match known {
            Some(known) if *known != 0 => *known,
            _ => self.compute(space, column, number),
        };
        let mixed = (content ^ (column as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        mixed ^ mixed >> 32
    }

    #[cold]
    fn compute(&mut self, space: &StateSpace<'_>, column: usize, number: u32) -> u64 {
        let processes = space.plan.processes.len();
        self.key.clear();
        let list = match column.checked_sub(processes) {
            None => {
                // What is kept of the events is numbered in the order in which it was met.
                let mut segment = space.segment_of(number).clone();
                segment.notes.clear();
                segment.key(true, &mut self.key);
                &mut self.segments
            }
            Some(object) => {
                space.object_of(object as u32, number).key(&mut self.key);
                &mut self.objects[object]
            }
        };
        // FNV-1a.
        let hash = self
            .key
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        if list.len() <= number as usize {
            list.resize(number as usize + 1, 0);
        }
        list[number as usize] = hash.max(1);
        hash.max(1)
    }
}

/// The seed of one of many walks.
pub(crate) fn seed(seed: u64, number: u64) -> u64 {
    finish(finish(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)).wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

#[inline]
fn finish(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// SplitMix64.
#[inline]
fn below(state: &mut u64, count: u64) -> u64 {
    if count < 2 {
        return 0;
    }
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    ((u128::from(finish(*state)) * u128::from(count)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::semantics::transition::Time;
    use crate::explore::tests::{lost_update, philosophers, plan, semaphore};

    fn space(plan: &crate::scenario::plan::Plan) -> StateSpace<'_> {
        StateSpace::new(plan, Time::Virtual, vec![false; plan.steps.len()], false)
    }

    #[test]
    fn a_walk_can_be_gone_again_and_told() {
        let plan = plan(&philosophers(5, false, false));
        let (mut one, mut other) = (space(&plan), space(&plan));
        let mut walker = Walker::new(&mut one).expect("it begins");
        let mut again = Walker::new(&mut other).expect("it begins");
        for manner in [Manner::Random, Manner::Priorities { depth: 3, steps: 20 }] {
            let mut ends = std::collections::BTreeSet::new();
            for number in 0..200 {
                let reached = walker.walk(seed(7, number), manner, None).expect("it ends");
                let mut path = Vec::new();
                // Another space, whose numbers have been given out in another order.
                let told = again.walk(seed(7, number), manner, Some(&mut path)).expect("it ends");
                assert_eq!((reached, told.over), (told, true));
                assert_eq!(path.len() as u32, told.steps);
                let told = crate::explore::execution::concretise::tell(again.space, &path).expect("it is a path");
                ends.insert(told.trace.end == crate::trace::RunEnd::Deadlock);
                again.walk(seed(8, number), manner, None).expect("it ends");
            }
            assert!(ends.contains(&true), "{manner:?}");
        }
    }

    #[test]
    fn the_states_that_are_met_are_counted() {
        let plan = plan(&lost_update(2, 3));
        let mut space = space(&plan);
        let mut walker = Walker::new(&mut space).expect("it begins");
        for number in 0..20_000 {
            walker.walk(seed(1, number), Manner::Random, None).expect("it ends");
        }
        assert_eq!(walker.sketch.number(), (195, true));
    }

    #[test]
    fn priorities_are_kept_but_where_they_change() {
        // Without a change, one worker after the other goes from its begin to its end.
        let plan = plan(&semaphore(3, 3));
        let mut space = space(&plan);
        let mut walker = Walker::new(&mut space).expect("it begins");
        let mut orders = std::collections::BTreeSet::new();
        for number in 0..100 {
            let mut path = Vec::new();
            let manner = Manner::Priorities { depth: 1, steps: 9 };
            walker.walk(seed(1, number), manner, Some(&mut path)).expect("it ends");
            let order: Vec<u32> = path.iter().map(|step| step.process).collect();
            assert!(order.chunks(3).all(|own| own.iter().all(|process| *process == own[0])), "{order:?}");
            orders.insert(order);
        }
        assert_eq!(orders.len(), 6);
    }

    #[test]
    fn what_never_ends_is_cut() {
        let plan = plan(&philosophers(3, true, true));
        let mut space = space(&plan);
        let mut walker = Walker::new(&mut space).expect("it begins");
        let reached = walker.walk(1, Manner::Random, None).expect("it is cut");
        assert_eq!(reached, Reached { steps: LONGEST, over: false });
    }
}
