//! What a pipe holds as its events are replayed, and what happened before what.

use std::collections::{HashMap, VecDeque};

use super::{Framing, Pipe, RECEIVE, SEND};
use crate::event::{Event, EventId};
use crate::objects::{Relation, State};
use crate::value::Value;

/// What is in the pipe. Where it has two ways, what goes from `a` to `b` stands before what comes back: tickets say
/// which way an event was. Only bytes have none where several processes share an end; those count as going to `b`.
#[derive(Debug)]
pub(super) struct Content {
    duplex: bool,
    ways: [Way; 2],
}

/// What goes one way.
#[derive(Debug)]
enum Way {
    /// Messages, each with the event that sent it.
    Messages(VecDeque<(EventId, Value)>),
    /// Bytes.
    Bytes(VecDeque<u8>),
}

impl Content {
    pub(super) fn new(pipe: &Pipe) -> Self {
        let way = || match pipe.framing {
            Framing::Message => Way::Messages(VecDeque::new()),
            Framing::Bytes => Way::Bytes(VecDeque::new()),
        };
        Self { duplex: pipe.duplex, ways: [way(), way()] }
    }
}

impl State for Content {
    fn apply(&mut self, event: &Event) {
        let way = usize::from(self.duplex && event.ticket & 1 == 1);
        // Where the count of a send is its value, what was sent is the other one.
        let sent = if event.second == Value::Null { &event.value } else { &event.second };
        match (&mut self.ways[way], event.verb) {
            (Way::Messages(messages), SEND) if event.outcome.is_ok() => messages.push_back((event.id, sent.clone())),
            (Way::Messages(messages), RECEIVE) if event.outcome.is_ok() => {
                let at = messages.iter().position(|(id, _)| Some(*id) == event.cause);
                messages.remove(at.unwrap_or(0));
            }
            (Way::Bytes(bytes), SEND) => bytes.extend(content(sent)),
            (Way::Bytes(bytes), RECEIVE) if event.outcome.is_ok() => {
                let taken = content(&event.value).len().min(bytes.len());
                bytes.drain(..taken);
            }
            _ => {}
        }
    }

    fn value(&self, _names: &[String]) -> Value {
        match &self.ways {
            [Way::Bytes(first), Way::Bytes(second)] => first.iter().chain(second).copied().collect::<Vec<u8>>().into(),
            ways => {
                let messages = ways.iter().filter_map(|way| match way {
                    Way::Messages(messages) => Some(messages),
                    Way::Bytes(_) => None,
                });
                messages.flatten().map(|(_, value)| value.clone()).collect::<Vec<_>>().into()
            }
        }
    }

    fn size(&self) -> Option<i64> {
        let sizes = self.ways.iter().map(|way| match way {
            Way::Messages(messages) => messages.len() as i64,
            Way::Bytes(bytes) => bytes.len() as i64,
        });
        Some(sizes.sum())
    }
}

/// The bytes that a send without framing put in, or a receive took.
fn content(value: &Value) -> &[u8] {
    match value {
        Value::String(text) => text.as_bytes(),
        Value::Bytes(bytes) => bytes,
        _ => &[],
    }
}

impl Pipe {
    /// Draws the edges of messages or of bytes, for each direction by itself.
    pub(super) fn draw(&self, events: &[&Event], relation: &mut Relation) {
        for way in 0..=u64::from(self.duplex) {
            let here = |event: &Event| !self.duplex || event.ticket & 1 == way;
            let sends = relation.by_ticket(events, |event| event.verb == SEND && here(event));
            let receives = relation.by_ticket(events, |event| event.verb == RECEIVE && here(event));
            if self.framing == Framing::Bytes {
                self.draw_bytes(events, &sends, &receives, relation);
            } else if let (Some(capacity), false) = (self.capacity, self.duplex) {
                draw_room(events, &sends, &receives, capacity, relation);
            }
        }
        if self.framing == Framing::Message {
            let sends: HashMap<EventId, usize> =
                (0..events.len()).filter(|at| events[*at].verb == SEND).map(|at| (events[at].id, at)).collect();
            for (at, event) in events.iter().enumerate().filter(|(_, event)| event.verb == RECEIVE) {
                if let Some(send) = event.cause.and_then(|cause| sends.get(&cause)) {
                    relation.cause(*send, at);
                }
            }
        }
    }

    /// A write is a cause of every read that took some of its bytes. Tickets count the bytes up to the event's last,
    /// where one process alone writes, or reads.
    fn draw_bytes(&self, events: &[&Event], sends: &[usize], receives: &[usize], relation: &mut Relation) {
        let range = |at: usize| {
            let event = events[at];
            let moved = if event.second == Value::Null { &event.value } else { &event.second };
            let end = if self.duplex { event.ticket >> 1 } else { event.ticket };
            end.saturating_sub(content(moved).len() as u64)..end
        };
        let mut next = 0;
        for receive in receives {
            let taken = range(*receive);
            while next < sends.len() && range(sends[next]).end <= taken.start {
                next += 1;
            }
            for send in sends[next..].iter().take_while(|send| range(**send).start < taken.end) {
                if range(*send).end > taken.start && events[*send].begin <= events[*receive].end {
                    relation.cause(*send, *receive);
                }
            }
        }
    }
}

/// A message goes into the room that an earlier one left: the last packet of a send could only go in once the packet
/// as many places before it as there is room for was taken. Tickets count the packets up to the event's last.
fn draw_room(events: &[&Event], sends: &[usize], receives: &[usize], capacity: u64, relation: &mut Relation) {
    let mut next = 0;
    for send in sends {
        let Some(needed) = events[*send].ticket.checked_sub(capacity).filter(|needed| *needed > 0) else { continue };
        while next < receives.len() && events[receives[next]].ticket < needed {
            next += 1;
        }
        match receives.get(next) {
            Some(receive) if events[*receive].begin <= events[*send].end => relation.cause(*receive, *send),
            _ => {}
        }
    }
}
