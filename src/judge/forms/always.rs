//! `always`.

use super::{Form, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::judge::walk::Walk;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "always",
        summary: "the condition is true in every state of the run, the first and the last among them",
        arguments: &[required("always", Shape::Condition, "the condition")],
        one_of: &[],
        example: r#"[[expect]]
always = "size(q) <= 5""#,
    },
    judge,
};

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
