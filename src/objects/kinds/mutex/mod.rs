//! `mutex`: a lock with an owner.
//!
//! Beside the kernel's mutex stand the owner and the number of locks held, which only the owner writes: they say who
//! holds it, refuse an `unlock` by another, which POSIX leaves undefined for a normal mutex, and name the owner of a
//! deadlock. The ticket is counted by the owner too, so that an uncontended lock costs no further atomic operation.

mod model;
pub(crate) mod promela;

use std::any::Any;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use zerocopy::FromZeros;

use crate::event::{Event, ObjectId, ProcessId, look};
use crate::objects::causality::happens_before::{gave_up, is_end};
use crate::objects::causality::sync_clock::{Handover, NOTHING};
use crate::objects::contract::operation::Access;
use crate::objects::support::settle::Torn;
use crate::objects::{
    Attribute, Call, Caller, Completion, CreateContext, Declaration, Effect, Element, Enablers, Form, HostError, Kind,
    Live, Model, Object, Patience, Problem, Relation, State, Verb,
};
use crate::os::arena::Shared;
use crate::os::mutex::{Mutex as Posix, MutexOptions, MutexType, Protocol};
use crate::os::process::has_real_time_policy;
use crate::outcome::Outcome;
use crate::value::{Types, Value};

pub(crate) use model::depth;

/// The verbs' places, also for what a condition does with its mutex.
pub(crate) const LOCK: u8 = 0;
pub(crate) const UNLOCK: u8 = 1;
const REPAIR: u8 = 2;

/// The kind.
pub(crate) static KIND: Kind = Kind {
    name: "mutex",
    summary: "a lock: one process owns it, and only its owner unlocks it",
    primitive: "pthread_mutex_t in shared memory with PTHREAD_PROCESS_SHARED: pthread_mutex_trylock(3), \
                pthread_mutex_lock(3), pthread_mutex_clocklock(3), pthread_mutex_unlock(3), \
                pthread_mutex_consistent(3), pthread_mutexattr_settype(3), pthread_mutexattr_setrobust(3), \
                pthread_mutexattr_setprotocol(3); over futex(2)",
    attributes: &[
        Attribute {
            name: "type",
            form: Form::Choice(&["normal", "recursive", "errorcheck"]),
            default: "normal",
            required: false,
            summary: "a second `lock` by the owner waits for itself for ever (`normal`), is counted (`recursive`), or \
                      ends `would_deadlock` (`errorcheck`)",
        },
        Attribute {
            name: "robust",
            form: Form::Boolean,
            default: "false",
            required: false,
            summary: "whether the next `lock` after the owner's death takes the lock and ends `owner_died`; otherwise \
                      the lock stays taken for ever",
        },
        Attribute {
            name: "protocol",
            form: Form::Choice(&["none", "inherit", "protect"]),
            default: "none",
            required: false,
            summary: "the owner's priority: its own, the highest of all waiting processes, or `ceiling`",
        },
        Attribute {
            name: "ceiling",
            form: Form::Integer(1, 99),
            default: "",
            required: false,
            summary: "with `protocol = \"protect\"`: the real-time priority of the owner; its processes need \
                      `policy = \"fifo\"` or `\"rr\"`, and no higher priority",
        },
    ],
    verbs: &[
        Verb {
            name: "lock",
            effect: Effect::Takes,
            summary: "takes the lock; waits while another process holds it. `owner_died` takes it as well",
            arguments: &[],
            ends: &[],
            element: Element::Never,
            blocks: true,
            result: Types::NONE,
            outcomes: &[
                Outcome::OWNER_DIED,
                Outcome::UNRECOVERABLE,
                Outcome::WOULD_DEADLOCK,
                Outcome::OVERFLOW,
                Outcome::REFUSED,
                Outcome::INVALID,
            ],
        },
        Verb {
            name: "unlock",
            effect: Effect::Gives,
            summary: "releases the lock; after `owner_died` without `repair`, every later `lock` ends `unrecoverable`",
            arguments: &[],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::NONE,
            outcomes: &[Outcome::NOT_OWNER],
        },
        Verb {
            name: "repair",
            effect: Effect::None,
            summary: "marks the protected data as consistent again, after a `lock` that ended `owner_died`",
            arguments: &[],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::NONE,
            outcomes: &[Outcome::NOT_OWNER, Outcome::INVALID],
        },
    ],
    state: ("m", "the name of the process that owns it; null where it is free"),
    example: r#"[objects]
m = { kind = "mutex", robust = true }

[processes.p]
steps = [
  { lock = "m", timeout = "1s", on = { owner_died = [{ repair = "m" }] } },
  { unlock = "m" },
]
"#,
    declare,
};

