//! `semaphore`: a number of permits that processes take and give back.
//!
//! A permit is counted after it was taken and before it is given back, together with the step's ticket. In the order of
//! tickets the free permits are therefore never below zero, and never fewer than the kernel has. A step that fails for want
//! of a permit or of room, and a `size`, takes its place in that order where kernel and count agree.

mod model;
mod promela;

use std::any::Any;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use zerocopy::FromZeros;

use crate::event::{Event, ObjectId, ProcessId, look};
use crate::objects::causality::happens_before::{Tie, gave_up};
use crate::objects::causality::releases::Joins;
use crate::objects::causality::sync_clock::{Handover, NOTHING};
use crate::objects::contract::model::Model;
use crate::objects::contract::operation::Access;
use crate::objects::support::settle::Torn;
use crate::objects::{
    Argument, Attribute, Call, Completion, CreateContext, Declaration, Effect, Element, Enablers, Form, HostError,
    Kind, Live, Object, Problem, Relation, State, Verb,
};
use crate::os::arena::Shared;
use crate::os::semaphore::Semaphore as Posix;
use crate::os::sysv::SysvSemaphore;
use crate::outcome::Outcome;
use crate::value::{Types, Value};

/// The slots of a semaphore's clock state.
const RELEASES: usize = 0;
const ACQUIRES: usize = 1;

const ACQUIRE: u8 = 0;
const RELEASE: u8 = 1;
const SIZE: u8 = 2;

/// The most that one step takes or gives back.
const MOST: i64 = 65_535;
/// SEMVMX: the most that a System V semaphore counts to.
const SYSV_MAX: u32 = 32_767;

pub(crate) static KIND: Kind = Kind {
    name: "semaphore",
    summary: "permits that processes acquire and release; a permit has no owner, so any process may release one",
    primitive: "posix: sem_t in shared memory, sem_init(3) with `pshared`, sem_trywait(3), sem_wait(3), \
                sem_clockwait(3), sem_post(3); several permits are given back by one addition to glibc's own word. \
                sysv: semget(2), semop(2), semtimedop(2), without SEM_UNDO: a killed process releases nothing",
    attributes: &[
        Attribute {
            name: "value",
            form: Form::Integer(0, Posix::MAX as i64),
            default: "1",
            required: false,
            summary: "the initial number of free permits; up to 32767 with `via = \"sysv\"`",
        },
        Attribute {
            name: "bound",
            form: Form::Boolean,
            default: "false",
            required: false,
            summary: "whether a release past `value` ends `overflow` and releases nothing",
        },
        Attribute {
            name: "via",
            form: Form::Choice(&["posix", "sysv"]),
            default: "posix",
            required: false,
            summary: "the kernel's primitive",
        },
    ],
    verbs: &[
        Verb {
            name: "acquire",
            effect: Effect::Takes,
            summary: "acquires a permit; waits while none is free",
            arguments: &[Argument {
                name: "n",
                form: Form::Integer(0, MOST),
                required: false,
                summary: "the number of permits, acquired all at once; more than 1 only with `via = \"sysv\"`",
            }],
            ends: &[],
            element: Element::Never,
            blocks: true,
            result: Types::NONE,
            outcomes: &[Outcome::OUT_OF_RANGE, Outcome::INVALID],
        },
        Verb {
            name: "release",
            effect: Effect::Gives,
            summary: "releases a permit",
            arguments: &[Argument {
                name: "n",
                form: Form::Integer(0, MOST),
                required: false,
                summary: "the number of permits, released all at once; with 0 nothing happens",
            }],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::NONE,
            outcomes: &[Outcome::OVERFLOW, Outcome::OUT_OF_RANGE, Outcome::INVALID],
        },
        Verb {
            name: "size",
            effect: Effect::Asks,
            summary: "reads the number of free permits, which may change before the next step",
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
            outcomes: &[],
        },
    ],
    state: ("permits", "how many permits are free"),
    example: r#"[objects]
permits = { kind = "semaphore", value = 3, bound = true }

[processes.worker]
count = 10
steps = [
  { acquire = "permits", timeout = "1s" },
  { size = "permits", into = "free" },
  { release = "permits" },
]
"#,
    declare,
};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Via {
    Posix,
    Sysv,
}

