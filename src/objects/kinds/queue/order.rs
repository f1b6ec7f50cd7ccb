//! The order of a queue's events.
//!
//! A queue in shared memory numbers everything that is done to it. Of a queue of the kernel each side is numbered by itself: what
//! went in, and what came out. With the message that each get took, and the room that each put needed, that is an order.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::waiters::counts;
use super::{DONE, GET, PUT, SIZE, WAIT};
use crate::event::{Event, EventId, ProcessId};
use crate::objects::Relation;
use crate::objects::causality::happens_before::{Edge, Tie, gave_up};

/// Draws the edges between a queue's events; `kernel` says whether it is one of the kernel.
pub(super) fn draw(events: &[&Event], capacity: Option<u64>, kernel: bool, relation: &mut Relation) {
    draw_dones(events, relation);
    let by_side = kernel && !relation.settled;
    if !kernel {
        relation.by_ticket(events, |event| matches!(event.verb, PUT | GET | SIZE));
    }
    let of = |verb: &str, relation: &mut Relation| -> Vec<usize> {
        let mut places = places(events, verb);
        if kernel && !by_side || places.iter().any(|at| events[*at].own_place().is_none()) {
            places.sort_by_key(|at| events[*at].end);
        } else if by_side {
            places = relation.by_ticket(events, |event| is_done(event, verb));
        } else {
            places.sort_by_key(|at| events[*at].ticket);
        }
        places
    };
    let (puts, gets) = (of(PUT, relation), of(GET, relation));
    let by_id: HashMap<EventId, usize> = puts.iter().map(|at| (events[*at].id, *at)).collect();
    let mut received = HashSet::with_capacity(gets.len());
    for get in &gets {
        if let Some(put) = events[*get].cause.and_then(|cause| by_id.get(&cause)) {
            relation.sync(*put, *get);
            received.insert(*put);
        }
    }
    // A get that no process tells of, since its process was killed, leaves a room that no process knows of.
    let whole = received.len() == gets.len() && !(by_side && is_lost(events, &received, &puts));
    if let Some(capacity) = capacity.filter(|_| whole) {
        draw_room(events, &gets, &puts, capacity, by_side, relation);
    }
    draw_looks(events, capacity, kernel, &puts, &gets, relation);
}

/// What asks for the size comes after all that went in and out before it. What failed for want of a message comes after the
/// last that took one, and what failed for want of room after those that filled it.
fn draw_looks(
    events: &[&Event],
    capacity: Option<u64>,
    kernel: bool,
    puts: &[usize],
    gets: &[usize],
    relation: &mut Relation,
) {
    if kernel {
        draw_sizes(events, puts, gets, relation);
    } else {
        let key = |at: &usize| (events[*at].ticket, events[*at].end);
        let mut all: Vec<usize> = puts.iter().chain(gets).copied().collect();
        all.sort_by_key(key);
        relation.sees(events, &all, Tie::Sync, |event| is_done(event, SIZE));
    }
    relation.fails(events, gets, 1, |event| event.verb == GET && gave_up(event));
    let room = capacity.map_or(0, |capacity| usize::try_from(capacity).unwrap_or(usize::MAX));
    relation.fails(events, puts, room, |event| event.verb == PUT && gave_up(event));
    let waits = (0..events.len()).filter(|at| events[*at].verb == WAIT && gave_up(events[*at]));
    let waits = waits.map(|at| match events[at].last_place() {
        Some(puts) => (usize::try_from(puts).unwrap_or(usize::MAX), at),
        None => (puts.partition_point(|put| events[*put].end <= events[at].end), at),
    });
    see(events, puts, waits.collect(), Tie::Reads, relation);
}

