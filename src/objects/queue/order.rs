//! The order of a queue's events.
//!
//! A queue in shared memory numbers everything that is done to it. A queue of the kernel does not, but what comes out
//! of it says much: of messages of one priority, the first in is the first out, so that both sides have the same
//! order. That order is exact where one process alone puts, or one alone gets; where several do both, it is one of
//! those that fit the times of all events.

use std::collections::HashMap;

use super::{DONE, GET, PUT, SIZE, WAIT};
use crate::event::{Event, EventId, ProcessId};
use crate::objects::Relation;

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
            relation.cause(*put, *get);
            passages.push(Passage { put: *put, get: *get });
        }
    }
    let whole = passages.len() == gets.len();
    if numbered.is_empty() {
        draw_kernel(events, capacity, passages, whole, relation);
    } else if let (Some(capacity), true) = (capacity, whole) {
        let in_order =
            |verb: &str| numbered.iter().copied().filter(|at| is_done(events[*at], verb)).collect::<Vec<_>>();
        draw_room(events, &in_order(GET), &in_order(PUT), capacity, true, relation);
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
        relation.cause(pair[0], pair[1]);
    }
    for wait in places(events, WAIT) {
        let seen = dones.partition_point(|done| events[*done].ticket <= events[wait].ticket);
        if seen > 0 {
            relation.cause(dones[seen - 1], wait);
        }
    }
}

/// The order of a queue of the kernel, which gives no numbers.
fn draw_kernel(events: &[&Event], capacity: Option<u64>, passages: Vec<Passage>, whole: bool, relation: &mut Relation) {
    let sole = |at: &dyn Fn(&Passage) -> usize| {
        let mut processes = passages.iter().map(|passage| events[at(passage)].id.process);
        processes.next().is_none_or(|first| processes.all(|process| process == first))
    };
    let (sole_putter, sole_getter) = (sole(&|passage| passage.put), sole(&|passage| passage.get));
    let mut classes: HashMap<i64, Vec<Passage>> = HashMap::new();
    for passage in passages {
        classes.entry(events[passage.put].second.as_int().unwrap_or(0)).or_default().push(passage);
    }
    let mut order = Vec::new();
    let mut priorities: Vec<i64> = classes.keys().copied().collect();
    priorities.sort_unstable();
    for priority in priorities {
        order = arrange(events, classes.get(&priority).map_or(&[], Vec::as_slice));
        for pair in order.windows(2) {
            for (first, second) in [(pair[0].put, pair[1].put), (pair[0].get, pair[1].get)] {
                if events[first].begin <= events[second].end {
                    relation.order(first, second);
                }
            }
        }
    }
    let Some(capacity) = capacity.filter(|_| whole) else { return };
    let all_puts = places(events, PUT);
    let single = all_puts.iter().all(|at| events[*at].second == events[all_puts[0]].second);
    if single {
        let received: Vec<usize> = order.iter().map(|passage| passage.put).collect();
        // What was never got was put after what was; unless a process was killed between getting and saying so.
        let mut puts = received.clone();
        let mut rest: Vec<usize> = {
            let received: std::collections::HashSet<usize> = received.into_iter().collect();
            all_puts.into_iter().filter(|at| !received.contains(at)).collect()
        };
        if is_lost(events, &order, &rest) {
            return;
        }
        rest.sort_by_key(|at| events[*at].end);
        puts.append(&mut rest);
        let gets: Vec<usize> = order.iter().map(|passage| passage.get).collect();
        draw_room(events, &gets, &puts, capacity, sole_putter || sole_getter, relation);
    } else if sole_putter && sole_getter {
        let mut puts = all_puts;
        let mut gets = places(events, GET);
        puts.sort_by_key(|at| events[*at].id.number);
        gets.sort_by_key(|at| events[*at].id.number);
        draw_room(events, &gets, &puts, capacity, true, relation);
    }
}

/// Whether a message that nobody says to have got was put by a process that later put one that was got.
fn is_lost(events: &[&Event], order: &[Passage], rest: &[usize]) -> bool {
    let mut last: HashMap<ProcessId, u64> = HashMap::new();
    for passage in order {
        let put = events[passage.put].id;
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
            relation.cause(*get, *put);
        } else {
            relation.order(*get, *put);
        }
    }
}

/// An order of the messages that both sides can have had: no message before another whose put, or whose get, had
/// ended when its own began.
fn arrange(events: &[&Event], passages: &[Passage]) -> Vec<Passage> {
    let count = passages.len();
    let sorted = |key: &dyn Fn(&Passage) -> u64| {
        let mut places: Vec<usize> = (0..count).collect();
        places.sort_by_key(|at| key(&passages[*at]));
        places
    };
    let by_begin = sorted(&|passage| events[passage.get].begin);
    let by_get_end = sorted(&|passage| events[passage.get].end);
    let by_put_end = sorted(&|passage| events[passage.put].end);
    let (mut begun, mut got, mut put) = (0, 0, 0);
    let mut taken = vec![false; count];
    // Those whose get had begun before the first get that is left had ended: one for each process at most.
    let mut open: Vec<usize> = Vec::new();
    let mut order = Vec::with_capacity(count);
    while order.len() < count {
        while taken[by_get_end[got]] {
            got += 1;
        }
        while taken[by_put_end[put]] {
            put += 1;
        }
        let (first_got, first_put) = (by_get_end[got], by_put_end[put]);
        let (get_end, put_end) = (events[passages[first_got].get].end, events[passages[first_put].put].end);
        while begun < count && (events[passages[by_begin[begun]].get].begin < get_end || by_begin[begun] == first_got) {
            open.push(by_begin[begun]);
            begun += 1;
        }
        let fits = |at: usize| at == first_put || events[passages[at].put].begin < put_end;
        let best = (0..open.len()).min_by_key(|at| {
            let passage = &passages[open[*at]];
            let get = events[passage.get];
            (!fits(open[*at]), get.end, get.id.process, get.id.number)
        });
        let next = match best {
            Some(best) => open.swap_remove(best),
            // An event without duration that began when another ended: it is the next all the same.
            None => first_got,
        };
        if !taken[next] {
            taken[next] = true;
            order.push(passages[next]);
        }
    }
    order
}
