//! Parallel breadth-first search. It finds the same states with the same numbers as the sequential search.
//!
//! Of the states that are as far from the beginning, many are expanded at once, each by some thread with a copy of the
//! space. Copies give no numbers that last: a state for which one is needed that there is not is expanded again, in
//! order, by one thread, which gives out the same numbers as if there were no others. Then `merge` takes in what was
//! found.

use super::bfs::{Limits, Reducing, Search};
use super::bfs_unreduced::{Scratch, plainly};
use crate::explore::base::interner::lasting;
use crate::explore::base::workers;
use crate::explore::budget::Pace;
use crate::explore::semantics::transition::ModelError;
use crate::explore::state_space::{Memo, StateSpace, is_over};
use crate::explore::visited::hash_table::Deal;
use crate::explore::visited::parallel_insert::{Fresh, place};
use crate::explore::visited::{VisitedSet, hash, repack};

/// How many states are expanded in one batch.
const MOST: u32 = 1 << 14;
/// Into how many pieces they are divided for each thread.
const PIECES: usize = 8;

/// What one thread keeps.
pub(crate) struct Hand {
    memo: Memo,
    reducing: Reducing,
}

impl Hand {
    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.memo.bytes()
    }
}

/// A thread at work.
struct Worker<'p> {
    space: StateSpace<'p>,
    reducing: Reducing,
    scratch: Scratch,
    /// What is behind a state, packed.
    keys: Vec<u64>,
}

/// What came of some states.
struct Batch {
    /// What is behind them, in the parts that it belongs to.
    fresh: Vec<Fresh>,
    ends: Vec<u32>,
    edges: u64,
    /// States that need a number.
    slow: Vec<u32>,
}

impl Search<'_, '_> {
    /// Looks at what comes behind many states from `first` on, but not from `level` on. The number behind the last;
    /// none where one thread has to do it, since the search is to stop there.
    pub(crate) fn expand_together(
        &mut self,
        first: u32,
        level: u32,
        limits: Limits,
    ) -> Result<Option<u32>, ModelError> {
        let end = level.min(first.saturating_add(MOST.max(self.threads.least)));
        let threads = self.threads.count;
        let deal = self.store.table.deal(threads);
        let (mut yields, noticed) = self.yields(first..end, deal);
        let found: usize = yields.iter().flat_map(|some| &some.fresh).map(|fresh| fresh.places.len()).sum();
        let met = self.store.len() + found;
        if let Some(cut) = self.space.budget.spent() {
            self.cut = Some(cut);
            return Ok(Some(end));
        }
        let slow: Vec<u32> = yields.iter().flat_map(|some| some.slow.iter().copied()).collect();
        let Some((rows, places, ends)) = self.slowly(&slow, met, limits)? else {
            self.alone = end;
            return Ok(None);
        };
        if slow.len() * 4 > (end - first) as usize {
            self.alone = end.saturating_add(self.threads.alone.saturating_mul(end - first));
        }
        if let Some(memories) = &mut self.space.memories {
            for noticed in noticed {
                memories.notice(noticed);
            }
        }
        self.edges += places.len() as u64 + yields.iter().map(|some| some.edges).sum::<u64>();
        let mut ends = ends;
        ends.extend(yields.iter().flat_map(|some| &some.ends));
        ends.sort_unstable();
        self.ends.extend(ends);
        let store = &mut self.store;
        let width = self.space.width();
        let (columns, words) = (store.layout.columns(), store.layout.words());
        let mut wider = false;
        for row in rows.chunks_exact(width) {
            wider |= store.layout.admit(row);
        }
        let mut rest: Vec<Fresh> = (0..deal.parts).map(|_| Fresh::default()).collect();
        let mut key = vec![0; store.layout.words()];
        for (row, place) in rows.chunks_exact(width).zip(&places) {
            store.layout.pack(row, &mut key);
            rest[deal.part(hash(&key))].push(&key, *place);
        }
        if wider {
            repack(&store.layout, &columns, words, width, &mut store.keys);
            store.rehash(false, threads);
            for fresh in yields.iter_mut().flat_map(|some| &mut some.fresh) {
                repack(&store.layout, &columns, words, width, &mut fresh.keys);
            }
            store.take_in_one_by_one(yields.iter().flat_map(|some| &some.fresh).chain(&rest));
        } else {
            let all: Vec<Vec<Fresh>> = yields.into_iter().map(|some| some.fresh).collect();
            store.take_in_all(&all, &rest, deal, threads);
        }
        Ok(Some(end))
    }

