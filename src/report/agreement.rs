//! Whether two engines did the same along one schedule: their traces side by side, event by event.

use std::fmt::Write as _;

use super::layout::{BAD, GOOD, PLACE, Pen, STRONG, plural, shorten};
use super::text::event_words;
use crate::event::Event;
use crate::scenario::plan::Plan;
use crate::trace::file::end_word;
use crate::trace::{ProcessEnd, Trace};

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

/// The first difference between what the model and what the kernel did; none where they did the same. The kernel's own
/// numbers of messages are not compared: they only order events.
pub fn compare(plan: &Plan, model: &Trace, kernel: &Trace) -> Option<Difference> {
    let most = model.events.len().max(kernel.events.len());
    for at in 0..most {
        let (one, other) = (model.events.get(at), kernel.events.get(at));
        if let (Some(one), Some(other)) = (one, other)
            && same(one, other)
        {
            continue;
        }
        let words = |trace: &Trace| event_words(plan, trace, at).unwrap_or_else(|| "nothing more".to_owned());
        let (mut first, mut second) = (words(model), words(kernel));
        if let (true, Some(one), Some(other)) = (first == second, one, other) {
            (first, second) = (detail(one), detail(other));
        }
        let step = other.or(one).and_then(|event| event.step);
        return Some(Difference {
            what: format!("event {}", at + 1),
            model: first,
            kernel: second,
            place: step.map(|step| plan.place(step)),
        });
    }
    let ends = model.ends.iter().zip(&kernel.ends).zip(&plan.processes).find(|((one, other), _)| one != other);
    if let Some(((one, other), process)) = ends {
        let words = |end: &ProcessEnd| super::facts::ending(*end);
        return Some(Difference {
            what: format!("how {} ends", process.name),
            model: words(one),
            kernel: words(other),
            place: None,
        });
    }
    let end = |trace: &Trace| end_word(&trace.end).to_owned();
    if end(model) != end(kernel) {
        return Some(Difference { what: "the end".to_owned(), model: end(model), kernel: end(kernel), place: None });
    }
    let last = |trace: &Trace, at: usize| {
        trace.finals.get(at).cloned().flatten().map_or_else(|| "nothing".to_owned(), |value| value.to_string())
    };
    (0..plan.objects.len()).find(|at| last(model, *at) != last(kernel, *at)).map(|at| Difference {
        what: format!("the last value of {}", plan.objects[at].name),
        model: last(model, at),
        kernel: last(kernel, at),
        place: None,
    })
}

fn same(one: &Event, other: &Event) -> bool {
    one.id == other.id
        && (one.begin, one.end) == (other.begin, other.end)
        && (one.step, one.verb, one.target, one.element) == (other.step, other.verb, other.target, other.element)
        && (one.outcome, &one.value, &one.second) == (other.outcome, &other.value, &other.second)
        && (one.blocked, one.implicit) == (other.blocked, other.implicit)
}

/// What a line of a trace does not show.
fn detail(event: &Event) -> String {
    let Event { begin, end, blocked, implicit, second, .. } = event;
    format!("from {begin} to {end} ns, waited: {blocked}, implicit: {implicit}, second value: {second}")
}

/// What came of the comparison, as lines.
pub fn tell(events: usize, difference: Option<&Difference>, color: bool, columns: usize) -> String {
    let pen = Pen { color };
    let Some(found) = difference else {
        let words = format!("the kernel did as the model: {}, one by one", plural(events as u64, "event"));
        return format!("  {} {words}\n", pen.paint(GOOD, "="));
    };
    let mut text = format!(
        "  {} the kernel did otherwise than the model at {}{}\n",
        pen.paint(BAD, "≠"),
        pen.paint(STRONG, found.what.as_str()),
        found.place.as_ref().map(|place| format!("  {}", pen.paint(PLACE, place.as_str()))).unwrap_or_default(),
    );
    for (who, words) in [("model ", &found.model), ("kernel", &found.kernel)] {
        let _ = writeln!(text, "    {who}  {}", shorten(words, columns.saturating_sub(12)));
    }
    text
}
