//! `expect`.

use super::{Form, optional};
use crate::event::Event;
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::history::{Events, Memory};
use crate::judge::one_of::alike;
use crate::judge::verdict::Finding;
use crate::outcome::{Outcome, Outcomes};
use crate::scenario::expectation::{Expectation, FormDescription, Shape};
use crate::scenario::plan::Plan;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "expect",
        summary: "in a step: each time the step runs it ends with this outcome or value; fails if the step never runs",
        arguments: &[optional("outcome", Shape::Text, "the outcome"), optional("value", Shape::Value, "the value")],
        one_of: &[],
        example: r#"{ get = "q", timeout = "0s", expect = "would_block" }"#,
    },
    judge,
    memory,
};

/// Whether it has ended as it should, and whether it has not.
fn memory<'p>(expectation: &'p Expectation, _plan: &'p Plan) -> Vec<Memory<'p>> {
    let Some(step) = expectation.step else { return Vec::new() };
    let wanted = expectation.text("outcome").and_then(Outcome::parse).map(Outcomes::of);
    let value = expectation.value("value");
    let of = |fits| Events::Step { step, wanted, value, fits };
    [true, false].map(|fits| Memory::Count { of: of(fits), most: 0 }).into()
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let wanted = expectation.text("outcome").and_then(Outcome::parse).map(Outcomes::of);
    let value = expectation.value("value");
    let expected = match (expectation.text("outcome"), value) {
        (Some(outcome), _) => format!("outcome `{outcome}`"),
        (None, Some(value)) => format!("value {}", describe::value(value)),
        (None, None) => "the step is carried out".to_owned(),
    };
    let Some(step) = expectation.step else {
        return Finding::unknown(expected, "nothing", "it belongs to no step");
    };
    let places: Vec<usize> = (context.trace.events.iter().enumerate())
        .filter(|(_, event)| event.step == Some(step) && !event.implicit)
        .map(|(place, _)| place)
        .collect();
    // The steps that were only counted ended `ok`; their values are not known.
    let counted: u64 = context.trace.counted.iter().filter(|(other, _)| *other == step).map(|(_, times)| times).sum();
    let fits = |event: &Event| {
        wanted.is_none_or(|outcomes| outcomes.contains(event.outcome))
            && value.is_none_or(|value| event.outcome.is_ok() && alike(value, &event.value))
    };
    let times = |number: i64| if number == 1 { "once".to_owned() } else { format!("{number} times") };
    if let Some(wrong) = places.iter().copied().find(|place| !fits(context.event(*place))) {
        let event = context.event(wrong);
        let got = if value.is_some() && event.outcome.is_ok() {
            format!("{} gave {}", context.describe(wrong), describe::value(&event.value))
        } else {
            format!("{} ended {}", describe::number(wrong), event.outcome)
        };
        return Finding::fail(expected, got).witnesses([wrong]).firm(true);
    }
    if counted > 0 && wanted.is_some_and(|outcomes| !outcomes.contains(Outcome::OK)) {
        return Finding::fail(expected, format!("ended ok {}", times(counted as i64))).firm(true);
    }
    let carried_out = places.len() as u64 + counted;
    if carried_out == 0 {
        let left = context.waiting().iter().find(|waiting| waiting.step == Some(step));
        let measured = match left {
            Some(waiting) => format!("never ended: {}", describe::waiting(context.plan, waiting)),
            None => "the step was never carried out".to_owned(),
        };
        return Finding::fail(expected, measured);
    }
    let measured = format!("carried out {}", times(carried_out as i64));
    if counted > 0 && value.is_some() {
        return Finding::unknown(expected, measured, "the step was counted, its values were not recorded");
    }
    Finding::pass(expected, measured).witnesses(places.first().copied())
}
