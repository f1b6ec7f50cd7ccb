//! The state before each state. States are expanded in the order of their numbers, so the numbers of those before them
//! mostly rise: they are kept as the places of ones in a row of bits, about two bits each.

use std::collections::HashMap;

/// A state that was met first of all has no state before it.
pub const ROOT: u32 = u32::MAX;

/// How many states there are from one whose place is kept to the next.
const SAMPLE: u32 = 128;
/// How many states of a block may have a smaller predecessor than the state before them.
const FEW: usize = 32;

/// By number of a state: the number of the one before it.
#[derive(Debug, Default)]
pub(crate) struct Predecessors {
    count: u32,
    /// The largest so far.
    last: u32,
    /// For each state a one, with as many zeros ahead of it as the state before it is farther on than that of the
    /// state ahead of it.
    bits: Vec<u64>,
    /// The place of every so manieth one.
    samples: Vec<u64>,
    /// Those that do not rise.
    strays: HashMap<u32, u32>,
    /// All of them, where many do not rise.
    plain: Option<Vec<u32>>,
}

impl Predecessors {
    /// How many states there are.
    pub(crate) fn len(&self) -> usize {
        self.count as usize
    }

    /// About how many bytes they take.
    pub(crate) fn bytes(&self) -> usize {
        let plain = self.plain.as_ref().map_or(0, |plain| plain.len() * 4);
        plain + (self.bits.len() + self.samples.len()) * 8 + self.strays.capacity() * 9
    }

    /// Takes in the next state.
    pub(crate) fn push(&mut self, parent: u32) {
        let state = self.count;
        self.count += 1;
        if let Some(plain) = &mut self.plain {
            plain.push(parent);
            return;
        }
        if parent == ROOT || parent < self.last {
            self.strays.insert(state, parent);
            if self.strays.len() > FEW + state as usize / FEW {
                let mut plain: Vec<u32> = (0..state).map(|state| self.of(state)).collect();
                plain.push(parent);
                *self = Self { count: self.count, plain: Some(plain), ..Self::default() };
                return;
            }
        } else {
            self.last = parent;
        }
        let place = u64::from(self.last) + u64::from(state);
        if state.is_multiple_of(SAMPLE) {
            self.samples.push(place);
        }
        let word = (place / 64) as usize;
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << (place % 64);
    }

    /// The state before one, or [`ROOT`].
    pub(crate) fn of(&self, state: u32) -> u32 {
        if let Some(plain) = &self.plain {
            return plain[state as usize];
        }
        if let Some(stray) = self.strays.get(&state) {
            return *stray;
        }
        let first = self.samples[(state / SAMPLE) as usize];
        let mut behind = state % SAMPLE;
        let mut word = (first / 64) as usize;
        let mut bits = self.bits[word] & u64::MAX << (first % 64);
        while bits.count_ones() <= behind {
            behind -= bits.count_ones();
            word += 1;
            bits = self.bits[word];
        }
        for _ in 0..behind {
            bits &= bits - 1;
        }
        (word as u64 * 64 + u64::from(bits.trailing_zeros()) - u64::from(state)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interpreter::Random;

    /// Takes them in, and says in how many bytes.
    fn kept(parents: &[u32]) -> usize {
        let mut kept = Predecessors::default();
        for parent in parents {
            kept.push(*parent);
        }
        assert_eq!(kept.len(), parents.len());
        let out: Vec<u32> = (0..parents.len() as u32).map(|state| kept.of(state)).collect();
        assert_eq!(out, parents);
        kept.bytes()
    }

    #[test]
    fn those_that_rise_take_little_and_all_come_out_as_they_went_in() {
        let mut random = Random::new(1, "parents", 0);
        let (mut parents, mut last) = (vec![ROOT], 0);
        for state in 1..100_000 {
            // Long ways without any, and many of one.
            let step = if random.between(0, 999) == 0 { random.between(0, 3000) } else { random.between(0, 1) };
            last = (last + step as u32).min(state - 1);
            parents.push(last);
        }
        assert!(kept(&parents) < 100_000 / 3, "{}", kept(&parents));
        for stray in [17, 1000, 50_000, 99_998] {
            parents[stray] = 3;
        }
        assert!(kept(&parents) < 100_000 / 3);
    }

    #[test]
    fn those_that_do_not_rise_come_out_as_they_went_in() {
        let mut random = Random::new(2, "parents", 0);
        kept(&(0..5000).map(|state| random.between(0, state) as u32).collect::<Vec<_>>());
        kept(&(0..5000).map(|state| if state % 40 == 0 { ROOT } else { state }).collect::<Vec<_>>());
        kept(&[]);
    }
}