fn declare(declaration: &Declaration) -> Result<Box<dyn Object>, Vec<Problem>> {
    let kind = match declaration.word("type") {
        Some("recursive") => MutexType::Recursive,
        Some("errorcheck") => MutexType::ErrorCheck,
        _ => MutexType::Normal,
    };
    let ceiling = declaration.integer("ceiling");
    let protocol = match (declaration.word("protocol"), ceiling) {
        (Some("protect"), Some(ceiling)) => Protocol::Protect(ceiling as i32),
        (Some("protect"), None) => {
            return Err(vec![Problem::new("protocol", "`ceiling` is missing").help("give the priority, 1 to 99")]);
        }
        (_, Some(_)) => {
            let problem = Problem::new("ceiling", "`ceiling` goes with `protocol = \"protect\"` alone");
            return Err(vec![problem]);
        }
        (Some("inherit"), None) => Protocol::Inherit,
        _ => Protocol::None,
    };
    Ok(Box::new(Mutex {
        id: declaration.id,
        options: MutexOptions { kind, robust: declaration.boolean("robust"), protocol },
    }))
}

/// A mutex as the plan holds it.
#[derive(Debug)]
struct Mutex {
    id: ObjectId,
    options: MutexOptions,
}

impl Object for Mutex {
    fn foresee(&self, verb: &Verb, _end: Option<&str>, _arguments: &[Option<Value>]) -> Option<(Outcome, String)> {
        (verb.name == "repair" && !self.options.robust).then(|| {
            let reason =
                "without `robust = true` the death of an owner is not reported, and there is nothing to repair";
            (Outcome::INVALID, reason.to_owned())
        })
    }

    fn create(&self, site: &mut CreateContext<'_>) -> Result<Rc<dyn Live>, HostError> {
        let kernel = Posix::new(site.arena, self.options).map_err(|error| {
            let made = HostError::call("pthread_mutex_init", &error);
            match self.options.protocol {
                Protocol::Protect(ceiling) => made.help(format!("the host may not have the ceiling {ceiling}")),
                _ => made,
            }
        })?;
        let owned = site.arena.alloc().map_err(|error| HostError::call("mmap", &error))?;
        Ok(Rc::new(MutexLive { id: self.id, kernel, owned, options: self.options }))
    }

    /// The lock would raise its owner to the ceiling, which only a real-time policy allows, and never lowers it
    /// (pthread_mutex_lock(3p): EINVAL).
    fn refuses(&self, verb: u8, real_time: Option<i64>) -> Option<(Outcome, String)> {
        let Protocol::Protect(ceiling) = self.options.protocol else { return None };
        let reason = match real_time {
            _ if verb != LOCK => return None,
            Some(priority) if priority <= i64::from(ceiling) => return None,
            Some(priority) => format!("the priority {priority} of the process is over the ceiling {ceiling}"),
            None => "a ceiling needs a process with `policy = \"fifo\"` or `\"rr\"`".to_owned(),
        };
        Some((Outcome::INVALID, reason))
    }

    fn ceiling(&self, share: u32) -> Option<i64> {
        match self.options.protocol {
            Protocol::Protect(ceiling) if model::depth(share) > 0 => Some(i64::from(ceiling)),
            _ => None,
        }
    }

