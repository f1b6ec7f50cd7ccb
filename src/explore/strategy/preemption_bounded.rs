//! Every execution with few preemptions (Musuvathi, Qadeer: Iterative Context Bounding): a preemption is a switch away
//! from a process that could have gone on. Most of what goes wrong takes one or two of them.
//!
//! The search goes over states together with the process that moved last, first all that can be reached without a
//! preemption, then what takes one, and so on. So it is known of each of them how many it takes at least.

use std::sync::Arc;

use super::bfs::{Cut, Limits, Reached, WHILE};
use crate::explore::budget::{Budget, Pace};
use crate::explore::semantics::transition::{Kind, ModelError, Step};
use crate::explore::state_space::{StateSpace, Transition, is_over};
use crate::explore::visited::{ROOT, VisitedSet};

/// No process has moved, or time has passed since.
const NOBODY: u32 = 0;

/// A search by preemptions.
pub(crate) struct Bounded<'s, 'p> {
    space: &'s mut StateSpace<'p>,
    /// States, each with 1 and the process that moved last.
    store: VisitedSet,
    /// By node: the one before it.
    before: Vec<u32>,
    /// By node: how many preemptions it takes; and whether it was looked at.
    level: Vec<(u32, bool)>,
    /// A node of each state in which the run is over.
    pub(crate) ends: Vec<u32>,
    over: VisitedSet,
    /// The number of preemptions with which everything was looked at.
    pub(crate) completed: Option<u32>,
    /// Whether more preemptions lead nowhere else.
    pub(crate) whole: bool,
    /// Why it was not.
    pub(crate) cut: Option<Cut>,
    /// Steps between states.
    pub(crate) edges: u64,
}

impl<'s, 'p> Bounded<'s, 'p> {
    pub(crate) fn new(space: &'s mut StateSpace<'p>) -> Self {
        let (width, processes) = (space.width(), space.plan.processes.len());
        Self {
            space,
            store: VisitedSet::new(width + 1, processes),
            before: Vec::new(),
            level: Vec::new(),
            ends: Vec::new(),
            over: VisitedSet::new(width, processes),
            completed: None,
            whole: false,
            cut: None,
            edges: 0,
        }
    }

    /// States, each as often as there are processes that moved last in it.
    pub(crate) fn states(&self) -> usize {
        self.store.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.store.bytes() + self.over.bytes() + self.before.capacity() * 4 + self.level.capacity() * 8
    }

    /// Searches with no preemption, with one, and so on up to `most`.
    pub(crate) fn run(
        &mut self,
        most: u32,
        limits: Limits,
        watch: &mut dyn FnMut(&Reached) -> bool,
    ) -> Result<(), ModelError> {
        let mut first = self.space.initial()?;
        first.push(NOBODY);
        self.meet(&first, ROOT, 0);
        let mut list = vec![0];
        for bound in 0..=most {
            let mut next = Vec::new();
            self.all(bound, list, &mut next, limits, watch)?;
            if self.cut.is_some() {
                return Ok(());
            }
            self.completed = Some(bound);
            next.retain(|node| !self.level[*node as usize].1);
            if next.is_empty() {
                self.whole = true;
                return Ok(());
            }
            list = next;
        }
        Ok(())
    }

    /// Looks at everything that takes `bound` preemptions. `next` takes what takes one more.
    fn all(
        &mut self,
        bound: u32,
        mut list: Vec<u32>,
        next: &mut Vec<u32>,
        limits: Limits,
        watch: &mut dyn FnMut(&Reached) -> bool,
    ) -> Result<(), ModelError> {
        let width = self.space.width();
        let (mut row, mut after) = (vec![0; width + 1], vec![0; width + 1]);
        let mut moves: Vec<Transition> = Vec::new();
        let mut expanded = 0;
        let mut at = 0;
        let mut pace = Pace::new(&self.space.budget);
        while let Some(node) = list.get(at).copied() {
            at += 1;
            if std::mem::replace(&mut self.level[node as usize].1, true) {
                continue;
            }
            self.cut = pace.spent();
            let long = pace.took() > WHILE;
            if long {
                pace = Pace::new(&self.space.budget);
            }
            if self.cut.is_none() && (long || expanded % 4096 == 0) {
                let bytes = self.bytes();
                let states = self.states();
                if !watch(&Reached { states, expanded, depth: bound as usize, bytes }) {
                    self.cut = Some(Cut::Stopped);
                } else if bytes > limits.bytes {
                    self.cut = Some(Cut::Memory);
                }
            }
            if self.states() >= limits.states {
                self.cut = Some(Cut::States);
            }
            if self.cut.is_some() {
                return Ok(());
            }
            expanded += 1;
            self.store.get(node, &mut row);
            let (state, last) = (&row[..width], row[width]);
            self.space.moves(state, &mut moves)?;
            if is_over(&moves) && self.over.insert(state, ROOT).1 {
                self.ends.push(node);
            }
            self.edges += moves.len() as u64;
            // What is killed from outside, or woken, takes no step by that.
            let passive = |step: &Transition| matches!(step.kind, Kind::Kill | Kind::Wake);
            let goes = |step: &Transition| !passive(step) && step.process.wrapping_add(1) == last;
            let could = last != NOBODY && moves.iter().any(goes);
            for step in &moves {
                after.copy_from_slice(&row);
                self.space.take(&mut after[..width], *step)?;
                let tick = step.kind == Kind::Tick;
                let killed = passive(step);
                after[width] = match step.kind {
                    Kind::Tick => NOBODY,
                    Kind::Kill | Kind::Wake => last,
                    _ => step.process + 1,
                };
                let preempts = could && !tick && !killed && step.process + 1 != last;
                if let Some(number) = self.meet(&after, node, bound + u32::from(preempts)) {
                    if preempts {
                        next.push(number);
                    } else {
                        list.push(number);
                    }
                }
            }
        }
        Ok(())
    }

