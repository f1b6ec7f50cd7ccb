//! `rwlock`: a lock that several processes have for reading, or one for writing.
//!
//! What each process holds stands in a word of its own, the sums beside them, under a guard that survives the death of its
//! holder. A process that has to wait sleeps until a number changes that every release changes.

mod model;

use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use zerocopy::FromZeros;

use crate::event::{Event, ObjectId, ProcessId, look};
use crate::objects::causality::happens_before::{Tie, gave_up};
use crate::objects::causality::releases::Joins;
use crate::objects::causality::sync_clock::{Handover, NOTHING};
use crate::objects::contract::operation::Access;
use crate::objects::kinds::mutex;
use crate::objects::{
    Argument, Attribute, Call, Completion, CreateContext, Declaration, Effect, Element, Enablers, Form, HostError,
    Kind, Live, Model, Object, Parked, Patience, Problem, Relation, State, Verb,
};
use crate::os::arena::Shared;
use crate::os::futex;
use crate::os::guard::Guard;
use crate::outcome::Outcome;
use crate::value::{Types, Value};

const LOCK: u8 = 0;
const UNLOCK: u8 = 1;

const MODES: &[&str] = &["read", "write"];
/// The places of the modes.
const READ: u8 = 0;
const WRITE: u8 = 1;

pub(crate) static KIND: Kind = Kind {
    name: "rwlock",
    summary: "a lock that several processes hold for reading, or one process for writing",
    primitive: "atomic words in shared memory and futex(2), with the rules of pthread_rwlock_t: it is not robust, so a process \
                that ends while it holds the lock leaves it locked",
    attributes: &[Attribute {
        name: "prefer",
        form: Form::Choice(&["reader", "writer"]),
        default: "reader",
        required: false,
        summary: "whether new readers go before a waiting writer, or wait behind it; a process that reads already may always \
                  read once more",
    }],
    verbs: &[
        Verb {
            name: "lock",
            effect: Effect::Takes,
            summary: "locks it; waits while another process writes, or for writing while any other holds it",
            arguments: &[Argument {
                name: "mode",
                form: Form::Choice(MODES),
                required: true,
                summary: "`\"read\"` or `\"write\"`",
            }],
            ends: &[],
            element: Element::Never,
            blocks: true,
            result: Types::NONE,
            outcomes: &[Outcome::WOULD_DEADLOCK, Outcome::OVERFLOW],
        },
        Verb {
            name: "unlock",
            effect: Effect::Gives,
            summary: "unlocks it, once for each `lock`",
            arguments: &[],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::NONE,
            outcomes: &[Outcome::NOT_OWNER],
        },
    ],
    state: (
        "l.writer",
        "the name of the process that writes, or null; `l.readers`: how many locks for reading are held",
    ),
    example: r#"[objects]
table = { kind = "rwlock", prefer = "writer" }

[processes.reader]
count = 3
steps = [{ lock = "table", mode = "read", timeout = "1s" }, { unlock = "table" }]

[processes.writer]
steps = [{ lock = "table", mode = "write" }, { unlock = "table" }]
"#,
    declare,
};

#[expect(clippy::unnecessary_wraps, reason = "the signature is every kind's")]
fn declare(declaration: &Declaration) -> Result<Box<dyn Object>, Vec<Problem>> {
    Ok(Box::new(RwLock { writers_first: declaration.word("prefer") == Some("writer") }))
}

/// What one process has of a lock, in one word: how often it reads, and the bits below.
mod share {
    /// It writes.
    pub(super) const WRITES: u32 = 1 << 31;
    /// It waits to write, and new readers wait behind it.
    pub(super) const WAITS: u32 = 1 << 30;
    /// How often it reads.
    pub(super) const READS: u32 = WAITS - 1;

    /// How many locks those are.
    pub(super) fn locks(share: u32) -> u32 {
        (share & READS) + u32::from(share & WRITES != 0)
    }
}

/// What all processes hold.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Holds {
    /// How many locks for reading there are.
    readers: u32,
    written: bool,
    /// Whether a process waits to write and goes before new readers.
    writer_waits: bool,
}

/// What a `lock` comes to.
enum Decision {
    Locks,
    Waits,
    Fails(Outcome),
}

impl Holds {
    /// What a `lock` of a process comes to that has that share. `tries` where it is not to wait.
    fn decide(self, own: u32, mode: u8, tries: bool) -> Decision {
        let reads = own & share::READS;
        if own & share::WRITES != 0 || mode == WRITE && reads > 0 {
            return if tries { Decision::Waits } else { Decision::Fails(Outcome::WOULD_DEADLOCK) };
        }
        let free = match mode {
            READ if reads == share::READS => return Decision::Fails(Outcome::OVERFLOW),
            READ if reads > 0 => true,
            READ => !self.written && !self.writer_waits,
            _ => !self.written && self.readers == 0,
        };
        if free { Decision::Locks } else { Decision::Waits }
    }
}

