//! Breadth-first search over the reachable states, with reductions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bfs_parallel::Hand;
use super::cycle_proviso;
use crate::event::ProcessId;
use crate::explore::base::injected_bugs::{Mutant, mutated};
use crate::explore::budget::Pace;
use crate::explore::reduction::ample_set::Ample;
use crate::explore::reduction::symmetry::Symmetry;
use crate::explore::semantics::transition::{ModelError, Step};
use crate::explore::state_space::{StateSpace, Transition, is_over};
use crate::explore::visited::{ROOT, VisitedSet};

/// What may be left out of a search, since it changes no verdict.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reductions {
    /// Orders of steps that do not get in each other's way.
    pub partial_order: bool,
    /// States that differ by an exchange of processes that are alike.
    pub symmetry: bool,
}

impl Reductions {
    /// Nothing is left out.
    pub const NONE: Self = Self { partial_order: false, symmetry: false };
    /// As much as can be is left out.
    pub const ALL: Self = Self { partial_order: true, symmetry: true };
}

impl Default for Reductions {
    fn default() -> Self {
        Self::ALL
    }
}

/// How much to look at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// How many states at most.
    pub states: usize,
    /// How many bytes at most, as far as those are counted that the states and all that they are made of take. What the
    /// whole process uses is bounded by the budget of the space.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { states: u32::MAX as usize - 1, bytes: 4 << 30 }
    }
}

/// The time between two progress reports of the search.
pub(crate) const WHILE: Duration = Duration::from_millis(50);

/// Why a search was stopped before it had seen everything.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Cut {
    /// The states' number has reached its limit.
    States,
    /// The memory for states has.
    Memory,
    /// The time that it may take is over.
    Time,
    /// The callback stopped it.
    Stopped,
    /// Only some executions were asked for.
    Chosen,
}

/// How far a search has come.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    pub states: usize,
    /// States of which it is known what comes next.
    pub expanded: usize,
    /// Steps from the beginning.
    pub depth: usize,
    /// Bytes that the states take.
    pub bytes: usize,
}

/// How many threads search.
#[derive(Clone, Copy, Debug)]
pub struct Threads {
    /// So many, at least one.
    pub count: usize,
    /// The smallest number of states for a batch.
    pub least: u32,
    /// If most states of a batch had to be expanded sequentially, this multiple of the next states is, too.
    pub alone: u32,
}

impl Threads {
    pub const ONE: Self = Self { count: 1, least: u32::MAX, alone: 0 };

    /// The number of threads, if there is enough work for them.
    pub fn new(count: usize) -> Self {
        Self { count: count.max(1), least: 2048, alone: 4 }
    }
}

/// A path that was found: the states that stand for those along it, those states as they truly are, and the steps
/// between them.
#[derive(Default)]
pub(crate) struct Trail {
    line: Vec<u32>,
    states: Vec<Vec<u32>>,
    steps: Vec<Option<Step>>,
}

impl Trail {
    /// The last of the states, no process having changed places with another.
    pub(crate) fn last(&self) -> &[u32] {
        self.states.last().map_or(&[], Vec::as_slice)
    }
}

/// A search, and what it has found so far.
pub struct Search<'s, 'p> {
    pub space: &'s mut StateSpace<'p>,
    /// Every state that was met.
    pub store: VisitedSet,
    /// Those in which nothing can happen any more.
    pub ends: Vec<u32>,
    /// How many steps there are between the states.
    pub edges: u64,
    /// Why it did not see everything.
    pub cut: Option<Cut>,
    /// Whether a state can be met again behind itself.
    pub cyclic: bool,
    pub(crate) reducing: Reducing,
    /// States of which every move is taken although fewer would be enough.
    pub(crate) whole: Vec<u32>,
    depth: usize,
    pub(crate) threads: Threads,
    pub(crate) hands: Vec<Hand>,
    /// The state up to which one thread searches.
    pub(crate) alone: u32,
}

/// What leaves out what may be left out.
#[derive(Clone)]
pub(crate) struct Reducing {
    ample: Option<Ample>,
    symmetry: Option<Symmetry>,
}