    /// Meets a node. Its number where it has not been met with so few preemptions.
    fn meet(&mut self, row: &[u32], before: u32, level: u32) -> Option<u32> {
        let (number, new) = self.store.insert(row, before);
        if new {
            self.before.push(before);
            self.level.push((level, false));
            return Some(number);
        }
        let known = &mut self.level[number as usize];
        if known.0 <= level {
            return None;
        }
        known.0 = level;
        self.before[number as usize] = before;
        Some(number)
    }

    /// The steps to a node.
    pub(crate) fn path(&mut self, node: u32) -> Result<Vec<Step>, ModelError> {
        let mut nodes = vec![node];
        while let Some(before) = nodes.last().map(|node| self.before[*node as usize]).filter(|node| *node != ROOT) {
            nodes.push(before);
        }
        nodes.reverse();
        let width = self.space.width();
        let (mut row, mut wanted) = (vec![0; width + 1], vec![0; width + 1]);
        let mut after = vec![0; width];
        let mut moves = Vec::new();
        let mut path = Vec::with_capacity(nodes.len());
        let mut pace = Pace::new(&self.space.budget);
        for pair in nodes.windows(2) {
            self.store.get(pair[0], &mut row);
            self.store.get(pair[1], &mut wanted);
            self.space.moves(&row[..width], &mut moves)?;
            for step in &moves {
                if step.kind != Kind::Tick && step.process + 1 != wanted[width] {
                    continue;
                }
                pace.check(step.process)?;
                after.copy_from_slice(&row[..width]);
                self.space.take(&mut after, *step)?;
                if after == wanted[..width] {
                    path.push(Step { process: step.process, kind: step.kind, choices: self.space.script(*step) });
                    break;
                }
            }
        }
        Ok(path)
    }

    /// The space that is searched.
    pub(crate) fn space(&self) -> &StateSpace<'p> {
        self.space
    }

    /// Sets the budget for what follows the search.
    pub(crate) fn within(&mut self, budget: &Arc<Budget>) {
        self.space.budget = Arc::clone(budget);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::semantics::transition::Time;
    use crate::explore::tests::{lost_update, philosophers, plan, semaphore};
    use crate::trace::RunEnd;

    /// Of each number of preemptions up to `most`, how many ends there are and how many of them are deadlocks.
    fn ends(text: &str, most: u32) -> (Vec<(usize, usize)>, bool) {
        let plan = plan(text);
        let mut whole = false;
        let found = (0..=most).map(|most| {
            let mut space = StateSpace::new(&plan, Time::Virtual, vec![false; plan.steps.len()], false);
            let mut search = Bounded::new(&mut space);
            search.run(most, Limits::default(), &mut |_| true).expect("it ends");
            assert_eq!(search.cut, None);
            whole = search.whole;
            let mut deadlocks = 0;
            for end in search.ends.clone() {
                let path = search.path(end).expect("it is a path");
                let told =
                    crate::explore::execution::concretise::tell(search.space(), &path).expect("it can be followed");
                assert!(preemptions(search.space, &path) <= most, "{path:?}");
                deadlocks += usize::from(told.trace.end == RunEnd::Deadlock);
            }
            (search.ends.len(), deadlocks)
        });
        (found.collect(), whole)
    }

    /// How often a path switches away from a process that could have gone on.
    fn preemptions(space: &mut StateSpace<'_>, path: &[Step]) -> u32 {
        let mut state = space.initial().expect("it begins");
        let mut moves = Vec::new();
        let (mut last, mut count) = (None, 0);
        for step in path {
            space.moves(&state, &mut moves).expect("it ends");
            let could = moves.iter().any(|other| Some(other.process) == last);
            count += u32::from(could && last != Some(step.process));
            let found = moves.iter().find(|other| other.process == step.process && other.kind == step.kind);
            space.take(&mut state, *found.expect("it can be taken")).expect("it ends");
            last = Some(step.process);
        }
        count
    }

    #[test]
    fn what_takes_a_preemption_is_found_with_one() {
        let (found, _) = ends(&lost_update(2, 1), 1);
        // The value at the end: 2 alone, then 1 too; each with both processes ended.
        assert_eq!(found.iter().map(|(ends, _)| *ends).collect::<Vec<_>>(), [1, 2]);
        // The first has taken its fork and is preempted by the third, who waits for that fork: from there on it is free.
        let (found, _) = ends(&philosophers(3, false, false), 2);
        assert_eq!(found.iter().map(|(_, deadlocks)| *deadlocks).collect::<Vec<_>>(), [0, 1, 1]);
    }

    #[test]
    fn with_enough_preemptions_everything_is_looked_at() {
        assert!(!ends(&lost_update(2, 3), 2).1);
        let (found, whole) = ends(&lost_update(2, 3), 12);
        assert!(whole);
        // As many as without the bound: the value at the end is between 2 and 6, depending on which process stores last.
        let plan = plan(&lost_update(2, 3));
        let mut space = StateSpace::new(&plan, Time::Virtual, vec![false; plan.steps.len()], false);
        let mut search =
            crate::explore::strategy::bfs::Search::new(&mut space, crate::explore::strategy::bfs::Reductions::NONE);
        search.run(Limits::default(), &mut |_| true).expect("it ends");
        assert_eq!(found.last().map(|(ends, _)| *ends), Some(search.ends.len()));
        assert_eq!(ends(&semaphore(3, 2), 6).0.last(), Some(&(1, 0)));
    }
}
