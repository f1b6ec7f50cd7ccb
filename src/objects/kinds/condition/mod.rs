//! `condition`: processes wait for a notification that something has changed, and release a mutex meanwhile.
//!
//! It is built on futex(2) and not on `pthread_cond_t`, which a waiter that is killed can leave unusable, and which
//! does not say which process woke which. Under the guard a waiter takes its place in the list of waiters before it
//! gives the mutex back, and a notifier wakes those that have waited longest.
//!
//! The trace has, for one `wait`: an implicit `wait` ending `would_block`, from which on it waits; the mutex's
//! implicit `unlock`; its implicit `lock`; and the step itself, whose cause is the notification.

mod model;
mod promela;

use std::any::Any;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use zerocopy::FromZeros;

use super::mutex::{self, MutexLive};
use crate::event::{Event, ObjectId, ProcessId};
use crate::objects::causality::sync_clock::{Handover, NOTHING};
use crate::objects::contract::operation::Access;
use crate::objects::support::wait_list::{WaitList, Woken};
use crate::objects::{
    Argument, Attribute, Call, Completion, CreateContext, Declaration, Effect, Element, Enablers, Form, HostError,
    Kind, Live, Model, Object, Problem, Relation, State, Verb,
};
use crate::os::arena::Shared;
use crate::os::guard::Guard;
use crate::outcome::Outcome;
use crate::value::{Types, Value};

const WAIT: u8 = 0;
const NOTIFY: u8 = 1;
const NOTIFY_ALL: u8 = 2;

/// The most that one `notify` wakes.
const MOST: i64 = 65_535;

pub(crate) static KIND: Kind = Kind {
    name: "condition",
    summary: "processes wait for a notification that something has changed, and release a mutex meanwhile",
    primitive: "atomic words in shared memory, mmap(2) with MAP_SHARED, and futex(2): what pthread_cond_wait(3) does, \
                in a form of ipcrun's own that survives the death of a waiter, which pthread_cond_t does not: there a waiter \
                that is killed can block every later notification. A notification whose receiver is killed before it \
                returns is lost with it. No `wait` returns without a \
                notification, other than under `explore --spurious N`",
    attributes: &[Attribute {
        name: "mutex",
        form: Form::Object("mutex"),
        default: "",
        required: true,
        summary: "the mutex that `wait` releases and locks again",
    }],
    verbs: &[
        Verb {
            name: "wait",
            effect: Effect::None,
            summary: "releases the mutex, waits for a notification, and locks the mutex again, also after a timeout; \
                      ends `not_owner` at once if the process does not own the mutex",
            arguments: &[],
            ends: &[],
            element: Element::Never,
            blocks: true,
            result: Types::NONE,
            outcomes: &[Outcome::NOT_OWNER, Outcome::OWNER_DIED, Outcome::UNRECOVERABLE],
        },
        Verb {
            name: "notify",
            effect: Effect::None,
            summary: "wakes the process that has waited longest, if any",
            arguments: &[
                Argument {
                    name: "n",
                    form: Form::Integer(0, MOST),
                    required: false,
                    summary: "the number of processes to wake, all at once",
                },
                Argument {
                    name: "into",
                    form: Form::Into,
                    required: false,
                    summary: "a variable for the number of processes that were woken",
                },
            ],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::INT,
            outcomes: &[Outcome::OUT_OF_RANGE, Outcome::INVALID],
        },
        Verb {
            name: "notify_all",
            effect: Effect::None,
            summary: "wakes all waiting processes",
            arguments: &[Argument {
                name: "into",
                form: Form::Into,
                required: false,
                summary: "a variable for the number of processes that were woken",
            }],
            ends: &[],
            element: Element::Never,
            blocks: false,
            result: Types::INT,
            outcomes: &[],
        },
    ],
    state: ("c", "how many processes wait for a notification"),
    example: r#"[objects]
m = { kind = "mutex" }
changed = { kind = "condition", mutex = "m" }

[processes.waiter]
count = 2
steps = [{ lock = "m" }, { wait = "changed", timeout = "1s", on = { timeout = [] } }, { unlock = "m" }]

[processes.notifier]
steps = [{ notify = "changed", n = 1, into = "woken" }, { notify_all = "changed" }]
"#,
    declare,
};

fn declare(declaration: &Declaration) -> Result<Box<dyn Object>, Vec<Problem>> {
    let mutex = declaration.object("mutex").ok_or_else(|| vec![Problem::new("mutex", "the mutex is missing")])?;
    Ok(Box::new(Condition { id: declaration.id, mutex }))
}

/// A condition as the plan holds it.
#[derive(Debug)]
struct Condition {
    id: ObjectId,
    mutex: ObjectId,
}

impl Object for Condition {
    fn depends(&self) -> Option<ObjectId> {
        Some(self.mutex)
    }

    fn create(&self, site: &mut CreateContext<'_>) -> Result<Rc<dyn Live>, HostError> {
        let error = |error| HostError::call("mmap", &error);
        let made = site.made.get(self.mutex as usize).and_then(Option::as_ref);
        let mutex = made.and_then(|live| live.as_any().downcast_ref::<MutexLive>()).cloned();
        let mutex = mutex.ok_or_else(|| HostError {
            message: format!("the mutex of {} has not been made", site.name),
            help: None,
        })?;
        Ok(Rc::new(ConditionLive {
            id: self.id,
            mutex,
            words: site.arena.alloc().map_err(error)?,
            waiters: WaitList::new(site.arena, site.processes).map_err(error)?,
        }))
    }

    fn state(&self) -> Box<dyn State> {
        Box::new(Waiting(0))
    }

    fn model(&self, _holders: &[u32]) -> Box<dyn Model> {
        Box::new(model::ConditionModel::new(self.id, self.mutex))
    }

