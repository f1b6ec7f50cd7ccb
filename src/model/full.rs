//! The search that leaves nothing out: every state, in the order of its distance from the beginning.

use super::space::{Endless, Move, Space};
use super::store::{ROOT, Store};
use super::tell::Step;

/// What a full search found.
pub struct Full {
    /// Every state that can be reached.
    pub store: Store,
    /// Those in which nothing can happen any more.
    pub ends: Vec<u32>,
    /// How many steps there are between them.
    pub edges: u64,
}

/// Looks at every state that can be reached, up to `most`.
///
/// # Errors
/// A process that computes without end.
pub fn search(space: &mut Space<'_>, most: usize) -> Result<Full, Endless> {
    let first = space.initial()?;
    let mut full = Full { store: Store::new(space.width()), ends: Vec::new(), edges: 0 };
    full.store.insert(&first, ROOT);
    let (mut state, mut after) = (first.clone(), first);
    let mut moves: Vec<Move> = Vec::new();
    let mut next = 0u32;
    while (next as usize) < full.store.len() && full.store.len() < most {
        full.store.get(next, &mut state);
        space.moves(&state, &mut moves)?;
        if moves.is_empty() {
            full.ends.push(next);
        }
        for step in &moves {
            after.copy_from_slice(&state);
            space.take(&mut after, *step)?;
            full.store.insert(&after, next);
        }
        full.edges += moves.len() as u64;
        next += 1;
    }
    Ok(full)
}

impl Full {
    /// The steps from the beginning to a state.
    ///
    /// # Errors
    /// A process that computes without end.
    pub fn path(&self, space: &mut Space<'_>, end: u32) -> Result<Vec<Step>, Endless> {
        let mut states = vec![end];
        while let Some(parent) = states.last().map(|state| self.store.parent(*state)).filter(|parent| *parent != ROOT) {
            states.push(parent);
        }
        states.reverse();
        let mut path = Vec::with_capacity(states.len());
        let (mut before, mut after) = (vec![0; space.width()], vec![0; space.width()]);
        let mut reached = before.clone();
        let mut moves = Vec::new();
        for pair in states.windows(2) {
            self.store.get(pair[0], &mut before);
            self.store.get(pair[1], &mut after);
            space.moves(&before, &mut moves)?;
            for step in &moves {
                reached.copy_from_slice(&before);
                space.take(&mut reached, *step)?;
                if reached == after {
                    path.push(Step { process: step.process, kind: step.kind, choices: space.script(*step) });
                    break;
                }
            }
        }
        Ok(path)
    }
}
