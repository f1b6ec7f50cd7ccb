//! What went into an object and what came out of it: whether the one is the other, in that order.
//!
//! Where the order in which things went in is not known, only what one step had certainly done before another one
//! began is held against it.

use std::collections::HashMap;
use std::fmt::Write;

use crate::event::{Event, EventId, ObjectId, ProcessId, Target};
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::verdict::Finding;
use crate::trace::ProcessEnd;
use crate::value::Value;

/// The largest number of comparisons between processes that is made.
const COMPARISONS: usize = 50_000_000;

/// One way through an object: all of it, or one direction.
#[derive(Default)]
pub(crate) struct Flow {
    ins: Vec<usize>,
    outs: Vec<usize>,
    /// Of a send in parts, how many of its bytes went in before its last part.
    before: HashMap<usize, usize>,
}

/// What is wrong with a flow, or how it went.
pub(crate) struct Course {
    pub(crate) ins: usize,
    pub(crate) outs: usize,
    /// What went in and did not come out.
    pub(crate) left: Vec<usize>,
    /// What is wrong, and the events that show it.
    pub(crate) fault: Option<(String, Vec<usize>)>,
    /// Why not all could be compared.
    pub(crate) unsure: Option<String>,
}

/// The ways through an object: one, or one from each end of a duplex one.
pub(crate) fn flows(context: &Context<'_>, object: ObjectId) -> Vec<Flow> {
    let ends = context.plan.objects[object as usize].object.ends();
    let sends = context.plan.kind(object).verb("send").map_or(&[][..], |(_, verb)| verb.ends);
    let duplex = ends.len() == 2 && ends.iter().all(|end| sends.contains(end));
    let mut flows: Vec<Flow> = (0..if duplex { 2 } else { 1 }).map(|_| Flow::default()).collect();
    let mut parts: HashMap<ProcessId, usize> = HashMap::new();
    for (place, event) in context.trace.events.iter().enumerate() {
        if event.target != Target::Object(object) {
            continue;
        }
        // A send of bytes that did not end well may have put in a part of them: then it has a ticket.
        let into = match event.verb {
            "put" if event.outcome.is_ok() => true,
            "send" if event.outcome.is_ok() || event.own_place().is_some() => true,
            "get" | "recv" if event.outcome.is_ok() => false,
            _ => continue,
        };
        // What comes out at one end of a duplex object went in at the other one.
        let end = if duplex { end_of(context, event, ends).unwrap_or(0) } else { 0 };
        if into {
            if event.implicit {
                *parts.entry(event.id.process()).or_default() += bytes_of(content(event)).map_or(0, <[u8]>::len);
            } else if let Some(before) = parts.remove(&event.id.process()) {
                flows[end].before.insert(place, before);
            }
            flows[end].ins.push(place);
        } else {
            flows[if duplex { 1 - end } else { 0 }].outs.push(place);
        }
    }
    flows
}

/// What went in or came out. Where a send's value is the count of what it moved, the other one is what it moved.
fn content(event: &Event) -> &Value {
    if event.verb == "send" && event.second != Value::Null { &event.second } else { &event.value }
}

fn end_of(context: &Context<'_>, event: &Event, ends: &[&str]) -> Option<usize> {
    let step = context.plan.steps.get(event.step? as usize)?;
    let (_, end) = step.object.rsplit_once('.')?;
    ends.iter().position(|name| *name == end)
}

impl Flow {
    /// Compares what came out with what went in.
    pub(crate) fn follow(mut self, context: &Context<'_>) -> Course {
        let known_in = by_order(context, &mut self.ins);
        let known_out = by_order(context, &mut self.outs);
        let caused = self.outs.iter().any(|place| context.event(*place).cause.is_some());
        if !caused && self.is_stream(context) {
            return self.stream(context, known_in && known_out);
        }
        let sources = match self.sources(context) {
            Ok(sources) => sources,
            Err(fault) => return self.course(Vec::new(), Some(fault), None),
        };
        let mut out_of: Vec<Option<usize>> = vec![None; self.ins.len()];
        for (out, source) in sources.iter().enumerate() {
            let Some(source) = *source else { continue };
            if let Some(before) = out_of[source].replace(out) {
                let (first, second) = (self.outs[before], self.outs[out]);
                let text = format!(
                    "{} was received twice, at {} and {}",
                    context.describe(self.ins[source]),
                    describe::number(first),
                    describe::number(second)
                );
                return self.course(Vec::new(), Some((text, vec![self.ins[source], first, second])), None);
            }
        }
        let left: Vec<usize> = (0..self.ins.len()).filter(|at| out_of[*at].is_none()).map(|at| self.ins[at]).collect();
        let order = Order { context, flow: &self, out_of: &out_of, known_in, known_out };
        match order.offence() {
            Ok(None) => self.course(left, None, None),
            Ok(Some((first, second))) => {
                let taker = killed(context);
                let fault = order.describe(first, second);
                match (out_of[first], taker) {
                    (None, Some(process)) => {
                        let reason = format!("{} was killed and may have taken it", context.name(process));
                        self.course(left, None, Some(format!("{}, but {reason}", fault.0)))
                    }
                    _ => self.course(left, Some(fault), None),
                }
            }
            Err(reason) => self.course(left, None, Some(reason)),
        }
    }

