//! `barrier`: a point that no process passes before all have come.
//!
//! One word holds the generation, whether the barrier is broken and how many have come; waiters sleep on the
//! generation. Whatever ends a generation but its last arrival (a timeout, `abort`, `reset`) first tells each waiter
//! of that generation so in a slot of its own, under a journal: a process killed within is made up for.
//!
//! The trace has an implicit `wait` ending `would_block` where a process has come, one ending `ok` where the last has,
//! and the step itself where the process continues. Tickets number a generation's arrivals, its end and its departures.

mod model;
mod promela;

use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use zerocopy::FromZeros;

use crate::event::{Event, ObjectId, ProcessId, look};
use crate::objects::causality::happens_before::Tie;
use crate::objects::causality::sync_clock::{Handover, NOTHING};
use crate::objects::contract::operation::Access;
use crate::objects::{
    Argument, Attribute, Call, Completion, CreateContext, Declaration, Effect, Element, Enablers, Form, HostError,
    Kind, Live, Model, Object, Parked, Patience, Problem, Relation, State, Verb,
};
use crate::os::arena::Shared;
use crate::os::barrier::Barrier as Posix;
use crate::os::futex;
use crate::os::guard::{Guard, Held};
use crate::outcome::Outcome;
use crate::value::{Types, Value};

const WAIT: u8 = 0;
const ABORT: u8 = 1;
const RESET: u8 = 2;
const SIZE: u8 = 3;

/// The most parties: a ticket has 22 bits for a generation's arrivals, its end and its departures.
const MOST: u32 = 1 << 20;
const TICKET_BITS: u32 = 22;

/// The kind.
pub(crate) static KIND: Kind = Kind {
    name: "barrier",
    summary: "a point where processes wait until all parties have arrived; then the next round begins",
    primitive: "memory: atomic words in shared memory, mmap(2) with MAP_SHARED, and futex(2). posix: pthread_barrier_t \
                in shared memory with PTHREAD_PROCESS_SHARED, pthread_barrier_wait(3). A process that was killed while \
                it waited has arrived all the same",
    attributes: &[
        Attribute {
            name: "parties",
            form: Form::Integer(1, MOST as i64),
            default: "",
            required: true,
            summary: "the number of processes that have to arrive",
        },
        Attribute {
            name: "via",
            form: Form::Choice(&["memory", "posix"]),
            default: "memory",
            required: false,
            summary: "`posix` has neither `abort`, `reset` nor `size`, and a `wait` with a `timeout` ends `invalid`",
        },
    ],
    verbs: &[
        Verb {
            name: "wait",
            effect: Effect::None,
            summary: "waits until all parties have arrived. A `timeout` breaks the barrier: all waiting and later \
                      processes end `broken`",
            arguments: &[Argument {
                name: "into",
                form: Form::Into,
                required: false,
                summary: "a variable for the order of arrival: 0 for the first",
            }],
            ends: &[],
            element: Element::Never,
            blocks: true,
            result: Types::INT,
            outcomes: &[Outcome::BROKEN, Outcome::INVALID],
        },
        Verb {
            name: "abort",
            effect: Effect::None,
            summary: "breaks the barrier: all waiting and later processes end `broken`",
            arguments: &[],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::NONE,
            outcomes: &[Outcome::INVALID],
        },
        Verb {
            name: "reset",
            effect: Effect::None,
            summary: "resets it to empty and unbroken; processes that wait end `broken`",
            arguments: &[],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::NONE,
            outcomes: &[Outcome::INVALID],
        },
        Verb {
            name: "size",
            effect: Effect::Asks,
            summary: "reads the number of processes that wait",
            arguments: &[Argument {
                name: "into",
                form: Form::Into,
                required: false,
                summary: "a variable for the number",
            }],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::INT,
            outcomes: &[Outcome::INVALID],
        },
    ],
    state: ("b.waiting", "the number of waiting processes; `b.broken`: whether it is broken"),
    example: r#"[objects]
start = { kind = "barrier", parties = 3 }

[processes.runner]
count = 3
steps = [
  { wait = "start", timeout = "1s", into = "order", on = { broken = [{ reset = "start" }], timeout = [{ abort = "start" }] } },
  { size = "start", into = "waiting" },
]
"#,
    declare,
};

