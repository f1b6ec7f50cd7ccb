//! The order of a queue's events.
//!
//! A queue in shared memory numbers everything that is done to it. A queue of the kernel does not, but what comes out
//! of it says much: of messages of one priority, the first in is the first out, so that both sides have the same
//! order. That order is exact where one process alone puts, or one alone gets; where several do both, it is one of
//! those that fit the times of all events.

use std::collections::{HashMap, HashSet};

use super::linearise::{Span, arrange};
use super::{DONE, GET, PUT, SIZE, WAIT};
use crate::event::{Event, EventId, ProcessId};
use crate::objects::Relation;
use crate::objects::causality::happens_before::{Tie, gave_up};
use crate::value::Value;

/// A message that was put and got: the places of both events.
#[derive(Clone, Copy)]
struct Passage {
    put: usize,
    get: usize,
}

/// Draws the edges between a queue's events.
pub(super) fn draw(events: &[&Event], capacity: Option<u64>, relation: &mut Relation) {
    draw_dones(events, relation);
    let numbered = relation.by_ticket(events, |event| matches!(event.verb, PUT | GET | SIZE));
    let puts: HashMap<EventId, usize> = (0..events.len())
        .filter(|at| events[*at].verb == PUT && events[*at].outcome.is_ok())
        .map(|at| (events[at].id, at))
        .collect();
    let gets = places(events, GET);
    let mut passages = Vec::with_capacity(gets.len());
    for get in &gets {
        if let Some(put) = events[*get].cause.and_then(|cause| puts.get(&cause)) {
            relation.sync(*put, *get);
            passages.push(Passage { put: *put, get: *get });
        }
    }
    let whole = passages.len() == gets.len();
    let in_order = |verb: &str| -> Vec<usize> {
        let mut places = places(events, verb);
        if numbered.is_empty() {
            places.sort_by_key(|at| events[*at].end);
        } else {
            places.retain(|at| events[*at].ticket != 0);
            places.sort_by_key(|at| events[*at].ticket);
        }
        places
    };
    let (puts, gets) = (in_order(PUT), in_order(GET));
    if numbered.is_empty() && !relation.settled {
        draw_kernel(events, capacity, passages, whole, relation);
    } else if let (Some(capacity), true) = (capacity, whole) {
        draw_room(events, &gets, &puts, capacity, true, relation);
    }
    draw_looks(events, capacity, &puts, &gets, relation);
    if numbered.is_empty() && !relation.settled {
        draw_unreturned(events, &puts, &gets, relation);
    }
}

/// A `size` of a kernel's queue can count a message whose `put` has not returned yet. It does where it counts more
/// than the puts that had returned; then it comes after those that had begun.
fn draw_unreturned(events: &[&Event], puts: &[usize], gets: &[usize], relation: &mut Relation) {
    let sizes: Vec<usize> = places(events, SIZE);
    if sizes.is_empty() {
        return;
    }
    let returned = |of: &[usize]| -> Vec<u64> {
        let mut ends: Vec<u64> = of.iter().map(|at| events[*at].end).collect();
        ends.sort_unstable();
        ends
    };
    let (put_ends, get_ends) = (returned(puts), returned(gets));
    let mut by_process: HashMap<ProcessId, Vec<usize>> = HashMap::new();
    for at in puts {
        by_process.entry(events[*at].id.process).or_default().push(*at);
    }
    for list in by_process.values_mut() {
        list.sort_unstable_by_key(|at| events[*at].end);
    }
    for size in sizes {
        let Value::Int(counted) = events[size].value else { continue };
        let (begin, end) = (events[size].begin, events[size].end);
        let put = put_ends.partition_point(|at| *at <= end) as i64;
        let got = get_ends.partition_point(|at| *at <= begin) as i64;
        if counted <= put - got {
            continue;
        }
        for list in by_process.values() {
            let next = list.partition_point(|at| events[*at].end <= end);
            if let Some(at) = list.get(next).filter(|at| events[**at].begin < end) {
                relation.sync(*at, size);
            }
        }
    }
}

