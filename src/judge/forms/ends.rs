//! `ends`.

use super::{Form, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "ends",
        summary: "the run ends by itself, neither in a deadlock nor by the timeout",
        arguments: &[required("ends", Shape::Boolean, "`false`: it does not")],
        example: r#"[[expect]]
ends = true"#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