#[expect(clippy::unnecessary_wraps, reason = "the signature is every kind's")]
fn declare(declaration: &Declaration) -> Result<Box<dyn Object>, Vec<Problem>> {
    let parties = declaration.integer("parties").unwrap_or(1).clamp(1, i64::from(MOST)) as u32;
    Ok(Box::new(Barrier { id: declaration.id, parties, posix: declaration.word("via") == Some("posix") }))
}

/// A barrier as the plan holds it.
#[derive(Debug)]
struct Barrier {
    id: ObjectId,
    parties: u32,
    posix: bool,
}

impl Object for Barrier {
    fn foresee(&self, verb: &Verb, _end: Option<&str>, _arguments: &[Option<Value>]) -> Option<(Outcome, String)> {
        (self.posix && verb.name != "wait")
            .then(|| (Outcome::INVALID, format!("a POSIX barrier has no `{}`; `via = \"memory\"` does", verb.name)))
    }

    fn foresee_timeout(&self, _verb: &Verb) -> Option<(Outcome, String)> {
        self.posix.then(|| (Outcome::INVALID, "a POSIX barrier has no timeout; `via = \"memory\"` does".to_owned()))
    }

    fn create(&self, site: &mut CreateContext<'_>) -> Result<Rc<dyn Live>, HostError> {
        let error = |error| HostError::call("mmap", &error);
        if self.posix {
            let kernel = Posix::new(site.arena, self.parties);
            let kernel = kernel.map_err(|error| HostError::call("pthread_barrier_init", &error))?;
            let shared = site.arena.alloc().map_err(error)?;
            return Ok(Rc::new(PosixLive { id: self.id, parties: self.parties, kernel, shared }));
        }
        Ok(Rc::new(MemoryLive {
            id: self.id,
            parties: self.parties,
            shared: site.arena.alloc().map_err(error)?,
            slots: site.arena.slice(site.processes as usize).map_err(error)?,
        }))
    }

    fn state(&self) -> Box<dyn State> {
        Box::new(Come { waiting: 0, broken: false })
    }

    fn parties(&self) -> Option<u32> {
        Some(self.parties)
    }

    fn model(&self, _holders: &[u32]) -> Box<dyn Model> {
        Box::new(model::BarrierModel::new(self.id, self.parties, self.posix))
    }

    fn promela(&self) -> Option<&dyn crate::objects::contract::promela::Promela> {
        Some(self)
    }

    /// The same verb twice, but for two arrivals: the order of arrival is their result. Of a POSIX barrier, all but its `wait` is
    /// refused.
    fn commute(&self, first: Access, second: Access) -> bool {
        if self.posix {
            first.verb != WAIT || second.verb != WAIT
        } else {
            first.verb == second.verb && first.verb != WAIT
        }
    }

    fn has_owner(&self) -> bool {
        false
    }

    fn notices_ends(&self) -> bool {
        false
    }

    fn touches(&self, _verb: u8) -> Vec<(ObjectId, u8)> {
        Vec::new()
    }

    fn enablers(&self, verb: &Verb, _end: Option<&str>, _owner: Option<ProcessId>) -> Enablers {
        let verbs: &[&str] = match (verb.blocks, self.posix) {
            (false, _) => &[],
            (true, true) => &["wait"],
            (true, false) => &["wait", "abort", "reset"],
        };
        Enablers { verbs, only: None, closing: &[] }
    }

