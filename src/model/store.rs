//! The states that were met: each once, packed into as few bits as its numbers need, exactly.
//!
//! Numbers are given out in the order in which things are met, so they are small. A column that outgrows its bits makes
//! all states be packed anew, which happens as often as a number doubles.

use crate::os::prefetch;

/// Where a column of a state stands.
#[derive(Clone, Copy, Debug)]
struct Column {
    word: u32,
    shift: u32,
    bits: u32,
}

/// A set of states, each with the state before it on the path by which it was first met.
pub struct Store {
    columns: Vec<Column>,
    /// Words a state takes.
    words: usize,
    keys: Vec<u64>,
    /// By hash: the number of a state and 1, or 0.
    table: Vec<u32>,
    parents: Vec<u32>,
    key: Vec<u64>,
    hashes: Vec<u64>,
}

/// A state that was met first of all has no state before it.
pub const ROOT: u32 = u32::MAX;

impl Store {
    /// An empty set of states of so many numbers each.
    pub fn new(width: usize) -> Self {
        let mut store = Self {
            columns: vec![Column { word: 0, shift: 0, bits: 1 }; width],
            words: 0,
            keys: Vec::new(),
            table: vec![0; 1 << 10],
            parents: Vec::new(),
            key: Vec::new(),
            hashes: Vec::new(),
        };
        store.lay_out();
        store
    }

    /// How many states there are.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// The bytes that the states take.
    pub fn bytes(&self) -> usize {
        self.keys.capacity() * 8 + (self.table.capacity() + self.parents.capacity()) * 4
    }

    /// The state before the one of that number.
    pub fn parent(&self, state: u32) -> u32 {
        self.parents[state as usize]
    }

    /// Reads the state of that number.
    pub fn get(&self, state: u32, row: &mut [u32]) {
        let at = state as usize * self.words;
        let key = &self.keys[at..at + self.words];
        for (column, place) in self.columns.iter().zip(row) {
            *place = (key[column.word as usize] >> column.shift) as u32 & mask(column.bits);
        }
    }

    /// The number of a state that was met.
    pub fn find(&mut self, row: &[u32]) -> Option<u32> {
        if !self.fits(row) {
            return None;
        }
        self.pack(row);
        let found = self.table[self.slot()];
        found.checked_sub(1)
    }

    /// Takes in a state. Its number, and whether it was met for the first time.
    pub fn insert(&mut self, row: &[u32], parent: u32) -> (u32, bool) {
        if !self.fits(row) {
            self.widen(row);
        }
        self.pack(row);
        let slot = self.slot();
        if let Some(known) = self.table[slot].checked_sub(1) {
            return (known, false);
        }
        let number = self.parents.len() as u32;
        let key = std::mem::take(&mut self.key);
        self.push(slot, &key, parent);
        self.key = key;
        (number, true)
    }

    /// How many words a packed state takes.
    pub(super) fn words(&self) -> usize {
        self.words
    }

    /// The packed state of that number.
    pub(super) fn packed(&self, state: u32) -> &[u64] {
        let at = state as usize * self.words;
        &self.keys[at..at + self.words]
    }

    /// Changes one number of a packed state. False where it does not fit.
    #[inline]
    pub(super) fn patch(&self, key: &mut [u64], column: usize, number: u32) -> bool {
        let Column { word, shift, bits } = self.columns[column];
        let mask = mask(bits);
        let word = &mut key[word as usize];
        *word = *word & !(u64::from(mask) << shift) | u64::from(number) << shift;
        number <= mask
    }

    /// Takes in many packed states at once, each with the one before it: while one is looked for, the memory that the
    /// next ones need is fetched.
    pub(super) fn insert_packed(&mut self, keys: &[u64], parents: &[u32]) {
        let words = self.words;
        self.hashes.clear();
        self.hashes.extend(keys.chunks_exact(words).map(hash));
        let mask = self.table.len() - 1;
        for hash in &self.hashes {
            prefetch::read(&self.table, *hash as usize & mask);
        }
        for hash in &self.hashes {
            let found = self.table[*hash as usize & mask];
            if found != 0 {
                prefetch::read(&self.keys, (found as usize - 1) * words);
            }
        }
        for (place, key) in keys.chunks_exact(words).enumerate() {
            let slot = self.slot_of(self.hashes[place], key);
            if self.table[slot] == 0 {
                self.push(slot, key, parents[place]);
            }
        }
    }

