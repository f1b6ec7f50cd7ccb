//! What a state can still lead to: ends that are good, ends that fail, both.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::{Duration, Instant};

use crate::explore::semantics::transition::{ModelError, Step};
use crate::explore::state_space::{StateSpace, is_over};

/// What all ends have in common that can be reached. A state from which no end can be reached is a bad one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Prospect {
    Good,
    /// Some ends are good and some fail.
    Mixed,
    Bad,
}

/// The most that is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub states: usize,
    /// The numbers of all states together, of 4 bytes each.
    pub numbers: usize,
    pub time: Duration,
}

/// By state, what it can lead to.
pub struct Prospects {
    numbers: HashMap<Vec<u32>, u32>,
    /// By number: whether a good end, and whether a bad one, can be reached.
    reach: Vec<[bool; 2]>,
}

const GOOD: usize = 0;
const BAD: usize = 1;

/// From which states one of the marked ones can be reached: `before` are the states that lead to each.
pub(crate) fn reaching(before: &[Vec<u32>], mut marked: Vec<bool>) -> Vec<bool> {
    let mut open: Vec<u32> = (0..marked.len() as u32).filter(|state| marked[*state as usize]).collect();
    while let Some(state) = open.pop() {
        for from in &before[state as usize] {
            if !std::mem::replace(&mut marked[*from as usize], true) {
                open.push(*from);
            }
        }
    }
    marked
}

impl Prospects {
    /// Looks at every state. `fails` says whether an execution that is over fails. None where there are too many states.
    ///
    /// # Errors
    /// A process that the model cannot execute.
    pub fn new(
        space: &mut StateSpace<'_>,
        bounds: Bounds,
        fails: &mut dyn FnMut(&StateSpace<'_>, &[Step]) -> bool,
    ) -> Result<Option<Self>, ModelError> {
        let end = Instant::now() + bounds.time;
        let first = space.initial()?;
        let mut states = vec![first.clone()];
        let mut numbers = HashMap::from([(first, 0_u32)]);
        // By state, from which state and by which step it was found first, and which states lead to it.
        let mut found: Vec<Option<(u32, Step)>> = vec![None];
        let mut before: Vec<Vec<u32>> = vec![Vec::new()];
        let mut reach = vec![[false; 2]];
        let mut moves = Vec::new();
        let mut at = 0;
        while at < states.len() {
            space.moves(&states[at], &mut moves)?;
            if is_over(&moves) {
                let mut path = Vec::new();
                let mut place = at;
                while let Some((from, step)) = &found[place] {
                    path.push(step.clone());
                    place = *from as usize;
                }
                path.reverse();
                reach[at][if fails(space, &path) { BAD } else { GOOD }] = true;
            }
            for step in moves.clone() {
                let numbers_of_all = states.len() * states[at].len();
                if states.len() > bounds.states || numbers_of_all > bounds.numbers || Instant::now() > end {
                    return Ok(None);
                }
                let mut next = states[at].clone();
                let taken = space.step(step);
                space.take(&mut next, step)?;
                let number = match numbers.entry(next) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(new) => {
                        let number = states.len() as u32;
                        states.push(new.key().clone());
                        new.insert(number);
                        found.push(Some((at as u32, taken)));
                        before.push(Vec::new());
                        reach.push([false; 2]);
                        number
                    }
                };
                before[number as usize].push(at as u32);
            }
            at += 1;
        }
        let [good, bad] = [GOOD, BAD].map(|end| reaching(&before, reach.iter().map(|ends| ends[end]).collect()));
        let reach = good.into_iter().zip(bad).map(|(good, bad)| [good, bad]).collect();
        Ok(Some(Self { numbers, reach }))
    }

    /// What a state can lead to; none where it is not one of those that were looked at.
    pub fn of(&self, state: &[u32]) -> Option<Prospect> {
        let number = *self.numbers.get(state)?;
        Some(match self.reach[number as usize] {
            [true, true] => Prospect::Mixed,
            [true, false] => Prospect::Good,
            [false, _] => Prospect::Bad,
        })
    }
}