    /// Every arrival of a round is a cause of every departure: of the round's end, which the last to come records
    /// after its own arrival, and the end of every departure. What breaks a round is a cause of those that end broken, also
    /// of those that come later; and all that has changed before, of a `size`.
    fn relate(&self, events: &[&Event], relation: &mut Relation) {
        let places = relation.by_ticket(events, |_| true);
        let mut rounds: BTreeMap<u64, Round> = BTreeMap::new();
        for place in places.iter().copied() {
            let (generation, number) = unticket(events[place].ticket);
            let round = rounds.entry(generation).or_default();
            match number.cmp(&(self.parties + 1)) {
                std::cmp::Ordering::Less => round.arrivals.push(place),
                std::cmp::Ordering::Equal => round.end = Some(place),
                std::cmp::Ordering::Greater => round.departures.push(place),
            }
        }
        for round in rounds.values() {
            match (round.end, round.arrivals.last()) {
                (Some(end), Some(last)) if events[end].implicit => {
                    for arrival in &round.arrivals {
                        relation.sync(*arrival, *last);
                    }
                    for departure in &round.departures {
                        relation.sync(end, *departure);
                    }
                }
                (Some(end), _) => round.departures.iter().for_each(|departure| relation.sync(end, *departure)),
                // The last to come was killed before it could tell.
                (None, _) => {
                    for departure in round.departures.iter().filter(|place| events[**place].outcome.is_ok()) {
                        round.arrivals.iter().for_each(|arrival| relation.sync(*arrival, *departure));
                    }
                }
            }
        }
        let ends: Vec<usize> = rounds.values().filter_map(|round| round.end).collect();
        let mut broken = false;
        let mut breaking = ends.clone();
        breaking.retain(|end| {
            let was = std::mem::replace(&mut broken, breaks(events[*end]));
            broken && !was
        });
        let late =
            |event: &Event| event.verb == "wait" && event.outcome == Outcome::BROKEN && event.own_place().is_none();
        relation.looks(events, &breaking, late, |relation, count, place| {
            let broke = count.checked_sub(1).map(|last| breaking[last]);
            if let Some(broke) = broke.filter(|broke| events[*broke].begin <= events[place].end) {
                relation.sync(broke, place);
            }
        });
        let changes: Vec<usize> =
            rounds.values().flat_map(|round| round.arrivals.iter().copied().chain(round.end)).collect();
        relation.sees(events, &changes, Tie::Sync, |event| event.verb == "size" && event.outcome.is_ok());
    }

    fn reorders(&self) -> bool {
        true
    }

    /// The clock state: the number of arrivals and their joined clock; for each process that has not departed yet, the
    /// clock of its round; the clock of what broke the barrier; and, if a `size` is used, that of all changes.
    fn hand_over(&self, handover: &mut Handover<'_>) -> u32 {
        let (come, given) = (handover.held.count(0), handover.held.set(ARRIVALS));
        let event = handover.event;
        let takes = match (event.verb, event.implicit, event.outcome) {
            ("wait", true, Outcome::WOULD_BLOCK) => {
                let all = handover.join(given, handover.gives);
                handover.held.set_count(0, come + 1);
                handover.held.put(ARRIVALS, all);
                if come + 1 == self.parties { given } else { NOTHING }
            }
            ("wait", false, Outcome::TIMEOUT) if !handover.has_ticket() => return NOTHING,
            ("wait", false, Outcome::TIMEOUT) | ("abort" | "reset", _, Outcome::OK) | ("wait", true, _) => {
                handover.held.set_count(0, 0);
                handover.held.put(ARRIVALS, NOTHING);
                let waiting = model::going_on(handover.shares);
                handover.held.give(waiting, handover.gives);
                // The first that breaks it is what finds it broken.
                if !breaks(event) {
                    handover.held.set_count(1, 0);
                    handover.held.put(BREAKS, NOTHING);
                } else if handover.held.count(1) == 0 {
                    handover.held.set_count(1, 1);
                    handover.held.put(BREAKS, handover.gives);
                }
                NOTHING
            }
            ("wait", false, Outcome::BROKEN) if !handover.has_ticket() => return handover.held.set(BREAKS),
            ("wait", ..) => return handover.held.own.remove(&event.id.process()).unwrap_or(NOTHING),
            ("size", _, Outcome::OK) => return handover.held.set(CHANGES),
            _ => return NOTHING,
        };
        if handover.has(SIZE) {
            let all = handover.join(handover.held.set(CHANGES), handover.gives);
            let all = handover.join(all, takes);
            handover.held.put(CHANGES, all);
        }
        takes
    }

