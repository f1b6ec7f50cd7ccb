//! Compares the traces of two engines under one schedule, event by event.

use std::fmt::Write as _;

use super::event_list::event_words;
use super::style::{BAD, GOOD, PLACE, Pen, STRONG, plural, shorten};
use crate::event::{Event, Target};
use crate::report::view::statistics::ending;
use crate::scenario::plan::Plan;
use crate::trace::Trace;
use crate::trace::diff::{What, difference};
use crate::trace::file::end_word;

/// The first thing that two traces do not have in common.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// What differs, as `event 12` or `how worker[0] ends`.
    pub what: String,
    /// What the model has.
    pub model: String,
    /// What the kernel has.
    pub kernel: String,
    /// `file:line` of the step, where it is about one.
    pub place: Option<String>,
}

/// The first difference between what the model and what the kernel did; none where they did the same.
pub fn compare(plan: &Plan, model: &Trace, kernel: &Trace) -> Option<Difference> {
    let found = difference(model, kernel)?;
    let (mut place, mut pair) = (None, (found.one, found.other));
    let what = match found.what {
        What::Event(at) => {
            let (one, other) = (model.events.get(at), kernel.events.get(at));
            place = other.or(one).and_then(|event| event.step).map(|step| plan.place(step));
            let words = |trace: &Trace| event_words(plan, trace, at).unwrap_or_else(|| "nothing more".to_owned());
            pair = (words(model), words(kernel));
            if let (true, Some(one), Some(other)) = (pair.0 == pair.1, one, other) {
                pair = (detail(one), detail(other));
            }
            format!("event {}", at + 1)
        }
        What::ProcessEnd(process) => {
            let words = |trace: &Trace| trace.ends.get(process as usize).map_or_else(String::new, |end| ending(*end));
            pair = (words(model), words(kernel));
            format!("how {} ends", plan.target_name(Target::Process(process)))
        }
        What::Final(object) => format!("the last value of {}", plan.target_name(Target::Object(object))),
        What::End => {
            pair = (end_word(&model.end).to_owned(), end_word(&kernel.end).to_owned());
            "the end".to_owned()
        }
        What::Stuck => {
            pair = (stuck(plan, model), stuck(plan, kernel));
            "blocked processes".to_owned()
        }
        What::Duration => "the duration in ns".to_owned(),
        What::Causality => "the order of events".to_owned(),
    };
    Some(Difference { what, model: pair.0, kernel: pair.1, place })
}

/// What a line of a trace does not show.
fn detail(event: &Event) -> String {
    let Event { begin, end, blocked, implicit, second, ticket, cause, .. } = event;
    let cause = cause.map_or_else(|| "none".to_owned(), |cause| format!("{}/{}", cause.process(), cause.number()));
    format!(
        "from {begin} to {end} ns, waited: {blocked}, implicit: {implicit}, second value: {second}, ticket: {ticket}, \
         cause: {cause}"
    )
}

fn stuck(plan: &Plan, trace: &Trace) -> String {
    let words = trace.stuck.iter().map(|waiting| {
        let process = plan.target_name(Target::Process(waiting.process));
        format!("{process} at {} {}", waiting.verb, plan.target_name(waiting.target)).trim_end().to_owned()
    });
    words.collect::<Vec<_>>().join(", ")
}

/// What came of the comparison, as lines.
pub fn tell(events: usize, difference: Option<&Difference>, color: bool, columns: usize) -> String {
    let pen = Pen { color };
    let Some(found) = difference else {
        let words = format!("the kernel matched the model in {}", plural(events as u64, "event"));
        return format!("  {} {words}\n", pen.paint(GOOD, "="));
    };
    let mut text = format!(
        "  {} the kernel differed from the model at {}{}\n",
        pen.paint(BAD, "≠"),
        pen.paint(STRONG, found.what.as_str()),
        found.place.as_ref().map(|place| format!("  {}", pen.paint(PLACE, place.as_str()))).unwrap_or_default(),
    );
    for (who, words) in [("model ", &found.model), ("kernel", &found.kernel)] {
        let _ = writeln!(text, "    {who}  {}", shorten(words, columns.saturating_sub(12)));
    }
    text
}
