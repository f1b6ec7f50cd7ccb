//! `takes`.

use super::{Form, LONGEST, SHORTEST, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "takes",
        summary: r#"each of the processes takes so long from its begin to its end; `"*"` is the whole run"#,
        arguments: &[required("takes", Shape::ProcessesOrRun, "the processes"), LONGEST, SHORTEST],
        example: r#"[[expect]]
takes = "*"
at_most = "2s""#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
