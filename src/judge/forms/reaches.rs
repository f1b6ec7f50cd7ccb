//! `reaches`.

use super::{Form, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "reaches",
        summary: "the condition is true in some state of the run",
        arguments: &[required("reaches", Shape::Condition, "the condition")],
        example: r#"[[expect]]
reaches = "size(q) == 5""#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
