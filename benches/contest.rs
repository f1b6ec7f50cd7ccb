//! A contest: the sides of a row, run in turn, and what comes of it.

use crate::options::Options;
use crate::programs::{Kit, Side};
use crate::rows::{Goal, Row, Timing};

/// What became of a row.
pub(crate) enum Outcome {
    /// One result for each of ipcrun's sides.
    Measured(Vec<Contest>),
    Skipped(String),
    Failed(String),
}

/// One of ipcrun's sides against the other side.
pub(crate) struct Contest {
    pub(crate) side: Side,
    pub(crate) goal: Option<Goal>,
    pub(crate) ours: Sample,
    pub(crate) theirs: Option<Sample>,
    /// The median over the runs of each run's ratio to the run beside it.
    pub(crate) ratio: Option<f64>,
    /// Likewise, of each run's difference.
    pub(crate) difference: Option<f64>,
}

/// The figures of one side, in ns, sorted.
#[derive(Clone)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    fn new(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        Self(figures)
    }

    pub(crate) fn least(&self) -> f64 {
        self.0.first().copied().unwrap_or(0.0)
    }

    pub(crate) fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or(0.0)
    }

    /// How far apart the middle half lies, as a part of the median.
    pub(crate) fn spread(&self) -> f64 {
        let at = |quarter: usize| self.0.get(self.0.len() * quarter / 4).copied().unwrap_or(0.0);
        (at(3) - at(1)) / self.median()
    }
}

impl Contest {
    /// The figure that the goal speaks of.
    pub(crate) fn reached(&self) -> Option<bool> {
        Some(match self.goal? {
            Goal::Times(most) => self.ratio? <= most,
            Goal::Over(most) => self.difference? <= most,
            Goal::Faster(least) => 1.0 / self.ratio? >= least,
            Goal::Below(most) => self.ours.median() <= most,
        })
    }
}

/// Runs a row: a first run of each side that is not counted, then all sides in turn, again and again.
pub(crate) fn run(row: &Row, kit: &Kit, options: &Options) -> Outcome {
    let sides: Vec<Side> = row.against.into_iter().chain(row.sides.iter().map(|(side, _)| *side)).collect();
    if let Some(reason) = sides.iter().find_map(|side| kit.missing(*side)) {
        return Outcome::Skipped(reason);
    }
    let rounds = row.rounds.map(|rounds| if options.quick { (rounds / 5).max(20) } else { rounds });
    let mut figures = vec![Vec::with_capacity(options.runs); sides.len()];
    for run in 0..=options.runs {
        for (side, figures) in sides.iter().zip(&mut figures) {
            match once(row, rounds, *side, kit) {
                Ok(figure) if run > 0 => figures.push(figure),
                Ok(_) => {}
                Err(reason) => return Outcome::Failed(reason),
            }
        }
    }
    let theirs = row.against.map(|_| figures.remove(0));
    let contests = row.sides.iter().zip(figures).map(|((side, goal), ours)| {
        let paired = |of: fn(f64, f64) -> f64| {
            let theirs = theirs.as_ref()?;
            let pairs = ours.iter().zip(theirs).map(|(ours, theirs)| of(*ours, *theirs)).collect();
            Some(Sample::new(pairs).median())
        };
        let ratio = paired(|ours, theirs| ours / theirs);
        let difference = paired(|ours, theirs| ours - theirs);
        Contest {
            side: *side,
            goal: *goal,
            ratio,
            difference,
            ours: Sample::new(ours),
            theirs: theirs.clone().map(Sample::new),
        }
    });
    Outcome::Measured(contests.collect())
}

/// One figure of one side.
fn once(row: &Row, rounds: Option<u64>, side: Side, kit: &Kit) -> Result<f64, String> {
    let program = if Some(side) == row.against { row.program } else { row.scenario };
    let ran = kit.run(program, rounds, side)?;
    match (row.timing, rounds) {
        (Timing::Within, _) => ran
            .round
            .map(|round| round / row.operations)
            .ok_or_else(|| "the program does not say what it took".to_owned()),
        (Timing::More, Some(rounds)) => {
            let fewer = rounds / 4;
            let short = kit.run(program, Some(fewer), side)?;
            Ok((ran.whole - short.whole) / (rounds - fewer) as f64)
        }
        (Timing::Whole | Timing::More, _) => Ok(ran.whole),
    }
}
