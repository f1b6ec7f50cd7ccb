//! Random numbers that a seed gives again.

use std::fmt;
use std::sync::Arc;

/// Where a process takes its random numbers from.
#[derive(Clone, Debug)]
pub struct Random(Source);

#[derive(Clone, Debug)]
enum Source {
    /// Its own stream: SplitMix64, whose sequence is part of the format, since a seed must give the same numbers in
    /// every version.
    Stream(u64),
    /// Numbers that were chosen beforehand.
    Chosen(Arc<dyn Draw>),
    Lowest,
}

/// Gives numbers that were chosen beforehand.
pub trait Draw: fmt::Debug + Send + Sync {
    /// The place of the next one in its range, from 0; none where none was chosen. `count`: how many numbers the range
    /// has; 0 stands for 2^64.
    fn draw(&self, count: u64) -> Option<u32>;
}

impl Random {
    /// The stream of a process: it depends on the seed, the process's name and its index, on nothing else.
    pub fn new(seed: u64, name: &str, index: u32) -> Self {
        // FNV-1a over the name, so that a process added to the file leaves the other streams as they are.
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut state = seed ^ hash.rotate_left(17) ^ u64::from(index).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        next(&mut state);
        Self(Source::Stream(state))
    }

    /// Numbers that were chosen beforehand; the lowest where none was.
    pub fn chosen(draw: Arc<dyn Draw>) -> Self {
        Self(Source::Chosen(draw))
    }

    /// Always the lowest: to find out what a process would do.
    pub fn lowest() -> Self {
        Self(Source::Lowest)
    }

    /// Whether the numbers were chosen beforehand.
    pub(super) fn is_chosen(&self) -> bool {
        matches!(self.0, Source::Chosen(_))
    }

    /// The place in the stream: two streams at the same place give the same numbers from there on.
    pub fn place(&self) -> u64 {
        match self.0 {
            Source::Stream(state) => state,
            Source::Chosen(_) | Source::Lowest => 0,
        }
    }

    /// The next integer from `low` to `high`, both included; from a stream, each equally likely.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = (high as u64).wrapping_sub(low as u64).wrapping_add(1);
        let state = match &mut self.0 {
            Source::Stream(state) => state,
            Source::Chosen(draw) => return low.saturating_add(draw.draw(span).unwrap_or(0).into()).min(high),
            Source::Lowest => return low,
        };
        if span == 0 {
            return next(state) as i64;
        }
        // Lemire's method: the low words below the threshold would be drawn once too often.
        let threshold = span.wrapping_neg() % span;
        loop {
            let wide = u128::from(next(state)) * u128::from(span);
            if wide as u64 >= threshold {
                return low.wrapping_add((wide >> 64) as i64);
            }
        }
    }
}

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn a_stream_depends_on_seed_name_and_index_alone() {
        let draws = |seed, name, index| {
            let mut random = Random::new(seed, name, index);
            (0..8).map(|_| random.between(1, 34)).collect::<Vec<_>>()
        };
        assert_eq!(draws(0, "producer", 0), draws(0, "producer", 0));
        assert_ne!(draws(0, "producer", 0), draws(1, "producer", 0));
        assert_ne!(draws(0, "worker", 0), draws(0, "worker", 1));
        assert!(draws(7, "p", 0).iter().all(|n| (1..=34).contains(n)));
    }

    #[test]
    fn the_whole_range_can_be_drawn() {
        let mut random = Random::new(3, "p", 0);
        random.between(i64::MIN, i64::MAX);
        let mut seen = [false; 6];
        for _ in 0..200 {
            seen[random.between(1, 6) as usize - 1] = true;
        }
        assert_eq!(seen, [true; 6]);
        assert_eq!(random.between(5, 5), 5);
    }
}
