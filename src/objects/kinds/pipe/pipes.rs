//! The pipes that a fifo was, one after another: from the first open to the last close.

use std::collections::HashMap;

use super::replay::Hold;
use super::{CLOSE, OPEN, Pipe, opening};
use crate::event::{Event, ProcessId};
use crate::objects::Relation;
use crate::objects::causality::happens_before::{Edge, is_end};
use crate::outcome::Outcome;

/// One of them: its events, and for each end what held it, by the places of events among all.
#[derive(Default)]
struct One {
    events: Vec<usize>,
    holds: [Vec<Hold>; 2],
}

/// What a process has of it, as its events are looked through.
#[derive(Default)]
struct Own {
    /// The number of the pipe whose ends it opened last.
    number: u64,
    /// By end, the place of its hold among those of the pipe, and whether it waits for the other side.
    held: [Option<(usize, bool)>; 2],
}

impl Pipe {
    /// Draws the edges of a fifo's events.
    pub(super) fn draw_opened(&self, events: &[&Event], relation: &mut Relation) {
        let pipes = pipes(events, relation);
        let opens = relation.by_ticket(events, |event| matches!(event.verb, OPEN | CLOSE));
        for at in opens {
            draw_open(events, at, &pipes, relation);
        }
        for at in (0..events.len()).filter(|at| events[*at].outcome == Outcome::from_errno(libc::ENXIO)) {
            let Some(pipe) = pipes.get(&opening::number(events[at].ticket)) else { continue };
            for closing in pipe.holds[0].iter().filter_map(|hold| hold.closing) {
                if events[closing].begin <= events[at].end {
                    relation.reads(closing, at);
                }
            }
        }
        for pipe in pipes.values() {
            let own: Vec<&Event> = pipe.events.iter().map(|at| events[*at]).collect();
            let ends = pipe.events.iter().map(|at| relation.end(*at)).collect();
            let mut of = Relation { settled: relation.settled, ends, ..Relation::default() };
            let place = |at: usize| pipe.events.binary_search(&at).ok();
            let holds = pipe.holds.each_ref().map(|holds| {
                let within =
                    |hold: &Hold| Hold { open: hold.open.and_then(place), closing: hold.closing.and_then(place) };
                holds.iter().map(within).collect()
            });
            self.draw_one(&own, &holds, &mut of);
            let all = |at: u32| pipe.events[at as usize] as u32;
            relation.edges.extend(of.edges.iter().map(|edge| Edge::new(all(edge.from), all(edge.to()), edge.tie())));
            relation.lasting.extend(of.lasting.iter().map(|at| pipe.events[*at]));
        }
    }
}

/// The pipes, by their numbers.
fn pipes(events: &[&Event], relation: &Relation) -> HashMap<u64, One> {
    let mut pipes: HashMap<u64, One> = HashMap::new();
    let mut processes: HashMap<ProcessId, Own> = HashMap::new();
    for (at, event) in events.iter().enumerate() {
        let own = processes.entry(event.id.process()).or_default();
        let end = usize::from(relation.end(at));
        let waits = event.implicit && event.outcome == Outcome::WOULD_BLOCK;
        let opens = event.verb == OPEN && (event.outcome.is_ok() || waits);
        if opens {
            own.number = opening::number(event.ticket);
        }
        let Some(pipe) = (own.number > 0).then(|| pipes.entry(own.number).or_default()) else { continue };
        pipe.events.push(at);
        let holds = &mut pipe.holds;
        match own.held[end] {
            None if opens => {
                own.held[end] = Some((holds[end].len(), waits));
                holds[end].push(Hold { open: Some(at), closing: None });
            }
            Some((hold, true)) if event.verb == OPEN => {
                own.held[end] = event.outcome.is_ok().then_some((hold, false));
                // It was held while it waited.
                holds[end][hold].closing = (!event.outcome.is_ok()).then_some(at);
            }
            Some((hold, false)) if event.verb == CLOSE && event.outcome.is_ok() => {
                own.held[end] = None;
                holds[end][hold].closing = Some(at);
            }
            _ if is_end(event) => {
                for (end, held) in own.held.iter_mut().enumerate() {
                    if let Some((hold, _)) = held.take() {
                        holds[end][hold].closing = Some(at);
                    }
                }
            }
            _ => {}
        }
    }
    pipes
}

/// An open that completes at once comes after every open of the other side that is held then, or waits. What a wait ended for
/// is the event's cause.
fn draw_open(events: &[&Event], at: usize, pipes: &HashMap<u64, One>, relation: &mut Relation) {
    let event = events[at];
    let Some(pipe) = pipes.get(&opening::number(event.ticket)).filter(|_| event.verb == OPEN && event.outcome.is_ok())
    else {
        return;
    };
    let (end, ticket) = (usize::from(relation.end(at)), event.own_place());
    if pipe.holds[end].iter().all(|hold| hold.open != Some(at)) {
        return;
    }
    for hold in &pipe.holds[1 - end] {
        let open = hold.open.filter(|open| events[*open].own_place() < ticket);
        let held = hold.closing.is_none_or(|closing| match events[closing].own_place() {
            Some(place) => Some(place) > ticket,
            None if relation.settled => events[closing].end > event.end,
            None => events[closing].end > event.begin,
        });
        if let (Some(open), true) = (open, held) {
            relation.sync(open, at);
        }
    }
}
