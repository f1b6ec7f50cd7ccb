//! What a queue hands over while a run goes on: with each message what its put gave, and with each room that a get has
//! left what that get gave, as [`draw`](super::order::draw) has it.
//!
//! Who waits for what is found by counting, which says the same as the edges of a whole run wherever those are exact. A
//! queue of the kernel has no numbers; there they are exact where one process alone puts, or no put ever waits for room.

use super::{DONE, GET, GET_AT, PUT, PUT_AT, WAIT};
use crate::objects::causality::sync_clock::{Handover, Held, Line, NOTHING, Usage};

/// The place of `priority` among the arguments of `put`, as a bit.
const PRIORITY: u32 = 1 << 1;

/// What was said to be done last gave that, and the messages.
struct Content {
    done: u32,
    line: Line,
}

impl Content {
    fn of(held: &Held) -> Self {
        let sets = held.sets.get(1..).unwrap_or(&[]);
        let (messages, rooms) = sets.split_at(held.counts.len().min(sets.len()));
        let messages = held.counts.iter().map(|count| count - 1).zip(messages.iter().copied()).collect();
        Self { done: held.set(0), line: Line { messages, rooms: rooms.to_vec() } }
    }

    fn hold(&self, held: &mut Held) {
        held.counts.clear();
        held.sets.clear();
        held.sets.push(self.done);
        // No number is 0, so that no message is taken for nothing.
        held.counts.extend(self.line.messages.iter().map(|(priority, _)| priority + 1));
        held.sets.extend(self.line.messages.iter().map(|(_, set)| set));
        held.sets.extend(&self.line.rooms);
    }
}

/// Whether counting says all that there is to say.
pub(super) fn counts(kernel: bool, capacity: Option<u64>, uses: &[Usage]) -> bool {
    if !kernel {
        return true;
    }
    let of = |verb: u8| uses.iter().filter(move |usage| usage.access.verb == verb);
    let alone = |verb: u8| {
        let mut ranges = of(verb).map(|usage| &usage.processes);
        let first = ranges.next();
        first.is_none_or(|first| first.len() <= 1 && ranges.all(|range| range == first))
    };
    let times = of(PUT_AT).try_fold(0, |sum: u64, usage| Some(sum.saturating_add(usage.times?)));
    let plenty = times.zip(capacity).is_some_and(|(times, capacity)| times <= capacity);
    let priorities = of(PUT_AT).any(|usage| usage.access.given & PRIORITY != 0);
    plenty || alone(PUT_AT) && (!priorities || alone(GET_AT))
}

/// Takes in an event of a queue that has room for so many messages.
pub(super) fn hand_over(capacity: Option<u64>, handover: &mut Handover<'_>) -> u32 {
    if !handover.event.outcome.is_ok() {
        return NOTHING;
    }
    let mut content = Content::of(handover.held);
    let takes = match handover.event.verb {
        PUT => {
            let priority = handover.event.second.as_int().unwrap_or(0) as u32;
            content.line.put(capacity, priority, handover.gives)
        }
        GET => content.line.get(capacity, handover.gives),
        // Each goes on from the one before it.
        DONE => {
            let takes = content.done;
            content.done = handover.gives;
            takes
        }
        WAIT => content.done,
        _ => return NOTHING,
    };
    content.hold(handover.held);
    takes
}
