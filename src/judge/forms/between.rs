//! `between`.

use super::{AT_LEAST, AT_MOST, EQUALS, Form, required};
use crate::judge::bounds::Bounds;
use crate::judge::checks::concurrency;
use crate::judge::context::Context;
use crate::judge::history::{Changes, Memory};
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};
use crate::scenario::plan::Plan;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "between",
        summary: "the largest number of processes at once between a match of the first pattern and one of the second is within the bounds",
        arguments: &[
            required(
                "between",
                Shape::Patterns(2),
                "the pattern that begins the interval and the pattern that ends it",
            ),
            EQUALS,
            AT_LEAST,
            AT_MOST,
        ],
        one_of: &["equals", "at_least", "at_most"],
        example: r#"[[expect]]
between = ["worker get jobs", "worker put results"]
at_most = 3"#,
    },
    judge,
    memory,
};

fn memory<'p>(expectation: &'p Expectation, _plan: &'p Plan) -> Vec<Memory<'p>> {
    let of = Changes::Between(expectation.patterns("between"));
    vec![Memory::Most { of, most: Bounds::of(expectation).decisive(), strict: false }]
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let bounds = Bounds::of(expectation);
    let patterns = expectation.patterns("between");
    if let Some(reason) = context.gap(patterns) {
        return Finding::unknown(format!("{} in between at once", bounds.text()), "not all of the events", reason);
    }
    let [begin, ends @ ..] = patterns else {
        return Finding::unknown(bounds.text(), "nothing", "there is no pattern");
    };
    // A second begin changes nothing.
    let changes = concurrency::changes(context, |event| {
        if ends.iter().any(|end| end.matches(event)) {
            concurrency::EVERYTHING
        } else {
            i64::from(begin.matches(event))
        }
    });
    match concurrency::processes(&context.trace.events, &changes, bounds.most(), false) {
        Ok(peak) => concurrency::judge(context, bounds, peak, "in between"),
        Err(_) => Finding::unknown(bounds.text(), "nothing", "the patterns contradict one another"),
    }
}
