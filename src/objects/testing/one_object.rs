//! What unit tests carry out steps with: an object made from attributes, and parties without an engine.

use std::rc::Rc;
use std::sync::{Mutex, MutexGuard};

use crate::event::{Event, EventId, ObjectId, ProcessId, Target};
use crate::objects::{Call, Caller, Completion, CreateContext, Declaration, HostError, Kind, Live, Object, Patience};
use crate::os::arena::Arena;
use crate::os::clock;
use crate::os::sysv::Keeper;
use crate::outcome::Outcome;
use crate::value::Value;

/// An object and its kernel side.
pub(crate) struct Rig {
    pub(crate) kind: &'static Kind,
    pub(crate) object: Box<dyn Object>,
    pub(crate) live: Rc<dyn Live>,
    pub(crate) arena: Arena,
    // Held last, so that what the keeper removes is not in use any more.
    _keeper: Keeper,
}

/// Tests that wait for an end of file must not run beside one that has forked: its child holds copies of all ends.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Rig {
    /// Makes an object whose ends are held by that many processes.
    pub(crate) fn new(kind: &'static Kind, attributes: &[(&'static str, Value)], holders: [u32; 2]) -> Self {
        Self::make(kind, attributes, holders).expect("the host gives what the test asks")
    }

    /// As [`Rig::new`], for what the host may refuse.
    pub(crate) fn make(
        kind: &'static Kind,
        attributes: &[(&'static str, Value)],
        holders: [u32; 2],
    ) -> Result<Self, HostError> {
        let object = (kind.declare)(&declaration(attributes)).expect("a declaration without problems");
        let (arena, mut keeper) = (Arena::new(), Keeper::new());
        let live = object.create(&mut CreateContext {
            object: 0,
            name: "it",
            arena: &arena,
            processes: 4,
            holders: &holders,
            sysv: &mut keeper,
            made: &[],
        })?;
        Ok(Self { kind, object, live, arena, _keeper: keeper })
    }

    /// Carries out one step.
    pub(crate) fn step(&self, hand: &mut Hand, step: &str, arguments: &[Value], patience: Patience) -> Completion {
        let (verb, end) = step.split_once(' ').unwrap_or((step, ""));
        let (at, verb) = self.kind.verb(verb).expect("a verb of the kind");
        let end = self.object.ends().iter().position(|name| *name == end).unwrap_or(0);
        let mut all = arguments.to_vec();
        all.resize(verb.arguments.len(), Value::Null);
        hand.blocked = false;
        hand.number += 1;
        self.live.perform(&mut Call { verb: at, end: end as u8, element: None, arguments: &all, patience, party: hand })
    }

    /// Carries out one step that may not wait, and gives its outcome.
    pub(crate) fn now(&self, hand: &mut Hand, step: &str, arguments: &[Value]) -> Outcome {
        self.step(hand, step, arguments, Patience::Never).outcome
    }
}

/// A declaration of these attributes.
pub(crate) fn declaration(attributes: &[(&'static str, Value)]) -> Declaration {
    Declaration { name: "it".to_owned(), id: 0, attributes: attributes.to_vec(), objects: Vec::new() }
}

/// So long from now.
pub(crate) fn within(ms: u64) -> Patience {
    Patience::Until(clock::now() + ms * 1_000_000)
}

/// A process without an engine.
pub(crate) struct Hand {
    pub(crate) process: ProcessId,
    pub(crate) number: u64,
    pub(crate) blocked: bool,
    buffer: Vec<u8>,
}

impl Hand {
    pub(crate) fn new(process: ProcessId) -> Self {
        Self { process, number: 0, blocked: false, buffer: Vec::new() }
    }

    /// The event of the last step.
    pub(crate) fn event(&self) -> EventId {
        EventId::new(self.process, self.number)
    }
}

impl Caller for Hand {
    fn process(&self) -> ProcessId {
        self.process
    }

    fn event(&self) -> u64 {
        Hand::event(self).pack()
    }

    fn block(&mut self) {
        self.blocked = true;
    }

    fn compute(&mut self, it: Value) -> Result<Value, Outcome> {
        Ok(it)
    }

    fn implicit(&mut self, _object: ObjectId, _verb: u8, _completion: Completion) {}

    fn buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    fn give_back(&mut self, buffer: Vec<u8>) {
        self.buffer = buffer;
    }
}

/// An event that took from `begin` to `end`.
pub(crate) fn event(id: (ProcessId, u64), verb: &'static str, begin: u64, end: u64, value: Value) -> Event {
    let mut event = Event::plain(id.0, id.1, verb, begin, end);
    (event.target, event.value) = (Target::Object(0), value);
    event
}
