//! The model of a barrier, of shared memory or of POSIX.
//!
//! The barrier has the number of arrivals and whether it is broken; the shares have the waiting processes. At the end
//! of a round, the shares of all its waiters are changed at once, and each continues in a step of its own.
//!
//! As which of them a process has come is a part of its share only where it takes that number: ten processes come in
//! millions of orders, of which a barrier without `into` keeps none. The trace has the number all the same.

use super::{ABORT, Come, RESET, SIZE, WAIT, arrived, departed, ended};
use crate::event::{ObjectId, ProcessId};
use crate::objects::Completion;
use crate::objects::contract::model::{Model, ModelCall, Progress, ShareAccess, Willing};
use crate::outcome::Outcome;
use crate::value::Value;

/// What a share says its process does, in the bits of `PHASE`; the rest is its number among those that came, from 1,
/// and 0 where it does not take that. A process that does not wait has the share 0.
const PHASE: u32 = 0b11 << 30;
/// It has come, and waits for the others.
const WAITING: u32 = 1 << 30;
/// All have come, and it can continue.
const RELEASED: u32 = 2 << 30;
/// The round was broken, and it can continue.
const BROKEN: u32 = 3 << 30;

/// What the trace tells of a process when it continues: the round that it waited in, and its number there.
#[derive(Clone, Copy)]
struct Place {
    process: ProcessId,
    round: u64,
    arrival: u32,
}

/// A barrier in the model.
#[derive(Clone)]
pub(super) struct BarrierModel {
    id: ObjectId,
    parties: u32,
    posix: bool,
    come: u32,
    broken: bool,
    round: u64,
    /// Those that have come and not continued, where a trace is kept.
    places: Vec<Place>,
}

impl BarrierModel {
    pub(super) fn new(id: ObjectId, parties: u32, posix: bool) -> Self {
        Self { id, parties, posix, come: 0, broken: false, round: 0, places: Vec::new() }
    }

    fn wait(&mut self, call: &mut ModelCall<'_>) -> Progress {
        match call.mine() & PHASE {
            0 => self.arrive(call),
            WAITING => Progress::Waits,
            _ => self.depart(call),
        }
    }

    fn arrive(&mut self, call: &mut ModelCall<'_>) -> Progress {
        if self.broken {
            return Progress::outcome(Outcome::BROKEN);
        }
        let (round, arrival) = (self.round, self.come + 1);
        if arrival == self.parties {
            self.end(call, RELEASED);
            call.stage.implicit(self.id, WAIT, arrived(round, arrival));
            call.stage.implicit(self.id, WAIT, ended(round, self.parties, Outcome::OK));
            return Progress::Done(departed(round, self.parties, arrival, Outcome::OK));
        }
        if call.willing == Willing::Never {
            return Progress::outcome(Outcome::WOULD_BLOCK);
        }
        self.come = arrival;
        call.set_mine(if takes(call) { WAITING | arrival } else { WAITING });
        if call.event != 0 {
            self.places.push(Place { process: call.process, round, arrival });
        }
        call.stage.implicit(self.id, WAIT, arrived(round, arrival));
        Progress::Parked
    }

    /// The process continues whose round has ended.
    fn depart(&mut self, call: &mut ModelCall<'_>) -> Progress {
        let share = call.mine();
        call.set_mine(0);
        let outcome = if share & PHASE == RELEASED { Outcome::OK } else { Outcome::BROKEN };
        Progress::Done(match self.left(call.process) {
            Some(place) => departed(place.round, self.parties, place.arrival, outcome),
            None if share == RELEASED => Completion::of(outcome),
            None => departed(0, self.parties, share & !PHASE, outcome),
        })
    }

    /// Forgets the process's place. Which it was.
    fn left(&mut self, process: ProcessId) -> Option<Place> {
        let at = self.places.iter().position(|place| place.process == process)?;
        Some(self.places.swap_remove(at))
    }

