//! The cells of shared memory that steps read and write.

use crate::event::{Event, ObjectId, Target};
use crate::judge::context::Context;
use crate::objects::contract::operation::Span;
use crate::objects::contract::verb_class::Effect;
use crate::scenario::expectation::ObjectRef;
use crate::scenario::plan::Plan;

/// What an access does to a cell.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Access {
    /// It only reads.
    Read,
    /// It writes what it was given.
    Write,
    /// It reads and writes in one.
    Atomic,
}

impl Access {
    /// What an event does to the cell that it is about.
    pub(crate) fn of(plan: &Plan, event: &Event) -> Option<Self> {
        Self::by(plan.effect(event)).filter(|_| event.outcome.is_ok())
    }

    /// What a verb does to a cell.
    pub(crate) fn by(effect: Effect) -> Option<Self> {
        match effect {
            Effect::Reads => Some(Self::Read),
            Effect::Writes => Some(Self::Write),
            Effect::Updates => Some(Self::Atomic),
            _ => None,
        }
    }

    pub(crate) fn writes(self) -> bool {
        self != Self::Read
    }
}

/// An object and cells of it.
pub(crate) type Cell = (ObjectId, Span);

/// The accesses to what an expectation names, in the order of the trace.
pub(crate) fn accesses(context: &Context<'_>, wanted: &ObjectRef) -> Vec<(usize, Cell, Access)> {
    let mut found = Vec::new();
    for (place, event) in context.trace.events.iter().enumerate() {
        if let Some(cell) = wanted_cell(context.plan, wanted, event)
            && let Some(access) = Access::of(context.plan, event)
        {
            found.push((place, cell, access));
        }
    }
    found
}

/// The cells that an event is about, where one of those is that an expectation names.
pub(crate) fn wanted_cell(plan: &Plan, wanted: &ObjectRef, event: &Event) -> Option<Cell> {
    let Target::Object(id) = event.target else { return None };
    let object = wanted.objects.contains(&id).then(|| &plan.objects[id as usize].object)?;
    let span = object.span(event);
    span.meets(Span::of(wanted.element)).then_some((id, span))
}

/// Whether both touch a cell in common.
pub(crate) fn overlap(a: Cell, b: Cell) -> bool {
    a.0 == b.0 && a.1.meets(b.1)
}

/// The locks and permits that the process of an event holds when it happens, by name.
pub(crate) fn held_at(context: &Context<'_>, place: usize) -> Vec<String> {
    let process = context.event(place).id.process();
    let mut held: Vec<ObjectId> = Vec::new();
    for event in context.trace.events[..place].iter().filter(|event| event.id.process() == process) {
        let Target::Object(object) = event.target else { continue };
        match context.plan.holding(event) {
            Some(1) => held.push(object),
            Some(_) => {
                if let Some(at) = held.iter().rposition(|held| *held == object) {
                    held.remove(at);
                }
            }
            None => {}
        }
    }
    held.sort_unstable();
    held.dedup();
    held.into_iter().map(|object| context.plan.target_name(Target::Object(object)).to_owned()).collect()
}