impl Via {
    /// The most that one step can take, and what asking for more ends with.
    fn takes(self) -> (i64, Outcome) {
        match self {
            Self::Posix => (1, Outcome::INVALID),
            Self::Sysv => (i64::from(SYSV_MAX), Outcome::OUT_OF_RANGE),
        }
    }
}

fn declare(declaration: &Declaration) -> Result<Box<dyn Object>, Vec<Problem>> {
    let via = if declaration.word("via") == Some("sysv") { Via::Sysv } else { Via::Posix };
    let value = declaration.integer("value").unwrap_or(1).clamp(0, i64::from(Posix::MAX)) as u32;
    if via == Via::Sysv && value > SYSV_MAX {
        let message = format!("a System V semaphore counts to {SYSV_MAX} (SEMVMX), not to {value}");
        return Err(vec![Problem::new("value", message).help("leave `via` out")]);
    }
    Ok(Box::new(Semaphore { value, bound: declaration.boolean("bound"), via }))
}

/// A semaphore as the plan holds it.
#[derive(Debug)]
struct Semaphore {
    value: u32,
    bound: bool,
    via: Via,
}

impl Semaphore {
    fn most(&self) -> u32 {
        match (self.bound, self.via) {
            (true, _) => self.value,
            (false, Via::Posix) => Posix::MAX,
            (false, Via::Sysv) => SYSV_MAX,
        }
    }
}

impl Object for Semaphore {
    fn foresee(&self, verb: &Verb, _end: Option<&str>, arguments: &[Option<Value>]) -> Option<(Outcome, String)> {
        let n = arguments.first().and_then(Option::as_ref).and_then(Value::as_int)?;
        match verb.name {
            "acquire" if n > 1 && self.via == Via::Posix => {
                let reason =
                    format!("a POSIX semaphore gives one permit at a time, not {n}; `via = \"sysv\"` gives several");
                Some((Outcome::INVALID, reason))
            }
            "acquire" if n > i64::from(SYSV_MAX) => {
                Some((Outcome::OUT_OF_RANGE, format!("a System V semaphore never has {n} permits, at most {SYSV_MAX}")))
            }
            "release" if n > i64::from(self.most()) => {
                Some((Outcome::OVERFLOW, format!("the semaphore never has {n} permits, at most {}", self.most())))
            }
            _ => None,
        }
    }

    fn create(&self, site: &mut CreateContext<'_>) -> Result<Rc<dyn Live>, HostError> {
        let error = |error| HostError::call("mmap", &error);
        let kernel = match self.via {
            Via::Posix => {
                let made = Posix::new(site.arena, self.value);
                Kernel::Posix(made.map_err(|error| HostError::call("sem_init", &error))?)
            }
            Via::Sysv => Kernel::Sysv(site.sysv.semaphore(self.value).map_err(|error| sysv_error(&error))?),
        };
        let order: Shared<Order> = site.arena.alloc().map_err(error)?;
        order.word.store(NONE_FREE as u64 + u64::from(self.value), Ordering::Relaxed);
        Ok(Rc::new(SemaphoreLive { kernel, order, most: self.most() }))
    }

    fn state(&self) -> Box<dyn State> {
        Box::new(Free(i64::from(self.value)))
    }

    fn model(&self, _holders: &[u32]) -> Box<dyn Model> {
        Box::new(model::Permits::new(self))
    }

    fn promela(&self) -> Option<&dyn crate::objects::contract::promela::Promela> {
        Some(self)
    }

    fn commute(&self, first: Access, second: Access) -> bool {
        model::commute(self.bound, first, second)
    }

    fn has_owner(&self) -> bool {
        false
    }

    fn notices_ends(&self) -> bool {
        false
    }

    fn reorders(&self) -> bool {
        false
    }

    fn touches(&self, _verb: u8) -> Vec<(ObjectId, u8)> {
        Vec::new()
    }

    fn restarts(&self, _verb: &Verb, _timed: bool) -> Option<bool> {
        Some(self.via == Via::Posix)
    }

    fn enablers(&self, verb: &Verb, _end: Option<&str>, _owner: Option<ProcessId>) -> Enablers {
        let verbs: &[&str] = if verb.blocks { &["release"] } else { &[] };
        Enablers { verbs, only: None, closing: &[] }
    }

