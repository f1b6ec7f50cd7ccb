//! `race_free`.

use super::{Form, required};
use std::collections::BTreeMap;

use crate::event::{ObjectId, ProcessId};
use crate::judge::checks::accesses::{Access, Cell, accesses, held_at};
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::history::Memory;
use crate::judge::verdict::Finding;
use crate::objects::contract::operation::Span;
use crate::scenario::expectation::{Expectation, FormDescription, Holds, Shape};
use crate::scenario::plan::Plan;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "race_free",
        summary: "two accesses to the same cell by different processes, at least one a write and not both atomic, are always ordered by synchronisation; plain `load` and `store` do not synchronise",
        arguments: &[required("race_free", Shape::Object(&["load"]), "a value, an array, or one element of it")],
        one_of: &[],
        example: r#"[[expect]]
race_free = "money""#,
    },
    judge,
    memory,
};

fn memory<'p>(expectation: &'p Expectation, _plan: &'p Plan) -> Vec<Memory<'p>> {
    let each = expectation.holds != Holds::Always;
    expectation.objects("race_free").iter().map(|object| Memory::Races { object, each }).collect()
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let expected = "no two accesses without an order";
    let [object, ..] = expectation.objects("race_free") else {
        return Finding::unknown(expected, "nothing", "no object is named");
    };
    if let Some(reason) = context.gap_on(&object.objects) {
        return Finding::unknown(expected, "not all of the accesses", reason);
    }
    let accesses = accesses(context, object);
    let mut search = Search {
        context,
        left: if context.trace.causality.is_tabled() { TABLED } else { SWEPT },
        races: 0,
        first: None,
    };
    search.all(&accesses);
    let number = describe::counted(accesses.len() as i64, "access").replace("accesss", "accesses");
    if let Some((first, second)) = search.first {
        let more = if search.races >= TOLD || search.left == 0 { " or more" } else { "" };
        let measured = format!(
            "{}{more} without an order among {number}, first {} and {}",
            describe::counted(search.races, "pair"),
            context.describe(first),
            context.describe(second)
        );
        return Finding::fail(expected, measured)
            .witnesses([first, second])
            .notes(locks(context, first, second))
            .firm(true);
    }
    if search.left == 0 {
        return Finding::unknown(expected, number, "there are too many accesses to compare them all");
    }
    Finding::pass(expected, format!("{number}, all in order"))
}

/// Up to how many races they are counted.
const TOLD: i64 = 10_000;
/// How many comparisons are made: with a table of clocks, and where each means going through the trace.
const TABLED: usize = 200_000_000;
const SWEPT: usize = 2_000;

struct Search<'a> {
    context: &'a Context<'a>,
    left: usize,
    races: i64,
    first: Option<(usize, usize)>,
}

/// The accesses of one kind to one cell so far, by process.
type Lists = Vec<(ProcessId, Vec<usize>)>;

impl Search<'_> {
    /// Compares each access with those before it that it could race with.
    fn all(&mut self, accesses: &[(usize, Cell, Access)]) {
        let mut before: BTreeMap<(ObjectId, Access, Span), Lists> = BTreeMap::new();
        // How many cells those use at most that do not begin with the first.
        let mut longest = 0;
        for (place, cell, access) in accesses {
            let process = self.context.event(*place).id.process();
            let against: &[Access] = match access {
                Access::Read => &[Access::Write, Access::Atomic],
                Access::Write => &[Access::Read, Access::Write, Access::Atomic],
                Access::Atomic => &[Access::Read, Access::Write],
            };
            let (object, span) = *cell;
            let near = span.start.saturating_sub(longest).max(1);
            for kind in against {
                for starts in [near..span.end.max(near), 0..1] {
                    let from = |start| (object, *kind, Span { start, end: 0 });
                    let cells = before.range(from(starts.start)..from(starts.end));
                    for (_, lists) in cells.filter(|((.., other), _)| other.meets(span)) {
                        self.lists(*place, process, lists);
                    }
                }
                if self.left == 0 {
                    return;
                }
            }
            if span.start > 0 {
                longest = longest.max(span.end - span.start);
            }
            let lists = before.entry((object, *access, span)).or_default();
            match lists.iter_mut().find(|(other, _)| *other == process) {
                Some((_, list)) => list.push(*place),
                None => lists.push((process, vec![*place])),
            }
        }
    }

    fn lists(&mut self, place: usize, process: ProcessId, lists: &Lists) {
        for (_, list) in lists.iter().filter(|(other, _)| *other != process) {
            self.list(place, list);
        }
    }

    /// Within a process the last that is a cause stands for all before it.
    fn list(&mut self, place: usize, others: &[usize]) {
        for other in others.iter().rev() {
            self.left = self.left.saturating_sub(1);
            if self.left == 0 || self.context.trace.synchronises(*other, place) {
                return;
            }
            if !self.context.trace.synchronises(place, *other) {
                self.races += 1;
                self.first = self.first.or(Some((*other, place)));
                if self.races >= TOLD {
                    return;
                }
            }
        }
    }
}

/// What each of the two held, where one held a lock that would have put them into an order.
fn locks(context: &Context<'_>, first: usize, second: usize) -> Vec<String> {
    let sides = [first, second].map(|place| (place, held_at(context, place)));
    if sides.iter().all(|(_, held)| held.is_empty()) {
        return vec!["neither process held a lock".to_owned()];
    }
    sides
        .into_iter()
        .map(|(place, held)| {
            let held = if held.is_empty() { "nothing".to_owned() } else { held.join(", ") };
            format!("{} held {held} at {}", context.name(context.event(place).id.process()), describe::number(place))
        })
        .collect()
}