    fn priorities(&self) -> Option<&'static str> {
        (self.options.protocol != Protocol::None).then_some("protocol")
    }

    fn state(&self) -> Box<dyn State> {
        Box::new(Owned { owner: None, depth: 0 })
    }

    fn model(&self, _holders: &[u32]) -> Box<dyn Model> {
        Box::new(model::MutexModel::new(self.options))
    }

    fn promela(&self) -> Option<&dyn crate::objects::contract::promela::Promela> {
        Some(self)
    }

    /// Two locks where one can continue: the other then waits for it. Of any other two, at most one is its owner's, and
    /// the other ends the same whether it comes before or after; a `lock` that has not to wait there is either the
    /// owner's own, or meets an `unlock` or `repair` by one that does not own it.
    fn commute(&self, first: Access, second: Access) -> bool {
        first.verb != LOCK || second.verb != LOCK
    }

    fn has_owner(&self) -> bool {
        true
    }

    fn notices_ends(&self) -> bool {
        self.options.robust
    }

    /// Only the owner can let another have it. A condition's `wait` gives its mutex back too: there the owner is the
    /// process that waits on the condition, and the unlock is an implicit event of the mutex.
    fn reorders(&self) -> bool {
        false
    }

    fn touches(&self, _verb: u8) -> Vec<(ObjectId, u8)> {
        Vec::new()
    }

    fn tells_order(&self, _first: Access, _second: Access) -> bool {
        false
    }

    fn enablers(&self, verb: &Verb, _end: Option<&str>, owner: Option<ProcessId>) -> Enablers {
        let verbs: &[&str] = if verb.blocks { &["unlock"] } else { &[] };
        Enablers { verbs, only: owner, closing: &[] }
    }

    /// What the last owner did before it gave the lock back is seen by the next; where it died instead, all that it did. A
    /// `lock` that failed comes after the one that had it locked.
    fn relate(&self, events: &[&Event], relation: &mut Relation) {
        let places = relation.by_ticket(events, |_| true);
        let ends: HashMap<ProcessId, usize> = (0..events.len())
            .filter(|place| is_end(events[*place]))
            .map(|place| (events[place].id.process(), place))
            .collect();
        for pair in places.windows(2) {
            let (before, after) = (events[pair[0]], events[pair[1]]);
            if after.verb == "lock" && after.outcome == Outcome::OWNER_DIED {
                relation.sync(ends.get(&before.id.process()).copied().unwrap_or(pair[0]), pair[1]);
            } else if after.verb == "lock" && after.outcome.is_ok() && before.verb == "unlock" {
                relation.sync(pair[0], pair[1]);
            }
        }
        let locks: Vec<usize> = places.iter().copied().filter(|place| events[*place].verb == "lock").collect();
        relation.fails(events, &locks, 1, |event| event.verb == "lock" && gave_up(event));
        relation.fails(events, &places, 1, |event| event.verb == "lock" && event.outcome == Outcome::UNRECOVERABLE);
    }

    /// Holds what the last `unlock` gave, until the next `lock`, and meanwhile what that `lock` gave, for those that fail for
    /// it. Of a robust one it holds besides whose it is and how often it is locked: as that process ends, what it gave.
    fn hand_over(&self, handover: &mut Handover<'_>) -> u32 {
        let owner = handover.event.id.process() + 1;
        if handover.is_end() {
            if self.options.robust && handover.held.count(OWNER) == owner {
                handover.held.set_count(OWNER, 0);
                handover.held.put(FREED, handover.gives);
            }
            return NOTHING;
        }
        let (verb, outcome) = (handover.event.verb, handover.event.outcome);
        if !handover.has_ticket() {
            let fails = verb == "lock" && (gave_up(handover.event) || outcome == Outcome::UNRECOVERABLE);
            return if fails && handover.reads { handover.held.set(LOCKED) } else { NOTHING };
        }
        let watched = handover.reads && handover.tries;
        match verb {
            "lock" => {
                let takes = handover.held.set(FREED);
                let gives = handover.join(handover.gives, takes);
                let held = &mut *handover.held;
                held.put(FREED, NOTHING);
                held.put(LOCKED, if watched { gives } else { NOTHING });
                if self.options.robust {
                    held.set_count(DEPTH, held.count(DEPTH) * u32::from(held.count(OWNER) == owner) + 1);
                    held.set_count(OWNER, owner);
                }
                takes
            }
            "unlock" => {
                let (gives, held) = (handover.gives, &mut *handover.held);
                held.put(FREED, gives);
                if self.options.robust {
                    let depth = held.count(DEPTH).saturating_sub(1);
                    held.set_count(DEPTH, depth);
                    if depth == 0 {
                        held.set_count(OWNER, 0);
                        // It may be past repair now: then what fails fails for this.
                        held.put(LOCKED, if handover.reads { gives } else { NOTHING });
                    }
                }
                NOTHING
            }
            _ => NOTHING,
        }
    }
}

