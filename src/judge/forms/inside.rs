//! `inside`.

use super::{AT_LEAST, AT_MOST, EQUALS, Form, required};
use crate::judge::bounds::Bounds;
use crate::judge::checks::concurrency;
use crate::judge::context::Context;
use crate::judge::history::{Changes, Memory, section_change};
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};
use crate::scenario::plan::{Plan, Step};

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "inside",
        summary: "the largest number of processes inside the section at once is within the bounds",
        arguments: &[
            required("inside", Shape::Section, "the section that `enter` and `leave` name"),
            EQUALS,
            AT_LEAST,
            AT_MOST,
        ],
        one_of: &["equals", "at_least", "at_most"],
        example: r#"[[expect]]
inside = "bath"
at_most = 3"#,
    },
    judge,
    memory,
};

fn memory<'p>(expectation: &'p Expectation, _plan: &'p Plan) -> Vec<Memory<'p>> {
    let section = expectation.text("inside").unwrap_or_default();
    vec![Memory::Most { of: Changes::Section(section), most: Bounds::of(expectation).decisive(), strict: false }]
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let bounds = Bounds::of(expectation);
    let section = expectation.text("inside").unwrap_or_default();
    let counted =
        |step: &Step| matches!(step.verb, "enter" | "leave") && (step.object == section || step.object.contains('{'));
    if let Some(reason) = context.gap_of(counted) {
        return Finding::unknown(format!("{} inside at once", bounds.text()), "not all of the events", reason);
    }
    let changes = concurrency::changes(context, |event| section_change(section, event));
    match concurrency::processes(&context.trace.events, &changes, bounds.most(), false) {
        Ok(peak) => concurrency::judge(context, bounds, peak, "inside"),
        Err(_) => Finding::unknown(bounds.text(), "nothing", "a section is left that was not entered"),
    }
}