/// Each `size` of a queue of the kernel says how much had gone in and out.
fn draw_sizes(events: &[&Event], puts: &[usize], gets: &[usize], relation: &mut Relation) {
    let sizes: Vec<usize> = places(events, SIZE);
    for (side, of) in [(puts, 0), (gets, 1)] {
        let numbered = !relation.settled && side.iter().all(|at| events[*at].own_place().is_some());
        let seen = |size: usize| match events[size].last_place().filter(|_| numbered).map(counts) {
            Some((puts, gets)) => {
                let number = [puts, gets][of];
                side.partition_point(|at| events[*at].own_place().is_some_and(|place| place <= number))
            }
            None => side.partition_point(|at| events[*at].end <= events[size].end),
        };
        let seen: Vec<(usize, usize)> = sizes.iter().map(|size| (seen(*size), *size)).collect();
        if numbered {
            for (count, size) in &seen {
                if let Some(next) = side.get(*count).filter(|_| events[*size].ticket != 0) {
                    relation.order(*size, *next);
                }
            }
        }
        see(events, side, seen, Tie::Sync, relation);
    }
}

/// Each of `looks` took in, or failed for, the first of `sources`, as many as stand with it.
fn see(events: &[&Event], sources: &[usize], mut looks: Vec<(usize, usize)>, tie: Tie, relation: &mut Relation) {
    looks.sort_unstable();
    // The last of each process stands for those before it.
    let mut latest: BTreeMap<ProcessId, usize> = BTreeMap::new();
    let mut taken = 0;
    for (count, look) in looks {
        let count = count.min(sources.len());
        for source in &sources[taken..count] {
            latest.insert(events[*source].id.process(), *source);
        }
        taken = count;
        relation.edges.extend(latest.values().map(|source| Edge::new(*source as u32, look as u32, tie)));
    }
}

fn is_done(event: &Event, verb: &str) -> bool {
    event.verb == verb && event.outcome.is_ok()
}

fn places(events: &[&Event], verb: &str) -> Vec<usize> {
    (0..events.len()).filter(|at| is_done(events[*at], verb)).collect()
}

/// Each `done` counts on from the one before; a `wait` returns when the last is counted.
fn draw_dones(events: &[&Event], relation: &mut Relation) {
    let mut dones: Vec<usize> = places(events, DONE);
    dones.sort_by_key(|at| events[*at].ticket);
    for pair in dones.windows(2) {
        relation.sync(pair[0], pair[1]);
    }
    for wait in places(events, WAIT) {
        let seen = dones.partition_point(|done| events[*done].ticket <= events[wait].ticket);
        if seen > 0 {
            relation.sync(dones[seen - 1], wait);
        }
    }
}

/// Whether a message without a recorded `get` was put by a process that later put one of the same priority that was
/// got.
fn is_lost(events: &[&Event], received: &HashSet<usize>, puts: &[usize]) -> bool {
    let source = |at: usize| (events[at].id.process(), events[at].second.as_int());
    let mut last: HashMap<(ProcessId, Option<i64>), u64> = HashMap::new();
    for put in received {
        let number = last.entry(source(*put)).or_default();
        *number = events[*put].id.number().max(*number);
    }
    puts.iter().filter(|at| !received.contains(at)).any(|at| {
        let number = events[*at].id.number();
        last.get(&source(*at)).is_some_and(|last| number < *last)
    })
}

/// A put goes into the room that the get as many places before it left as the queue has room for. Where each side is
/// numbered by itself, the numbers say which: some may be missing.
fn draw_room(events: &[&Event], gets: &[usize], puts: &[usize], capacity: u64, numbers: bool, relation: &mut Relation) {
    let mut rooms = gets.iter().peekable();
    for (at, put) in puts.iter().enumerate() {
        let place = if numbers { events[*put].own_place() } else { Some(at as u64 + 1) };
        let Some(needed) = place.and_then(|place| place.checked_sub(capacity)).filter(|needed| *needed > 0) else {
            continue;
        };
        let get = if numbers {
            while rooms.next_if(|get| events[**get].own_place() < Some(needed)).is_some() {}
            rooms.peek().copied().filter(|get| events[**get].own_place() == Some(needed))
        } else {
            gets.get(needed as usize - 1)
        };
        if let Some(get) = get.filter(|get| events[**get].begin <= events[*put].end) {
            relation.sync(*get, *put);
        }
    }
}
