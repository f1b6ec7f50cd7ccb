//! What conditions say of blocked processes while it is not known yet.
//!
//! A process is blocked within a step from its begin if it comes to the step while it has to wait: that is known once
//! the step is over. A step that had to wait is taken in two ways, unless the wait is certain: by a process that was
//! there and waited, and by one that comes only then ([`Kind::Arrive`]). Until then, whether a condition has ever been as
//! looked for depends on the waits that are undecided. It is kept as a binary decision diagram over them, from which a
//! step that ends takes the waits of its process.
//!
//! [`Kind::Arrive`]: crate::explore::semantics::transition::Kind::Arrive

use std::collections::HashMap;

use crate::event::{Event, ProcessId, Target};
use crate::explore::base::interner::Interner;
use crate::expression::Expression;
use crate::scenario::plan::{Fact, Plan};

/// A node of a diagram that is false, or true, whatever the waits.
pub(super) const FALSE: u32 = 0;
pub(super) const TRUE: u32 = 1;
const TERMINAL: u32 = u32::MAX;

/// The slot in which a process keeps whether it waits in its step: [`MAYBE`] or [`SURELY`].
pub(in crate::explore) const WAITED: u32 = u32::MAX - 1;
/// Its step could not be taken at some time since the step before it: it waits if it had come to it by then.
pub(in crate::explore) const MAYBE: u32 = 1;
/// It has come to its step and waits: it is within it, or time has passed while nothing could move.
pub(in crate::explore) const SURELY: u32 = 2;

/// The waits that conditions ask about, and the diagrams over them.
#[derive(Clone, Debug)]
pub(super) struct Waits {
    /// The processes, each with what it must wait for; for anything where nothing is named. In the order of the
    /// diagrams.
    list: Vec<(ProcessId, Vec<Target>)>,
    /// By fact, the places of the waits that must all be.
    facts: HashMap<u32, Vec<u32>>,
    /// A wait, and the nodes where it is not and where it is.
    nodes: Interner<(u32, u32, u32)>,
}

impl Waits {
    /// Those that these conditions ask about.
    pub(super) fn new<'e>(plan: &Plan, conditions: impl Iterator<Item = &'e Expression>) -> Self {
        let mut waits = Self { list: Vec::new(), facts: HashMap::new(), nodes: Interner::default() };
        waits.nodes.of(&(TERMINAL, FALSE, FALSE));
        waits.nodes.of(&(TERMINAL, TRUE, TRUE));
        let mut asked: Vec<u32> = Vec::new();
        conditions.for_each(|condition| condition.states(&mut |number| asked.push(number)));
        let blocked = |number: &u32| match plan.facts.get(*number as usize) {
            Some(Fact::Blocked(processes, at)) => Some((*number, processes, at)),
            _ => None,
        };
        for (_, processes, at) in asked.iter().filter_map(blocked) {
            waits.list.extend(processes.iter().map(|process| (*process, at.clone())));
        }
        waits.list.sort_by_key(|(process, _)| *process);
        waits.list.dedup();
        for (number, processes, at) in asked.iter().filter_map(blocked) {
            let of = |(_, (process, targets)): &(u32, &(ProcessId, Vec<Target>))| {
                processes.contains(process) && targets == at
            };
            let places = (0..).zip(&waits.list).filter(of).map(|(place, _)| place).collect();
            waits.facts.insert(number, places);
        }
        waits
    }

    /// The processes that they are about.
    pub(super) fn processes(&self) -> impl Iterator<Item = ProcessId> + '_ {
        let first = |at: &usize| *at == 0 || self.list[at - 1].0 != self.list[*at].0;
        (0..self.list.len()).filter(first).map(|at| self.list[at].0)
    }

    /// Whether they are about a step of that process on one of these.
    pub(super) fn ask(&self, process: ProcessId, mut targets: impl Iterator<Item = Target>) -> bool {
        let mut own = self.list.iter().filter(|(other, _)| *other == process);
        let all: Vec<&Vec<Target>> = own.by_ref().map(|(_, at)| at).collect();
        all.iter().any(|at| at.is_empty()) || targets.any(|target| all.iter().any(|at| at.contains(&target)))
    }

    /// Whether they are about that process.
    pub(super) fn is_about(&self, process: ProcessId) -> bool {
        self.list.binary_search_by_key(&process, |(process, _)| *process).is_ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether a fact is so in a state, as a diagram: what has ended does not wait.
    pub(super) fn fact(&mut self, number: u32, has_ended: &dyn Fn(ProcessId) -> bool) -> u32 {
        let places = self.facts.get(&number).cloned().unwrap_or_default();
        let mut all = TRUE;
        for place in places.into_iter().rev() {
            let waits = if has_ended(self.list[place as usize].0) { FALSE } else { self.node(place, FALSE, TRUE) };
            all = self.choose(waits, all, FALSE);
        }
        all
    }

    /// The diagram that is `yes` where `of` is true and `no` where it is not.
    pub(super) fn choose(&mut self, of: u32, yes: u32, no: u32) -> u32 {
        match of {
            TRUE => return yes,
            FALSE => return no,
            _ if yes == no => return yes,
            _ => {}
        }
        let all = [of, yes, no].map(|node| self.nodes.things[node as usize]);
        let place = all.iter().map(|(place, ..)| *place).min().unwrap_or(TERMINAL);
        let side = |taken: bool| {
            let mut sides = [of, yes, no];
            for (side, (at, low, high)) in sides.iter_mut().zip(all).filter(|(_, (at, ..))| *at == place) {
                debug_assert_eq!(at, place);
                *side = if taken { high } else { low };
            }
            sides
        };
        let ([of, yes, no], [of_high, yes_high, no_high]) = (side(false), side(true));
        let low = self.choose(of, yes, no);
        let high = self.choose(of_high, yes_high, no_high);
        self.node(place, low, high)
    }

    /// What is left of a diagram once the step is over whose event this is: whether its process has had to wait is
    /// known.
    pub(super) fn decide(&mut self, node: u32, event: &Event, waited: bool) -> u32 {
        let (place, low, high) = self.nodes.things[node as usize];
        if place == TERMINAL {
            return node;
        }
        let (process, at) = &self.list[place as usize];
        if *process == event.id.process() {
            let is = waited && event.step.is_some() && (at.is_empty() || at.contains(&event.target));
            return self.decide(if is { high } else { low }, event, waited);
        }
        let (low, high) = (self.decide(low, event, waited), self.decide(high, event, waited));
        self.node(place, low, high)
    }

    fn node(&mut self, place: u32, low: u32, high: u32) -> u32 {
        if low == high { low } else { self.nodes.of(&(place, low, high)) }
    }
}
