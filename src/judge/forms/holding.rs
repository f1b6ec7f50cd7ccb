//! `holding`.

use super::{AT_LEAST, AT_MOST, EQUALS, Form, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "holding",
        summary: "the greatest number of processes that hold the object at once is within the bounds; for a semaphore that one process acquires and another releases, of permits",
        arguments: &[
            required("holding", Shape::Object, "a semaphore or a lock, or an array of them"),
            EQUALS,
            AT_LEAST,
            AT_MOST,
        ],
        example: r#"[[expect]]
holding = "permits"
at_most = 3"#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
