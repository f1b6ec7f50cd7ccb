//! Symmetry: indistinguishable processes and objects can be exchanged without a difference. Of the states that arise
//! from one another by that, one stands for all: the one whose numbers are in order.
//!
//! What changes places is a *strand*: a process of each of some programs and, of arrays of objects of which each of
//! these processes uses the one of its own index, that object; of an object with elements likewise, that element.
//! Processes of one program that never uses its own name or index are strands of one process each. `orbits` finds
//! them, `automorphism` says whether a plan is the same where two have changed places, `scalarset` which values are only indices of
//! strands.
//!
//! Where processes name objects of their own, the same local state of another has another number: `renaming` knows it.
//! Strands are compared by the numbers that they would have in the first place.

mod automorphism;
mod orbits;
mod renaming;
mod scalarset;

use crate::event::ProcessId;
use crate::explore::state_space::{NONE, StateSpace, Transition};
use orbits::{Row, Strands};
use renaming::Twins;
use scalarset::{Carried, Holders};

/// The strands that can change places.
#[derive(Clone)]
pub(crate) struct Symmetry {
    groups: Vec<Group>,
    /// By process: its group and which strand of it it belongs to; [`NONE`] where it belongs to none.
    of: Vec<(u32, u32)>,
    /// By strand of a group, what stands in it, as it would stand in the first place.
    keys: Vec<u64>,
    /// By place, which strand comes there.
    order: Vec<u32>,
}

/// Strands of which any can change places with any other.
#[derive(Clone)]
struct Group {
    count: usize,
    /// What a strand is made of.
    columns: Vec<Column>,
    twins: Twins,
    /// What else holds their indices.
    carried: Carried,
}

/// Where the numbers of one row stand in a state.
#[derive(Clone, Copy)]
struct Column {
    /// Where that of the first strand stands.
    first: usize,
    /// Whether those of the others follow. Otherwise the same one says it of all.
    each: bool,
}

impl Column {
    fn of(self, place: usize) -> usize {
        if self.each { self.first + place } else { self.first }
    }
}

impl Symmetry {
    /// Finds the strands of a plan.
    pub(crate) fn new(space: &StateSpace<'_>) -> Self {
        let processes = space.plan.processes.len();
        let mut of = vec![(NONE, 0); processes];
        let mut groups = Vec::new();
        for (strands, holders) in orbits::find(space) {
            for row in &strands.rows {
                if let Row::Processes(first) = row {
                    for place in 0..strands.count {
                        of[(first + place) as usize] = (groups.len() as u32, place);
                    }
                }
            }
            groups.push(Group::new(space, strands, &holders));
        }
        Self { groups, of, keys: Vec::new(), order: Vec::new() }
    }

    /// Whether there is nothing that can change places.
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether processes change places together with indices that others hold as values.
    #[cfg(test)]
    pub(crate) fn carries_indices(&self) -> bool {
        self.groups.iter().any(|group| !group.carried.is_empty())
    }

    /// Makes of a state the one that stands for it.
    pub(crate) fn settle(&mut self, space: &mut StateSpace<'_>, state: &mut [u32]) {
        for group in &mut self.groups {
            if let (true, [column]) = (group.are_the_same(), group.columns.as_slice()) {
                insert(&mut state[column.first..column.first + group.count]);
            } else if group.arrange(space, state, &mut self.keys, &mut self.order) {
                group.place(space, state, &self.keys, &self.order);
            }
        }
    }

    /// By process of the state that stands for this one, which process of this one it is.
    pub(crate) fn origins(&mut self, space: &mut StateSpace<'_>, state: &[u32]) -> Vec<ProcessId> {
        let mut origins: Vec<ProcessId> = (0..self.of.len() as ProcessId).collect();
        // The indices that one group's processes hold of another change with that.
        let mut state = state.to_vec();
        for group in &mut self.groups {
            if group.arrange(space, &state, &mut self.keys, &mut self.order) {
                group.place(space, &mut state, &self.keys, &self.order);
            }
            for column in group.columns.iter().filter(|column| column.first < self.of.len()) {
                for (place, from) in self.order.iter().enumerate() {
                    origins[column.of(place)] = column.of(*from as usize) as ProcessId;
                }
            }
        }
        origins
    }

