//! The model of a rwlock: how many read, whether one writes, and where writers go first how many wait to.
//!
//! What a process holds is its share. Where writers go first, one that has to wait is parked: new readers wait behind it.

use super::share::{READS, WAITS, WRITES, locks};
use super::{Decision, Holds, LOCK, UNLOCK, WRITE, locked, mode, shown, unlocked, word_of};
use crate::event::{ObjectId, ProcessId};
use crate::objects::Completion;
use crate::objects::contract::model::{Model, ModelCall, Progress, ShareAccess, Willing};
use crate::outcome::Outcome;
use crate::value::Value;

#[derive(Clone)]
pub(super) struct RwLockModel {
    writers_first: bool,
    readers: u32,
    written: bool,
    /// How many are parked.
    waiting: u32,
    ticket: u64,
}

impl RwLockModel {
    pub(super) fn new(writers_first: bool) -> Self {
        Self { writers_first, readers: 0, written: false, waiting: 0, ticket: 0 }
    }

    fn set(&mut self, call: &mut ModelCall<'_>, own: u32) {
        let before = call.mine();
        self.readers = self.readers + (own & READS) - (before & READS);
        if (own ^ before) & WRITES != 0 {
            self.written = own & WRITES != 0;
        }
        self.waiting = self.waiting + u32::from(own & WAITS != 0) - u32::from(before & WAITS != 0);
        call.set_mine(own);
    }

    fn counted(&mut self, mode: u8) -> Progress {
        self.ticket += 1;
        Progress::Done(Completion::value(word_of(mode)).ticket(self.ticket))
    }

    fn lock(&mut self, call: &mut ModelCall<'_>) -> Progress {
        let (own, mode) = (call.mine(), mode(call.arguments));
        let failed = |outcome| Progress::Done(Completion { value: word_of(mode), ..Completion::of(outcome) });
        let holds = Holds { readers: self.readers, written: self.written, writer_waits: self.waiting > 0 };
        match holds.decide(own, mode, call.willing == Willing::Never) {
            Decision::Locks => {
                self.set(call, locked(own, mode));
                self.counted(mode)
            }
            Decision::Fails(outcome) => failed(outcome),
            Decision::Waits if call.willing == Willing::Never => failed(Outcome::WOULD_BLOCK),
            Decision::Waits if self.writers_first && mode == WRITE && own & WAITS == 0 => {
                self.set(call, own | WAITS);
                Progress::Parked
            }
            Decision::Waits => Progress::Waits,
        }
    }

    fn unlock(&mut self, call: &mut ModelCall<'_>) -> Progress {
        let Some((own, mode)) = unlocked(call.mine()) else { return Progress::outcome(Outcome::NOT_OWNER) };
        self.set(call, own);
        self.counted(mode)
    }
}

impl Model for RwLockModel {
    fn copy(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }

    fn exchanged(&self, _to: &dyn Fn(ObjectId) -> ObjectId) -> Box<dyn Model> {
        self.copy()
    }

    fn key(&self, key: &mut Vec<u8>) {
        key.push(self.written.into());
        key.extend(self.readers.to_le_bytes());
        if self.writers_first {
            key.extend(self.waiting.to_le_bytes());
        }
    }

    fn reach(&self, _verb: u8) -> ShareAccess {
        ShareAccess::Own
    }

    /// One that is parked has another turn.
    fn turns(&self, verb: u8) -> Option<u32> {
        Some(if verb == LOCK && self.writers_first { 2 } else { 1 })
    }

    fn step(&mut self, call: &mut ModelCall<'_>) -> Progress {
        match call.verb {
            LOCK => self.lock(call),
            UNLOCK => self.unlock(call),
            _ => Progress::outcome(Outcome::INVALID),
        }
    }

    fn give_up(&mut self, call: &mut ModelCall<'_>) -> Progress {
        let own = call.mine();
        self.set(call, own & !WAITS);
        Progress::Done(Completion { value: word_of(mode(call.arguments)), ..Completion::of(Outcome::TIMEOUT) })
    }

    fn waits_for(&self, _verb: u8, _share: u32) -> Option<(ObjectId, u8)> {
        None
    }

    /// What it held stays locked; where it waited to write, new readers wait no more for it.
    fn part(&mut self, share: &mut u32, _held: &[bool], _killed: bool) {
        if *share & WAITS != 0 {
            self.waiting -= 1;
            *share &= !WAITS;
        }
    }

    fn owner(&self, shares: &[u32]) -> Option<ProcessId> {
        shares.iter().position(|share| share & WRITES != 0).map(|process| process as ProcessId)
    }

    fn value(&self, shares: &[u32], names: &[String]) -> Value {
        shown(self.owner(shares), self.readers, names)
    }

    fn size(&self, shares: &[u32]) -> Option<i64> {
        Some(shares.iter().map(|share| i64::from(locks(*share))).sum())
    }

    fn last(&self, shares: &[u32]) -> Option<Value> {
        self.owner(shares).is_none().then(|| shown(None, self.readers, &[]))
    }
}

#[cfg(test)]
mod tests;
