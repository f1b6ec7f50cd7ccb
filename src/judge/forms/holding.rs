//! `holding`.

use super::{AT_LEAST, AT_MOST, EQUALS, Form, required};
use std::collections::HashMap;

use crate::event::{EventId, ObjectId, Target};
use crate::judge::bounds::Bounds;
use crate::judge::checks::concurrency;
use crate::judge::checks::concurrency::Foreign;
use crate::judge::context::Context;
use crate::judge::history::{Changes, Memory};
use crate::judge::verdict::Finding;
use crate::objects::State;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};
use crate::scenario::plan::Plan;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "holding",
        summary: "the largest number of processes that hold the object at once is within the bounds; for a semaphore that one process acquires and another releases, the number of permits",
        arguments: &[
            required("holding", Shape::Object(&["acquire", "lock"]), "a semaphore or a lock, or an array of them"),
            EQUALS,
            AT_LEAST,
            AT_MOST,
        ],
        one_of: &["equals", "at_least", "at_most"],
        example: r#"[[expect]]
holding = "permits"
at_most = 3"#,
    },
    judge,
    memory,
};

fn memory<'p>(expectation: &'p Expectation, _plan: &'p Plan) -> Vec<Memory<'p>> {
    let most = Bounds::of(expectation).decisive();
    let objects = expectation.objects("holding").iter();
    objects.map(|object| Memory::Most { of: Changes::Holding(object), most, strict: true }).collect()
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let bounds = Bounds::of(expectation);
    let objects: Vec<ObjectId> =
        expectation.objects("holding").iter().flat_map(|object| object.objects.iter().copied()).collect();
    if let Some(reason) = context.gap_on(&objects) {
        return Finding::unknown(format!("{} at once", bounds.text()), "not all of the events", reason);
    }
    let amounts = amounts(context, &objects);
    let changes = concurrency::changes(context, |event| amounts.get(&event.id).copied().unwrap_or(0));
    match concurrency::processes(&context.trace.events, &changes, bounds.most(), true) {
        Ok(peak) => concurrency::judge(context, bounds, peak, "holding"),
        Err(Foreign) => {
            concurrency::judge(context, bounds, concurrency::permits(&changes, bounds.most()), "permits out")
                .because("one process releases what another acquired, so permits are counted, not processes")
        }
    }
}

/// By how much each event changes what its process holds: as the object's own size says where it has one, by one
/// where it has none.
fn amounts(context: &Context<'_>, objects: &[ObjectId]) -> HashMap<EventId, i64> {
    let mut states: HashMap<ObjectId, Box<dyn State>> =
        objects.iter().map(|object| (*object, context.plan.objects[*object as usize].object.state())).collect();
    let mut amounts = HashMap::new();
    for event in &context.trace.events {
        let Target::Object(object) = event.target else { continue };
        let Some(state) = states.get_mut(&object) else { continue };
        let before = state.size();
        state.apply(event);
        let size = before.zip(state.size()).map_or(0, |(before, after)| (after - before).abs()).max(1);
        if let Some(sign) = context.plan.holding(event) {
            amounts.insert(event.id, sign * size);
        }
    }
    amounts
}
