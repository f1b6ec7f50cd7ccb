//! The clocks that a pipe of messages carries: with each message the clock of its send, and with the room that it
//! leaves what its receive gave, as [`Pipe::draw`] has it.
//!
//! A message of several packets can be received before its sender records it, so the sender of each message is unknown
//! there. Bytes are not followed, nor a pipe whose room has changed, nor a fifo.

use super::model::content as model_content;
use super::{CLOSE, Framing, POLL, Pipe, RECEIVE, RESIZE, SEND, SIZE, incoming, outgoing};
use crate::objects::causality::happens_before::gave_up;
use crate::objects::causality::sync_clock::{Handover, Held, Line, NOTHING};
use crate::outcome::Outcome;
use crate::value::{Value, encode};

impl Pipe {
    /// Takes in an event.
    pub(super) fn pass(&self, handover: &mut Handover<'_>) -> u32 {
        if self.opened
            || self.framing == Framing::Bytes
            || handover.event.verb == RESIZE && handover.event.outcome.is_ok()
        {
            *handover.lost = true;
            return NOTHING;
        }
        let event = handover.event;
        let (process, end) = (event.id.process(), handover.end);
        let mut content = Content::of(handover.held);
        if handover.is_end() || event.verb == CLOSE && event.outcome.is_ok() {
            // A process that has closed its end releases nothing at its exit.
            let own = process * 2 + u32::from(end) + 1;
            if let Some(at) = content.closed.iter().position(|closed| *closed == own) {
                if handover.is_end() {
                    content.closed.remove(at);
                }
            } else {
                let of = &mut content.closings[usize::from(end)];
                *of = handover.sets.join(*of, handover.gives);
                if !handover.is_end() {
                    content.closed.push(own);
                    content.closed.sort_unstable();
                }
            }
            content.hold(handover.held);
            return NOTHING;
        }
        if event.verb == SIZE || event.verb == RESIZE {
            // The room that it finds is that of the beginning.
            *handover.lost |= handover.reads && event.outcome == Outcome::BUSY;
            return NOTHING;
        }
        let peers = content.closings[1 - usize::from(end)];
        let way = match event.verb {
            SEND => outgoing(self.duplex, end),
            _ => incoming(self.duplex, end),
        };
        match (event.verb, event.outcome) {
            (SEND, Outcome::BROKEN) | (RECEIVE, Outcome::CLOSED) => return peers,
            (POLL, Outcome::OK) => return content.lines[way].messages.first().map_or(peers, |(_, set)| *set),
            (SEND | RECEIVE, Outcome::OK) => {}
            _ => {
                // What fails for others says no more than that it does.
                *handover.lost |= handover.reads && gave_up(event);
                return NOTHING;
            }
        }
        let value = if event.verb == SEND && event.second != Value::Null { &event.second } else { &event.value };
        let mut encoding = Vec::new();
        encode(value, &mut encoding);
        *handover.lost |= encoding.len() as u64 > model_content(self);
        let capacity = handover.room(self.most());
        let line = &mut content.lines[way];
        let takes = match event.verb {
            SEND => line.put(handover.sets, capacity, 0, handover.gives),
            _ => line.get(handover.sets, capacity, handover.gives),
        };
        content.hold(handover.held);
        takes
    }
}

/// The clock state of a pipe: the messages in each direction; for each end the joined clock of all that have closed it;
/// and the ends that running processes have closed.
struct Content {
    lines: [Line; 2],
    closings: [u32; 2],
    closed: Vec<u32>,
}

impl Content {
    fn of(held: &Held) -> Self {
        let mut sets = held.sets.iter().copied();
        let lines = [0, 2].map(|place| {
            let messages = sets.by_ref().take(held.count(place) as usize).map(|set| (0, set)).collect();
            let rooms = sets.by_ref().take(held.count(place + 1) as usize).collect();
            Line { messages, rooms }
        });
        let closings = [(); 2].map(|()| sets.next().unwrap_or(NOTHING));
        Self { lines, closings, closed: held.counts.get(4..).unwrap_or(&[]).to_vec() }
    }

    fn hold(&self, held: &mut Held) {
        let of = |line: &Line| [line.messages.len() as u32, line.rooms.len() as u32];
        held.counts = self.lines.iter().flat_map(of).collect();
        held.counts.extend(&self.closed);
        held.sets.clear();
        for line in &self.lines {
            held.sets.extend(line.messages.iter().map(|(_, set)| set));
            held.sets.extend(&line.rooms);
        }
        held.sets.extend(self.closings);
        held.tidy();
    }
}
