//! An execution in lanes: one line for each turn, with its changes, and a bar in the lane of each running process.
//!
//! ```text
//!      p[0]               p[1]
//!   1  load money = 0     │
//!   2  │                  load money = 0      ◀ point of no return
//!   3  │                  store money = 1     money 0 → 1
//!   4  store money = 1    │
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::event_list::action;
use super::style::{BAD, FAINT, Pen, STRONG, plural, process_style, shorten, value, visible, width};
use crate::event::{Event, ObjectId, ProcessId, Target};
use crate::objects::State;
use crate::objects::kinds::signals::HANDLED;
use crate::scenario::plan::Plan;
use crate::schedule::Turns;
use crate::trace::Trace;
use crate::value::Value;

/// The most columns of a value.
const VALUE: usize = 20;
/// The most lines of a story.
const LINES: usize = 24;
/// How many of them are its begin, where the middle is left out.
const BEGIN: usize = 8;
/// The columns of a lane: at least, at most.
const LANE: (usize, usize) = (14, 34);
/// The columns that are kept for what changes.
const CHANGES: usize = 30;

/// An execution to print.
#[derive(Clone, Copy, Debug)]
pub struct Story<'a> {
    pub trace: &'a Trace,
    pub turns: &'a Turns,
    /// By turn, how many events had been recorded when it was over.
    pub events: &'a [usize],
    /// How many events had been recorded before the first turn.
    pub before: usize,
    /// The turn after which no good end is left, where that was found out.
    pub critical: Option<usize>,
    /// The turn from which on it goes round for ever, where it does.
    pub round: Option<usize>,
    /// How often another process than before takes a turn.
    pub switches: u32,
    /// Whether no execution that shows the same has fewer switches, or as many and fewer steps.
    pub fewest: bool,
}

/// A line of a story.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Line {
    turn: usize,
    process: ProcessId,
    /// How many turns in a row do just this.
    times: usize,
    text: String,
    /// The same in parts, for where it has to be shortened.
    words: Vec<Words>,
    changes: String,
    /// The processes that have begun and not ended at its end.
    alive: Vec<bool>,
}

/// What a process does in a turn, in parts that give way one after another.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Words {
    action: String,
    /// What was moved, read or written: the first to be cut.
    value: String,
    /// How it ended where that is not `ok`: never cut while there is room for it.
    outcome: String,
}

impl Words {
    fn plain(action: impl Into<String>) -> Self {
        Self { action: action.into(), ..Self::default() }
    }

    /// The text of a transition, with values of at most `columns` columns.
    fn join(all: &[Self], columns: usize) -> String {
        let one = |words: &Self| {
            let value = if words.value.is_empty() { "".into() } else { shorten(&words.value, columns) };
            format!("{}{value}{}", words.action, words.outcome)
        };
        all.iter().map(one).collect::<Vec<_>>().join("; ")
    }

    /// The text of a transition in `columns` columns: values are cut first, then actions.
    fn fit(all: &[Self], columns: usize) -> String {
        const SEPARATOR: usize = 2;
        let whole = Self::join(all, usize::MAX);
        if width(&whole) <= columns {
            return whole;
        }
        let mut shorter = (1..VALUE).rev().map(|value| Self::join(all, value));
        if let Some(text) = shorter.find(|text| width(text) <= columns) {
            return text;
        }
        let outcomes: usize = all.iter().map(|words| width(&words.outcome)).sum();
        let each = columns.saturating_sub(outcomes + SEPARATOR * all.len().saturating_sub(1)) / all.len().max(1);
        let cut = |words: &Self| format!("{}{}", shorten(&words.action, each), words.outcome);
        shorten(&all.iter().map(cut).collect::<Vec<_>>().join("; "), columns).into_owned()
    }
}

