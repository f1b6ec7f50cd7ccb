//! The model of a mutex.
//!
//! The mutex itself knows whether it is free; that a process owns it, how often, and whether it still has to repair it,
//! is that process's share. Priorities are not modelled: a ceiling is always kept.

use super::{LOCK, REPAIR, UNLOCK, shown};
use crate::event::{ObjectId, ProcessId};
use crate::objects::Completion;
use crate::objects::contract::model::{Model, ModelCall, Progress, ShareAccess, Willing};
use crate::os::mutex::{MutexOptions, MutexType};
use crate::outcome::Outcome;
use crate::value::Value;

/// In a share: its process ended while it owned a robust mutex. The rest says as which of those that did.
const DIED: u32 = 1 << 31;
/// In a share: between an `owner_died` and its `repair`.
const DAMAGED: u32 = 1 << 30;
/// In a share: how often its process has locked it.
const DEPTH: u32 = DAMAGED - 1;

/// How often the process with that share has locked the mutex.
pub(crate) fn depth(share: u32) -> u32 {
    if share & DIED == 0 { share & DEPTH } else { 0 }
}

/// What the next `lock` finds.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Hold {
    Free,
    /// A process has it, maybe a dead one.
    Taken,
    /// Its owner has died, and it is robust: the next has it.
    OwnerDied,
    Unrecoverable,
}

/// A mutex in the model.
#[derive(Clone)]
pub(super) struct MutexModel {
    options: MutexOptions,
    hold: Hold,
    /// How many have died owning it, where it is robust.
    deaths: u32,
    ticket: u64,
}

impl MutexModel {
    pub(super) fn new(options: MutexOptions) -> Self {
        Self { options, hold: Hold::Free, deaths: 0, ticket: 0 }
    }

    /// A step that counts.
    fn counted(&mut self, outcome: Outcome) -> Progress {
        self.ticket += 1;
        Progress::Done(Completion::of(outcome).ticket(self.ticket))
    }

    fn taken(&mut self, call: &mut ModelCall<'_>, share: u32, outcome: Outcome) -> Progress {
        call.set_mine(share);
        self.hold = Hold::Taken;
        self.counted(outcome)
    }

    fn lock(&mut self, call: &mut ModelCall<'_>) -> Progress {
        let mine = call.mine();
        match self.hold {
            Hold::Free => self.taken(call, 1, Outcome::OK),
            Hold::OwnerDied => self.taken(call, DAMAGED | 1, Outcome::OWNER_DIED),
            Hold::Unrecoverable => Progress::outcome(Outcome::UNRECOVERABLE),
            Hold::Taken if depth(mine) == 0 => call.wait(),
            Hold::Taken => match self.options.kind {
                MutexType::Normal => call.wait(),
                MutexType::ErrorCheck if call.willing == Willing::Never => call.wait(),
                MutexType::ErrorCheck => Progress::outcome(Outcome::WOULD_DEADLOCK),
                MutexType::Recursive if depth(mine) == DEPTH => Progress::outcome(Outcome::OVERFLOW),
                MutexType::Recursive => self.taken(call, mine + 1, Outcome::OK),
            },
        }
    }

    fn unlock(&mut self, call: &mut ModelCall<'_>) -> Progress {
        let mine = call.mine();
        match depth(mine) {
            0 => return Progress::outcome(Outcome::NOT_OWNER),
            1 => {
                call.set_mine(0);
                self.hold = if mine & DAMAGED == 0 { Hold::Free } else { Hold::Unrecoverable };
            }
            _ => call.set_mine(mine - 1),
        }
        self.counted(Outcome::OK)
    }

    fn repair(&mut self, call: &mut ModelCall<'_>) -> Progress {
        let mine = call.mine();
        if depth(mine) == 0 {
            return Progress::outcome(Outcome::NOT_OWNER);
        }
        if mine & DAMAGED == 0 {
            return Progress::outcome(Outcome::INVALID);
        }
        call.set_mine(mine & !DAMAGED);
        self.counted(Outcome::OK)
    }
}

impl Model for MutexModel {
    fn copy(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }

    fn exchanged(&self, _to: &dyn Fn(ObjectId) -> ObjectId) -> Box<dyn Model> {
        self.copy()
    }

    fn key(&self, key: &mut Vec<u8>) {
        key.push(self.hold as u8);
        if self.options.robust {
            key.extend(self.deaths.to_le_bytes());
        }
    }

    fn reach(&self, _verb: u8) -> ShareAccess {
        ShareAccess::Own
    }

    fn turns(&self, _verb: u8) -> Option<u32> {
        Some(1)
    }

    fn step(&mut self, call: &mut ModelCall<'_>) -> Progress {
        match call.verb {
            LOCK => self.lock(call),
            UNLOCK => self.unlock(call),
            REPAIR => self.repair(call),
            _ => Progress::outcome(Outcome::INVALID),
        }
    }

    fn waits_for(&self, _verb: u8, _share: u32) -> Option<(ObjectId, u8)> {
        None
    }

    /// A mutex that is not robust stays its dead owner's.
    fn part(&mut self, share: &mut u32, _held: &[bool], _killed: bool) {
        if self.options.robust && depth(*share) > 0 {
            self.deaths += 1;
            self.hold = Hold::OwnerDied;
            *share = DIED | self.deaths;
        }
    }

    fn owner(&self, shares: &[u32]) -> Option<ProcessId> {
        shares.iter().position(|share| depth(*share) > 0).map(|process| process as ProcessId)
    }

    /// A dead owner's name is shown until another has locked it: only then the trace tells of another.
    fn value(&self, shares: &[u32], names: &[String]) -> Value {
        let dead = DIED | self.deaths;
        let shows = |share: &u32| depth(*share) > 0 || self.hold == Hold::OwnerDied && *share == dead;
        shown(shares.iter().position(shows).map(|process| process as ProcessId), names)
    }

    fn last(&self, shares: &[u32]) -> Option<Value> {
        self.owner(shares).is_none().then_some(Value::Null)
    }
}

#[cfg(test)]
mod tests;