    /// Of two that break it, the first is what unblocks those that wait.
    fn tells_order(&self, first: Access, second: Access) -> bool {
        first.verb != SIZE && second.verb != SIZE
    }

    fn limit(&self) -> Option<i64> {
        Some(i64::from(self.parties))
    }
}

/// The slots of a barrier's clock state. The counters are the number of arrivals, and whether it is broken.
const ARRIVALS: usize = 0;
const BREAKS: usize = 1;
const CHANGES: usize = 2;

/// Whether what ends a round leaves the barrier broken.
fn breaks(end: &Event) -> bool {
    !end.implicit && end.verb != "reset"
}

/// The places of one generation's events.
#[derive(Default)]
struct Round {
    arrivals: Vec<usize>,
    end: Option<usize>,
    departures: Vec<usize>,
}

/// The ticket of a generation's event of that number: arrivals from 1, the end after the last possible arrival, then
/// the departures in the order of arrival.
fn ticket(generation: u64, number: u32) -> u64 {
    generation << TICKET_BITS | u64::from(number)
}

fn unticket(ticket: u64) -> (u64, u32) {
    (ticket >> TICKET_BITS, (ticket & ((1 << TICKET_BITS) - 1)) as u32)
}

/// That a process has come, as the number `arrival` from 1 of its generation.
fn arrived(generation: u64, arrival: u32) -> Completion {
    let order = Value::Int(i64::from(arrival) - 1);
    Completion { value: order, ..Completion::of(Outcome::WOULD_BLOCK) }.ticket(ticket(generation, arrival))
}

/// That it continues.
fn departed(generation: u64, parties: u32, arrival: u32, outcome: Outcome) -> Completion {
    let value = if outcome.is_ok() { Value::Int(i64::from(arrival) - 1) } else { Value::Null };
    Completion { value, ..Completion::of(outcome) }.ticket(ticket(generation, parties + 1 + arrival))
}

/// What ends a generation: its last arrival (implicit), a timeout, `abort` or `reset`.
fn ended(generation: u64, parties: u32, outcome: Outcome) -> Completion {
    Completion::of(outcome).ticket(ticket(generation, parties + 1))
}

/// The word: generation, broken, count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Word(u64);

impl Word {
    fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn broken(self) -> bool {
        self.0 & 1 << 31 != 0
    }

    fn count(self) -> u32 {
        self.0 as u32 & !(1 << 31)
    }

    /// The ticket of what only looks at this moment.
    fn look(self) -> u64 {
        look(ticket(self.generation().into(), self.count()))
    }

    /// The next generation, empty.
    fn next(self, broken: bool) -> Self {
        Self(u64::from(self.generation().wrapping_add(1)) << 32 | u64::from(broken) << 31)
    }
}

/// The barrier's words.
#[derive(FromZeros)]
#[repr(C)]
struct Words {
    guard: Guard,
    word: AtomicU64,
    /// The word to come while a generation is being broken; 0 otherwise.
    journal: AtomicU64,
}

/// A process that waits: its generation, and [`WAITING`] or [`BROKEN`].
#[derive(FromZeros)]
#[repr(C)]
struct Slot {
    generation: AtomicU32,
    state: AtomicU32,
}

const IDLE: u32 = 0;
const WAITING: u32 = 1;
const BROKEN: u32 = 2;

