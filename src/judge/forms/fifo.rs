//! `fifo`.

use super::{Form, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "fifo",
        summary: "what came out is what went in, in that order (within a priority), with nothing lost and nothing twice",
        arguments: &[required("fifo", Shape::Object, "a queue, a pipe, or an array of them")],
        example: r#"[[expect]]
fifo = "q""#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
