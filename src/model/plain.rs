//! The search without reductions, for speed: successors are made in the packed form, by changing two numbers of the state
//! before, and are taken in many at a time.

use super::search::{Limits, Reached, Search};
use super::space::{Endless, Move, NONE, Quick};

/// How many states are taken in at a time.
const BATCH: usize = 512;

/// Successors that have not been taken in.
#[derive(Default)]
struct Batch {
    keys: Vec<u64>,
    parents: Vec<u32>,
}

impl Search<'_, '_> {
    /// Looks at what comes behind every state from `next` on, leaving nothing out. The number behind the last.
    pub(super) fn expand_plainly(
        &mut self,
        mut next: u32,
        limits: Limits,
        watch: &mut dyn FnMut(&Reached) -> bool,
    ) -> Result<u32, Endless> {
        let width = self.space.width();
        let processes = self.space.plan.processes.len();
        let (mut state, mut after) = (vec![0; width], vec![0; width]);
        let mut moves: Vec<Move> = Vec::new();
        let mut batch = Batch::default();
        let mut level = self.store.len() as u32;
        loop {
            if next == level || next as usize == self.store.len() || batch.parents.len() >= BATCH {
                self.take_in(&mut batch);
                if next as usize == self.store.len() {
                    return Ok(next);
                }
                if next == level {
                    self.deepen();
                    level = self.store.len() as u32;
                }
                if self.is_cut(next, limits, watch) {
                    return Ok(next);
                }
            }
            self.store.get(next, &mut state);
            let before = self.edges;
            for process in 0..processes {
                let (column, quick) = self.space.quick(&state, process as u32);
                match quick {
                    Quick::Waits => continue,
                    Quick::Plain(segment, becomes, _) => {
                        self.edges += 1;
                        let words = self.store.words();
                        let start = batch.keys.len();
                        batch.keys.extend_from_slice(self.store.packed(next));
                        let key = &mut batch.keys[start..start + words];
                        let fits = self.store.patch(key, process, segment)
                            && (column == NONE || self.store.patch(key, column as usize, becomes));
                        batch.parents.push(next);
                        if fits {
                            continue;
                        }
                        // All states are packed anew, and those of the batch are not among them yet.
                        batch.keys.truncate(start);
                        batch.parents.pop();
                        self.take_in(&mut batch);
                        after.copy_from_slice(&state);
                        after[process] = segment;
                        if column != NONE {
                            after[column as usize] = becomes;
                        }
                        self.store.insert(&after, next);
                        continue;
                    }
                    Quick::Unknown | Quick::More(_) => {}
                }
                moves.clear();
                self.space.moves_of(&state, process as u32, &mut moves);
                self.take_all(next, &state, &mut after, &moves, &mut batch)?;
            }
            if self.edges == before {
                // Nobody can move: time passes, or it is over.
                self.space.moves(&state, &mut moves)?;
                if moves.is_empty() {
                    self.ends.push(next);
                }
                self.take_all(next, &state, &mut after, &moves, &mut batch)?;
            }
            next += 1;
        }
    }

    fn take_all(
        &mut self,
        number: u32,
        state: &[u32],
        after: &mut [u32],
        moves: &[Move],
        batch: &mut Batch,
    ) -> Result<(), Endless> {
        for step in moves {
            after.copy_from_slice(state);
            self.space.take(after, *step)?;
            // A number that is too large has all states packed anew.
            if !self.store.fits(after) {
                self.take_in(batch);
            }
            self.store.insert(after, number);
        }
        self.edges += moves.len() as u64;
        self.space.check()
    }

    fn take_in(&mut self, batch: &mut Batch) {
        self.store.insert_packed(&batch.keys, &batch.parents);
        batch.keys.clear();
        batch.parents.clear();
    }
}
