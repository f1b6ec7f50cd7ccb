//! The run as the page's script reads it: one list a field of the events, by their places in the trace.
//!
//! Times are differences, values and names are numbers of tables, and a list of which all entries are equal is that one
//! entry, so that a hundred thousand events take few megabytes. `page/data.js` reads it.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use super::axis::{Folds, Kind};
use crate::event::{EventId, Target};
use crate::judge::{Status, Verdict};
use crate::report::view::statistics::ending;
use crate::report::view::timeline_model::{ArrowKind, Doing, Held, Lane, Shape, Spans, Track};
use crate::scenario::plan::Plan;
use crate::trace::file::value_json;
use crate::trace::{ProcessEnd, Trace};
use crate::value::Value;

/// The longest JSON of one value, in bytes: what is longer is cut, and says so.
const LONGEST: usize = 8 << 10;
/// The longest once the values together take more than [`TOGETHER`].
const SHORTEST: usize = 256;
/// From here on values are kept short.
const TOGETHER: usize = 8 << 20;

const BLOCKED: u8 = 1;
const IMPLICIT: u8 = 2;
const LONG: u8 = 4;
/// Causes of the event are causes of its effects.
const PASSING: u8 = 8;

/// The kinds of arrows, by the number they have in the data.
const ARROWS: [(ArrowKind, &str); 6] = [
    (ArrowKind::Message, "message"),
    (ArrowKind::HandOver, "hand-over"),
    (ArrowKind::Wake, "wake"),
    (ArrowKind::Start, "start"),
    (ArrowKind::End, "end"),
    (ArrowKind::Signal, "signal"),
];

/// A list, or its one entry where all are equal.
struct Column<T>(Vec<T>);

impl<T: Serialize + PartialEq> Serialize for Column<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.split_first() {
            Some((first, rest)) if rest.iter().all(|other| other == first) => first.serialize(serializer),
            _ => self.0.serialize(serializer),
        }
    }
}

/// Each number less the one before it.
fn differences(numbers: impl Iterator<Item = i64>) -> Column<i64> {
    let mut before = 0;
    Column(numbers.map(|number| number - std::mem::replace(&mut before, number)).collect())
}

#[derive(Serialize)]
struct Events {
    process: Column<u32>,
    begin: Column<i64>,
    took: Column<u64>,
    step: Column<i64>,
    verb: Column<u32>,
    target: Column<i64>,
    outcome: Column<u32>,
    value: Column<u32>,
    second: Column<u32>,
    ticket: Column<u64>,
    cause: Column<u64>,
    flags: Column<u8>,
}

#[derive(Serialize)]
struct Edges {
    count: usize,
    to: Column<i64>,
    back: Column<i64>,
}

#[derive(Serialize)]
struct Data<'a> {
    count: usize,
    duration: u64,
    processes: Vec<&'a str>,
    ends: Vec<Json>,
    objects: Vec<Json>,
    steps: Vec<(usize, usize)>,
    events: Events,
    elements: Vec<(usize, u32)>,
    seqs: Vec<(usize, u64)>,
    ranks: Vec<(usize, u32)>,
    #[serde(rename = "lostCauses")]
    lost_causes: Vec<(usize, u32, u64)>,
    edges: Edges,
    arrows: Vec<(usize, usize, usize, bool)>,
    #[serde(rename = "arrowKinds")]
    arrow_kinds: Vec<&'static str>,
    holds: Vec<(u32, i64, usize, i64, u64, u64)>,
    open: Vec<(u32, u64, u64, String, i64)>,
    tracks: Vec<Json>,
    witnesses: Vec<usize>,
    axis: &'static str,
    folds: &'a [(u64, u64)],
    #[serde(rename = "foldWidth")]
    fold_width: u64,
    verbs: Vec<&'static str>,
    outcomes: Vec<String>,
    values: Vec<String>,
}

/// The numbers of things in the order in which they are first met.
struct Numbers<K, V> {
    places: HashMap<K, u32>,
    all: Vec<V>,
}

impl<K: std::hash::Hash + Eq + Clone, V> Numbers<K, V> {
    fn of(first: Vec<(K, V)>) -> Self {
        let mut numbers = Self { places: HashMap::new(), all: Vec::new() };
        for (key, value) in first {
            numbers.get(&key, || value);
        }
        numbers
    }

    fn get(&mut self, key: &K, make: impl FnOnce() -> V) -> u32 {
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        let place = self.all.len() as u32;
        self.places.insert(key.clone(), place);
        self.all.push(make());
        place
    }
}

