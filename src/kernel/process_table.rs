//! The process table: what all processes of a run and the supervisor know of each other, in shared memory.

use std::io;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

use zerocopy::FromZeros;

use crate::event::{EventId, ProcessId};
use crate::os::arena::{Arena, Shared};
use crate::os::process::{self as os, STOPS};
use crate::os::{clock, futex};

/// A process has ended, and the supervisor carries out what its end does to others.
const ENDING: u32 = 1;
/// A process has ended, and so has all that its end does to others.
const ENDED: u32 = 2;

/// One process's entry.
#[derive(FromZeros)]
#[repr(C, align(64))]
pub(super) struct Post {
    /// 1 once it may run: a futex. Set by the supervisor, or by a `start` step.
    gate: AtomicU32,
    /// Whether it has ended: [`ENDING`], then [`ENDED`]: a futex. Set by the supervisor.
    ended: AtomicU32,
    /// 1 once it is joined.
    joined: AtomicU32,
    /// 1 once it has passed a `ready` step.
    ready: AtomicU32,
    /// Its process id.
    pub(super) pid: AtomicI32,
    /// Its exit status, a signal's number negative. Holds once it has ended.
    code: AtomicI32,
    /// 1 once it has prepared itself, 2 where it could not.
    prepared: AtomicU32,
    /// What it could not do ([`Trouble`]) and its errno.
    trouble: AtomicU32,
    /// The signals that steps have sent it, a bit each.
    signals: AtomicU64,
    /// The packed id of the event that started it; 0 before.
    starter: AtomicU64,
    /// Those of the signals that will end it when its turn comes, a bit each.
    pending: AtomicU64,
    /// Counts the ends and joins of those that it started: a futex.
    children: AtomicU32,
    /// 1 once it has done its last step, and closes what it holds.
    leaving: AtomicU32,
}

/// What all share besides.
#[derive(FromZeros)]
#[repr(C, align(64))]
struct Common {
    /// How many processes have prepared themselves: a futex.
    prepared: AtomicU32,
    _pad: u32,
    /// When the run began, ns of CLOCK_MONOTONIC.
    origin: AtomicU64,
}

/// What a process could not do for itself before the run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Trouble {
    /// Not an attribute of the scenario: the host is odd.
    Host(Preparation),
    Cpus,
    Nice,
    Policy,
}

/// What every process does for itself before the run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Preparation {
    DeathWithParent,
    Group,
    Signals,
    Memory,
}

impl Preparation {
    /// The call that does it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::DeathWithParent => "prctl(PR_SET_PDEATHSIG)",
            Self::Group => "setpgid",
            Self::Signals => "sigaction or sigprocmask",
            Self::Memory => "setrlimit",
        }
    }
}

/// As they stand in memory, by place.
const TROUBLES: [Trouble; 7] = [
    Trouble::Host(Preparation::DeathWithParent),
    Trouble::Host(Preparation::Group),
    Trouble::Host(Preparation::Signals),
    Trouble::Host(Preparation::Memory),
    Trouble::Cpus,
    Trouble::Nice,
    Trouble::Policy,
];

/// The table.
#[derive(Clone)]
pub(super) struct Table {
    posts: Shared<[Post]>,
    common: Shared<Common>,
}

impl Table {
    pub(super) fn new(arena: &Arena, processes: usize) -> io::Result<Self> {
        Ok(Self { posts: arena.slice(processes)?, common: arena.alloc()? })
    }

    pub(super) fn post(&self, process: ProcessId) -> &Post {
        &self.posts[process as usize]
    }

    /// The process whose step started one.
    pub(super) fn starter(&self, process: ProcessId) -> Option<ProcessId> {
        EventId::unpack(self.post(process).started()).map(EventId::process)
    }

    /// Holds back those that look at the end of a process until all that it does to others is done ([`Table::end`]).
    pub(super) fn begin_end(&self, process: ProcessId) {
        self.post(process).ended.store(ENDING, Ordering::Release);
    }

    /// Lets all see that a process has ended.
    pub(super) fn end(&self, process: ProcessId, code: i32) {
        self.post(process).end(code);
        self.tell_starter(process);
    }

    /// Joins a process. Whether none had.
    pub(super) fn join(&self, process: ProcessId) -> bool {
        let first = self.post(process).joined.swap(1, Ordering::AcqRel) == 0;
        if first {
            self.tell_starter(process);
        }
        first
    }

    fn tell_starter(&self, process: ProcessId) {
        if let Some(starter) = self.starter(process) {
            let children = &self.post(starter).children;
            children.fetch_add(1, Ordering::AcqRel);
            futex::wake_all(children);
        }
    }

    /// When the run began.
    pub(super) fn origin(&self) -> u64 {
        self.common.origin.load(Ordering::Acquire)
    }

    pub(super) fn set_origin(&self, origin: u64) {
        self.common.origin.store(origin, Ordering::Release);
    }

    /// Says that a process has prepared itself, or what it could not do.
    pub(super) fn prepared(&self, process: ProcessId, trouble: Option<(Trouble, i32)>) {
        let post = self.post(process);
        if let Some((trouble, errno)) = trouble {
            let place = TROUBLES.iter().position(|known| *known == trouble).unwrap_or(0);
            post.trouble.store((place as u32) << 16 | errno as u32 & 0xffff, Ordering::Relaxed);
        }
        post.prepared.store(if trouble.is_some() { 2 } else { 1 }, Ordering::Release);
        if self.common.prepared.fetch_add(1, Ordering::AcqRel) + 1 == self.posts.len() as u32 {
            futex::wake_all(&self.common.prepared);
        }
    }

