//! The axis: which column a time is in. Straight, or with long pauses folded, or a step for each thing that happens.

use super::Axis;
use super::glyphs::{Glyphs, Line};
use crate::report::terminal::style::{FAINT, duration, width};

/// A pause longer than this part of the run is folded where the axis is chosen by itself.
const LONG: f64 = 0.5;
/// A pause that was folded takes at most this part of the columns.
const FOLDED: f64 = 1.0 / 6.0;
/// How far the labels are apart at least, from the begin of one to the begin of the next.
const APART: usize = 11;

/// Maps times to columns.
pub(super) struct Scale {
    /// Times and how far right they are, both ascending.
    points: Vec<(u64, f64)>,
    /// Pauses that were folded, by their place in `points`.
    folds: Vec<usize>,
    pub(super) columns: usize,
    straight: bool,
}

impl Scale {
    /// An axis from `begin` to `end`, with what happens at `times` within.
    pub(super) fn new(begin: u64, end: u64, times: impl Iterator<Item = u64>, axis: Axis, columns: usize) -> Self {
        let end = end.max(begin + 1);
        let mut times: Vec<u64> = times.filter(|time| (begin..=end).contains(time)).chain([begin, end]).collect();
        times.sort_unstable();
        times.dedup();
        let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        let whole: f64 = gaps.iter().sum();
        let longest = gaps.iter().copied().fold(0.0, f64::max);
        let mut limit = f64::INFINITY;
        let fold = axis == Axis::Folded || axis == Axis::Auto && longest > LONG * whole;
        if fold && gaps.len() > 2 {
            let part = FOLDED.max(2.0 / gaps.len() as f64);
            limit = longest;
            for _ in 0..64 {
                limit = part * gaps.iter().map(|gap| gap.min(limit)).sum::<f64>();
            }
        }
        let weight = |gap: f64| if axis == Axis::Step { 1.0 } else { gap.min(limit) };
        let total: f64 = gaps.iter().map(|gap| weight(*gap)).sum();
        let mut x = 0.0;
        let mut points = vec![(begin, 0.0)];
        let mut folds = Vec::new();
        for (at, gap) in gaps.iter().enumerate() {
            // Twice as long as it is drawn: what is cut by little needs no sign.
            if axis != Axis::Step && *gap > 2.0 * limit {
                folds.push(at);
            }
            x += weight(*gap) / total * columns as f64;
            points.push((times[at + 1], x));
        }
        let straight = axis != Axis::Step && folds.is_empty();
        Self { points, folds, columns, straight }
    }

    /// The last time on it.
    pub(super) fn end(&self) -> u64 {
        self.points[self.points.len() - 1].0
    }

    /// Whether long pauses are folded.
    pub(super) fn is_folded(&self) -> bool {
        !self.folds.is_empty()
    }

    /// How far right a time is, in columns; outside of the axis, its nearer end.
    pub(super) fn x(&self, time: u64) -> f64 {
        let at = self.points.partition_point(|(point, _)| *point <= time);
        match (at.checked_sub(1).map(|at| self.points[at]), self.points.get(at)) {
            (None, _) => 0.0,
            (Some((_, x)), None) => x,
            (Some((before, x)), Some((after, next))) => {
                x + (next - x) * (time - before) as f64 / (after - before) as f64
            }
        }
    }

    /// The column of a time.
    pub(super) fn column(&self, time: u64) -> usize {
        (self.x(time) as usize).min(self.columns.saturating_sub(1))
    }

    /// The time at a place between columns.
    fn time(&self, x: f64) -> u64 {
        let at = self.points.partition_point(|(_, other)| *other <= x);
        match (at.checked_sub(1).map(|at| self.points[at]), self.points.get(at)) {
            (None, _) => self.points[0].0,
            (Some((time, _)), None) => time,
            (Some((before, low)), Some((after, high))) => {
                before + ((x - low) / (high - low) * (after - before) as f64) as u64
            }
        }
    }