/// The JSON of the script element.
pub(super) fn json(
    plan: &Plan,
    trace: &Trace,
    verdict: &Verdict,
    spans: &Spans,
    folds: &Folds,
    axis: Kind,
) -> serde_json::Result<String> {
    let mut verbs: Numbers<&'static str, &'static str> = Numbers::of(Vec::new());
    let mut outcomes = Numbers::of(vec![(crate::outcome::Outcome::OK, "ok".to_owned())]);
    let mut values = Numbers::of(vec![(Value::Null, "null".to_owned())]);
    let mut length = 0;
    let mut number = |value: &Value| {
        values.get(value, || {
            let text = value_text(value, if length > TOGETHER { SHORTEST } else { LONGEST });
            length += text.len();
            text
        })
    };
    let places: HashMap<EventId, usize> = trace.events.iter().map(|event| event.id).zip(0..).collect();
    let events = &trace.events;
    let cause_of = |at: usize| events[at].cause.and_then(|id| places.get(&id)).map_or(0, |place| *place as u64 + 1);
    let columns = Events {
        process: Column(events.iter().map(|event| event.id.process()).collect()),
        begin: differences(events.iter().map(|event| event.begin as i64)),
        took: Column(events.iter().map(crate::event::Event::duration).collect()),
        step: Column(events.iter().map(|event| event.step.map_or(-1, i64::from)).collect()),
        verb: Column(events.iter().map(|event| verbs.get(&event.verb, || event.verb)).collect()),
        target: Column(
            events
                .iter()
                .map(|event| match event.target {
                    Target::None => 0,
                    Target::Object(id) => i64::from(id) + 1,
                    Target::Process(id) => -1 - i64::from(id),
                })
                .collect(),
        ),
        outcome: Column(events.iter().map(|event| outcomes.get(&event.outcome, || event.outcome.name())).collect()),
        value: Column(events.iter().map(|event| number(&event.value)).collect()),
        second: Column(events.iter().map(|event| number(&event.second)).collect()),
        ticket: Column(events.iter().map(|event| event.ticket).collect()),
        cause: Column((0..events.len()).map(cause_of).collect()),
        flags: Column(flags(trace, spans)),
    };
    let ordinals = ordinals(trace);
    let data = Data {
        count: events.len(),
        duration: trace.duration,
        processes: plan.processes.iter().map(|process| process.name.as_str()).collect(),
        ends: spans.lanes.iter().map(end).collect(),
        objects: (0..)
            .zip(&plan.objects)
            .map(|(id, object)| json!({ "name": object.name, "kind": plan.kind(id).name }))
            .collect(),
        steps: plan.steps.iter().map(|step| lines(plan, step)).collect(),
        events: columns,
        elements: events.iter().enumerate().filter_map(|(at, event)| Some((at, event.element.get()?))).collect(),
        seqs: (0..)
            .zip(events)
            .filter(|(at, event)| event.id.number() != u64::from(ordinals[*at].0))
            .map(|(at, event)| (at, event.id.number()))
            .collect(),
        ranks: ordinals
            .iter()
            .enumerate()
            .filter(|(_, (number, rank))| number != rank)
            .map(|(at, (_, rank))| (at, *rank))
            .collect(),
        lost_causes: (0..)
            .zip(events)
            .filter_map(|(at, event)| {
                event.cause.filter(|id| !places.contains_key(id)).map(|id| (at, id.process(), id.number()))
            })
            .collect(),
        edges: edges(trace),
        arrows: spans
            .arrows
            .iter()
            .map(|arrow| {
                (
                    arrow.from,
                    arrow.to,
                    ARROWS.iter().position(|(kind, _)| *kind == arrow.kind).unwrap_or(0),
                    arrow.certain,
                )
            })
            .collect(),
        arrow_kinds: ARROWS.iter().map(|(_, word)| *word).collect(),
        holds: holds(plan, spans),
        open: open(plan, trace, spans),
        tracks: spans.tracks.iter().map(track).collect(),
        witnesses: witnesses(verdict),
        axis: axis.name(),
        folds: &folds.all,
        fold_width: folds.width,
        verbs: verbs.all,
        outcomes: outcomes.all,
        values: values.all,
    };
    serde_json::to_string(&data)
}

/// The JSON of a value, cut where it is very long.
fn value_text(value: &Value, longest: usize) -> String {
    let text = value_json(value).to_string();
    if text.len() <= longest {
        return text;
    }
    let start: String = text.chars().take(longest / 4).collect();
    json!({ "$cut": start, "length": text.len() }).to_string()
}

fn flags(trace: &Trace, spans: &Spans) -> Vec<u8> {
    let mut flags: Vec<u8> = trace
        .events
        .iter()
        .enumerate()
        .map(|(at, event)| {
            let passing = if trace.causality.passes_on(at) { PASSING } else { 0 };
            passing | if event.blocked { BLOCKED } else { 0 } | if event.implicit { IMPLICIT } else { 0 }
        })
        .collect();
    for span in spans.lanes.iter().flat_map(|lane| &lane.spans) {
        if let (Some(at), Doing::Sleeping | Doing::Computing) = (span.event, span.doing) {
            flags[at] |= LONG;
        }
    }
    flags
}

