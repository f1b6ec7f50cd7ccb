//! A run in Chrome's trace format, for ui.perfetto.dev, chrome://tracing and others that read it.
//!
//! A process of the scenario is a process there, its steps are slices, and the objects are one more process with
//! counters and bands. Three traps of that format shape what is written:
//!
//! - An arrow may not end on the call that waited: its slice began before what it waited for. It ends on a sliver at
//!   the end of the call, and begins on one at the begin of a call that returned after its receiver had continued.
//! - Slices of a thread must nest. What overlaps, such as what a process holds, stands in tracks of its own.
//! - Times are microseconds. Three decimals keep every nanosecond.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::{Value as Json, json};

use crate::event::{Event, ProcessId, Target};
use crate::judge::{Status, Subject, Verdict};
use crate::report::terminal::style::visible;
use crate::report::view::timeline_model::{Arrow, ArrowKind, Doing, Held, Lane, Shape, Spans, Track};
use crate::report::view::{event_text, statistics};
use crate::scenario::plan::Plan;
use crate::text;
use crate::trace::Trace;

/// The longest that a sliver is, in ns: wide enough to be hit with a mouse.
const SLIVER: u64 = 1_000;

/// Writes the run, with the expectations that do not hold as marks.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut dyn Write, plan: &Plan, trace: &Trace, verdict: &Verdict) -> io::Result<()> {
    let spans = Spans::new(plan, trace);
    let mut places: Vec<Vec<usize>> = vec![Vec::new(); plan.processes.len()];
    for (place, event) in trace.events.iter().enumerate() {
        places[event.id.process() as usize].push(place);
    }
    let writer = Writer { plan, trace, places, arrows: Arrows::new(trace, &spans) };
    let mut events = Vec::new();
    for lane in &spans.lanes {
        writer.lane(lane, &mut events);
        writer.holds(lane, &mut events);
    }
    for track in &spans.tracks {
        writer.track(track, spans.duration, &mut events);
    }
    writer.failures(verdict, &mut events);
    // Those of one time stay in their order: a slice before what lies in it, an arrow's begin before its end.
    events.sort_by_key(|event| (event.at, event.depth));
    let mut lines = writer.names(&spans);
    lines.extend(events.into_iter().map(|event| event.fields));

    let other = json!({
        "ipcrun": env!("CARGO_PKG_VERSION"),
        "scenario": plan.name.raw(),
        "path": plan.source.path.raw(),
        "seed": plan.seed,
        "engine": trace.engine,
    });
    let other = text::json(&other.to_string()).into_owned();
    write!(out, "{{\"displayTimeUnit\":\"ns\",\"otherData\":{other},\"traceEvents\":[")?;
    for (at, line) in lines.iter().enumerate() {
        out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        out.write_all(line.as_bytes())?;
    }
    out.write_all(b"\n]}\n")
}

/// One entry of the file, and where it stands among the others.
struct Entry {
    at: u64,
    depth: u8,
    fields: String,
}

/// A slice within a step.
struct Part {
    begin: u64,
    end: u64,
    what: What,
}

enum What {
    Blocked,
    /// Something that was done on the step's behalf: the event's place.
    Implicit(usize),
    /// Arrows leave here, from the event of that place.
    Out(usize),
    /// An arrow ends here: its place among the arrows.
    In(usize),
}

/// The arrows by the events at their ends.
struct Arrows<'a> {
    all: &'a [Arrow],
    /// By the place of the event they lead to.
    into: HashMap<usize, Vec<usize>>,
    /// By the place of the event they lead from, the time at which the first of them must have left, and its kind.
    from: HashMap<usize, (u64, ArrowKind)>,
}

impl<'a> Arrows<'a> {
    fn new(trace: &Trace, spans: &'a Spans) -> Self {
        let mut arrows = Self { all: &spans.arrows, into: HashMap::new(), from: HashMap::new() };
        // The end of a killed process can be recorded later than what it caused: readers refuse an arrow back in time.
        let forward = |arrow: &&Arrow| {
            let (from, to) = (&trace.events[arrow.from], &trace.events[arrow.to]);
            (if from.step.is_none() { from.end } else { from.begin }) <= to.end
        };
        for (at, arrow) in spans.arrows.iter().enumerate().filter(|(_, arrow)| forward(arrow)) {
            arrows.into.entry(arrow.to).or_default().push(at);
        }
        for arrow in spans.arrows.iter().filter(forward) {
            let leaves = arrows.arrives(trace, arrow);
            let first = arrows.from.entry(arrow.from).or_insert((leaves, arrow.kind));
            first.0 = leaves.min(first.0);
        }
        arrows
    }