    /// Leaves out moves that lead where another leads: those of a strand that stands where its neighbour does.
    pub(crate) fn thin(&mut self, space: &mut StateSpace<'_>, state: &[u32], moves: &mut Vec<Transition>) {
        let mut known = NONE;
        moves.retain(|step| {
            let Some((number, place)) = self.of.get(step.process as usize).copied() else { return true };
            if number == NONE || place == 0 {
                return true;
            }
            let group = &mut self.groups[number as usize];
            let place = place as usize;
            if group.are_the_same() {
                return group.columns.iter().any(|column| state[column.of(place)] != state[column.of(place - 1)]);
            }
            // Moves are in the order of the processes, and a group's stand together or nearly so.
            if number != known {
                known = number;
                group.read(space, state, &mut self.keys);
            }
            let width = self.keys.len() / group.count;
            self.keys[(place - 1) * width..place * width] != self.keys[place * width..(place + 1) * width]
        });
    }
}

impl Group {
    fn new(space: &StateSpace<'_>, strands: Strands, holders: &Holders) -> Self {
        let processes = space.plan.processes.len();
        let column = |row: &Row| match row {
            Row::Processes(first) => Column { first: *first as usize, each: true },
            Row::Objects(first) => Column { first: processes + *first as usize, each: true },
            Row::Elements(object) => Column { first: processes + *object as usize, each: false },
        };
        Self {
            count: strands.count as usize,
            columns: strands.rows.iter().map(column).collect(),
            twins: Twins::new(space, strands),
            carried: Carried::new(space, holders),
        }
    }

    /// Whether a strand's numbers say all of it, and mean the same in every place.
    fn are_the_same(&self) -> bool {
        self.twins.are_the_same() && self.carried.is_empty()
    }

    /// Writes down what stands in each strand, as it would stand in the first place, and where its index is held. How many words
    /// a strand has.
    fn read(&mut self, space: &mut StateSpace<'_>, state: &[u32], keys: &mut Vec<u64>) -> usize {
        keys.clear();
        for place in 0..self.count {
            for (at, column) in self.columns.iter().enumerate() {
                keys.push(self.twins.first(space, at, place, state[column.of(place)]));
            }
        }
        if self.carried.is_empty() {
            return self.columns.len();
        }
        self.carried.mark(space, state, self.count, self.columns.len(), keys)
    }

    /// Finds the order in which the strands are to stand. Whether they stand in another.
    fn arrange(
        &mut self,
        space: &mut StateSpace<'_>,
        state: &[u32],
        keys: &mut Vec<u64>,
        order: &mut Vec<u32>,
    ) -> bool {
        let width = self.read(space, state, keys);
        let strand = |at: u32| &keys[at as usize * width..(at as usize + 1) * width];
        order.clear();
        order.extend(0..self.count as u32);
        let mut changed = false;
        // Mostly one of them has changed: insertion.
        for at in 1..order.len() {
            let mut place = at;
            while place > 0 && strand(order[place - 1]) > strand(order[place]) {
                order.swap(place - 1, place);
                place -= 1;
                changed = true;
            }
        }
        changed
    }

    /// Puts the strands in that order.
    fn place(&mut self, space: &mut StateSpace<'_>, state: &mut [u32], keys: &[u64], order: &[u32]) {
        let width = keys.len() / self.count;
        self.carried.rename(space, state, order);
        for (at, column) in self.columns.iter().enumerate() {
            if !column.each {
                state[column.first] = self.twins.arranged(space, at, state[column.first], order);
                continue;
            }
            for (place, from) in order.iter().enumerate().filter(|(place, from)| *place != **from as usize) {
                let key = keys[*from as usize * width + at];
                state[column.of(place)] = self.twins.at(space, at, place, key as u32);
            }
        }
    }
}

/// Sorts numbers of which mostly one stands out of order.
fn insert(part: &mut [u32]) {
    for at in 1..part.len() {
        let mut place = at;
        while place > 0 && part[place - 1] > part[place] {
            part.swap(place - 1, place);
            place -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
