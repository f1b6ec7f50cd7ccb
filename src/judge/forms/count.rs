//! `count`.

use super::{AT_LEAST, AT_MOST, EQUALS, Form, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "count",
        summary: "so many events match; at least one where no bound is given",
        arguments: &[required("count", Shape::Pattern, "the events to count"), EQUALS, AT_LEAST, AT_MOST],
        example: r#"[[expect]]
count = "worker acquire permits"
equals = 10"#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