/// The slots of a mutex's clock state: clocks, and counters.
const FREED: usize = 0;
const LOCKED: usize = 1;
const OWNER: usize = 0;
const DEPTH: usize = 1;

/// What the owner knows, written by it alone.
#[derive(FromZeros)]
#[repr(C)]
struct Ownership {
    /// A [`Word`].
    word: AtomicU64,
    /// How often the owner has locked it.
    depth: AtomicU32,
    /// 1 between an `owner_died` and its `repair`.
    damaged: AtomicU32,
    torn: Torn,
    _pad: u32,
}

/// The last ticket, and the owner's id plus one, or 0 where there is none, in the lowest bits.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Word(u64);

impl Word {
    const OWNER_BITS: u32 = 24;

    fn ticket(self) -> u64 {
        self.0 >> Self::OWNER_BITS
    }

    fn owner(self) -> Option<ProcessId> {
        (self.0 as u32 & ((1 << Self::OWNER_BITS) - 1)).checked_sub(1)
    }

    /// After one step more, with that owner.
    fn next(self, owner: Option<ProcessId>) -> Self {
        Self::of(self.ticket() + 1, owner)
    }

    fn of(ticket: u64, owner: Option<ProcessId>) -> Self {
        Self(ticket << Self::OWNER_BITS | u64::from(owner.map_or(0, |owner| owner + 1)))
    }
}

impl Ownership {
    #[inline]
    fn load(&self) -> Word {
        Word(self.word.load(Ordering::Acquire))
    }

    /// Counts a step of the owner's that leaves it to that owner, and gives its ticket.
    #[inline]
    fn count(&self, owner: Option<ProcessId>) -> u64 {
        let next = self.load().next(owner);
        self.word.store(next.0, Ordering::Release);
        next.ticket()
    }
}

/// How a step ended, small enough to be handed on in registers.
#[derive(Clone, Copy)]
struct Done {
    outcome: Outcome,
    ticket: u64,
}

impl Done {
    fn of(outcome: Outcome) -> Self {
        Self { outcome, ticket: 0 }
    }

    #[inline]
    fn completion(self) -> Completion {
        Completion::of(self.outcome).ticket(self.ticket)
    }
}

/// A mutex in shared memory.
#[derive(Clone)]
pub(crate) struct MutexLive {
    id: ObjectId,
    kernel: Posix,
    owned: Shared<Ownership>,
    options: MutexOptions,
}

impl MutexLive {
    /// Whether that process owns it.
    #[inline]
    pub(crate) fn owned_by(&self, process: ProcessId) -> bool {
        self.owned.load().owner() == Some(process)
    }

    /// Gives it back for a condition's wait, as often as it was locked, each an implicit event. How often that was.
    ///
    /// # Errors
    /// `not_owner`.
    pub(crate) fn unlock_for_wait(&self, party: &mut dyn Caller) -> Result<u32, Outcome> {
        if !self.owned_by(party.process()) {
            return Err(Outcome::NOT_OWNER);
        }
        let depth = self.owned.depth.load(Ordering::Relaxed);
        for _ in 0..depth {
            let done = self.unlock(party.process())?;
            party.implicit(self.id, UNLOCK, done.completion());
        }
        Ok(depth)
    }

