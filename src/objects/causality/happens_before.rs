//! The order of an object's events: edges between them, which a kind draws in its `relate`.
//!
//! Every edge goes from the begin of one event to the end of another, and is only drawn where the first truly began
//! before the second ended. Edges of that kind never form a cycle with each process's own order, whatever the
//! objects, so that a whole run always has an order that respects them all.

use crate::event::Event;

/// What an edge says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tie {
    /// The first comes before the second in the object's order, but tells it nothing.
    Order,
    /// Besides, the first is a cause of the second: what the first process did before is seen by the second
    /// process after.
    Cause,
    /// A cause whose own causes come along: the first took effect at one instant, at which it knew them already. So a
    /// chain of such ties says all that ties between each two of its events would.
    Chain,
}

/// The edges of one object's events, by their places in the slice that the kind was given.
#[derive(Clone, Debug, Default)]
pub struct Relation {
    /// From, to, and what the edge says.
    pub edges: Vec<(usize, usize, Tie)>,
}

impl Relation {
    /// Says that `from` comes before `to`.
    pub fn order(&mut self, from: usize, to: usize) {
        self.edges.push((from, to, Tie::Order));
    }

    /// Says that `from` is a cause of `to`.
    pub fn cause(&mut self, from: usize, to: usize) {
        self.edges.push((from, to, Tie::Cause));
    }

    /// Says that `from` is a cause of `to` together with all its own causes.
    pub fn chain(&mut self, from: usize, to: usize) {
        self.edges.push((from, to, Tie::Chain));
    }

    /// Orders these events by their tickets, each before the next, and gives their places in that order.
    /// Events without a ticket are left out.
    #[allow(clippy::stable_sort_primitive, reason = "it is quicker on runs that are in order")]
    pub fn by_ticket(&mut self, events: &[&Event], wanted: impl Fn(&Event) -> bool) -> Vec<usize> {
        // The keys lie side by side, so that comparing two of them does not mean going to two events. Each process's
        // are in order already, and a stable sort merges such runs.
        let mut keys = Vec::with_capacity(events.len());
        keys.extend(
            events
                .iter()
                .enumerate()
                .filter(|(_, event)| event.ticket != 0 && wanted(event))
                .map(|(place, event)| (event.ticket, event.end, place)),
        );
        keys.sort();
        let places: Vec<usize> = keys.into_iter().map(|(.., place)| place).collect();
        self.edges.reserve(places.len());
        for pair in places.windows(2) {
            self.order(pair[0], pair[1]);
        }
        places
    }
}
