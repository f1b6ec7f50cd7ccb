//! `blocks`.

use super::{Form, LONGEST, SHORTEST, required};
use crate::event::Target;
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::durations::Durations;
use crate::judge::history::Memory;
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Pattern, PatternTarget, Shape};
use crate::scenario::plan::Plan;
use crate::trace::Waiting;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "blocks",
        summary: "the longest wait of a matching event is within the bounds",
        arguments: &[required("blocks", Shape::Pattern, "the events"), LONGEST, SHORTEST],
        one_of: &["at_most", "at_least"],
        example: r#"[[expect]]
blocks = "producer put q"
at_least = "10ms""#,
    },
    judge,
    memory,
};

fn memory<'p>(expectation: &'p Expectation, _plan: &'p Plan) -> Vec<Memory<'p>> {
    expectation.patterns("blocks").iter().map(Memory::Waits).collect()
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let bounds = Durations::of(expectation);
    let [pattern, ..] = expectation.patterns("blocks") else {
        return Finding::unknown(bounds.text(), "nothing", "there is no pattern");
    };
    if !context.trace.lost.is_empty() {
        let reason = context.gap_anywhere().unwrap_or_default();
        return Finding::unknown(bounds.text(), "not all of the events", reason);
    }
    // What is not recorded one by one did not wait.
    let places = context.matches(pattern);
    let waited = |place: &usize| {
        let event = context.event(*place);
        if event.blocked { event.end.saturating_sub(context.step_begin(*place)) } else { 0 }
    };
    let longest = places.iter().copied().max_by_key(waited);
    let left = context.waiting().iter().filter(|waiting| would_match(pattern, waiting));
    let left = left.max_by_key(|waiting| context.trace.duration.saturating_sub(waiting.since));
    let ended = longest.as_ref().map_or(0, waited);
    let still = left.map_or(0, |waiting| context.trace.duration.saturating_sub(waiting.since));
    match (longest, left) {
        (_, Some(waiting)) if still >= ended => {
            let text = describe::waiting(context.plan, waiting);
            bounds.judge(still, still, format!("{text} still waited, after {}", describe::duration(still)))
        }
        (Some(place), _) => {
            let waits = places.iter().filter(|place| context.event(**place).blocked).count();
            let number = format!("{} of {} waited", waits, describe::counted(places.len() as i64, "event"));
            let measured = if waits == 0 {
                number
            } else {
                format!("{number}, longest {} at {}", describe::duration(ended), context.describe(place))
            };
            bounds.judge(ended, ended, measured).witnesses([place])
        }
        _ => bounds.judge(0, 0, "no event matches".to_owned()),
    }
}

/// Whether what a process waits in would match, could it end.
fn would_match(pattern: &Pattern, waiting: &Waiting) -> bool {
    pattern.processes.as_ref().is_none_or(|range| range.contains(&waiting.process))
        && pattern.verb.as_ref().is_none_or(|verb| *verb == waiting.verb)
        && pattern.target.as_ref().is_none_or(|target| match (target, waiting.target) {
            (PatternTarget::Objects(range, _), Target::Object(id))
            | (PatternTarget::Processes(range), Target::Process(id)) => range.contains(&id),
            _ => false,
        })
}
