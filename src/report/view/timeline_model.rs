//! The model of a timeline, for every renderer: lanes of processes, tracks of objects, arrows between events.
//!
//! It is a pure function of the plan and the trace, so a run on the kernel, a counterexample and a trace read back from
//! a file are drawn alike. Events are named by their places in [`Trace::events`], times are ns since the run began.
//!
//! - A [`Lane`] says what a process was doing at each time ([`Span`]), and what it held beside that ([`Hold`]).
//! - A [`Track`] is the value of an object over time: the permits left, the messages queued, the owner.
//! - An [`Arrow`] leads from an event to the event in another process that it unblocked: a message, a released permit.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::statistics::unfinished;
use crate::event::{EventId, ObjectId, ProcessId, Target};
use crate::objects::State;
use crate::objects::contract::verb_class::Effect;
use crate::objects::kinds::signals::HANDLED;
use crate::scenario::plan::Plan;
use crate::trace::{ProcessEnd, Ties, Trace};
use crate::value::Value;

/// An array with more elements than this has no track: its whole value at each event would be more than is seen.
const ELEMENTS: u32 = 64;

/// A run as it is drawn.
#[derive(Debug)]
pub struct Spans {
    /// One for each process, by [`ProcessId`].
    pub lanes: Vec<Lane>,
    /// One for each object that an event or a waiting process is about, by [`ObjectId`], ascending.
    pub tracks: Vec<Track>,
    /// By the place of the event they lead to, ascending.
    pub arrows: Vec<Arrow>,
    /// From the run's begin to its end.
    pub duration: u64,
}

/// A process over time.
#[derive(Debug)]
pub struct Lane {
    pub process: ProcessId,
    /// When it began; [`Lane::end`] where it never was.
    pub begin: u64,
    /// When it ended; the end of the run where it was left.
    pub end: u64,
    pub ended: ProcessEnd,
    /// What it was doing, in its order, without gaps or overlaps from `begin` to `end`. Those without length are left
    /// out but for steps: each step that was recorded has its span.
    pub spans: Vec<Span>,
    /// What it held, by when it began to.
    pub holds: Vec<Hold>,
}

/// What a process was doing from one time to another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Span {
    pub begin: u64,
    pub end: u64,
    /// What it was doing.
    pub doing: Doing,
    /// The step's event; none between steps, and for a step that never ended.
    pub event: Option<usize>,
    /// The step that never ended, by its place in [`unfinished`](Spans::unfinished).
    pub waiting: Option<usize>,
}

/// What a process was doing.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Doing {
    /// A step that had to wait for others.
    Blocked,
    /// A step that did not.
    Operation,
    /// `sleep`.
    Sleeping,
    /// `busy`, or between steps.
    Computing,
    /// Between steps of which not every one was recorded: those that were only counted, and the step that a process
    /// was in when it was killed.
    Unrecorded,
}

/// Something that a process held: from the end of the step that gave it to the begin of the one that gave it back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hold {
    pub what: Held,
    pub begin: u64,
    /// Until when; the end of its process where it never gave it back.
    pub end: u64,
    /// The event that gave it.
    pub from: usize,
    /// The event that took it away; none where it never gave it back.
    pub to: Option<usize>,
    /// How much: permits; 1 of what cannot be counted.
    pub amount: i64,
}

/// What can be held.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Held {
    /// An object: a lock, permits. An object that one process takes and another one gives back, as a signal, is held
    /// by none.
    Object(ObjectId),
    /// A section of that label, from `enter` to `leave`.
    Section(String),
}

/// The value of an object over time.
#[derive(Debug)]
pub struct Track {
    pub object: ObjectId,
    /// Its [`limit`](crate::objects::Object::limit), where it is in the unit of a track of numbers.
    pub limit: Option<i64>,
    /// What the values are.
    pub shape: Shape,
    /// Each value from its time on, by time; the first at 0. Neighbours differ.
    pub levels: Vec<Level>,
}

/// What the values of a track are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// Numbers: permits left, messages or bytes queued, processes waiting, a shared number; truth values are 0 and 1.
    Number,
    /// The owner's name, or null without an owner: [`Level::owner`].
    Owner,
    /// Anything else: a character, an array.
    Text,
}

