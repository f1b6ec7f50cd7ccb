//! Taking in what several threads have found at once: the states that may be new are dealt out by the table's regions, so
//! that each thread looks for its own among each other; those that are new get their numbers in the order in which one
//! thread would have met them.

use super::parallel;
use super::store::{Store, hash};
use super::table::{Deal, Found, Part};
use crate::os::prefetch;

/// Packed states that may be new.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    pub(super) keys: Vec<u64>,
    /// Where each was met: see [`place`].
    pub(super) places: Vec<u64>,
}

/// Where a state was met: behind which state, by which of its steps. In this order one thread would meet them.
pub(super) fn place(state: u32, step: usize) -> u64 {
    u64::from(state) << 32 | step as u64
}

impl Fresh {
    pub(super) fn push(&mut self, key: &[u64], place: u64) {
        self.keys.extend_from_slice(key);
        self.places.push(place);
    }

    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.places.clear();
    }
}

/// A thread's part of the table, and what is new in it.
struct Share<'t, 'f> {
    part: Part<'t>,
    /// What may be new, in order.
    fresh: Vec<(u64, &'f [u64])>,
    keys: Vec<u64>,
    places: Vec<u64>,
    slots: Vec<usize>,
    /// What numbers they have got.
    numbers: Vec<u32>,
    full: bool,
}

impl Store {
    /// Of these states leaves those that have not been met, each in the part that it belongs to.
    pub(super) fn sift(&self, found: &Fresh, hashes: &mut Vec<u64>, deal: Deal, fresh: &mut [Fresh]) {
        let words = self.layout.words();
        hashes.clear();
        hashes.extend(found.keys.chunks_exact(words).map(hash));
        for hash in hashes.iter() {
            prefetch::read(self.table.slots(), self.table.home(*hash));
        }
        for hash in hashes.iter() {
            if let Some(number) = self.table.likely(*hash) {
                prefetch::read(&self.keys, number as usize * words);
            }
        }
        for ((key, hash), place) in found.keys.chunks_exact(words).zip(hashes).zip(&found.places) {
            if !matches!(self.table.find(*hash, |number| self.is(number, key)), Found::Known(_)) {
                fresh[deal.part(*hash)].push(key, *place);
            }
        }
    }

    /// Takes in states that may be new, by several threads; `all` is in order, in each the parts as they were dealt, and
    /// `rest` is to be sorted in.
    pub(super) fn take_in_all(&mut self, all: &[Vec<Fresh>], rest: &[Fresh], deal: Deal, threads: usize) {
        let total: usize = all.iter().flatten().chain(rest).map(|fresh| fresh.places.len()).sum();
        while self.table.is_full(self.len() + total) {
            self.rehash(true, threads);
        }
        if self.table.deal(threads) != deal || !self.take_in_shares(all, rest, deal) {
            self.take_in_one_by_one(all.iter().flatten().chain(rest));
        }
    }

    /// The same, by one thread and in whatever parts.
    pub(super) fn take_in_one_by_one<'f>(&mut self, all: impl Iterator<Item = &'f Fresh>) {
        let words = self.layout.words();
        let mut states: Vec<(u64, &[u64])> =
            all.flat_map(|fresh| fresh.places.iter().copied().zip(fresh.keys.chunks_exact(words))).collect();
        states.sort_unstable_by_key(|(place, _)| *place);
        for (place, key) in states {
            self.take_in(hash(key), key, (place >> 32) as u32);
        }
    }

    /// False, and nothing is taken in, where there is no room in a region.
    fn take_in_shares(&mut self, all: &[Vec<Fresh>], rest: &[Fresh], deal: Deal) -> bool {
        let words = self.layout.words();
        let first = self.len() as u32;
        let known = &self.keys;
        let share = |(at, part): (usize, _)| {
            let of = |fresh: &Fresh| fresh.places.len();
            let mut fresh = Vec::with_capacity(all.iter().map(|parts| of(&parts[at])).sum::<usize>() + of(&rest[at]));
            let rest = &rest[at];
            let mut rest = rest.places.iter().copied().zip(rest.keys.chunks_exact(words)).peekable();
            for parts in all {
                for state in parts[at].places.iter().copied().zip(parts[at].keys.chunks_exact(words)) {
                    while let Some(other) = rest.next_if(|other| other.0 < state.0) {
                        fresh.push(other);
                    }
                    fresh.push(state);
                }
            }
            fresh.extend(rest);
            let (keys, places, slots, numbers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            Share { part, fresh, keys, places, slots, numbers, full: false }
        };
        let mut shares: Vec<Share<'_, '_>> = self.table.parts(deal).into_iter().enumerate().map(share).collect();
        parallel::together(&mut shares, |share| share.enter(known, words, first));
        if shares.iter().any(|share| share.full) {
            for share in &mut shares {
                while let Some(slot) = share.slots.pop() {
                    share.part.clear(slot);
                }
            }
            return false;
        }
        let mut next: Vec<usize> = vec![0; shares.len()];
        loop {
            let ahead = shares.iter().zip(&next).enumerate();
            let ahead = ahead.filter_map(|(at, (share, next))| Some((*share.places.get(*next)?, at))).min();
            let Some((place, at)) = ahead else { break };
            let share = &mut shares[at];
            share.numbers.push(self.parents.len() as u32);
            self.parents.push((place >> 32) as u32);
            self.keys.extend_from_slice(&share.keys[next[at] * words..(next[at] + 1) * words]);
            next[at] += 1;
        }
        parallel::together(&mut shares, |share| {
            for (slot, number) in share.slots.iter().zip(&share.numbers) {
                share.part.renumber(*slot, *number);
            }
        });
        true
    }
}

impl Share<'_, '_> {
    /// Enters those that are new, with numbers for the time being: from `first` on.
    fn enter(&mut self, known: &[u64], words: usize, first: u32) {
        const SOME: usize = 64;
        let mut hashes = Vec::with_capacity(SOME);
        for some in self.fresh.chunks(SOME) {
            hashes.clear();
            hashes.extend(some.iter().map(|(_, key)| hash(key)));
            for hash in &hashes {
                self.part.expect(*hash);
            }
            for ((place, key), hash) in some.iter().zip(&hashes) {
                let keys = &self.keys;
                let same = |number: u32| {
                    let (keys, at) = match number.checked_sub(first) {
                        Some(own) => (keys.as_slice(), own as usize * words),
                        None => (known, number as usize * words),
                    };
                    keys[at..at + words].iter().zip(*key).all(|(one, other)| one == other)
                };
                match self.part.find(*hash, same) {
                    Found::Known(_) => {}
                    Found::Empty(slot) => {
                        self.part.enter(slot, *hash, first + self.places.len() as u32);
                        self.slots.push(slot);
                        self.places.push(*place);
                        self.keys.extend_from_slice(key);
                    }
                    Found::Full => {
                        self.full = true;
                        return;
                    }
                }
            }
        }
    }
}
