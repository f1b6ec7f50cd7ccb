//! `all_before`.

use super::{BY, Form, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "all_before",
        summary: "every match of the first pattern comes before every match of the second; true where a side is empty",
        arguments: &[required("all_before", Shape::Patterns(2), "the two patterns"), BY],
        example: r#"[[expect]]
all_before = ["worker put q", "main mark done"]"#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