    fn course(&self, left: Vec<usize>, fault: Option<(String, Vec<usize>)>, unsure: Option<String>) -> Course {
        Course { ins: self.ins.len(), outs: self.outs.len(), left, fault, unsure }
    }

    /// Which of what went in each of what came out is, by its place in `ins`. None for what a process sent that was
    /// killed before it could record it.
    fn sources(&self, context: &Context<'_>) -> Result<Vec<Option<usize>>, (String, Vec<usize>)> {
        let ids: HashMap<EventId, usize> =
            self.ins.iter().enumerate().map(|(at, place)| (context.event(*place).id, at)).collect();
        // A message without a number is identified by its value: the first with that value that is left.
        let mut by_value: HashMap<&Value, std::collections::VecDeque<usize>> = HashMap::new();
        for (at, place) in self.ins.iter().enumerate() {
            by_value.entry(content(context.event(*place))).or_default().push_back(at);
        }
        let mut sources = Vec::with_capacity(self.outs.len());
        for place in &self.outs {
            let event = context.event(*place);
            let source = match event.cause {
                Some(cause) => ids.get(&cause).copied(),
                None => by_value.get_mut(content(event)).and_then(std::collections::VecDeque::pop_front),
            };
            let Some(source) = source else {
                let unrecorded = match event.cause {
                    Some(cause) => cut_short(context, cause.process()),
                    None => killed(context).is_some(),
                };
                if unrecorded {
                    sources.push(None);
                    continue;
                }
                let text = format!(
                    "{} received {}, which was never sent",
                    context.describe(*place),
                    describe::value(&event.value)
                );
                return Err((text, vec![*place]));
            };
            let sent = context.event(self.ins[source]);
            if content(sent) != content(event) {
                let text = format!(
                    "{} received {}, but {} sent {}",
                    context.describe(*place),
                    describe::value(&event.value),
                    context.describe(self.ins[source]),
                    describe::value(content(sent))
                );
                return Err((text, vec![self.ins[source], *place]));
            }
            sources.push(Some(source));
        }
        Ok(sources)
    }

    /// Whether all of it is bytes, which may be cut elsewhere when they come out.
    fn is_stream(&self, context: &Context<'_>) -> bool {
        let bytes = |place: &usize| bytes_of(content(context.event(*place))).is_some();
        !self.outs.is_empty() && self.outs.iter().all(bytes) && self.ins.iter().all(bytes)
    }

    /// Compares bytes with bytes.
    fn stream(&self, context: &Context<'_>, known: bool) -> Course {
        let bytes = |place: usize| {
            let before = self.before.get(&place).copied().unwrap_or(0);
            bytes_of(content(context.event(place))).and_then(|bytes| bytes.get(before..)).unwrap_or_default()
        };
        let length = |place: usize| bytes(place).len();
        let (mut at, mut offset) = (0, 0);
        let mut fault = None;
        'outs: for out in &self.outs {
            for byte in bytes(*out) {
                while at < self.ins.len() && offset == length(self.ins[at]) {
                    (at, offset) = (at + 1, 0);
                }
                let Some(place) = self.ins.get(at) else {
                    if killed(context).is_none() {
                        fault = Some((
                            format!("{} received more bytes than were sent", context.describe(*out)),
                            vec![*out],
                        ));
                    }
                    break 'outs;
                };
                if bytes(*place)[offset] != *byte {
                    let text = format!(
                        "{} received another byte than {} sent at its byte {offset}",
                        context.describe(*out),
                        context.describe(*place)
                    );
                    fault = Some((text, vec![*place, *out]));
                    break 'outs;
                }
                offset += 1;
            }
        }
        let rest = self.ins.iter().skip(at).enumerate();
        let left =
            rest.filter(|(k, place)| length(**place) > if *k == 0 { offset } else { 0 }).map(|(_, place)| *place);
        let left = left.collect();
        if fault.is_some() && !known {
            let reason = "several processes use the same end, so the order of their bytes is unknown";
            return self.course(left, None, Some(reason.to_owned()));
        }
        self.course(left, fault, None)
    }
}

