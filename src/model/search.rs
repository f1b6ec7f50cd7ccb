//! The search: every state that can be reached, in the order of its distance from the beginning, or as many as are enough.

use serde::{Deserialize, Serialize};

use super::ample::Ample;
use super::components;
use super::mutant::{Mutant, mutated};
use super::space::{Endless, Move, Space, is_over};
use super::store::{ROOT, Store};
use super::symmetry::Symmetry;
use super::tell::Step;
use crate::event::ProcessId;

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
    /// How many bytes at most, for the states and for all that they are made of; 4 GiB by default.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { states: u32::MAX as usize - 1, bytes: 4 << 30 }
    }
}

/// Why a search was stopped before it had seen everything.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Cut {
    /// The states' number has reached its limit.
    States,
    /// The memory for states has.
    Memory,
    /// The time that it may take is over.
    Time,
    /// Whoever watches it said so.
    Stopped,
    /// Only some executions were asked for.
    Chosen,
}

/// How far a search has come.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    /// States met.
    pub states: usize,
    /// States of which it is known what comes next.
    pub expanded: usize,
    /// Steps from the beginning.
    pub depth: usize,
    /// Bytes that the states take.
    pub bytes: usize,
}

/// A path that was found: the states that stand for those along it, those states as they truly are, and the steps between
/// them.
#[derive(Default)]
pub(super) struct Trail {
    line: Vec<u32>,
    states: Vec<Vec<u32>>,
    steps: Vec<Option<Step>>,
}

impl Trail {
    /// The last of the states, no process having changed places with another.
    pub(super) fn last(&self) -> &[u32] {
        self.states.last().map_or(&[], Vec::as_slice)
    }
}

/// A search, and what it has found so far.
pub struct Search<'s, 'p> {
    /// Where it searches.
    pub space: &'s mut Space<'p>,
    /// Every state that was met.
    pub store: Store,
    /// Those in which nothing can happen any more.
    pub ends: Vec<u32>,
    /// How many steps there are between the states.
    pub edges: u64,
    /// Why it did not see everything.
    pub cut: Option<Cut>,
    /// Whether a state can be met again behind itself.
    pub cyclic: bool,
    ample: Option<Ample>,
    symmetry: Option<Symmetry>,
    /// States of which every move is taken although fewer would be enough.
    pub(super) whole: Vec<u32>,
    depth: usize,
}

impl<'s, 'p> Search<'s, 'p> {
    /// A search that has not begun.
    pub fn new(space: &'s mut Space<'p>, reductions: Reductions) -> Self {
        let ample = if reductions.partial_order { Ample::new(space) } else { None };
        let symmetry = if reductions.symmetry && space.is_symmetric() { Some(Symmetry::new(space)) } else { None };
        Self {
            store: Store::new(space.width()),
            ends: Vec::new(),
            edges: 0,
            cut: None,
            cyclic: false,
            ample,
            symmetry: symmetry.filter(|symmetry| !symmetry.is_empty()),
            whole: Vec::new(),
            depth: 0,
            space,
        }
    }