impl Reducing {
    fn new(space: &StateSpace<'_>, reductions: Reductions) -> Self {
        let ample = if reductions.partial_order { Ample::new(space) } else { None };
        let symmetry = if reductions.symmetry && space.is_symmetric() { Some(Symmetry::new(space)) } else { None };
        Self { ample, symmetry: symmetry.filter(|symmetry| !symmetry.is_empty()) }
    }

    /// Whether nothing is left out.
    pub(crate) fn is_none(&self) -> bool {
        self.ample.is_none() && self.symmetry.is_none()
    }

    /// The moves of a state that are taken; all of them if it is expanded in full.
    ///
    /// # Errors
    /// A process that the model cannot execute: `ModelError`.
    pub(crate) fn moves(
        &mut self,
        space: &mut StateSpace<'_>,
        whole: bool,
        state: &[u32],
        moves: &mut Vec<Transition>,
    ) -> Result<(), ModelError> {
        self.all_moves(space, state, moves)?;
        if let Some(ample) = &mut self.ample
            && !whole
        {
            let space = &*space;
            ample.reduce(space, state, moves, &|process, next| space.sees(process, next));
        }
        Ok(())
    }

    /// Every move of a state, but those that lead where another leads by symmetry.
    fn all_moves(
        &mut self,
        space: &mut StateSpace<'_>,
        state: &[u32],
        moves: &mut Vec<Transition>,
    ) -> Result<(), ModelError> {
        space.moves(state, moves)?;
        if let Some(symmetry) = &mut self.symmetry {
            symmetry.thin(space, state, moves);
        }
        Ok(())
    }

    /// Takes a move: changes the state to the one that stands for where it leads.
    ///
    /// # Errors
    /// A process that the model cannot execute: `ModelError`.
    pub(crate) fn take(
        &mut self,
        space: &mut StateSpace<'_>,
        state: &mut [u32],
        step: Transition,
    ) -> Result<(), ModelError> {
        space.take(state, step)?;
        self.settle(space, state);
        Ok(())
    }

    fn settle(&mut self, space: &mut StateSpace<'_>, state: &mut [u32]) {
        if let Some(symmetry) = &mut self.symmetry {
            symmetry.settle(space, state);
        }
    }
}

impl<'s, 'p> Search<'s, 'p> {
    /// A search that has not begun, by one thread.
    pub fn new(space: &'s mut StateSpace<'p>, reductions: Reductions) -> Self {
        Self {
            store: VisitedSet::new(space.width(), space.plan.processes.len()),
            ends: Vec::new(),
            edges: 0,
            cut: None,
            cyclic: false,
            reducing: Reducing::new(space, reductions),
            whole: Vec::new(),
            depth: 0,
            threads: Threads::ONE,
            hands: Vec::new(),
            alone: 0,
            space,
        }
    }

    /// The same by several threads, with the same result.
    #[must_use]
    pub fn by(mut self, threads: Threads) -> Self {
        self.threads = threads;
        self
    }

    /// Searches. `watch` gets the progress every few thousand states, and returns whether to continue.
    ///
    /// # Errors
    /// A process that the model cannot execute: `ModelError`.
    pub fn run(&mut self, limits: Limits, watch: &mut dyn FnMut(&Reached) -> bool) -> Result<(), ModelError> {
        let mut first = self.space.initial()?;
        self.reducing.settle(self.space, &mut first);
        self.store.insert(&first, ROOT);
        let mut next = 0;
        next = self.expand(next, limits, watch)?;
        if self.cut.is_some() {
            return Ok(());
        }
        // What is left out in a circle could be left out for ever.
        if self.space.loops() && !mutated(Mutant::NoComponents) {
            while cycle_proviso::complete(self)? && self.cut.is_none() {
                next = self.expand(next, limits, watch)?;
            }
        }
        Ok(())
    }