/// For each event its number among its process's events, and among the begins of them: an event that began before
/// others of its process and ended after them comes first among those.
fn ordinals(trace: &Trace) -> Vec<(u32, u32)> {
    let processes =
        trace.ends.len().max(trace.events.iter().map(|event| event.id.process() as usize + 1).max().unwrap_or(0));
    let mut lanes: Vec<Vec<usize>> = vec![Vec::new(); processes];
    for (at, event) in trace.events.iter().enumerate() {
        lanes[event.id.process() as usize].push(at);
    }
    let mut all = vec![(0, 0); trace.events.len()];
    for lane in lanes {
        for (number, at) in (0..).zip(&lane) {
            all[*at] = (number, trace.causality.rank(*at).unwrap_or(number));
        }
    }
    all
}

/// The causes between processes. Those within one say no more than its order does.
fn edges(trace: &Trace) -> Edges {
    let mut all: Vec<(i64, i64)> = Vec::new();
    for (to, event) in trace.events.iter().enumerate() {
        for from in trace.causality.causes(to) {
            if trace.events[*from as usize].id.process() != event.id.process() {
                all.push((to as i64, i64::from(*from)));
            }
        }
    }
    Edges {
        count: all.len(),
        back: Column(all.iter().map(|(to, from)| to - from).collect()),
        to: differences(all.into_iter().map(|(to, _)| to)),
    }
}

/// How a process ended, and when.
fn end(lane: &Lane) -> Json {
    let bad = match lane.ended {
        ProcessEnd::Exited(code) => code != 0,
        ProcessEnd::Killed(_) | ProcessEnd::Crashed(_) => true,
        ProcessEnd::NotStarted | ProcessEnd::Stopped => false,
    };
    let left = lane.spans.last().is_some_and(|span| span.event.is_none() && span.doing == Doing::Blocked);
    json!({ "text": ending(lane.ended), "bad": bad, "open": left, "at": lane.end })
}

/// The first and the last line of a step.
fn lines(plan: &Plan, step: &crate::scenario::plan::Step) -> (usize, usize) {
    let more = plan.source.slice(&step.span).matches('\n').count();
    (step.line, step.line + more)
}

/// What was held: process, object (sections have numbers below 0), the events, from when and until when.
fn holds(plan: &Plan, spans: &Spans) -> Vec<(u32, i64, usize, i64, u64, u64)> {
    let mut sections: Numbers<&str, ()> = Numbers::of(Vec::new());
    let mut all = Vec::new();
    for lane in &spans.lanes {
        for hold in &lane.holds {
            let what = match &hold.what {
                Held::Object(id) => i64::from(*id),
                Held::Section(label) => {
                    -1 - plan.objects.len() as i64 - i64::from(sections.get(&label.as_str(), || ()))
                }
            };
            let to = hold.to.map_or(-1, |to| to as i64);
            all.push((lane.process, what, hold.from, to, hold.begin, hold.end));
        }
    }
    all
}

/// Steps that never ended, and stretches of which nothing was recorded: process, from, to, words, step.
fn open(plan: &Plan, trace: &Trace, spans: &Spans) -> Vec<(u32, u64, u64, String, i64)> {
    let unfinished = Spans::unfinished(trace);
    let mut all = Vec::new();
    for lane in &spans.lanes {
        for span in &lane.spans {
            let waiting = span.waiting.and_then(|at| unfinished.get(at));
            let (words, step) = match (waiting, span.doing) {
                (Some(waiting), _) => {
                    let words = format!("{} {}", waiting.verb, plan.target_name(waiting.target));
                    (words.trim_end().to_owned(), waiting.step.map_or(-1, i64::from))
                }
                (None, Doing::Unrecorded) if span.event.is_none() => ("unrecorded".to_owned(), -1),
                _ => continue,
            };
            all.push((lane.process, span.begin, span.end, words, step));
        }
    }
    all
}

fn track(track: &Track) -> Json {
    let shape = match track.shape {
        Shape::Number => "number",
        Shape::Owner => "owner",
        Shape::Text => "text",
    };
    let values: Vec<Json> = track
        .levels
        .iter()
        .map(|level| match track.shape {
            Shape::Number => json!(level.number),
            Shape::Owner => json!(level.owner),
            Shape::Text => json!(crate::report::terminal::style::value(&level.value, 80)),
        })
        .collect();
    let mut before = 0;
    let at: Vec<u64> =
        track.levels.iter().map(|level| level.at - std::mem::replace(&mut before, level.at).min(level.at)).collect();
    let event: Vec<i64> = track.levels.iter().map(|level| level.event.map_or(-1, |at| at as i64)).collect();
    json!({ "object": track.object, "shape": shape, "limit": track.limit, "at": at, "event": event, "values": values })
}

/// The events that decide what failed.
fn witnesses(verdict: &Verdict) -> Vec<usize> {
    let failed = verdict.findings.iter().filter(|judged| judged.status == Status::Fail);
    let mut all: Vec<usize> = failed.flat_map(|judged| judged.finding.witnesses.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}
