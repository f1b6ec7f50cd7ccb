//! The turnstile: how a process is held to a schedule, and lets the supervisor know how far it has come.
//!
//! Each process has a seat in shared memory. The supervisor writes a turn there and counts it; the process takes it up,
//! carries out its steps, and answers just before its next one. Times are the schedule's: a process reads them from its
//! turn.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use zerocopy::FromZeros;

use super::wakeup::Wakeup;
use crate::event::{ProcessId, StepId};
use crate::interpreter::{Clock, Draw, Timeout};
use crate::objects::{Parked, Patience};
use crate::os::arena::{Arena, Shared};
use crate::os::{clock, futex};

/// The most choices of one turn.
pub(super) const CHOICES: usize = 32;
/// The time in records at which a scheduled run begins. Not 0, which stands for no time.
pub(super) const ORIGIN: u64 = 1;
/// ns that are longer than any run: the deadline of a step whose time is not over in the schedule.
const FAR: u64 = 1 << 60;

/// The first step had to wait before the turn.
pub(super) const WAITED: u32 = 1;
/// The last step ends the turn within itself.
pub(super) const PARKS: u32 = 2;
/// The first step's time is over.
pub(super) const TIMES_OUT: u32 = 4;
/// There are no turns any more: the process runs freely.
pub(super) const FREE: u32 = 8;
/// The process does not end in this turn, even where its program does.
pub(super) const STAYS: u32 = 16;

/// The first step's wait ends although nothing has ended it.
pub(super) const WAKES: u32 = 32;

/// The handler of a signal begins, in place of a step: the one choice says whether within the step, or whether only the
/// process's alarm rings.
pub(super) const HANDLES: u32 = 64;
/// The process dies of a signal that is pending: the one choice is its number.
pub(super) const DIES: u32 = 128;

/// What a process does in its turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Due {
    Step,
    /// The handler of a signal; whether within the step that it is at.
    Handle(bool),
    /// Its alarm rings.
    Ring,
    /// It dies of this signal.
    Die(i32),
}

/// It answered just before its next step.
const BEFORE: u32 = 0;
/// It answered within its step.
const WITHIN: u32 = 1;
/// It answered as it was about to stop itself.
const STOPS: u32 = 2;

/// What the supervisor and one process share.
#[derive(FromZeros)]
#[repr(C, align(64))]
struct Seat {
    /// Counts the turns: a futex. Written by the supervisor, as all down to `choices`.
    turn: AtomicU32,
    steps: AtomicU32,
    flags: AtomicU32,
    given: AtomicU32,
    at: AtomicU64,
    choices: [AtomicU32; CHOICES],
    _supervisor: [u64; 5],
    /// The turn that was answered last. Written by the process, as all that follows.
    answered: AtomicU32,
    /// [`BEFORE`], [`WITHIN`] or [`STOPS`].
    place: AtomicU32,
    /// The turn whose step was to end within the kernel and came back: it waits for the next turn now.
    returned: AtomicU32,
    /// How many steps of its turn are left.
    left: AtomicU32,
    /// How many choices it has asked for in its turn.
    taken: AtomicU32,
    /// The step that it is at, plus one.
    step: AtomicU32,
    /// How many events it has recorded.
    events: AtomicU64,
}

/// The seats of all processes.
#[derive(Clone)]
pub(super) struct SchedulerGate(Shared<[Seat]>);

/// What a process is granted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Grant<'a> {
    pub(super) steps: u32,
    pub(super) flags: u32,
    /// ns of virtual time.
    pub(super) at: u64,
    pub(super) choices: &'a [u32],
}

/// How far a process had come when it answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Answer {
    /// Whether it stands within its step.
    pub(super) within: bool,
    /// Whether it is about to stop itself.
    pub(super) stops: bool,
    /// How many events it had recorded.
    pub(super) events: u64,
}

impl SchedulerGate {
    pub(super) fn new(arena: &Arena, processes: usize) -> std::io::Result<Self> {
        arena.slice(processes).map(Self)
    }

    fn seat(&self, process: ProcessId) -> &Seat {
        &self.0[process as usize]
    }

    /// Gives the process its next turn. The turn's number.
    pub(super) fn grant(&self, process: ProcessId, grant: &Grant<'_>) -> u32 {
        let seat = self.seat(process);
        seat.steps.store(grant.steps, Ordering::Relaxed);
        seat.flags.store(grant.flags, Ordering::Relaxed);
        seat.at.store(grant.at, Ordering::Relaxed);
        seat.given.store(grant.choices.len().min(CHOICES) as u32, Ordering::Relaxed);
        seat.taken.store(0, Ordering::Relaxed);
        for (place, choice) in seat.choices.iter().zip(grant.choices) {
            place.store(*choice, Ordering::Relaxed);
        }
        let number = seat.turn.load(Ordering::Relaxed).wrapping_add(1);
        seat.turn.store(number, Ordering::Release);
        futex::wake_all(&seat.turn);
        number
    }

