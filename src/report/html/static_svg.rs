//! The picture as it is without a script: lanes and tracks in SVG, of at most thirty lanes and two thousand shapes.

use std::fmt::Write as _;

use super::axis::{Folds, Kind};
use super::escape::Text;
use crate::event::ProcessId;
use crate::judge::Verdict;
use crate::report::terminal::style::{duration, shorten};
use crate::report::view::statistics::ending;
use crate::report::view::timeline_model::{ArrowKind, Doing, Held, Lane, Shape, Spans, Track};
use crate::scenario::plan::Plan;
use crate::trace::{ProcessEnd, Trace};

/// The most lanes, tracks, shapes and arrows.
const LANES: usize = 30;
const TRACKS: usize = 8;
const SHAPES: usize = 2_000;
const ARROWS: usize = 150;

const WIDTH: f64 = 1_200.0;
const LABEL: f64 = 150.0;
const LANE: f64 = 26.0;
const TRACK: f64 = 36.0;
const TOP: f64 = 24.0;
/// The most columns of a name.
const NAME: usize = 22;

/// The SVG of a run, with a line on what is left out.
pub(super) fn picture(
    plan: &Plan,
    trace: &Trace,
    verdict: &Verdict,
    spans: &Spans,
    folds: &Folds,
    kind: Kind,
) -> String {
    let lanes = chosen(trace, verdict, spans);
    let tracks: Vec<&Track> = spans.tracks.iter().take(TRACKS).collect();
    let scale = Scale { trace, folds, kind, max: scale_max(trace, folds, kind) };
    let height = TOP + lanes.len() as f64 * LANE + tracks.len() as f64 * TRACK + 8.0;
    let mut out = format!(
        "<svg role=\"img\" aria-label=\"lanes of the processes and tracks of the objects\" viewBox=\"0 0 {WIDTH} {height}\">\
         <defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <rect width=\"6\" height=\"6\" class=\"hb\"/><path d=\"M1.5 0V6\" class=\"hs\"/></pattern>\
         <marker id=\"tip-a\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"6\" markerHeight=\"6\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" class=\"f\"/></marker></defs>"
    );
    let drawn = Drawing { plan, trace, scale, room: SHAPES / (lanes.len() + tracks.len()).max(1) };
    drawn.marks(&mut out, height);
    for (row, lane) in lanes.iter().enumerate() {
        drawn.lane(&mut out, lane, TOP + row as f64 * LANE);
    }
    drawn.arrows(&mut out, spans, &lanes);
    for (row, track) in tracks.iter().enumerate() {
        drawn.track(&mut out, track, TOP + lanes.len() as f64 * LANE + row as f64 * TRACK);
    }
    out.push_str("</svg>");
    let (more_lanes, more_tracks) = (spans.lanes.len() - lanes.len(), spans.tracks.len() - tracks.len());
    let mut note = String::new();
    if more_lanes > 0 {
        let _ = write!(note, " {more_lanes} more processes are not drawn.");
    }
    if more_tracks > 0 {
        let _ = write!(note, " {more_tracks} more objects are not drawn.");
    }
    if note.is_empty() { out } else { format!("{out}<p class=\"faint\">{}</p>", note.trim_start()) }
}

/// Those that failed, are stuck or decide something first; shown in the plan's order.
fn chosen<'a>(trace: &Trace, verdict: &Verdict, spans: &'a Spans) -> Vec<&'a Lane> {
    let mut weight = vec![0u8; spans.lanes.len()];
    let mut add = |process: ProcessId, more: u8| {
        if let Some(weight) = weight.get_mut(process as usize) {
            *weight = (*weight).max(more);
        }
    };
    for judged in verdict.findings.iter().filter(|judged| judged.status == crate::judge::Status::Fail) {
        for at in &judged.finding.witnesses {
            if let Some(event) = trace.events.get(*at) {
                add(event.id.process(), 2);
            }
        }
    }
    for waiting in Spans::unfinished(trace) {
        add(waiting.process, 2);
    }
    for lane in &spans.lanes {
        if bad(lane.ended) {
            add(lane.process, 3);
        }
    }
    let mut order: Vec<usize> = (0..spans.lanes.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(weight[*at]));
    order.truncate(LANES);
    order.sort_unstable();
    order.into_iter().map(|at| &spans.lanes[at]).collect()
}

