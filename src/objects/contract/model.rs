//! The model's side of an object: a small explicit state in which every interleaving can be tried.
//!
//! A model does what [`Live::perform`](crate::objects::Live::perform) does, with the same completions and implicit events, but
//! in one thread, on values that can be cloned and compared. What belongs to one process alone (the owner of a lock, a
//! place in a barrier) is that process's *share* of the object and never stands in the object's own state: so two
//! processes that run the same program can be exchanged by exchanging what is theirs.

use crate::event::{ObjectId, ProcessId};
use crate::objects::Completion;
use crate::outcome::Outcome;
use crate::value::Value;

/// How long a step is willing to wait in the model, whose time is no clock's.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Willing {
    /// For ever.
    Forever,
    /// Not at all: what cannot be done at once ends `would_block`.
    Never,
    /// Until a time that the engine keeps: it calls [`Model::give_up`] then.
    Timed,
}

/// How far a step came.
#[derive(Clone, Debug)]
pub enum Progress {
    /// It has ended.
    Done(Completion),
    /// It cannot go on now, and nothing has changed.
    Waits,
    /// Something has changed (it has arrived, it has given a mutex back), and now it waits: its share says for what.
    /// The engine calls [`Model::step`] again, as another step of the schedule.
    Parked,
}

impl Progress {
    /// A step that has ended with nothing but an outcome.
    pub fn outcome(outcome: Outcome) -> Self {
        Self::Done(Completion::of(outcome))
    }
}

/// What a step may use besides its own object's state.
pub trait Stage {
    /// One of `count` possibilities, each of which is tried in some execution: which waiter is woken. `count > 0`.
    fn choose(&mut self, count: u32) -> u32;
    /// The value of an `update`'s expression where the object holds `it`.
    ///
    /// # Errors
    /// The outcome of the step where the expression has no value.
    fn compute(&mut self, it: Value) -> Result<Value, Outcome>;
    /// Records what this step did to this object or to another, besides its own event, as [`Caller::implicit`] does.
    ///
    /// [`Caller::implicit`]: crate::objects::Party::implicit
    fn implicit(&mut self, object: ObjectId, verb: u8, completion: Completion);
    /// Says that the step sends a signal to its own process: a write for which no reader is left.
    fn raise(&mut self, _signal: i32) {}
    /// Carries out a verb without arguments on another object for the same process. Nothing is recorded of it; a caller
    /// that gets [`Progress::Done`] records it by [`Stage::implicit`].
    fn on(&mut self, object: ObjectId, verb: u8) -> Progress;
    /// The process's share of another object.
    fn share(&self, object: ObjectId) -> u32;
}

/// One step on a model.
pub struct ModelCall<'a> {
    /// The verb's place among the kind's.
    pub verb: u8,
    /// The end's place in [`Object::ends`](crate::objects::Object::ends); 0 where there are none.
    pub end: u8,
    /// The index of an element, checked against the object's length.
    pub element: Option<u32>,
    /// The arguments, as in [`Call`](crate::objects::Call). `Into` and `Second` are `true` also where the value is looked at in
    /// another way: a value that is not used may be wrong where `event` is 0.
    pub arguments: &'a [Value],
    /// How long it is willing to wait.
    pub willing: Willing,
    /// Who carries it out. Never to be kept in the object's state.
    pub process: ProcessId,
    /// Every process's share of this object, by process; 0 at first. Other processes' shares are only there for verbs
    /// whose [`Model::reach`] is [`ShareAccess::All`].
    pub shares: &'a mut [u32],
    /// The packed id of the event that this step will become: what a message carries to the event that takes it. 0 where
    /// no trace is kept. What is kept of it is no part of [`Model::key`].
    pub event: u64,
    /// What else it may use.
    pub stage: &'a mut dyn Stage,
}

impl ModelCall<'_> {
    /// The process's own share.
    pub fn mine(&self) -> u32 {
        self.shares[self.process as usize]
    }

    /// Sets the process's own share.
    pub fn set_mine(&mut self, share: u32) {
        self.shares[self.process as usize] = share;
    }

    /// What a step that cannot go on comes to: it waits, or ends `would_block`.
    pub fn wait(&self) -> Progress {
        if self.willing == Willing::Never { Progress::outcome(Outcome::WOULD_BLOCK) } else { Progress::Waits }
    }
}

/// Whose shares a verb reads or writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ShareAccess {
    /// Only the share of the process that carries it out.
    Own,
    /// Those of all processes.
    All,
}

/// The state of an object in the model.
pub trait Model: Send + Sync {
    /// A copy.
    fn copy(&self) -> Box<dyn Model>;