/// The value that an object has from some time on.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// Since when. An event takes effect before any event that comes after it in the object's order has ended.
    pub at: u64,
    /// The event that made it so; none for the first value.
    pub event: Option<usize>,
    /// The value: `size(OBJECT)` where the kind has one, else what its name means in a state expression.
    pub value: Value,
    /// The value as a number, in a track of numbers.
    pub number: Option<f64>,
    /// The owner, in a track of owners.
    pub owner: Option<ProcessId>,
}

/// From an event to one of another process that it unblocked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Arrow {
    /// The event it leads from.
    pub from: usize,
    /// The event it leads to.
    pub to: usize,
    pub kind: ArrowKind,
    /// Whether the trace says so. Which of several releases unblocked a process cannot be known.
    pub certain: bool,
}

/// What an arrow stands for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ArrowKind {
    /// What the one sent, the other received.
    Message,
    /// What the one gave back, the other had waited for: a permit, a lock, room in a queue.
    HandOver,
    /// One unblocked the other: `notify`, `set`, the last arrival at a barrier.
    Wake,
    /// A process was started.
    Start,
    /// The end of a process, which another one waited for or saw.
    End,
    /// A signal that ended a process.
    Signal,
}

impl Spans {
    /// The picture of a run.
    pub fn new(plan: &Plan, trace: &Trace) -> Self {
        let objects = Objects::replay(plan, trace);
        let lanes = lanes(plan, trace, holds(plan, trace, &objects.amounts));
        let arrows = arrows(plan, trace, &objects.amounts);
        Self { lanes, tracks: objects.tracks, arrows, duration: trace.duration }
    }

    /// The processes that were in a step when the run ended without it, the daemons that they waited for last: what
    /// [`Span::waiting`] counts.
    pub fn unfinished(trace: &Trace) -> Vec<&crate::trace::Waiting> {
        unfinished(trace).iter().chain(&trace.daemons).collect()
    }

    /// The track of an object.
    pub fn track(&self, object: ObjectId) -> Option<&Track> {
        let at = self.tracks.binary_search_by_key(&object, |track| track.object).ok()?;
        self.tracks.get(at)
    }

    /// The span of the step that an event is, or is a part of.
    pub fn span_of(&self, trace: &Trace, place: usize) -> Option<&Span> {
        let event = trace.events.get(place)?;
        let spans = &self.lanes.get(event.id.process() as usize)?.spans;
        spans.iter().find(|span| span.event.is_some_and(|other| other >= place)).filter(|span| {
            span.event == Some(place) || event.implicit && span.begin <= event.begin && event.end <= span.end
        })
    }
}

impl Track {
    /// The value at a time.
    pub fn level(&self, time: u64) -> Option<&Level> {
        self.levels[..self.levels.partition_point(|level| level.at <= time)].last()
    }

    /// The least and the greatest number, the limit left out.
    pub fn range(&self) -> Option<(f64, f64)> {
        let numbers = self.levels.iter().filter_map(|level| level.number);
        numbers.fold(None, |range, number| match range {
            None => Some((number, number)),
            Some((low, high)) => Some((f64::min(low, number), f64::max(high, number))),
        })
    }
}

impl Arrow {
    /// When it leaves and when it arrives: at the ends of both events, but never back in time. A receiver that was
    /// woken often ends its step before the sender does.
    pub fn times(&self, trace: &Trace) -> (u64, u64) {
        let (from, to) = (&trace.events[self.from], &trace.events[self.to]);
        (from.end.min(to.end).max(from.begin.min(to.end)), to.end)
    }
}

/// What the events did to objects.
struct Objects {
    tracks: Vec<Track>,
    /// By how much an event changes what its process holds of its object; those that do not are not in it.
    amounts: HashMap<EventId, i64>,
}

/// A track that grows.
struct Growing<'a> {
    state: Box<dyn State + 'a>,
    levels: Vec<(Option<usize>, Value)>,
    recorded: bool,
}

