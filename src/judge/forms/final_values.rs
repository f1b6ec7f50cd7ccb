//! `final_values`.

use super::{EACH_SEEN, Form, optional, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "final_values",
        summary: "the objects' last values are one of these combinations",
        arguments: &[
            required("final_values", Shape::Objects, "the objects"),
            optional("equals", Shape::Values, "their values, in the same order"),
            optional("in", Shape::Lists, "lists of their values, one of which it is"),
            EACH_SEEN,
        ],
        example: r#"[[expect]]
final_values = ["p", "x"]
in = [[5, 5], [5, 7]]"#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