    /// Whether the process has answered that turn.
    pub(super) fn answer(&self, process: ProcessId, number: u32) -> Option<Answer> {
        let seat = self.seat(process);
        (seat.answered.load(Ordering::Acquire) == number).then(|| Answer {
            within: seat.place.load(Ordering::Relaxed) == WITHIN,
            stops: seat.place.load(Ordering::Relaxed) == STOPS,
            events: seat.events.load(Ordering::Relaxed),
        })
    }

    /// Whether the step that was to end within the kernel in that turn has come back from there.
    pub(super) fn has_returned(&self, process: ProcessId, number: u32) -> bool {
        self.seat(process).returned.load(Ordering::Acquire) == number
    }

    /// How many steps of its turn the process has not begun.
    pub(super) fn left(&self, process: ProcessId) -> u32 {
        self.seat(process).left.load(Ordering::Relaxed)
    }

    /// How many choices it has asked for in its turn.
    pub(super) fn taken(&self, process: ProcessId) -> u32 {
        self.seat(process).taken.load(Ordering::Relaxed)
    }

    /// The step that it is at.
    pub(super) fn step(&self, process: ProcessId) -> Option<StepId> {
        self.seat(process).step.load(Ordering::Relaxed).checked_sub(1)
    }
}

/// A process that is held to a schedule: its own side.
pub(super) struct Held {
    turnstile: SchedulerGate,
    process: ProcessId,
    /// The turn that it has taken up.
    turn: u32,
    /// How many steps are left of it.
    left: u32,
    flags: u32,
    at: u64,
    /// Whether no step of the turn has begun yet.
    fresh: bool,
    /// Whether the step is the first of its turn.
    first: bool,
    /// Whether the next event counts as one that waited.
    waited: bool,
}

impl Held {
    /// A process that has had no turn yet.
    pub(super) fn new(turnstile: SchedulerGate, process: ProcessId) -> Self {
        Self { turnstile, process, turn: 0, left: 0, flags: 0, at: 0, fresh: false, first: false, waited: false }
    }

    fn seat(&self) -> &Seat {
        self.turnstile.seat(self.process)
    }

    /// Whether there are no turns any more.
    pub(super) fn is_free(&self) -> bool {
        self.flags & FREE != 0
    }

    /// The time in records.
    pub(super) fn time(&self) -> u64 {
        ORIGIN + self.at
    }

    /// ns of the schedule's time.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The clock of programs.
    pub(super) fn clock(&self) -> Clock {
        Clock::At(self.at)
    }

    /// Whether the next event counts as one that waited.
    pub(super) fn take_waited(&mut self) -> bool {
        std::mem::take(&mut self.waited)
    }

    /// Waits for the next turn and takes it up.
    pub(super) fn take_up(&mut self) {
        let seat = self.turnstile.seat(self.process);
        let turn = loop {
            let turn = seat.turn.load(Ordering::Acquire);
            if turn != self.turn {
                break turn;
            }
            futex::wait(&seat.turn, turn, None);
        };
        self.turn = turn;
        self.left = seat.steps.load(Ordering::Relaxed);
        self.flags = seat.flags.load(Ordering::Relaxed);
        self.at = seat.at.load(Ordering::Relaxed);
        self.fresh = true;
        self.waited = self.flags & WAITED != 0;
        seat.left.store(self.left, Ordering::Relaxed);
    }

    fn answer(&self, place: u32, events: u64, bell: &Wakeup) {
        let seat = self.seat();
        seat.place.store(place, Ordering::Relaxed);
        seat.events.store(events, Ordering::Relaxed);
        seat.answered.store(self.turn, Ordering::Release);
        bell.ring();
    }

    /// Waits until it may begin a step, or something that is part of none, and says whether that is what it may do.
    pub(super) fn approach(&mut self, step: Option<StepId>, events: u64, bell: &Wakeup) -> Due {
        while !self.is_free() && self.left == 0 {
            self.answer(BEFORE, events, bell);
            self.take_up();
            if let Some(due) = self.due() {
                return due;
            }
            if step.is_none() {
                return Due::Step;
            }
        }
        if let Some(step) = step {
            self.seat().step.store(step.wrapping_add(1), Ordering::Relaxed);
            self.begin();
        }
        Due::Step
    }

    /// What a turn is that is no step.
    fn due(&self) -> Option<Due> {
        let chosen = || self.turnstile.choose(self.process);
        match () {
            () if self.flags & HANDLES != 0 => Some(match chosen() {
                Some(2) => Due::Ring,
                within => Due::Handle(within == Some(1)),
            }),
            () if self.flags & DIES != 0 => Some(Due::Die(chosen().unwrap_or(0) as i32)),
            () => None,
        }
    }

    /// Waits for a turn before the process draws a random number as it begins: the number is chosen with the turn.
    pub(super) fn before_draw(&mut self, events: u64, bell: &Wakeup) {
        if self.turn == 1 && !self.is_free() && self.left == 0 {
            self.answer(BEFORE, events, bell);
            self.take_up();
        }
    }

