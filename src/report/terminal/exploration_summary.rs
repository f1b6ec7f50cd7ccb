//! The summary of an exploration: the verdict over all executions, their final states, the number of explored states,
//! and the shortest counterexample.

use std::fmt::Write as _;

use super::blocked;
use super::interleaving::Story;
use super::repeat_summary::{WORD, frequency, line};
use super::run_summary::{LINES, Options, Page, headline, label, mark, quoted};
use super::style::{BAD, DOUBT, FAINT, STRONG, ascii, duration, plural, shorten, visible, width};
use crate::event::ProcessId;
use crate::explore::analysis::interleavings::{Counts, Number};
use crate::explore::analysis::starvation::Liveness;
use crate::explore::run::{Cycles, Size};
use crate::explore::strategy::bfs::Cut;
use crate::judge::{Frequency, Overall, Status, Summary};
use crate::report::assumptions::Assumptions;
use crate::scenario::expectation::Holds;
use crate::scenario::plan::Plan;
use crate::trace::{Trace, Waiting};

/// The longest schedule that is printed within a command, in characters.
const TYPED: usize = 160;

#[derive(Debug)]
pub struct Exploration<'a> {
    /// What all executions say.
    pub summary: &'a Summary,
    /// What is assumed of the world.
    pub assumptions: &'a Assumptions,
    /// The lines of the steps that no execution reaches.
    pub unreached: &'a [usize],
    /// The executions that decide it, by their numbers.
    pub kept: &'a [(u64, Trace)],
    /// Why not every execution was explored.
    pub cut: Option<Cut>,
    /// How much there was.
    pub size: Size,
    /// The cycles of the state graph.
    pub circles: Cycles,
    /// The processes that can starve.
    pub liveness: Liveness,
    /// How many orders of steps there are, where they were counted.
    pub counts: Option<Counts>,
    /// How the search went, in words: what was left out, how time passed.
    pub how: &'a [String],
    /// The execution to print, and the index in [`Summary::overall`] of what fails in it.
    pub story: Option<(Story<'a>, usize)>,
    /// The process that is killed from outside in it.
    pub killed: Option<Killed>,
    /// The command that replays it.
    pub replay: Option<String>,
}

/// The process that is killed from outside in the printed execution.
#[derive(Clone, Debug)]
pub struct Killed {
    pub process: ProcessId,
    /// The step in which it is killed; none between steps.
    pub step: Option<Waiting>,
    /// Whether nothing fails without a kill: every execution was explored.
    pub only: bool,
}

impl Killed {
    /// `requires killing a process: worker[1] in its step release permit (a.toml:6)`.
    pub fn words(&self, plan: &Plan) -> String {
        let name = &plan.processes[self.process as usize].name;
        let step = self.step.as_ref().and_then(|waiting| {
            let words = format!("{} {}", waiting.verb, plan.target_name(waiting.target));
            Some(format!(" in its step {} ({})", words.trim_end(), plan.place(waiting.step?)))
        });
        let step = step.unwrap_or_default();
        if self.only { format!("requires killing a process: {name}{step}") } else { format!("kills {name}{step}") }
    }
}

/// What cut the search short, in words.
pub fn cut_words(cut: Cut) -> &'static str {
    match cut {
        Cut::States => "the state limit was reached",
        Cut::Memory => "the memory limit was reached",
        Cut::Time => "the time limit was reached",
        Cut::Stopped => "it was interrupted",
        Cut::Chosen => "only some executions were requested",
    }
}

/// The command that replays a schedule: with the schedule itself where it is short enough to be typed, else with a file
/// that has to be saved first.
pub fn replay(plan: &Plan, schedule: &str, saved: Option<&str>, arguments: &[String]) -> String {
    let path = quoted(plan.source.path.raw());
    let mut more = String::new();
    for argument in arguments {
        let _ = write!(more, " {}", quoted(argument));
    }
    match saved {
        Some(file) => format!("ipcrun replay {path} {}{more}", quoted(file)),
        None if schedule.chars().count() <= TYPED => {
            format!("ipcrun replay {path} '{}'{more}", schedule.replace('\'', "'\\''"))
        }
        None => {
            let file = crate::schedule::file_name(plan);
            let file = quoted(&file);
            format!("ipcrun explore {path} --save {file}{more}; ipcrun replay {path} {file}{more}")
        }
    }
}

/// The summary of an exploration.
pub fn summary(plan: &Plan, exploration: &Exploration<'_>, options: &Options<'_>) -> String {
    let page = Page { plan, pen: options.pen(), columns: options.width() };
    let statuses: Vec<Status> = exploration.summary.overall.iter().map(|overall| overall.status).collect();
    let mut status = exploration.summary.status;
    if status == Status::Pass && exploration.cut.is_some() {
        status = Status::Unknown;
    }
    let mut out = headline(plan, &statuses, status, page.pen, page.columns);
    expectations(&page, exploration, &mut out);
    size(&page, exploration, &mut out);
    histogram(&page, exploration.summary, exploration.cut.is_none(), &mut out);
    if let Some((story, place)) = &exploration.story {
        tell(&page, exploration, story, *place, options, &mut out);
    }
    if options.ascii {
        out = ascii(&out);
    }
    if let Some(command) = &exploration.replay {
        let _ = writeln!(out, "  {} {command}", page.pen.paint(FAINT, "replay:"));
    }
    out
}

