//! What has another number in another place, and means the same there: found once, looked up after.

use super::strands::{Row, Strands};
use crate::event::ObjectId;
use crate::model::space::{NONE, Space};

/// The numbers that mean the same in the strands of a group.
#[derive(Clone)]
pub(super) struct Twins {
    strands: Strands,
    /// By column, what is known of it; none where a number means the same in every place.
    columns: Vec<Option<Known>>,
}

/// What is known of a column, [`NONE`] where that is not found out.
#[derive(Clone)]
struct Known {
    /// By place, by number there: the number in the first place.
    first: Vec<Vec<u32>>,
    /// By place, by number in the first place: the number there.
    at: Vec<Vec<u32>>,
}

impl Twins {
    pub(super) fn new(space: &Space<'_>, strands: Strands) -> Self {
        let differs = |row: &Row| match row {
            Row::Processes(first) => {
                let classes = &space.classes[*first as usize..(first + strands.count) as usize];
                classes.iter().any(|class| *class != classes[0])
            }
            Row::Objects(_) => true,
        };
        let none = || vec![Vec::new(); strands.count as usize];
        let columns =
            strands.rows.iter().map(|row| differs(row).then(|| Known { first: none(), at: none() })).collect();
        Self { strands, columns }
    }

    /// Whether every number means the same in every place.
    pub(super) fn are_the_same(&self) -> bool {
        self.columns.iter().all(Option::is_none)
    }

    /// What would stand in the first place as that number does in another.
    #[inline]
    pub(super) fn first(&mut self, space: &mut Space<'_>, column: usize, place: usize, number: u32) -> u32 {
        let Some(known) = &mut self.columns[column] else { return number };
        if place == 0 {
            return number;
        }
        match known.first[place].get(number as usize) {
            Some(first) if *first != NONE => *first,
            _ => {
                let first = twin(space, &self.strands, column, (place, 0), number);
                note(&mut known.first[place], number, first);
                note(&mut known.at[place], first, number);
                first
            }
        }
    }

    /// What stands in that place as that number does in the first.
    #[inline]
    pub(super) fn at(&mut self, space: &mut Space<'_>, column: usize, place: usize, first: u32) -> u32 {
        let Some(known) = &mut self.columns[column] else { return first };
        if place == 0 {
            return first;
        }
        match known.at[place].get(first as usize) {
            Some(number) if *number != NONE => *number,
            _ => {
                let number = twin(space, &self.strands, column, (0, place), first);
                note(&mut known.first[place], number, first);
                note(&mut known.at[place], first, number);
                number
            }
        }
    }
}

/// Finds out which number means in the second of the places what one means in the first of them.
fn twin(space: &mut Space<'_>, strands: &Strands, column: usize, (from, to): (usize, usize), number: u32) -> u32 {
    let (from, to) = (from as u32, to as u32);
    let there = |object: ObjectId| {
        let own = strands.rows.iter().any(|row| matches!(row, Row::Objects(first) if object == first + from));
        if own { object - from + to } else { object }
    };
    match strands.rows[column] {
        Row::Processes(first) => space.segment_as(number, first + to, &there),
        Row::Objects(first) => space.object_as((first + from, number), &there),
    }
}

fn note(list: &mut Vec<u32>, at: u32, number: u32) {
    let at = at as usize;
    if list.len() <= at {
        list.resize(at + 1, NONE);
    }
    list[at] = number;
}
