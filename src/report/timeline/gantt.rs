//! Lanes of processes and tracks of objects under one another, on one axis.

use std::collections::HashSet;

use anstyle::Style;

use super::axis::Scale;
use super::glyphs::{CELLS, Glyphs, Line};
use super::lanes::{EMPTY, Row, rows};
use super::{Drawing, tracks};
use crate::event::{ObjectId, ProcessId, Target};
use crate::report::terminal::style::{BAD, DOUBT, FAINT, GOOD, STRONG, duration, process_style, shorten, width};
use crate::report::view::timeline_model::{Spans, Track};

/// The most columns of a name, and of what stands beside a row.
const NAME: usize = 24;
const END: usize = 18;
/// The fewest rows for objects.
const TRACKS: usize = 4;

/// Which part of a run is drawn.
pub(super) struct Part<'a> {
    pub begin: u64,
    pub end: u64,
    pub processes: &'a [ProcessId],
    pub objects: &'a [ObjectId],
    /// Whether the name and the legend stand above.
    pub header: bool,
}

pub(super) fn draw(drawing: &Drawing<'_>, part: &Part<'_>) -> String {
    let Drawing { plan, trace, glyphs, options, .. } = drawing;
    let wanted: HashSet<ProcessId> = options
        .marks
        .iter()
        .filter_map(|place| trace.events.get(*place))
        .map(|event| event.id.process())
        .chain(Spans::unfinished(trace).iter().take(8).map(|waiting| waiting.process))
        .collect();
    let tracks: Vec<&Track> = shown_tracks(drawing, part);
    let names = part
        .processes
        .iter()
        .map(|process| width(&plan.processes[*process as usize].name))
        .chain(tracks.iter().map(|track| width(&plan.objects[track.object as usize].name)));
    // Folded names are longer: `worker[3..9] x7`.
    let folded = if part.processes.len() > super::lanes::ROWS { 8 } else { 0 };
    let name = (names.max().unwrap_or(0) + folded).min(NAME).min(drawing.columns / 3);
    let words: Vec<String> = tracks.iter().map(|track| tracks::words(track, glyphs)).collect();
    let ends = words.iter().map(|words| width(words)).max().unwrap_or(0).clamp(11, END).min(drawing.columns / 5);
    let columns = drawing.columns.saturating_sub(name + ends + 5).max(10);
    let scale = scale(drawing, part, columns);
    let rows = rows(plan, trace, &drawing.spans, part.processes, &wanted, &scale);
    let shape = Shape { name, ends };
    let mut out = String::new();
    if part.header {
        header(drawing, &rows, &scale, &mut out);
    }
    marks(drawing, &scale, &shape, &mut out);
    for row in &rows {
        lane(drawing, row, &scale, &shape, &mut out);
    }
    // Below them stand the axis and perhaps how many are not shown.
    let room = options.rows.saturating_sub(out.lines().count() + 2).max(TRACKS);
    let (shown, hidden) = choose(drawing, &tracks, room);
    for (track, words) in tracks.iter().zip(&words).zip(shown).filter(|(_, shown)| *shown).map(|(pair, _)| pair) {
        let mut line = shape.name(glyphs, process_style(track.object), &plan.objects[track.object as usize].name, "");
        line.char(FAINT, glyphs.side);
        tracks::draw(track, &scale, glyphs, &mut line);
        line.char(FAINT, glyphs.side);
        shape.end(glyphs, &mut line, FAINT, words);
        out.push_str(&line.finish(drawing.pen));
    }
    if hidden > 0 {
        let mut line = Line::default();
        line.put(FAINT, &format!(" and {hidden} more objects"));
        out.push_str(&line.finish(drawing.pen));
    }
    let mut line = Line::default();
    line.to(name + 3);
    scale.labels(glyphs, &mut line);
    out.push_str(&line.finish(drawing.pen));
    out
}

fn scale(drawing: &Drawing<'_>, part: &Part<'_>, columns: usize) -> Scale {
    let chosen: HashSet<ProcessId> = part.processes.iter().copied().collect();
    let lanes = drawing.spans.lanes.iter().filter(|lane| chosen.contains(&lane.process));
    let times = lanes.flat_map(|lane| {
        let spans = lane.spans.iter().flat_map(|span| [span.begin, span.end]);
        spans.chain([lane.begin, lane.end])
    });
    Scale::new(part.begin, part.end, times, drawing.options.axis, columns)
}

/// How wide what stands beside the picture is.
struct Shape {
    name: usize,
    ends: usize,
}

impl Shape {
    fn name(&self, glyphs: &Glyphs, style: Style, name: &str, after: &str) -> Line {
        let mut line = Line::default();
        line.put(Style::new(), " ");
        let room = self.name.saturating_sub(width(after));
        line.put(style, &glyphs.plain(&shorten(name, room)));
        line.put(FAINT, after);
        line.to(self.name + 2);
        line
    }

    fn end(&self, glyphs: &Glyphs, line: &mut Line, style: Style, text: &str) {
        line.put(Style::new(), " ");
        line.put(style, &glyphs.plain(&shorten(text, self.ends)));
    }
}