    /// What the threads find behind these states, in order; and what the memories' copies have noticed.
    fn yields(&mut self, states: std::ops::Range<u32>, deal: Deal) -> (Vec<Batch>, Vec<[bool; 2]>) {
        let threads = self.threads.count;
        while self.hands.len() < threads {
            self.hands.push(Hand { memo: Memo::default(), reducing: self.reducing.clone() });
        }
        let width = self.space.width();
        let space = &*self.space;
        let worker = |hand: Hand| Worker {
            space: space.fork(hand.memo),
            reducing: hand.reducing,
            scratch: Scratch::new(width),
            keys: Vec::new(),
        };
        let mut workers: Vec<Worker<'_>> = std::mem::take(&mut self.hands).into_iter().map(worker).collect();
        let size = states.len().div_ceil(threads * PIECES).max(1);
        let (store, whole, plain) = (&self.store, self.whole.as_slice(), self.is_plain());
        let yields = workers::in_order(&mut workers, states.len().div_ceil(size), |worker, piece| {
            let first = states.start + (piece * size) as u32;
            worker.expand(store, whole, plain, first..states.end.min(first + size as u32), deal)
        });
        let noticed = workers.iter().filter_map(|worker| worker.space.memories.as_ref());
        let noticed: Vec<[bool; 2]> = noticed.map(|memories| memories.noticed()).collect();
        let hand = |worker: Worker<'_>| Hand { memo: worker.space.into_memo(), reducing: worker.reducing };
        self.hands = workers.into_iter().map(hand).collect();
        (yields, noticed)
    }

    /// Looks at these states by one thread. `met`: how many states there are at most without what is behind them. What
    /// is behind them, where each was met, and those that are ends; none where there are that many that the search
    /// stops.
    #[expect(clippy::type_complexity, reason = "three lists")]
    fn slowly(
        &mut self,
        slow: &[u32],
        met: usize,
        limits: Limits,
    ) -> Result<Option<(Vec<u32>, Vec<u64>, Vec<u32>)>, ModelError> {
        let (mut rows, mut places, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        let Scratch { mut state, mut after, mut moves } = Scratch::new(self.space.width());
        for number in slow {
            if met + places.len() >= limits.states {
                return Ok(None);
            }
            self.store.get(*number, &mut state);
            self.moves(*number, &state, &mut moves)?;
            if is_over(&moves) {
                ends.push(*number);
            }
            for (at, step) in moves.iter().enumerate() {
                after.copy_from_slice(&state);
                self.take(&mut after, *step)?;
                rows.extend_from_slice(&after);
                places.push(place(*number, at));
            }
        }
        Ok((met + places.len() < limits.states).then_some((rows, places, ends)))
    }
}

impl Worker<'_> {
    /// What is behind these states.
    fn expand(
        &mut self,
        store: &VisitedSet,
        whole: &[u32],
        plain: bool,
        states: std::ops::Range<u32>,
        deal: Deal,
    ) -> Batch {
        let fresh = (0..deal.parts).map(|_| Fresh::default()).collect();
        let mut some = Batch { fresh, ends: Vec::new(), edges: 0, slow: Vec::new() };
        let mut pace = Pace::new(&self.space.budget);
        for number in states {
            // The search stops here, so what is missing is not needed.
            if pace.spent().is_some() {
                break;
            }
            self.keys.clear();
            let (behind, lasts) = lasting(|| {
                if plain {
                    plainly(&mut self.space, store, number, &mut self.scratch, &mut self.keys)
                } else {
                    self.one(store, whole.binary_search(&number).is_ok(), number)
                }
            });
            let Some((count, over)) = behind.filter(|_| lasts) else {
                // Expanding it again finds it again.
                let _ = self.space.check();
                some.slow.push(number);
                continue;
            };
            some.edges += count as u64;
            if over {
                some.ends.push(number);
            }
            for (at, key) in self.keys.chunks_exact(store.layout.words()).enumerate() {
                some.fresh[deal.part(hash(key))].push(key, place(number, at));
            }
        }
        some
    }

    /// Packs what comes behind a state: how many there are, and whether it is an end. None where one does not fit or a
    /// process computes without end.
    fn one(&mut self, store: &VisitedSet, whole: bool, number: u32) -> Option<(usize, bool)> {
        let words = store.layout.words();
        let Scratch { state, after, moves } = &mut self.scratch;
        store.get(number, state);
        self.reducing.moves(&mut self.space, whole, state, moves).ok()?;
        for step in &*moves {
            after.copy_from_slice(state);
            self.reducing.take(&mut self.space, after, *step).ok()?;
            let at = self.keys.len();
            self.keys.resize(at + words, 0);
            if !store.layout.pack(after, &mut self.keys[at..]) {
                return None;
            }
        }
        Some((moves.len(), is_over(moves)))
    }
}