impl Objects {
    fn replay(plan: &Plan, trace: &Trace) -> Self {
        let names = plan.process_names();
        let mut growing: BTreeMap<ObjectId, Growing<'_>> = BTreeMap::new();
        let mut amounts = HashMap::new();
        let grow = |object: ObjectId| {
            let planned = &plan.objects[object as usize].object;
            let state = planned.state();
            let recorded = planned.length().is_none_or(|length| length <= ELEMENTS);
            let levels = if recorded { vec![(None, seen(state.as_ref(), &names))] } else { Vec::new() };
            Growing { state, levels, recorded }
        };
        for (place, event) in trace.events.iter().enumerate() {
            let Target::Object(object) = event.target else { continue };
            let track = growing.entry(object).or_insert_with(|| grow(object));
            let before = track.state.size();
            track.state.apply(event);
            if let Some(sign) = plan.holding(event) {
                let size = before.zip(track.state.size()).map_or(0, |(before, after)| (after - before).abs());
                amounts.insert(event.id, sign * size.max(1));
            }
            if track.recorded {
                let value = seen(track.state.as_ref(), &names);
                if track.levels.last().is_none_or(|(_, last)| *last != value) {
                    track.levels.push((Some(place), value));
                }
            }
        }
        for waiting in unfinished(trace) {
            if let Target::Object(object) = waiting.target {
                growing.entry(object).or_insert_with(|| grow(object));
            }
        }
        let tracks = growing
            .into_iter()
            .filter(|(_, track)| track.recorded)
            .map(|(object, track)| finish(plan, trace, object, track.levels, &names))
            .collect();
        Self { tracks, amounts }
    }
}

/// What a track shows of a state.
fn seen(state: &dyn State, names: &[String]) -> Value {
    state.size().map_or_else(|| state.value(names), Value::Int)
}

fn finish(
    plan: &Plan,
    trace: &Trace,
    object: ObjectId,
    levels: Vec<(Option<usize>, Value)>,
    names: &[String],
) -> Track {
    let number = |value: &Value| match value {
        Value::Bool(set) => Some(f64::from(u8::from(*set))),
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    };
    // Only a track of owners can be empty.
    let owned = |value: &Value| matches!(value, Value::Null | Value::String(_));
    let shape = if levels.iter().all(|(_, value)| number(value).is_some()) {
        Shape::Number
    } else if levels.iter().all(|(_, value)| owned(value)) && levels.iter().any(|(_, value)| *value == Value::Null) {
        Shape::Owner
    } else {
        Shape::Text
    };
    let places: HashMap<&str, ProcessId> = match shape {
        Shape::Owner => names.iter().map(String::as_str).zip(0..).collect(),
        Shape::Number | Shape::Text => HashMap::new(),
    };
    let mut levels: Vec<Level> = levels
        .into_iter()
        .map(|(event, value)| Level {
            at: event.map_or(0, |place| trace.events[place].end),
            event,
            number: number(&value),
            owner: value.as_str().and_then(|name| places.get(name).copied()),
            value,
        })
        .collect();
    let mut latest = trace.duration;
    for level in levels.iter_mut().rev() {
        level.at = level.at.min(latest);
        latest = level.at;
    }
    let limit = plan.objects[object as usize].object.limit().filter(|_| shape == Shape::Number);
    Track { object, limit, shape, levels }
}

/// What each process held.
fn holds(plan: &Plan, trace: &Trace, amounts: &HashMap<EventId, i64>) -> Vec<Vec<Hold>> {
    let mut all: Vec<Vec<Hold>> = vec![Vec::new(); plan.processes.len()];
    // What each process holds now, by the places of the holds.
    let mut open: Vec<HashMap<Held, Vec<usize>>> = vec![HashMap::new(); plan.processes.len()];
    let mut signals = vec![false; plan.objects.len()];
    for (place, event) in trace.events.iter().enumerate() {
        let process = event.id.process() as usize;
        let (what, amount) = match (event.target, event.verb, event.second.as_str()) {
            (Target::Object(object), ..) => match amounts.get(&event.id) {
                Some(amount) => (Held::Object(object), *amount),
                None => continue,
            },
            (_, "enter", Some(label)) if event.outcome.is_ok() => (Held::Section(label.to_owned()), 1),
            (_, "leave", Some(label)) if event.outcome.is_ok() => (Held::Section(label.to_owned()), -1),
            _ => continue,
        };
        if amount > 0 {
            open[process].entry(what.clone()).or_default().push(all[process].len());
            all[process].push(Hold { what, begin: event.end, end: u64::MAX, from: place, to: None, amount });
            continue;
        }
        let held = open[process].entry(what.clone()).or_default();
        let mut left = -amount;
        while left > 0 {
            let Some(last) = held.last().copied() else {
                if let Held::Object(object) = what {
                    signals[object as usize] = true;
                }
                break;
            };
            let hold = &mut all[process][last];
            let end = event.begin.max(hold.begin);
            let part = left.min(hold.amount);
            left -= part;
            if part == hold.amount {
                (hold.end, hold.to) = (end, Some(place));
                held.pop();
            } else {
                // A part was given back: the rest is held on.
                hold.amount -= part;
                let given = Hold { end, to: Some(place), amount: part, ..hold.clone() };
                all[process].push(given);
            }
        }
    }
    for holds in &mut all {
        holds.retain(|hold| !matches!(hold.what, Held::Object(object) if signals[object as usize]));
        holds.sort_by_key(|hold| (hold.begin, hold.from));
    }
    all
}

