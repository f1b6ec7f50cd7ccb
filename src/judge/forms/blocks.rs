//! `blocks`.

use super::{Form, LONGEST, SHORTEST, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "blocks",
        summary: "the longest that a matching event had to wait is within the bounds",
        arguments: &[required("blocks", Shape::Pattern, "the events"), LONGEST, SHORTEST],
        example: r#"[[expect]]
blocks = "producer put q"
at_least = "10ms""#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
