//! A dialogue: steps one below the other, each in the lane of its process, with arrows to the processes that it
//! unblocked.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use anstyle::Style;
use unicode_width::UnicodeWidthChar;

use super::Drawing;
use super::glyphs::{Glyphs, Line};
use crate::event::ProcessId;
use crate::report::terminal::event_list::action;
use crate::report::terminal::style::{
    BAD, DOUBT, FAINT, STRONG, duration, process_style, shorten, value, visible, width,
};
use crate::report::view::statistics::ending;
use crate::report::view::timeline_model::{ArrowKind, Spans};
use crate::trace::ProcessEnd;
use crate::value::Value;

/// The columns of the times.
pub(super) const LEAD: usize = 22;
/// The fewest columns of a lane that has its text beside it; narrower ones have it at the right of all lanes.
const LANE: usize = 18;
/// The most columns of a lane, and those of a narrow one.
const WIDEST: usize = 44;
const NARROW: usize = 3;
/// The fewest columns for the text at the right of narrow lanes.
const TEXT: usize = 28;
/// The most columns of a value.
const VALUE: usize = 32;

/// One line of it.
struct Beat {
    time: u64,
    /// For those at the same time.
    place: usize,
    process: ProcessId,
    text: String,
    /// The process that it unblocked, and whether that is certain.
    to: Vec<(ProcessId, bool)>,
    /// Whether it passes a message, or is no plain step for another reason: what is kept longest.
    matters: bool,
    marked: bool,
    tone: Tone,
}

/// How a line is to be read.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Tone {
    /// A step that ended well.
    Plain,
    /// One that did not, or not at all.
    Bad,
    /// The end of its process, which was not a good one.
    End,
}

/// Draws what happened within those times.
pub(super) fn draw(drawing: &Drawing<'_>, times: RangeInclusive<u64>) -> String {
    let mut beats = beats(drawing);
    beats.retain(|beat| times.contains(&beat.time));
    let all = beats.len();
    let (processes, left_out) = speakers(drawing, &beats);
    let beats = beats.into_iter().filter(|beat| processes.contains(&beat.process)).collect();
    let (beats, cuts) = cut(beats, drawing.options.rows.saturating_sub(4).max(6));
    let lanes = Lanes::new(drawing, processes);
    let mut out = String::new();
    lanes.header(&mut out);
    let mut before = None;
    for (at, beat) in beats.iter().enumerate() {
        if let Some((_, hidden)) = cuts.iter().find(|(place, _)| *place == at) {
            lanes.gap(*hidden, &mut out);
        }
        lanes.beat(beat, before, &mut out);
        before = Some(beat.time);
    }
    if left_out > 0 {
        let mut line = Line::default();
        line.put(FAINT, &format!("  and {left_out} more processes, which do not fit"));
        out.push_str(&line.finish(drawing.pen));
    }
    if all == 0 {
        out.push_str("  nothing happened\n");
    }
    out
}

