//! `ends`.

use super::{Form, required};
use crate::judge::context::Context;
use crate::judge::deadlocks;
use crate::judge::describe;
use crate::judge::verdict::{Finding, Status};
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "ends",
        summary: "the run ends by itself, neither in a deadlock nor by the timeout",
        arguments: &[required("ends", Shape::Boolean, "`false`: the run does not end by itself")],
        one_of: &[],
        example: "[[expect]]\nends = true",
    },
    judge,
    memory: super::nothing,
};

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let wanted = expectation.boolean("ends");
    let expected = if wanted { "it ends by itself" } else { "it does not end by itself" };
    let finding = Finding::decide(context.ended_by_itself() == wanted, expected, describe::run_end(&context.trace.end));
    if finding.status == Status::Pass { finding } else { finding.notes(deadlocks::explain(context, context.waiting())) }
}
