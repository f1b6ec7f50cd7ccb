//! `count`.

use super::{AT_LEAST, AT_MOST, EQUALS, Form, required};
use crate::judge::bounds::Bounds;
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::history::{Events, Memory};
use crate::judge::verdict::{Finding, Status};
use crate::scenario::expectation::{Expectation, FormDescription, Shape};
use crate::scenario::plan::Plan;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "count",
        summary: "the number of matching events is within the bounds; at least one without a bound",
        arguments: &[required("count", Shape::Pattern, "the events to count"), EQUALS, AT_LEAST, AT_MOST],
        one_of: &[],
        example: r#"[[expect]]
count = "worker acquire permits"
equals = 10"#,
    },
    judge,
    memory,
};

fn memory<'p>(expectation: &'p Expectation, _plan: &'p Plan) -> Vec<Memory<'p>> {
    let most = Bounds::of(expectation).decisive();
    expectation.patterns("count").iter().map(|of| Memory::Count { of: Events::Pattern(of), most }).collect()
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let bounds = Bounds::of(expectation);
    let [pattern, ..] = expectation.patterns("count") else {
        return Finding::unknown(bounds.text(), "nothing", "there is no pattern");
    };
    let places = context.matches(pattern);
    let missing = context.unrecorded(pattern);
    let low = (places.len() as u64 + missing.certain) as i64;
    let high = low.saturating_add(missing.possible as i64);
    if low == high {
        let finding = bounds.judge(low, bounds.text(), describe::counted(low, "event"));
        // Too many are shown by the first that is too many, any other number by the matches there are.
        let shown = bounds.most().map_or(places.len(), |most| places.len().min(most as usize + 1));
        return if finding.status == Status::Fail {
            finding.witnesses(places.into_iter().take(shown))
        } else {
            finding
        };
    }
    let measured = format!("between {low} and {high} events");
    bounds.judge_between(low, high, bounds.text(), measured.clone()).unwrap_or_else(|| {
        Finding::unknown(bounds.text(), measured, "not every event that may match was recorded one by one")
    })
}
