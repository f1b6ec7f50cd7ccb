//! The cells of shared memory that steps read and write.

use crate::event::{Event, ObjectId, Target};
use crate::judge::context::Context;
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

/// An object and the element of it; none for all of its elements.
pub(crate) type Cell = (ObjectId, Option<u32>);

/// The accesses to what an expectation names, in the order of the trace.
pub(crate) fn accesses(context: &Context<'_>, wanted: &ObjectRef) -> Vec<(usize, Cell, Access)> {
    let mut found = Vec::new();
    for (place, event) in context.trace.events.iter().enumerate() {
        let Target::Object(object) = event.target else { continue };
        let near = wanted.element.is_none() || event.element.get().is_none() || event.element.get() == wanted.element;
        if near
            && wanted.objects.contains(&object)
            && let Some(access) = Access::of(context.plan, event)
        {
            found.push((place, (object, event.element.get()), access));
        }
    }
    found
}

/// Whether both touch a cell in common.
pub(crate) fn overlap(a: Cell, b: Cell) -> bool {
    a.0 == b.0 && (a.1.is_none() || b.1.is_none() || a.1 == b.1)
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
