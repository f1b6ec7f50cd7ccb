//! Distinct-value estimate from the smallest fingerprints (k minimum values). Sketches of several
//! parts together give that of the whole, whatever is in more than one part.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// How many fingerprints are kept.
pub const KEPT: usize = 4096;
/// How many fingerprints are remembered that were met lately.
const RECENT: usize = 1 << 14;

/// The smallest fingerprints of what was met.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(from = "Vec<u64>", into = "Vec<u64>")]
pub struct Sketch {
    kept: BTreeSet<u64>,
    limit: u64,
    recent: Vec<u64>,
}

impl Default for Sketch {
    fn default() -> Self {
        Self { kept: BTreeSet::new(), limit: u64::MAX, recent: vec![0; RECENT] }
    }
}

impl From<Vec<u64>> for Sketch {
    fn from(fingerprints: Vec<u64>) -> Self {
        Self::of(fingerprints)
    }
}

impl From<Sketch> for Vec<u64> {
    fn from(sketch: Sketch) -> Self {
        sketch.kept.into_iter().collect()
    }
}

impl Sketch {
    /// That of these fingerprints.
    pub fn of(fingerprints: impl IntoIterator<Item = u64>) -> Self {
        let mut sketch = Self::default();
        fingerprints.into_iter().for_each(|fingerprint| sketch.add(fingerprint));
        sketch
    }

    /// Takes in a fingerprint, one of many that are spread evenly.
    #[inline]
    pub fn add(&mut self, fingerprint: u64) {
        if fingerprint >= self.limit {
            return;
        }
        let recent = &mut self.recent[fingerprint as usize % RECENT];
        if *recent == fingerprint {
            return;
        }
        *recent = fingerprint;
        self.keep(fingerprint);
    }

    fn keep(&mut self, fingerprint: u64) {
        self.kept.insert(fingerprint);
        if self.kept.len() > KEPT {
            self.kept.pop_last();
            self.limit = self.kept.last().copied().unwrap_or(u64::MAX);
        }
    }

    /// Takes in what another sketch has met.
    pub fn join(&mut self, other: &Self) {
        other.kept.iter().for_each(|fingerprint| self.add(*fingerprint));
    }

    /// The fingerprints, in their order.
    pub fn fingerprints(&self) -> impl Iterator<Item = u64> {
        self.kept.iter().copied()
    }

    /// How many there were, and whether that is exact.
    pub fn number(&self) -> (u64, bool) {
        match self.kept.last() {
            Some(last) if self.kept.len() >= KEPT => {
                let share = *last as f64 / u64::MAX as f64;
                (((KEPT - 1) as f64 / share) as u64, false)
            }
            _ => (self.kept.len() as u64, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(number: u64) -> u64 {
        let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    #[test]
    fn few_are_counted_exactly_and_many_nearly() {
        assert_eq!(Sketch::of((1..=1000).chain(500..700).map(fingerprint)).number(), (1000, true));
        let (number, exact) = Sketch::of((1..=1_000_000).map(fingerprint)).number();
        assert!(!exact && number.abs_diff(1_000_000) < 60_000, "{number}");
    }

    #[test]
    fn parts_give_the_sketch_of_the_whole() {
        let whole = Sketch::of((1..=50_000).map(fingerprint));
        let mut parts = Sketch::of((1..=30_000).map(fingerprint));
        parts.join(&Sketch::of((20_000..=50_000).map(fingerprint)));
        assert!(parts.fingerprints().eq(whole.fingerprints()));
    }
}
