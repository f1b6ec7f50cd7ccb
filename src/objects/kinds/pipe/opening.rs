//! How the ends of a fifo are opened and closed, one at a time.
//!
//! The kernel's fifo knows which ends are held, and a write to it or a read finds what they would with open(2) of any
//! other program. The wait in open(2) has no deadline and no place in a schedule, so it is done here: an end that waits
//! is held already, by an open that does not wait, and the first open of the other side lets it go, whatever becomes of
//! that side afterwards (`wait_for_partner` in fs/pipe.c).
//!
//! From the first open to the last close it is one pipe, of its own number.

use std::cell::Cell;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use zerocopy::FromZeros;

use super::{Channel, OPEN_AT, Pipe};
use crate::event::{ProcessId, look};
use crate::objects::support::turn::{Side, Turn};
use crate::objects::{Call, Completion, CreateContext, HostError, Parked, Patience};
use crate::os::arena::Shared;
use crate::os::fifo::Fifo;
use crate::os::{futex, pipe};
use crate::outcome::Outcome;

/// In a process's word: it waits for the other side. The lower bits are the ends that it holds.
const WAITS: u32 = 1 << 2;

/// How many bits of a ticket count the steps; the rest is the number of the pipe.
const STEPS: u32 = 32;

/// The number of the pipe that a ticket of an open or a close is of.
pub(super) fn number(ticket: u64) -> u64 {
    ticket >> STEPS & u64::from(u32::MAX >> 1)
}

/// The ticket of a step that opens or closes.
pub(super) fn ticket(number: u64, step: u64) -> u64 {
    number << STEPS | step
}

/// What all processes share.
#[derive(FromZeros)]
#[repr(C)]
struct Gate {
    /// Held while an end is opened or closed.
    turn: Side,
    number: AtomicU64,
    steps: AtomicU64,
}

/// What a process has of it.
#[derive(FromZeros)]
#[repr(C)]
struct Seat {
    /// The ends that it holds, and [`WAITS`]: it sleeps on it.
    word: AtomicU32,
    /// The event that let it go.
    cause: AtomicU64,
}

pub(super) struct Opening {
    fifo: Fifo,
    packets: bool,
    /// The room that a new pipe gets, in bytes.
    room: Option<u64>,
    gate: Shared<Gate>,
    seats: Shared<[Seat]>,
    /// The process that this is.
    own: Cell<ProcessId>,
}

impl Opening {
    pub(super) fn create(packets: bool, room: Option<u64>, site: &CreateContext<'_>) -> Result<Self, HostError> {
        let name = site.name;
        let fifo = Fifo::new().map_err(|error| HostError {
            message: format!("the fifo `{name}` cannot be made: {error}"),
            help: crate::os::limits::Limit::help_for(&error),
        })?;
        let mmap = |error: io::Error| HostError::call("mmap", &error);
        let (gate, seats) =
            (site.arena.alloc().map_err(mmap)?, site.arena.slice(site.processes as usize).map_err(mmap)?);
        Ok(Self { fifo, packets, room, gate, seats, own: Cell::new(0) })
    }

    /// Makes sure that ends can be opened, and with that room.
    pub(super) fn check(&self, name: &str, refuse: impl FnOnce(u64, &io::Error) -> HostError) -> Result<(), HostError> {
        let end = self.fifo.open(false, self.packets).map_err(|errno| {
            let error = io::Error::from_raw_os_error(errno);
            let proc = errno == libc::ENOENT || errno == libc::ENOTDIR;
            HostError {
                message: format!("the fifo `{name}` cannot be opened through /proc/self/fd: {error}"),
                help: if proc {
                    Some("mount /proc, or use a `pipe`, which needs none".to_owned())
                } else {
                    crate::os::limits::Limit::help_for(&error)
                },
            }
        })?;
        match self.room {
            Some(bytes) => pipe::set_capacity(end.as_raw_fd(), bytes).map(drop).map_err(|error| refuse(bytes, &error)),
            None => Ok(()),
        }
    }

    fn turn(&self, process: ProcessId) -> Turn<'_> {
        self.gate.turn.brief(false, process)
    }

    fn held(&self) -> u32 {
        self.seats.iter().fold(0, |held, seat| held | seat.word.load(Ordering::SeqCst)) & !WAITS
    }

    /// The ticket of the next step. The turn is held.
    fn ticket(&self) -> u64 {
        let step = self.gate.steps.load(Ordering::Relaxed) + 1;
        self.gate.steps.store(step, Ordering::Relaxed);
        ticket(self.gate.number.load(Ordering::Relaxed), step)
    }

    /// Gives the end back that a process holds. The turn is held.
    fn release(&self, process: ProcessId, end: u8) {
        self.seats[process as usize].word.fetch_and(!(1 << end | WAITS), Ordering::SeqCst);
    }

    /// Whether a process waits for the other side.
    #[cfg(test)]
    pub(super) fn waits(&self, process: ProcessId) -> bool {
        self.seats[process as usize].word.load(Ordering::SeqCst) & WAITS != 0
    }

    /// Puts right what a process left that has died.
    pub(super) fn reclaim(&self, process: ProcessId) {
        self.seats[process as usize].word.store(0, Ordering::SeqCst);
        self.gate.turn.reclaim(process);
    }
}

