//! `race_free`.

use super::{Form, required};
use crate::event::ProcessId;
use crate::judge::cells::{Access, Cell, accesses, held_at, overlap};
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::finding::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};

pub(super) const FORM: Form = Form {
    description: FormDescription {
        name: "race_free",
        summary: "of two accesses to the same cell by different processes, one of them a write and not both atomic, one is always a cause of the other",
        arguments: &[required("race_free", Shape::Object, "a value, an array, or one element of it")],
        example: r#"[[expect]]
race_free = "money""#,
    },
    judge,
};

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
        let measured = format!(
            "{} without an order among {number}, first {} and {}",
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

/// How many comparisons are made: with a table of clocks, and where each means going through the trace.
const TABLED: usize = 200_000_000;
const SWEPT: usize = 2_000;

struct Search<'a> {
    context: &'a Context<'a>,
    left: usize,
    races: i64,
    first: Option<(usize, usize)>,
}

impl Search<'_> {
    /// Compares each access with those before it. Within a process the last that is a cause stands for all before it.
    fn all(&mut self, accesses: &[(usize, Cell, Access)]) {
        let mut before: Vec<(ProcessId, Vec<(usize, Cell, Access)>)> = Vec::new();
        for (place, cell, access) in accesses {
            let process = self.context.event(*place).id.process;
            let mut own = None;
            for (at, (other, list)) in before.iter().enumerate() {
                if *other == process {
                    own = Some(at);
                    continue;
                }
                self.one(*place, *cell, *access, list);
                if self.left == 0 {
                    return;
                }
            }
            match own {
                Some(at) => before[at].1.push((*place, *cell, *access)),
                None => before.push((process, vec![(*place, *cell, *access)])),
            }
        }
    }

    fn one(&mut self, place: usize, cell: Cell, access: Access, others: &[(usize, Cell, Access)]) {
        for (other, at, kind) in others.iter().rev() {
            if !overlap(cell, *at)
                || !(access.writes() || kind.writes())
                || access == Access::Atomic && *kind == Access::Atomic
            {
                continue;
            }
            self.left = self.left.saturating_sub(1);
            if self.left == 0 || self.context.trace.happens_before(*other, place) {
                return;
            }
            if !self.context.trace.happens_before(place, *other) {
                self.races += 1;
                self.first = self.first.or(Some((*other, place)));
                return;
            }
        }
    }
}

/// What each of the two held, where one held a lock that would have put them into an order.
fn locks(context: &Context<'_>, first: usize, second: usize) -> Vec<String> {
    let sides = [first, second].map(|place| (place, held_at(context, place)));
    if sides.iter().all(|(_, held)| held.is_empty()) {
        return vec!["neither held a lock".to_owned()];
    }
    sides
        .into_iter()
        .map(|(place, held)| {
            let held = if held.is_empty() { "nothing".to_owned() } else { held.join(", ") };
            format!("{} held {held} at {}", context.name(context.event(place).id.process), describe::number(place))
        })
        .collect()
}