impl Story<'_> {
    /// What each turn does, in a few words.
    pub fn words(&self, plan: &Plan) -> Vec<String> {
        self.lines(plan).into_iter().map(|line| line.text).collect()
    }

    /// The same with the line of the file.
    pub fn comments(&self, plan: &Plan) -> Vec<String> {
        let words = self.words(plan);
        let places = (0..words.len()).map(|turn| {
            let step = self.of(turn).iter().find(|event| !event.implicit).and_then(|event| event.step);
            step.map(|step| format!(" (line {})", plan.steps[step as usize].line)).unwrap_or_default()
        });
        words.iter().zip(places).map(|(words, place)| format!("{words}{place}")).collect()
    }

    /// What the last turn does, with the line of the file, and what it changes.
    pub fn last(&self, plan: &Plan) -> Option<(String, String)> {
        let changes = self.lines(plan).pop()?.changes;
        Some((self.comments(plan).pop()?, changes))
    }

    /// The events of a turn.
    fn of(&self, turn: usize) -> &[Event] {
        let (from, to) = self.range(turn);
        self.trace.events.get(from..to).unwrap_or(&[])
    }

    fn range(&self, turn: usize) -> (usize, usize) {
        let to = self.events.get(turn).copied().unwrap_or(0);
        let from = turn.checked_sub(1).map_or(self.before, |before| self.events.get(before).copied().unwrap_or(to));
        (from.min(to), to)
    }

    /// One line for each turn.
    fn lines(&self, plan: &Plan) -> Vec<Line> {
        let names = plan.process_names();
        let mut states: BTreeMap<ObjectId, Box<dyn State>> = BTreeMap::new();
        let mut alive = vec![false; plan.processes.len()];
        let mut lines = Vec::with_capacity(self.turns.turns.len());
        let mut at = 0;
        for (place, turn) in self.turns.turns.iter().enumerate() {
            let (from, to) = self.range(place);
            // Before the first turn, whatever begins.
            while at < from {
                if let Some(event) = self.trace.events.get(at) {
                    note(event, &mut alive);
                    apply(plan, &mut states, event);
                }
                at += 1;
            }
            let mut words: Vec<Words> = Vec::new();
            let mut before: BTreeMap<ObjectId, String> = BTreeMap::new();
            for event in self.trace.events.get(from..to).unwrap_or(&[]) {
                note(event, &mut alive);
                if let Target::Object(object) = event.target {
                    before.entry(object).or_insert_with(|| {
                        let state =
                            states.entry(object).or_insert_with(|| plan.objects[object as usize].object.state());
                        shown(&**state, &names)
                    });
                    apply(plan, &mut states, event);
                }
                if event.id.process() == turn.process && !event.implicit && event.step.is_some() {
                    words.push(said(plan, event));
                }
            }
            at = to;
            if turn.handles && turn.choices == [2] {
                words.push(Words::plain("the alarm rings"));
            } else if turn.handles {
                let events = self.trace.events.get(from..to).unwrap_or(&[]);
                let handled = events.iter().find(|event| event.step.is_none() && event.verb == HANDLED);
                let signal = handled.and_then(|event| event.value.as_str()).unwrap_or_default();
                words.push(Words::plain(format!("handles {signal}")));
            }
            if turn.arrives {
                words.insert(0, Words::plain("arrives only now"));
            }
            if turn.wakes {
                words.push(Words::plain("wakes without a notification"));
            } else if turn.parks {
                words.push(Words::plain(self.parks(plan, turn.process, to)));
            }
            if turn.dies {
                words.push(Words::plain(if turn.killed { "is killed" } else { "dies of a signal" }));
            }
            if words.is_empty() {
                let does = match () {
                    () if turn.begins => "begins",
                    () if turn.ends => "ends",
                    () => "resumes",
                };
                words.push(Words::plain(does));
            }
            let changes: Vec<String> = before
                .iter()
                .filter_map(|(object, before)| {
                    let after = states.get(object).map(|state| shown(&**state, &names))?;
                    (*before != after).then(|| format!("{} {before} → {after}", plan.objects[*object as usize].name))
                })
                .collect();
            lines.push(Line {
                turn: place,
                process: turn.process,
                times: 1,
                text: Words::join(&words, usize::MAX),
                words,
                changes: visible(&changes.join(", ")).into_owned(),
                alive: alive.clone(),
            });
        }
        lines
    }

    /// In what a process is parked after its turn.
    fn parks(&self, plan: &Plan, process: ProcessId, from: usize) -> String {
        let later = self.trace.events.get(from..).unwrap_or(&[]);
        let event = later.iter().find(|event| event.id.process() == process && event.step.is_some() && !event.implicit);
        let step = event.and_then(|event| event.step).or_else(|| {
            let doing = self.trace.end.doing().unwrap_or(&self.trace.stuck);
            doing.iter().find(|one| one.process == process).and_then(|one| one.step)
        });
        match step.and_then(|step| plan.steps.get(step as usize)) {
            Some(step) => format!("waits in {} {}", step.verb, step.object).trim_end().to_owned(),
            None => "waits".to_owned(),
        }
    }

    /// How long it is: `4 steps, 1 context switch`.
    pub(super) fn length(&self) -> String {
        let steps = plural(self.turns.turns.len() as u64, "step");
        format!("{steps}, {}", plural(self.switches.into(), "context switch"))
    }

    /// Draws it, each line indented by `indent`.
    pub(crate) fn draw(&self, plan: &Plan, pen: Pen, ascii: bool, indent: usize, columns: usize) -> String {
        let lines = fold(self.lines(plan), self.critical, self.round);
        let mut who: Vec<ProcessId> = lines.iter().map(|line| line.process).collect();
        who.sort_unstable();
        who.dedup();
        let numbers = self.turns.turns.len().to_string().len().max(2);
        let room = columns.saturating_sub(indent + numbers + 2 + CHANGES);
        let widest = lines.iter().map(|line| width(&line.label())).max().unwrap_or(0);
        let names = who.iter().map(|one| width(&plan.processes[*one as usize].name)).max().unwrap_or(0);
        let wanted = widest.max(names).min(LANE.1);
        let lane = wanted.min((room / who.len().max(1)).saturating_sub(2));
        let drawing = Drawing { story: self, plan, pen, ascii, indent, numbers, columns, who: &who, names, lane };
        drawing.all(&lines, lane >= wanted.min(LANE.0))
    }
}

