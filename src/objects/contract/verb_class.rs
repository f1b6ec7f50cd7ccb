//! What verbs do, in the few words that others than their kinds go by: what gives an object to a process, what touches
//! a cell, what carries a message.

use crate::event::Event;
use crate::outcome::Outcome;

/// What a verb does, as far as others have to know.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Effect {
    #[default]
    None,
    /// It gives the object, or a part of it, to the process: a lock, a permit.
    Takes,
    /// It takes it away from the process again.
    Gives,
    /// It reads a cell.
    Reads,
    /// It writes a cell, whatever stood there.
    Writes,
    /// It reads and writes a cell in one.
    Updates,
    /// It puts a message in.
    Puts,
    /// It takes a message out.
    Gets,
    /// It looks and changes nothing.
    Asks,
    /// It opens an end: until then a process does not hold one of those that its steps name.
    Opens,
    /// It releases an end, as the process's own end does.
    Closes,
}

impl Effect {
    /// Whether an event of a verb that does so gives its object to its process (1: a permit, a lock) or takes it away (-1).
    pub fn holding(self, event: &Event) -> Option<i64> {
        // A step with `n = 0` does nothing.
        if event.value.as_int() == Some(0) {
            return None;
        }
        match self {
            Self::Takes if event.outcome.is_ok() || event.outcome == Outcome::OWNER_DIED => Some(1),
            Self::Gives if event.outcome.is_ok() => Some(-1),
            _ => None,
        }
    }
}
