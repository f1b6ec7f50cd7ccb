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
    pub fn by_ticket(&mut self, events: &[&Event], wanted: impl Fn(&Event) -> bool) -> Vec<usize> {
        let mut places: Vec<usize> =
            (0..events.len()).filter(|at| events[*at].ticket != 0 && wanted(events[*at])).collect();
        places.sort_by_key(|at| (events[*at].ticket, events[*at].end));
        for pair in places.windows(2) {
            self.order(pair[0], pair[1]);
        }
        places
    }
}