impl Line {
    fn label(&self) -> String {
        self.fit(usize::MAX)
    }

    /// The label in `columns` columns.
    fn fit(&self, columns: usize) -> String {
        let times = if self.times > 1 { format!(" ×{}", self.times) } else { String::new() };
        Words::fit(&self.words, columns.saturating_sub(width(&times))) + &times
    }
}

/// Takes equal lines in a row together, and leaves out the middle of a long story. The critical turn and the one from
/// which on it goes round keep lines of their own.
fn fold(lines: Vec<Line>, critical: Option<usize>, round: Option<usize>) -> Vec<Line> {
    let own = |turn: usize| Some(turn) == critical || Some(turn) == round;
    let mut folded: Vec<Line> = Vec::new();
    for line in lines {
        match folded
            .last_mut()
            .filter(|last| last.process == line.process && last.text == line.text && !own(line.turn) && !own(last.turn))
        {
            Some(last) => {
                last.times += 1;
                last.alive.clone_from(&line.alive);
                // From what it was before the first to what it is after the last.
                if let (Some((begin, _)), Some((_, end))) =
                    (last.changes.split_once(" → "), line.changes.split_once(" → "))
                    && !end.contains('→')
                    && !begin.contains('→')
                {
                    last.changes = format!("{begin} → {end}");
                }
            }
            None => folded.push(line),
        }
    }
    folded
}

/// Notes the running processes.
fn note(event: &Event, alive: &mut [bool]) {
    if event.step.is_none()
        && let Some(alive) = alive.get_mut(event.id.process() as usize)
    {
        match event.verb {
            "begin" => *alive = true,
            "end" => *alive = false,
            _ => {}
        }
    }
}

fn apply(plan: &Plan, states: &mut BTreeMap<ObjectId, Box<dyn State>>, event: &Event) {
    if let Target::Object(object) = event.target {
        states.entry(object).or_insert_with(|| plan.objects[object as usize].object.state()).apply(event);
    }
}

/// What an object is, in a word: its value, or how much is in it.
fn shown(state: &dyn State, names: &[String]) -> String {
    match (state.value(names), state.size()) {
        (Value::Null, Some(size)) => size.to_string(),
        (Value::Null, None) => "free".to_owned(),
        (Value::List(_), Some(size)) => format!("{size} in it"),
        (Value::String(name), _) if names.iter().any(|other| *other == *name) => name.to_string(),
        (other, _) => value(&other, VALUE),
    }
}

/// What an event did, with what came of it.
fn said(plan: &Plan, event: &Event) -> Words {
    let mut words = Words::plain(visible(&action(plan, event)));
    if event.value != Value::Null {
        let sign = if matches!(event.verb, "print" | "mark" | "exit" | "sleep" | "busy") { "" } else { "= " };
        words.value = format!(" {sign}{}", value(&event.value, VALUE));
    }
    if !event.outcome.is_ok() {
        words.outcome = format!(": {}", event.outcome);
    }
    words
}

struct Drawing<'a> {
    story: &'a Story<'a>,
    plan: &'a Plan,
    pen: Pen,
    ascii: bool,
    indent: usize,
    numbers: usize,
    columns: usize,
    who: &'a [ProcessId],
    /// Columns of the longest name.
    names: usize,
    /// Columns of a lane, without the space behind it.
    lane: usize,
}

