//! What happened before what, by each process's own order and by causes.
//!
//! The begin of an event happened before its end, the end of an event before the begin of the next in its process,
//! and the begin of a cause before the end of its effect. An event that took effect at one instant passes on what it took:
//! there the end of the cause, too, happened before the end of its effect. An event happened before another where its
//! begin reaches the other's end so.
//!
//! There are two relations: *synchronises with*, and *cause*, which besides has the edges from what was read, or made a
//! try fail, to what read it, or failed.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::event::Event;

/// The largest table of vector clocks, in entries: events times processes.
const LARGEST_TABLE: usize = 64 << 20;

/// What happened before what in a trace.
///
/// The empty one, `Causality::default()`, knows only each process's own order.
#[derive(Clone, Debug, Default)]
pub struct Causality {
    /// The process of each event, and the event's number in it from 0 without gaps.
    lanes: Vec<(u32, u32)>,
    /// The number of each event among the begins of its process. It differs from the number in the lane only for a
    /// step and the implicit events within it: the step begins first and is recorded last. Empty where it nowhere differs.
    ranks: Vec<u32>,
    /// Where each process's events begin in `places`.
    starts: Vec<u32>,
    /// The places of the events of each process, in its own order.
    places: Vec<u32>,
    /// Where the causes of each event begin in `sources`; one more than there are events.
    bounds: Vec<u32>,
    /// The places of causes.
    sources: Vec<u32>,
    /// By cause, whether it makes a cause alone: it does not synchronise with its effect.
    reads: Vec<bool>,
    has_reads: bool,
    /// Whether an event passes on what it took: it took effect at one instant.
    passing: Vec<bool>,
    /// For each event, how many begins of each process reach its end: by synchronisation, and by all causes. None where
    /// that would be too large.
    clocks: [OnceCell<Option<Vec<u32>>>; 2],
    /// What was wrong with the recorded edges.
    problems: Vec<String>,
}

/// The causes of events, taken in event by event in the trace's order.
pub(super) struct Causes {
    bounds: Vec<u32>,
    sources: Vec<u32>,
    reads: Vec<bool>,
    /// Those of the event that is taken in.
    current: Vec<(u32, bool)>,
}

impl Causes {
    pub(super) fn with_capacity(events: usize) -> Self {
        let mut bounds = Vec::with_capacity(events + 1);
        bounds.push(0);
        Self { bounds, sources: Vec::new(), reads: Vec::new(), current: Vec::new() }
    }

    /// A cause of the event, by its place, and whether it does not synchronise.
    pub(super) fn add(&mut self, from: u32, reads: bool) {
        self.current.push((from, reads));
    }

    /// All causes of the event are there.
    pub(super) fn next(&mut self) {
        self.current.sort_unstable();
        self.current.dedup_by_key(|(from, _)| *from);
        for (from, reads) in self.current.drain(..) {
            self.sources.push(from);
            self.reads.push(reads);
        }
        self.bounds.push(self.sources.len() as u32);
    }
}

/// By which edges an event happened before another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ties {
    /// By those that synchronise.
    Sync,
    /// By those, and from what was read, or made a try fail, to what read it, or failed.
    All,
}

/// Everything that happened before one event.
pub struct Past<'a> {
    causality: &'a Causality,
    event: usize,
    clock: Cow<'a, [u32]>,
}

impl Causality {
    /// `lanes` names the events as (process, number in its lane), `ranks` is by place, `starts` says where each
    /// process's events begin when all lanes lie behind one another, and `places` where each of those stands. With the
    /// causes goes which events, by place, pass on what they took.
    pub(super) fn new(
        lanes: Vec<(u32, u32)>,
        ranks: Vec<u32>,
        starts: Vec<u32>,
        places: Vec<u32>,
        causes: Causes,
        passing: Vec<bool>,
        problems: Vec<String>,
    ) -> Self {
        let Causes { bounds, sources, reads, .. } = causes;
        let has_reads = reads.contains(&true);
        let clocks = [OnceCell::new(), OnceCell::new()];
        Self { lanes, ranks, starts, places, bounds, sources, reads, has_reads, passing, clocks, problems }
    }

