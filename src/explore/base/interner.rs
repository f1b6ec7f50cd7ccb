//! Numbers for things, given out in the order in which the things are first met.
//!
//! Several threads may use the same numbers at once: each has a copy, and as long as there is any, what is met for the
//! first time gets a number for the time being. It is right for a process that asked, for as long as the copy lasts;
//! [`lasting`] says whether any such number was used.

use std::borrow::Borrow;
use std::cell::Cell;
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Index;
use std::sync::Arc;

thread_local! {
    /// Whether a number was used in this thread that does not last.
    static PASSING: Cell<bool> = const { Cell::new(false) };
}

/// Does something, and says whether all numbers last that it used.
pub(crate) fn lasting<T>(work: impl FnOnce() -> T) -> (T, bool) {
    let before = PASSING.replace(false);
    let done = work();
    let passing = PASSING.get();
    PASSING.set(before || passing);
    (done, !passing)
}

#[derive(Clone, Debug)]
pub(crate) struct Things<T> {
    lasting: Arc<Vec<T>>,
    passing: Vec<T>,
}

impl<T> Things<T> {
    /// How many of them last.
    pub(crate) fn len(&self) -> usize {
        self.lasting.len()
    }

    /// That of a number.
    #[inline]
    pub(crate) fn get(&self, number: usize) -> Option<&T> {
        match number.checked_sub(self.lasting.len()) {
            None => self.lasting.get(number),
            Some(behind) => self.passing.get(behind),
        }
    }

    pub(crate) fn first(&self) -> Option<&T> {
        self.get(0)
    }
}

impl<T> Index<usize> for Things<T> {
    type Output = T;

    #[inline]
    fn index(&self, number: usize) -> &T {
        match self.lasting.get(number) {
            Some(thing) => thing,
            None => &self.passing[number - self.lasting.len()],
        }
    }
}

/// Numbers for things that are distinguished by keys: by themselves, or by what is made of them.
#[derive(Debug)]
pub(crate) struct Interner<K, T = K> {
    known: Arc<HashMap<K, u32>>,
    passing: HashMap<K, u32>,
    pub(crate) things: Things<T>,
}

impl<K, T> Default for Interner<K, T> {
    fn default() -> Self {
        Self {
            known: Arc::default(),
            passing: HashMap::new(),
            things: Things { lasting: Arc::default(), passing: Vec::new() },
        }
    }
}

/// A copy has what lasts in common with the other.
impl<K, T> Clone for Interner<K, T> {
    fn clone(&self) -> Self {
        Self {
            known: Arc::clone(&self.known),
            passing: HashMap::new(),
            things: Things { lasting: Arc::clone(&self.things.lasting), passing: Vec::new() },
        }
    }
}

impl<K: Eq + Hash, T> Interner<K, T> {
    /// The number of what has that key.
    #[inline]
    pub(crate) fn find<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
    {
        if let Some(number) = self.known.get(key) {
            return Some(*number);
        }
        if self.passing.is_empty() {
            return None;
        }
        let passing = self.passing.get(key).copied();
        if passing.is_some() {
            PASSING.set(true);
        }
        passing
    }

    /// Gives a number to what has none. Whether it lasts.
    pub(crate) fn give(&mut self, key: K, thing: T) -> (u32, bool) {
        match (Arc::get_mut(&mut self.known), Arc::get_mut(&mut self.things.lasting)) {
            (Some(numbers), Some(things)) => {
                let number = things.len() as u32;
                things.push(thing);
                numbers.insert(key, number);
                (number, true)
            }
            _ => {
                PASSING.set(true);
                let number = (self.things.lasting.len() + self.things.passing.len()) as u32;
                self.things.passing.push(thing);
                self.passing.insert(key, number);
                (number, false)
            }
        }
    }
}

impl<K: Clone + Eq + Hash> Interner<K> {
    /// The number of a thing.
    pub(crate) fn of(&mut self, thing: &K) -> u32 {
        match self.find(thing) {
            Some(number) => number,
            None => self.give(thing.clone(), thing.clone()).0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_have_in_common_gets_no_number_that_lasts() {
        let mut first: Interner<&str> = Interner::default();
        assert_eq!(lasting(|| (first.of(&"a"), first.of(&"b"), first.of(&"a"))), ((0, 1, 0), true));
        let (mut one, mut other) = (first.clone(), first.clone());
        assert_eq!(lasting(|| one.of(&"b")), (1, true));
        assert_eq!(lasting(|| one.of(&"c")), (2, false));
        assert_eq!(lasting(|| one.of(&"c")), (2, false));
        assert_eq!(lasting(|| lasting(|| one.of(&"d"))), ((3, false), false));
        assert_eq!((one.things[1], one.things[2], one.things[3]), ("b", "c", "d"));
        // Another calls another so.
        assert_eq!(lasting(|| other.of(&"d")), (2, false));
        drop((one, other));
        assert_eq!(lasting(|| (first.of(&"d"), first.of(&"c"))), ((2, 3), true));
        assert_eq!(first.things.len(), 4);
    }
}