/// What a process has after a `lock`, and after an `unlock`.
fn locked(own: u32, mode: u8) -> u32 {
    let own = own & !share::WAITS;
    if mode == WRITE { own | share::WRITES } else { own + 1 }
}

fn unlocked(own: u32) -> Option<(u32, u8)> {
    match own {
        _ if own & share::WRITES != 0 => Some((own & !share::WRITES, WRITE)),
        _ if own & share::READS != 0 => Some((own - 1, READ)),
        _ => None,
    }
}

/// The argument `mode`.
fn mode(arguments: &[Value]) -> u8 {
    if arguments.first().and_then(Value::as_str) == Some(MODES[WRITE as usize]) { WRITE } else { READ }
}

/// A mode as an event tells it.
fn word_of(mode: u8) -> Value {
    Value::from(MODES[mode as usize])
}

fn is_write(event: &Event) -> bool {
    event.value.as_str() == Some(MODES[WRITE as usize])
}

/// What the object's name means in a state expression.
fn shown(writer: Option<ProcessId>, readers: u32, names: &[String]) -> Value {
    let entries = [("writer", mutex::shown(writer, names)), ("readers", Value::Int(readers.into()))];
    Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<BTreeMap<_, _>>().into())
}

/// A lock as the plan holds it.
#[derive(Debug)]
struct RwLock {
    writers_first: bool,
}

/// The slots of a lock's clock state: what releases gave, and what the locks gave that a try fails for.
const WRITTEN: usize = 0;
const READ_BY: usize = 1;
const LOCKS: usize = 2;
const WRITE_LOCK: usize = 3;

impl Object for RwLock {
    fn create(&self, site: &mut CreateContext<'_>) -> Result<Rc<dyn Live>, HostError> {
        let error = |error| HostError::call("mmap", &error);
        let words = site.arena.alloc().map_err(error)?;
        let shares = site.arena.slice(site.processes as usize).map_err(error)?;
        Ok(Rc::new(RwLockLive { words, shares, writers_first: self.writers_first }))
    }

    fn state(&self) -> Box<dyn State> {
        Box::new(Held { writer: None, readers: 0 })
    }

    fn model(&self, _holders: &[u32]) -> Box<dyn Model> {
        Box::new(model::RwLockModel::new(self.writers_first))
    }

    /// Where no step has to wait, a lock for writing meets only unlocks that are refused. Where new readers wait behind it,
    /// that it has come to wait is a step of its own.
    fn commute(&self, first: Access, second: Access) -> bool {
        let reads = |access: Access| access.verb == UNLOCK || access.given.word(0) == Some(READ);
        let both = first.verb == second.verb || self.writers_first;
        !both || reads(first) && reads(second)
    }

    fn has_owner(&self) -> bool {
        true
    }

    /// It stays locked when a holder ends.
    fn notices_ends(&self) -> bool {
        false
    }

    fn reorders(&self) -> bool {
        false
    }

    fn touches(&self, _verb: u8) -> Vec<(ObjectId, u8)> {
        Vec::new()
    }

    fn enablers(&self, verb: &Verb, _end: Option<&str>, owner: Option<ProcessId>) -> Enablers {
        let verbs: &[&str] = match verb.blocks {
            false => &[],
            // A writer that waits can give up.
            true if self.writers_first => &["unlock", "lock"],
            true => &["unlock"],
        };
        Enablers { verbs, only: owner, closing: &[] }
    }

    /// What a process did before it wrote is seen by all that lock it later, what it did before it read by those that write.
    /// A try fails for the last lock for writing, or where it was to write for all locks before.
    fn relate(&self, events: &[&Event], relation: &mut Relation) {
        let places = relation.by_ticket(events, |_| true);
        let of = |wanted: fn(&Event) -> bool| {
            places.iter().copied().filter(|place| wanted(events[*place])).collect::<Vec<_>>()
        };
        let locks = of(|event| event.verb == "lock");
        let write_locks = of(|event| event.verb == "lock" && is_write(event));
        let [mut writes, mut reads] = <[Joins; 2]>::default();
        for place in places {
            let event = events[place];
            let process = event.id.process();
            match (event.verb, is_write(event)) {
                ("lock", write) => {
                    writes.take(process, |unlock| relation.sync(unlock, place));
                    if write {
                        reads.take(process, |unlock| relation.sync(unlock, place));
                    }
                }
                (_, true) => writes.give(process, place),
                (_, false) => reads.give(process, place),
            }
        }
        let failed = |event: &Event| event.verb == "lock" && gave_up(event);
        relation.fails(events, &write_locks, 1, |event| failed(event) && !is_write(event));
        relation.sees(events, &locks, Tie::Reads, |event| failed(event) && is_write(event));
    }

