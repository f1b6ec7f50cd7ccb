//! What each process was doing in each column, and which processes share a row.

use std::collections::{HashMap, HashSet};

use super::axis::Scale;
use crate::event::{ObjectId, ProcessId, Target};
use crate::report::terminal::style::names;
use crate::report::view::statistics::signal;
use crate::report::view::timeline_model::{Doing, Held, Lane, Spans};
use crate::scenario::plan::Plan;
use crate::trace::{ProcessEnd, Trace};

/// What a process was doing in a column, by its place in [`Glyphs::cells`](super::glyphs::Glyphs::cells).
pub(super) type Cell = usize;
/// The columns of a row: what was done in each, and of which object most was held in it.
type Cells = Vec<(Cell, Option<ObjectId>)>;

pub(super) const EMPTY: Cell = 0;
const COMPUTING: Cell = 1;
const SLEEPING: Cell = 2;
const UNRECORDED: Cell = 3;
const OPERATION: Cell = 4;
pub(super) const HOLDING: Cell = 5;
const BLOCKED: Cell = 6;
const WAITING: Cell = 7;

/// How much a part of a column counts, by what it is: what says less has to take more of it to be shown.
const WEIGHTS: [f64; 8] = [0.0, 0.3, 0.3, 0.3, 1.0, 1.0, 1.0, 1.0];
/// The part of a column that a step takes at least.
const LEAST: f64 = 0.02;

/// How many rows processes have before similar ones share a row.
pub(super) const ROWS: usize = 20;

/// A row of the picture: one process, several that look alike, or all the rest.
pub(super) struct Row {
    pub processes: Vec<ProcessId>,
    /// What is said before it.
    pub name: String,
    pub cells: Cells,
    pub end: String,
    /// Whether it ended well.
    pub good: bool,
}

/// The parts of a lane's columns.
struct Parts {
    cells: Vec<[f64; 8]>,
    held: Vec<Option<(f64, Option<ObjectId>)>>,
}

impl Parts {
    fn new(columns: usize) -> Self {
        Self { cells: vec![[0.0; 8]; columns], held: vec![None; columns] }
    }

    fn lane(&mut self, lane: &Lane, scale: &Scale) {
        // Times at which it holds something, overlaps joined.
        let mut held: Vec<(u64, u64)> = Vec::new();
        for hold in lane.holds.iter().filter(|hold| hold.begin < hold.end) {
            match held.last_mut() {
                Some((_, end)) if *end >= hold.begin => *end = hold.end.max(*end),
                _ => held.push((hold.begin, hold.end)),
            }
        }
        let mut next = 0;
        for span in &lane.spans {
            let (plain, holding) = match span.doing {
                Doing::Blocked => (BLOCKED, WAITING),
                Doing::Operation => (OPERATION, HOLDING),
                Doing::Sleeping => (SLEEPING, HOLDING),
                Doing::Computing => (COMPUTING, HOLDING),
                Doing::Unrecorded => (UNRECORDED, HOLDING),
            };
            if span.begin == span.end {
                self.add(scale, span.begin, span.end, plain);
                continue;
            }
            let mut from = span.begin;
            while from < span.end {
                while held.get(next).is_some_and(|(_, end)| *end <= from) {
                    next += 1;
                }
                let (to, cell) = match held.get(next) {
                    Some((begin, end)) if *begin <= from => ((*end).min(span.end), holding),
                    Some((begin, _)) => ((*begin).min(span.end), plain),
                    None => (span.end, plain),
                };
                self.add(scale, from, to, cell);
                from = to;
            }
        }
        for hold in &lane.holds {
            let object = match hold.what {
                Held::Object(object) => Some(object),
                Held::Section(_) => None,
            };
            for (column, part) in columns(scale, hold.begin, hold.end) {
                let best = &mut self.held[column];
                if best.is_none_or(|(most, _)| part > most) {
                    *best = Some((part, object));
                }
            }
        }
    }

    fn add(&mut self, scale: &Scale, begin: u64, end: u64, cell: Cell) {
        for (column, part) in columns(scale, begin, end) {
            self.cells[column][cell] += part;
        }
    }

    fn finish(self) -> Cells {
        let cells = self.cells.into_iter().zip(self.held);
        cells
            .map(|(parts, held)| {
                let mut best = EMPTY;
                for cell in COMPUTING..parts.len() {
                    if parts[cell] * WEIGHTS[cell] > parts[best] * WEIGHTS[best] {
                        best = cell;
                    }
                }
                let held = held.and_then(|(_, object)| object).filter(|_| matches!(best, HOLDING | WAITING));
                (best, held)
            })
            .collect()
    }
}

