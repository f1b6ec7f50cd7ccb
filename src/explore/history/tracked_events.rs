//! The events whose causal successors matter, and the verdicts that depend on them.
//!
//! - Of `race_free`: of each cell the last write, and of each process the last read since then. Up to the first race,
//!   a process that knows the last write knows all before it, and a writer knows every read before.
//! - Of `all_before`: of each process the last match of each pattern.
//! - Of `order`: the match that each pattern stands for.

use super::causal_past::Sets;
use crate::event::{Event, EventId, ObjectId, ProcessId};
use crate::judge::history::{Cell, CellUse, Memory, access, common};
use crate::objects::contract::operation::Span;
use crate::scenario::expectation::{ObjectRef, Pattern};
use crate::scenario::plan::Plan;

/// What stands for one event.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Mark {
    kind: Stands,
    /// The place of the expectation.
    watch: u16,
    /// A cell, or the place of a pattern.
    object: ObjectId,
    span: Span,
    /// The process that it belongs to; 0 where it is of no one's.
    process: ProcessId,
}

/// What a mark stands for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Stands {
    Now,
    /// The begin of a process's step, of which events within it were recorded.
    Open,
    /// The last write to a cell.
    Write,
    /// The last read of a cell by a process.
    Read,
    /// A match of a pattern.
    Match,
}

impl Mark {
    /// Stands for the current event.
    pub(super) const NOW: Self = Self { kind: Stands::Now, watch: 0, object: 0, span: Span::ALL, process: 0 };

    /// Stands for the begin of a step that is not recorded yet.
    pub(super) fn open(process: ProcessId) -> Self {
        Self { kind: Stands::Open, process, ..Self::NOW }
    }

    fn matched(watch: usize, pattern: usize, process: ProcessId) -> Self {
        Self { kind: Stands::Match, watch: watch as u16, object: pattern as u32, process, ..Self::NOW }
    }

    fn cell(watch: usize, (object, span): Cell, reader: Option<ProcessId>) -> Self {
        let kind = if reader.is_some() { Stands::Read } else { Stands::Write };
        Self { kind, watch: watch as u16, object, span, process: reader.unwrap_or(0) }
    }

    fn is_of(self, watch: usize) -> bool {
        usize::from(self.watch) == watch && matches!(self.kind, Stands::Write | Stands::Read | Stands::Match)
    }
}

/// An expectation about causes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Watch<'p> {
    /// No two accesses without an order.
    Races(&'p ObjectRef),
    /// Every match of a pattern comes before every match of the next.
    Before(&'p [Pattern]),
    /// The first match of a pattern comes before that of the next.
    Order(&'p [Pattern]),
}

/// How far an expectation is decided.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Watched {
    /// Whether nothing can change it any more.
    pub(super) decided: bool,
    /// Whether something is not as it should be.
    failed: bool,
    /// Of `order`, how many matches of each pattern there were, up to the one it stands for. Of `all_before`, by
    /// process and pattern but the first, whether it had a match.
    counts: Vec<u32>,
    /// With each of them, the steps that were not recorded yet of which the match that counts knew: a set.
    pub(super) sets: Vec<u32>,
}

impl Watched {
    /// Whether it is decided that something was not as it should be.
    #[cfg(test)]
    pub(super) fn is_failed(&self) -> bool {
        self.decided && self.failed
    }

    /// How many numbers it holds.
    pub(super) fn words(&self) -> usize {
        self.counts.len() + self.sets.len()
    }
}

/// Of an event, what matters to an expectation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    watch: usize,
    point: Point,
}

#[derive(Clone, Copy, Debug)]
enum Point {
    /// It is an access to a cell.
    Cell(Cell, CellUse),
    /// It is a match of that pattern; of `order`, the one that it stands for.
    Match(usize),
}

/// The new meanings of marks.
#[derive(Debug)]
pub(super) struct Changes {
    /// A process that has this knows the event.
    pub(super) sign: Mark,
    /// Whether others can have known of the event before it was recorded.
    pub(super) closes: bool,
    /// The marks that a process may have to know.
    pub(super) live: u32,
    /// These stand for nothing any more, or for another event.
    pub(super) gone: Vec<Mark>,
    /// These stand for the event.
    pub(super) new: Vec<Mark>,
}

impl Default for Changes {
    fn default() -> Self {
        Self { sign: Mark::NOW, closes: false, live: 0, gone: Vec::new(), new: Vec::new() }
    }
}

