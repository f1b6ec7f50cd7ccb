//! Texts of events, for the formats of other programs.

use std::fmt::Write as _;

use crate::event::{Event, Target};
use crate::report::terminal::event_list::action;
use crate::report::terminal::style::{duration, value, visible};
use crate::scenario::plan::Plan;
use crate::trace::Waiting;
use crate::value::Value;

/// The most columns of a value.
const VALUE: usize = 60;

/// `recv link: "hello", waited 1.72 ms`, and how it ended where that was not `ok`.
pub(crate) fn event(plan: &Plan, event: &Event) -> String {
    let mut words = Vec::new();
    if !event.outcome.is_ok() {
        words.push(event.outcome.to_string());
    }
    words.extend(moved(event));
    if event.blocked {
        words.push(format!("waited {}", duration(event.duration())));
    }
    let action = visible(&action(plan, event)).into_owned();
    if words.is_empty() { action } else { format!("{action}: {}", words.join(", ")) }
}

/// What was moved, read or written.
pub(crate) fn moved(event: &Event) -> Option<String> {
    (event.value != Value::Null).then(|| value(&event.value, VALUE))
}

/// `acquire permits`: what a process waits for.
pub(crate) fn waiting(plan: &Plan, waiting: &Waiting) -> String {
    let mut text = waiting.verb.clone();
    if waiting.target != Target::None {
        let _ = write!(text, " {}", plan.target_name(waiting.target));
    }
    visible(&text).into_owned()
}

/// The file and line of the step that the event belongs to.
pub(crate) fn place(plan: &Plan, event: &Event) -> Option<String> {
    event.step.map(|step| plan.place(step))
}
