//! What a pipe holds as its events are replayed, and what happened before what.

use std::collections::{HashMap, HashSet, VecDeque};

use super::model::SLOTS;
use super::{CLOSE, Framing, POLL, Pipe, RECEIVE, SEND, incoming, outgoing};
use crate::event::{Event, EventId, ProcessId};
use crate::objects::causality::happens_before::{gave_up, is_end};
use crate::objects::{Relation, State};
use crate::os::pipe::page;
use crate::outcome::Outcome;
use crate::value::Value;

/// The most that one write(2) puts in as a whole.
const PIPE_BUF: usize = 4096;

/// What is in the pipe. Where it has two ways, what goes from `a` to `b` stands before what comes back: tickets say
/// which way an event was.
#[derive(Debug)]
pub(super) struct Content {
    duplex: bool,
    ways: [Way; 2],
    /// How much has gone in of what a process is sending now.
    parts: HashMap<ProcessId, usize>,
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
        Self { duplex: pipe.duplex, ways: [way(), way()], parts: HashMap::new() }
    }
}

impl State for Content {
    fn apply(&mut self, event: &Event) {
        let way = usize::from(self.duplex && event.ticket & 1 == 1);
        if let (Way::Bytes(bytes), SEND, true) = (&mut self.ways[way], event.verb, event.implicit) {
            let part = content(&event.value);
            *self.parts.entry(event.id.process()).or_default() += part.len();
            bytes.extend(part);
            return;
        }
        // Where the count of a send is its value, what was sent is the other one.
        let sent = if event.second == Value::Null { &event.value } else { &event.second };
        match (&mut self.ways[way], event.verb) {
            (Way::Messages(messages), SEND) if event.outcome.is_ok() => messages.push_back((event.id, sent.clone())),
            (Way::Messages(messages), RECEIVE) if event.outcome.is_ok() => {
                let at = messages.iter().position(|(id, _)| Some(*id) == event.cause);
                messages.remove(at.unwrap_or(0));
            }
            // A part of it may have gone in before.
            (Way::Bytes(bytes), SEND) => {
                let before = self.parts.entry(event.id.process()).or_default();
                bytes.extend(content(sent).get(*before..).unwrap_or_default());
                *before = 0;
            }
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
        let closings = Self::closings(events, relation);
        for way in 0..=usize::from(self.duplex) {
            let ends: Vec<u8> = (0..events.len()).map(|at| relation.end(at)).collect();
            let sending = |at: usize| events[at].verb == SEND && outgoing(self.duplex, ends[at]) == way;
            let taking = |at: usize| events[at].verb != SEND && incoming(self.duplex, ends[at]) == way;
            let here = |event: &Event| !self.duplex || event.ticket & 1 == way as u64;
            let sends = relation.by_ticket(events, |event| event.verb == SEND && here(event));
            let receives = relation.by_ticket(events, |event| event.verb == RECEIVE && here(event));
            if self.framing == Framing::Bytes {
                self.draw_bytes(events, &sends, &receives, relation);
                for send in sends.iter().filter(|at| content(moved(events[**at])).len() > PIPE_BUF) {
                    relation.lasts(*send);
                }
            }
            if let Some(capacity) = self.most() {
                draw_room(events, &sends, &receives, capacity, relation);
            }
            let end = if self.duplex { way } else { 1 };
            let peers = &closings[end];
            let holders = relation.holders.iter().filter(|(_, held)| usize::from(*held) == end).count();
            for at in (0..events.len()).filter(|at| taking(*at)) {
                match (events[at].verb, events[at].outcome) {
                    (RECEIVE, Outcome::CLOSED) => closed(events, peers, at, relation),
                    (POLL, Outcome::OK) => {
                        // The first that it can have seen is surely there.
                        let first = sends.partition_point(|send| events[*send].ticket < events[at].ticket);
                        match sends.get(first).filter(|send| events[**send].begin <= events[at].end) {
                            Some(send) if events[at].ticket != 0 => relation.sync(*send, at),
                            // What it saw is the end of file, or a part of a send that never ended.
                            _ => {
                                let own = |closing: &usize| events[*closing].id.process() == events[at].id.process();
                                let sooner = |closing: &usize| events[*closing].id.number() < events[at].id.number();
                                if peers.len() == holders && peers.iter().all(|one| !own(one) || sooner(one)) {
                                    closed(events, peers, at, relation);
                                }
                            }
                        }
                    }
                    _ => {}
                }
            }
            let readers = if self.duplex { &closings[1 - way] } else { &closings[0] };
            for at in (0..events.len()).filter(|at| sending(*at) && events[*at].outcome == Outcome::BROKEN) {
                closed(events, readers, at, relation);
            }
            let failing = |at: usize| gave_up(events[at]);
            let ids = |wanted: &dyn Fn(usize) -> bool| -> HashSet<EventId> {
                (0..events.len()).filter(|at| wanted(*at)).map(|at| events[at].id).collect()
            };
            let (full, empty) = (ids(&|at| sending(at) && failing(at)), ids(&|at| taking(at) && failing(at)));
            let most = self.most().and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
            relation.fails(events, &sends, most, |event| full.contains(&event.id));
            relation.fails(events, &receives, 1, |event| empty.contains(&event.id));
        }
        if self.framing == Framing::Message {
            let sends: HashMap<EventId, usize> =
                (0..events.len()).filter(|at| events[*at].verb == SEND).map(|at| (events[at].id, at)).collect();
            for (at, event) in events.iter().enumerate().filter(|(_, event)| event.verb == RECEIVE) {
                if let Some(send) = event.cause.and_then(|cause| sends.get(&cause)) {
                    relation.sync(*send, at);
                }
            }
        }
    }

    /// How much there is room for between two ends of a pipe, as its tickets count; none where that is not known.
    pub(super) fn most(&self) -> Option<u64> {
        let usual = match self.framing {
            Framing::Message => SLOTS,
            Framing::Bytes => SLOTS * page(),
        };
        (!self.duplex).then(|| self.capacity.unwrap_or(usual))
    }

    /// For each end, the events that close it for each holder: the first `close`, or the end of the process.
    fn closings(events: &[&Event], relation: &Relation) -> [Vec<usize>; 2] {
        let mut first: HashMap<(ProcessId, u8), usize> = HashMap::new();
        let mut last: HashMap<ProcessId, usize> = HashMap::new();
        for (at, event) in events.iter().enumerate() {
            if is_end(event) {
                last.insert(event.id.process(), at);
            } else if event.verb == CLOSE && event.outcome.is_ok() {
                let one = first.entry((event.id.process(), relation.end(at))).or_insert(at);
                if event.id.number() < events[*one].id.number() {
                    *one = at;
                }
            }
        }
        let mut closings = [Vec::new(), Vec::new()];
        for (process, end) in &relation.holders {
            let closing = first.get(&(*process, *end)).or_else(|| last.get(process));
            closings[usize::from(*end)].extend(closing);
        }
        closings
    }

    /// A write is a cause of every read that took some of its bytes. Tickets count the bytes up to the event's last.
    fn draw_bytes(&self, events: &[&Event], sends: &[usize], receives: &[usize], relation: &mut Relation) {
        let lengths = lengths(events);
        let range = |at: usize| {
            let end = if self.duplex { events[at].ticket >> 1 } else { events[at].ticket };
            end.saturating_sub(lengths[at])..end
        };
        let mut next = 0;
        for receive in receives {
            let taken = range(*receive);
            while next < sends.len() && range(sends[next]).end <= taken.start {
                next += 1;
            }
            for send in sends[next..].iter().take_while(|send| range(**send).start < taken.end) {
                if range(*send).end > taken.start && events[*send].begin <= events[*receive].end {
                    relation.sync(*send, *receive);
                }
            }
        }
    }
}

/// How many bytes each event moved, without those that its step had moved before.
fn lengths(events: &[&Event]) -> Vec<u64> {
    let mut parts: HashMap<ProcessId, u64> = HashMap::new();
    let length = |event: &Event| content(moved(event)).len() as u64;
    let own = |event: &&Event| match (event.verb, event.implicit) {
        (SEND, true) => {
            *parts.entry(event.id.process()).or_default() += length(event);
            length(event)
        }
        (SEND, false) => length(event).saturating_sub(parts.remove(&event.id.process()).unwrap_or(0)),
        _ => length(event),
    };
    events.iter().map(own).collect()
}

/// What a step sent or received.
fn moved(event: &Event) -> &Value {
    if event.second == Value::Null { &event.value } else { &event.second }
}

/// A `closed` or `broken` outcome comes after every event that closed the other end. A process whose end is recorded later
/// had released its end by then.
fn closed(events: &[&Event], closings: &[usize], at: usize, relation: &mut Relation) {
    for closing in closings {
        if events[*closing].begin <= events[at].end || is_end(events[*closing]) {
            relation.sync(*closing, at);
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
            Some(receive) if events[*receive].begin <= events[*send].end => relation.sync(*receive, *send),
            _ => {}
        }
    }
}
