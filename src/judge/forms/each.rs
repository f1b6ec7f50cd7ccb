//! `each`.

use super::{ALLOW_EMPTY, Form, optional, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "each",
        summary: "every match has its own match of another pattern after it, or before it",
        arguments: &[
            required("each", Shape::Pattern, "the events that each need another one"),
            optional("followed_by", Shape::Pattern, "what must come after each"),
            optional("preceded_by", Shape::Pattern, "what must come before each"),
            optional("within", Shape::Duration, "how far apart the two may end"),
            optional("same", Shape::Choice(&["process"]), "`process`: both are of the same process"),
            ALLOW_EMPTY,
        ],
        example: r#"[[expect]]
each = "client send link"
followed_by = "server recv link"
within = "100ms""#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
