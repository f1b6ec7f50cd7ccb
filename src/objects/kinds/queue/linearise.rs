//! An order of a queue's messages, where the queue gives no numbers: one that the times of all events allow.
//!
//! No message stands before another whose put, or whose get, had ended when its own began. In a queue with room for
//! `capacity` messages, each put also needs that the get `capacity` places before it had begun by its end. That is a
//! schedule: a message that takes a place sets a deadline, `capacity` places later, for all whose puts ended before
//! its get began. The later its get began, the more of them, so among those that may be next the one with the
//! earliest get is taken, unless a deadline presses. Deadlines come in the order of the ends of puts.

use std::collections::VecDeque;

/// When a message can have gone in, and out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    put: (u64, u64),
    get: (u64, u64),
}

impl Span {
    /// A message whose put and get had these begins and ends.
    pub(super) fn passed(put: (u64, u64), get: (u64, u64)) -> Self {
        let (put, get) = (widen(put), widen(get));
        Self { put: (put.0, put.1.min(get.1).max(put.0)), get: (get.0.max(put.0), get.1) }
    }

    /// A message that no process got.
    pub(super) fn left(put: (u64, u64)) -> Self {
        Self { put: widen(put), get: (u64::MAX, u64::MAX) }
    }
}

/// A begin and an end in half units, so that what ends when another begins, as steps of one process do, ends before.
fn widen((begin, end): (u64, u64)) -> (u64, u64) {
    let begin = 2 * begin + 1;
    (begin, begin.max(2 * end))
}

/// For all that are left and whose puts ended before `before`, there are that many places more than they need.
struct Deadline {
    before: u64,
    spare: i64,
}

/// The order, as places in `spans`. Where no order fits, it is one that nearly does.
pub(super) fn arrange(spans: &[Span], capacity: Option<u64>) -> Vec<usize> {
    let spans = &tighten(spans);
    let sorted = |key: &dyn Fn(&Span) -> (u64, u64)| {
        let mut places: Vec<usize> = (0..spans.len()).collect();
        places.sort_by_key(|at| (key(&spans[*at]), *at));
        places
    };
    let by_begin = sorted(&|span| (span.get.0, span.get.1));
    let by_get = sorted(&|span| (span.get.1, span.get.0));
    let by_put = sorted(&|span| (span.put.1, span.put.0));
    let (mut begun, mut got, mut put) = (0, 0, 0);
    let mut taken = vec![false; spans.len()];
    // Those whose get had begun before the first get that is left had ended: one for each process at most.
    let mut open: Vec<usize> = Vec::new();
    let mut deadlines: VecDeque<Deadline> = VecDeque::new();
    let mut order = Vec::with_capacity(spans.len());
    while order.len() < spans.len() {
        while taken[by_get[got]] {
            got += 1;
        }
        while taken[by_put[put]] {
            put += 1;
        }
        let (get_end, put_end) = (spans[by_get[got]].get.1, spans[by_put[put]].put.1);
        while begun < spans.len() && (spans[by_begin[begun]].get.0 <= get_end) {
            open.extend(Some(by_begin[begun]).filter(|at| !taken[*at]));
            begun += 1;
        }
        while deadlines.front().is_some_and(|deadline| deadline.before <= put_end) {
            deadlines.pop_front();
        }
        let pressing =
            deadlines.iter().find(|deadline| deadline.spare <= 0).map_or(u64::MAX, |deadline| deadline.before);
        // How many of those that are left a message would press, were it the next.
        let pressed = |at: usize| {
            let before = spans[at].get.0;
            let left = by_put[put..].iter().take_while(|other| spans[**other].put.1 < before);
            left.filter(|other| **other != at && !taken[**other]).count() as u64
        };
        let best = (0..open.len()).min_by_key(|place| {
            let (at, span) = (open[*place], &spans[open[*place]]);
            let crowds = capacity.is_some_and(|capacity| pressed(at) >= capacity);
            (span.put.0 > put_end, span.put.1 >= pressing, crowds, span.get.0, span.put.1)
        });
        // Times that contradict one another leave nothing open: then it goes by the ends of the gets.
        let next = best.map_or(by_get[got], |best| open.swap_remove(best));
        if let Some(capacity) = capacity {
            press(&mut deadlines, &spans[next], capacity as i64 - 1 - pressed(next) as i64);
        }
        taken[next] = true;
        order.push(next);
    }
    order
}