/// Every step, every step that never ended, and every end that was not well, by time.
fn beats(drawing: &Drawing<'_>) -> Vec<Beat> {
    let (plan, trace) = (drawing.plan, drawing.trace);
    let mut to: HashMap<usize, Vec<(ProcessId, bool, u64)>> = HashMap::new();
    let mut messages = vec![false; trace.events.len()];
    for arrow in &drawing.spans.arrows {
        let target = trace.events[arrow.to].id.process();
        to.entry(arrow.from).or_default().push((target, arrow.certain, arrow.times(trace).0));
        if arrow.kind == ArrowKind::Message {
            messages[arrow.from] = true;
            messages[arrow.to] = true;
        }
    }
    let mut beats = Vec::new();
    for (place, event) in trace.events.iter().enumerate() {
        let process = event.id.process();
        let marked = drawing.options.marks.contains(&place);
        if event.step.is_none() {
            let end = trace.ends.get(process as usize).copied().unwrap_or(ProcessEnd::NotStarted);
            if event.verb == "end" && !matches!(end, ProcessEnd::Exited(0) | ProcessEnd::Stopped) {
                let text = ending(end);
                let to = Vec::new();
                beats.push(Beat { time: event.end, place, process, text, to, matters: true, tone: Tone::End, marked });
            }
            continue;
        }
        if event.implicit {
            continue;
        }
        let mut text = action(plan, event);
        if !event.outcome.is_ok() {
            text = format!("{text}: {}", event.outcome);
        }
        if event.blocked {
            text = format!("{text}, blocked {}", duration(event.duration()));
        }
        if event.value != Value::Null {
            text.push_str(if event.blocked || !event.outcome.is_ok() { ": " } else { " " });
            // What is said is read as it is.
            text.push_str(&match &event.value {
                Value::String(said) if event.verb == "print" => shorten(&visible(said), VALUE).into_owned(),
                other => value(other, VALUE),
            });
        }
        let arrows = to.remove(&place).unwrap_or_default();
        let time = arrows.iter().map(|(.., time)| *time).min().unwrap_or(u64::MAX).min(event.end);
        let matters = messages[place] || !arrows.is_empty() || marked || !event.outcome.is_ok();
        let mut to: Vec<(ProcessId, bool)> =
            arrows.into_iter().map(|(process, certain, _)| (process, certain)).collect();
        to.sort_unstable();
        to.dedup_by_key(|(process, _)| *process);
        let tone = if event.outcome.is_ok() { Tone::Plain } else { Tone::Bad };
        beats.push(Beat { time, place, process, text, to, matters, marked, tone });
    }
    for waiting in Spans::unfinished(trace).iter().filter(|waiting| waiting.step.is_some()) {
        let text = format!("{} {} never ends", waiting.verb, plan.target_name(waiting.target));
        beats.push(Beat {
            time: waiting.since,
            place: usize::MAX,
            process: waiting.process,
            text,
            to: Vec::new(),
            matters: true,
            tone: Tone::Bad,
            marked: false,
        });
    }
    beats.sort_by_key(|beat| (beat.time, beat.place));
    beats
}

/// The processes that get a lane, those with the most to say first, and how many do not fit.
fn speakers(drawing: &Drawing<'_>, beats: &[Beat]) -> (Vec<ProcessId>, usize) {
    let mut said: HashMap<ProcessId, usize> = HashMap::new();
    for beat in beats {
        *said.entry(beat.process).or_default() += 1;
    }
    let mut processes: Vec<ProcessId> = said.keys().copied().collect();
    processes.sort_unstable_by_key(|process| (usize::MAX - said[process], *process));
    let wide = drawing.columns.saturating_sub(LEAD) / LANE;
    let narrow = drawing.columns.saturating_sub(LEAD + TEXT) / NARROW;
    let fit = wide.max(narrow).max(1);
    let left_out = processes.len().saturating_sub(fit);
    processes.truncate(fit);
    processes.sort_unstable();
    (processes, left_out)
}

/// As many lines as there is room for, and where how many were left out before a line.
fn cut(mut beats: Vec<Beat>, room: usize) -> (Vec<Beat>, Vec<(usize, usize)>) {
    if beats.len() <= room {
        return (beats, Vec::new());
    }
    let all = beats.len();
    // Plain steps first, then the middle; what decides or went wrong stays as far as it can.
    let matter = beats.iter().filter(|beat| beat.matters).count();
    let mut keep: Vec<bool> = beats.iter().map(|beat| matter < 4 || beat.matters).collect();
    let kept = |keep: &[bool]| keep.iter().filter(|keep| **keep).count();
    let room = room.saturating_sub(3);
    if kept(&keep) > room {
        let places: Vec<usize> = (0..all).filter(|at| keep[*at]).collect();
        let edge = room / 3;
        keep.fill(false);
        for at in places.iter().take(edge).chain(places.iter().rev().take(edge)) {
            keep[*at] = true;
        }
        for at in (0..all).filter(|at| beats[*at].marked || beats[*at].tone != Tone::Plain) {
            if kept(&keep) >= room {
                break;
            }
            keep[at] = true;
        }
        // What is left goes to what comes first.
        for at in places {
            if kept(&keep) >= room {
                break;
            }
            keep[at] = true;
        }
    }
    let (mut cuts, mut shown, mut hidden) = (Vec::new(), 0, 0);
    for keep in &keep {
        if *keep {
            if hidden > 0 {
                cuts.push((shown, hidden));
            }
            (shown, hidden) = (shown + 1, 0);
        } else {
            hidden += 1;
        }
    }
    // Small gaps would take as many lines as what they hide.
    let many = cuts.len() > 6;
    cuts.retain(|(_, hidden)| !many || *hidden > 3);
    let mut keep = keep.into_iter();
    beats.retain(|_| keep.next().unwrap_or(true));
    (beats, cuts)
}

