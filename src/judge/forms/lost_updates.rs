//! `lost_updates`.

use std::fmt::Write;

use super::{AT_LEAST, AT_MOST, EQUALS, Form, required};
use std::collections::{HashMap, HashSet};

use crate::event::ProcessId;
use crate::judge::bounds::Bounds;
use crate::judge::checks::accesses::{Access, Cell, accesses, overlap};
use crate::judge::context::Context;
use crate::judge::describe;
use crate::judge::history::Memory;
use crate::judge::verdict::Finding;
use crate::scenario::expectation::{Expectation, FormDescription, Shape};
use crate::scenario::plan::Plan;

pub(crate) const FORM: Form = Form {
    description: FormDescription {
        name: "lost_updates",
        summary: "the number of stores that overwrite a value which another process wrote after the load that they depend on is within the bounds; at least one without a bound",
        arguments: &[
            required("lost_updates", Shape::Object(&["load"]), "a value, an array, or one element of it"),
            EQUALS,
            AT_LEAST,
            AT_MOST,
        ],
        one_of: &[],
        example: r#"[[expect]]
lost_updates = "money"
at_least = 1"#,
    },
    judge,
    memory,
};

fn memory<'p>(expectation: &'p Expectation, _plan: &'p Plan) -> Vec<Memory<'p>> {
    let most = Bounds::of(expectation).decisive();
    expectation.objects("lost_updates").iter().map(|object| Memory::Lost { object, most }).collect()
}

fn judge(expectation: &Expectation, context: &Context<'_>) -> Finding {
    let bounds = Bounds::of(expectation);
    let [object, ..] = expectation.objects("lost_updates") else {
        return Finding::unknown(bounds.text(), "nothing", "no object is named");
    };
    if let Some(reason) = context.gap_on(&object.objects) {
        return Finding::unknown(bounds.text(), "not all of the accesses", reason);
    }
    let lost = lost(context, &accesses(context, object));
    let number = lost.len() as i64;
    let overwritten: HashSet<usize> = lost.iter().flat_map(|lost| lost.foreign.iter().copied()).collect();
    let mut measured = describe::counted(number, "lost update");
    if let Some(first) = lost.first() {
        let foreign = first.foreign[0];
        let _ = write!(
            measured,
            " ({} overwritten unseen), first {}, which comes from {} and overwrites {}",
            describe::counted(overwritten.len() as i64, "write"),
            context.describe(first.store),
            describe::number(first.known),
            context.describe(foreign)
        );
    }
    let shown = bounds.most().map_or(1, |most| most as usize + 1).clamp(1, 4);
    let places = lost.iter().take(shown).flat_map(|lost| [lost.known, lost.foreign[0], lost.store]);
    bounds.judge(number, bounds.text(), measured).witnesses(places)
}

/// A store that overwrites what its process has not seen.
struct Lost {
    /// What the process last knew of the cell: its load, or a store of its own after that.
    known: usize,
    /// The writes of others since.
    foreign: Vec<usize>,
    store: usize,
}

fn lost(context: &Context<'_>, accesses: &[(usize, Cell, Access)]) -> Vec<Lost> {
    // For each process and cell: what it last knew, and what others have written since.
    let mut known: HashMap<(ProcessId, Cell), (usize, Vec<usize>)> = HashMap::new();
    let mut lost = Vec::new();
    for (place, cell, access) in accesses {
        let process = context.event(*place).id.process();
        if *access == Access::Write
            && let Some((from, foreign)) = known.get(&(process, *cell))
            && !foreign.is_empty()
        {
            lost.push(Lost { known: *from, foreign: foreign.clone(), store: *place });
        }
        if access.writes() {
            for ((other, at), (_, foreign)) in &mut known {
                // Only a few are printed.
                if *other != process && overlap(*at, *cell) && foreign.len() < 64 {
                    foreign.push(*place);
                }
            }
        }
        // A store without a load before updates nothing.
        if *access != Access::Write || known.contains_key(&(process, *cell)) {
            known.insert((process, *cell), (*place, Vec::new()));
        }
    }
    lost
}