    /// A permit has no name, so the release that unblocked an acquire is undefined. Where the permits taken so far are
    /// more than there were at first, every release before is drawn as a cause: more than need be, never fewer. So is
    /// every acquire before a release to a bounded semaphore, which is full at first, and both before a `size`.
    fn relate(&self, events: &[&Event], relation: &mut Relation) {
        let places = relation.by_ticket(events, |event| event.outcome.is_ok());
        let of = |verb: &str| places.iter().copied().filter(|place| events[*place].verb == verb).collect::<Vec<_>>();
        let [all_acquires, all_releases] = [of("acquire"), of("release")];
        let mut taken = 0;
        let [mut releases, mut acquires, mut steps] = <[Joins; 3]>::default();
        for place in places.iter().copied() {
            let event = events[place];
            let process = event.id.process();
            match event.verb {
                "release" => {
                    if self.bound {
                        acquires.take(process, |acquire| relation.sync(acquire, place));
                    }
                    releases.give(process, place);
                    steps.give(process, place);
                }
                "acquire" => {
                    taken += event.value.as_int().unwrap_or(1);
                    if taken > i64::from(self.value) {
                        releases.take(process, |release| relation.sync(release, place));
                    }
                    acquires.give(process, place);
                    steps.give(process, place);
                }
                _ => steps.take(process, |step| relation.sync(step, place)),
            }
        }
        relation.sees(events, &all_acquires, Tie::Reads, |event| event.verb == "acquire" && gave_up(event));
        relation.sees(events, &all_releases, Tie::Reads, |event| event.outcome == Outcome::OVERFLOW);
    }

    /// Holds how many permits were taken, up to one more than there were at first, what all releases gave, and what all
    /// acquires did, where something takes that.
    fn hand_over(&self, handover: &mut Handover<'_>) -> u32 {
        let (given, took) = (handover.held.set(RELEASES), handover.held.set(ACQUIRES));
        if !handover.has_ticket() {
            return match handover.event.verb {
                "acquire" if handover.reads && gave_up(handover.event) => took,
                "release" if handover.reads && handover.event.outcome == Outcome::OVERFLOW => given,
                _ => NOTHING,
            };
        }
        let sized = handover.has(SIZE);
        match handover.event.verb {
            "release" => {
                let takes = if self.bound { took } else { NOTHING };
                let gives = handover.join(handover.gives, takes);
                let given = handover.join(given, gives);
                handover.held.put(RELEASES, given);
                takes
            }
            "acquire" => {
                let most = i64::from(self.value) + 1;
                let taken = i64::from(handover.held.count(0)) + handover.event.value.as_int().unwrap_or(1);
                let taken = taken.min(most);
                handover.held.set_count(0, taken as u32);
                let takes = if taken < most { NOTHING } else { given };
                if self.bound || sized || handover.reads && handover.tries {
                    let gives = handover.join(handover.gives, takes);
                    let took = handover.join(took, gives);
                    handover.held.put(ACQUIRES, took);
                }
                takes
            }
            _ => handover.join(given, took),
        }
    }

    /// What takes knows the releases before it.
    fn tells_order(&self, first: Access, second: Access) -> bool {
        first.verb != second.verb && first.verb != SIZE && second.verb != SIZE
    }

    fn limit(&self) -> Option<i64> {
        Some(i64::from(self.value))
    }
}

fn sysv_error(error: &std::io::Error) -> HostError {
    let made = HostError::call("semget", error);
    if error.raw_os_error() == Some(libc::ENOSPC) {
        made.help("the host has no System V semaphore left: raise the last number of `sysctl kernel.sem` (SEMMNI)")
    } else {
        made
    }
}

/// The permits of the kernel.
enum Kernel {
    Posix(Posix),
    Sysv(SysvSemaphore),
}

impl Kernel {
    #[inline]
    fn try_acquire(&self, n: u32) -> Result<(), i32> {
        match self {
            Self::Posix(semaphore) => semaphore.try_acquire(),
            Self::Sysv(semaphore) => semaphore.try_acquire(n),
        }
    }

