//! `expect`.

use super::{Form, optional};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "expect",
        summary: "beside a step: each time the step is carried out it ends with this outcome, or gives this value; it fails where the step is never carried out",
        arguments: &[optional("outcome", Shape::Text, "the outcome"), optional("value", Shape::Value, "the value")],
        example: r#"{ get = "q", timeout = "0s", expect = "would_block" }"#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