    /// When the sliver begins at which the arrow ends: short before the end of its event, and not before its source.
    fn arrives(&self, trace: &Trace, arrow: &Arrow) -> u64 {
        let (from, to) = (&trace.events[arrow.from], &trace.events[arrow.to]);
        let several = self.into.get(&arrow.to).map_or(1, Vec::len) as u64;
        let sliver = SLIVER.min(to.duration() / 2) * several;
        to.end.saturating_sub(sliver).max(from.begin).max(to.begin).min(to.end)
    }
}

struct Writer<'a> {
    plan: &'a Plan,
    trace: &'a Trace,
    /// The events of each process, in its own order.
    places: Vec<Vec<usize>>,
    arrows: Arrows<'a>,
}

impl Writer<'_> {
    fn objects(&self) -> usize {
        self.plan.processes.len() + 1
    }

    fn events_of(&self, process: ProcessId) -> impl Iterator<Item = (usize, &Event)> {
        let places = self.places.get(process as usize).map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| (*place, &self.trace.events[*place]))
    }

    fn names(&self, spans: &Spans) -> Vec<String> {
        let mut lines = Vec::new();
        let mut meta = |pid: usize, tid: Option<usize>, name: &str, args: &Json| {
            let tid = tid.map_or_else(String::new, |tid| format!(",\"tid\":{tid}"));
            lines.push(format!("{{\"ph\":\"M\",\"name\":\"{name}\",\"pid\":{pid}{tid},\"args\":{args}}}"));
        };
        for (process, named) in self.plan.processes.iter().enumerate() {
            let pid = process + 1;
            meta(pid, None, "process_name", &json!({ "name": visible(&named.name) }));
            meta(pid, None, "process_sort_index", &json!({ "sort_index": process }));
            meta(pid, Some(pid), "thread_name", &json!({ "name": "steps" }));
        }
        let pid = self.objects();
        if !spans.tracks.is_empty() {
            meta(pid, None, "process_name", &json!({ "name": "objects" }));
            meta(pid, None, "process_sort_index", &json!({ "sort_index": pid }));
        }
        for track in spans.tracks.iter().filter(|track| track.shape != Shape::Number) {
            let name = self.object_track(track);
            meta(pid, Some(self.band(track)), "thread_name", &json!({ "name": name }));
        }
        lines
    }

    /// The thread of an object that has no numbers. Threads of all processes have one space of ids.
    fn band(&self, track: &Track) -> usize {
        self.objects() + 1 + track.object as usize
    }

    fn object_track(&self, track: &Track) -> String {
        let name = visible(self.plan.target_name(Target::Object(track.object))).into_owned();
        match track.shape {
            Shape::Owner => format!("owner of {name}"),
            Shape::Number | Shape::Text => name,
        }
    }

    /// The steps of a process, each with its parts.
    fn lane(&self, lane: &Lane, out: &mut Vec<Entry>) {
        let pid = lane.process as usize + 1;
        let mut implicit = Vec::new();
        for (place, event) in self.events_of(lane.process) {
            if event.implicit {
                implicit.push(place);
            } else if event.step.is_none() {
                // Its own begin and end have no length. They end arrows too: of `start`, of `kill`.
                let name = if event.verb == "end" {
                    self.trace.ends.get(lane.process as usize).map_or_else(String::new, |end| statistics::ending(*end))
                } else {
                    "begins".to_owned()
                };
                let instant = (event.end, event.end);
                let parts = self.parts(instant, Some(place), false, &[]);
                let fields = self.linked(place, &parts, &json!({ "n": place + 1 }));
                out.push(slice(pid, pid, &name, "process", instant, 0, &fields));
                self.write_parts(pid, &parts, 1, out);
            }
        }
        let mut done = 0;
        for span in lane.spans.iter().filter(|span| span.event.is_some() || span.waiting.is_some()) {
            // A part is recorded before its step is.
            let within = implicit[done..].iter().take_while(|place| span.event.is_none_or(|event| **place < event));
            let within = &implicit[done..done + within.count()];
            done += within.len();
            let blocked = span.doing == Doing::Blocked;
            let parts = self.parts((span.begin, span.end), span.event, blocked, within);
            let (name, category, args) = match (span.event, span.waiting) {
                (Some(place), _) => self.step(place),
                (None, waiting) => self.unfinished(waiting),
            };
            let fields = match span.event {
                Some(place) => self.linked(place, &parts, &args),
                None => json!({ "args": args }),
            };
            out.push(slice(pid, pid, &name, &category, (span.begin, span.end), 0, &fields));
            self.write_parts(pid, &parts, 1, out);
        }
        // Of a step in which its process was killed only that is known.
        let left: Vec<Part> = implicit[done..].iter().map(|place| self.part(*place, false)).collect();
        self.write_parts(pid, &left, 0, out);
        self.ended(lane, pid, out);
    }

    /// A mark where a process ended that left no event of its end.
    fn ended(&self, lane: &Lane, pid: usize, out: &mut Vec<Entry>) {
        let told = self.events_of(lane.process).any(|(_, event)| event.step.is_none() && event.verb == "end");
        if !told && lane.spans.last().is_some_and(|span| span.waiting.is_none()) {
            let name = statistics::ending(lane.ended);
            let fields = json!({ "ph": "i", "s": "t", "name": name, "cat": "process", "pid": pid, "tid": pid });
            out.push(entry(lane.end, 2, "", &fields));
        }
    }

    /// Name, category and arguments of a step.
    fn step(&self, place: usize) -> (String, String, Json) {
        let event = &self.trace.events[place];
        let category = match event.target {
            Target::Object(object) => self.plan.kind(object).name,
            Target::Process(_) => "process",
            Target::None => "step",
        };
        let mut args = json!({ "n": place + 1, "outcome": event.outcome.to_string() });
        let mut add = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                args[key] = value.into();
            }
        };
        add("value", event_text::moved(event));
        add("step", event_text::place(self.plan, event));
        if event.ticket > 0 {
            args["ticket"] = event.ticket.into();
        }
        (
            visible(&crate::report::terminal::event_list::action(self.plan, event)).into_owned(),
            category.to_owned(),
            args,
        )
    }

    fn unfinished(&self, waiting: Option<usize>) -> (String, String, Json) {
        let Some(waiting) = waiting.and_then(|at| Spans::unfinished(self.trace).get(at).copied()) else {
            return (String::new(), String::new(), json!({}));
        };
        let step = waiting.step.map(|step| self.plan.place(step));
        let args = json!({ "outcome": "it never ended", "step": step });
        (event_text::waiting(self.plan, waiting), "unfinished".to_owned(), args)
    }

    /// The parts of a step or of a part of one, in their order and apart from each other. What was done on the step's
    /// behalf keeps its time; the ends of arrows stand where that leaves room.
    fn parts(&self, (begin, end): (u64, u64), event: Option<usize>, blocked: bool, implicit: &[usize]) -> Vec<Part> {
        let mut parts: Vec<Part> = implicit.iter().map(|place| self.part(*place, blocked)).collect();
        let mut free = begin;
        for part in &mut parts {
            part.begin = part.begin.clamp(free, end.max(free));
            part.end = part.end.clamp(part.begin, end.max(part.begin));
            free = part.end;
        }
        if let Some((place, (leaves, _))) = event.and_then(|place| Some((place, self.arrows.from.get(&place)?))) {
            let at = parts.partition_point(|part| part.begin < *leaves);
            let room = parts[..at].last().map_or(begin, |part| part.end);
            // Otherwise they leave from the slice of the step itself.
            if *leaves < end && room <= *leaves {
                let begin = leaves.saturating_sub(SLIVER).max(room);
                parts.insert(at, Part { begin, end: *leaves, what: What::Out(place) });
                free = free.max(*leaves);
            }
        }
        let into = event.and_then(|place| self.arrows.into.get(&place)).map_or(&[][..], Vec::as_slice);
        for (left, at) in (1..=into.len() as u64).rev().zip(into) {
            let begin = self.arrows.arrives(self.trace, &self.arrows.all[*at]).max(free).min(end.max(free));
            free = begin + end.saturating_sub(begin) / left;
            parts.push(Part { begin, end: free, what: What::In(*at) });
        }
        if blocked {
            wait(&mut parts, begin, end);
        }
        parts
    }

    /// Something that was done on behalf of a step, which waited or did not.
    fn part(&self, place: usize, blocked: bool) -> Part {
        let event = &self.trace.events[place];
        // The wait of its step is recorded as a part of what was done after it: that is short if it did not wait. But
        // what goes out from it does so after its begin.
        let longest = if blocked && !event.blocked { SLIVER } else { u64::MAX };
        let leaves = self.arrows.from.get(&place).map_or(u64::MAX, |(leaves, _)| *leaves);
        let latest = event.end.saturating_sub(longest).min(leaves.saturating_sub(SLIVER));
        Part { begin: event.begin.max(latest), end: event.end, what: What::Implicit(place) }
    }

    fn write_parts(&self, pid: usize, parts: &[Part], depth: u8, out: &mut Vec<Entry>) {
        for part in parts {
            let times = (part.begin, part.end);
            match part.what {
                What::Blocked => {
                    let fields = json!({ "cname": "terrible" });
                    out.push(slice(pid, pid, "blocked", "blocked", times, depth, &fields));
                }
                What::Out(place) => {
                    let name = self.arrows.from.get(&place).map_or("", |(_, kind)| left(*kind));
                    let fields = json!({ "bind_id": bind(place), "flow_out": true });
                    out.push(slice(pid, pid, name, "arrow", times, depth, &fields));
                }
                What::Implicit(place) => {
                    let event = &self.trace.events[place];
                    let parts = self.parts(times, Some(place), event.blocked, &[]);
                    let (name, category, args) = self.step(place);
                    let fields = self.linked(place, &parts, &args);
                    out.push(slice(pid, pid, &name, &category, times, depth, &fields));
                    self.write_parts(pid, &parts, depth + 1, out);
                }
                What::In(at) => {
                    let arrow = &self.arrows.all[at];
                    let name = self.arrived(arrow);
                    let fields = json!({ "bind_id": bind(arrow.from), "flow_in": true });
                    // Behind whatever begins at that time, the source of the arrow among it.
                    out.push(slice(pid, pid, &name, "arrow", times, 8 + depth, &fields));
                }
            }
        }
    }

    /// The fields of a step's slice: its arguments, and the arrows that leave from it.
    fn linked(&self, place: usize, parts: &[Part], args: &Json) -> Json {
        let mut fields = json!({ "args": args });
        let leaves = self.arrows.from.contains_key(&place);
        if leaves && !parts.iter().any(|part| matches!(part.what, What::Out(_))) {
            fields["bind_id"] = bind(place).into();
            fields["flow_out"] = true.into();
        }
        fields
    }

    fn arrived(&self, arrow: &Arrow) -> String {
        let from = &self.trace.events[arrow.from];
        let by = visible(self.plan.target_name(Target::Process(from.id.process()))).into_owned();
        match arrow.kind {
            ArrowKind::Message => match event_text::moved(&self.trace.events[arrow.to]) {
                Some(value) => format!("got {value} from {by}"),
                None => format!("got it from {by}"),
            },
            ArrowKind::HandOver => format!("from {by}"),
            ArrowKind::Wake => format!("woken by {by}"),
            ArrowKind::Start => format!("started by {by}"),
            ArrowKind::End => format!("{by} ended"),
            ArrowKind::Signal => format!("killed by {by}"),
        }
    }

    /// What a process holds, in tracks beside its steps.
    fn holds(&self, lane: &Lane, out: &mut Vec<Entry>) {
        let pid = lane.process as usize + 1;
        for hold in &lane.holds {
            let what = match &hold.what {
                Held::Object(object) => self.plan.target_name(Target::Object(*object)).to_owned(),
                Held::Section(label) => format!("section {label}"),
            };
            let times = if hold.amount > 1 { format!(" ×{}", hold.amount) } else { String::new() };
            let id = format!("{:#x}", hold.from + 1);
            let name = format!("holds {}{times}", visible(&what));
            for (phase, at, depth) in [("b", hold.begin, 0), ("e", hold.end, 9)] {
                let fields = json!({ "ph": phase, "name": name, "cat": "hold", "id": id, "pid": pid, "tid": pid });
                out.push(entry(at, depth, "", &fields));
            }
        }
    }

    /// An object over time: a counter, or bands with what it was.
    fn track(&self, track: &Track, duration: u64, out: &mut Vec<Entry>) {
        let (pid, name) = (self.objects(), self.object_track(track));
        let kind = self.plan.kind(track.object).name;
        for (at, level) in track.levels.iter().enumerate() {
            let end = track.levels.get(at + 1).map_or(duration.max(level.at), |next| next.at);
            if let (Shape::Number, Some(number)) = (track.shape, level.number) {
                // Readers of this format show a counter as its name and the key.
                let number =
                    if number.fract() == 0.0 && number.abs() < 1e15 { json!(number as i64) } else { json!(number) };
                let fields = json!({ "ph": "C", "name": name, "cat": kind, "pid": pid, "args": { kind: number } });
                out.push(entry(level.at, 0, "", &fields));
            } else if level.value != crate::value::Value::Null {
                let text = match level.owner {
                    Some(owner) => visible(self.plan.target_name(Target::Process(owner))).into_owned(),
                    None => crate::report::terminal::style::value(&level.value, 60),
                };
                out.push(slice(pid, self.band(track), &text, kind, (level.at, end), 0, &json!({})));
            }
        }
    }

    /// The expectations that do not hold, where the last event is that decides them.
    fn failures(&self, verdict: &Verdict, out: &mut Vec<Entry>) {
        for judged in verdict.findings.iter().filter(|judged| judged.status == Status::Fail) {
            let last = judged.finding.witnesses.iter().rev().find_map(|place| self.trace.events.get(*place));
            let at = last.map_or(self.trace.duration, |event| event.end);
            let pid = last.map_or(1, |event| event.id.process() as usize + 1);
            let line = match judged.subject {
                Subject::Expectation(place) => self.plan.expectations.get(place).map(|expectation| expectation.line),
                Subject::Rule(_) => None,
            };
            let name = format!("EXPECT FAILED: {}", visible(&judged.label));
            let args = json!({
                "expected": judged.finding.expected,
                "seen": judged.finding.measured,
                "at": line.map(|line| format!("{}:{line}", self.plan.source.path)),
            });
            let fields =
                json!({ "ph": "i", "s": "g", "name": name, "cat": "expect", "pid": pid, "tid": pid, "args": args });
            out.push(entry(at, 10, "", &fields));
        }
    }
}