    /// Looks at what comes behind every state from `next` on. The number behind the last.
    fn expand(
        &mut self,
        mut next: u32,
        limits: Limits,
        watch: &mut dyn FnMut(&Reached) -> bool,
    ) -> Result<u32, ModelError> {
        const OFTEN: u32 = 4096;
        let (mut level, mut look) = (self.store.len() as u32, next);
        while (next as usize) < self.store.len() {
            if next == level {
                self.depth += 1;
                level = self.store.len() as u32;
            }
            if next >= look {
                if self.is_cut(next, limits, watch) {
                    break;
                }
                look = next + OFTEN;
            }
            if self.is_enough(level - next)
                && next >= self.alone
                && let Some(end) = self.expand_together(next, level, limits)?
            {
                next = end;
                continue;
            }
            let until = level.min(look);
            next = self.expand_alone(next, until, limits)?;
            if self.cut.is_some() {
                break;
            }
            if next < until {
                look = next;
            }
        }
        Ok(next)
    }

    /// Whether that many states are enough for several threads.
    fn is_enough(&self, states: u32) -> bool {
        self.threads.count > 1 && states >= self.threads.least
    }

    /// Looks at what comes behind the states from `next` up to `until`, by one thread, or for a while. The number
    /// behind the last.
    fn expand_alone(&mut self, mut next: u32, until: u32, limits: Limits) -> Result<u32, ModelError> {
        if self.is_plain() {
            return self.expand_plainly(next, until, limits);
        }
        let mut state = vec![0; self.space.width()];
        let mut after = state.clone();
        let mut moves: Vec<Transition> = Vec::new();
        let mut pace = Pace::new(&self.space.budget);
        while next < until && pace.took() < WHILE {
            self.cut = pace.spent();
            if self.cut.is_some() {
                break;
            }
            if self.store.len() >= limits.states {
                self.cut = Some(Cut::States);
                break;
            }
            self.expand_one(next, &mut state, &mut after, &mut moves, &mut pace)?;
            if self.cut.is_some() {
                break;
            }
            next += 1;
        }
        Ok(next)
    }

    /// Looks at what comes behind one state.
    pub(super) fn expand_one(
        &mut self,
        number: u32,
        state: &mut [u32],
        after: &mut [u32],
        moves: &mut Vec<Transition>,
        pace: &mut Pace,
    ) -> Result<(), ModelError> {
        self.store.get(number, state);
        self.moves(number, state, moves)?;
        if is_over(moves) {
            self.ends.push(number);
        }
        for step in &*moves {
            // One state can lead to as many as there are processes.
            self.cut = pace.spent();
            if self.cut.is_some() {
                return Ok(());
            }
            after.copy_from_slice(state);
            self.take(after, *step)?;
            self.store.insert(after, number);
        }
        self.edges += moves.len() as u64;
        Ok(())
    }

    /// Whether nothing is left out and nothing is kept of the past.
    pub(crate) fn is_plain(&self) -> bool {
        self.reducing.is_none() && self.space.is_plain()
    }

    /// Tells how far the search has come, up to the state `next`. Whether it is to stop here.
    fn is_cut(&mut self, next: u32, limits: Limits, watch: &mut dyn FnMut(&Reached) -> bool) -> bool {
        let hands: usize = self.hands.iter().map(Hand::bytes).sum();
        let bytes = self.store.bytes() + self.space.bytes() + hands;
        let reached = Reached { states: self.store.len(), expanded: next as usize, depth: self.depth, bytes };
        if !watch(&reached) {
            self.cut = Some(Cut::Stopped);
        } else if let Some(cut) = self.space.budget.spent() {
            self.cut = Some(cut);
        } else if bytes > limits.bytes {
            self.cut = Some(Cut::Memory);
        } else if self.store.len() >= limits.states {
            self.cut = Some(Cut::States);
        }
        self.cut.is_some()
    }

    /// What the search takes of a state's moves.
    ///
    /// # Errors
    /// A process that the model cannot execute: `ModelError`.
    pub(crate) fn moves(&mut self, number: u32, state: &[u32], moves: &mut Vec<Transition>) -> Result<(), ModelError> {
        let whole = self.whole.binary_search(&number).is_ok();
        self.reducing.moves(self.space, whole, state, moves)
    }