fn bad(end: ProcessEnd) -> bool {
    match end {
        ProcessEnd::Exited(code) => code != 0,
        ProcessEnd::Killed(_) | ProcessEnd::Crashed(_) => true,
        ProcessEnd::NotStarted | ProcessEnd::Stopped => false,
    }
}

fn scale_max(trace: &Trace, folds: &Folds, kind: Kind) -> f64 {
    match kind {
        Kind::Time => trace.duration as f64,
        Kind::Folded => folds.place(trace.duration),
        Kind::Step => trace.events.len() as f64,
    }
    .max(1.0)
}

/// From times and events to the picture's columns.
struct Scale<'a> {
    trace: &'a Trace,
    folds: &'a Folds,
    kind: Kind,
    max: f64,
}

impl Scale<'_> {
    fn x(&self, along: f64) -> f64 {
        LABEL + along / self.max * (WIDTH - LABEL - 12.0)
    }

    fn time(&self, time: u64) -> f64 {
        self.x(match self.kind {
            Kind::Time => time as f64,
            Kind::Folded => self.folds.place(time),
            Kind::Step => self.trace.events.partition_point(|event| event.end < time) as f64,
        })
    }

    /// Where an event that ends at that time ends.
    fn after(&self, event: Option<usize>, time: u64) -> f64 {
        match (self.kind, event) {
            (Kind::Step, Some(at)) => self.x(at as f64 + 1.0),
            (Kind::Step, None) => self.x(0.0),
            _ => self.time(time),
        }
    }
}

struct Drawing<'a> {
    plan: &'a Plan,
    trace: &'a Trace,
    scale: Scale<'a>,
    /// How many shapes a row may have.
    room: usize,
}