/// Where the lanes are.
struct Lanes<'a> {
    drawing: &'a Drawing<'a>,
    glyphs: &'static Glyphs,
    processes: Vec<ProcessId>,
    width: usize,
    wide: bool,
}

impl<'a> Lanes<'a> {
    fn new(drawing: &'a Drawing<'a>, processes: Vec<ProcessId>) -> Self {
        let room = drawing.columns.saturating_sub(LEAD) / processes.len().max(1);
        let wide = room >= LANE;
        let width = if wide { room.min(WIDEST) } else { NARROW };
        Self { drawing, glyphs: drawing.glyphs, processes, width, wide }
    }

    fn x(&self, lane: usize) -> usize {
        LEAD + lane * self.width
    }

    fn end(&self) -> usize {
        if self.wide { self.drawing.columns.min(self.x(self.processes.len())) } else { self.drawing.columns }
    }

    fn header(&self, out: &mut String) {
        let mut canvas = Canvas::new(self.end(), self.glyphs);
        canvas.text(LEAD.saturating_sub(13), FAINT, &format!("t{:>9}", self.glyphs.delta), 12);
        for (lane, process) in self.processes.iter().enumerate() {
            let name = self.glyphs.plain(&self.drawing.plan.processes[*process as usize].name);
            if self.wide {
                canvas.text(self.x(lane), STRONG, &name, self.width - 1);
            }
        }
        if !self.wide {
            canvas.text(self.x(self.processes.len()) + 1, FAINT, "process and step", TEXT);
        }
        out.push_str(&canvas.line().finish(self.drawing.pen));
    }

    /// How many lines were left out.
    fn gap(&self, hidden: usize, out: &mut String) {
        let mut canvas = Canvas::new(self.end(), self.glyphs);
        let steps = if hidden == 1 { "step" } else { "steps" };
        let more = format!("{} {hidden} {steps}", self.glyphs.more);
        canvas.text(2, FAINT, &more, LEAD - 2);
        for lane in 0..self.processes.len() {
            canvas.put(self.x(lane), FAINT, if self.glyphs.line.is_ascii() { ':' } else { '┊' });
        }
        out.push_str(&canvas.line().finish(self.drawing.pen));
    }

