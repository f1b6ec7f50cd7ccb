//! A run as a picture in text, at most a screen high: lanes of processes with tracks of objects, or a dialogue as a
//! sequence of messages.
//!
//! ```text
//!  worker[0] │██████████████                  │ ok
//!  worker[1] │  ░░░░░░░░░░░░██████████████    │ ok
//!  permits   │▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁████│ 1→0→1
//!             0         ╵10 ms         41.9 ms
//! ```
//! `axis` knows which column a time is in, `lanes` and `tracks` what is in it, `gantt` puts them under one another;
//! `sequence` draws a dialogue.

mod axis;
mod gantt;
mod glyphs;
mod lanes;
mod sequence;
#[cfg(test)]
mod tests;
mod tracks;

use std::collections::HashSet;

use super::terminal::style::Pen;
use super::view::timeline_model::{ArrowKind, Spans};
use crate::event::{ObjectId, ProcessId, Target};
use crate::judge::{Status, Verdict};
use crate::scenario::plan::Plan;
use crate::trace::Trace;

/// The widest and the narrowest picture.
const WIDEST: usize = 200;
const NARROWEST: usize = 40;
/// The most processes of a dialogue.
const SPEAKERS: usize = 4;
/// The fewest columns that each of them needs.
const SPEECH: usize = 18;

/// What kind of picture.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum View {
    Gantt,
    /// Events one below the other, with arrows between processes.
    Sequence,
}

/// What the columns of lanes stand for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Axis {
    /// Time, with pauses folded where one of them is longer than all the rest of the run.
    #[default]
    Auto,
    Time,
    /// Time, with long pauses folded.
    Folded,
    /// The same number of columns for everything that happens.
    Step,
}

/// How a picture is drawn.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// Whether styles are written.
    pub color: bool,
    /// Whether only ASCII is written.
    pub ascii: bool,
    /// No line is longer, as far as there are at least 40.
    pub columns: usize,
    /// How many lines there are at most.
    pub rows: usize,
    /// The axis of lanes.
    pub axis: Axis,
    /// Events to point at, by their places in the trace.
    pub marks: &'a [usize],
}

/// What every part of a picture is drawn with.
struct Drawing<'a> {
    plan: &'a Plan,
    trace: &'a Trace,
    spans: Spans,
    glyphs: &'static glyphs::Glyphs,
    options: &'a Options<'a>,
    columns: usize,
    pen: Pen,
}

impl<'a> Drawing<'a> {
    fn new(plan: &'a Plan, trace: &'a Trace, options: &'a Options<'a>) -> Self {
        Self {
            plan,
            trace,
            spans: Spans::new(plan, trace),
            glyphs: if options.ascii { &glyphs::ASCII } else { &glyphs::UNICODE },
            options,
            columns: options.columns.clamp(NARROWEST, WIDEST),
            pen: Pen { color: options.color },
        }
    }
}

/// The picture of a run; without a view, the one that suits it.
pub fn draw(plan: &Plan, trace: &Trace, view: Option<View>, options: &Options<'_>) -> String {
    let drawing = Drawing::new(plan, trace, options);
    match view.unwrap_or_else(|| suits(&drawing)) {
        View::Sequence => sequence::draw(&drawing, 0..=u64::MAX),
        View::Gantt => {
            let processes: Vec<ProcessId> = (0..plan.processes.len() as ProcessId).collect();
            let objects: Vec<ObjectId> = (0..plan.objects.len() as ObjectId).collect();
            let part =
                gantt::Part { begin: 0, end: trace.duration, processes: &processes, objects: &objects, header: true };
            gantt::draw(&drawing, &part)
        }
    }
}

/// The events that decide the first thing that failed.
pub fn deciding(verdict: &Verdict) -> &[usize] {
    let failed = verdict.findings.iter().filter(|judged| judged.status == Status::Fail);
    failed.map(|judged| judged.finding.witnesses.as_slice()).find(|events| !events.is_empty()).unwrap_or(&[])
}

/// A small picture around some events, which it points at: their processes, and the objects they are about. Empty
/// where there is nothing to compare: fewer than two events.
pub fn around(plan: &Plan, trace: &Trace, options: &Options<'_>) -> String {
    /// The most processes and objects of it.
    const LANES: usize = 6;
    const TRACKS: usize = 3;
    let events: Vec<_> = options.marks.iter().filter_map(|place| trace.events.get(*place)).collect();
    if events.len() < 2 {
        return String::new();
    }
    let mut processes: Vec<ProcessId> = events.iter().map(|event| event.id.process()).collect();
    let mut objects: Vec<ObjectId> = events
        .iter()
        .filter_map(|event| match event.target {
            Target::Object(object) => Some(object),
            Target::None | Target::Process(_) => None,
        })
        .collect();
    for list in [&mut processes, &mut objects] {
        list.sort_unstable();
        list.dedup();
    }
    processes.truncate(LANES);
    objects.truncate(TRACKS);
    let drawing = Drawing::new(plan, trace, options);
    let dialogue = suits(&drawing) == View::Sequence;
    let (begin, end) = events
        .iter()
        .fold((u64::MAX, 0), |(begin, end), event| (begin.min(event.begin.min(event.end)), end.max(event.end)));
    let margin = (end - begin) / 8 + 1;
    if dialogue {
        return sequence::draw(&drawing, begin.saturating_sub(margin)..=end + margin);
    }
    let part = gantt::Part {
        begin: begin.saturating_sub(margin),
        end: (end + margin).min(trace.duration.max(end)),
        processes: &processes,
        objects: &objects,
        header: false,
    };
    gantt::draw(&drawing, &part)
}

/// A small picture of the processes that never ended a step, and of what they wait for; empty where there are none.
pub fn stuck(plan: &Plan, trace: &Trace, options: &Options<'_>) -> String {
    /// The most processes and objects of it.
    const LANES: usize = 8;
    let waiting = Spans::unfinished(trace).into_iter().filter(|waiting| waiting.step.is_some());
    let (mut processes, mut objects): (Vec<ProcessId>, Vec<ObjectId>) = (Vec::new(), Vec::new());
    for waiting in waiting {
        processes.push(waiting.process);
        match waiting.target {
            Target::Object(object) => objects.push(object),
            Target::None | Target::Process(_) => {}
        }
    }
    if processes.is_empty() {
        return String::new();
    }
    for list in [&mut processes, &mut objects] {
        list.sort_unstable();
        list.dedup();
        list.truncate(LANES);
    }
    let drawing = Drawing::new(plan, trace, options);
    let part = gantt::Part { begin: 0, end: trace.duration, processes: &processes, objects: &objects, header: false };
    gantt::draw(&drawing, &part)
}

/// A dialogue is drawn as a sequence: few processes, most of whose steps with others send and receive.
fn suits(drawing: &Drawing<'_>) -> View {
    let messages = drawing.spans.arrows.iter().filter(|arrow| arrow.kind == ArrowKind::Message);
    let said: HashSet<usize> = messages.flat_map(|arrow| [arrow.from, arrow.to]).collect();
    let events = drawing.trace.events.iter().filter(|event| !event.implicit);
    let touches = events.filter(|event| matches!(event.target, Target::Object(_))).count();
    let speakers = drawing.trace.ends.len();
    let few = speakers <= SPEAKERS && speakers * SPEECH + sequence::LEAD <= drawing.columns;
    let held = drawing.spans.lanes.iter().any(|lane| !lane.holds.is_empty());
    if few && !held && !said.is_empty() && said.len() * 2 >= touches { View::Sequence } else { View::Gantt }
}
