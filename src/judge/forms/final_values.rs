//! `final_values`.

use super::{EACH_SEEN, Form, optional, required};
use crate::event::ObjectId;
use crate::judge::checks::accesses::accesses;
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::one_of::Choice;
use crate::judge::state_replay::Replay;
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, ObjectRef, Shape};
use crate::value::Value;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "final_values",
        summary: "the last values of the objects are one of these combinations",
        arguments: &[
            required("final_values", Shape::Objects, "the objects"),
            optional("equals", Shape::Values, "their values, in the same order"),
            optional("in", Shape::Lists, "lists of values, one of which matches"),
            EACH_SEEN,
        ],
        one_of: &["equals", "in"],
        example: r#"[[expect]]
final_values = ["p", "x"]
in = [[5, 5], [5, 7]]"#,
    },
    judge,
    memory: super::nothing,
};

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let choice = Choice::of(expectation, false);
    let expected = choice.text();
    if !context.ended_by_itself() {
        return Finding::skipped(expected, describe::run_end(&context.trace.end));
    }
    let named = expectation.objects("final_values");
    let objects: Vec<ObjectId> = named.iter().flat_map(|object| object.objects.iter().copied()).collect();
    let replay = Replay::of(context, &objects).finish();
    let values: Vec<Value> = named.iter().map(|object| value(&replay, object)).collect();
    if let Some(reason) = objects.iter().find_map(|object| replay.doubt(*object)) {
        return Finding::unknown(expected, describe::value(&values.into()), reason);
    }
    // The last write of each is what makes it so.
    let last = |object: &ObjectRef| {
        accesses(context, object).iter().rev().find(|access| access.2.writes()).map(|access| access.0)
    };
    let places: Vec<usize> = named.iter().filter_map(last).collect();
    choice.judge(values, &places)
}

fn value(replay: &Replay<'_>, named: &ObjectRef) -> Value {
    let whole = match named.objects.as_slice() {
        [object] => replay.value(*object).unwrap_or_default(),
        objects => objects.iter().map(|object| replay.value(*object).unwrap_or_default()).collect::<Vec<_>>().into(),
    };
    match (named.element, &whole) {
        (Some(element), Value::List(items)) => items.get(element as usize).cloned().unwrap_or_default(),
        (Some(element), Value::Bytes(bytes)) => {
            bytes.get(element as usize).map_or(Value::Null, |byte| Value::Int(i64::from(*byte)))
        }
        _ => whole,
    }
}