/// Takes from each span what the order on the other side rules out: what comes out before goes in before.
fn tighten(spans: &[Span]) -> Vec<Span> {
    const ROUNDS: usize = 16;
    let mut spans = spans.to_vec();
    for _ in 0..ROUNDS {
        let mut changed = false;
        let puts = |span: &Span| span.put;
        let gets = |span: &Span| span.get;
        let ends = earliest(&spans, gets, |span| span.put.1);
        for (span, end) in spans.iter_mut().zip(ends) {
            changed |= end < span.put.1;
            span.put.1 = span.put.1.min(end);
        }
        let ends = earliest(&spans, puts, |span| span.get.1);
        for (span, end) in spans.iter_mut().zip(ends) {
            changed |= end < span.get.1;
            span.get.1 = span.get.1.min(end);
        }
        let begins = latest(&spans, gets, |span| span.put.0);
        for (span, begin) in spans.iter_mut().zip(begins) {
            changed |= begin > span.put.0;
            span.put.0 = span.put.0.max(begin);
        }
        let begins = latest(&spans, puts, |span| span.get.0);
        for (span, begin) in spans.iter_mut().zip(begins) {
            changed |= begin > span.get.0;
            span.get.0 = span.get.0.max(begin);
        }
        if !changed {
            break;
        }
    }
    spans
}

/// For each span, the least of a value among those whose part begins after its own has ended.
fn earliest(spans: &[Span], part: impl Fn(&Span) -> (u64, u64), value: impl Fn(&Span) -> u64) -> Vec<u64> {
    let mut later: Vec<(u64, u64)> = spans.iter().map(|span| (part(span).0, value(span))).collect();
    later.sort_unstable();
    for at in (1..later.len()).rev() {
        later[at - 1].1 = later[at - 1].1.min(later[at].1);
    }
    let least = |span: &Span| later.get(later.partition_point(|(begin, _)| *begin <= part(span).1)).copied();
    spans.iter().map(|span| least(span).map_or(u64::MAX, |(_, value)| value)).collect()
}

/// For each span, the greatest of a value among those whose part has ended before its own begins.
fn latest(spans: &[Span], part: impl Fn(&Span) -> (u64, u64), value: impl Fn(&Span) -> u64) -> Vec<u64> {
    let mut sooner: Vec<(u64, u64)> = spans.iter().map(|span| (part(span).1, value(span))).collect();
    sooner.sort_unstable();
    for at in 1..sooner.len() {
        sooner[at].1 = sooner[at].1.max(sooner[at - 1].1);
    }
    let greatest = |span: &Span| {
        let count = sooner.partition_point(|(end, _)| *end < part(span).0);
        count.checked_sub(1).map_or(0, |last| sooner[last].1)
    };
    spans.iter().map(greatest).collect()
}

/// Counts the place that a message has taken, and sets its own deadline, which leaves that many places to spare.
fn press(deadlines: &mut VecDeque<Deadline>, taken: &Span, spare: i64) {
    for deadline in deadlines.iter_mut().take_while(|deadline| deadline.before <= taken.put.1) {
        deadline.spare -= 1;
    }
    let before = taken.get.0;
    if deadlines.back().is_none_or(|last| last.before < before) {
        deadlines.push_back(Deadline { before, spare });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether an order keeps to what it should, pair by pair.
    fn fits(spans: &[Span], order: &[usize], capacity: usize) -> bool {
        let pairs = |distance: usize| {
            (0..order.len()).flat_map(move |at| (at + distance..order.len()).map(move |later| (at, later)))
        };
        pairs(1).all(|(at, later)| {
            let (first, second) = (&spans[order[at]], &spans[order[later]]);
            first.put.0 <= second.put.1 && first.get.0 <= second.get.1
        }) && pairs(capacity).all(|(at, later)| spans[order[at]].get.0 <= spans[order[later]].put.1)
    }

    /// Numbers that look random.
    fn draw(state: &mut u64, below: u64) -> u64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) % below
    }

    #[test]
    fn an_order_that_can_have_been_is_found() {
        for seed in 0..3000 {
            let mut state = seed;
            let capacity = 1 + draw(&mut state, 5) as usize;
            let width = 1 + draw(&mut state, 60);
            let (mut queued, mut spans, mut now) = (VecDeque::new(), Vec::new(), 1000);
            let mut puts = 40;
            // A queue that is put to and got from at single moments, each within an event that took longer.
            while puts > 0 || !queued.is_empty() {
                now += 1 + draw(&mut state, 10);
                let event = (now - draw(&mut state, width), now + draw(&mut state, width));
                let gets = queued.len() == capacity || puts == 0 || draw(&mut state, 2) == 0;
                match queued.pop_front() {
                    Some(put) if gets => spans.push(Span::passed(put, event)),
                    front => {
                        queued.extend(front);
                        queued.rotate_right(usize::from(queued.len() > 1 && front.is_some()));
                        if puts > 0 && queued.len() < capacity {
                            queued.push_back(event);
                            puts -= 1;
                        }
                    }
                }
                if puts == 0 && draw(&mut state, 30) == 0 {
                    break;
                }
            }
            spans.extend(queued.into_iter().map(Span::left));
            let order = arrange(&spans, Some(capacity as u64));
            assert_eq!(order.len(), spans.len());
            assert!(fits(&spans, &order, capacity), "seed {seed}: {order:?} of {spans:?}, capacity {capacity}");
        }
    }
}