impl Drawing<'_> {
    fn marks(&self, out: &mut String, height: f64) {
        const MARKS: u32 = 6;
        if self.scale.kind == Kind::Folded {
            for (from, to) in &self.scale.folds.all {
                let (x0, x1) = (self.scale.time(*from), self.scale.time(*to));
                let _ = write!(
                    out,
                    "<rect class=\"p\" x=\"{x0:.1}\" y=\"0\" width=\"{:.1}\" height=\"{height}\"/>",
                    x1 - x0
                );
                if x1 - x0 > 44.0 {
                    let _ = write!(
                        out,
                        "<text class=\"f\" x=\"{:.1}\" y=\"15\" text-anchor=\"middle\">{}</text>",
                        f64::midpoint(x0, x1),
                        duration(to - from)
                    );
                }
            }
        } else {
            for mark in 0..=MARKS {
                let part = f64::from(mark) / f64::from(MARKS);
                let x = self.scale.x(part * self.scale.max);
                let text = match self.scale.kind {
                    Kind::Step => format!("#{:.0}", (part * self.scale.max).floor().min(self.scale.max - 1.0) + 1.0),
                    _ if mark == 0 => "0".to_owned(),
                    _ => duration((part * self.scale.max) as u64),
                };
                let anchor = if mark == MARKS { "end" } else { "start" };
                let _ = write!(
                    out,
                    "<path class=\"l\" d=\"M{x:.1} 0V{height}\"/><text class=\"f\" x=\"{x:.1}\" y=\"15\" text-anchor=\"{anchor}\">{text}</text>"
                );
            }
        }
    }

    fn lane(&self, out: &mut String, lane: &Lane, top: f64) {
        let name = self.plan.target_name(crate::event::Target::Process(lane.process));
        let middle = top + LANE / 2.0 - 2.0;
        let _ = write!(out, "<text x=\"4\" y=\"{:.1}\">{}</text>", middle + 4.0, Text(&shorten(name, NAME)));
        if lane.begin >= lane.end {
            return;
        }
        let _ = write!(
            out,
            "<path class=\"l\" d=\"M{:.1} {middle:.1}H{:.1}\"/>",
            self.scale.time(lane.begin),
            self.end_of(lane)
        );
        for (x0, x1, class) in self.bars(lane) {
            let _ = write!(
                out,
                "<rect class=\"{class}\" x=\"{x0:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"12\"/>",
                middle - 6.0,
                x1 - x0
            );
        }
        for hold in lane.holds.iter().take(self.room / 4) {
            let Held::Object(object) = &hold.what else { continue };
            let x0 = self.scale.after(Some(hold.from), hold.begin);
            let x1 = match (self.scale.kind, hold.to) {
                (Kind::Step, Some(to)) => self.scale.x(to as f64),
                (Kind::Step, None) => self.scale.x(self.scale.max),
                _ => self.scale.time(hold.end),
            };
            let _ = write!(
                out,
                "<rect class=\"k{}\" x=\"{x0:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"3\"/>",
                object % 8,
                middle + 8.0,
                (x1 - x0).max(1.0)
            );
        }
        if bad(lane.ended) {
            let _ = write!(
                out,
                "<text class=\"b\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">✗ {}</text>",
                WIDTH - 12.0,
                middle + 4.0,
                Text(&ending(lane.ended))
            );
        }
    }

    fn end_of(&self, lane: &Lane) -> f64 {
        let last = lane.spans.iter().rev().find_map(|span| span.event);
        if self.scale.kind == Kind::Step && lane.spans.last().is_none_or(|span| span.waiting.is_none()) {
            self.scale.after(last, lane.end)
        } else if self.scale.kind == Kind::Step {
            self.scale.x(self.scale.max)
        } else {
            self.scale.time(lane.end)
        }
    }

    /// The bars of a lane. Neighbours of one class that nearly touch are one, more so the more there are.
    fn bars(&self, lane: &Lane) -> Vec<(f64, f64, &'static str)> {
        let mut near = 0.5;
        loop {
            let bars = self.bars_apart(lane, near);
            if bars.len() <= self.room / 2 || near > WIDTH {
                return bars;
            }
            near *= 2.0;
        }
    }

    fn bars_apart(&self, lane: &Lane, near: f64) -> Vec<(f64, f64, &'static str)> {
        let mut bars: Vec<(f64, f64, &'static str)> = Vec::new();
        let mut before = None;
        for span in &lane.spans {
            let class = match span.doing {
                Doing::Blocked => "w",
                Doing::Operation => "o",
                Doing::Sleeping => "s",
                Doing::Computing | Doing::Unrecorded => "c",
            };
            if span.event.is_none() && span.doing != Doing::Blocked {
                continue;
            }
            let (x0, x1) = match (self.scale.kind, span.event) {
                (Kind::Step, Some(at)) => {
                    let begin = if class == "o" { at } else { before.map_or(0, |before| before + 1) };
                    (self.scale.x(begin as f64), self.scale.x(at as f64 + 1.0) - 1.0)
                }
                (Kind::Step, None) => (self.scale.after(before, 0), self.scale.x(self.scale.max)),
                _ => (self.scale.time(span.begin), self.scale.time(span.end)),
            };
            before = span.event.or(before);
            let x1 = x1.max(x0 + 1.5);
            match bars.last_mut() {
                Some(last)
                    if (last.2 == class && x0 - last.1 < near && near < 1.0 && x0 <= last.1)
                        || (near >= 1.0 && x0 - last.1 < near && (last.2 == class || x1 - x0 < near)) =>
                {
                    last.1 = last.1.max(x1);
                }
                _ => bars.push((x0, x1, class)),
            }
        }
        bars
    }

    fn arrows(&self, out: &mut String, spans: &Spans, lanes: &[&Lane]) {
        if spans.arrows.len() > ARROWS {
            return;
        }
        let row = |process: ProcessId| lanes.iter().position(|lane| lane.process == process);
        for arrow in &spans.arrows {
            let (Some(from), Some(to)) = (self.trace.events.get(arrow.from), self.trace.events.get(arrow.to)) else {
                continue;
            };
            let (Some(a), Some(b)) = (row(from.id.process()), row(to.id.process())) else { continue };
            let (x0, x1) = if self.scale.kind == Kind::Step {
                (self.scale.x(arrow.from as f64 + 0.5), self.scale.x(arrow.to as f64 + 0.5))
            } else {
                let (begin, end) = arrow.times(self.trace);
                (self.scale.time(begin), self.scale.time(end))
            };
            let side = if b > a { 6.0 } else { -6.0 };
            let y = |row: usize| TOP + row as f64 * LANE + LANE / 2.0 - 2.0;
            let class = if arrow.kind == ArrowKind::Message { "a" } else { "h" };
            let _ = write!(
                out,
                "<path class=\"{class}\" d=\"M{x0:.1} {:.1} {x1:.1} {:.1}\" marker-end=\"url(#tip-a)\"/>",
                y(a) + side,
                y(b) - side
            );
        }
    }

    fn track(&self, out: &mut String, track: &Track, top: f64) {
        let name = self.plan.target_name(crate::event::Target::Object(track.object));
        let bottom = top + TRACK - 6.0;
        let colour = track.object % 8;
        let _ = write!(
            out,
            "<text x=\"4\" y=\"{:.1}\">{}</text><text class=\"f\" x=\"4\" y=\"{:.1}\">{}</text><path class=\"l\" d=\"M{LABEL} {bottom:.1}H{WIDTH}\"/>",
            top + 15.0,
            Text(&shorten(name, NAME)),
            top + 28.0,
            self.plan.kind(track.object).name
        );
        let (low, high) = track.range().map_or((0.0, 1.0), |(low, high)| (low.min(0.0), high));
        let high = track.limit.map_or(high, |limit| high.max(limit as f64));
        let high = if high > low { high } else { low + 1.0 };
        let y = |number: f64| bottom - (number - low) / (high - low) * (TRACK - 12.0);
        let mut last = f64::NEG_INFINITY;
        let mut shapes = 0;
        for (at, level) in track.levels.iter().enumerate() {
            let x0 = self.scale.after(level.event, level.at);
            let next = track.levels.get(at + 1);
            let x1 = next.map_or(WIDTH - 12.0, |next| self.scale.after(next.event, next.at));
            // What is narrower than a pixel is left to what stands beside it.
            if (x1 - last < 1.0 && next.is_some()) || shapes > self.room {
                continue;
            }
            last = x1;
            let (top, height) = match (track.shape, level.number, level.owner) {
                (Shape::Number, Some(number), _) => (y(number) - 1.0, bottom - y(number) + 1.0),
                (Shape::Owner, _, None) => continue,
                _ => (top + 8.0, TRACK - 14.0),
            };
            shapes += 1;
            let _ = write!(
                out,
                "<rect class=\"k{colour}\" fill-opacity=\".45\" x=\"{x0:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>",
                (x1 - x0).max(1.0)
            );
            let text = match level.owner {
                Some(owner) => self.plan.target_name(crate::event::Target::Process(owner)).to_owned(),
                None => crate::report::terminal::style::value(&level.value, 24),
            };
            if x1 - x0 > text.chars().count() as f64 * 7.0 + 8.0 {
                let y = (top + 11.0).min(bottom - 2.0);
                let _ = write!(out, "<text x=\"{:.1}\" y=\"{y:.1}\">{}</text>", x0 + 3.0, Text(&text));
            }
        }
        if let Some(limit) = track.limit {
            let y = y(limit as f64);
            let _ = write!(out, "<path class=\"m\" d=\"M{LABEL} {y:.1}H{WIDTH}\"/>");
        }
    }
}
