//! `exits`.

use super::{Form, optional, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "exits",
        summary: "the processes ended so; with neither `code` nor `signal`, that they ended",
        arguments: &[
            required("exits", Shape::Processes, "the processes; each of them must have"),
            optional("code", Shape::Integer, "with this exit status; a signal's number is negative"),
            optional("signal", Shape::Signal, "by this signal"),
        ],
        example: r#"[[expect]]
exits = "worker"
code = 3"#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
