//! `between`.

use super::{AT_LEAST, AT_MOST, EQUALS, Form, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "between",
        summary: "the greatest number of processes at once that have had a match of the first pattern and not yet one of the second is within the bounds",
        arguments: &[
            required("between", Shape::Patterns(2), "what begins it and what ends it"),
            EQUALS,
            AT_LEAST,
            AT_MOST,
        ],
        example: r#"[[expect]]
between = ["worker get jobs", "worker put results"]
at_most = 3"#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
