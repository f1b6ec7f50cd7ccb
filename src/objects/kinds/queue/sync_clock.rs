//! The clocks that a queue carries: with each message the clock of its put, and with each room that a get has
//! left what that get gave, as [`draw`](super::order::draw) has it.
//!
//! Messages and rooms are matched by counting, which gives the edges that a whole trace of known order has.

use super::{DONE, GET, PUT, SIZE, SIZE_AT, WAIT};
use crate::objects::causality::happens_before::gave_up;
use crate::objects::causality::sync_clock::{Handover, Held, Line, NOTHING};

/// What was said to be done last gave that, what all that went in and out gave, and the messages.
struct Content {
    done: u32,
    all: u32,
    line: Line,
}

impl Content {
    fn of(held: &Held) -> Self {
        let sets = held.sets.get(2..).unwrap_or(&[]);
        let (messages, rooms) = sets.split_at(held.counts.len().min(sets.len()));
        let messages = held.counts.iter().map(|count| count - 1).zip(messages.iter().copied()).collect();
        Self { done: held.set(0), all: held.set(1), line: Line { messages, rooms: rooms.to_vec() } }
    }

    fn hold(&self, held: &mut Held) {
        held.counts.clear();
        held.sets.clear();
        held.sets.extend([self.done, self.all]);
        // No number is 0, so that no message is taken for nothing.
        held.counts.extend(self.line.messages.iter().map(|(priority, _)| priority + 1));
        held.sets.extend(self.line.messages.iter().map(|(_, set)| set));
        held.sets.extend(&self.line.rooms);
    }
}

/// Takes in an event of a queue of that capacity.
pub(super) fn hand_over(capacity: Option<u64>, handover: &mut Handover<'_>) -> u32 {
    let verb = handover.event.verb;
    if !handover.event.outcome.is_ok() {
        // What fails for others says no more than that it does.
        *handover.lost |= handover.reads && matches!(verb, PUT | GET | WAIT) && gave_up(handover.event);
        return NOTHING;
    }
    let capacity = handover.room(capacity);
    let mut content = Content::of(handover.held);
    let takes = match verb {
        PUT => {
            let priority = handover.event.second.as_int().unwrap_or(0) as u32;
            content.line.put(handover.sets, capacity, priority, handover.gives)
        }
        GET => content.line.get(handover.sets, capacity, handover.gives),
        // Each `done` synchronises with the one before it.
        DONE => {
            let takes = content.done;
            content.done = handover.join(takes, handover.gives);
            takes
        }
        WAIT => content.done,
        SIZE => content.all,
        _ => return NOTHING,
    };
    if handover.has(SIZE_AT) && matches!(verb, PUT | GET) {
        let all = handover.join(content.all, handover.gives);
        content.all = handover.join(all, takes);
    }
    content.hold(handover.held);
    takes
}
