//! A schedule as words: `worker[0] 3`, `worker[1] dies`, `A3 B1 A2`.
//!
//! ```text
//! entry = NAME [COUNT] | NAME "chooses" N {"," N} | NAME "dies" ["of" N] | NAME "is" "killed"
//!       | NAME "wakes"
//!       | NAME "handles" ["within"]
//!       | NAME "rings"
//!       | NAME "ends"
//!       | NAME "arrives" ["chooses" N {"," N}]
//! ```
//! The count may stand right behind the name. One grammar serves files, where an entry is a line, and the command line.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Source};
use crate::event::ProcessId;
use crate::scenario::plan::Plan;

/// The most turns that one entry may stand for.
const MOST: u32 = 1_000_000;

/// Turns of one process, one after the other.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Order {
    /// Whose turns they are.
    pub process: ProcessId,
    pub turns: u32,
    /// What is chosen in the turn, in order; what is left out is the first possibility.
    pub choices: Vec<u32>,
    /// Whether the process dies of a signal that was sent to it, instead of taking a step.
    pub dies: bool,
    /// Whether it is killed from outside then: no step sent that signal.
    pub killed: bool,
    /// Whether the handler of a signal begins, instead of a step. What is chosen says whether within the step, or whether only
    /// the process's alarm rings.
    pub handles: bool,
    /// Whether its wait ends although nothing has ended it, instead of a step.
    pub wakes: bool,
    /// Whether it ends in this turn, apart from its last step. Then the end of each process is a turn of its own.
    pub ends: bool,
    /// Whether it comes to its step only in this turn, and has not waited for it.
    pub arrives: bool,
    /// Where it stands, in bytes of the text that it was read from.
    pub span: Range<usize>,
}

impl Order {
    /// One turn of a process.
    pub(crate) fn of(process: ProcessId, span: Range<usize>) -> Self {
        let (dies, killed, handles, wakes, ends, arrives) = (false, false, false, false, false, false);
        Self { process, turns: 1, choices: Vec::new(), dies, killed, handles, wakes, ends, arrives, span }
    }

    /// Whether it says nothing but whose turns they are.
    pub(crate) fn is_plain(&self) -> bool {
        self.choices.is_empty() && !self.dies && !self.handles && !self.wakes && !self.ends && !self.arrives
    }
}

/// Reads entries out of `text[range]`. Everything that is wrong goes into `wrong`.
pub fn parse(plan: &Plan, source: &Arc<Source>, range: Range<usize>, wrong: &mut Vec<Diagnostic>) -> Vec<Order> {
    let mut orders: Vec<Order> = Vec::new();
    let words = words(source, range);
    let mut words = words.iter().cloned().peekable();
    while let Some(span) = words.next() {
        let word = source.slice(&span);
        if let (Some(order), Ok(turns)) = (orders.last_mut(), word.parse::<u32>()) {
            if order.turns == 1 && order.is_plain() && (1..=MOST).contains(&turns) {
                order.turns = turns;
                order.span.end = span.end;
            } else {
                let message = format!("a process takes 1 to {MOST} turns, written once after its name");
                wrong.push(error(message).at(source, span, "not a number of turns here"));
            }
            continue;
        }
        let plain = |order: &Order| order.turns == 1 && order.is_plain() && process(plan, word).is_none();
        match (word, orders.last_mut()) {
            ("dies", Some(order)) if plain(order) => {
                order.dies = true;
                order.span.end = span.end;
                if words.next_if(|next| source.slice(next) == "of").is_some() {
                    choices(source, &mut words, order, &span, wrong);
                }
            }
            ("handles", Some(order)) if plain(order) => {
                order.handles = true;
                order.span.end = span.end;
                if let Some(span) = words.next_if(|next| source.slice(next) == "within") {
                    order.choices = vec![1];
                    order.span.end = span.end;
                }
            }
            ("rings", Some(order)) if plain(order) => {
                (order.handles, order.choices) = (true, vec![2]);
                order.span.end = span.end;
            }
            ("wakes", Some(order)) if plain(order) => {
                order.wakes = true;
                order.span.end = span.end;
            }
            ("ends", Some(order)) if plain(order) => {
                order.ends = true;
                order.span.end = span.end;
            }
            ("arrives", Some(order)) if plain(order) => {
                order.arrives = true;
                order.span.end = span.end;
            }
            ("is", Some(order)) if plain(order) => {
                order.span.end = span.end;
                match words.next_if(|next| source.slice(next) == "killed") {
                    Some(span) => {
                        (order.dies, order.killed) = (true, true);
                        order.span.end = span.end;
                    }
                    None => wrong.push(error("`is` is followed by `killed`").at(source, span, "is what?")),
                }
            }
            ("chooses", Some(order))
                if order.turns == 1
                    && !(order.dies || order.handles || order.wakes || order.ends)
                    && process(plan, word).is_none() =>
            {
                choices(source, &mut words, order, &span, wrong);
            }
            _ => match named(plan, word) {
                Some((process, turns)) => {
                    orders.push(Order { turns, ..Order::of(process, span.clone()) });
                }
                None => {
                    wrong.push(unknown(plan, source, &span));
                    // What follows belongs to a process, whichever it is.
                    orders.push(Order::of(0, span.clone()));
                }
            },
        }
    }
    orders
}