    /// The labels under the picture, from column `lead` on: times at their columns, a sign where time is folded.
    pub(super) fn labels(&self, glyphs: &Glyphs, line: &mut Line) {
        let (begin, end) = (self.points[0].0, self.end());
        let mut cells: Vec<char> = vec![' '; self.columns];
        for at in &self.folds {
            let (from, to) = (self.points[*at].1, self.points[at + 1].1);
            let inside = (from.ceil() as usize).min(self.columns)..(to.floor() as usize).min(self.columns);
            cells[inside].fill(glyphs.fold);
        }
        let last = glyphs.plain(&duration(end));
        let mut room = self.columns.saturating_sub(width(&last));
        place(&mut cells, room.saturating_sub(1), " ");
        place(&mut cells, room, &last);
        let first = if begin == 0 { "0".to_owned() } else { glyphs.plain(&duration(begin)) };
        let mut free = if width(&first) + 1 < room { place(&mut cells, 0, &first) } else { 0 };
        room = room.saturating_sub(2);
        for time in self.ticks(begin, end) {
            let column = self.column(time);
            let label = format!("{}{}", glyphs.tick, glyphs.plain(&duration(time)));
            if column > free && column + width(&label) < room {
                free = place(&mut cells, column, &label) + 1;
            }
        }
        line.put(FAINT, cells.iter().collect::<String>().trim_end());
    }

    /// Times worth a label.
    fn ticks(&self, begin: u64, end: u64) -> Vec<u64> {
        if self.straight {
            let most = (self.columns / APART).max(1) as u64;
            let least = ((end - begin) / most).max(1);
            let decade = 10_u64.pow(least.ilog10());
            let step = [1, 2, 5, 10].iter().map(|by| by * decade).find(|step| *step >= least).unwrap_or(least);
            return (begin / step + 1..=end / step).map(|n| n * step).filter(|time| *time < end).collect();
        }
        let mut ticks: Vec<u64> =
            self.folds.iter().flat_map(|at| [self.points[*at].0, self.points[at + 1].0]).collect();
        ticks.extend((1..self.columns / APART).map(|n| self.time((n * APART) as f64)));
        ticks.sort_unstable();
        ticks
    }
}

/// Writes the text over the cells from a column on. Gives the column behind it.
fn place(cells: &mut [char], column: usize, text: &str) -> usize {
    let mut at = column;
    for c in text.chars() {
        if let Some(cell) = cells.get_mut(at) {
            *cell = c;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::timeline::glyphs::UNICODE;

    fn labels(scale: &Scale) -> String {
        let mut line = Line::default();
        scale.labels(&UNICODE, &mut line);
        line.finish(crate::report::terminal::style::Pen { color: false })
    }

    #[test]
    fn a_straight_axis_has_round_times() {
        let scale = Scale::new(0, 41_870_000, [10_000, 20_000_000].into_iter(), Axis::Auto, 60);
        assert_eq!((scale.column(0), scale.column(20_935_000), scale.column(41_870_000)), (0, 30, 59));
        assert_eq!(labels(&scale), "0             ╵10.0 ms      ╵20.0 ms      ╵30.0 ms   41.9 ms\n");
    }

    #[test]
    fn a_long_pause_is_folded() {
        let times = (0..20).map(|n| n * 1_000);
        let scale = Scale::new(0, 20_000_000, times, Axis::Auto, 60);
        assert!(scale.is_folded());
        // What happened within 19 µs has the most of the columns.
        assert!((45..=52).contains(&scale.column(19_000)), "{}", scale.column(19_000));
        assert!(labels(&scale).contains('⋯'));
        let straight = Scale::new(0, 20_000_000, (0..20).map(|n| n * 1_000), Axis::Time, 60);
        assert_eq!(straight.column(19_000), 0);
    }

    #[test]
    fn each_thing_that_happens_has_its_step() {
        let scale = Scale::new(0, 1_000, [1, 2, 3].into_iter(), Axis::Step, 40);
        assert_eq!([0, 1, 2, 3, 999].map(|time| scale.column(time)), [0, 10, 20, 30, 39]);
    }

    #[test]
    fn a_run_without_length_is_drawn_too() {
        let scale = Scale::new(0, 0, std::iter::empty(), Axis::Auto, 20);
        assert_eq!(scale.column(0), 0);
        assert_eq!(labels(&scale), "0               1 ns\n");
    }
}
