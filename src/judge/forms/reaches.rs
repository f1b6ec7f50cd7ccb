//! `reaches`.

use super::{Form, required};
use crate::judge::context::Context;
use crate::judge::history::Memory;
use crate::judge::state_scan::Walk;
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};
use crate::scenario::plan::Plan;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "reaches",
        summary: "the condition is true in some state of the run",
        arguments: &[required("reaches", Shape::Condition, "the condition")],
        one_of: &[],
        example: r#"[[expect]]
reaches = "size(q) == 5""#,
    },
    judge,
    memory,
};

fn memory<'p>(expectation: &'p Expectation, plan: &'p Plan) -> Vec<Memory<'p>> {
    let condition = expectation.condition("reaches");
    condition.map_or_else(Vec::new, |condition| Memory::of_condition(condition, plan, Some(true)))
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let expected = "true in some state";
    let Some(condition) = expectation.condition("reaches") else {
        return Finding::unknown(expected, "nothing", "there is no condition");
    };
    let walk = Walk::until(context, condition, |found| found.result == Ok(true));
    if let Some(reason) = walk.uncertain {
        return Finding::unknown(expected, walk.measured, reason);
    }
    if let Some(stop) = walk.stop {
        return Finding::pass(expected, format!("reached {}: {}", stop.when(context), stop.facts))
            .witnesses(stop.witnesses)
            .firm(true);
    }
    let finding = Finding::fail(expected, format!("never: {}", walk.measured));
    match walk.error {
        Some(message) => finding.because(format!("it has no value in some states: {message}")),
        None => finding,
    }
}