    /// Holds what all that wrote gave, and all that read; where something fails for it, what the locks gave.
    fn hand_over(&self, handover: &mut Handover<'_>) -> u32 {
        let (event, write) = (handover.event, is_write(handover.event));
        if !handover.has_ticket() {
            let fails = handover.reads && event.verb == "lock" && gave_up(event);
            return if fails { handover.held.set(if write { LOCKS } else { WRITE_LOCK }) } else { NOTHING };
        }
        let (written, read) = (handover.held.set(WRITTEN), handover.held.set(READ_BY));
        match (event.verb, write) {
            ("lock", _) => {
                let takes = if write { handover.join(written, read) } else { written };
                if handover.reads && handover.tries {
                    let gives = handover.join(handover.gives, takes);
                    let locks = handover.held.set(LOCKS);
                    let locks = handover.join(locks, gives);
                    handover.held.put(LOCKS, locks);
                    if write {
                        handover.held.put(WRITE_LOCK, gives);
                    }
                }
                takes
            }
            (_, true) => {
                let gives = handover.join(written, handover.gives);
                handover.held.put(WRITTEN, gives);
                NOTHING
            }
            (_, false) => {
                let gives = handover.join(read, handover.gives);
                handover.held.put(READ_BY, gives);
                NOTHING
            }
        }
    }

    fn tells_order(&self, _first: Access, _second: Access) -> bool {
        false
    }
}

/// What all processes share of a lock.
#[derive(FromZeros)]
#[repr(C)]
struct Words {
    guard: Guard,
    /// How many shares from the first have ever been used.
    used: AtomicU32,
    readers: AtomicU32,
    /// The process that writes and one, or 0.
    writer: AtomicU32,
    /// Changes with every release; processes that wait sleep on it.
    changes: AtomicU32,
    /// How many sleep, or more where one was killed.
    sleepers: AtomicU32,
    /// The last ticket.
    ticket: AtomicU64,
}

/// A lock in shared memory.
struct RwLockLive {
    words: Shared<Words>,
    shares: Shared<[AtomicU32]>,
    writers_first: bool,
}

impl RwLockLive {
    fn shares(&self) -> &[AtomicU32] {
        &self.shares[..(self.words.used.load(Ordering::Acquire) as usize).min(self.shares.len())]
    }

    /// What all processes hold. The guard is held.
    fn holds(&self) -> Holds {
        let waits = |word: &AtomicU32| word.load(Ordering::Relaxed) & share::WAITS != 0;
        Holds {
            readers: self.words.readers.load(Ordering::Relaxed),
            written: self.words.writer.load(Ordering::Relaxed) != 0,
            writer_waits: self.writers_first && self.shares().iter().any(waits),
        }
    }

    /// Sets the sums to what the shares say. The guard is held.
    fn add_up(&self) {
        let (mut readers, mut writer) = (0, 0);
        for (process, word) in (1..).zip(self.shares()) {
            let own = word.load(Ordering::Relaxed);
            readers += own & share::READS;
            if own & share::WRITES != 0 {
                writer = process;
            }
        }
        self.words.readers.store(readers, Ordering::Relaxed);
        self.words.writer.store(writer, Ordering::Relaxed);
    }

    /// Sets a process's share, and the sums by it. The guard is held.
    fn set(&self, process: ProcessId, word: &AtomicU32, own: u32) {
        let before = word.swap(own, Ordering::Relaxed);
        let readers = self.words.readers.load(Ordering::Relaxed);
        self.words.readers.store(readers + (own & share::READS) - (before & share::READS), Ordering::Relaxed);
        if (own ^ before) & share::WRITES != 0 {
            let writer = if own & share::WRITES != 0 { process + 1 } else { 0 };
            self.words.writer.store(writer, Ordering::Relaxed);
        }
    }