    /// Ends the round for all that wait in it. Which it was.
    fn end(&mut self, call: &mut ModelCall<'_>, phase: u32) -> u64 {
        for share in call.shares.iter_mut().filter(|share| **share & PHASE == WAITING) {
            *share = if phase == RELEASED { RELEASED | *share & !PHASE } else { phase };
        }
        self.come = 0;
        self.round += 1;
        self.round - 1
    }

    /// Ends the round for all that wait in it, and leaves the barrier broken or whole.
    fn break_all(&mut self, call: &mut ModelCall<'_>, broken: bool, outcome: Outcome) -> Progress {
        let round = self.end(call, BROKEN);
        self.broken = broken;
        Progress::Done(ended(round, self.parties, outcome))
    }

    fn shown(&self) -> Value {
        Come { waiting: self.come.into(), broken: self.broken }.to_value()
    }
}

/// The processes whose shares say that the round is over, and that have yet to continue.
pub(super) fn going_on(shares: &[u32]) -> impl Iterator<Item = ProcessId> + '_ {
    (0..).zip(shares).filter(|(_, share)| matches!(**share & PHASE, RELEASED | BROKEN)).map(|(process, _)| process)
}

/// Whether the order of arrival is taken.
fn takes(call: &ModelCall<'_>) -> bool {
    call.arguments.first().is_some_and(|into| *into != Value::Null)
}

impl Model for BarrierModel {
    fn copy(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }

    fn exchanged(&self, to: &dyn Fn(ObjectId) -> ObjectId) -> Box<dyn Model> {
        Box::new(Self { id: to(self.id), ..self.clone() })
    }

    fn key(&self, key: &mut Vec<u8>) {
        let word = self.come << 1 | u32::from(self.broken);
        if self.parties <= 1 << 7 { key.push(word as u8) } else { key.extend(word.to_le_bytes()) }
    }

    fn step(&mut self, call: &mut ModelCall<'_>) -> Progress {
        if self.posix && (call.verb != WAIT || call.willing != Willing::Forever) {
            return Progress::outcome(Outcome::INVALID);
        }
        match call.verb {
            WAIT => self.wait(call),
            ABORT => self.break_all(call, true, Outcome::OK),
            RESET => self.break_all(call, false, Outcome::OK),
            SIZE => Progress::Done(Completion::value(Value::Int(self.come.into()))),
            _ => Progress::outcome(Outcome::INVALID),
        }
    }

    /// It breaks the barrier, unless its round has ended already.
    fn give_up(&mut self, call: &mut ModelCall<'_>) -> Progress {
        match call.mine() & PHASE {
            0 => Progress::outcome(Outcome::TIMEOUT),
            WAITING => {
                call.set_mine(0);
                self.left(call.process);
                self.break_all(call, true, Outcome::TIMEOUT)
            }
            _ => self.depart(call),
        }
    }

    fn reach(&self, verb: u8) -> ShareAccess {
        if verb == SIZE || self.posix && verb != WAIT { ShareAccess::Own } else { ShareAccess::All }
    }

    /// To wait is to come, and to continue.
    fn turns(&self, verb: u8) -> Option<u32> {
        Some(if verb == WAIT { 2 } else { 1 })
    }

    fn waits_for(&self, _verb: u8, _share: u32) -> Option<(ObjectId, u8)> {
        None
    }

    /// It has come all the same.
    fn part(&mut self, share: &mut u32, _held: &[bool], _killed: bool) {
        *share = 0;
    }

    fn value(&self, _shares: &[u32], _names: &[String]) -> Value {
        self.shown()
    }

    fn size(&self, _shares: &[u32]) -> Option<i64> {
        Some(self.come.into())
    }

    fn last(&self, _shares: &[u32]) -> Option<Value> {
        (!self.posix).then(|| self.shown())
    }
}

#[cfg(test)]
mod tests;
