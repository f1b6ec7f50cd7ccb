//! `deadlock`.

use super::{EACH_SEEN, Form, optional, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "deadlock",
        summary: "the run ends with exactly these processes blocked for ever; any of them where no list is given",
        arguments: &[
            required("deadlock", Shape::Boolean, "`false`: it does not end so"),
            optional("blocked", Shape::Blocked, "who is blocked, and at what"),
            optional("in", Shape::BlockedLists, "lists of who is blocked, one of which it is"),
            EACH_SEEN,
        ],
        example: r#"[[expect]]
deadlock = true
blocked = ["reader at link"]"#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
