//! What random scenarios are made of.

use crate::objects::{Effect, Form, Kind};

/// What kinds of object are there for, as far as their verbs say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Family {
    /// Processes wait for each other, without messages: locks, permits, meetings.
    Locks,
    Messages,
    Cells,
}

impl Family {
    /// The family of a kind.
    pub fn of(kind: &Kind) -> Self {
        if kind.verb_that(Effect::Puts).is_some() {
            Self::Messages
        } else if kind.verb_that(Effect::Writes).is_some() {
            Self::Cells
        } else {
            Self::Locks
        }
    }
}

/// What random scenarios are made of.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a taste of its own")]
pub struct Taste {
    pub name: &'static str,
    /// The kinds; of cells there may be one in any case.
    pub families: &'static [Family],
    /// The one kind, besides those that it needs, where there is to be no other.
    pub kind: Option<&'static str>,
    /// Whether there may be cells beside that kind.
    pub cells: bool,
    /// Whether steps may give up and processes sleep.
    pub times: bool,
    /// Whether processes are started, joined, asked for and killed by others.
    pub lives: bool,
    /// Whether processes are stopped.
    pub stops: bool,
    /// Whether there are loops without end.
    pub loops: bool,
    /// Whether random numbers are drawn.
    pub random: bool,
    /// Whether processes have objects of their own, by their index.
    pub own: bool,
    /// The most processes, at least 2.
    pub processes: usize,
    /// The most steps of each, those in loops and branches counted.
    pub steps: usize,
}

const ALL: &[Family] = &[Family::Locks, Family::Messages, Family::Cells];

/// Everything but what makes many states of one program: stopped processes, loops without end, drawn numbers.
pub const EVERYTHING: Taste = Taste {
    name: "everything",
    families: ALL,
    kind: None,
    cells: false,
    times: true,
    lives: true,
    stops: false,
    loops: false,
    random: false,
    own: false,
    processes: 3,
    steps: 4,
};
/// Locks and other meetings.
pub const LOCKS: Taste = Taste { name: "locks", families: &[Family::Locks], times: false, lives: false, ..EVERYTHING };
pub const MESSAGES: Taste =
    Taste { name: "messages", families: &[Family::Messages], times: false, lives: false, ..EVERYTHING };
pub const CELLS: Taste = Taste { name: "cells", families: &[Family::Cells], times: false, lives: false, ..EVERYTHING };
/// The lives of processes.
pub const LIVES: Taste = Taste { name: "lives", times: false, ..EVERYTHING };
pub const TIMES: Taste = Taste { name: "times", lives: false, ..EVERYTHING };

/// Stopped processes.
pub const STOPS: Taste = Taste { name: "stops", stops: true, ..LIVES };
/// Random numbers.
pub const RANDOM: Taste = Taste { name: "random", random: true, lives: false, ..EVERYTHING };
/// Objects of one's own.
pub const OWN: Taste = Taste { name: "own", own: true, times: false, lives: false, ..EVERYTHING };
/// Loops without end.
pub const LOOPS: Taste = Taste { name: "loops", loops: true, ..TIMES };

/// All of them.
pub const TASTES: &[Taste] = &[LOCKS, MESSAGES, CELLS, LIVES, TIMES, EVERYTHING, STOPS, RANDOM, OWN, LOOPS];

impl Taste {
    /// How often a kind is drawn, beside the others.
    pub(super) fn weight(self, kind: &Kind) -> u32 {
        if let Some(only) = self.kind {
            let cells = self.cells && Family::of(kind) == Family::Cells;
            return if only == kind.name { 3 } else { u32::from(cells) };
        }
        let family = Family::of(kind);
        if self.families.contains(&family) {
            // One that needs another brings that along.
            let brings = kind.attributes.iter().any(|attribute| matches!(attribute.form, Form::Object(_)));
            if brings { 6 } else { 4 }
        } else {
            u32::from(family == Family::Cells) * 2
        }
    }
}
