//! The model of a condition.
//!
//! Waiting, notified and timed-out processes are recorded in the shares, so the condition itself has only what
//! the trace needs: tickets, and the event of each notification. A `wait` is three steps: it gives the mutex back and
//! parks; a notification or the end of its time changes its share; it takes the mutex again as soon as it can.

use super::{MOST, NOTIFY, NOTIFY_ALL, WAIT};
use crate::event::{ObjectId, ProcessId};
use crate::objects::Completion;
use crate::objects::contract::model::{Model, ModelCall, Progress, ShareAccess, Willing};
use crate::objects::kinds::mutex;
use crate::objects::support::wait_list::Notifications;
use crate::outcome::Outcome;
use crate::value::Value;

/// What a share says its process does, in the bits of `PHASE`; the rest is how often it has to lock the mutex again.
/// A process that does not wait has the share 0.
const PHASE: u32 = 0b111 << 29;
/// It waits for a notification.
const WAITING: u32 = 1 << 29;
/// It was notified, and has to take the mutex.
const NOTIFIED: u32 = 2 << 29;
/// Its time was over first, and it has to take the mutex.
const GIVEN_UP: u32 = 3 << 29;
/// It ended before it could tell that it waits no more. The trace counts it on, but no process can wake it.
const LOST: u32 = 4 << 29;

/// Its wait has ended without a notification, and it has to take the mutex.
const SPURIOUS: u32 = 5 << 29;

/// The phases of those that the trace counts as waiting: of what has returned without a notification it knows only once the
/// step is over.
const COUNTED: [u32; 4] = [WAITING, GIVEN_UP, LOST, SPURIOUS];

/// A condition in the model.
#[derive(Clone)]
pub(super) struct ConditionModel {
    id: ObjectId,
    mutex: ObjectId,
    ticket: u64,
    notifications: Notifications,
}

impl ConditionModel {
    pub(super) fn new(id: ObjectId, mutex: ObjectId) -> Self {
        Self { id, mutex, ticket: 0, notifications: Notifications::default() }
    }

    fn ticket(&mut self) -> u64 {
        self.ticket += 1;
        self.ticket
    }

    fn wait(&mut self, call: &mut ModelCall<'_>) -> Progress {
        match call.mine() & PHASE {
            0 => self.park(call),
            WAITING => Progress::Waits,
            _ => self.go_on(call),
        }
    }

    /// Begins to wait, and gives the mutex back.
    fn park(&mut self, call: &mut ModelCall<'_>) -> Progress {
        let depth = mutex::depth(call.stage.share(self.mutex));
        if depth == 0 {
            return Progress::outcome(Outcome::NOT_OWNER);
        }
        if call.willing == Willing::Never {
            return Progress::outcome(Outcome::WOULD_BLOCK);
        }
        let number = self.ticket();
        call.stage.implicit(self.id, WAIT, Completion::of(Outcome::WOULD_BLOCK).ticket(number));
        for _ in 0..depth {
            if let Progress::Done(completion) = call.stage.on(self.mutex, mutex::UNLOCK) {
                call.stage.implicit(self.mutex, mutex::UNLOCK, completion);
            }
        }
        call.set_mine(WAITING | depth);
        Progress::Parked
    }

    /// Takes the mutex again, as often as it was locked.
    fn go_on(&mut self, call: &mut ModelCall<'_>) -> Progress {
        let share = call.mine();
        let notified = share & PHASE == NOTIFIED;
        let mut outcome = if share & PHASE == GIVEN_UP { Outcome::TIMEOUT } else { Outcome::OK };
        for _ in 0..(share & !PHASE).max(1) {
            // Only the first can find it taken.
            let Progress::Done(completion) = call.stage.on(self.mutex, mutex::LOCK) else { return Progress::Waits };
            let locked = completion.outcome;
            call.stage.implicit(self.mutex, mutex::LOCK, completion);
            if !locked.is_ok() {
                outcome = locked;
                if locked != Outcome::OWNER_DIED {
                    break;
                }
            }
        }
        call.set_mine(0);
        let notification = self.notifications.take(call.process);
        let cause = if notified { notification } else { 0 };
        Progress::Done(Completion { cause, ..Completion::of(outcome) }.ticket(self.ticket()))
    }

