//! Taking in what several threads have found at once: states are dealt out by the table's regions, so that each thread
//! looks for those in its own; those that are new get their numbers in the order in which one thread would have met them.

use std::ops::Range;

use super::hash_table::{Deal, Found, Part};
use super::{VisitedSet, hash};
use crate::explore::base::workers;
use crate::os::prefetch;

/// Packed states that may be new.
#[derive(Debug, Default)]
pub(crate) struct Fresh {
    pub(crate) keys: Vec<u64>,
    /// Where each was met: see [`place`].
    pub(crate) places: Vec<u64>,
}

/// Where a state was met: behind which state, by which of its steps. In this order one thread would meet them.
pub(crate) fn place(state: u32, step: usize) -> u64 {
    u64::from(state) << 32 | step as u64
}

impl Fresh {
    #[inline]
    pub(crate) fn push(&mut self, key: &[u64], place: u64) {
        for word in key {
            self.keys.push(*word);
        }
        self.places.push(place);
    }
}

/// A thread's part of the table, and what is new in it.
struct Share<'t, 'f> {
    part: Part<'t>,
    /// What may be new, in order.
    runs: Vec<(&'f Fresh, Range<usize>)>,
    keys: Vec<u64>,
    places: Vec<u64>,
    slots: Vec<usize>,
    /// What numbers they have got.
    numbers: Vec<u32>,
    full: bool,
}

impl VisitedSet {
    /// Takes in states that may be new, by several threads; `all` is in order, in each the parts as they were dealt, and
    /// `rest` is to be sorted in.
    pub(crate) fn take_in_all(&mut self, all: &[Vec<Fresh>], rest: &[Fresh], deal: Deal, threads: usize) {
        let total: usize = all.iter().flatten().chain(rest).map(|fresh| fresh.places.len()).sum();
        // Most have been met before.
        while self.table.is_full(self.len() + total / 4) {
            self.rehash(true, threads);
        }
        if self.table.deal(threads) != deal || !self.take_in_shares(all, rest, deal) {
            self.take_in_one_by_one(all.iter().flatten().chain(rest));
        }
        while self.table.is_full(self.len()) {
            self.rehash(true, threads);
        }
    }

    /// The same, by one thread and in whatever parts.
    pub(crate) fn take_in_one_by_one<'f>(&mut self, all: impl Iterator<Item = &'f Fresh>) {
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
            let runs = runs(all.iter().map(|parts| &parts[at]), &rest[at]);
            let (keys, places, slots, numbers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            Share { part, runs, keys, places, slots, numbers, full: false }
        };
        let mut shares: Vec<Share<'_, '_>> = self.table.parts(deal).into_iter().enumerate().map(share).collect();
        workers::together(&mut shares, |share| share.enter(known, words, first));
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
            let mut ahead = (u64::MAX, 0);
            for (at, (share, next)) in shares.iter().zip(&next).enumerate() {
                ahead = ahead.min((share.places.get(*next).copied().unwrap_or(u64::MAX), at));
            }
            let (place, at) = ahead;
            if place == u64::MAX {
                break;
            }
            let share = &mut shares[at];
            share.numbers.push(self.parents.len() as u32);
            self.parents.push((place >> 32) as u32);
            for word in &share.keys[next[at] * words..(next[at] + 1) * words] {
                self.keys.push(*word);
            }
            next[at] += 1;
        }
        workers::together(&mut shares, |share| {
            for (slot, number) in share.slots.iter().zip(&share.numbers) {
                share.part.renumber(*slot, *number);
            }
        });
        true
    }
}

/// The order in which states are to be taken in: those of all lists, `rest` sorted in.
fn runs<'f>(all: impl Iterator<Item = &'f Fresh>, rest: &'f Fresh) -> Vec<(&'f Fresh, Range<usize>)> {
    let mut runs = Vec::new();
    let mut put = |fresh: &'f Fresh, range: Range<usize>| {
        if !range.is_empty() {
            runs.push((fresh, range));
        }
    };
    let mut taken = 0;
    for fresh in all {
        let mut from = 0;
        while from < fresh.places.len() {
            let to = rest
                .places
                .get(taken)
                .map_or(fresh.places.len(), |other| from + fresh.places[from..].partition_point(|place| place < other));
            put(fresh, from..to);
            from = to;
            if let Some(next) = fresh.places.get(from) {
                let end = taken + rest.places[taken..].partition_point(|other| other < next);
                put(rest, taken..end);
                taken = end;
            }
        }
    }
    put(rest, taken..rest.places.len());
    runs
}

impl Share<'_, '_> {
    /// Enters those that are new, with numbers for the time being: from `first` on.
    fn enter(&mut self, known: &[u64], words: usize, first: u32) {
        const SOME: usize = 512;
        let mut hashes = Vec::with_capacity(SOME);
        let runs = std::mem::take(&mut self.runs);
        for (fresh, range) in runs {
            let keys = &fresh.keys[range.start * words..range.end * words];
            for (keys, places) in keys.chunks(SOME * words).zip(fresh.places[range].chunks(SOME)) {
                hashes.clear();
                hashes.extend(keys.chunks_exact(words).map(hash));
                for hash in &hashes {
                    self.part.expect(*hash);
                }
                for hash in &hashes {
                    if let Some(number) = self.part.likely(*hash) {
                        prefetch::read(known, number as usize * words);
                    }
                }
                for ((key, place), hash) in keys.chunks_exact(words).zip(places).zip(&hashes) {
                    if !self.enter_one(known, first, (key, *place, *hash)) {
                        self.full = true;
                        return;
                    }
                }
            }
        }
    }

    /// Whether there was room for it.
    #[inline]
    fn enter_one(&mut self, known: &[u64], first: u32, (key, place, hash): (&[u64], u64, u64)) -> bool {
        let own = &self.keys;
        let same = |number: u32| {
            let (keys, at) = match number.checked_sub(first) {
                Some(at) => (own.as_slice(), at as usize * key.len()),
                None => (known, number as usize * key.len()),
            };
            keys[at..at + key.len()].iter().zip(key).all(|(one, other)| one == other)
        };
        match self.part.find(hash, same) {
            Found::Known(_) => {}
            Found::Empty(slot) => {
                self.part.enter(slot, hash, first + self.places.len() as u32);
                self.slots.push(slot);
                self.places.push(place);
                for word in key {
                    self.keys.push(*word);
                }
            }
            Found::Full => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_at_again_is_taken_in_at_its_place() {
        let fresh = |places: &[u64]| Fresh { keys: Vec::new(), places: places.to_vec() };
        let all = [fresh(&[1, 2, 5]), fresh(&[]), fresh(&[6, 9])];
        for rest in [vec![], vec![0, 3, 4, 7, 8, 10], vec![3], vec![10, 11], vec![0]] {
            let rest = fresh(&rest);
            let runs = runs(all.iter(), &rest);
            let order: Vec<u64> =
                runs.iter().flat_map(|(fresh, range)| &fresh.places[range.clone()]).copied().collect();
            let mut expected: Vec<u64> = all.iter().chain([&rest]).flat_map(|fresh| &fresh.places).copied().collect();
            expected.sort_unstable();
            assert_eq!(order, expected);
        }
    }
}
