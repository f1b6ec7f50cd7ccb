//! `order`.

use super::{ALLOW_EMPTY, BY, Form, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "order",
        summary: "the first matches of the patterns happen in this order, each a cause of the next; a pattern that is repeated stands for its next match",
        arguments: &[required("order", Shape::Patterns(2), "the patterns, the first to happen first"), BY, ALLOW_EMPTY],
        example: r#"[[expect]]
order = ["app1 send link", "app2 recv link", "app2 send link", "app1 recv link"]"#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