    /// The places of the events that are causes of the one at `place`, in ascending order.
    pub fn causes(&self, place: usize) -> &[u32] {
        match self.bounds.get(place..place + 2) {
            Some(bounds) => &self.sources[bounds[0] as usize..bounds[1] as usize],
            None => &[],
        }
    }

    /// The places of the causes, as far as those edges go.
    pub fn sources(&self, place: usize, ties: Ties) -> impl Iterator<Item = usize> + Clone + '_ {
        let bounds = self.bounds.get(place..place + 2).map_or(0..0, |bounds| bounds[0] as usize..bounds[1] as usize);
        let sources = self.sources[bounds.clone()].iter().zip(&self.reads[bounds]);
        sources.filter(move |(_, reads)| ties == Ties::All || !**reads).map(|(from, _)| *from as usize)
    }

    /// The number of the event at `place` among the begins of its process: its number in the process's own order, but
    /// for a step with implicit events in it, which begins before them and is recorded after.
    pub fn rank(&self, place: usize) -> Option<u32> {
        (place < self.lanes.len()).then(|| self.rank_of(place))
    }

    fn rank_of(&self, place: usize) -> u32 {
        if self.ranks.is_empty() { self.lanes[place].1 } else { self.ranks[place] }
    }

    /// The places of the events of the same process before the one at `place`, the nearest first.
    pub fn before(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        let lane = self.lanes.get(place).map(|(process, number)| {
            let start = self.starts[*process as usize] as usize;
            start..start + *number as usize
        });
        self.places[lane.unwrap_or(0..0)].iter().rev().map(|place| *place as usize)
    }

    /// What was wrong with the recorded edges: a trace that contradicts itself. Empty for a sound one.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Whether each question is answered by one look at a table. Where the table would be too large, each means going
    /// through a part of the trace.
    pub fn is_tabled(&self) -> bool {
        self.table(Ties::Sync).is_some()
    }

    /// Everything that is a cause of the event at `place`: for many questions about the same event.
    pub fn past(&self, place: usize) -> Past<'_> {
        let clock = match self.table(Ties::All) {
            Some(table) => {
                let width = self.starts.len();
                Cow::Borrowed(table.get(place * width..(place + 1) * width).unwrap_or(&[]))
            }
            None if place < self.lanes.len() => Cow::Owned(self.sweep(place, 0, Ties::All, |_| false).0),
            None => Cow::Borrowed(&[][..]),
        };
        Past { causality: self, event: place, clock }
    }

    /// Whether the event at `first` happened before the one at `second`, by those edges.
    pub(super) fn happens_before(&self, events: &[Event], first: usize, second: usize, ties: Ties) -> bool {
        let (Some(a), Some(b)) = (events.get(first), events.get(second)) else { return false };
        if first == second {
            return false;
        }
        if a.id.process() == b.id.process() {
            return first < second;
        }
        if first >= self.lanes.len() || second >= self.lanes.len() {
            return false;
        }
        let (process, _) = self.lanes[first];
        let rank = self.rank_of(first);
        match self.table(ties) {
            Some(table) => table[second * self.starts.len() + process as usize] > rank,
            None => self.searched(first, second, ties),
        }
    }

    /// Whether the one happened before the other, of different processes, without a table.
    pub(super) fn searched(&self, first: usize, second: usize, ties: Ties) -> bool {
        let (process, rank) = (self.lanes[first].0, self.rank_of(first));
        // Nothing that ended before the first began can lie between the two.
        let floor = self.base(first).map_or(0, |base| base + 1);
        self.sweep(second, floor, ties, |cause| self.lanes[cause].0 == process && self.rank_of(cause) >= rank).1
    }

    /// The place of the last event of the same process that had ended when the one at `place` began.
    fn base(&self, place: usize) -> Option<usize> {
        let (process, number) = self.lanes[place];
        let before = number.min(self.rank_of(place)).checked_sub(1)?;
        Some(self.places[(self.starts[process as usize] + before) as usize] as usize)
    }

    /// Whether the event at `place` passes on what it took: it took effect at one instant, so what follows from it
    /// follows from its own causes too.
    pub fn passes_on(&self, place: usize) -> bool {
        self.passing.get(place) == Some(&true)
    }

    /// The place of the event up to whose end a cause of `effect` knows everything: itself where it passes on what it took
    /// and stands before its effect, else the last before its begin.
    fn known(&self, cause: usize, effect: usize) -> Option<usize> {
        if self.passes_on(cause) && cause < effect { Some(cause) } else { self.base(cause) }
    }

    /// Goes back from an event to `floor` along causes. Gives how many begins of each process reach its end, as far
    /// as was gone, and whether `found` held for one of the causes met, which ends the search.
    fn sweep(&self, from: usize, floor: usize, ties: Ties, found: impl Fn(usize) -> bool) -> (Vec<u32>, bool) {
        let width = self.starts.len();
        let mut clock = vec![0; width];
        // The ends that reach the event: for each process, all before this number in its lane.
        let mut ends = vec![0; width];
        let (process, number) = self.lanes[from];
        ends[process as usize] = number + 1;
        for place in (floor..=from).rev() {
            let (process, number) = self.lanes[place];
            if number >= ends[process as usize] {
                continue;
            }
            let reached = &mut clock[process as usize];
            *reached = (*reached).max(self.rank_of(place) + 1);
            for cause in self.sources(place, ties) {
                if found(cause) {
                    return (clock, true);
                }
                let process = self.lanes[cause].0 as usize;
                clock[process] = clock[process].max(self.rank_of(cause) + 1);
                if let Some(known) = self.known(cause, place) {
                    ends[process] = ends[process].max(self.lanes[known].1 + 1);
                }
            }
        }
        (clock, false)
    }

    fn table(&self, ties: Ties) -> Option<&[u32]> {
        // Where nothing was read, both relations are the same.
        let ties = if self.has_reads { ties } else { Ties::Sync };
        self.clocks[usize::from(ties == Ties::All)].get_or_init(|| self.compute(ties)).as_deref()
    }

    /// Every event's clock. Causes stand before their effects as far as their begins go, so one pass is enough.
    fn compute(&self, ties: Ties) -> Option<Vec<u32>> {
        let width = self.starts.len();
        let size = self.lanes.len().checked_mul(width).filter(|size| *size <= LARGEST_TABLE)?;
        let mut table = vec![0u32; size];
        for place in 0..self.lanes.len() {
            let (before, rest) = table.split_at_mut(place * width);
            let row = &mut rest[..width];
            let (process, number) = self.lanes[place];
            if let Some(last) = number.checked_sub(1) {
                let last = self.places[(self.starts[process as usize] + last) as usize] as usize;
                row.copy_from_slice(&before[last * width..][..width]);
            }
            row[process as usize] = row[process as usize].max(self.rank_of(place) + 1);
            for cause in self.sources(place, ties) {
                if let Some(known) =
                    self.known(cause, place).and_then(|known| before.get(known * width..(known + 1) * width))
                {
                    for (mine, other) in row.iter_mut().zip(known) {
                        *mine = (*mine).max(*other);
                    }
                }
                let process = self.lanes[cause].0 as usize;
                row[process] = row[process].max(self.rank_of(cause) + 1);
            }
        }
        Some(table)
    }
}

impl Past<'_> {
    /// Whether the event at `first` happened before.
    pub fn contains(&self, first: usize) -> bool {
        let Some((process, number)) = self.causality.lanes.get(first) else { return false };
        let Some((own, last)) = self.causality.lanes.get(self.event) else { return false };
        if process == own {
            return number < last;
        }
        self.clock.get(*process as usize).is_some_and(|reached| *reached > self.causality.rank_of(first))
    }
}
