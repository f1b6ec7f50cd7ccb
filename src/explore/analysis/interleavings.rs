//! How many schedules a plan has, and how many of them are distinguishable: exact numbers, by dynamic programming over
//! the graph of all states, from which nothing is left out.
//!
//! A schedule is an order of turns from the beginning to an end. Two schedules are equivalent if one results from
//! the other by exchanging neighbouring turns that do not depend on each other (they are one Mazurkiewicz trace). Turns
//! depend on each other where they are of the same process, or about the same object (of an array, the same element)
//! and do not both only read it, or where they cannot change places for another reason: a step that reads the status of
//! a process and the end of that process. This dependence asks only for the object. The search uses a finer one, in
//! which a `put` and a `get` can change places where both can be carried out; the numbers here are those of the coarser
//! one, which is what tools that go through executions count.
//!
//! Of each trace exactly one schedule is gone along, by sleep sets (Godefroid): behind a turn of one process, those
//! that were gone along before it and do not depend on it sleep.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

use crate::event::ProcessId;
use crate::explore::budget::{Budget, Pace};
use crate::explore::reduction::ample_set::uses;
use crate::explore::reduction::independence::{Footprints, Use, conflict};
use crate::explore::semantics::transition::{Kind, ModelError, ModelErrorKind, Time};
use crate::explore::state_space::{StateSpace, Transition, is_over};
use crate::explore::visited::{ROOT, VisitedSet};
use crate::objects::Effect;
use crate::scenario::plan::Plan;

/// How many sleep sets are kept for each of the states that there may be.
const SLEEPS: usize = 8;

/// A number that may be large.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Number {
    Exact(u128),
    /// More than can be counted: 2^128 or more.
    Over,
}

impl Number {
    fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Exact(one), Self::Exact(other)) => one.checked_add(other).map_or(Self::Over, Self::Exact),
            _ => Self::Over,
        }
    }
}