/// The columns that a time is in, and which part of each it takes.
fn columns(scale: &Scale, begin: u64, end: u64) -> impl Iterator<Item = (usize, f64)> {
    let (from, to) = (scale.x(begin), scale.x(end));
    let last = scale.columns.saturating_sub(1);
    let (first, end) = ((from as usize).min(last), (to as usize).min(last));
    (first..=end).map(move |column| {
        let part = to.min(column as f64 + 1.0) - from.max(column as f64);
        (column, part.max(LEAST))
    })
}

/// The rows of these processes. `wanted` are shown by themselves whatever happens.
pub(super) fn rows(
    plan: &Plan,
    trace: &Trace,
    spans: &Spans,
    processes: &[ProcessId],
    wanted: &HashSet<ProcessId>,
    scale: &Scale,
) -> Vec<Row> {
    let one = |process: ProcessId| {
        let mut parts = Parts::new(scale.columns);
        let lane = &spans.lanes[process as usize];
        // One that was never started has nothing to show.
        if lane.begin < lane.end || !lane.spans.is_empty() {
            parts.lane(lane, scale);
        }
        let (end, good) = ending(plan, trace, lane);
        Row { processes: vec![process], name: String::new(), cells: parts.finish(), end, good }
    };
    if processes.len() <= ROWS {
        return named(plan, processes.iter().map(|process| one(*process)).collect());
    }
    let shown = together(plan, processes.iter().map(|process| one(*process)), wanted);
    if shown.len() <= ROWS {
        return named(plan, shown);
    }
    // Still too many: those that ended badly, those that are wanted, and a selection of the others.
    let mut keep: Vec<bool> = vec![false; shown.len()];
    let mut left = ROWS - 1;
    let first = |row: &Row| row.processes.iter().any(|process| wanted.contains(process));
    for important in [true, false] {
        for (at, row) in shown.iter().enumerate() {
            if left > ROWS / 4 && !keep[at] && if important { first(row) } else { !row.good } {
                keep[at] = true;
                left -= 1;
            }
        }
    }
    let others: Vec<usize> = (0..shown.len()).filter(|at| !keep[*at]).collect();
    for n in 0..left.min(others.len()) {
        keep[others[n * others.len() / left]] = true;
    }
    let mut rest =
        Row { processes: Vec::new(), name: String::new(), cells: Vec::new(), end: String::new(), good: true };
    let mut parts = Parts::new(scale.columns);
    let mut rows = Vec::new();
    for (row, keep) in shown.into_iter().zip(keep) {
        if keep {
            rows.push(row);
            continue;
        }
        for process in &row.processes {
            parts.lane(&spans.lanes[*process as usize], scale);
        }
        rest.processes.extend(&row.processes);
        if rest.good {
            (rest.good, rest.end) = (row.good, row.end);
        }
    }
    rest.cells = parts.finish();
    rest.name = format!("{} more", rest.processes.len());
    let mut rows = named(plan, rows);
    rows.push(rest);
    rows
}

/// Joins rows of one program that look alike.
fn together(plan: &Plan, rows: impl Iterator<Item = Row>, wanted: &HashSet<ProcessId>) -> Vec<Row> {
    let mut all: Vec<Row> = Vec::new();
    let mut places: HashMap<(usize, String, Cells), usize> = HashMap::new();
    for row in rows {
        let process = row.processes[0];
        if wanted.contains(&process) {
            all.push(row);
            continue;
        }
        let key = (plan.processes[process as usize].program, row.end.clone(), row.cells.clone());
        match places.get(&key) {
            Some(at) => all[*at].processes.push(process),
            None => {
                places.insert(key, all.len());
                all.push(row);
            }
        }
    }
    all
}

fn named(plan: &Plan, mut rows: Vec<Row>) -> Vec<Row> {
    for row in &mut rows {
        row.name = names(plan, &row.processes);
        // Many of them that are no neighbours: the first stands for all.
        if row.processes.len() > 1 && row.name.contains(',') {
            row.name = format!("{} ..", plan.processes[row.processes[0] as usize].name);
        }
    }
    rows
}

/// How a process ended, in one or two words, and whether that is well.
fn ending(plan: &Plan, trace: &Trace, lane: &Lane) -> (String, bool) {
    let waiting = lane.spans.iter().rev().find_map(|span| span.waiting).map(|at| Spans::unfinished(trace)[at]);
    if let Some(waiting) = waiting {
        let target = plan.target_name(waiting.target);
        let end = match waiting.target {
            Target::None => format!("in {}", waiting.verb),
            Target::Object(_) | Target::Process(_) => format!("at {target}"),
        };
        return (end, false);
    }
    match lane.ended {
        ProcessEnd::Exited(0) => ("ok".to_owned(), true),
        ProcessEnd::Exited(code) => (format!("exit {code}"), false),
        ProcessEnd::Killed(number) | ProcessEnd::Crashed(number) => (signal(number), false),
        ProcessEnd::Stopped => ("stopped".to_owned(), true),
        ProcessEnd::NotStarted => ("not started".to_owned(), true),
    }
}
