//! The clocks that an object carries from one event to another, updated event by event.
//!
//! [`Object::relate`] draws the causes of a whole run. [`Object::hand_over`] says the same of one event after another, in
//! the object's own order: what the event takes of what earlier ones gave, and what has to be held for later ones. What is
//! given is a clock; here it is a number, whose meaning only its owner knows.
//!
//! [`Object::relate`]: crate::objects::Object::relate
//! [`Object::hand_over`]: crate::objects::Object::hand_over

use std::collections::BTreeMap;

use super::happens_before::is_end;
use crate::event::{Event, ProcessId};

/// The set in which nothing is known.
pub const NOTHING: u32 = 0;

/// Sets of what is known, by number.
pub trait Sets {
    /// What is known in either.
    fn join(&mut self, one: u32, other: u32) -> u32;
}

/// What an object holds of its earlier events: as little as later ones can still take. Two objects that hold the same
/// hand over the same.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Held {
    /// Numbers, each with a meaning of its kind's.
    pub counts: Vec<u32>,
    /// Sets, each in a place of its kind's.
    pub sets: Vec<u32>,
    /// What a waiting process takes when it resumes.
    pub own: BTreeMap<ProcessId, u32>,
}

impl Held {
    /// The set in that place.
    pub(crate) fn set(&self, place: usize) -> u32 {
        self.sets.get(place).copied().unwrap_or(NOTHING)
    }

    /// The number in that place.
    pub(crate) fn count(&self, place: usize) -> u32 {
        self.counts.get(place).copied().unwrap_or(0)
    }

    /// Makes nothing of what hands over nothing.
    pub fn tidy(&mut self) {
        if self.counts.iter().all(|count| *count == 0) && self.sets.iter().all(|set| *set == NOTHING) {
            self.counts.clear();
            self.sets.clear();
        }
    }

    /// Sets the number in that place.
    pub(crate) fn set_count(&mut self, place: usize, count: u32) {
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] = count;
        self.tidy();
    }

    /// Puts a set into that place.
    pub(crate) fn put(&mut self, place: usize, set: u32) {
        if self.sets.len() <= place {
            self.sets.resize(place + 1, NOTHING);
        }
        self.sets[place] = set;
        self.tidy();
    }

    /// Lets those go on that wait and were given nothing before: they take that set.
    pub(crate) fn give(&mut self, waiting: impl Iterator<Item = ProcessId>, set: u32) {
        for process in waiting {
            self.own.entry(process).or_insert(set);
        }
    }
}

/// One event, as the object hands over what earlier ones gave.
pub struct Handover<'a> {
    /// The event. Its cause is not to be looked at; of its ticket only whether it has one, and the bits that do not count.
    pub event: &'a Event,
    /// Every process's share of the object's model after the turn of the event.
    pub shares: &'a [u32],
    /// What the event gives to those that it is a cause of: what its process knew when it began, and the event. One that
    /// takes effect at one instant gives besides what it takes itself.
    pub gives: u32,
    /// Whether what is read, and what makes a try fail, is handed over too, and not synchronisation alone.
    pub reads: bool,
    /// Which verbs the plan has for the object, a bit for each by its place.
    pub verbs: u64,
    /// Whether the plan has a step on it that may give up.
    pub tries: bool,
    /// How many steps on it there are at most in a run; none where a loop has one.
    pub most: Option<u64>,
    /// The index of the end that the event's step names, or that the end of a process releases.
    pub end: u8,
    /// What the object holds.
    pub held: &'a mut Held,
    /// Joins sets.
    pub sets: &'a mut dyn Sets,
    /// Whether the object cannot say what it hands over: then nothing that it says further on counts.
    pub lost: &'a mut bool,
}

impl Handover<'_> {
    /// What is known in either set.
    pub(crate) fn join(&mut self, one: u32, other: u32) -> u32 {
        self.sets.join(one, other)
    }

    /// Whether the event has a place in the object's order.
    pub(crate) fn has_ticket(&self) -> bool {
        self.event.ticket != 0
    }

    /// Whether the event is the end of its process.
    pub(crate) fn is_end(&self) -> bool {
        is_end(self.event)
    }

    /// How much there is room for, where a run can have more.
    pub(crate) fn room(&self, capacity: Option<u64>) -> Option<u64> {
        capacity.filter(|capacity| self.most.is_none_or(|most| most > *capacity))
    }

    /// Whether the plan has that verb for the object.
    pub(crate) fn has(&self, verb: u8) -> bool {
        self.verbs & 1 << verb != 0
    }
}

/// Messages that come out in the order in which they went in, and the rooms that they leave.
///
/// With each message goes what its put gave and took. A put takes what the get gave in whose room it goes: the get as many
/// places before it as there is room for; and with the room that it leaves goes what the get gave and took.
#[derive(Default)]
pub(crate) struct Line {
    /// The priorities of the messages with what was given with them, the next to come out first.
    pub(crate) messages: Vec<(u32, u32)>,
    /// What was given with the rooms. Those that no get has left come first and are not listed.
    pub(crate) rooms: Vec<u32>,
}

impl Line {
    /// Puts a message in. What its put takes.
    pub(crate) fn put(&mut self, sets: &mut dyn Sets, capacity: Option<u64>, priority: u32, gives: u32) -> u32 {
        // A room with which nothing is given is like one that no get has left.
        let first = self.rooms.iter().position(|set| *set != NOTHING).unwrap_or(self.rooms.len());
        self.rooms.drain(..first);
        let listed = (self.messages.len() + self.rooms.len()) as u64;
        let reused = capacity.is_some_and(|capacity| listed >= capacity) && !self.rooms.is_empty();
        let takes = if reused { self.rooms.remove(0) } else { NOTHING };
        let at = self.messages.partition_point(|(before, _)| *before >= priority);
        self.messages.insert(at, (priority, sets.join(gives, takes)));
        takes
    }

    /// Takes the next message out. What its get takes.
    pub(crate) fn get(&mut self, sets: &mut dyn Sets, capacity: Option<u64>, gives: u32) -> u32 {
        if self.messages.is_empty() {
            return NOTHING;
        }
        let takes = self.messages.remove(0).1;
        let gives = sets.join(gives, takes);
        if capacity.is_some() && (gives != NOTHING || !self.rooms.is_empty()) {
            self.rooms.push(gives);
        }
        takes
    }
}