/// A line for each expectation, and of what fails what decides it.
fn expectations(page: &Page<'_>, exploration: &Exploration<'_>, out: &mut String) {
    let summary = exploration.summary;
    let labels = summary.overall.iter().map(|overall| width(&label(&overall.label, overall.holds)));
    let whole = exploration.cut.is_none();
    let held = |overall| held(overall, summary.runs, whole);
    let counts = summary.overall.iter().map(|overall| width(&held(overall))).max().unwrap_or(0);
    let beside = summary.overall.iter().map(|overall| word(overall, whole).len()).max().unwrap_or(0).max(WORD);
    let columns = page.labels(labels, 8 + beside + counts);
    let told = exploration.story.as_ref().map(|(_, place)| *place);
    let passed = summary.overall.iter().filter(|overall| overall.status == Status::Pass).count();
    let folded = if passed > LINES { passed - LINES + 1 } else { 0 };
    let mut shown = 0;
    for (place, overall) in summary.overall.iter().enumerate() {
        if overall.status == Status::Pass {
            shown += 1;
            if shown > passed - folded {
                continue;
            }
        }
        line(page, overall, (word(overall, whole), beside), &held(overall), columns, out);
        match overall.status {
            Status::Pass if overall.holds != Holds::Always => {}
            Status::Pass | Status::Unknown => {
                if let Some(reason) = &overall.reason {
                    page.wrapped(out, "    ", reason);
                }
                if let Some((_, finding)) = overall.example.as_ref().filter(|_| overall.timing) {
                    page.found(out, finding, None, None);
                }
            }
            Status::Fail => {
                if let Some((_, finding)) = &overall.example {
                    // The execution that is printed below shows where.
                    page.found(out, finding, overall.reason.as_deref(), None);
                    if told != Some(place) && !page.is_about_end(overall.subject) {
                        page.notes(out, &finding.notes);
                    }
                } else if let Some(reason) = &overall.reason {
                    page.wrapped(out, "    because   ", reason);
                }
            }
        }
    }
    if folded > 0 {
        let _ = writeln!(out, "  {} {folded} more hold", mark(Status::Pass, page.pen));
    }
    // Where no execution came to its end, none was judged.
    for expectation in page.plan.expectations.iter().filter(|_| summary.runs == 0) {
        let text = label(&expectation.label, expectation.holds);
        let _ = writeln!(out, "  {} {}", mark(Status::Unknown, page.pen), shorten(&text, page.columns - 4));
    }
}

/// How often it holds. Of an incomplete search, among the explored executions.
pub(crate) fn word(overall: &Overall, whole: bool) -> &'static str {
    match overall.frequency {
        _ if overall.timing => "Timing-dependent",
        Frequency::Always if !whole => "So far",
        Frequency::Never if !whole => "Not seen",
        other => frequency(other),
    }
}

/// `holds in 3 of 4 ends`: the ends that an expectation could tell apart.
fn held(overall: &Overall, ends: u64, whole: bool) -> String {
    let judged = overall.held + overall.failed;
    let mut text = match overall.frequency {
        Frequency::Undecided | Frequency::NotAlways => String::new(),
        Frequency::Sometimes if whole => format!("holds in {} of {}", overall.held, plural(judged, "end")),
        Frequency::Always | Frequency::Never if whole => plural(judged, "end"),
        Frequency::Sometimes => format!("holds in {} of {judged} explored", overall.held),
        Frequency::Always => format!("holds in all {judged} explored"),
        Frequency::Never => "holds in none explored".to_owned(),
    };
    let besides = ends - judged.min(ends);
    if besides > 0 && judged > 0 && overall.unknown > 0 {
        let _ = write!(text, ", {besides} not judged");
    }
    text
}