    fn promela(&self) -> Option<&dyn crate::objects::contract::promela::Promela> {
        Some(self)
    }

    fn touches(&self, verb: u8) -> Vec<(ObjectId, u8)> {
        if verb == WAIT { vec![(self.mutex, mutex::UNLOCK), (self.mutex, mutex::LOCK)] } else { Vec::new() }
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

    fn tells_order(&self, _first: Access, _second: Access) -> bool {
        false
    }

    fn enablers(&self, verb: &Verb, _end: Option<&str>, _owner: Option<ProcessId>) -> Enablers {
        let verbs: &[&str] = if verb.blocks { &["notify", "notify_all"] } else { &[] };
        Enablers { verbs, only: None, closing: &[] }
    }

    /// A notification is a cause of the waits that it woke: their events name it.
    fn relate(&self, events: &[&Event], relation: &mut Relation) {
        relation.by_ticket(events, |_| true);
    }

    /// Holds, for each process that was woken and has yet to continue, what the notification gave that woke it.
    fn hand_over(&self, handover: &mut Handover<'_>) -> u32 {
        match (handover.event.verb, handover.event.implicit) {
            ("wait", true) => NOTHING,
            ("wait", false) => handover.held.own.remove(&handover.event.id.process()).unwrap_or(NOTHING),
            _ => {
                let woken = model::woken(handover.shares);
                handover.held.give(woken, handover.gives);
                NOTHING
            }
        }
    }
}

/// What all processes share of a condition.
#[derive(FromZeros)]
#[repr(C)]
struct Words {
    guard: Guard,
    /// The last ticket; a waiter's number is its ticket too.
    ticket: AtomicU64,
}

impl Words {
    fn ticket(&self) -> u64 {
        self.ticket.fetch_add(1, Ordering::AcqRel) + 1
    }
}

/// A condition in shared memory.
struct ConditionLive {
    id: ObjectId,
    mutex: MutexLive,
    words: Shared<Words>,
    waiters: WaitList,
}

impl ConditionLive {
    fn wait(&self, call: &mut Call<'_>) -> Result<Completion, Outcome> {
        let process = call.party.process();
        if !self.mutex.owned_by(process) {
            return Err(Outcome::NOT_OWNER);
        }
        let deadline = call.patience.deadline()?;
        let number = self.enter(process);
        call.party.implicit(self.id, WAIT, Completion::of(Outcome::WOULD_BLOCK).ticket(number));
        let guarded = |work: &mut dyn FnMut() -> bool| {
            let _held = self.words.guard.lock(process);
            work()
        };
        let depth = self.mutex.unlock_for_wait(call.party).inspect_err(|_| {
            guarded(&mut || self.waiters.leave(process));
        })?;
        let woken = self.waiters.sleep(call.party, deadline, guarded);
        call.party.pause();
        let locked = self.mutex.relock(call.party, depth);
        // Taken with the mutex: the order of the waits must not contradict the order in which they get it.
        let ticket = self.words.ticket();
        let (outcome, cause) = match (locked, woken) {
            (Err(outcome), Woken::By(cause)) => (outcome, cause),
            (Err(outcome), Woken::TimedOut) => (outcome, 0),
            (Ok(()), Woken::By(cause)) => (Outcome::OK, cause),
            (Ok(()), Woken::TimedOut) => (Outcome::TIMEOUT, 0),
        };
        Ok(Completion { cause, ..Completion::of(outcome) }.ticket(ticket))
    }

    /// Begins to wait. The number.
    fn enter(&self, process: ProcessId) -> u64 {
        let _held = self.words.guard.lock(process);
        let number = self.words.ticket();
        self.waiters.enter(process, number);
        number
    }

    /// Wakes up to `most` of those that have waited longest.
    fn notify(&self, call: &mut Call<'_>, most: u32) -> Completion {
        let held = self.words.guard.lock(call.party.process());
        let ticket = self.words.ticket();
        let woken = self.waiters.notify(call.party, most);
        drop(held);
        if woken > 0 {
            self.waiters.wake(call.party.event());
        }
        Completion::value(Value::Int(woken.into())).ticket(ticket)
    }
}

impl Live for ConditionLive {
    fn perform(&self, call: &mut Call<'_>) -> Completion {
        match call.verb {
            WAIT => self.wait(call).unwrap_or_else(Completion::of),
            NOTIFY => match call.arguments.first() {
                None | Some(Value::Null) => self.notify(call, 1),
                Some(Value::Int(n)) if (0..=MOST).contains(n) => self.notify(call, *n as u32),
                Some(Value::Int(_)) => Completion::of(Outcome::OUT_OF_RANGE),
                Some(_) => Completion::of(Outcome::INVALID),
            },
            NOTIFY_ALL => self.notify(call, u32::MAX),
            _ => Completion::of(Outcome::INVALID),
        }
    }

    fn reclaim(&self, process: ProcessId) {
        let within = self.words.guard.held_by(process);
        self.waiters.reclaim(process, within);
        if within {
            self.words.guard.force_release();
        }
    }

    fn value(&self) -> Option<Value> {
        Some(Value::Int(self.waiters.waiting().into()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// How many wait, as the trace tells of it. A waiter that was killed is counted on.
struct Waiting(i64);

impl State for Waiting {
    fn apply(&mut self, event: &Event) {
        match event.verb {
            "wait" if event.implicit => self.0 += 1,
            // It gave up; where it was notified, the notification has counted it already.
            "wait" if event.ticket != 0 && event.cause.is_none() => self.0 -= 1,
            "notify" | "notify_all" if event.outcome.is_ok() => self.0 -= event.value.as_int().unwrap_or(0),
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