    /// Takes it again after a condition's wait, as often as it had been locked, each an implicit event.
    ///
    /// # Errors
    /// `owner_died`, with the mutex taken; what else keeps it from being taken.
    pub(crate) fn relock(&self, party: &mut dyn Caller, depth: u32) -> Result<(), Outcome> {
        let mut result = Ok(());
        for _ in 0..depth.max(1) {
            let done = self.lock(party, Patience::Forever, true).unwrap_or_else(Done::of);
            let outcome = done.outcome;
            party.implicit(self.id, LOCK, done.completion());
            if !outcome.is_ok() {
                result = Err(outcome);
                if outcome != Outcome::OWNER_DIED {
                    break;
                }
            }
        }
        result
    }

    #[inline]
    fn lock(&self, party: &mut dyn Caller, patience: Patience, within: bool) -> Result<Done, Outcome> {
        let process = party.process();
        // glibc fails so only the first time, and forgets the ceiling after that.
        if matches!(self.options.protocol, Protocol::Protect(_)) && !has_real_time_policy() {
            return Err(Outcome::INVALID);
        }
        match self.kernel.try_lock() {
            Ok(()) => return Ok(self.taken(process, Outcome::OK)),
            Err(libc::EBUSY) => {}
            Err(errno) => return self.locked(process, Err(errno)),
        }
        let deadline = match patience.deadline() {
            Ok(deadline) => deadline,
            Err(outcome) => return self.give_up(process, outcome),
        };
        if self.options.kind == MutexType::ErrorCheck && self.owned_by(process) {
            return Err(Outcome::WOULD_DEADLOCK);
        }
        if within {
            party.block_on(self.id, LOCK);
        } else {
            party.block();
        }
        match self.kernel.lock(deadline) {
            Err(libc::ETIMEDOUT) => self.give_up(process, Outcome::TIMEOUT),
            locked => self.locked(process, locked),
        }
    }

    /// Gives up because another process owns the lock. The kernel's lock and the owner's word are written one after the
    /// other: while they differ, both are read again.
    #[cold]
    fn give_up(&self, process: ProcessId, outcome: Outcome) -> Result<Done, Outcome> {
        let told = self.owned.torn.settle(|| {
            let word = self.owned.load();
            match self.kernel.try_lock() {
                Err(libc::EBUSY) if word.owner().is_some() && self.owned.load() == word => {
                    Some(Ok(Done { outcome, ticket: look(word.ticket()) }))
                }
                Err(libc::EBUSY) => None,
                locked => Some(self.locked(process, locked)),
            }
        });
        told.unwrap_or(Err(outcome))
    }

    /// What a call of the kernel's that takes the mutex ended with.
    #[cold]
    fn locked(&self, process: ProcessId, result: Result<(), i32>) -> Result<Done, Outcome> {
        match result {
            Ok(()) => Ok(self.taken(process, Outcome::OK)),
            Err(libc::EOWNERDEAD) => Ok(self.taken(process, Outcome::OWNER_DIED)),
            Err(libc::ENOTRECOVERABLE) => {
                let ticket = look(self.owned.load().ticket());
                Ok(Done { outcome: Outcome::from_errno(libc::ENOTRECOVERABLE), ticket })
            }
            Err(libc::EAGAIN) => Err(Outcome::OVERFLOW),
            Err(libc::EPERM) => Err(Outcome::REFUSED),
            Err(errno) => Err(Outcome::from_errno(errno)),
        }
    }