/// How many states were explored, and whether these are all.
fn size(page: &Page<'_>, exploration: &Exploration<'_>, out: &mut String) {
    let Size { states, edges, depth, elapsed, .. } = exploration.size;
    let whole = exploration.counts.filter(|counts| counts.states > states);
    let words = format!(
        "explored {}{} and {}{}, in {}",
        counted(states as u64, "state"),
        whole.map_or_else(String::new, |counts| format!(" ({} without reductions)", grouped(counts.states as u64))),
        counted(edges, "step"),
        if depth > 0 { format!(", up to {} deep", grouped(depth as u64)) } else { String::new() },
        duration(elapsed.as_nanos() as u64),
    );
    // The number of random executions is in another line.
    if depth > 0 || exploration.cut != Some(Cut::Chosen) {
        page.wrapped(out, "  ", &words);
    }
    if let Some(counts) = exploration.counts {
        let traces = counts.traces.map_or_else(String::new, |traces| format!(", {traces} of them distinguishable"));
        let schedules = counts.schedules.to_string();
        let noun = if schedules == "1" { "schedule" } else { "schedules" };
        page.wrapped(out, "  = ", &format!("{schedules} {noun}{traces}"));
    }
    page.wrapped(out, "    ", &exploration.assumptions.words());
    for how in exploration.how {
        page.wrapped(out, "    ", how);
    }
    if let Some(killed) = &exploration.killed {
        page.wrapped(out, "    ", &format!("the counterexample below {}", killed.words(page.plan)));
    }
    if let Some(cut) = exploration.cut {
        let words = format!("incomplete: {}; executions that were not explored may differ", cut_words(cut));
        let _ = writeln!(out, "  {}", page.pen.paint(DOUBT, words));
    }
    if let Some(lines) = never_reached(exploration.unreached) {
        page.wrapped(out, "  ", &format!("never reached: {lines}"));
    }
    let Cycles { left, livelocks } = exploration.circles;
    if livelocks > 0 {
        let words =
            format!("livelock: {} of states from which no final state can be reached", plural(livelocks as u64, "set"));
        let _ = writeln!(out, "  {}", page.pen.paint(BAD, words));
    } else if left {
        page.wrapped(out, "  ", "some executions are infinite, but a final state stays reachable in all of them");
    }
}

/// `line 12`, `lines 3, 7 to 9`.
pub fn never_reached(lines: &[usize]) -> Option<String> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for line in lines {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *line => *last = *line,
            _ => ranges.push((*line, *line)),
        }
    }
    let words = ranges.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first} to {last}"),
    });
    let noun = if lines.len() == 1 { "line" } else { "lines" };
    (!lines.is_empty()).then(|| format!("{noun} {}", words.collect::<Vec<_>>().join(", ")))
}

/// `1,234,567 states`.
fn counted(n: u64, noun: &str) -> String {
    plural(n, noun).replacen(&n.to_string(), &grouped(n), 1)
}

/// `1,234,567`.
fn grouped(n: u64) -> String {
    Number::Exact(n.into()).to_string()
}

/// In what states executions end. How many there are of each says nothing of how likely it is.
fn histogram(page: &Page<'_>, summary: &Summary, whole: bool, out: &mut String) {
    let mut states: Vec<&crate::judge::FinalState> = summary.states.iter().collect();
    if states.is_empty() {
        return;
    }
    states.sort_by(|a, b| a.state.len().cmp(&b.state.len()).then_with(|| a.state.cmp(&b.state)));
    let _ = writeln!(
        out,
        "  {}",
        match states.len() {
            1 if whole => "final state:".to_owned(),
            1 => "final state so far:".to_owned(),
            n if whole => format!("{n} final states:"),
            n => format!("{n} final states so far:"),
        }
    );
    for state in states.iter().take(LINES) {
        let times = if state.runs > 1 { format!("  {} ends", state.runs) } else { String::new() };
        let text = visible(&state.state);
        let room = page.columns.saturating_sub(6 + width(&times));
        let _ = writeln!(out, "    - {}{}", shorten(&text, room), page.pen.paint(FAINT, times));
    }
    if states.len() > LINES {
        let more = format!("and {} more", states.len() - LINES);
        let _ = writeln!(out, "    {}", page.pen.paint(FAINT, more));
    }
}

/// The execution that fails, and the waits at its end.
fn tell(
    page: &Page<'_>,
    exploration: &Exploration<'_>,
    story: &Story<'_>,
    place: usize,
    options: &Options<'_>,
    out: &mut String,
) {
    let failed = exploration.summary.overall.get(place);
    let what = failed.map(|overall| label(&overall.label, overall.holds)).unwrap_or_default();
    let timing = failed.is_some_and(|overall| overall.timing);
    let fails = failed.is_none_or(|overall| overall.shown() == Status::Fail);
    let several = exploration.summary.overall.iter().filter(|overall| overall.status == Status::Fail).count() > 1;
    let what = shorten(&what, page.columns / 2);
    let shortest = if story.fewest { "shortest " } else { "" };
    let head = match fails {
        true if several || timing => format!("{shortest}counterexample to `{what}`"),
        true => format!("{shortest}counterexample"),
        false => format!("{shortest}execution that shows `{what}`"),
    };
    let head = page.pen.paint(if fails { BAD } else { STRONG }, head);
    let _ = writeln!(out, "  {head}: {}", story.length());
    out.push_str(&story.draw(page.plan, page.pen, options.ascii, 2, page.columns));
    out.push_str(&blocked::tell(page.plan, story.trace, false, page.pen, page.columns));
}