    fn acquire(&self, n: u32, deadline: Option<u64>) -> Result<(), i32> {
        match self {
            Self::Posix(semaphore) => semaphore.acquire(deadline),
            Self::Sysv(semaphore) => semaphore.acquire(n, deadline),
        }
    }

    #[inline]
    fn release(&self, n: u32) -> Result<(), i32> {
        match self {
            Self::Posix(semaphore) => semaphore.release(n),
            Self::Sysv(semaphore) => semaphore.release(n),
        }
    }

    fn value(&self) -> Result<u32, i32> {
        match self {
            Self::Posix(semaphore) => Ok(semaphore.value()),
            Self::Sysv(semaphore) => semaphore.value(),
        }
    }

    fn via(&self) -> Via {
        match self {
            Self::Posix(_) => Via::Posix,
            Self::Sysv(_) => Via::Sysv,
        }
    }
}

/// What orders the steps, beside the permits themselves: the last ticket in the upper half, the free permits above
/// [`NONE_FREE`] in the lower half. A process that is killed between the kernel's count and this one leaves them apart.
#[derive(FromZeros)]
#[repr(C)]
struct Order {
    word: AtomicU64,
    torn: Torn,
    _pad: u32,
}

const TICKET: u64 = 1 << 32;
const NONE_FREE: i64 = 1 << 31;

/// The order's word at one moment.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Word(u64);

impl Word {
    fn ticket(self) -> u64 {
        self.0 >> 32
    }

    fn free(self) -> i64 {
        i64::from(self.0 as u32) - NONE_FREE
    }

    /// The next, with that many permits more.
    fn next(self, permits: i64) -> Self {
        Self(self.0.wrapping_add(TICKET).wrapping_add_signed(permits))
    }
}

impl Order {
    #[inline]
    fn load(&self) -> Word {
        Word(self.word.load(Ordering::Acquire))
    }

    /// Counts a step that leaves that many permits more. Its ticket.
    #[inline]
    fn count(&self, permits: i64) -> u64 {
        let change = TICKET.wrapping_add_signed(permits);
        Word(self.word.fetch_add(change, Ordering::AcqRel)).next(permits).ticket()
    }

    /// The same, where nothing was counted since `word` was read.
    #[inline]
    fn count_from(&self, word: Word, permits: i64) -> Option<u64> {
        let next = word.next(permits);
        self.word.compare_exchange(word.0, next.0, Ordering::AcqRel, Ordering::Relaxed).is_ok().then(|| next.ticket())
    }

    /// Calls `agrees` until it says what is so, with the word before; none where it never does, a process having been killed
    /// in between.
    fn settle<T>(&self, mut agrees: impl FnMut(Word) -> Option<T>) -> Option<T> {
        self.torn.settle(|| agrees(self.load()))
    }
}

/// A semaphore in shared memory or of the kernel.
struct SemaphoreLive {
    kernel: Kernel,
    order: Shared<Order>,
    most: u32,
}

/// Why a step did nothing, with its place where that is known.
struct Failure {
    outcome: Outcome,
    ticket: u64,
}

impl From<Outcome> for Failure {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, ticket: 0 }
    }
}

impl SemaphoreLive {
    #[inline]
    fn acquire(&self, call: &mut Call<'_>) -> Result<(i64, u64), Failure> {
        let n = count(call.arguments)?;
        if n == 0 {
            return Ok((0, 0));
        }
        if n > 1 {
            let (most, outcome) = self.kernel.via().takes();
            if n > most {
                return Err(outcome.into());
            }
        }
        match self.kernel.try_acquire(n as u32) {
            Ok(()) => return Ok((n, self.order.count(-n))),
            Err(libc::EAGAIN) => {}
            Err(errno) => return Err(Outcome::from_errno(errno).into()),
        }
        let deadline = match call.patience.deadline() {
            Ok(deadline) => deadline,
            Err(outcome) => return self.give_up(n, outcome),
        };
        call.party.block();
        match self.kernel.acquire(n as u32, deadline) {
            Ok(()) => Ok((n, self.order.count(-n))),
            Err(libc::EAGAIN | libc::ETIMEDOUT) => self.give_up(n, Outcome::TIMEOUT),
            Err(errno) => Err(Outcome::from_errno(errno).into()),
        }
    }

