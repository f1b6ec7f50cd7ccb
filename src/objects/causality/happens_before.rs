//! The order of an object's events: edges between them, which a kind draws in its `relate`.
//!
//! Every edge goes from the begin of one event to the end of another, and is only drawn where the first truly began
//! before the second ended. Edges of that kind never form a cycle with each process's own order, whatever the
//! objects, so that a whole run always has an order that respects them all.

use std::collections::BTreeMap;

use crate::event::{Event, ProcessId};
use crate::outcome::Outcome;

/// Whether the event is the end of its process.
pub fn is_end(event: &Event) -> bool {
    event.step.is_none() && event.verb == "end"
}

/// Whether the event is a try that failed because it would have had to wait, or to wait longer.
pub fn gave_up(event: &Event) -> bool {
    !event.implicit && matches!(event.outcome, Outcome::WOULD_BLOCK | Outcome::TIMEOUT)
}

/// What an edge says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tie {
    /// The first comes before the second in the object's order, but tells it nothing.
    Order,
    /// Besides, the first synchronises with the second: what the first process did before is seen by the second
    /// process after.
    Sync,
    /// The second read what the first wrote, or failed for what the first did. That makes the first a cause, but orders
    /// no plain access to memory.
    Reads,
}

/// How many bits beside an event say what an edge is. The rest suffices for as many events as no memory holds.
const TIE: u32 = 2;

/// An event and what an edge to it, or from it, says.
pub fn pack(event: u32, tie: Tie) -> u32 {
    debug_assert!(event <= u32::MAX >> TIE, "{event} is no event");
    event << TIE | tie as u32
}

/// What [`pack`] was given.
pub fn unpack(packed: u32) -> (u32, Tie) {
    let tie = match packed & ((1 << TIE) - 1) {
        order if order == Tie::Order as u32 => Tie::Order,
        sync if sync == Tie::Sync as u32 => Tie::Sync,
        _ => Tie::Reads,
    };
    (packed >> TIE, tie)
}

/// From the begin of one event to the end of another, and what that says. There may be more edges than events, and very many
/// of those.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Edge {
    pub from: u32,
    to: u32,
}

impl Edge {
    pub fn new(from: u32, to: u32, tie: Tie) -> Self {
        Self { from, to: pack(to, tie) }
    }

    pub fn to(self) -> u32 {
        unpack(self.to).0
    }

    pub fn tie(self) -> Tie {
        unpack(self.to).1
    }
}

/// The edges of one object's events, by their places in the slice that the kind was given.
#[derive(Clone, Debug, Default)]
pub struct Relation {
    pub edges: Vec<Edge>,
    /// The events that take effect bit by bit: what they took need not come before what they gave. Every other takes
    /// effect at one instant, and passes on what it took.
    pub lasting: Vec<usize>,
    /// Whether the ends of the events say in which order they took effect, as in a model and under a schedule.
    pub settled: bool,
    /// By event, the place of the end that its step names; empty where that is not known.
    pub ends: Vec<u8>,
    /// Which process holds which of the object's ends from its begin.
    pub holders: Vec<(ProcessId, u8)>,
}

impl Relation {
    /// Says that `from` comes before `to`.
    pub fn order(&mut self, from: usize, to: usize) {
        self.edges.push(Edge::new(from as u32, to as u32, Tie::Order));
    }

    /// Says that `from` synchronises with `to`.
    pub fn sync(&mut self, from: usize, to: usize) {
        self.edges.push(Edge::new(from as u32, to as u32, Tie::Sync));
    }

    /// Says that `to` read what `from` wrote, or failed for what it did.
    pub fn reads(&mut self, from: usize, to: usize) {
        self.edges.push(Edge::new(from as u32, to as u32, Tie::Reads));
    }

    /// Says that the event takes effect bit by bit.
    pub fn lasts(&mut self, event: usize) {
        self.lasting.push(event);
    }

    /// The place of the end that the event's step names.
    pub fn end(&self, event: usize) -> u8 {
        self.ends.get(event).copied().unwrap_or(0)
    }

    /// For each of those events that `wanted` picks, in their order: `each` is called with how many of `sources`, which
    /// stand in the object's order, took effect before it, and with its place. Tickets say so where all have one: an event
    /// can end a while after it took effect. Otherwise the ends of events say so.
    pub fn looks(
        &mut self,
        events: &[&Event],
        sources: &[usize],
        wanted: impl Fn(&Event) -> bool,
        mut each: impl FnMut(&mut Self, usize, usize),
    ) {
        let mut tries: Vec<usize> = (0..events.len()).filter(|place| wanted(events[*place])).collect();
        let numbered = tries.iter().chain(sources).all(|place| events[*place].last_place().is_some());
        let key = |place: usize| events[place].last_place().filter(|_| numbered).unwrap_or(events[place].end);
        tries.sort_by_key(|place| key(*place));
        let mut count = 0;
        for place in tries {
            while sources.get(count).is_some_and(|source| key(*source) <= key(place)) {
                count += 1;
            }
            each(self, count, place);
        }
    }

    /// Those events failed for the last `most` of `sources` before each.
    pub fn fails(&mut self, events: &[&Event], sources: &[usize], most: usize, wanted: impl Fn(&Event) -> bool) {
        self.looks(events, sources, wanted, |relation, count, place| {
            for source in &sources[count.saturating_sub(most)..count] {
                relation.reads(*source, place);
            }
        });
    }

    /// Those events took in, or failed for, all of `sources` before each.
    pub fn sees(&mut self, events: &[&Event], sources: &[usize], tie: Tie, wanted: impl Fn(&Event) -> bool) {
        // The last of each process stands for those before it.
        let mut latest: BTreeMap<ProcessId, usize> = BTreeMap::new();
        let mut taken = 0;
        self.looks(events, sources, wanted, |relation, count, place| {
            for source in &sources[taken..count] {
                latest.insert(events[*source].id.process(), *source);
            }
            taken = count;
            relation.edges.extend(latest.values().map(|source| Edge::new(*source as u32, place as u32, tie)));
        });
    }

    /// Orders these events by their tickets, each before the next, and gives their places in that order.
    /// Events without a ticket are left out.
    pub fn by_ticket(&mut self, events: &[&Event], wanted: impl Fn(&Event) -> bool) -> Vec<usize> {
        let place = |at: &usize| events[*at].own_place();
        let mut places = Vec::with_capacity(events.len());
        places.extend((0..events.len()).filter(|at| place(at).is_some() && wanted(events[*at])));
        // Each process's are in order already, and a stable sort merges such runs.
        places.sort_by_key(|at| (place(at), events[*at].end));
        self.edges.reserve(places.len());
        for pair in places.windows(2) {
            self.order(pair[0], pair[1]);
        }
        places
    }
}
