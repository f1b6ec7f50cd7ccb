//! Finds what can change places: programs of as many processes as there are objects in the arrays of which each of
//! these processes uses the one of its own index.

use super::exchange::Exchange;
use crate::event::{ObjectId, ProcessId};
use crate::model::memories::Memories;
use crate::model::mutant::{Mutant, mutated};
use crate::model::program::{has_more_than_its_index, own_index};
use crate::model::space::Space;
use crate::scenario::plan::{Action, Plan, Program};

/// The processes of a program, or the objects of an array, by the first of them.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Row {
    Processes(ProcessId),
    Objects(ObjectId),
}

/// Strands that can change places.
#[derive(Clone, Debug)]
pub(super) struct Strands {
    /// How many there are.
    pub(super) count: u32,
    /// What each is made of: one of each row. Processes come first.
    pub(super) rows: Vec<Row>,
}

/// The strands of a plan, in the order of their processes.
pub(super) fn find(space: &Space<'_>) -> Vec<Strands> {
    let plan = space.plan;
    let memories = space.memories.as_deref();
    let output = memories.is_some_and(Memories::reads_output);
    let alike = |strands: &Strands| {
        let programs = plan.programs.iter().filter(|program| strands.rows.contains(&Row::Processes(program.first)));
        let arrays = plan.groups.iter().filter(|group| strands.rows.contains(&Row::Objects(group.first)));
        let among = |object: ObjectId| {
            let group = &plan.groups[plan.objects[object as usize].group];
            strands.rows.contains(&Row::Objects(group.first))
        };
        let objects = strands.rows.iter().any(|row| matches!(row, Row::Objects(_)));
        programs.into_iter().all(|program| {
            !has_more_than_its_index(program, !space.leeway.random, output) || mutated(Mutant::IndexIsNoValue)
        }) && arrays.into_iter().all(|group| group.alike)
            && (!objects || memories.is_none_or(|memories| memories.exchanges(&among)))
            && Exchange::generators(plan, strands).iter().all(|exchange| exchange.keeps(plan))
    };
    let mut found = linked(plan);
    found.retain(alike);
    found
}

/// The rows of a plan that hang together: all of them would have to change places at once.
fn linked(plan: &Plan) -> Vec<Strands> {
    let mut linked = Linked { rows: Vec::new() };
    for program in plan.programs.iter().filter(|program| program.count.is_some()) {
        let own = linked.add(Row::Processes(program.first), program.count);
        for (row, count) in named(plan, program) {
            let row = linked.add(row, count);
            linked.join(own, row);
        }
    }
    let mut heads: Vec<usize> = linked.rows.iter().map(|(.., head)| *head).collect();
    heads.sort_unstable();
    heads.dedup();
    let mut found: Vec<Strands> = heads.into_iter().filter_map(|head| linked.strands(head)).collect();
    found.sort_by_key(|strands| strands.rows[0]);
    found
}

/// What each process of a program has its own of, by its index.
fn named(plan: &Plan, program: &Program) -> Vec<(Row, Option<u32>)> {
    let array = |object: ObjectId| {
        let group = &plan.groups[plan.objects[object as usize].group];
        (Row::Objects(group.first), group.count)
    };
    let mut rows = Vec::new();
    for operation in program.operations().filter(|operation| own_index(operation).is_some()) {
        match &operation.action {
            Action::Object(action) => {
                rows.push(array(action.first));
                // What it does to another object besides, where that is another for each.
                let touched = |object: ObjectId| {
                    plan.objects.get(object as usize).map(|object| object.object.touches(action.verb))
                };
                let next = touched(action.first + 1).unwrap_or_default();
                let own = touched(action.first).unwrap_or_default();
                rows.extend(own.into_iter().filter(|other| !next.contains(other)).map(|(other, _)| array(other)));
            }
            Action::Start(processes)
            | Action::Join(processes)
            | Action::Status(processes)
            | Action::Kill(processes, _) => rows.push((Row::Processes(processes.first), Some(processes.count))),
            _ => {}
        }
    }
    // An end that it only holds.
    let holds = |process: ProcessId| plan.processes.get(process as usize).map_or(&[][..], |process| &process.holds);
    let next = holds(program.first + 1);
    rows.extend(holds(program.first).iter().filter(|held| !next.contains(held)).map(|(object, _)| array(*object)));
    rows
}

/// Rows, each with how many it has and the place of the one that stands for all that hang together with it.
struct Linked {
    rows: Vec<(Row, Option<u32>, usize)>,
}

impl Linked {
    fn add(&mut self, row: Row, count: Option<u32>) -> usize {
        self.rows.iter().position(|(other, ..)| *other == row).unwrap_or_else(|| {
            self.rows.push((row, count, self.rows.len()));
            self.rows.len() - 1
        })
    }

    fn join(&mut self, one: usize, other: usize) {
        let (from, to) = (self.rows[one].2, self.rows[other].2);
        for (.., head) in self.rows.iter_mut().filter(|(.., head)| *head == from) {
            *head = to;
        }
    }

    /// The rows that hang together, where all of them have as many.
    fn strands(&self, head: usize) -> Option<Strands> {
        let together = || self.rows.iter().filter(|(.., other)| *other == head);
        let count = self.rows[head].1.filter(|count| *count > 1)?;
        let mut rows: Vec<Row> = together().map(|(row, ..)| *row).collect();
        rows.sort_unstable();
        together().all(|(_, other, _)| *other == Some(count)).then_some(Strands { count, rows })
    }
}