    /// Searches. `watch` is told how far it has come, every few thousand states, and says whether to go on.
    ///
    /// # Errors
    /// A process that computes without end.
    pub fn run(&mut self, limits: Limits, watch: &mut dyn FnMut(&Reached) -> bool) -> Result<(), Endless> {
        let mut first = self.space.initial()?;
        self.settle(&mut first);
        self.store.insert(&first, ROOT);
        let mut next = 0;
        next = self.expand(next, limits, watch)?;
        if self.cut.is_some() {
            return Ok(());
        }
        // What is left out in a circle could be left out for ever.
        if self.space.loops() && !mutated(Mutant::NoComponents) {
            while components::complete(self)? && self.cut.is_none() {
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
    ) -> Result<u32, Endless> {
        const OFTEN: u32 = 4096;
        if self.ample.is_none() && self.symmetry.is_none() && self.space.is_plain() {
            return self.expand_plainly(next, limits, watch);
        }
        let width = self.space.width();
        let (mut state, mut after) = (vec![0; width], vec![0; width]);
        let mut moves: Vec<Move> = Vec::new();
        let mut level = self.store.len() as u32;
        while (next as usize) < self.store.len() {
            if next == level {
                self.depth += 1;
                level = self.store.len() as u32;
            }
            if next.is_multiple_of(OFTEN) && self.is_cut(next, limits, watch) || self.store.len() >= limits.states {
                self.cut = self.cut.or(Some(Cut::States));
                break;
            }
            self.store.get(next, &mut state);
            self.moves(next, &state, &mut moves)?;
            if is_over(&moves) {
                self.ends.push(next);
            }
            for step in &moves {
                after.copy_from_slice(&state);
                self.take(&mut after, *step)?;
                self.store.insert(&after, next);
            }
            self.edges += moves.len() as u64;
            next += 1;
        }
        Ok(next)
    }

    /// Tells how far the search has come, up to the state `next`. Whether it is to stop here.
    pub(super) fn is_cut(&mut self, next: u32, limits: Limits, watch: &mut dyn FnMut(&Reached) -> bool) -> bool {
        let bytes = self.store.bytes() + self.space.bytes();
        let reached = Reached { states: self.store.len(), expanded: next as usize, depth: self.depth, bytes };
        if !watch(&reached) {
            self.cut = Some(Cut::Stopped);
        } else if bytes > limits.bytes {
            self.cut = Some(Cut::Memory);
        } else if self.store.len() >= limits.states {
            self.cut = Some(Cut::States);
        }
        self.cut.is_some()
    }

    /// The search has come a step farther from the beginning.
    pub(super) fn deepen(&mut self) {
        self.depth += 1;
    }

    /// What the search takes of a state's moves.
    ///
    /// # Errors
    /// A process that computes without end.
    pub(super) fn moves(&mut self, number: u32, state: &[u32], moves: &mut Vec<Move>) -> Result<(), Endless> {
        self.all_moves(state, moves)?;
        if let Some(ample) = &mut self.ample
            && self.whole.binary_search(&number).is_err()
        {
            let space = &*self.space;
            ample.reduce(space, state, moves, &|process, next| space.sees(process, next));
        }
        Ok(())
    }

    /// Every move of a state, but those that lead where another leads by symmetry.
    ///
    /// # Errors
    /// A process that computes without end.
    pub(super) fn all_moves(&mut self, state: &[u32], moves: &mut Vec<Move>) -> Result<(), Endless> {
        self.space.moves(state, moves)?;
        if let Some(symmetry) = &mut self.symmetry {
            symmetry.thin(self.space, state, moves);
        }
        Ok(())
    }

    /// Takes a move: changes the state to the one that stands for where it leads.
    ///
    /// # Errors
    /// A process that computes without end.
    pub(super) fn take(&mut self, state: &mut [u32], step: Move) -> Result<(), Endless> {
        self.space.take(state, step)?;
        self.settle(state);
        Ok(())
    }

    fn settle(&mut self, state: &mut [u32]) {
        if let Some(symmetry) = &mut self.symmetry {
            symmetry.settle(self.space, state);
        }
    }

    /// By process of the state that stands for this one, which process of this one it is.
    pub(super) fn origins(&mut self, state: &[u32]) -> Vec<ProcessId> {
        match &mut self.symmetry {
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

    /// The steps from the beginning along these states, of which each stands behind the one before it.
    ///
    /// # Errors
    /// A process that computes without end.
    pub fn path(&mut self, states: &[u32]) -> Result<Vec<Step>, Endless> {
        self.path_from(&mut Trail::default(), states)
    }

    /// The same behind another path: as far as both are the same, it is not looked for again.
    ///
    /// # Errors
    /// A process that computes without end.
    pub(super) fn path_from(&mut self, trail: &mut Trail, line: &[u32]) -> Result<Vec<Step>, Endless> {
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
        for next in line.iter().skip(same) {
            self.store.get(*next, &mut wanted);
            self.space.moves(&state, &mut moves)?;
            let mut taken = None;
            for step in &moves {
                after.copy_from_slice(&state);
                self.space.take(&mut after, *step)?;
                settled.copy_from_slice(&after);
                self.settle(&mut settled);
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

    /// Whether somebody has been killed from outside on the way to a state.
    pub(super) fn is_killed(&self, state: Option<u32>) -> bool {
        let mut numbers = vec![0; self.space.width()];
        state.is_some_and(|state| {
            self.store.get(state, &mut numbers);
            self.space.is_killed(&numbers)
        })
    }

    /// Whether states that differ by an exchange of processes stand for one another.
    pub(super) fn has_symmetry(&self) -> bool {
        self.symmetry.is_some()
    }
}
