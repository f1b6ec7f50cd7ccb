//! `values`.

use super::{EACH_SEEN, Form, optional, required};
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::history::Memory;
use crate::judge::one_of::Choice;
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{Argument, Expectation, FormDescription, Shape};
use crate::scenario::plan::Plan;
use crate::value::Value;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "values",
        summary: "the values of the matching events are these, in the order of the run",
        arguments: &[
            required("values", Shape::Pattern, "the events with the values"),
            optional("equals", Shape::Values, "all the values"),
            optional("in", Shape::Lists, "lists of values, one of which matches"),
            optional("unordered", Shape::Boolean, "the order does not matter"),
            EACH_SEEN,
        ],
        one_of: &["equals", "in"],
        example: r#"[[expect]]
values = "consumer get q"
equals = [1, 2, 3]"#,
    },
    judge,
    memory,
};

/// The values so far, as long as they can still become one of the lists.
fn memory<'p>(expectation: &'p Expectation, _plan: &'p Plan) -> Vec<Memory<'p>> {
    let lists: Vec<&[Value]> = match (expectation.argument("equals"), expectation.argument("in")) {
        (Some(Argument::Value(Value::List(list))), None) => vec![list],
        (None, Some(Argument::Value(Value::List(lists)))) => lists.iter().filter_map(Value::as_list).collect(),
        (Some(Argument::Value(Value::List(list))), Some(Argument::Value(Value::List(lists)))) => {
            std::iter::once(&list[..]).chain(lists.iter().filter_map(Value::as_list)).collect()
        }
        _ => Vec::new(),
    };
    let ordered = !expectation.boolean("unordered");
    expectation.patterns("values").iter().map(|of| Memory::Values { of, lists: lists.clone(), ordered }).collect()
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let choice = Choice::of(expectation, expectation.boolean("unordered"));
    let expected = choice.text();
    if !context.ended_by_itself() {
        return Finding::skipped(expected, describe::run_end(&context.trace.end));
    }
    let patterns = expectation.patterns("values");
    let [pattern, ..] = patterns else {
        return Finding::unknown(expected, "nothing", "there is no pattern");
    };
    if let Some(reason) = context.gap(patterns) {
        return Finding::unknown(expected, "not all of the events", reason);
    }
    let places = context.matches(pattern);
    let values: Vec<Value> = places.iter().map(|place| context.event(*place).value.clone()).collect();
    choice.judge(values, &places)
}