    /// The process owns the mutex now.
    #[inline]
    fn taken(&self, process: ProcessId, outcome: Outcome) -> Done {
        let owned = &*self.owned;
        if outcome == Outcome::OWNER_DIED {
            owned.damaged.store(1, Ordering::Relaxed);
        } else if self.options.kind == MutexType::Recursive && self.owned_by(process) {
            owned.depth.store(owned.depth.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            return Done { outcome, ticket: owned.count(Some(process)) };
        }
        owned.depth.store(1, Ordering::Relaxed);
        Done { outcome, ticket: owned.count(Some(process)) }
    }

    #[inline]
    fn unlock(&self, process: ProcessId) -> Result<Done, Outcome> {
        let owned = &*self.owned;
        if !self.owned_by(process) {
            return Err(Outcome::NOT_OWNER);
        }
        let depth = owned.depth.load(Ordering::Relaxed);
        let damaged = owned.damaged.load(Ordering::Relaxed);
        if depth > 1 {
            owned.depth.store(depth - 1, Ordering::Relaxed);
        } else if damaged != 0 {
            owned.damaged.store(0, Ordering::Relaxed);
        }
        let ticket = owned.count(Some(process).filter(|_| depth > 1));
        match self.kernel.unlock() {
            Ok(()) => Ok(Done { outcome: Outcome::OK, ticket }),
            // So glibc says of a recursive mutex that is not repaired and still locked after this: it has counted.
            Err(libc::ENOTRECOVERABLE) if depth > 1 => Ok(Done { outcome: Outcome::OK, ticket }),
            Err(errno) => {
                // Still this process's own, so no other process has written meanwhile.
                owned.damaged.store(damaged, Ordering::Relaxed);
                owned.depth.store(depth, Ordering::Relaxed);
                owned.word.store(Word::of(ticket, Some(process)).0, Ordering::Release);
                Err(Outcome::from_errno(errno))
            }
        }
    }

    fn repair(&self, process: ProcessId) -> Result<Done, Outcome> {
        if !self.owned_by(process) {
            return Err(Outcome::NOT_OWNER);
        }
        if self.owned.damaged.load(Ordering::Relaxed) == 0 {
            return Err(Outcome::INVALID);
        }
        self.kernel.consistent().map_err(Outcome::from_errno)?;
        self.owned.damaged.store(0, Ordering::Relaxed);
        Ok(Done { outcome: Outcome::OK, ticket: self.owned.count(Some(process)) })
    }
}

impl Live for MutexLive {
    fn perform(&self, call: &mut Call<'_>) -> Completion {
        let done = match call.verb {
            LOCK => self.lock(call.party, call.patience, false),
            UNLOCK => self.unlock(call.party.process()),
            REPAIR => self.repair(call.party.process()),
            _ => Err(Outcome::INVALID),
        };
        done.unwrap_or_else(Done::of).completion()
    }

    fn owner(&self) -> Option<ProcessId> {
        self.owned.load().owner()
    }

    /// The kernel lets the next locker have a robust mutex; any other stays its dead owner's. The wake-up of an unlock
    /// may have gone to the process that died, or not have been sent by it: all waiters look again.
    fn reclaim(&self, process: ProcessId) {
        self.owned.torn.tear();
        if self.options.robust {
            // A process that has it already by the owner's death has put itself there.
            let word = self.owned.load();
            if word.owner() == Some(process) {
                let free = Word::of(word.ticket(), None);
                let _ = self.owned.word.compare_exchange(word.0, free.0, Ordering::AcqRel, Ordering::Relaxed);
            }
        }
        self.kernel.wake_all();
    }

    fn value(&self) -> Option<Value> {
        self.owner().is_none().then_some(Value::Null)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The owner as the trace tells of it.
struct Owned {
    owner: Option<ProcessId>,
    depth: u32,
}

impl State for Owned {
    fn apply(&mut self, event: &Event) {
        match event.verb {
            "lock" if event.outcome == Outcome::OWNER_DIED => {
                (self.owner, self.depth) = (Some(event.id.process()), 1);
            }
            "lock" if event.outcome.is_ok() => {
                self.depth = if self.owner == Some(event.id.process()) { self.depth + 1 } else { 1 };
                self.owner = Some(event.id.process());
            }
            "unlock" if event.outcome.is_ok() => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    self.owner = None;
                }
            }
            _ => {}
        }
    }

    fn value(&self, names: &[String]) -> Value {
        shown(self.owner, names)
    }
}

/// The owner in a state expression: its name, or null.
pub(crate) fn shown(owner: Option<ProcessId>, names: &[String]) -> Value {
    owner.map_or(Value::Null, |owner| match names.get(owner as usize) {
        Some(name) => Value::from(name.as_str()),
        None => Value::Int(owner.into()),
    })
}

#[cfg(test)]
mod tests;