    /// Waits until every process has prepared itself or the time is over; says how many have.
    pub(super) fn await_prepared(&self, deadline: u64) -> usize {
        let now = self.common.prepared.load(Ordering::Acquire);
        if (now as usize) < self.posts.len() {
            futex::wait(&self.common.prepared, now, Some(deadline));
        }
        self.common.prepared.load(Ordering::Acquire) as usize
    }

    /// Whether a process has prepared itself, or said that it cannot.
    pub(super) fn is_prepared(&self, process: ProcessId) -> bool {
        self.post(process).prepared.load(Ordering::Acquire) != 0
    }

    /// What a process could not do, with the errno.
    pub(super) fn trouble(&self, process: ProcessId) -> Option<(Trouble, i32)> {
        let post = self.post(process);
        if post.prepared.load(Ordering::Acquire) != 2 {
            return None;
        }
        let word = post.trouble.load(Ordering::Relaxed);
        TROUBLES.get(word as usize >> 16).map(|trouble| (*trouble, (word & 0xffff) as i32))
    }
}

impl Post {
    /// Lets the process run. False where it did already.
    pub(super) fn open(&self) -> bool {
        let opened = self.gate.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if opened {
            futex::wake_all(&self.gate);
        }
        opened
    }

    /// Lets the process run by the step that makes that event. False where another step did already; the one that comes
    /// first is the one that starts it, and the others only see to it that it runs.
    pub(super) fn start(&self, event: EventId) -> bool {
        let first = self.starter.compare_exchange(0, event.pack(), Ordering::AcqRel, Ordering::Acquire).is_ok();
        self.open();
        first
    }

    /// The packed id of the event that started it; 0 where none did.
    pub(super) fn started(&self) -> u64 {
        self.starter.load(Ordering::Acquire)
    }

    /// How many ends and joins there were of processes that it started.
    pub(super) fn children(&self) -> u32 {
        self.children.load(Ordering::Acquire)
    }

    /// Waits until there are more of them, at most until the deadline.
    pub(super) fn await_children(&self, seen: u32, deadline: Option<u64>) {
        futex::wait(&self.children, seen, deadline);
    }

    /// Whether it may run.
    pub(super) fn is_open(&self) -> bool {
        self.gate.load(Ordering::Acquire) == 1
    }

    /// Waits until it may run.
    pub(super) fn await_gate(&self) {
        while !self.is_open() {
            futex::wait(&self.gate, 0, None);
        }
    }

    /// Says that it has done its last step: what it closes from now on is a part of its end.
    pub(super) fn leave(&self) {
        self.leaving.store(1, Ordering::Release);
    }

    /// Lets all see that it has ended.
    fn end(&self, code: i32) {
        self.code.store(code, Ordering::Relaxed);
        self.ended.store(ENDED, Ordering::Release);
        futex::wake_all(&self.ended);
    }

    /// Its exit status, once it has ended. Its end and the signals that this sends are one event: the caller sleeps while the
    /// supervisor, which waits for nothing then, is between the two.
    pub(super) fn ended(&self) -> Option<i32> {
        while self.ended.load(Ordering::Acquire) == ENDING {
            futex::wait(&self.ended, ENDING, None);
        }
        (self.ended.load(Ordering::Acquire) == ENDED).then(|| self.code.load(Ordering::Relaxed))
    }

    /// Its exit status, once it has ended. A process closes its files and releases its locks before its end: one that others
    /// can have seen to do that has ended for them, and the caller sleeps until the supervisor has seen it too.
    pub(super) fn ended_or_ending(&self) -> Option<i32> {
        /// ns between two looks at how it is.
        const LOOK: u64 = 1_000_000;
        loop {
            if let Some(code) = self.ended() {
                return Some(code);
            }
            let pid = self.pid.load(Ordering::Acquire);
            let leaves = || self.leaving.load(Ordering::Acquire) == 1 && os::stopped(pid).is_none();
            if !os::is_exiting(pid) && !leaves() {
                return self.ended();
            }
            self.await_end(Some(clock::now() + LOOK));
        }
    }

    /// Waits for its end, at most until the deadline.
    pub(super) fn await_end(&self, deadline: Option<u64>) {
        futex::wait(&self.ended, 0, deadline);
    }

    pub(super) fn is_joined(&self) -> bool {
        self.joined.load(Ordering::Acquire) == 1
    }

    pub(super) fn set_ready(&self) {
        self.ready.store(1, Ordering::Release);
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire) == 1
    }

    /// Notes that a step sends it this signal.
    pub(super) fn signal(&self, signal: i32) {
        self.signals.fetch_or(1 << (signal & 63), Ordering::AcqRel);
    }

    /// Notes a signal that will end it when a schedule says so.
    pub(super) fn pend(&self, signal: i32) {
        self.pending.fetch_or(1 << (signal & 63), Ordering::AcqRel);
    }

    /// The signals that will end it, in ascending order.
    pub(super) fn pending(&self) -> impl Iterator<Item = i32> + use<> {
        let pending = self.pending.load(Ordering::Acquire);
        (0..64).filter(move |signal| pending & 1 << signal != 0)
    }

    /// Whether a step has sent it a signal that stops it.
    pub(super) fn was_stopped(&self) -> bool {
        STOPS.iter().any(|signal| self.was_sent(*signal))
    }

    /// Whether a step has sent it this signal.
    pub(super) fn was_sent(&self, signal: i32) -> bool {
        self.signals.load(Ordering::Acquire) & 1 << (signal & 63) != 0
    }
}