/// Puts the wait into the longest gap between the parts.
fn wait(parts: &mut Vec<Part>, begin: u64, end: u64) {
    let mut gaps = Vec::with_capacity(parts.len() + 1);
    let mut free = begin;
    for part in parts.iter() {
        gaps.push((free, part.begin));
        free = part.end;
    }
    gaps.push((free, end));
    let longest = gaps.iter().enumerate().max_by_key(|(at, (from, to))| (to - from, usize::MAX - at));
    if let Some((at, (begin, end))) = longest.filter(|(_, (begin, end))| begin < end) {
        parts.insert(at, Part { begin: *begin, end: *end, what: What::Blocked });
    }
}

/// What an event did from which an arrow leaves before it ends.
fn left(kind: ArrowKind) -> &'static str {
    match kind {
        ArrowKind::Message => "sent",
        ArrowKind::HandOver => "gave",
        ArrowKind::Wake => "woke",
        ArrowKind::Start => "started",
        ArrowKind::End => "ended",
        ArrowKind::Signal => "killed",
    }
}

/// The id of the arrows from an event. Readers take it as a hexadecimal number; 0 would be none.
fn bind(from: usize) -> String {
    format!("{:#x}", from + 1)
}

fn slice(pid: usize, tid: usize, name: &str, category: &str, times: (u64, u64), depth: u8, more: &Json) -> Entry {
    let mut fields = json!({ "ph": "X", "name": name, "cat": category, "pid": pid, "tid": tid });
    if let (Some(fields), Some(more)) = (fields.as_object_mut(), more.as_object()) {
        fields.extend(more.clone());
    }
    let duration = format!(",\"dur\":{}", microseconds(times.1.saturating_sub(times.0)));
    entry(times.0, depth, &duration, &fields)
}

/// An entry of these fields, with its time. The time is no number of the fields, which would lose digits.
fn entry(at: u64, depth: u8, more: &str, fields: &Json) -> Entry {
    let text = text::json(&fields.to_string()).into_owned();
    let head = text.strip_suffix('}').unwrap_or(&text);
    Entry { at, depth, fields: format!("{head},\"ts\":{}{more}}}", microseconds(at)) }
}

fn microseconds(ns: u64) -> String {
    format!("{}.{:03}", ns / 1_000, ns % 1_000)
}

#[cfg(test)]
mod tests;