/// The digits in groups of three.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Exact(number) = self else { return f.write_str("more than 3.4e38") };
        let digits = number.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at) % 3 == 0 {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Counts {
    /// States, nothing left out.
    pub states: usize,
    /// Orders of turns from the beginning to an end.
    pub schedules: Number,
    /// The distinguishable ones. None where signals are sent, which can end a process anywhere, and where there
    /// are too many to go through.
    pub traces: Option<Number>,
}

/// Counts the schedules of a plan. None where a state can be met again behind itself, so that there is no end of
/// them, where there are more than `most` states, and where the budget is spent before.
///
/// # Errors
/// A process that the model cannot execute: `ModelError`.
pub fn counts(plan: &Plan, time: Time, most: usize, budget: &Arc<Budget>) -> Result<Option<Counts>, ModelError> {
    let mut space = StateSpace::new(plan, time, vec![false; plan.steps.len()], false).within(budget);
    let Some(graph) = Graph::new(&mut space, most)? else { return Ok(None) };
    graph.count(&mut space, most.saturating_mul(SLEEPS))
}

/// All states, and how many steps lead to each.
struct Graph {
    store: VisitedSet,
    before: Vec<u32>,
}

/// How many ways there are to a state on which the same processes sleep.
type Ways = Vec<(u128, Number)>;

impl Graph {
    /// None where there are too many states.
    fn new(space: &mut StateSpace<'_>, most: usize) -> Result<Option<Self>, ModelError> {
        let mut pace = Pace::new(&space.budget);
        let first = match space.initial() {
            Err(ModelError { trouble: ModelErrorKind::Spent(_), .. }) => return Ok(None),
            first => first?,
        };
        let mut store = VisitedSet::new(first.len(), space.plan.processes.len());
        store.insert(&first, ROOT);
        let mut before: Vec<u32> = vec![0];
        let (mut state, mut after) = (first.clone(), first);
        let mut moves: Vec<Transition> = Vec::new();
        let mut next = 0;
        while next < store.len() {
            if store.len() > most || pace.spent().is_some() {
                return Ok(None);
            }
            store.get(next as u32, &mut state);
            space.moves(&state, &mut moves)?;
            for step in &moves {
                after.copy_from_slice(&state);
                space.take(&mut after, *step)?;
                let (number, new) = store.insert(&after, next as u32);
                if new {
                    before.push(0);
                }
                before[number as usize] += 1;
            }
            next += 1;
        }
        Ok(Some(Self { store, before }))
    }

    /// Goes through the states in an order in which each stands behind all that lead to it. None where there is no
    /// such order.
    fn count(mut self, space: &mut StateSpace<'_>, sleeps: usize) -> Result<Option<Counts>, ModelError> {
        let mut pace = Pace::new(&space.budget);
        // Where the beginning is met again, there is no end of schedules.
        if self.before.first().is_some_and(|before| *before > 0) {
            return Ok(None);
        }
        let states = self.store.len();
        let none = Number::Exact(0);
        let (mut schedules, mut traces) = (none, none);
        let mut ways = vec![none; states];
        ways[0] = Number::Exact(1);
        let countable = !space.traits.kills && space.plan.processes.len() <= u128::BITS as usize;
        let mut asleep: Option<Vec<Ways>> = countable.then(|| {
            let mut asleep = vec![Ways::new(); states];
            asleep[0].push((0, Number::Exact(1)));
            asleep
        });
        let Some(mut dependence) = Dependence::new(space.plan, &space.budget) else { return Ok(None) };
        let mut met = 1;
        let mut ready: Vec<u32> = vec![0];
        let mut done = 0;
        let mut state = vec![0; space.width()];
        let mut after = state.clone();
        let mut moves: Vec<Transition> = Vec::new();
        let mut behind: Vec<u32> = Vec::new();
        while let Some(number) = ready.pop() {
            done += 1;
            if pace.spent().is_some() {
                return Ok(None);
            }
            self.store.get(number, &mut state);
            space.moves(&state, &mut moves)?;
            let here = ways[number as usize];
            behind.clear();
            for step in &moves {
                after.copy_from_slice(&state);
                space.take(&mut after, *step)?;
                let Some(next) = self.store.find(&after) else { continue };
                behind.push(next);
                ways[next as usize] = ways[next as usize].plus(here);
                self.before[next as usize] -= 1;
                if self.before[next as usize] == 0 {
                    ready.push(next);
                }
            }
            let over = is_over(&moves);
            if over {
                schedules = schedules.plus(here);
            }
            if let Some(all) = &mut asleep {
                let sets = std::mem::take(&mut all[number as usize]);
                if over {
                    traces = sets.iter().fold(traces, |sum, (_, ways)| sum.plus(*ways));
                }
                for (sleep, ways) in sets {
                    dependence.sleep(space, &state, &moves, sleep, &mut |step, sleep| {
                        let to = &mut all[behind[step] as usize];
                        match to.iter_mut().find(|(other, _)| *other == sleep) {
                            Some((_, sum)) => *sum = sum.plus(ways),
                            None => {
                                to.push((sleep, ways));
                                met += 1;
                            }
                        }
                    });
                }
                if met > sleeps {
                    asleep = None;
                }
            }
        }
        let traces = asleep.map(|_| traces);
        Ok((done == states).then_some(Counts { states, schedules, traces }))
    }
}

/// Which turns depend on each other.
struct Dependence<'p> {
    plan: &'p Plan,
    futures: Footprints,
    /// By segment: the uses of its next step.
    steps: HashMap<u32, Vec<Use>>,
    /// By segment and process, and whether the turn can end the process, of both: whether they depend on each other.
    known: HashMap<[(u32, ProcessId, bool); 2], bool>,
}

impl<'p> Dependence<'p> {
    /// None where the budget is spent before.
    fn new(plan: &'p Plan, budget: &Arc<Budget>) -> Option<Self> {
        let futures = Footprints::new(plan, false, budget)?;
        Some(Self { plan, futures, steps: HashMap::new(), known: HashMap::new() })
    }

    /// Gives each move that is taken with that sleep set, by its place, and the sleep set after it.
    fn sleep(
        &mut self,
        space: &StateSpace<'_>,
        state: &[u32],
        moves: &[Transition],
        mut sleep: u128,
        give: &mut dyn FnMut(usize, u128),
    ) {
        let mut at = 0;
        while let Some(step) = moves.get(at) {
            let own = moves[at..].iter().take_while(|other| other.process == step.process).count();
            if step.kind == Kind::Tick {
                give(at, 0);
            } else if sleep & 1 << step.process == 0 {
                let turn = turn(space, state, moves, step.process);
                let mut left = sleep;
                for other in bits(sleep) {
                    let other = self::turn(space, state, moves, other);
                    if self.depends(space, turn, other) {
                        left &= !(1 << other.1);
                    }
                }
                (at..at + own).for_each(|step| give(step, left));
                sleep |= 1 << step.process;
            }
            at += own;
        }
    }

