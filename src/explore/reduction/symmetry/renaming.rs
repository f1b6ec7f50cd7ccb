//! The numbers of renamed local states: computed once, then looked up.

use std::collections::HashMap;

use super::orbits::{Row, Strands};
use crate::event::ObjectId;
use crate::explore::base::interner::lasting;
use crate::explore::state_space::{NONE, StateSpace};

/// The numbers that mean the same in the strands of a group.
#[derive(Clone)]
pub(super) struct Twins {
    strands: Strands,
    columns: Vec<Known>,
}

/// What is known of a column, [`NONE`] where that is not found out.
#[derive(Clone)]
enum Known {
    /// A number means the same in every place.
    Same,
    Places {
        /// By place, by number there: the number in the first place.
        first: Vec<Vec<u32>>,
        /// By place, by number in the first place: the number there.
        at: Vec<Vec<u32>>,
    },
    /// One number says of an object what all its elements are.
    Elements {
        object: ObjectId,
        /// By number and order: the number with the elements in that order.
        arranged: HashMap<(u32, Box<[u32]>), u32>,
    },
}

impl Twins {
    pub(super) fn new(space: &StateSpace<'_>, strands: Strands) -> Self {
        let places = || {
            let none = || vec![Vec::new(); strands.count as usize];
            Known::Places { first: none(), at: none() }
        };
        let known = |row: &Row| match row {
            Row::Processes(first) => {
                let classes = &space.classes[*first as usize..(first + strands.count) as usize];
                if classes.iter().all(|class| *class == classes[0]) { Known::Same } else { places() }
            }
            Row::Objects(_) => places(),
            Row::Elements(object) => Known::Elements { object: *object, arranged: HashMap::new() },
        };
        let columns = strands.rows.iter().map(known).collect();
        Self { strands, columns }
    }

    /// Whether every number means the same in every place.
    pub(super) fn are_the_same(&self) -> bool {
        self.columns.iter().all(|known| matches!(known, Known::Same))
    }

    /// What would stand in the first place as that number does in another; of elements, what the one there is.
    #[inline]
    pub(super) fn first(&mut self, space: &mut StateSpace<'_>, column: usize, place: usize, number: u32) -> u64 {
        match &mut self.columns[column] {
            Known::Elements { object, .. } => space.object_of(*object, number).element(place as u32).unwrap_or(0),
            Known::Places { first, at } if place > 0 => match first[place].get(number as usize) {
                Some(first) if *first != NONE => u64::from(*first),
                _ => {
                    let (twin, lasts) = lasting(|| twin(space, &self.strands, column, (place, 0), number));
                    if lasts {
                        note(&mut first[place], number, twin);
                        note(&mut at[place], twin, number);
                    }
                    u64::from(twin)
                }
            },
            Known::Places { .. } | Known::Same => u64::from(number),
        }
    }

    /// What stands in that place as that number does in the first.
    #[inline]
    pub(super) fn at(&mut self, space: &mut StateSpace<'_>, column: usize, place: usize, number: u32) -> u32 {
        match &mut self.columns[column] {
            Known::Places { first, at } if place > 0 => match at[place].get(number as usize) {
                Some(there) if *there != NONE => *there,
                _ => {
                    let (twin, lasts) = lasting(|| twin(space, &self.strands, column, (0, place), number));
                    if lasts {
                        note(&mut first[place], twin, number);
                        note(&mut at[place], number, twin);
                    }
                    twin
                }
            },
            Known::Places { .. } | Known::Elements { .. } | Known::Same => number,
        }
    }

    /// What an object is with its elements in that order.
    pub(super) fn arranged(&mut self, space: &mut StateSpace<'_>, column: usize, number: u32, order: &[u32]) -> u32 {
        let Known::Elements { object, arranged } = &mut self.columns[column] else { return number };
        let key = (number, order.into());
        if let Some(known) = arranged.get(&key) {
            return *known;
        }
        let (there, lasts) = lasting(|| space.object_arranged(*object, number, order));
        if lasts {
            arranged.insert(key, there);
        }
        there
    }
}

/// Finds out which number means in the second of the places what one means in the first of them.
fn twin(space: &mut StateSpace<'_>, strands: &Strands, column: usize, (from, to): (usize, usize), number: u32) -> u32 {
    let (from, to) = (from as u32, to as u32);
    let there = |object: ObjectId| {
        let own = strands.rows.iter().any(|row| matches!(row, Row::Objects(first) if object == first + from));
        if own { object - from + to } else { object }
    };
    match strands.rows[column] {
        Row::Processes(first) => space.segment_as(number, first + to, &there),
        Row::Objects(first) => space.object_as((first + from, number), &there),
        Row::Elements(_) => number,
    }
}

fn note(list: &mut Vec<u32>, at: u32, number: u32) {
    let at = at as usize;
    if list.len() <= at {
        list.resize(at + 1, NONE);
    }
    list[at] = number;
}