    /// Every move of a state, but those that lead where another leads by symmetry.
    ///
    /// # Errors
    /// A process that the model cannot execute: `ModelError`.
    pub(crate) fn all_moves(&mut self, state: &[u32], moves: &mut Vec<Transition>) -> Result<(), ModelError> {
        self.reducing.all_moves(self.space, state, moves)
    }

    /// Takes a move: changes the state to the one that stands for where it leads.
    ///
    /// # Errors
    /// A process that the model cannot execute: `ModelError`.
    pub(crate) fn take(&mut self, state: &mut [u32], step: Transition) -> Result<(), ModelError> {
        self.reducing.take(self.space, state, step)
    }

    /// By process of the state that stands for this one, which process of this one it is.
    pub(crate) fn origins(&mut self, state: &[u32]) -> Vec<ProcessId> {
        match &mut self.reducing.symmetry {
            Some(symmetry) => symmetry.origins(self.space, state),
            None => (0..self.space.plan.processes.len() as ProcessId).collect(),
        }
    }

    /// The states from the beginning to one, both included.
    pub fn line(&self, end: u32) -> Vec<u32> {
        let mut states = vec![end];
        while let Some(parent) = states.last().map(|state| self.store.parent(*state)).filter(|parent| *parent != ROOT) {
            states.push(parent);
        }
        states.reverse();
        states
    }

    /// By state: how many steps lead there from the beginning, as it was first met.
    pub(crate) fn depths(&self) -> Vec<u32> {
        let mut depths: Vec<u32> = Vec::with_capacity(self.store.len());
        for state in 0..self.store.len() as u32 {
            let parent = self.store.parent(state);
            depths.push(if parent == ROOT { 0 } else { depths[parent as usize] + 1 });
        }
        depths
    }

    /// The steps from the beginning along these states, of which each stands behind the one before it.
    ///
    /// # Errors
    /// A process that the model cannot execute: `ModelError`.
    pub fn path(&mut self, states: &[u32]) -> Result<Vec<Step>, ModelError> {
        self.path_from(&mut Trail::default(), states)
    }

    /// The same behind another path: as far as both are the same, it is not looked for again.
    ///
    /// # Errors
    /// A process that the model cannot execute: `ModelError`.
    pub(crate) fn path_from(&mut self, trail: &mut Trail, line: &[u32]) -> Result<Vec<Step>, ModelError> {
        let same = trail.line.iter().zip(line).take_while(|(one, other)| one == other).count().max(1);
        if trail.states.is_empty() {
            trail.states.push(self.space.initial()?);
        }
        trail.states.truncate(same);
        trail.steps.truncate(same - 1);
        trail.line = line.to_vec();
        // Processes that are alike may have changed places: the steps are those of the state as it truly is.
        let mut state = trail.states[same - 1].clone();
        let (mut wanted, mut after, mut settled) = (state.clone(), state.clone(), state.clone());
        let mut moves = Vec::new();
        let mut pace = Pace::new(&self.space.budget);
        for next in line.iter().skip(same) {
            self.store.get(*next, &mut wanted);
            self.reducing.all_moves(self.space, &state, &mut moves)?;
            let mut taken = None;
            for step in &moves {
                pace.check(step.process)?;
                after.copy_from_slice(&state);
                self.space.take(&mut after, *step)?;
                settled.copy_from_slice(&after);
                self.reducing.settle(self.space, &mut settled);
                if settled == wanted {
                    taken = Some(self.space.step(*step));
                    break;
                }
            }
            std::mem::swap(&mut state, &mut after);
            trail.steps.push(taken);
            trail.states.push(state.clone());
        }
        Ok(trail.steps.iter().flatten().cloned().collect())
    }

    /// Whether a process has been killed from outside on the way to a state.
    pub(crate) fn is_killed(&self, state: Option<u32>) -> bool {
        let mut numbers = vec![0; self.space.width()];
        state.is_some_and(|state| {
            self.store.get(state, &mut numbers);
            self.space.is_killed(&numbers)
        })
    }

    /// Whether states that differ by an exchange of processes stand for one another.
    pub(crate) fn has_symmetry(&self) -> bool {
        self.reducing.symmetry.is_some()
    }
}