/// Reads the numbers behind `chooses` or `of`.
fn choices(
    source: &Arc<Source>,
    words: &mut impl Iterator<Item = Range<usize>>,
    order: &mut Order,
    verb: &Range<usize>,
    wrong: &mut Vec<Diagnostic>,
) {
    let Some(span) = words.next() else {
        let message = "the places of what is chosen are missing, from 0, as `chooses 1` or `chooses 1,0`";
        wrong.push(error(message).at(source, verb.clone(), "which?"));
        return;
    };
    let read: Option<Vec<u32>> = source.slice(&span).split(',').map(|word| word.parse().ok()).collect();
    order.span.end = span.end;
    match read {
        Some(read) => order.choices = read,
        None => {
            let message = "choices are places from 0, with commas between them, as `chooses 1,0`";
            wrong.push(error(message).at(source, span, "not a list of places"));
        }
    }
}

/// The words of a text, by white space. The index of a process may have spaces around its commas, but not in its name.
fn words(source: &Source, range: Range<usize>) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut begin = None;
    for (at, c) in source.slice(&range).char_indices().map(|(at, c)| (range.start + at, c)) {
        match (c.is_whitespace(), begin) {
            (true, Some(start)) => {
                words.push(start..at);
                begin = None;
            }
            (false, None) => begin = Some(at),
            _ => {}
        }
    }
    words.extend(begin.map(|start| start..range.end));
    words
}

fn process(plan: &Plan, name: &str) -> Option<ProcessId> {
    plan.processes.iter().position(|process| process.name == name).map(|place| place as ProcessId)
}

/// The process that a word names, and how many turns: the whole word where it is a name, else the name before digits.
fn named(plan: &Plan, word: &str) -> Option<(ProcessId, u32)> {
    if let Some(process) = process(plan, word) {
        return Some((process, 1));
    }
    let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
    // Of `p12` either `p1` twice or `p` twelve times can be meant: the longest name wins.
    (name.len()..word.len()).rev().find_map(|at| {
        let turns = word[at..].parse().ok().filter(|turns| (1..=MOST).contains(turns))?;
        Some((process(plan, &word[..at])?, turns))
    })
}

fn unknown(plan: &Plan, source: &Arc<Source>, span: &Range<usize>) -> Diagnostic {
    let word = source.slice(span);
    let name = if word.ends_with(']') { word } else { word.trim_end_matches(|c: char| c.is_ascii_digit()) };
    let place = span.start..span.start + name.len();
    let names = || plan.processes.iter().map(|process| process.name.as_str());
    let diagnostic = error(format!("there is no process `{name}`"))
        .at(source, place.clone(), "not a process")
        .suggest_nearest(place, name, names());
    let several = plan.programs.iter().find(|program| program.name == name).and_then(|program| program.count);
    match several {
        Some(count) => diagnostic.help(format!("there are {count} of them: `{name}[0]` to `{name}[{}]`", count - 1)),
        None if diagnostic.suggestion.is_none() => {
            let few: Vec<String> = names().take(8).map(|name| format!("`{name}`")).collect();
            diagnostic.help(format!("the processes are {}", few.join(", ")))
        }
        None => diagnostic,
    }
}

fn error(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::BAD_SCHEDULE, message)
}

/// The same as one line, short enough to be typed: `A3 B1 A2`.
pub fn compact(plan: &Plan, orders: &[Order]) -> String {
    let mut text = String::new();
    for order in orders {
        if !text.is_empty() {
            text.push(' ');
        }
        let name = &plan.processes[order.process as usize].name;
        text.push_str(name);
        match order.turns {
            1 => {}
            // Behind a name that ends with a digit a count would be read as a part of it.
            turns if name.ends_with(|c: char| c.is_ascii_digit()) => {
                let _ = write!(text, " {turns}");
            }
            turns => {
                let _ = write!(text, "{turns}");
            }
        }
        text.push_str(&suffix(order));
    }
    text
}

/// What stands behind the name besides the number of turns.
pub(super) fn suffix(order: &Order) -> String {
    let places: Vec<String> = order.choices.iter().map(u32::to_string).collect();
    let places = places.join(",");
    if order.killed {
        return " is killed".to_owned();
    }
    if order.wakes {
        return " wakes".to_owned();
    }
    if order.handles {
        return match *order.choices {
            [1] => " handles within",
            [2] => " rings",
            _ => " handles",
        }
        .to_owned();
    }
    if order.ends {
        return " ends".to_owned();
    }
    let arrives = if order.arrives { " arrives" } else { "" };
    match (order.dies, order.choices.iter().any(|choice| *choice != 0)) {
        (true, false) => " dies".to_owned(),
        (true, true) => format!(" dies of {places}"),
        (false, false) => arrives.to_owned(),
        (false, true) => format!("{arrives} chooses {places}"),
    }
}