impl Drawing<'_> {
    fn all(&self, lines: &[Line], lanes: bool) -> String {
        let mut out = String::new();
        if lanes {
            self.head(&mut out);
        }
        let left_out = lines.len().saturating_sub(LINES);
        let mut last = None;
        for (at, line) in lines.iter().enumerate() {
            let hidden = left_out > 0 && (BEGIN..=BEGIN + left_out).contains(&at);
            let important = [self.story.critical, self.story.round].contains(&Some(line.turn));
            if hidden && !important {
                if at == BEGIN {
                    let more = format!("{:1$}… {2} more", "", self.indent + self.numbers + 2, left_out + 1);
                    let _ = writeln!(out, "{}", self.pen.paint(FAINT, more));
                }
                continue;
            }
            self.line(&mut out, line, lanes, last.replace(line.process) != Some(line.process));
        }
        out
    }

    fn head(&self, out: &mut String) {
        let mut text = " ".repeat(self.indent + self.numbers + 2);
        for one in self.who {
            let name = shorten(&self.plan.processes[*one as usize].name, self.lane).into_owned();
            text.push_str(&self.pen.pad(process_style(*one), &name, self.lane + 2));
        }
        let _ = writeln!(out, "{}", text.trim_end());
    }

    fn line(&self, out: &mut String, line: &Line, lanes: bool, switch: bool) {
        let number = format!("{:>1$}", line.turn + 1, self.indent + self.numbers);
        let mut text = format!("{}  ", self.pen.paint(FAINT, number));
        let mut used = self.indent + self.numbers + 2;
        if lanes {
            for one in self.who {
                if *one == line.process {
                    let label = line.fit(self.lane);
                    text.push_str(&self.pen.pad(process_style(*one), &self.plain(&label), self.lane + 2));
                } else {
                    let mark = if line.alive.get(*one as usize).copied().unwrap_or(false) { "│" } else { "" };
                    text.push_str(&self.pen.pad(FAINT, mark, self.lane + 2));
                }
                used += self.lane + 2;
            }
        } else {
            let name = if switch { self.plan.processes[line.process as usize].name.as_str() } else { "" };
            text.push_str(&self.pen.pad(process_style(line.process), name, self.names + 2));
            let most = self.columns.saturating_sub(used + self.names + CHANGES + 4).clamp(16, LANE.1);
            text.push_str(&self.pen.pad(anstyle::Style::new(), &self.plain(&line.fit(most)), most + 2));
            used += self.names + most + 4;
        }
        let critical = self.story.critical == Some(line.turn);
        let round = self.story.round == Some(line.turn);
        let room = self.columns.saturating_sub(used).max(12);
        let changes = shorten(&line.changes, room).into_owned();
        text.push_str(&self.pen.paint(STRONG, self.plain(&changes)));
        let mark = match (critical, round) {
            (true, _) => "◀ point of no return",
            (_, true) => "◀ repeats for ever from here",
            _ => "",
        };
        if !mark.is_empty() {
            let gap = if changes.is_empty() { "" } else { "  " };
            let fits = used + width(&changes) + gap.len() + width(mark) <= self.columns;
            let mark = if fits { mark.to_owned() } else { mark.replace(" from here", "") };
            let _ = write!(text, "{gap}{}", self.pen.paint(BAD, self.plain(&mark)));
        }
        let _ = writeln!(out, "{}", text.trim_end());
    }

    /// The text with a mark that ASCII has, where pictures keep to it: what else there is is seen to by the report.
    fn plain(&self, text: &str) -> String {
        if self.ascii { text.replace('◀', "<") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_gives_way_before_an_outcome_does() {
        let send = Words {
            action: "send data".to_owned(),
            value: " = \"chunk of a web p…".to_owned(),
            outcome: ": would_block".to_owned(),
        };
        assert_eq!(Words::fit(std::slice::from_ref(&send), 60), "send data = \"chunk of a web p…: would_block");
        assert_eq!(Words::fit(std::slice::from_ref(&send), 34), "send data = \"chunk o…: would_block");
        assert_eq!(Words::fit(std::slice::from_ref(&send), 24), "send data …: would_block");
        assert_eq!(Words::fit(std::slice::from_ref(&send), 20), "send d…: would_block");
        let both = [send, Words::plain("yield")];
        assert_eq!(Words::fit(&both, 34), "send data = \"…: would_block; yield");
    }
}
