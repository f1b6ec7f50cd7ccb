//! The states that were met: each once, packed into as few bits as its numbers need, exactly.
//!
//! `packing` packs them, `hash_table` finds them, `predecessors` keeps how they were met, `parallel_insert` takes in what several
//! threads have found. Where a column outgrows its bits all states are packed anew, some times for each doubling of a number.

pub(crate) mod hash_table;
pub(crate) mod packing;
pub(crate) mod parallel_insert;
pub(crate) mod predecessors;

use super::visited::hash_table::{Found, Table};
use super::visited::packing::{Column, Layout};
use super::visited::predecessors::Predecessors;
use crate::os::prefetch;

pub use super::visited::predecessors::ROOT;

/// A set of states, each with the state before it on the path by which it was first met.
pub struct VisitedSet {
    pub(super) layout: Layout,
    pub(super) keys: Vec<u64>,
    pub(super) table: Table,
    pub(super) parents: Predecessors,
    key: Vec<u64>,
    hashes: Vec<u64>,
    /// How many states were packed anew since all columns were widened.
    repacked: usize,
}

impl VisitedSet {
    /// An empty set of states of that many numbers each, of which the first `coded` are not numbered for themselves.
    pub fn new(width: usize, coded: usize) -> Self {
        Self {
            layout: Layout::new(width, coded),
            keys: Vec::new(),
            table: Table::new(),
            parents: Predecessors::default(),
            key: Vec::new(),
            hashes: Vec::new(),
            repacked: 0,
        }
    }

    /// How many states there are.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parents.len() == 0
    }

    /// The bytes that the states take.
    pub fn bytes(&self) -> usize {
        self.keys.len() * 8 + Table::bytes(self.len()) + self.parents.bytes() + self.layout.bytes()
    }

    /// The state before the one of that number.
    pub fn parent(&self, state: u32) -> u32 {
        self.parents.of(state)
    }

    /// Reads the state of that number.
    pub fn get(&self, state: u32, row: &mut [u32]) {
        self.layout.unpack(self.packed(state), row);
    }

    /// The number of a state that was met.
    pub fn find(&mut self, row: &[u32]) -> Option<u32> {
        if !self.pack(row) {
            return None;
        }
        match self.table.find(hash(&self.key), |number| self.is(number, &self.key)) {
            Found::Known(number) => Some(number),
            Found::Empty(_) | Found::Full => None,
        }
    }

    /// Takes in a state. Its number, and whether it was met for the first time.
    pub fn insert(&mut self, row: &[u32], parent: u32) -> (u32, bool) {
        if !self.pack(row) {
            self.widen(row);
            self.pack(row);
        }
        let key = std::mem::take(&mut self.key);
        let before = self.len();
        let number = self.take_in(hash(&key), &key, parent);
        self.key = key;
        (number, self.len() > before)
    }

    /// The packed state of that number.
    #[inline]
    pub(super) fn packed(&self, state: u32) -> &[u64] {
        let words = self.layout.words();
        let at = state as usize * words;
        &self.keys[at..at + words]
    }

    /// Takes in many packed states at once, each with the one before it: while one is looked for, the memory that the
    /// next ones need is fetched.
    pub(super) fn insert_packed(&mut self, keys: &[u64], parents: &[u32]) {
        let words = self.layout.words();
        let mut hashes = std::mem::take(&mut self.hashes);
        hashes.clear();
        hashes.extend(keys.chunks_exact(words).map(hash));
        for hash in &hashes {
            prefetch::read(self.table.slots(), self.table.home(*hash));
        }
        for hash in &hashes {
            if let Some(number) = self.table.likely(*hash) {
                prefetch::read(&self.keys, number as usize * words);
            }
        }
        for ((key, hash), parent) in keys.chunks_exact(words).zip(&hashes).zip(parents) {
            self.take_in(*hash, key, *parent);
        }
        self.hashes = hashes;
    }

    /// Takes in a packed state; its number.
    #[inline]
    pub(super) fn take_in(&mut self, hash: u64, key: &[u64], parent: u32) -> u32 {
        loop {
            match self.table.find(hash, |number| self.is(number, key)) {
                Found::Known(number) => return number,
                Found::Empty(slot) => {
                    let number = self.parents.len() as u32;
                    self.table.enter(slot, hash, number);
                    self.append(key, parent);
                    if self.table.is_full(self.len()) {
                        self.rehash(true, 1);
                    }
                    return number;
                }
                Found::Full => self.rehash(true, 1),
            }
        }
    }

    #[inline]
    fn append(&mut self, key: &[u64], parent: u32) {
        self.parents.push(parent);
        self.keys.extend_from_slice(key);
    }

    /// Whether the state of that number is this one.
    #[inline]
    pub(super) fn is(&self, number: u32, key: &[u64]) -> bool {
        // Word by word: of the few that there are, a call to compare them costs more than comparing.
        self.packed(number).iter().zip(key).all(|(one, other)| one == other)
    }

    #[inline]
    fn pack(&mut self, row: &[u32]) -> bool {
        self.key.resize(self.layout.words(), 0);
        self.layout.pack(row, &mut self.key)
    }

    /// Makes room for larger numbers. Where columns outgrow their bits one after the other, all become wider at once: the states
    /// are packed anew some times for each doubling of a number, and not for each of each column.
    fn widen(&mut self, row: &[u32]) {
        const ROUNDS: usize = 8;
        let (columns, words) = (self.layout.columns(), self.layout.words());
        if !self.layout.admit(row) {
            return;
        }
        if self.repacked > ROUNDS * self.len() {
            self.layout.widen();
            self.repacked = 0;
        }
        self.repacked += self.len();
        repack(&self.layout, &columns, words, row.len(), &mut self.keys);
        self.rehash(false, 1);
    }

    /// Makes the table anew, larger or not, by that many threads.
    pub(super) fn rehash(&mut self, larger: bool, threads: usize) {
        let (keys, words) = (&self.keys, self.layout.words());
        self.table.fill(larger, self.parents.len(), threads, |some, hashes| {
            hashes.clear();
            hashes.extend(keys[some.start * words..some.end * words].chunks_exact(words).map(hash));
        });
    }
}