/// Puts the events into the object's own order. Gives whether that is known: by tickets, or because all are of one
/// process.
fn by_order(context: &Context<'_>, places: &mut [usize]) -> bool {
    let ticket = |place: &usize| context.event(*place).ticket;
    if places.iter().all(|place| ticket(place) != 0) {
        places.sort_by_key(ticket);
        return true;
    }
    places.windows(2).all(|pair| context.event(pair[0]).id.process() == context.event(pair[1]).id.process())
}

fn bytes_of(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Bytes(bytes) => Some(bytes),
        Value::String(text) => Some(text.as_bytes()),
        _ => None,
    }
}

/// A process that was killed and may have done one thing more than it recorded.
fn killed(context: &Context<'_>) -> Option<ProcessId> {
    (0..context.trace.ends.len() as ProcessId).find(|process| cut_short(context, *process))
}

fn cut_short(context: &Context<'_>, process: ProcessId) -> bool {
    let end = context.trace.ends.get(process as usize);
    matches!(end, Some(ProcessEnd::Killed(_) | ProcessEnd::Crashed(_) | ProcessEnd::Stopped))
}

/// Looks for something that went in before something else and came out after it, or not at all.
struct Order<'a> {
    context: &'a Context<'a>,
    flow: &'a Flow,
    /// For each of `ins`, which of `outs` it is.
    out_of: &'a [Option<usize>],
    known_in: bool,
    known_out: bool,
}

/// Of the first `n` messages of a producer, the one that a consumer got last.
type Latest = Vec<(usize, usize)>;