    /// Fails for want of permits, as long as there are too few.
    #[cold]
    fn give_up(&self, n: i64, outcome: Outcome) -> Result<(i64, u64), Failure> {
        let told = self.order.settle(|word| match self.kernel.try_acquire(n as u32) {
            Ok(()) => Some(Ok((n, self.order.count(-n)))),
            Err(_) if word.free() < n && self.order.load() == word => {
                Some(Err(Failure { outcome, ticket: look(word.ticket()) }))
            }
            Err(_) => None,
        });
        told.unwrap_or(Err(outcome.into()))
    }

    #[inline]
    fn release(&self, call: &mut Call<'_>) -> Result<(i64, u64), Failure> {
        let n = count(call.arguments)?;
        if n == 0 {
            return Ok((0, 0));
        }
        let over = |free: i64| free + n > i64::from(self.most);
        let counted = self.order.settle(|word| {
            if !over(word.free()) {
                return self.order.count_from(word, n).map(Ok);
            }
            let full = self.kernel.value().is_ok_and(|free| over(free.into())) && self.order.load() == word;
            full.then(|| Err(Failure { outcome: Outcome::OVERFLOW, ticket: look(word.ticket()) }))
        });
        // Where they stay apart, the kernel decides.
        let ticket = counted.unwrap_or_else(|| Ok(self.order.count(0)))?;
        self.kernel.release(n as u32).map_err(|errno| match errno {
            libc::ERANGE | libc::EOVERFLOW => Outcome::OVERFLOW,
            errno => Outcome::from_errno(errno),
        })?;
        Ok((n, ticket))
    }

    fn size(&self) -> Result<(i64, u64), Failure> {
        let told = self.order.settle(|word| match self.kernel.value() {
            Ok(free) if word.free() == i64::from(free) => {
                self.order.count_from(word, 0).map(|ticket| Ok((i64::from(free), ticket)))
            }
            Ok(_) => None,
            Err(errno) => Some(Err(Outcome::from_errno(errno).into())),
        });
        told.unwrap_or_else(|| {
            self.kernel.value().map(|free| (free.into(), 0)).map_err(|errno| Outcome::from_errno(errno).into())
        })
    }
}

/// The argument `n`: 1 where it is absent.
#[inline]
fn count(arguments: &[Value]) -> Result<i64, Outcome> {
    match arguments.first() {
        None | Some(Value::Null) => Ok(1),
        Some(Value::Int(n)) if (0..=MOST).contains(n) => Ok(*n),
        Some(Value::Int(_)) => Err(Outcome::OUT_OF_RANGE),
        Some(_) => Err(Outcome::INVALID),
    }
}

impl Live for SemaphoreLive {
    fn perform(&self, call: &mut Call<'_>) -> Completion {
        let done = match call.verb {
            ACQUIRE => self.acquire(call),
            RELEASE => self.release(call),
            SIZE => self.size(),
            _ => Err(Outcome::INVALID.into()),
        };
        // The completion is made here, in its place, since moving one costs more than the step.
        let (outcome, value, ticket) = match done {
            Ok((n, ticket)) => (Outcome::OK, Value::Int(n), ticket),
            Err(Failure { outcome, ticket }) => (outcome, Value::Null, ticket),
        };
        Completion { outcome, value, second: Value::Null, ticket, cause: 0 }
    }

    /// A wake-up may have gone to the process that died, or not have been sent by it: all waiters look again.
    fn reclaim(&self, _process: ProcessId) {
        self.order.torn.tear();
        if let Kernel::Posix(semaphore) = &self.kernel {
            semaphore.wake_all();
        }
    }

    fn value(&self) -> Option<Value> {
        self.kernel.value().ok().map(|free| Value::Int(free.into()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The free permits as the trace tells of them.
struct Free(i64);

impl State for Free {
    fn apply(&mut self, event: &Event) {
        let n = event.value.as_int().unwrap_or(1);
        match event.verb {
            "acquire" if event.outcome.is_ok() => self.0 -= n,
            "release" if event.outcome.is_ok() => self.0 += n,
            _ => {}
        }
    }

    fn value(&self, _names: &[String]) -> Value {
        Value::Int(self.0)
    }

    fn size(&self) -> Option<i64> {
        Some(self.0)
    }
}

#[cfg(test)]
mod tests;