/// The process of an event, and what it knows at the end of it.
#[derive(Clone, Copy, Debug)]
struct Knower {
    process: ProcessId,
    knows: u32,
}

impl<'p> Watch<'p> {
    pub(super) fn of(memory: &Memory<'p>) -> Option<Self> {
        match memory {
            Memory::Races { object, .. } => Some(Self::Races(object)),
            Memory::Before(patterns) => Some(Self::Before(patterns)),
            Memory::Causes(patterns) => Some(Self::Order(patterns)),
            _ => None,
        }
    }

    /// Whether what is read, and what makes a try fail, is a cause for it.
    pub(super) fn reads(&self) -> bool {
        !matches!(self, Self::Races(_))
    }

    /// Before the first event.
    pub(super) fn first(&self, plan: &Plan) -> Watched {
        let count = match self {
            Self::Races(_) => 0,
            Self::Before(patterns) => patterns.len().saturating_sub(1) * plan.processes.len(),
            Self::Order(patterns) => patterns.len(),
        };
        Watched { counts: vec![0; count], sets: vec![0; count], ..Watched::default() }
    }

    /// Whether an event, were it any of these processes', could matter.
    pub(super) fn minds(&self, plan: &Plan, event: &Event, processes: std::ops::Range<ProcessId>) -> bool {
        let patterns = match self {
            Self::Races(object) => return access(plan, object, event).is_some(),
            Self::Before(patterns) | Self::Order(patterns) => *patterns,
        };
        let mut event = event.clone();
        processes.into_iter().any(|process| {
            event.id = EventId::new(process, event.id.number());
            patterns.iter().any(|pattern| pattern.matches(&event))
        })
    }

    /// What of the event matters to the expectation in that place; `order` counts it.
    pub(super) fn hits(&self, plan: &Plan, watch: usize, event: &Event, watched: &mut Watched, hits: &mut Vec<Hit>) {
        if watched.decided {
            return;
        }
        let mut hit = |point| hits.push(Hit { watch, point });
        match self {
            Self::Races(object) => {
                if let Some((cell, uses)) = access(plan, object, event) {
                    hit(Point::Cell(cell, uses));
                }
            }
            Self::Before(patterns) => {
                (0..patterns.len()).filter(|at| patterns[*at].matches(event)).for_each(|at| hit(Point::Match(at)));
            }
            Self::Order(patterns) => {
                for (at, pattern) in patterns.iter().enumerate() {
                    if watched.counts[at] < wanted(patterns, at) && pattern.matches(event) {
                        watched.counts[at] += 1;
                        if watched.counts[at] == wanted(patterns, at) {
                            hit(Point::Match(at));
                        }
                    }
                }
            }
        }
    }

    /// Decides what an event decides of the expectation in that place, and returns the new meanings of its marks.
    #[expect(clippy::too_many_arguments, reason = "all that an event meets")]
    pub(super) fn meet(
        &self,
        watch: usize,
        process: ProcessId,
        hits: &[Hit],
        knows: u32,
        watched: &mut Watched,
        sets: &mut Sets,
        changes: &mut Changes,
    ) {
        let points: Vec<Point> = hits.iter().filter(|hit| hit.watch == watch).map(|hit| hit.point).collect();
        if points.is_empty() {
            return;
        }
        let matched: Vec<usize> = points
            .iter()
            .filter_map(|point| match point {
                Point::Match(at) => Some(*at),
                Point::Cell(..) => None,
            })
            .collect();
        let knower = Knower { process, knows };
        match self {
            Self::Races(_) => {
                for point in &points {
                    if let Point::Cell(cell, uses) = point {
                        races(watch, knower, (*cell, *uses), watched, sets, changes);
                    }
                }
            }
            Self::Before(patterns) => before(watch, patterns.len(), knower, &matched, watched, sets, changes),
            Self::Order(patterns) => order(watch, patterns, knower, &matched, watched, sets, changes),
        }
        if watched.failed {
            changes.gone.extend(sets.marks(changes.live).iter().filter(|mark| mark.is_of(watch)));
            changes.new.retain(|mark| !mark.is_of(watch));
        }
    }
}

/// As which match of its text a pattern in that place counts.
fn wanted(patterns: &[Pattern], at: usize) -> u32 {
    patterns[..at].iter().filter(|other| other.text == patterns[at].text).count() as u32 + 1
}

