//! `never`.

use super::{Form, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "never",
        summary: "no event matches",
        arguments: &[required("never", Shape::Pattern, "the events that must not happen")],
        example: r#"[[expect]]
never = { process = "producer", verb = "put", outcome = "failed" }"#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