/// The tracks that show something: that change, or that a process waits for.
fn shown_tracks<'a>(drawing: &'a Drawing<'_>, part: &Part<'_>) -> Vec<&'a Track> {
    let waited: HashSet<Target> = Spans::unfinished(drawing.trace).iter().map(|waiting| waiting.target).collect();
    let shows = |track: &&Track| track.levels.len() > 1 || waited.contains(&Target::Object(track.object));
    let chosen: HashSet<ObjectId> = part.objects.iter().copied().collect();
    drawing.spans.tracks.iter().filter(|track| chosen.contains(&track.object)).filter(shows).collect()
}

/// Which of the tracks are shown, and how many are not: those that a process waits for first, then those that change
/// most.
fn choose(drawing: &Drawing<'_>, tracks: &[&Track], room: usize) -> (Vec<bool>, usize) {
    if tracks.len() <= room {
        return (vec![true; tracks.len()], 0);
    }
    let waited: HashSet<Target> = Spans::unfinished(drawing.trace).iter().map(|waiting| waiting.target).collect();
    let mut order: Vec<usize> = (0..tracks.len()).collect();
    order.sort_by_key(|at| {
        let track = tracks[*at];
        (!waited.contains(&Target::Object(track.object)), usize::MAX - track.levels.len())
    });
    let mut shown = vec![false; tracks.len()];
    for at in &order[..room - 1] {
        shown[*at] = true;
    }
    (shown, tracks.len() + 1 - room)
}

/// The name of the scenario, how long it took, and what the characters mean that are there.
fn header(drawing: &Drawing<'_>, rows: &[Row], scale: &Scale, out: &mut String) {
    let glyphs = drawing.glyphs;
    let mut line = Line::default();
    line.put(Style::new(), " ");
    line.put(STRONG, &glyphs.plain(&shorten(&drawing.plan.name.shown(), NAME)));
    line.put(FAINT, &glyphs.plain(&format!("  {}", duration(drawing.trace.duration))));
    let mut used = [false; 8];
    for (cell, _) in rows.iter().flat_map(|row| &row.cells) {
        used[*cell] = true;
    }
    let mut legend: Vec<(Style, char, &str)> = (EMPTY + 1..used.len())
        .filter(|cell| used[*cell])
        .map(|cell| (CELLS[cell].1, glyphs.cells[cell], CELLS[cell].0))
        .collect();
    if scale.is_folded() {
        legend.push((FAINT, glyphs.fold, "folded"));
    }
    let whole = |legend: &[(Style, char, &str)]| legend.iter().map(|(.., words)| width(words) + 4).sum::<usize>();
    if line.columns() + whole(&legend) > drawing.columns {
        out.push_str(&std::mem::take(&mut line).finish(drawing.pen));
    }
    for (style, c, words) in legend {
        if line.columns() + width(words) + 4 > drawing.columns {
            out.push_str(&std::mem::take(&mut line).finish(drawing.pen));
        }
        line.put(Style::new(), "  ");
        line.char(style, c);
        line.put(FAINT, &format!(" {words}"));
    }
    out.push_str(&line.finish(drawing.pen));
}

/// The numbers of the events that decide, above their columns.
fn marks(drawing: &Drawing<'_>, scale: &Scale, shape: &Shape, out: &mut String) {
    let mut labels: Vec<(usize, String)> = drawing
        .options
        .marks
        .iter()
        .filter_map(|place| Some((scale.column(drawing.trace.events.get(*place)?.end), format!("#{}", place + 1))))
        .collect();
    if labels.is_empty() {
        return;
    }
    labels.sort_unstable();
    let mut line = Line::default();
    let lead = shape.name + 3;
    for (column, label) in labels {
        let at = (lead + column).min(drawing.columns.saturating_sub(label.len()));
        if line.columns() == 0 || line.columns() < at {
            line.to(at);
            line.put(BAD, &label);
        }
    }
    out.push_str(&line.finish(drawing.pen));
}

fn lane(drawing: &Drawing<'_>, row: &Row, scale: &Scale, shape: &Shape, out: &mut String) {
    let glyphs = drawing.glyphs;
    let after = match row.processes.len() {
        1 => String::new(),
        _ if row.name.ends_with("more") => String::new(),
        count => format!(" {}{count}", glyphs.times),
    };
    let mut line = shape.name(glyphs, Style::new(), &row.name, &after);
    line.char(FAINT, glyphs.side);
    let marked: HashSet<usize> = drawing
        .options
        .marks
        .iter()
        .filter_map(|place| drawing.trace.events.get(*place))
        .filter(|event| row.processes.contains(&event.id.process()))
        .map(|event| scale.column(event.end))
        .collect();
    for (column, (cell, object)) in row.cells.iter().enumerate() {
        if marked.contains(&column) {
            line.char(BAD, glyphs.mark);
            continue;
        }
        let style = object.filter(|_| *cell == super::lanes::HOLDING).map_or(CELLS[*cell].1, process_style);
        line.char(style, glyphs.cells[*cell]);
    }
    line.char(FAINT, glyphs.side);
    let style = match (row.good, row.end.as_str()) {
        (true, "ok") => GOOD,
        (true, _) => FAINT,
        (false, _) => DOUBT,
    };
    shape.end(glyphs, &mut line, style, &row.end);
    out.push_str(&line.finish(drawing.pen));
}