    /// Wakes `most` of those that wait, whichever they are.
    fn notify(&mut self, call: &mut ModelCall<'_>, most: usize) -> Progress {
        let ticket = self.ticket();
        let notified = |share| (share & PHASE == WAITING).then_some(NOTIFIED | share & !PHASE);
        let woken = self.notifications.wake(call, most, notified);
        Progress::Done(Completion::value(Value::Int(woken as i64)).ticket(ticket))
    }
}

impl Model for ConditionModel {
    fn copy(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }

    fn exchanged(&self, to: &dyn Fn(ObjectId) -> ObjectId) -> Box<dyn Model> {
        Box::new(Self { id: to(self.id), mutex: to(self.mutex), ..self.clone() })
    }

    /// The shares say all.
    fn key(&self, _key: &mut Vec<u8>) {}

    fn step(&mut self, call: &mut ModelCall<'_>) -> Progress {
        match (call.verb, call.arguments.first()) {
            (WAIT, _) => self.wait(call),
            (NOTIFY, None | Some(Value::Null)) => self.notify(call, 1),
            (NOTIFY, Some(Value::Int(n))) if (0..=MOST).contains(n) => self.notify(call, *n as usize),
            (NOTIFY, Some(Value::Int(_))) => Progress::outcome(Outcome::OUT_OF_RANGE),
            (NOTIFY_ALL, _) => self.notify(call, usize::MAX),
            _ => Progress::outcome(Outcome::INVALID),
        }
    }

    /// A process that was notified already, or has given up, waits for the mutex whatever the time.
    fn give_up(&mut self, call: &mut ModelCall<'_>) -> Progress {
        let share = call.mine();
        match share & PHASE {
            0 => Progress::outcome(Outcome::TIMEOUT),
            WAITING => {
                call.set_mine(GIVEN_UP | share & !PHASE);
                Progress::Parked
            }
            _ => self.go_on(call),
        }
    }

    fn reach(&self, verb: u8) -> ShareAccess {
        if verb == WAIT { ShareAccess::Own } else { ShareAccess::All }
    }

    /// To wait is to park, and to take the mutex again.
    fn turns(&self, verb: u8) -> Option<u32> {
        Some(if verb == WAIT { 2 } else { 1 })
    }

    fn waits_for(&self, verb: u8, share: u32) -> Option<(ObjectId, u8)> {
        (verb == WAIT && matches!(share & PHASE, NOTIFIED | GIVEN_UP | SPURIOUS)).then_some((self.mutex, mutex::LOCK))
    }

    fn wakes(&self, verb: u8, share: u32) -> Option<u32> {
        (verb == WAIT && share & PHASE == WAITING).then_some(SPURIOUS | share & !PHASE)
    }

    /// What it was notified of is lost with it.
    fn part(&mut self, share: &mut u32, _held: &[bool], _killed: bool) {
        *share = if matches!(*share & PHASE, WAITING | GIVEN_UP | SPURIOUS) { LOST } else { 0 };
    }

    fn value(&self, shares: &[u32], _names: &[String]) -> Value {
        Value::Int(count(shares, &COUNTED))
    }

    fn size(&self, shares: &[u32]) -> Option<i64> {
        Some(count(shares, &COUNTED))
    }

    /// The processes that a notification could still wake.
    fn last(&self, shares: &[u32]) -> Option<Value> {
        Some(Value::Int(count(shares, &[WAITING])))
    }
}

/// The processes that are notified by these shares, and have yet to continue.
pub(super) fn woken(shares: &[u32]) -> impl Iterator<Item = ProcessId> + '_ {
    (0..).zip(shares).filter(|(_, share)| **share & PHASE == NOTIFIED).map(|(process, _)| process)
}

/// How many processes are in one of these phases.
fn count(shares: &[u32], phases: &[u32]) -> i64 {
    shares.iter().filter(|share| phases.contains(&(**share & PHASE))).count() as i64
}

#[cfg(test)]
mod tests;