/// A step that was begun, by the implicit events in it.
struct Begun {
    step: Option<crate::event::StepId>,
    begin: u64,
}

fn lanes(plan: &Plan, trace: &Trace, holds: Vec<Vec<Hold>>) -> Vec<Lane> {
    let mut of: Vec<Vec<usize>> = vec![Vec::new(); plan.processes.len()];
    for (place, event) in trace.events.iter().enumerate() {
        of[event.id.process() as usize].push(place);
    }
    let mut left: Vec<Option<usize>> = vec![None; plan.processes.len()];
    for (at, waiting) in Spans::unfinished(trace).iter().enumerate() {
        if waiting.step.is_some() {
            left[waiting.process as usize] = Some(at);
        }
    }
    (0..)
        .zip(of)
        .zip(holds)
        .map(|((process, places), holds)| lane(trace, process, &places, left[process as usize], holds))
        .collect()
}

fn lane(trace: &Trace, process: ProcessId, places: &[usize], left: Option<usize>, mut holds: Vec<Hold>) -> Lane {
    let ended = trace.ends.get(process as usize).copied().unwrap_or(ProcessEnd::NotStarted);
    let mut lane =
        Lane { process, begin: trace.duration, end: trace.duration, ended, spans: Vec::new(), holds: Vec::new() };
    let Some(first) = places.first() else {
        if ended != ProcessEnd::NotStarted && left.is_some() {
            lane.begin = 0;
        }
        wait(trace, &mut lane, left, None, None);
        return lane;
    };
    let first = &trace.events[*first];
    lane.begin = if first.step.is_none() { first.end } else { first.begin };
    let (mut now, mut begun) = (lane.begin, None::<Begun>);
    for place in places {
        let event = &trace.events[*place];
        if event.step.is_none() {
            // Its own begin and end. What lies before the end is between steps, or in a step that was never recorded.
            if event.verb == "end" {
                lane.end = event.begin.max(now).min(trace.duration.max(now));
            }
            continue;
        }
        if event.implicit {
            match &mut begun {
                Some(begun) if begun.step == event.step => {}
                _ => begun = Some(Begun { step: event.step, begin: event.begin }),
            }
            continue;
        }
        let begin = begun.take().filter(|begun| begun.step == event.step).map_or(event.begin, |begun| begun.begin);
        let (begin, end) = (begin.max(now), event.end.max(now));
        between(&mut lane.spans, now, begin, trace.whole);
        let doing = match event.verb {
            "sleep" => Doing::Sleeping,
            "busy" => Doing::Computing,
            _ if event.blocked => Doing::Blocked,
            _ => Doing::Operation,
        };
        lane.spans.push(Span { begin, end, doing, event: Some(*place), waiting: None });
        now = end;
    }
    lane.end = lane.end.max(now);
    wait(trace, &mut lane, left, Some(now), begun);
    let now = lane.spans.last().map_or(lane.begin, |span| span.end);
    // A process that was ended from outside may have been in a step.
    let by_itself = matches!(ended, ProcessEnd::Exited(_));
    between(&mut lane.spans, now, lane.end, trace.whole && by_itself);
    for hold in &mut holds {
        hold.end = hold.end.min(lane.end.max(hold.begin));
    }
    lane.holds = holds;
    lane
}

/// The step in which the process was when the run ended.
fn wait(trace: &Trace, lane: &mut Lane, left: Option<usize>, now: Option<u64>, begun: Option<Begun>) {
    let Some(at) = left else { return };
    let waiting = Spans::unfinished(trace)[at];
    let now = now.unwrap_or(lane.begin);
    // The step began with what was done in it before it came to wait.
    let begun = begun.filter(|begun| begun.step == waiting.step).map_or(waiting.since, |begun| begun.begin);
    let begin = waiting.since.min(begun).clamp(now, lane.end.max(now));
    between(&mut lane.spans, now, begin, trace.whole);
    let doing = match waiting.verb.as_str() {
        "sleep" => Doing::Sleeping,
        "busy" => Doing::Computing,
        _ => Doing::Blocked,
    };
    lane.spans.push(Span { begin, end: lane.end.max(begin), doing, event: None, waiting: Some(at) });
}