/// Packs states anew that were packed when the columns stood so and a state took that many words.
pub(super) fn repack(layout: &Layout, columns: &[Column], before: usize, width: usize, keys: &mut Vec<u64>) {
    let words = layout.words();
    let count = keys.len() / before;
    keys.resize(count * words, 0);
    let (mut row, mut key) = (vec![0; width], vec![0; words]);
    // From behind: states only become wider.
    for place in (0..count).rev() {
        layout.unpack_as(columns, &keys[place * before..(place + 1) * before], &mut row);
        layout.pack(&row, &mut key);
        keys[place * words..(place + 1) * words].copy_from_slice(&key);
    }
}

/// Every bit of it depends on every bit of the state.
#[inline]
pub(super) fn hash(key: &[u64]) -> u64 {
    let mut hash = 0x9e37_79b9_7f4a_7c15_u64;
    for word in key {
        hash = fold(hash ^ word, 0xd6e8_feb8_6659_fd93);
    }
    fold(hash ^ 0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db)
}

#[inline]
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_kept_once_and_comes_out_as_it_went_in() {
        let mut store = VisitedSet::new(3, 2);
        let row = |n: u32| [n % 7 * 1000, n.wrapping_mul(5), n.wrapping_mul(0x9e37_79b9)];
        for n in 0..5000 {
            assert_eq!(store.insert(&row(n), ROOT), (n, true));
        }
        let mut out = [0; 3];
        for n in 0..5000 {
            assert_eq!(store.insert(&row(n), 3), (n, false));
            store.get(n, &mut out);
            assert_eq!(out, row(n));
            assert_eq!(store.find(&row(n)), Some(n));
        }
        assert_eq!(store.find(&row(5001)), None);
        assert_eq!(store.parent(17), ROOT);
    }

    #[test]
    fn states_come_out_as_they_went_in_where_columns_outgrow_their_bits_one_after_the_other() {
        const WIDTH: u32 = 200;
        for coded in [0, 100, WIDTH as usize] {
            let mut store = VisitedSet::new(WIDTH as usize, coded);
            let row = |n: u32| -> Vec<u32> {
                (0..WIDTH).map(|column| if column == n % WIDTH { n / WIDTH * 7 + 1 } else { 0 }).collect()
            };
            for n in 0..WIDTH * 20 {
                assert_eq!(store.insert(&row(n), ROOT), (n, true));
            }
            let mut out = vec![0; WIDTH as usize];
            for n in 0..WIDTH * 20 {
                store.get(n, &mut out);
                assert_eq!(out, row(n));
                assert_eq!(store.find(&out), Some(n));
            }
        }
    }
}
