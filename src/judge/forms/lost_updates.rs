//! `lost_updates`.

use super::{AT_LEAST, AT_MOST, EQUALS, Form, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "lost_updates",
        summary: "so many stores overwrite what another process wrote after the load that they come from; at least one where no bound is given",
        arguments: &[
            required("lost_updates", Shape::Object, "a value, an array, or one element of it"),
            EQUALS,
            AT_LEAST,
            AT_MOST,
        ],
        example: r#"[[expect]]
lost_updates = "money"
at_least = 1"#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
