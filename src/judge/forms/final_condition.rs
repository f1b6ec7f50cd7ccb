//! `final`.

use super::{Form, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "final",
        summary: "the condition is true at the end, over the shared objects' last values",
        arguments: &[required("final", Shape::Condition, "the condition")],
        example: r#"[[expect]]
final = "money == 5000""#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