    fn depends(&mut self, space: &StateSpace<'_>, one: (u32, ProcessId, bool), other: (u32, ProcessId, bool)) -> bool {
        if let Some(known) = self.known.get(&[one, other]) {
            return *known;
        }
        let first = self.uses(space, one);
        let second = self.uses(space, other);
        let depends = first.iter().any(|first| second.iter().any(|second| depend(self.plan, *first, *second)));
        self.known.insert([one, other], depends);
        depends
    }

    fn uses(&mut self, space: &StateSpace<'_>, (segment, process, ends): (u32, ProcessId, bool)) -> Vec<Use> {
        let mut uses = match self.steps.entry(segment) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(new) => new.insert(uses(space, segment)).clone(),
        };
        if ends {
            uses.extend(self.futures.last(process).iter().map(|number| self.futures.uses[*number as usize]));
        }
        uses
    }
}

/// What a process stands before, and whether that can end it.
fn turn(space: &StateSpace<'_>, state: &[u32], moves: &[Transition], process: ProcessId) -> (u32, ProcessId, bool) {
    let ends = moves.iter().any(|step| step.process == process && space.info(space.segment_behind(*step)).ended);
    (state[process as usize], process, ends)
}

/// Whether two turns of different processes depend on each other by these uses.
fn depend(plan: &Plan, first: Use, second: Use) -> bool {
    let (one, two) = (first.access, second.access);
    if let (Some(object), Some(other)) = (first.as_object(), second.as_object())
        && object == other
    {
        let reads = |verb: u8| matches!(plan.kind(object).verbs[verb as usize].effect, Effect::Reads | Effect::Asks);
        let apart = plan.objects[object as usize].object.apart(one, two);
        let both = reads(one.verb) && reads(two.verb);
        return !(apart || both);
    }
    conflict(plan, first, second)
}

fn bits(set: u128) -> impl Iterator<Item = ProcessId> {
    (0..u128::BITS).filter(move |bit| set & 1 << bit != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::tests::{lost_update, philosophers, plan, semaphore};

    fn counted(text: &str) -> (u128, u128) {
        let counts = counts(&plan(text), Time::Virtual, 1 << 20, &Arc::default()).expect("it ends");
        let counts = counts.expect("it can be counted");
        match (counts.schedules, counts.traces) {
            (Number::Exact(schedules), Some(Number::Exact(traces))) => (schedules, traces),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lost_updates_have_as_many_interleavings_as_elsewhere() {
        assert_eq!(counted(&lost_update(2, 3)), (924, 328));
        assert_eq!(counted(&lost_update(3, 2)), (34_650, 7_134));
        assert_eq!(counted(&lost_update(3, 3)), (17_153_136, 1_824_912));
    }

    #[test]
    fn philosophers_have_as_many_interleavings_as_elsewhere() {
        assert_eq!([3, 4, 5, 8].map(|count| counted(&philosophers(count, true, false)).1), [6, 14, 30, 254]);
    }

    #[test]
    fn workers_have_as_many_interleavings_as_elsewhere() {
        assert_eq!([3, 4, 5].map(|workers| counted(&semaphore(workers, 3)).1), [90, 1_944, 52_920]);
    }

    #[test]
    fn what_goes_through_a_queue_has_as_many_interleavings_as_elsewhere() {
        let queue = r#"
[objects]
q = { kind = "queue", capacity = 2 }
[processes.put]
count = 2
steps = [{ repeat = 3, do = [{ put = "q", value = 1 }] }]
[processes.get]
count = 2
steps = [{ repeat = 3, do = [{ get = "q" }] }]
"#;
        assert_eq!(counted(queue).1, 12_800);
    }

    #[test]
    fn ten_workers_have_more_than_anybody_goes_through() {
        assert_eq!(counted(&semaphore(10, 3)).1, 7_690_163_846_400);
    }

    #[test]
    fn what_goes_round_has_no_number() {
        let forever = plan(&philosophers(3, true, true));
        assert_eq!(counts(&forever, Time::Virtual, 1 << 20, &Arc::default()).expect("it ends"), None);
        let large = plan(&lost_update(3, 3));
        assert_eq!(counts(&large, Time::Virtual, 1000, &Arc::default()).expect("it ends"), None);
    }

    #[test]
    fn a_number_is_written_in_groups_of_three() {
        assert_eq!(Number::Exact(7_690_163_846_400).to_string(), "7,690,163,846,400");
        assert_eq!(Number::Exact(12).to_string(), "12");
        assert_eq!(Number::Exact(u128::MAX).plus(Number::Exact(1)), Number::Over);
    }
}
