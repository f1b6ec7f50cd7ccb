//! Causes between accesses to cells: elements of an array, bytes of a memory.
//!
//! A step that reads a cell comes after the one that wrote it. Atomic steps synchronise, each with those before it on a cell
//! in common, up to the next plain write of that cell.

use std::collections::{BTreeMap, BTreeSet};

use super::happens_before::Relation;
use super::sync_clock::{Handover, Held, NOTHING};
use crate::event::{Event, ProcessId};
use crate::objects::contract::operation::Span;

/// What a step does to its cells.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Touch {
    pub(crate) reads: bool,
    pub(crate) writes: bool,
    pub(crate) atomic: bool,
}

/// Something that is known of some of the cells. Neighbours of which the same is known are one piece.
#[derive(Debug)]
struct Pieces<T>(BTreeMap<u32, (u32, T)>);

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Copy + PartialEq> Pieces<T> {
    /// The pieces that have a cell of the span.
    fn over(&self, span: Span) -> impl Iterator<Item = (Span, T)> {
        let first = self.0.range(..=span.start).next_back().map_or(span.start, |(start, _)| *start);
        let pieces = self.0.range(first..span.end.max(first));
        pieces.map(|(start, (end, of))| (Span { start: *start, end: *end }, *of)).filter(move |(at, _)| at.meets(span))
    }

    /// Says this of the cells of the span and nothing else; none where nothing is known of them.
    fn set(&mut self, span: Span, of: Option<T>) {
        if span.start >= span.end {
            return;
        }
        let cut: Vec<(Span, T)> = self.over(span).collect();
        for (piece, of) in cut {
            self.0.remove(&piece.start);
            if piece.start < span.start {
                self.0.insert(piece.start, (span.start, of));
            }
            if piece.end > span.end {
                self.0.insert(span.end, (piece.end, of));
            }
        }
        let Some(of) = of else { return };
        let Span { mut start, mut end } = span;
        if let Some((before, (at, other))) = self.0.range(..start).next_back()
            && (*at, *other) == (start, of)
        {
            start = *before;
        }
        if let Some((after, other)) = self.0.get(&end).copied()
            && other == of
        {
            self.0.remove(&end);
            end = after;
        }
        self.0.insert(start, (end, of));
    }
}

/// Draws the causes between the events at these places, which stand in the object's order. `touch` says which cells an event
/// uses, and how.
pub(crate) fn relate(
    relation: &mut Relation,
    events: &[&Event],
    places: &[usize],
    touch: impl Fn(&Event) -> Option<(Span, Touch)>,
) {
    let [mut atomics, mut writes] = <[Pieces<usize>; 2]>::default();
    for place in places.iter().copied() {
        let Some((span, touch)) = touch(events[place]) else { continue };
        if touch.reads {
            // The last of each process stands for those before it.
            let mut latest: BTreeMap<ProcessId, usize> = BTreeMap::new();
            for (_, write) in writes.over(span) {
                let last = latest.entry(events[write].id.process()).or_insert(write);
                if events[*last].ticket < events[write].ticket {
                    *last = write;
                }
            }
            latest.remove(&events[place].id.process());
            for write in latest.into_values() {
                relation.reads(write, place);
            }
        }
        if touch.atomic {
            let before: BTreeSet<usize> = atomics.over(span).map(|(_, before)| before).collect();
            for before in before {
                relation.sync(before, place);
            }
        }
        if touch.atomic || touch.writes {
            atomics.set(span, touch.atomic.then_some(place));
        }
        if touch.writes {
            writes.set(span, Some(place));
        }
    }
}

/// Does the same for one event after another. Holds of each cell what its last atomic step since the last plain write knew
/// when it was over; and, where what is read counts, what its last write knew.
pub(crate) fn hand_over(handover: &mut Handover<'_>, span: Span, touch: Touch) -> u32 {
    let (reads, gives) = (handover.reads, handover.gives);
    let [mut atomics, mut writes] = read(handover.held);
    let known = |set: u32| (set != NOTHING).then_some(set);
    let mut takes = NOTHING;
    if reads && touch.reads {
        for (_, set) in writes.over(span) {
            takes = handover.join(takes, set);
        }
    }
    if touch.atomic {
        for (_, set) in atomics.over(span) {
            takes = handover.join(takes, set);
        }
    }
    let knows = if touch.atomic { handover.join(takes, gives) } else { gives };
    if touch.atomic || touch.writes {
        atomics.set(span, known(knows).filter(|_| touch.atomic));
    }
    if reads && touch.writes {
        writes.set(span, known(knows));
    }
    if touch.atomic || touch.writes {
        keep(handover.held, &[atomics, writes]);
    }
    takes
}

/// What is held of the atomic steps and of the writes. Of each piece there are two numbers, where it starts (twice that, and one
/// more for a write) and where it ends, and a set.
fn read(held: &Held) -> [Pieces<u32>; 2] {
    let mut pieces = <[Pieces<u32>; 2]>::default();
    for (place, set) in held.counts.chunks_exact(2).zip(&held.sets).filter(|(_, set)| **set != NOTHING) {
        let span = Span { start: place[0] / 2, end: place[1] };
        pieces[place[0] as usize % 2].set(span, Some(*set));
    }
    pieces
}

fn keep(held: &mut Held, pieces: &[Pieces<u32>; 2]) {
    held.counts.clear();
    held.sets.clear();
    for (layer, pieces) in (0..).zip(pieces) {
        for (start, (end, set)) in &pieces.0 {
            held.counts.extend([2 * start + layer, *end]);
            held.sets.push(*set);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_cuts_the_pieces_that_it_meets_and_joins_what_is_the_same() {
        let span = |start, end| Span { start, end };
        let mut pieces = Pieces::default();
        pieces.set(span(0, 8), Some('a'));
        pieces.set(span(2, 4), Some('b'));
        let all = |pieces: &Pieces<char>| pieces.over(Span::ALL).collect::<Vec<_>>();
        assert_eq!(all(&pieces), [(span(0, 2), 'a'), (span(2, 4), 'b'), (span(4, 8), 'a')]);
        assert_eq!(pieces.over(span(3, 5)).map(|(_, of)| of).collect::<String>(), "ba");
        assert_eq!(pieces.over(span(5, 6)).count(), 1);
        pieces.set(span(3, 3), Some('c'));
        pieces.set(span(1, 3), None);
        assert_eq!(all(&pieces), [(span(0, 1), 'a'), (span(3, 4), 'b'), (span(4, 8), 'a')]);
        pieces.set(span(1, 4), Some('a'));
        assert_eq!(all(&pieces), [(span(0, 8), 'a')]);
    }
}
