//! `never`.

use super::{Form, required};
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::history::{Events, Memory};
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};
use crate::scenario::plan::Plan;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "never",
        summary: "no event matches",
        arguments: &[required("never", Shape::Pattern, "the events that must not happen")],
        one_of: &[],
        example: r#"[[expect]]
never = { process = "producer", verb = "put", outcome = "failed" }"#,
    },
    judge,
    memory,
};

fn memory<'p>(expectation: &'p Expectation, _plan: &'p Plan) -> Vec<Memory<'p>> {
    expectation.patterns("never").iter().map(|of| Memory::Count { of: Events::Pattern(of), most: 0 }).collect()
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let expected = "no such event";
    let [pattern, ..] = expectation.patterns("never") else {
        return Finding::unknown(expected, "nothing", "there is no pattern");
    };
    let places = context.matches(pattern);
    if let Some(first) = places.first() {
        let measured = describe::counted(places.len() as i64, "event");
        return Finding::fail(expected, format!("{measured}, first {}", context.describe(*first)))
            .witnesses([*first])
            .firm(true);
    }
    let missing = context.unrecorded(pattern);
    if missing.certain > 0 {
        return Finding::fail(expected, describe::counted(missing.certain as i64, "event")).firm(true);
    }
    match context.gap(std::slice::from_ref(pattern)) {
        Some(reason) => Finding::unknown(expected, "none among the recorded events", reason),
        None => Finding::pass(expected, "0 events"),
    }
}