/// A barrier in shared memory.
struct MemoryLive {
    id: ObjectId,
    parties: u32,
    shared: Shared<Words>,
    slots: Shared<[Slot]>,
}

impl MemoryLive {
    fn word(&self) -> Word {
        Word(self.shared.word.load(Ordering::Acquire))
    }

    fn wake(&self) {
        futex::wake_all(futex::high(&self.shared.word));
    }

    /// Ends the generation for all that wait in it. The guard is held, by a process or for one that died.
    fn finish(&self, next: Word) {
        let ending = next.generation().wrapping_sub(1);
        for slot in self.slots.iter() {
            if slot.state.load(Ordering::Relaxed) == WAITING && slot.generation.load(Ordering::Relaxed) == ending {
                slot.state.store(BROKEN, Ordering::Release);
            }
        }
        self.shared.word.store(next.0, Ordering::Release);
        self.shared.journal.store(0, Ordering::Release);
    }

    /// Breaks the generation, and leaves the barrier broken or whole. What it was; its waiters are not woken yet.
    fn end(&self, held: Held<'_>, broken: bool) -> Word {
        let word = self.word();
        let next = word.next(broken);
        self.shared.journal.store(next.0, Ordering::Release);
        self.finish(next);
        drop(held);
        word
    }

    fn wait(&self, call: &mut Call<'_>) -> Result<Completion, Outcome> {
        let process = call.party.process();
        let slot = self.slots.get(process as usize).ok_or(Outcome::INVALID)?;
        let held = self.shared.guard.lock(process);
        let word = self.word();
        if word.broken() {
            return Ok(Completion::of(Outcome::BROKEN).ticket(word.look()));
        }
        let (generation, arrival) = (u64::from(word.generation()), word.count() + 1);
        if arrival == self.parties {
            self.shared.word.store(word.next(false).0, Ordering::Release);
            // Recorded before the others leave, woken or not asleep yet, so that their departures are seen to end after it: until
            // then the guard keeps them.
            call.party.implicit(self.id, WAIT, arrived(generation, arrival));
            call.party.implicit(self.id, WAIT, ended(generation, self.parties, Outcome::OK));
            drop(held);
            self.wake();
            return Ok(departed(generation, self.parties, arrival, Outcome::OK));
        }
        let deadline = call.patience.deadline()?;
        slot.generation.store(word.generation(), Ordering::Relaxed);
        slot.state.store(WAITING, Ordering::Release);
        self.shared.word.store(word.0 + 1, Ordering::Release);
        drop(held);
        call.party.implicit(self.id, WAIT, arrived(generation, arrival));
        loop {
            let waits = match call.party.park() {
                _ if self.word().generation() != word.generation() => break,
                Parked::Sleep => futex::wait(futex::high(&self.shared.word), word.generation(), deadline),
                Parked::Again | Parked::Wake => true,
                Parked::GiveUp => false,
            };
            if waits {
                continue;
            }
            let held = self.shared.guard.lock(process);
            if self.word().generation() == word.generation() {
                self.end(held, true);
                self.wake();
                slot.state.store(IDLE, Ordering::Release);
                return Ok(ended(generation, self.parties, Outcome::TIMEOUT));
            }
        }
        self.shared.guard.pass(process);
        let outcome = if slot.state.load(Ordering::Acquire) == BROKEN { Outcome::BROKEN } else { Outcome::OK };
        slot.state.store(IDLE, Ordering::Release);
        Ok(departed(generation, self.parties, arrival, outcome))
    }

    fn break_all(&self, process: ProcessId, broken: bool) -> Completion {
        let before = self.end(self.shared.guard.lock(process), broken);
        self.wake();
        ended(before.generation().into(), self.parties, Outcome::OK)
    }
}

