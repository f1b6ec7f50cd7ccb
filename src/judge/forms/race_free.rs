//! `race_free`.

use super::{Form, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "race_free",
        summary: "of two accesses to the same cell by different processes, one of them a write and not both atomic, one is always a cause of the other",
        arguments: &[required("race_free", Shape::Object, "a value, an array, or one element of it")],
        example: r#"[[expect]]
race_free = "money""#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