/// What lies between steps.
fn between(spans: &mut Vec<Span>, begin: u64, end: u64, recorded: bool) {
    if begin < end {
        let doing = if recorded { Doing::Computing } else { Doing::Unrecorded };
        spans.push(Span { begin, end, doing, event: None, waiting: None });
    }
}

/// What was released and not yet taken, of one object: by which event, none for the initial value.
type Given = VecDeque<Option<usize>>;

fn arrows(plan: &Plan, trace: &Trace, amounts: &HashMap<EventId, i64>) -> Vec<Arrow> {
    let sent: HashMap<EventId, usize> = {
        let wanted: std::collections::HashSet<EventId> = trace.events.iter().filter_map(|event| event.cause).collect();
        trace
            .events
            .iter()
            .zip(0..)
            .filter(|(event, _)| wanted.contains(&event.id))
            .map(|(event, at)| (event.id, at))
            .collect()
    };
    let mut given: HashMap<ObjectId, Given> = HashMap::new();
    let mut arrows = Vec::new();
    for (to, event) in trace.events.iter().enumerate() {
        let foreign = |from: &usize| trace.events[*from].id.process() != event.id.process();
        let causes = trace.causality.sources(to, Ties::Sync).filter(|from| foreign(from));
        let cause = event.cause.and_then(|id| sent.get(&id).copied()).filter(|from| foreign(from));
        if let (Target::Object(object), Some(amount)) = (event.target, amounts.get(&event.id)) {
            let given = given.entry(object).or_insert_with(|| {
                let first = plan.objects[object as usize].object.state().size().unwrap_or(1);
                vec![None; first.clamp(0, trace.events.len() as i64) as usize].into()
            });
            if let Some(from) = pass(trace, given, to, *amount) {
                let from = cause.unwrap_or(from);
                let mut earlier = causes.clone();
                let only = earlier.next() == Some(from) && earlier.next().is_none();
                arrows.push(Arrow { from, to, kind: ArrowKind::HandOver, certain: cause.is_some() || only });
                continue;
            }
        }
        let received = plan.effect(event) == Effect::Gets && event.outcome.is_ok();
        if received && cause.is_none() {
            // Without framing a receive may take what several sends put in.
            let sends = causes.filter(|from| plan.effect(&trace.events[*from]) == Effect::Puts);
            arrows.extend(sends.map(|from| Arrow { from, to, kind: ArrowKind::Message, certain: true }));
            continue;
        }
        let several = causes.clone().nth(1).is_some();
        let Some(from) = cause.or_else(|| causes.max_by_key(|from| trace.events[*from].end)) else { continue };
        let source = &trace.events[from];
        let kind = match (source.verb, event.verb) {
            _ if received => ArrowKind::Message,
            _ if event.step.is_none() && event.verb == "begin" => ArrowKind::Start,
            ("kill", "end" | HANDLED) if event.step.is_none() => ArrowKind::Signal,
            (_, "end") if event.step.is_none() => continue,
            ("end", _) if source.step.is_none() => ArrowKind::End,
            _ if !event.blocked => continue,
            _ if plan.effect(source) == Effect::Gets && plan.effect(event) == Effect::Puts => ArrowKind::HandOver,
            _ => ArrowKind::Wake,
        };
        arrows.push(Arrow { from, to, kind, certain: cause.is_some() || !several });
    }
    arrows
}

/// Tracks which event released what; for an event that had to wait, the event that unblocked it.
fn pass(trace: &Trace, given: &mut Given, to: usize, amount: i64) -> Option<usize> {
    // Of what a trace claims, no more can be passed on than it has events.
    let most = trace.events.len() as i64;
    let amount = amount.clamp(-most, most);
    if amount < 0 {
        given.extend((amount..0).map(|_| Some(to)));
        return None;
    }
    let event = &trace.events[to];
    let mut from = None;
    for _ in 0..amount {
        // An event that waited got a released one; otherwise the oldest goes first.
        let other = |by: &Option<usize>| by.is_some_and(|by| trace.events[by].id.process() != event.id.process());
        let at = if event.blocked { given.iter().position(other).unwrap_or(0) } else { 0 };
        from = given.remove(at).flatten().or(from);
    }
    from.filter(|from| event.blocked && trace.events[*from].id.process() != event.id.process())
}

#[cfg(test)]
mod tests;