    /// Waits until it may end, or something comes before that.
    pub(super) fn leave(&mut self, events: u64, bell: &Wakeup) -> Due {
        while !self.is_free() && self.flags & STAYS != 0 {
            self.answer(BEFORE, events, bell);
            self.take_up();
            if let Some(due) = self.due() {
                return due;
            }
        }
        Due::Step
    }

    /// Ends the turn by a signal that stops the process, and waits for the next one once another has continued it.
    pub(super) fn stop(&mut self, signal: impl Fn() -> Result<(), i32>, events: u64, bell: &Wakeup) -> Result<(), i32> {
        if !self.is_free() {
            self.answer(STOPS, events, bell);
        }
        let sent = signal();
        if !self.is_free() {
            self.take_up();
        }
        sent
    }

    /// Begins a step, or continues one.
    fn begin(&mut self) {
        self.first = std::mem::take(&mut self.fresh);
        self.left = self.left.saturating_sub(1);
        self.seat().left.store(self.left, Ordering::Relaxed);
    }

    /// How long the step may really wait that may wait so long in the scenario.
    pub(super) fn patience(&self, timeout: Timeout) -> Patience {
        match timeout {
            Timeout::None => Patience::Forever,
            Timeout::After(0) | Timeout::Interrupted => Patience::Never,
            Timeout::After(ns) if self.is_free() => Patience::Until(clock::now().saturating_add(ns)),
            // A time that has passed: what can be done at once is done, or the step gives up.
            Timeout::After(_) if self.times_out() => Patience::Until(1),
            Timeout::After(_) => Patience::Until(clock::now() + FAR),
        }
    }

    fn times_out(&self) -> bool {
        self.first && self.flags & TIMES_OUT != 0
    }

    /// Whether the time of the step is over that went on by itself since its turn ended: then that is its turn.
    pub(super) fn is_overdue(&mut self) -> bool {
        let seat = self.seat();
        if seat.turn.load(Ordering::Acquire) != self.turn && seat.flags.load(Ordering::Relaxed) & TIMES_OUT != 0 {
            self.resume();
        }
        self.times_out()
    }

    /// Whether the step that it is in should end the turn within itself.
    fn parks(&self) -> bool {
        !self.is_free() && self.left == 0 && self.flags & PARKS != 0
    }

    /// Ends the turn within the step and waits for the next one.
    pub(super) fn park(&mut self, events: u64, bell: &Wakeup) -> Parked {
        if self.is_free() {
            return Parked::Sleep;
        }
        // Its time is over in this very turn.
        if self.times_out() {
            return Parked::GiveUp;
        }
        self.rest(events, bell);
        match () {
            () if self.times_out() => Parked::GiveUp,
            () if self.first && self.flags & WAKES != 0 => Parked::Wake,
            () => Parked::Again,
        }
    }

    /// Ends the turn within the step if it should, and then continues.
    pub(super) fn pause(&mut self, events: u64, bell: &Wakeup) {
        while self.parks() {
            self.rest(events, bell);
        }
    }

    fn rest(&mut self, events: u64, bell: &Wakeup) {
        self.answer(WITHIN, events, bell);
        self.resume();
    }

    fn resume(&mut self) {
        self.take_up();
        self.waited = true;
        self.begin();
    }

    /// The step has come back from the kernel. Where it slept there when its turn ended, it waits for the next one.
    pub(super) fn come_back(&mut self, bell: &Wakeup) {
        while self.parks() {
            self.seat().returned.store(self.turn, Ordering::Release);
            bell.ring();
            self.resume();
        }
    }

    /// The next choice out of `n`; none if choices are free.
    pub(super) fn choose(&self, count: u32) -> Option<u32> {
        let choice = self.turnstile.choose(self.process)?;
        (!self.is_free()).then(|| choice.min(count.saturating_sub(1)))
    }
}

impl SchedulerGate {
    /// The next choice of the process's turn; none where there is none left. Called by the process.
    fn choose(&self, process: ProcessId) -> Option<u32> {
        let seat = self.seat(process);
        let taken = seat.taken.load(Ordering::Relaxed);
        seat.taken.store(taken.saturating_add(1), Ordering::Relaxed);
        let given = seat.given.load(Ordering::Relaxed);
        (taken < given).then(|| seat.choices[taken as usize % CHOICES].load(Ordering::Relaxed))
    }
}

/// The random numbers of a process that are chosen with its turns.
struct Chosen {
    turnstile: SchedulerGate,
    process: ProcessId,
}

impl fmt::Debug for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chosen({})", self.process)
    }
}

impl Draw for Chosen {
    fn draw(&self, _count: u64) -> Option<u32> {
        self.turnstile.choose(self.process)
    }
}

/// The random numbers of a process whose turns choose them.
pub(super) fn chosen(turnstile: &SchedulerGate, process: ProcessId) -> Arc<dyn Draw> {
    Arc::new(Chosen { turnstile: turnstile.clone(), process })
}