    /// Counts a step, under the guard, and gives its ticket.
    fn count(&self) -> u64 {
        self.words.ticket.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Lets those that wait look again.
    fn wake(&self) {
        self.words.changes.fetch_add(1, Ordering::SeqCst);
        if self.words.sleepers.load(Ordering::SeqCst) > 0 {
            futex::wake_all(&self.words.changes);
        }
    }

    fn lock(&self, call: &mut Call<'_>) -> Completion {
        let (process, mode) = (call.party.process(), mode(call.arguments));
        let Some(word) = self.shares.get(process as usize) else { return Completion::of(Outcome::INVALID) };
        let done = |outcome, ticket| Completion { value: word_of(mode), ..Completion::of(outcome).ticket(ticket) };
        let mut over = false;
        loop {
            let seen = {
                let _held = self.words.guard.lock(process);
                self.words.used.fetch_max(process + 1, Ordering::AcqRel);
                let own = word.load(Ordering::Relaxed);
                match self.holds().decide(own, mode, call.patience == Patience::Never) {
                    Decision::Locks => {
                        self.set(process, word, locked(own, mode));
                        return done(Outcome::OK, self.count());
                    }
                    Decision::Fails(outcome) => return done(outcome, 0),
                    Decision::Waits if over || call.patience == Patience::Never => {
                        let ticket = look(self.words.ticket.load(Ordering::Relaxed));
                        word.store(own & !share::WAITS, Ordering::Relaxed);
                        if own & share::WAITS != 0 {
                            self.wake();
                        }
                        return done(call.patience.outcome(), ticket);
                    }
                    Decision::Waits => {
                        if self.writers_first && mode == WRITE {
                            word.store(own | share::WAITS, Ordering::Relaxed);
                        }
                        self.words.changes.load(Ordering::SeqCst)
                    }
                }
            };
            over = !self.sleep(call, seen, mode);
        }
    }

    /// Waits for a release after `seen` was read; `false` where the time of the step is over.
    fn sleep(&self, call: &mut Call<'_>, seen: u32, mode: u8) -> bool {
        let deadline = call.patience.deadline().unwrap_or_default();
        let parked = if self.writers_first && mode == WRITE {
            call.party.park()
        } else {
            call.party.block();
            Parked::Sleep
        };
        match parked {
            Parked::Sleep => {
                self.words.sleepers.fetch_add(1, Ordering::SeqCst);
                let woken = futex::wait(&self.words.changes, seen, deadline);
                self.words.sleepers.fetch_sub(1, Ordering::SeqCst);
                woken
            }
            Parked::Again | Parked::Wake => true,
            Parked::GiveUp => false,
        }
    }

    fn unlock(&self, call: &mut Call<'_>) -> Completion {
        let process = call.party.process();
        let Some(word) = self.shares.get(process as usize) else { return Completion::of(Outcome::INVALID) };
        let ticket;
        let mode;
        {
            let _held = self.words.guard.lock(process);
            let Some((own, had)) = unlocked(word.load(Ordering::Relaxed)) else {
                return Completion::of(Outcome::NOT_OWNER);
            };
            (mode, ticket) = (had, self.count());
            self.set(process, word, own);
        }
        self.wake();
        Completion::value(word_of(mode)).ticket(ticket)
    }
}

impl Live for RwLockLive {
    fn perform(&self, call: &mut Call<'_>) -> Completion {
        match call.verb {
            LOCK => self.lock(call),
            UNLOCK => self.unlock(call),
            _ => Completion::of(Outcome::INVALID),
        }
    }

    /// The process that writes.
    fn owner(&self) -> Option<ProcessId> {
        self.words.writer.load(Ordering::Acquire).checked_sub(1)
    }

    /// Takes the process from those that wait, and lets the others look again. What it held stays locked.
    fn reclaim(&self, process: ProcessId) {
        if self.words.guard.held_by(process) {
            self.add_up();
            self.words.guard.force_release();
        }
        if let Some(word) = self.shares.get(process as usize) {
            word.fetch_and(!share::WAITS, Ordering::AcqRel);
        }
        self.words.changes.fetch_add(1, Ordering::SeqCst);
        futex::wake_all(&self.words.changes);
    }

    fn value(&self) -> Option<Value> {
        let readers = self.words.readers.load(Ordering::Acquire);
        self.owner().is_none().then(|| shown(None, readers, &[]))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What is held as the trace tells of it.
struct Held {
    writer: Option<ProcessId>,
    readers: u32,
}

impl State for Held {
    fn apply(&mut self, event: &Event) {
        if !event.outcome.is_ok() {
            return;
        }
        match (event.verb, is_write(event)) {
            ("lock", true) => self.writer = Some(event.id.process()),
            ("lock", false) => self.readers += 1,
            (_, true) => self.writer = None,
            (_, false) => self.readers = self.readers.saturating_sub(1),
        }
    }

    fn value(&self, names: &[String]) -> Value {
        shown(self.writer, self.readers, names)
    }

    fn size(&self) -> Option<i64> {
        Some(i64::from(self.readers) + i64::from(self.writer.is_some()))
    }
}

#[cfg(test)]
mod tests;
