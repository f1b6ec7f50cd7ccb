//! What a pipe of messages hands over while a run goes on: with each message what its send gave, and with the room that it
//! leaves what its receive gave, as [`Pipe::draw`] has it.
//!
//! A message of several packets can be received before its sender tells of it, so there it is lost who hands over what.
//! Bytes are not followed.

use super::model::content;
use super::{Framing, Pipe, RECEIVE, SEND};
use crate::objects::causality::sync_clock::{Handover, Held, Line, NOTHING};
use crate::value::{Value, encode};

impl Pipe {
    /// Whether it says what it hands over.
    pub(super) fn follows(&self) -> bool {
        self.framing == Framing::Message
    }

    /// Takes in an event.
    pub(super) fn pass(&self, handover: &mut Handover<'_>) -> u32 {
        let event = handover.event;
        if !event.outcome.is_ok() || !matches!(event.verb, SEND | RECEIVE) {
            return NOTHING;
        }
        let value = if event.verb == SEND && event.second != Value::Null { &event.second } else { &event.value };
        let mut encoding = Vec::new();
        encode(value, &mut encoding);
        *handover.lost |= encoding.len() as u64 > content(self);
        let capacity = self.capacity.filter(|_| !self.duplex);
        let mut lines = lines(handover.held);
        let line = &mut lines[usize::from(self.duplex && event.ticket & 1 == 1)];
        let takes = match event.verb {
            SEND => line.put(capacity, 0, handover.gives),
            _ => line.get(capacity, handover.gives),
        };
        hold(&lines, handover.held);
        takes
    }
}

/// What goes one way, and the other where there are two.
fn lines(held: &Held) -> [Line; 2] {
    let mut sets = held.sets.iter().copied();
    [0, 2].map(|place| {
        let messages = sets.by_ref().take(held.count(place) as usize).map(|set| (0, set)).collect();
        let rooms = sets.by_ref().take(held.count(place + 1) as usize).collect();
        Line { messages, rooms }
    })
}

fn hold(lines: &[Line; 2], held: &mut Held) {
    let of = |line: &Line| [line.messages.len() as u32, line.rooms.len() as u32];
    held.counts = lines.iter().flat_map(of).collect();
    held.sets.clear();
    for line in lines {
        held.sets.extend(line.messages.iter().map(|(_, set)| set));
        held.sets.extend(&line.rooms);
    }
}
