//! What a pipe holds as its events are replayed, and what happened before what.

use std::collections::{HashMap, HashSet, VecDeque};

use super::model::SLOTS;
use super::{CLOSE, Framing, OPEN, POLL, Pipe, RECEIVE, RESIZE, SEND, SIZE, incoming, opening, outgoing};
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
    /// The number of the pipe that a fifo is now.
    number: u64,
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

impl Way {
    fn clear(&mut self) {
        match self {
            Self::Messages(messages) => messages.clear(),
            Self::Bytes(bytes) => bytes.clear(),
        }
    }
}

impl Content {
    pub(super) fn new(pipe: &Pipe) -> Self {
        let way = || match pipe.framing {
            Framing::Message => Way::Messages(VecDeque::new()),
            Framing::Bytes => Way::Bytes(VecDeque::new()),
        };
        Self { duplex: pipe.duplex, ways: [way(), way()], number: 0, parts: HashMap::new() }
    }
}

impl State for Content {
    fn apply(&mut self, event: &Event) {
        if matches!(event.verb, OPEN | CLOSE) {
            let number = opening::number(event.ticket);
            if number > self.number {
                self.number = number;
                self.ways.iter_mut().for_each(Way::clear);
                self.parts.clear();
            }
            return;
        }
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
    /// Draws the edges of the events of a pipe; of a fifo, of each pipe that it was.
    pub(super) fn draw(&self, events: &[&Event], relation: &mut Relation) {
        if self.opened {
            self.draw_opened(events, relation);
        } else {
            let holds = Self::holds(events, relation);
            self.draw_one(events, &holds, relation);
        }
    }

    /// Draws the edges of messages or of bytes, for each direction by itself.
    pub(super) fn draw_one(&self, events: &[&Event], holds: &[Vec<Hold>; 2], relation: &mut Relation) {
        let sizes = self.sizes(events);
        for way in 0..=usize::from(self.duplex) {
            let ends: Vec<u8> = (0..events.len()).map(|at| relation.end(at)).collect();
            let sending = |at: usize| events[at].verb == SEND && outgoing(self.duplex, ends[at]) == way;
            let taking =
                |at: usize| matches!(events[at].verb, RECEIVE | POLL) && incoming(self.duplex, ends[at]) == way;
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
                draw_room(events, &sends, &receives, (capacity, &sizes), relation);
                draw_busy(events, &sends, &receives, relation);
            }
            let end = if self.duplex { way } else { 1 };
            let peers = &holds[end];
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
                                let own = |closing: usize| events[closing].id.process() == events[at].id.process();
                                let sooner = |closing: usize| events[closing].id.number() < events[at].id.number();
                                // One that a signal ended later may have sent a part.
                                let killed =
                                    |closing: usize| events[closing].value.as_int().is_some_and(|code| code < 0);
                                let before = |closing: usize| events[closing].begin <= events[at].end;
                                let gone = |hold: &Hold| {
                                    hold.closing.map_or(!hold.is_before(events, at), |one| {
                                        (!own(one) || sooner(one))
                                            && (!is_end(events[one]) || !killed(one) || before(one))
                                    })
                                };
                                if peers.iter().all(gone) {
                                    closed(events, peers, at, relation);
                                }
                            }
                        }
                    }
                    _ => {}
                }
            }
            let readers = if self.duplex { &holds[1 - way] } else { &holds[0] };
            for at in (0..events.len()).filter(|at| sending(*at) && events[*at].outcome == Outcome::BROKEN) {
                closed(events, readers, at, relation);
            }
            let failing = |at: usize| gave_up(events[at]);
            let ids = |wanted: &dyn Fn(usize) -> bool| -> HashSet<EventId> {
                (0..events.len()).filter(|at| wanted(*at)).map(|at| events[at].id).collect()
            };
            let (full, empty) = (ids(&|at| sending(at) && failing(at)), ids(&|at| taking(at) && failing(at)));
            relation.looks(
                events,
                &sends,
                |event| full.contains(&event.id),
                |relation, count, place| {
                    let before = sizes.iter().rfind(|size| events[size.at].end <= events[place].end);
                    let most = before.map_or(self.most(), |size| Some(size.room));
                    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
                    let sources = sends[count.saturating_sub(most)..count].iter().copied();
                    let shrunk = before.filter(|size| size.room < size.before).map(|size| size.at);
                    sources.chain(shrunk).for_each(|source| relation.reads(source, place));
                },
            );
            relation.fails(events, &receives, 1, |event| empty.contains(&event.id));
        }
        for at in (0..events.len()).filter(|at| events[*at].verb == SIZE) {
            if let Some(size) = sizes.iter().rfind(|size| events[size.at].end <= events[at].end) {
                relation.reads(size.at, at);
            }
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

    /// The steps that set the pipe's room, in their order, with the room by then as tickets count it.
    fn sizes(&self, events: &[&Event]) -> Vec<Size> {
        let Some(mut before) = self.most() else { return Vec::new() };
        let mut places: Vec<_> =
            (0..events.len()).filter(|at| events[*at].verb == RESIZE && events[*at].outcome.is_ok()).collect();
        places.sort_by_key(|at| events[*at].end);
        let unit = if self.framing == Framing::Message { page() } else { 1 };
        let size = |at: usize| {
            let bytes = events[at].value.as_int().and_then(|bytes| u64::try_from(bytes).ok());
            let room = bytes.map_or(before, |bytes| bytes / unit);
            Size { at, before: std::mem::replace(&mut before, room), room }
        };
        places.into_iter().map(size).collect()
    }

    /// For each end, what closes it for each holder: the first `close`, or the end of the process.
    fn holds(events: &[&Event], relation: &Relation) -> [Vec<Hold>; 2] {
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
        let mut holds = [Vec::new(), Vec::new()];
        for (process, end) in &relation.holders {
            let closing = first.get(&(*process, *end)).or_else(|| last.get(process)).copied();
            holds[usize::from(*end)].push(Hold { open: None, closing });
        }
        holds
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

/// That a process holds an end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    /// The event that opened it; none where it is held from the process's begin.
    pub(super) open: Option<usize>,
    /// The event that closed it.
    pub(super) closing: Option<usize>,
}

impl Hold {
    /// Whether the end was held before that event began.
    fn is_before(&self, events: &[&Event], at: usize) -> bool {
        self.open.is_none_or(|open| events[open].end <= events[at].begin)
    }
}

/// A `closed` or `broken` outcome comes after every event that closed the other end. A process whose end is recorded later
/// had released its end by then.
pub(super) fn closed(events: &[&Event], holds: &[Hold], at: usize, relation: &mut Relation) {
    for hold in holds {
        if let Some(closing) = hold.closing
            && (events[closing].begin <= events[at].end || is_end(events[closing]) && hold.is_before(events, at))
        {
            relation.sync(closing, at);
        }
    }
}

/// A step that set the room of a pipe.
struct Size {
    at: usize,
    before: u64,
    room: u64,
}

/// A message goes into the room that was there from the beginning, or that an earlier one or a `resize` left, oldest first: the
/// last packet of a send could only go in once there were as many places as had gone in by then. Tickets count the packets
/// up to the event's last. A `resize` to less takes places away as a send does.
fn draw_room(
    events: &[&Event],
    sends: &[usize],
    receives: &[usize],
    (capacity, sizes): (u64, &[Size]),
    relation: &mut Relation,
) {
    let grown = sizes.iter().map(|size| (size.at, size.room.saturating_sub(size.before)));
    let shrunk = sizes.iter().map(|size| (size.at, size.before.saturating_sub(size.room)));
    let made = totals(events, receives, grown);
    let mut next = 0;
    for (send, taken) in totals(events, sends, shrunk) {
        let Some(needed) = taken.checked_sub(capacity).filter(|needed| *needed > 0) else { continue };
        while next < made.len() && made[next].1 < needed {
            next += 1;
        }
        match made.get(next) {
            Some((source, _)) if events[*source].begin <= events[send].end => relation.sync(*source, send),
            _ => {}
        }
    }
}

/// Events by their tickets, and others among them that count as that much: with each how much it is by then.
fn totals(events: &[&Event], numbered: &[usize], others: impl Iterator<Item = (usize, u64)>) -> Vec<(usize, u64)> {
    let mut others = others.filter(|(_, more)| *more > 0).peekable();
    let (mut all, mut count, mut added) = (Vec::with_capacity(numbered.len()), 0, 0);
    for at in numbered {
        while let Some((other, more)) = others.next_if(|(other, _)| events[*other].end <= events[*at].end) {
            added += more;
            all.push((other, count + added));
        }
        count = events[*at].ticket;
        all.push((*at, count + added));
    }
    for (other, more) in others {
        added += more;
        all.push((other, count + added));
    }
    all
}

/// A `resize` that is `busy` failed for what was in the pipe then.
fn draw_busy(events: &[&Event], sends: &[usize], receives: &[usize], relation: &mut Relation) {
    for at in (0..events.len()).filter(|at| events[*at].verb == RESIZE && events[*at].outcome == Outcome::BUSY) {
        let before = |place: &&usize| events[**place].end <= events[at].end;
        let taken = receives.iter().filter(before).map(|place| events[*place].ticket).max().unwrap_or(0);
        for send in sends.iter().filter(before).filter(|send| events[**send].ticket > taken) {
            relation.reads(*send, at);
        }
    }
}
