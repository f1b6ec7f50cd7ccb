//! `inside`.

use super::{AT_LEAST, AT_MOST, EQUALS, Form, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "inside",
        summary: "the greatest number of processes inside the section at once is within the bounds",
        arguments: &[
            required("inside", Shape::Text, "the section that `enter` and `leave` name"),
            EQUALS,
            AT_LEAST,
            AT_MOST,
        ],
        example: r#"[[expect]]
inside = "bath"
at_most = 3"#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
