//! `always`.

use super::{Form, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "always",
        summary: "the condition is true in every state of the run, the first and the last among them",
        arguments: &[required("always", Shape::Condition, "the condition")],
        example: r#"[[expect]]
always = "size(q) <= 5""#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
