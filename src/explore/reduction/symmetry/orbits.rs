//! Finds what can change places: programs of as many processes as there are objects in the arrays of which each of
//! these processes uses the one of its own index.

use super::automorphism::Exchange;
use super::scalarset::{self, Holders, Uses};
use crate::event::{ObjectId, ProcessId, Target};
use crate::explore::base::injected_bugs::{Mutant, mutated};
use crate::explore::budget::Pace;
use crate::explore::history::History;
use crate::explore::semantics::program_analysis::{has_more_than_its_index, own_element, own_index};
use crate::explore::state_space::StateSpace;
use crate::scenario::plan::{Plan, Program};

/// As many things as there are strands, one for each.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Row {
    /// The processes of a program, by the first of them.
    Processes(ProcessId),
    /// The objects of an array of objects, by the first of them.
    Objects(ObjectId),
    /// The elements of one object.
    Elements(ObjectId),
}

impl Row {
    /// Whether that object, or an element of it, is one of a row of `count`.
    pub(super) fn has(self, object: ObjectId, count: u32) -> bool {
        match self {
            Self::Processes(_) => false,
            Self::Objects(first) => (first..first + count).contains(&object),
            Self::Elements(whole) => whole == object,
        }
    }

    /// Whether that process is one of a row of `count`.
    fn has_process(self, process: ProcessId, count: u32) -> bool {
        matches!(self, Self::Processes(first) if (first..first + count).contains(&process))
    }
}

/// Strands that can change places.
#[derive(Clone, Debug)]
pub(super) struct Strands {
    /// How many there are.
    pub(super) count: u32,
    /// What each is made of: one of each row. Processes come first.
    pub(super) rows: Vec<Row>,
}

/// The strands of a plan, in the order of their processes; fewer where the budget is spent, which ends the search.
pub(super) fn find(space: &StateSpace<'_>) -> Vec<(Strands, Holders)> {
    let plan = space.plan;
    // A signal says which process sent it, and `wait_any` which has ended.
    if plan.observes_parents() {
        return Vec::new();
    }
    let mut pace = Pace::new(&space.budget);
    let output = space.memories.as_deref().is_some_and(History::reads_output);
    let candidates = linked(plan);
    let held = scalarset::find(space, &candidates, output);
    let mut found = Vec::new();
    for (strands, held) in candidates.into_iter().zip(held) {
        if pace.spent().is_some() {
            break;
        }
        let Some((holders, uses)) = held else { continue };
        let keeps = strands.rows.iter().all(|row| is_alike(space, *row, strands.count, output, &uses))
            && is_forgotten(space, &strands)
            && Exchange::generators(plan, &strands, &uses).iter().all(|exchange| exchange.keeps(plan));
        if keeps {
            found.push((strands, holders));
        }
    }
    // Where those that hold indices of others could change places too, one of both must stay for a state to have one form: the
    // smaller.
    while let Some((one, other)) = entangled(&found) {
        let count = |at: usize| found[at].0.count;
        found.remove(if count(one) < count(other) { one } else { other });
    }
    found
}

/// Strands of which some hold indices of others.
fn entangled(found: &[(Strands, Holders)]) -> Option<(usize, usize)> {
    let has = |strands: &Strands, holders: &Holders| {
        let mut objects = holders.objects().iter();
        holders.processes().any(|process| strands.rows.iter().any(|row| row.has_process(process, strands.count)))
            || objects.any(|object| strands.rows.iter().any(|row| row.has(*object, strands.count)))
    };
    let held = (0..found.len()).filter(|one| !found[*one].1.is_empty());
    let pairs = held.flat_map(|one| (0..found.len()).map(move |other| (one, other)));
    pairs.filter(|(one, other)| one != other).find(|(one, other)| has(&found[*other].0, &found[*one].1))
}

/// Whether those of a row are the same by themselves.
fn is_alike(space: &StateSpace<'_>, row: Row, count: u32, output: bool, uses: &Uses) -> bool {
    let plan = space.plan;
    match row {
        Row::Processes(first) => {
            !has_more_than_its_index(plan.program(first), !space.leeway.random, output, uses)
                || mutated(Mutant::IndexIsNoValue)
        }
        Row::Objects(first) => plan.groups[plan.objects[first as usize].group].alike,
        Row::Elements(object) => {
            let planned = &plan.objects[object as usize].object;
            let model = planned.model(&vec![0; planned.ends().len()]);
            (0..count).all(|at| model.element(at).is_some_and(|own| Some(own) == model.element(0)))
        }
    }
}

/// Whether nothing is kept of the past that tells the objects of one strand from those of another.
fn is_forgotten(space: &StateSpace<'_>, strands: &Strands) -> bool {
    let plan = space.plan;
    let among = |object: ObjectId| {
        let group = &plan.groups[plan.objects[object as usize].group];
        strands.rows.contains(&Row::Objects(group.first)) || strands.rows.contains(&Row::Elements(object))
    };
    let waits = |memories: &History<'_>| {
        let mut first =
            strands.rows.iter().filter_map(|row| if let Row::Processes(first) = row { Some(*first) } else { None });
        first.any(|first| memories.tells_waits(first..first + strands.count))
    };
    let alone = strands.rows.iter().all(|row| matches!(row, Row::Processes(_)));
    space.memories.as_deref().is_none_or(|memories| !waits(memories) && (alone || memories.exchanges(&among)))
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
    for operation in program.operations().filter(|operation| own_element(operation).is_some()) {
        for (object, _) in operation.accessed() {
            rows.push((Row::Elements(object), plan.objects[object as usize].object.length()));
        }
    }
    for operation in program.operations().filter(|operation| own_index(operation).is_some()) {
        for operand in &operation.operands {
            match operand.first {
                Target::Object(first) => {
                    rows.push(array(first));
                    // What it does to another object besides, where that is another for each.
                    let touched = |object: ObjectId| {
                        plan.objects.get(object as usize).map(|object| object.object.touches(operand.verb))
                    };
                    let next = touched(first + 1).unwrap_or_default();
                    let own = touched(first).unwrap_or_default();
                    rows.extend(own.into_iter().filter(|other| !next.contains(other)).map(|(other, _)| array(other)));
                }
                Target::Process(first) => rows.push((Row::Processes(first), Some(operand.count))),
                Target::None => {}
            }
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
