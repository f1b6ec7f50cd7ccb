//! `fifo`.

use std::fmt::Write;

use super::{Form, required};
use crate::event::ObjectId;
use crate::judge::checks::fifo;
use crate::judge::context::Context;
use crate::judge::verdict::{Finding, Status, worst};
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "fifo",
        summary: "messages are received in the order in which they were sent (for each priority), with none lost and none duplicated",
        arguments: &[required("fifo", Shape::Object(&["put", "send"]), "a queue, a pipe, or an array of them")],
        one_of: &[],
        example: r#"[[expect]]
fifo = "q""#,
    },
    judge,
    memory: super::nothing,
};

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let objects: Vec<ObjectId> =
        expectation.objects("fifo").iter().flat_map(|object| object.objects.iter().copied()).collect();
    if let Some(reason) = context.gap_on(&objects) {
        return Finding::unknown("in order, none lost, none duplicated", "not all of the events", reason);
    }
    let findings = objects.iter().map(|object| {
        let courses: Vec<_> = fifo::flows(context, *object).into_iter().map(|flow| flow.follow(context)).collect();
        fifo::judge(context, *object, &courses)
    });
    let findings: Vec<Finding> = findings.collect();
    let status = worst(findings.iter().map(|finding| finding.status));
    let number = findings.len();
    match findings.into_iter().find(|finding| finding.status == status) {
        Some(mut finding) if status == Status::Pass && number > 1 => {
            let _ = write!(finding.measured, ", and {} more", number - 1);
            finding
        }
        Some(finding) => finding,
        None => Finding::unknown("in order", "nothing", "no object is named"),
    }
}