impl Live for MemoryLive {
    fn perform(&self, call: &mut Call<'_>) -> Completion {
        match call.verb {
            WAIT => self.wait(call).unwrap_or_else(Completion::of),
            ABORT => self.break_all(call.party.process(), true),
            RESET => self.break_all(call.party.process(), false),
            SIZE => {
                let word = self.word();
                Completion::value(Value::Int(word.count().into())).ticket(word.look())
            }
            _ => Completion::of(Outcome::INVALID),
        }
    }

    /// Finishes what the process was breaking, and wakes those that it may not have woken.
    fn reclaim(&self, process: ProcessId) {
        if self.shared.guard.held_by(process) {
            let journal = Word(self.shared.journal.load(Ordering::Acquire));
            if journal.0 != 0 {
                self.finish(journal);
            }
            self.shared.guard.force_release();
        }
        if let Some(slot) = self.slots.get(process as usize) {
            slot.state.store(IDLE, Ordering::Release);
        }
        self.wake();
    }

    fn value(&self) -> Option<Value> {
        let word = self.word();
        Some(Come { waiting: word.count().into(), broken: word.broken() }.to_value())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What is counted beside a barrier of POSIX.
#[derive(FromZeros)]
#[repr(C)]
struct Counts {
    /// How many have come.
    come: AtomicU64,
    /// How many rounds are over: a futex.
    over: AtomicU32,
    _pad: u32,
}

/// A barrier of POSIX. The order of arrival is counted just before the call.
struct PosixLive {
    id: ObjectId,
    parties: u32,
    kernel: Posix,
    shared: Shared<Counts>,
}

impl Live for PosixLive {
    fn perform(&self, call: &mut Call<'_>) -> Completion {
        if call.verb != WAIT || call.patience != Patience::Forever {
            return Completion::of(Outcome::INVALID);
        }
        let come = self.shared.come.fetch_add(1, Ordering::AcqRel);
        let (generation, arrival) = (come / u64::from(self.parties), (come % u64::from(self.parties)) as u32 + 1);
        call.party.implicit(self.id, WAIT, arrived(generation, arrival));
        if arrival == self.parties {
            call.party.implicit(self.id, WAIT, ended(generation, self.parties, Outcome::OK));
        }
        if arrival < self.parties {
            call.party.block();
        }
        // The kernel does not count: who comes early for the next round must not stand in for one of this.
        let over = &self.shared.over;
        loop {
            let now = over.load(Ordering::SeqCst);
            if now == generation as u32 {
                break;
            }
            futex::wait(over, now, None);
        }
        self.kernel.wait();
        let next = (generation as u32).wrapping_add(1);
        if over.compare_exchange(generation as u32, next, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            futex::wake_all(over);
        }
        departed(generation, self.parties, arrival, Outcome::OK)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The arrivals, as recorded in the trace.
struct Come {
    waiting: i64,
    broken: bool,
}

impl Come {
    fn to_value(&self) -> Value {
        let entries = [("waiting", Value::Int(self.waiting)), ("broken", Value::Bool(self.broken))];
        Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<BTreeMap<_, _>>().into())
    }
}

impl State for Come {
    fn apply(&mut self, event: &Event) {
        match (event.verb, event.implicit) {
            ("wait", true) if event.outcome == Outcome::WOULD_BLOCK => self.waiting += 1,
            ("wait", true) => self.waiting = 0,
            ("wait", false) if event.outcome == Outcome::TIMEOUT => *self = Self { waiting: 0, broken: true },
            ("abort", _) if event.outcome.is_ok() => *self = Self { waiting: 0, broken: true },
            ("reset", _) if event.outcome.is_ok() => *self = Self { waiting: 0, broken: false },
            _ => {}
        }
    }

    /// A map: `waiting`, how many have come and wait, and `broken`.
    fn value(&self, _names: &[String]) -> Value {
        self.to_value()
    }

    fn size(&self) -> Option<i64> {
        Some(self.waiting)
    }
}

#[cfg(test)]
mod tests;