impl Order<'_> {
    /// Both by their places in `ins`.
    fn offence(&self) -> Result<Option<(usize, usize)>, String> {
        // What has a priority of its own keeps the order among its like only.
        let mut classes: HashMap<Option<i64>, Vec<usize>> = HashMap::new();
        for (at, place) in self.flow.ins.iter().enumerate() {
            let event = self.context.event(*place);
            let priority = if event.verb == "put" { event.second.as_int() } else { None };
            classes.entry(priority).or_default().push(at);
        }
        let mut classes: Vec<_> = classes.into_iter().collect();
        classes.sort_unstable();
        for (_, class) in classes {
            let found = if self.known_in && self.known_out { self.total(&class) } else { self.partial(&class)? };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Where both orders are known: what comes out must never be older than what came out before it.
    fn total(&self, class: &[usize]) -> Option<(usize, usize)> {
        let mut latest: Option<(usize, usize)> = None;
        let mut missing = None;
        for at in class {
            match (self.out_of[*at], latest) {
                (Some(out), Some((other, last))) if out < last => return Some((other, *at)),
                (Some(_), _) if missing.is_some() => return missing.map(|first| (first, *at)),
                (Some(out), _) => latest = Some((*at, out)),
                (None, _) => missing = missing.or(Some(*at)),
            }
        }
        None
    }

    fn partial(&self, class: &[usize]) -> Result<Option<(usize, usize)>, String> {
        let process = |place: usize| self.context.event(place).id.process();
        let source = |at: usize| if self.known_in { 0 } else { process(self.flow.ins[at]) };
        let consumer = |out: usize| if self.known_out { 0 } else { process(self.flow.outs[out]) };
        let mut produced: HashMap<ProcessId, Vec<usize>> = HashMap::new();
        let mut numbers = HashMap::new();
        for at in class {
            let list = produced.entry(source(*at)).or_default();
            numbers.insert(*at, list.len());
            list.push(*at);
        }
        // For each producer: what came out last for each consumer, among its first that many; and what never did.
        let mut latest: HashMap<ProcessId, HashMap<ProcessId, Latest>> = HashMap::new();
        let mut missing: HashMap<ProcessId, usize> = HashMap::new();
        for (who, list) in &produced {
            for (number, at) in list.iter().enumerate() {
                match self.out_of[*at] {
                    Some(out) => {
                        let best = latest.entry(*who).or_default().entry(consumer(out)).or_default();
                        if best.last().is_none_or(|(_, last)| self.out_of[*last] < Some(out)) {
                            best.push((number, *at));
                        }
                    }
                    None => {
                        missing.entry(*who).or_insert(number);
                    }
                }
            }
        }
        let consumers = latest.values().map(HashMap::len).max().unwrap_or(0).max(1);
        let work = class.len().saturating_mul(produced.len()).saturating_mul(consumers);
        let tabled = self.context.trace.causality.is_tabled();
        let cost = if tabled { work } else { work.saturating_mul(self.context.trace.events.len()) };
        let alone = cost > COMPARISONS;
        for at in class {
            let Some(out) = self.out_of[*at] else { continue };
            let past = (!alone && produced.len() > 1).then(|| self.context.trace.causality.past(self.flow.ins[*at]));
            for (who, list) in &produced {
                let before = if *who == source(*at) {
                    numbers[at]
                } else if let Some(past) = &past {
                    list.partition_point(|other| past.contains(self.flow.ins[*other]))
                } else {
                    continue;
                };
                if let Some(first) = missing.get(who).filter(|number| **number < before) {
                    return Ok(Some((list[*first], *at)));
                }
                for (taker, best) in latest.get(who).into_iter().flatten() {
                    let upto = best.partition_point(|(number, _)| *number < before);
                    let Some((_, other)) = upto.checked_sub(1).map(|last| best[last]) else { continue };
                    let Some(later) = self.out_of[other] else { continue };
                    let overtaken = if *taker == consumer(out) {
                        out < later
                    } else {
                        !alone && self.context.trace.happens_before(self.flow.outs[out], self.flow.outs[later])
                    };
                    if overtaken {
                        return Ok(Some((other, *at)));
                    }
                }
            }
        }
        if alone {
            return Err("too many events to compare those of different processes".to_owned());
        }
        Ok(None)
    }

    /// `first` went in before `second` and should have come out before it.
    fn describe(&self, first: usize, second: usize) -> (String, Vec<usize>) {
        let (sent, later) = (self.flow.ins[first], self.flow.ins[second]);
        let mut places = vec![sent, later];
        let text = |place: usize| {
            format!("{} {}", self.context.describe(place), describe::value(content(self.context.event(place))))
        };
        let mut told = format!("{} was sent before {}, but ", text(sent), text(later));
        let out = |at: usize| self.out_of[at].map(|out| self.flow.outs[out]);
        places.extend(out(second));
        match (out(first), out(second)) {
            (Some(late), Some(early)) => {
                places.push(late);
                let _ =
                    write!(told, "was received after it, {} after {}", describe::number(late), describe::number(early));
            }
            (_, early) => {
                told.push_str("was never received");
                if let Some(early) = early {
                    let _ = write!(told, ", while the other did at {}", describe::number(early));
                }
            }
        }
        (told, places)
    }
}

/// What is said of an object whose flows went so.
pub(crate) fn judge(context: &Context<'_>, object: ObjectId, courses: &[Course]) -> Finding {
    let expected = "in order, none lost, none duplicated";
    let name = describe::target(context.plan, Target::Object(object));
    let (ins, outs) = (sum(courses, |course| course.ins), sum(courses, |course| course.outs));
    let left: Vec<usize> = courses.iter().flat_map(|course| course.left.iter().copied()).collect();
    let measured = format!("{name}: {ins} sent, {outs} received");
    for course in courses {
        if let Some((fault, places)) = &course.fault {
            return Finding::fail(expected, format!("{measured}: {fault}"))
                .witnesses(places.iter().copied())
                .firm(true);
        }
    }
    if let Some(reason) = courses.iter().find_map(|course| course.unsure.clone()) {
        return Finding::unknown(expected, measured, reason);
    }
    if left.is_empty() {
        return Finding::pass(expected, format!("{measured}, in order"));
    }
    // The object itself may know what is left in it.
    let inside = match context.trace.finals.get(object as usize) {
        Some(Some(Value::List(items))) => Some(items.len()),
        Some(Some(Value::Int(number))) => usize::try_from(*number).ok(),
        _ => None,
    };
    match inside {
        Some(inside) if inside < left.len() && killed(context).is_none() => {
            let lost = left.len() - inside;
            let first = context.describe(left[0]);
            let text = format!("{measured}, {inside} still inside: {lost} lost, perhaps {first}");
            Finding::fail(expected, text).witnesses(left.into_iter().take(4))
        }
        _ => {
            let text = format!("{measured}, in order, {} still inside at the end", left.len());
            Finding::pass(expected, text).witnesses(left.into_iter().take(4))
        }
    }
}

fn sum(courses: &[Course], number: impl Fn(&Course) -> usize) -> usize {
    courses.iter().map(number).sum()
}