    fn push(&mut self, slot: usize, key: &[u64], parent: u32) {
        self.parents.push(parent);
        self.table[slot] = self.parents.len() as u32;
        self.keys.extend_from_slice(key);
        if self.parents.len() * 4 > self.table.len() * 3 {
            self.rehash(self.table.len() * 2);
        }
    }

    /// Whether no number of a state is too large for its bits.
    pub(super) fn fits(&self, row: &[u32]) -> bool {
        self.columns.iter().zip(row).all(|(column, number)| *number <= mask(column.bits))
    }

    #[inline]
    fn pack(&mut self, row: &[u32]) {
        self.key.clear();
        self.key.resize(self.words, 0);
        for (column, number) in self.columns.iter().zip(row) {
            self.key[column.word as usize] |= u64::from(*number) << column.shift;
        }
    }

    /// The slot of the packed state: where it stands, or where it would.
    #[inline]
    fn slot(&self) -> usize {
        self.slot_of(hash(&self.key), &self.key)
    }

    #[inline]
    fn slot_of(&self, hash: u64, key: &[u64]) -> usize {
        let mask = self.table.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            match self.table[slot] {
                0 => return slot,
                found => {
                    let at = (found as usize - 1) * self.words;
                    // Word by word: of the few that there are, a call to compare them costs more than comparing.
                    if self.keys[at..at + self.words].iter().zip(key).all(|(one, other)| one == other) {
                        return slot;
                    }
                }
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Makes room for larger numbers.
    fn widen(&mut self, row: &[u32]) {
        let before = (self.columns.clone(), self.words);
        for (column, number) in self.columns.iter_mut().zip(row) {
            column.bits = column.bits.max(32 - number.leading_zeros());
        }
        self.lay_out();
        let keys = std::mem::take(&mut self.keys);
        self.keys.reserve(self.len() * self.words);
        let mut numbers = vec![0u32; row.len()];
        for key in keys.chunks_exact(before.1.max(1)) {
            for (column, place) in before.0.iter().zip(&mut numbers) {
                *place = (key[column.word as usize] >> column.shift) as u32 & mask(column.bits);
            }
            self.pack(&numbers);
            self.keys.extend_from_slice(&self.key);
        }
        self.rehash(self.table.len());
    }

    fn rehash(&mut self, size: usize) {
        self.table = vec![0; size];
        let mask = size - 1;
        for (number, key) in self.keys.chunks_exact(self.words).enumerate() {
            let mut slot = hash(key) as usize & mask;
            while self.table[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            self.table[slot] = number as u32 + 1;
        }
    }

    fn lay_out(&mut self) {
        let (mut word, mut shift) = (0, 0);
        for column in &mut self.columns {
            if shift + column.bits > 64 {
                (word, shift) = (word + 1, 0);
            }
            (column.word, column.shift) = (word, shift);
            shift += column.bits;
        }
        self.words = word as usize + 1;
    }
}

fn mask(bits: u32) -> u32 {
    if bits >= 32 { u32::MAX } else { (1 << bits) - 1 }
}

#[inline]
fn hash(key: &[u64]) -> u64 {
    let mut hash = 0x9e37_79b9_7f4a_7c15_u64;
    for word in key {
        hash = (hash ^ word).wrapping_mul(0xd6e8_feb8_6659_fd93);
        hash ^= hash >> 32;
    }
    hash.wrapping_mul(0xd6e8_feb8_6659_fd93) ^ hash >> 29
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_kept_once_and_comes_out_as_it_went_in() {
        let mut store = Store::new(3);
        let row = |n: u32| [n % 7, n, n.wrapping_mul(0x9e37_79b9)];
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
}
