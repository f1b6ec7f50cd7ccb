//! `final`.

use super::{Form, required};
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::finding::Finding;
use crate::judge::replay::Replay;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "final",
        summary: "the condition is true at the end, over the shared objects' last values",
        arguments: &[required("final", Shape::Condition, "the condition")],
        one_of: &[],
        example: r#"[[expect]]
final = "money == 5000""#,
    },
    judge,
};

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let expected = "true at the end";
    let Some(condition) = expectation.condition("final") else {
        return Finding::unknown(expected, "nothing", "there is no condition");
    };
    if !context.ended_by_itself() {
        return Finding::skipped(expected, describe::run_end(&context.trace.end));
    }
    let mut replay = Replay::new(context).finish();
    let found = replay.evaluate(condition);
    let measured = replay.facts(&found.read);
    if let Some(reason) = found.uncertain {
        return Finding::unknown(expected, measured, reason);
    }
    match found.result {
        Ok(true) => Finding::pass(expected, measured),
        Ok(false) => {
            let places: Vec<usize> = found.read.iter().filter_map(|fact| replay.last_touch(*fact)).collect();
            Finding::fail(expected, measured).witnesses(places)
        }
        Err(message) => Finding::fail(expected, measured).because(format!("it has no value: {message}")),
    }
}
