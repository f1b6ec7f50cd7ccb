//! The search without reductions, for speed: successors are made in the packed form, by changing two numbers of the
//! state before, and are taken in many at a time.

use super::bfs::{Cut, Limits, Search, WHILE};
use crate::explore::budget::Pace;
use crate::explore::semantics::transition::ModelError;
use crate::explore::state_space::{NONE, Quick, StateSpace, Transition, is_over};
use crate::explore::visited::VisitedSet;

/// How many states are taken in at a time.
const BATCH: usize = 512;

/// A state, and what is behind it.
pub(crate) struct Scratch {
    pub(crate) state: Vec<u32>,
    pub(crate) after: Vec<u32>,
    pub(crate) moves: Vec<Transition>,
}

impl Scratch {
    pub(crate) fn new(width: usize) -> Self {
        Self { state: vec![0; width], after: vec![0; width], moves: Vec::new() }
    }
}

impl Search<'_, '_> {
    /// Looks at what comes behind the states from `next` up to `until`, or for a while, leaving nothing out. The number
    /// behind the last.
    pub(crate) fn expand_plainly(&mut self, mut next: u32, until: u32, limits: Limits) -> Result<u32, ModelError> {
        let mut scratch = Scratch::new(self.space.width());
        let (mut keys, mut parents): (Vec<u64>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut pace = Pace::new(&self.space.budget);
        let mut over = false;
        loop {
            if next < until {
                self.cut = pace.spent();
                over = self.cut.is_some() || pace.took() >= WHILE;
            }
            let met = self.store.len() + parents.len();
            if over || next == until || parents.len() >= BATCH || met >= limits.states && !parents.is_empty() {
                self.store.insert_packed(&keys, &parents);
                keys.clear();
                parents.clear();
            }
            if over || next == until {
                return Ok(next);
            }
            if parents.is_empty() && self.store.len() >= limits.states {
                self.cut = Some(Cut::States);
                return Ok(next);
            }
            let before = keys.len();
            match plainly(self.space, &self.store, next, &mut scratch, &mut keys) {
                Some((count, over)) => {
                    parents.resize(parents.len() + count, next);
                    self.edges += count as u64;
                    if over {
                        self.ends.push(next);
                    }
                }
                None => {
                    // Where all states are packed anew, those that were not taken in are not among them.
                    self.store.insert_packed(&keys[..before], &parents);
                    keys.clear();
                    parents.clear();
                    let Scratch { state, after, moves } = &mut scratch;
                    self.expand_one(next, state, after, moves, &mut pace)?;
                    if self.cut.is_some() {
                        return Ok(next);
                    }
                }
            }
            next += 1;
        }
    }
}

/// Packs the successors of a state: how many there are, and whether a run can be over in the state. None where one does
/// not fit, or where a process computes without end.
pub(crate) fn plainly(
    space: &mut StateSpace<'_>,
    store: &VisitedSet,
    number: u32,
    scratch: &mut Scratch,
    keys: &mut Vec<u64>,
) -> Option<(usize, bool)> {
    let Scratch { state, after, moves } = scratch;
    store.get(number, state);
    let words = store.layout.words();
    let start = keys.len();
    let mut count = 0;
    let mut quick = true;
    for process in 0..space.plan.processes.len() {
        match space.quick(state, process as u32) {
            (_, Quick::Waits) => {}
            (column, Quick::Plain(segment, becomes, _)) => {
                let at = keys.len();
                keys.extend_from_slice(store.packed(number));
                let key = &mut keys[at..at + words];
                let fits = store.layout.patch(key, process, segment)
                    && (column == NONE || store.layout.patch(key, column as usize, becomes));
                if !fits {
                    return None;
                }
                count += 1;
            }
            (_, Quick::Unknown | Quick::More(_)) => {
                quick = false;
                break;
            }
        }
    }
    if quick && count > 0 {
        return Some((count, false));
    }
    // A process has to be expanded in full; or no process can move: time passes, or the execution is over.
    keys.truncate(start);
    space.moves(state, moves).ok()?;
    for step in &*moves {
        after.copy_from_slice(state);
        space.take(after, *step).ok()?;
        let at = keys.len();
        keys.resize(at + words, 0);
        if !store.layout.pack(after, &mut keys[at..]) {
            return None;
        }
    }
    Some((moves.len(), is_over(moves)))
}
