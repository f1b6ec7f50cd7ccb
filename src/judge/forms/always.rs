//! `always`.

use super::{Form, required};
use crate::judge::context::Context;
use crate::judge::history::Memory;
use crate::judge::state_scan::Walk;
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};
use crate::scenario::plan::Plan;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "always",
        summary: "the condition is true in every state of the run, the first and the last among them",
        arguments: &[required("always", Shape::Condition, "the condition")],
        one_of: &[],
        example: r#"[[expect]]
always = "size(q) <= 5""#,
    },
    judge,
    memory,
};

fn memory<'p>(expectation: &'p Expectation, plan: &'p Plan) -> Vec<Memory<'p>> {
    let condition = expectation.condition("always");
    condition.map_or_else(Vec::new, |condition| Memory::of_condition(condition, plan, Some(false)))
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let expected = "true in every state";
    let Some(condition) = expectation.condition("always") else {
        return Finding::unknown(expected, "nothing", "there is no condition");
    };
    let walk = Walk::until(context, condition, |found| found.result != Ok(true));
    if let Some(reason) = walk.uncertain {
        return Finding::unknown(expected, walk.measured, reason);
    }
    let Some(stop) = walk.stop else { return Finding::pass(expected, walk.measured) };
    let finding = Finding::fail(expected, format!("false {}: {}", stop.when(context), stop.facts)).firm(true);
    let finding = finding.witnesses(stop.witnesses);
    match stop.result {
        Err(message) => finding.because(format!("it has no value there: {message}")),
        Ok(_) => finding,
    }
}
