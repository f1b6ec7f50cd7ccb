//! `values`.

use super::{EACH_SEEN, Form, optional, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "values",
        summary: "the values of the matching events are these, in the order of the run",
        arguments: &[
            required("values", Shape::Pattern, "the events whose values count"),
            optional("equals", Shape::Values, "the values, all of them"),
            optional("in", Shape::Lists, "lists of values, one of which it is"),
            optional("unordered", Shape::Boolean, "the order does not matter"),
            EACH_SEEN,
        ],
        example: r#"[[expect]]
values = "consumer get q"
equals = [1, 2, 3]"#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
