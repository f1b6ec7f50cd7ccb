//! `printed`.

use super::{AT_LEAST, AT_MOST, EQUALS, Form, optional, required};
use crate::judge::context::Context;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "printed",
        summary: "lines of output contain the text: at least one, where no bound is given",
        arguments: &[
            required("printed", Shape::Text, "the text"),
            optional("by", Shape::Processes, "whose output; everybody's where left out"),
            EQUALS,
            AT_LEAST,
            AT_MOST,
        ],
        example: r#"[[expect]]
printed = "登陆成功"
by = "app1""#,
    },
    judge,
};

fn judge(_expectation: &Expectation, _context: &Context<'_>) -> Finding {
    Finding::unknown("", "", "")
}
