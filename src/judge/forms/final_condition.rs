//! `final`.

use super::{Form, required};
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::history::Memory;
use crate::judge::state_replay::Replay;
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};
use crate::scenario::plan::Plan;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "final",
        summary: "the condition is true at the end, for the last values of the shared objects",
        arguments: &[required("final", Shape::Condition, "the condition")],
        one_of: &[],
        example: r#"[[expect]]
final = "money == 5000""#,
    },
    judge,
    memory,
};

/// The last state holds all but what is counted.
fn memory<'p>(expectation: &'p Expectation, plan: &'p Plan) -> Vec<Memory<'p>> {
    expectation.condition("final").map_or_else(Vec::new, |condition| Memory::of_condition(condition, plan, None))
}

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
