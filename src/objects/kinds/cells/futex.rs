//! A `value` of type u32 as a futex: processes sleep while it has a value, others wake them.

use super::{CellsLive, INTO_WOKEN, Layout, Shape};
use crate::objects::contract::model::{ModelCall, Progress, Willing};
use crate::objects::support::scalar::Scalar;
use crate::objects::support::wait_list::{Notifications, Woken};
use crate::objects::{Argument, Call, Completion, Effect, Element, Form, Verb};
use crate::outcome::Outcome;
use crate::value::{Types, Value};

pub(super) const WAIT: u8 = 6;
pub(super) const WAKE: u8 = 7;

/// The most processes that one `futex_wake` wakes.
const MOST: i64 = i32::MAX as i64;

/// The verbs of a value that is a futex, after those of every cell.
pub(crate) const VERBS: [Verb; 2] = [
    Verb {
        name: "futex_wait",
        effect: Effect::None,
        summary: "sleeps until it is woken, if the value is `value`, else ends `would_block`; the comparison and the beginning of \
                  the sleep are one step",
        arguments: &[Argument {
            name: "value",
            form: Form::Integer(0, u32::MAX as i64),
            required: true,
            summary: "the value with which it sleeps",
        }],
        ends: &[],
        element: Element::Never,
        blocks: true,
        result: Types::NONE,
        outcomes: &[Outcome::OUT_OF_RANGE, Outcome::INVALID],
    },
    Verb {
        name: "futex_wake",
        effect: Effect::None,
        summary: "wakes processes that sleep in `futex_wait`, those first that have slept longest",
        arguments: &[
            Argument {
                name: "n",
                form: Form::Integer(0, MOST),
                required: false,
                summary: "the number of processes to wake, all at once; 1 where it is absent",
            },
            INTO_WOKEN,
        ],
        ends: &[],
        element: Element::Never,
        blocks: false,
        result: Types::INT,
        outcomes: &[Outcome::OUT_OF_RANGE, Outcome::INVALID],
    },
];

impl Layout {
    /// Whether processes can sleep on it.
    pub(super) fn is_futex(self) -> bool {
        self.shape == Shape::One && self.scalar.name() == "u32"
    }
}

/// With which value a `futex_wait` sleeps.
fn expected(scalar: Scalar, arguments: &[Value]) -> Result<u64, Outcome> {
    scalar.encode(arguments.first().unwrap_or(&Value::Null))
}

/// How many a `futex_wake` wakes.
fn most(arguments: &[Value]) -> Result<u32, Outcome> {
    match arguments.first() {
        None | Some(Value::Null) => Ok(1),
        Some(Value::Int(n)) if (0..=MOST).contains(n) => Ok(*n as u32),
        Some(Value::Int(_)) => Err(Outcome::OUT_OF_RANGE),
        Some(_) => Err(Outcome::INVALID),
    }
}

impl CellsLive {
    pub(super) fn futex_wait(&self, call: &mut Call<'_>) -> Result<Completion, Outcome> {
        let waiters = self.waiters.as_ref().ok_or(Outcome::INVALID)?;
        let expected = expected(self.layout.scalar, call.arguments)?;
        let process = call.party.process();
        let deadline = call.patience.deadline();
        let held = self.header.guard.lock(process);
        let ticket = self.ticket();
        let (Ok(deadline), true) = (deadline, self.cell(0) == expected) else {
            return Ok(Completion::of(Outcome::WOULD_BLOCK).ticket(ticket));
        };
        waiters.enter(process, ticket);
        drop(held);
        call.party.implicit(self.id, WAIT, Completion::of(Outcome::WOULD_BLOCK).ticket(ticket));
        let woken = waiters.sleep(call.party, deadline, |work| {
            let _held = self.header.guard.lock(process);
            work()
        });
        let _held = self.header.guard.lock(process);
        let done = match woken {
            Woken::By(cause) => Completion { cause, ..Completion::of(Outcome::OK) },
            Woken::TimedOut => Completion::of(Outcome::TIMEOUT),
        };
        Ok(done.ticket(self.ticket()))
    }

    pub(super) fn futex_wake(&self, call: &mut Call<'_>) -> Result<Completion, Outcome> {
        let waiters = self.waiters.as_ref().ok_or(Outcome::INVALID)?;
        let most = most(call.arguments)?;
        let held = self.header.guard.lock(call.party.process());
        let ticket = self.ticket();
        let woken = waiters.notify(call.party, most);
        drop(held);
        if woken > 0 {
            waiters.wake(call.party.event());
        }
        Ok(Completion::value(Value::Int(woken.into())).ticket(ticket))
    }
}

/// What a share says of its process in the model; 0 where it does not sleep.
const SLEEPS: u32 = 1;
const NOTIFIED: u32 = 2;
/// Its wait has ended without a cause.
const SPURIOUS: u32 = 3;

/// What the share of a sleeping process becomes where its wait ends without a cause.
pub(super) fn spurious(share: u32) -> Option<u32> {
    (share == SLEEPS).then_some(SPURIOUS)
}

/// The processes that are woken by these shares, and have yet to continue.
pub(super) fn woken(shares: &[u32]) -> impl Iterator<Item = u32> + '_ {
    (0..).zip(shares).filter(|(_, share)| **share == NOTIFIED).map(|(process, _)| process)
}

impl super::model::Words {
    pub(super) fn futex_wait(&mut self, call: &mut ModelCall<'_>) -> Result<Progress, Outcome> {
        if call.mine() == SLEEPS {
            return Ok(Progress::Waits);
        }
        if call.mine() != 0 {
            return Ok(self.awake(call));
        }
        if !self.layout.is_futex() {
            return Err(Outcome::INVALID);
        }
        let differs = self.cells.first() != Some(&expected(self.layout.scalar, call.arguments)?);
        let ticket = self.ticket();
        let refused = Completion::of(Outcome::WOULD_BLOCK).ticket(ticket);
        if differs || call.willing == Willing::Never {
            return Ok(Progress::Done(refused));
        }
        call.stage.implicit(self.id, WAIT, refused);
        call.set_mine(SLEEPS);
        Ok(Progress::Parked)
    }

    /// The sleep is over.
    fn awake(&mut self, call: &mut ModelCall<'_>) -> Progress {
        call.set_mine(0);
        let cause = self.notifications.take(call.process);
        Progress::Done(Completion { cause, ..Completion::of(Outcome::OK) }.ticket(self.ticket()))
    }

    pub(super) fn futex_times_out(&mut self, call: &mut ModelCall<'_>) -> Progress {
        if call.mine() != SLEEPS {
            return self.awake(call);
        }
        call.set_mine(0);
        Progress::Done(Completion::of(Outcome::TIMEOUT).ticket(self.ticket()))
    }

    pub(super) fn futex_wake(&mut self, call: &mut ModelCall<'_>) -> Result<Progress, Outcome> {
        if !self.layout.is_futex() {
            return Err(Outcome::INVALID);
        }
        let most = most(call.arguments)?;
        let ticket = self.ticket();
        let notifications: &mut Notifications = &mut self.notifications;
        let woken = notifications.wake(call, most as usize, |share| (share == SLEEPS).then_some(NOTIFIED));
        Ok(Progress::Done(Completion::value(Value::Int(woken as i64)).ticket(ticket)))
    }
}