/// Ends what is kept of an expectation of which only the verdict is left.
fn decide(watched: &mut Watched) {
    watched.decided = true;
    watched.counts.clear();
    watched.sets.clear();
}

fn races(
    watch: usize,
    knower: Knower,
    (cell, uses): (Cell, CellUse),
    watched: &mut Watched,
    sets: &Sets,
    changes: &mut Changes,
) {
    let near = sets.marks(changes.live).iter().copied().filter(|mark| mark.is_of(watch));
    let near: Vec<Mark> = near.filter(|mark| common((mark.object, mark.span), cell)).collect();
    let against = |mark: &&Mark| mark.kind == Stands::Write || uses.writes && mark.process != knower.process;
    if near.iter().filter(against).any(|mark| !sets.has(knower.knows, *mark)) {
        watched.failed = true;
        decide(watched);
        return;
    }
    let own = Mark::cell(watch, cell, (!uses.writes).then_some(knower.process));
    if uses.writes {
        // What touches more than this cell has still to be known where the rest of it is used.
        let inside = |mark: &&Mark| cell.1.covers(mark.span);
        changes.gone.extend(near.iter().filter(inside));
    } else {
        changes.gone.push(own);
    }
    changes.new.push(own);
}

fn before(
    watch: usize,
    patterns: usize,
    knower: Knower,
    matched: &[usize],
    watched: &mut Watched,
    sets: &mut Sets,
    changes: &mut Changes,
) {
    let sides = patterns - 1;
    let place = |process: usize, side: usize| process * sides + side;
    for at in matched.iter().copied() {
        if at < sides {
            let known = |process: usize| {
                let knew = sets.has(watched.sets[place(process, at)], changes.sign);
                changes.closes && process != knower.process as usize && knew
            };
            let mut earlier =
                (0..watched.counts.len() / sides).filter(|process| watched.counts[place(*process, at)] > 0);
            watched.failed |= matched.contains(&(at + 1)) || earlier.any(|process| !known(process));
        }
        let Some(side) = at.checked_sub(1) else { continue };
        let own = place(knower.process as usize, side);
        if watched.counts[own] == 0 {
            let causes = sets.marks(changes.live).iter().filter(|mark| mark.is_of(watch) && mark.object == side as u32);
            let mut others = causes.filter(|mark| mark.process != knower.process);
            watched.failed |= others.any(|mark| !sets.has(knower.knows, *mark));
            watched.counts[own] = 1;
            watched.sets[own] = open(knower, sets);
        }
    }
    if watched.failed {
        decide(watched);
        return;
    }
    let new = matched.iter().filter(|at| **at < sides).map(|at| Mark::matched(watch, *at, knower.process));
    let new: Vec<Mark> = new.collect();
    changes.gone.extend(&new);
    changes.new.extend(&new);
}

fn order(
    watch: usize,
    patterns: &[Pattern],
    knower: Knower,
    matched: &[usize],
    watched: &mut Watched,
    sets: &mut Sets,
    changes: &mut Changes,
) {
    let come = |watched: &Watched, at: usize| watched.counts[at] == wanted(patterns, at);
    for at in matched.iter().copied() {
        let mark = Mark::matched(watch, at, 0);
        // It comes before the next.
        if at + 1 < patterns.len() {
            if come(watched, at + 1) {
                let knew = changes.closes && sets.has(watched.sets[at + 1], changes.sign);
                watched.failed |= matched.contains(&(at + 1)) || !knew;
                watched.sets[at + 1] = 0;
            } else {
                changes.new.push(mark);
            }
        }
        // It comes behind the one before.
        if let Some(first) = at.checked_sub(1) {
            if !come(watched, first) {
                watched.sets[at] = open(knower, sets);
            } else if !matched.contains(&first) {
                let first = Mark::matched(watch, first, 0);
                watched.failed |= sets.has(changes.live, first) && !sets.has(knower.knows, first);
                changes.gone.push(first);
            }
        }
    }
    if watched.failed {
        watched.sets.fill(0);
    }
    if (0..patterns.len()).all(|at| come(watched, at)) {
        decide(watched);
    }
}

/// The steps of others that are not recorded yet and of which it is known that they have begun.
fn open(knower: Knower, sets: &mut Sets) -> u32 {
    sets.filter(knower.knows, |mark| mark.kind == Stands::Open && mark.process != knower.process)
}