/// What asks for the size comes after all that went in and out before it. What failed for want of a message comes after
/// the last that took one, and what failed for want of room after those that filled it.
fn draw_looks(events: &[&Event], capacity: Option<u64>, puts: &[usize], gets: &[usize], relation: &mut Relation) {
    let key = |at: &usize| (events[*at].ticket, events[*at].end);
    let mut all: Vec<usize> = puts.iter().chain(gets).copied().collect();
    all.sort_by_key(key);
    relation.sees(events, &all, Tie::Sync, |event| is_done(event, SIZE));
    relation.fails(events, gets, 1, |event| event.verb == GET && gave_up(event));
    let room = capacity.map_or(0, |capacity| usize::try_from(capacity).unwrap_or(usize::MAX));
    relation.fails(events, puts, room, |event| event.verb == PUT && gave_up(event));
    relation.sees(events, puts, Tie::Reads, |event| event.verb == WAIT && gave_up(event));
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

/// The order of a queue of the kernel, which gives no numbers.
fn draw_kernel(events: &[&Event], capacity: Option<u64>, passages: Vec<Passage>, whole: bool, relation: &mut Relation) {
    let (all_puts, all_gets) = (places(events, PUT), places(events, GET));
    let sole = |places: &[usize]| {
        let mut processes = places.iter().map(|at| events[*at].id.process);
        processes.next().is_none_or(|first| processes.all(|process| process == first))
    };
    let (sole_putter, sole_getter) = (sole(&all_puts), sole(&all_gets));
    let mut classes: HashMap<i64, Vec<Passage>> = HashMap::new();
    for passage in passages {
        classes.entry(events[passage.put].second.as_int().unwrap_or(0)).or_default().push(passage);
    }
    let span = |at: usize| (events[at].begin, events[at].end);
    let passed = |passages: &[Passage]| -> Vec<Span> {
        passages.iter().map(|passage| Span::passed(span(passage.put), span(passage.get))).collect()
    };
    let single = all_puts.iter().all(|at| events[*at].second == events[all_puts[0]].second);
    let bound = capacity.filter(|_| whole);
    // What was never got was put after what was; unless a process was killed between getting and saying so.
    let received: HashSet<usize> = classes.values().flatten().map(|passage| passage.put).collect();
    let mut rest: Vec<usize> = all_puts.iter().copied().filter(|at| !received.contains(at)).collect();
    rest.sort_by_key(|at| events[*at].end);
    let sound = bound.filter(|_| single && !is_lost(events, &received, &rest));

    let mut priorities: Vec<i64> = classes.keys().copied().collect();
    priorities.sort_unstable();
    for priority in priorities {
        let class = classes.remove(&priority).unwrap_or_default();
        let mut spans = passed(&class);
        if sound.is_some() {
            spans.extend(rest.iter().map(|put| Span::left(span(*put))));
        }
        let order = arrange(&spans, sound);
        let puts: Vec<usize> = order
            .iter()
            .map(|at| class.get(*at).map_or_else(|| rest[at - class.len()], |passage| passage.put))
            .collect();
        let gets: Vec<usize> = order.iter().filter_map(|at| class.get(*at)).map(|passage| passage.get).collect();
        for pair in puts.windows(2).take(gets.len().saturating_sub(1)).chain(gets.windows(2)) {
            if events[pair[0]].begin <= events[pair[1]].end {
                relation.order(pair[0], pair[1]);
            }
        }
        if let Some(capacity) = sound {
            draw_room(events, &gets, &puts, capacity, sole_putter || sole_getter, relation);
        }
    }
    if let Some(capacity) = bound.filter(|_| !single && sole_putter && sole_getter) {
        let (mut puts, mut gets) = (all_puts, all_gets);
        puts.sort_by_key(|at| events[*at].id.number);
        gets.sort_by_key(|at| events[*at].id.number);
        draw_room(events, &gets, &puts, capacity, true, relation);
    }
}

/// Whether a message without a recorded `get` was put by a process that later put one that was got.
fn is_lost(events: &[&Event], received: &HashSet<usize>, rest: &[usize]) -> bool {
    let mut last: HashMap<ProcessId, u64> = HashMap::new();
    for put in received {
        let put = events[*put].id;
        let number = last.entry(put.process).or_default();
        *number = put.number.max(*number);
    }
    rest.iter().any(|at| {
        let put = events[*at].id;
        last.get(&put.process).is_some_and(|last| put.number < *last)
    })
}

/// A put goes into the room that the get as many places before it left as the queue has room for.
fn draw_room(events: &[&Event], gets: &[usize], puts: &[usize], capacity: u64, exact: bool, relation: &mut Relation) {
    for (get, put) in gets.iter().zip(puts.iter().skip(capacity as usize)) {
        if events[*get].begin > events[*put].end {
            continue;
        }
        if exact {
            relation.sync(*get, *put);
        } else {
            relation.order(*get, *put);
        }
    }
}