    fn beat(&self, beat: &Beat, before: Option<u64>, out: &mut String) {
        let Some(lane) = self.processes.iter().position(|process| *process == beat.process) else { return };
        let (glyphs, mut canvas) = (self.glyphs, Canvas::new(self.end(), self.glyphs));
        let time = match beat.time {
            // Ten seconds.
            0..10_000_000_000 => format!("{:.3} ms", beat.time as f64 / 1e6),
            _ => format!("{:.3} s", beat.time as f64 / 1e9),
        };
        canvas.text(11usize.saturating_sub(width(&time)), if beat.marked { BAD } else { Style::new() }, &time, LEAD);
        if let Some(before) = before.filter(|before| *before < beat.time) {
            let delta = glyphs.plain(&format!("+{}", duration(beat.time.saturating_sub(before))));
            canvas.text(20usize.saturating_sub(width(&delta)), FAINT, &delta, 10);
        }
        for other in 0..self.processes.len() {
            if self.lives(other, beat.time) {
                canvas.put(self.x(other), FAINT, glyphs.line);
            }
        }
        let x = self.x(lane);
        let style = process_style(beat.process);
        let targets: Vec<(usize, bool)> = beat
            .to
            .iter()
            .filter_map(|(process, certain)| {
                self.processes.iter().position(|other| other == process).map(|at| (at, *certain))
            })
            .collect();
        for (target, certain) in &targets {
            let (from, to) = (x.min(self.x(*target)) + 1, x.max(self.x(*target)));
            let shaft = if *certain { glyphs.shaft } else { glyphs.faint };
            for column in from..to {
                let crosses = (column - LEAD).is_multiple_of(self.width);
                canvas.put(column, style, if crosses { glyphs.cross } else { shaft });
            }
        }
        for (target, _) in &targets {
            let (column, head) =
                if *target > lane { (self.x(*target) - 1, glyphs.right) } else { (self.x(*target) + 1, glyphs.left) };
            canvas.put(column, style, head);
            canvas.put(self.x(*target), FAINT, glyphs.line);
        }
        canvas.put(x, style, if beat.tone == Tone::End { glyphs.last } else { glyphs.step });
        let mark = if beat.marked { format!("#{} ", beat.place + 1) } else { String::new() };
        let text = glyphs.plain(&format!("{mark}{}", beat.text));
        let color = if beat.marked {
            BAD
        } else if beat.tone != Tone::Plain {
            DOUBT
        } else {
            Style::new()
        };
        if !self.wide {
            let at = self.x(self.processes.len()) + 1;
            let name = glyphs.plain(&self.drawing.plan.processes[beat.process as usize].name);
            canvas.text(at, style, &name, 16);
            let at = at + width(&name).min(16) + 1;
            canvas.text(at, color, &text, self.end().saturating_sub(at));
            out.push_str(&canvas.line().finish(self.drawing.pen));
            return;
        }
        // Between this lane and the nearest it points to, on the right where it points there.
        let right = targets.iter().filter(|(target, _)| *target > lane).map(|(target, _)| self.x(*target)).max();
        let left = targets.iter().filter(|(target, _)| *target < lane).map(|(target, _)| self.x(*target)).min();
        match (right, left) {
            (Some(to), _) => canvas.spaced(x + 2, color, &text, (to - x).saturating_sub(5)),
            (None, Some(to)) => {
                let room = (x - to).saturating_sub(5);
                let length = width(&text).min(room);
                canvas.spaced(x - 3 - length, color, &text, room);
                canvas.put(x, style, if glyphs.line.is_ascii() { '+' } else { '┤' });
            }
            (None, None) => {
                canvas.put(x + 1, style, glyphs.shaft);
                let room = if lane + 1 == self.processes.len() { self.end() - x } else { self.width };
                canvas.text(x + 3, color, &text, room.saturating_sub(4));
            }
        }
        out.push_str(&canvas.line().finish(self.drawing.pen));
    }

    /// Whether the process was there at that time.
    fn lives(&self, lane: usize, time: u64) -> bool {
        let lane = &self.drawing.spans.lanes[self.processes[lane] as usize];
        (lane.begin..=lane.end).contains(&time)
    }
}

/// A line of characters that are put here and there.
struct Canvas {
    /// No character behind a wide one.
    cells: Vec<Option<(Style, char)>>,
    /// Whether the sign of a cut is ASCII.
    ascii: bool,
}

impl Canvas {
    fn new(columns: usize, glyphs: &Glyphs) -> Self {
        Self { cells: vec![Some((Style::new(), ' ')); columns], ascii: glyphs.line.is_ascii() }
    }

    fn cut(&self, text: &str, columns: usize) -> String {
        let cut = shorten(text, columns);
        if self.ascii { cut.replace('…', "~") } else { cut.into_owned() }
    }

    fn put(&mut self, column: usize, style: Style, c: char) {
        if let Some(cell) = self.cells.get_mut(column) {
            *cell = Some((style, c));
        }
    }

    /// Puts text, cut to that many columns.
    fn text(&mut self, column: usize, style: Style, text: &str, columns: usize) {
        let columns = columns.min(self.cells.len().saturating_sub(column));
        if columns == 0 {
            return;
        }
        let mut at = column;
        let text = self.cut(text, columns);
        for c in text.chars() {
            match c.width().unwrap_or(0) {
                0 => continue,
                1 => self.put(at, style, c),
                wide => {
                    self.put(at, style, c);
                    for behind in 1..wide {
                        if let Some(cell) = self.cells.get_mut(at + behind) {
                            *cell = None;
                        }
                    }
                }
            }
            at += c.width().unwrap_or(0);
        }
    }

    /// Puts text with a space on both sides.
    fn spaced(&mut self, column: usize, style: Style, text: &str, columns: usize) {
        let text = self.cut(text, columns);
        self.put(column, Style::new(), ' ');
        self.text(column + 1, style, &text, columns);
        self.put(column + 1 + width(&text), Style::new(), ' ');
    }

    fn line(self) -> Line {
        let mut line = Line::default();
        for (style, c) in self.cells.into_iter().flatten() {
            line.char(style, c);
        }
        line
    }
}
