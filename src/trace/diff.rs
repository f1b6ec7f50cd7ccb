//! Finds the first difference between two traces of one schedule.

use std::fmt;

use super::{RunEnd, Trace};
use crate::event::{Event, ObjectId, ProcessId};

/// What two traces do not have in common.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum What {
    /// The event at that place of [`Trace::events`], from 0.
    Event(usize),
    /// How a process ended.
    ProcessEnd(ProcessId),
    /// The last value of an object.
    Final(ObjectId),
    /// How the run ended.
    End,
    /// The blocked processes, and what they wait for.
    Stuck,
    /// How long the run took.
    Duration,
    /// What is known of the order between the events of one of them contradicts itself.
    Causality,
}

/// The first difference between two traces, and what each has there as Rust prints it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    pub what: What,
    /// What the first has; empty where it has nothing there.
    pub one: String,
    /// What the other has; empty where it has nothing there.
    pub other: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}\n  {}\n  {}", self.what, self.one, self.other)
    }
}

/// The first difference between two traces of one plan that were made along one schedule; none where they are the same,
/// times included. What those were doing that a run's time ran out for is not compared: engines tell it in other words.
pub fn difference(one: &Trace, other: &Trace) -> Option<Difference> {
    events(one, other).or_else(|| ends(one, other))
}

fn events(one: &Trace, other: &Trace) -> Option<Difference> {
    let most = one.events.len().max(other.events.len());
    (0..most).find_map(|at| {
        let (first, second) = (one.events.get(at), other.events.get(at));
        if let (Some(first), Some(second)) = (first, second)
            && same(first, second)
        {
            return None;
        }
        let words = |event: Option<&Event>| event.map_or_else(String::new, |event| format!("{event:?}"));
        Some(Difference { what: What::Event(at), one: words(first), other: words(second) })
    })
}

fn same(one: &Event, other: &Event) -> bool {
    one.id == other.id
        && (one.begin, one.end) == (other.begin, other.end)
        && (one.step, one.verb, one.target, one.element) == (other.step, other.verb, other.target, other.element)
        && (one.outcome, &one.value, &one.second) == (other.outcome, &other.value, &other.second)
        // The kernel counts more than a model has to.
        && (one.ticket == other.ticket || one.ticket == 0 || other.ticket == 0)
        && one.cause == other.cause
        && (one.blocked, one.implicit) == (other.blocked, other.implicit)
}

fn ends(one: &Trace, other: &Trace) -> Option<Difference> {
    let pair = |what, first: String, second: String| {
        (first != second).then_some(Difference { what, one: first, other: second })
    };
    let process = |at: usize| {
        let words = |trace: &Trace| trace.ends.get(at).map_or_else(String::new, |end| format!("{end:?}"));
        pair(What::ProcessEnd(at as ProcessId), words(one), words(other))
    };
    let last = |at: usize| {
        let words = |trace: &Trace| {
            trace.finals.get(at).and_then(Option::as_ref).map_or_else(String::new, |value| format!("{value:?}"))
        };
        pair(What::Final(at as ObjectId), words(one), words(other))
    };
    let end = |trace: &Trace| match &trace.end {
        RunEnd::Timeout(_) => "Timeout".to_owned(),
        RunEnd::Livelock(_) => "Livelock".to_owned(),
        end => format!("{end:?}"),
    };
    (0..one.ends.len().max(other.ends.len()))
        .find_map(process)
        .or_else(|| (0..one.finals.len().max(other.finals.len())).find_map(last))
        .or_else(|| pair(What::End, end(one), end(other)))
        .or_else(|| pair(What::Stuck, format!("{:?}", one.stuck), format!("{:?}", other.stuck)))
        .or_else(|| pair(What::Duration, one.duration.to_string(), other.duration.to_string()))
        .or_else(|| {
            let problems = |trace: &Trace| format!("{:?}", trace.causality.problems());
            pair(What::Causality, problems(one), problems(other))
        })
}