impl Pipe {
    /// The room that a new pipe gets, in bytes.
    pub(super) fn room_in_bytes(&self) -> Option<u64> {
        let unit = if self.framing == super::Framing::Message { pipe::page() } else { 1 };
        self.capacity.map(|capacity| capacity * unit)
    }
}

impl Channel {
    /// Opens an end.
    pub(super) fn open(&self, opening: &Opening, call: &mut Call<'_>) -> Completion {
        let (process, end) = (call.party.process(), call.end);
        let (port, seat) = (&self.ports[usize::from(end)], &opening.seats[process as usize]);
        if port.is_open() {
            return Completion::of(Outcome::IN_USE);
        }
        opening.own.set(process);
        let turn = opening.turn(process);
        let (held, writes) = (opening.held(), end == 1);
        let (met, never) = (held & 1 << (1 - end) != 0, call.patience == Patience::Never);
        if writes && never && !met {
            let ticket =
                look(ticket(opening.gate.number.load(Ordering::Relaxed), opening.gate.steps.load(Ordering::Relaxed)));
            return Completion::of(Outcome::from_errno(libc::ENXIO)).ticket(ticket);
        }
        let opened = match opening.fifo.open(writes, opening.packets) {
            // No sender that finds nothing that reads may find this instead.
            Err(libc::ENXIO) if !never => {
                let flow = &self.flows[0].senders;
                flow.look(self.sole[1], process, || opening.fifo.open_unread(opening.packets)).map(|(end, _)| end)
            }
            opened => opened,
        };
        let opened = opened.and_then(|fd| {
            if held == 0 {
                if let Some(bytes) = opening.room {
                    let set = pipe::set_capacity(fd.as_raw_fd(), bytes);
                    set.map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))?;
                }
                opening.gate.number.fetch_add(1, Ordering::Relaxed);
                self.flows[0].restart();
            }
            Ok(fd)
        });
        match opened {
            Ok(fd) => port.set(fd),
            Err(errno) => return Completion::of(Outcome::from_errno(errno)),
        }
        let waits = !met && !never;
        seat.cause.store(0, Ordering::Relaxed);
        seat.word.fetch_or(1 << end | if waits { WAITS } else { 0 }, Ordering::SeqCst);
        // Those that wait hold one end alone, all the same one.
        for other in opening.seats.iter().filter(|other| other.word.load(Ordering::SeqCst) == WAITS | 1 << (1 - end)) {
            other.cause.store(call.party.event(), Ordering::Relaxed);
            other.word.fetch_and(!WAITS, Ordering::SeqCst);
            futex::wake_all(&other.word);
        }
        let ticket = opening.ticket();
        drop(turn);
        if !waits {
            return Completion::of(Outcome::OK).ticket(ticket);
        }
        call.party.implicit(self.id, OPEN_AT, Completion::of(Outcome::WOULD_BLOCK).ticket(ticket));
        let deadline = match call.patience {
            Patience::Until(deadline) => Some(deadline),
            _ => None,
        };
        let mut word = seat.word.load(Ordering::SeqCst);
        while word & WAITS != 0 {
            let goes_on = match call.party.park() {
                Parked::Sleep => futex::wait(&seat.word, word, deadline),
                Parked::Again | Parked::Wake => true,
                Parked::GiveUp => false,
            };
            word = seat.word.load(Ordering::SeqCst);
            if !goes_on {
                break;
            }
        }
        let _turn = opening.turn(process);
        if seat.word.load(Ordering::SeqCst) & WAITS != 0 {
            opening.release(process, end);
            port.close();
            return Completion::of(Outcome::TIMEOUT).ticket(opening.ticket());
        }
        let cause = seat.cause.load(Ordering::Relaxed);
        Completion { cause, ..Completion::of(Outcome::OK).ticket(opening.ticket()) }
    }

    /// Closes an end that this process holds, by a step or at its end: the ticket of the step, which counts where it is one.
    pub(super) fn close(&self, end: u8, steps: bool) -> u64 {
        let port = &self.ports[usize::from(end)];
        let Some(opening) = &self.opening else {
            port.close();
            return 0;
        };
        let process = opening.own.get();
        let _turn = opening.turn(process);
        opening.release(process, end);
        port.close();
        if steps { opening.ticket() } else { 0 }
    }
}