    /// The same state of another object that is declared alike: `to` says which object stands there for which here.
    fn exchanged(&self, to: &dyn Fn(ObjectId) -> ObjectId) -> Box<dyn Model>;

    /// The messages, in an order that the state gives: each is given out as it was put in, and nothing else depends on it but by
    /// its length. None where there are no such.
    fn messages(&mut self) -> Option<Vec<&mut Value>> {
        None
    }

    /// What tells the element at that place from others; none where it has no elements.
    fn element(&self, _at: u32) -> Option<u64> {
        None
    }

    /// The same with its elements in another order: at each place the one that stands here where `order` says. Asked only
    /// of a model that has elements.
    fn arranged(&self, _order: &[u32]) -> Box<dyn Model> {
        unreachable!("it has no elements")
    }

    /// Writes what tells this state from others: two states with the same key allow the same steps with the same
    /// outcomes and values that are looked at for ever. No ticket and no event's id is part of it.
    fn key(&self, key: &mut Vec<u8>);

    /// Says once, before any step, which verbs the scenario has for this object, a bit for each by its place. What only
    /// others would tell apart need be no part of [`Model::key`]: a queue whose messages nobody says to be done.
    fn narrow(&mut self, _verbs: u64) {}

    /// Carries out a step as far as it goes at once; or, for a process that is parked, goes on.
    fn step(&mut self, call: &mut ModelCall<'_>) -> Progress;

    /// The time of a step is over that waits or is parked: it ends `timeout`, or goes on to what it still has to do
    /// ([`Progress::Parked`], or [`Progress::Waits`] where it only waits for that now).
    fn give_up(&mut self, _call: &mut ModelCall<'_>) -> Progress {
        Progress::outcome(Outcome::TIMEOUT)
    }

    /// Whose shares the verb reads or writes. Of what [`Stage::on`] carries out on another object, [`ShareAccess::Own`].
    fn reach(&self, verb: u8) -> ShareAccess;

    /// In how many turns a step ends at most, each time that it is parked being one, where it has no timeout: with one, a
    /// step that can be parked takes one more at most. None where that is not bounded, or not known.
    fn turns(&self, _verb: u8) -> Option<u32> {
        None
    }

    /// What a process waits for that is parked with that share in `verb`, where it is another object's verb: a condition's
    /// `wait` that takes its mutex again.
    fn waits_for(&self, verb: u8, share: u32) -> Option<(ObjectId, u8)>;

    /// What the share of a process that is parked in `verb` becomes where its wait ends although nothing has ended it. None
    /// where the kind's wait returns only for a reason.
    fn wakes(&self, _verb: u8, _share: u32) -> Option<u32> {
        None
    }

    /// A process has ended: `share` is its own, `held` says which ends it still holds. `killed` where a signal ended it.
    /// Called for every process that ends, whatever its share is.
    fn part(&mut self, share: &mut u32, held: &[bool], killed: bool);

    /// The process that owns it, for kinds that have an owner.
    fn owner(&self, _shares: &[u32]) -> Option<ProcessId> {
        None
    }

    /// What the object's bare name means in a state expression, as [`State::value`](crate::objects::State::value) has it.
    fn value(&self, shares: &[u32], names: &[String]) -> Value;

    /// What `size(OBJECT)` means, as [`State::size`](crate::objects::State::size) has it.
    fn size(&self, _shares: &[u32]) -> Option<i64> {
        None
    }

    /// The object's value at the end of a run, as [`Live::value`](crate::objects::Live::value) has it: none where the kernel's
    /// side has none.
    fn last(&self, _shares: &[u32]) -> Option<Value> {
        None
    }
}

/// The model of an object with which nothing happens, for tests that need a plan and no run.
#[cfg(test)]
pub(crate) struct Still;

#[cfg(test)]
impl Model for Still {
    fn copy(&self) -> Box<dyn Model> {
        Box::new(Self)
    }

    fn exchanged(&self, _to: &dyn Fn(ObjectId) -> ObjectId) -> Box<dyn Model> {
        self.copy()
    }

    fn key(&self, _key: &mut Vec<u8>) {}

    fn waits_for(&self, _verb: u8, _share: u32) -> Option<(ObjectId, u8)> {
        None
    }

    fn part(&mut self, _share: &mut u32, _held: &[bool], _killed: bool) {}

    fn reach(&self, _verb: u8) -> ShareAccess {
        ShareAccess::Own
    }

    fn step(&mut self, _call: &mut ModelCall<'_>) -> Progress {
        Progress::outcome(Outcome::INVALID)
    }

    fn value(&self, _shares: &[u32], _names: &[String]) -> Value {
        Value::Null
    }
}
