//! How the ends of a fifo are opened in the model.
//!
//! An end that waits in `open` is held already. What a process waits for, or has not seen yet, is in its share: it
//! cannot be in the middle of a send then, since it holds no end for that.

use super::{ENDS, Ends, Lines, PARKED, Pipe, WAY};
use crate::event::{EventId, ObjectId, ProcessId};
use crate::objects::Completion;
use crate::objects::contract::model::{ModelCall, Progress, Willing};
use crate::objects::kinds::pipe::{OPEN_AT, opening};
use crate::outcome::Outcome;

/// In a process's share, where [`WAY`] is set there: it waits for the other side.
const WAITS: u32 = WAY | 1 << PARKED;
/// The other side has been opened since it began to wait.
const MET: u32 = WAY | 2 << PARKED;
/// It has opened the end that reads, and no process the other one since.
const FRESH: u32 = WAY | 3 << PARKED;

/// What the trace needs of it, and what a new pipe is.
#[derive(Clone)]
pub(super) struct Opening {
    id: ObjectId,
    new: Lines,
    number: u64,
    steps: u64,
    /// Those that were let go, and by which event.
    met: Vec<(ProcessId, u64)>,
}

impl Opening {
    pub(super) fn new(pipe: &Pipe, new: Lines) -> Self {
        Self { id: pipe.id, new, number: 0, steps: 0, met: Vec::new() }
    }

    pub(super) fn exchange(&mut self, to: &dyn Fn(ObjectId) -> ObjectId) {
        self.id = to(self.id);
    }

    /// The ticket of the next step.
    pub(super) fn ticket(&mut self) -> u64 {
        self.steps += 1;
        opening::ticket(self.number, self.steps)
    }

    /// The event that let the process go; 0 where no trace is kept.
    fn cause(&mut self, process: ProcessId) -> u64 {
        let at = self.met.iter().position(|(other, _)| *other == process);
        at.map_or(0, |at| self.met.swap_remove(at).1)
    }
}

/// Whether a share says something of an open.
pub(super) fn is_one(share: u32) -> bool {
    [WAITS, MET, FRESH].contains(&(share & !ENDS))
}

/// Whether a process of that share has no end of file to wait for.
pub(super) fn is_fresh(share: u32) -> bool {
    share & !ENDS == FRESH
}

impl Ends {
    pub(super) fn open(&mut self, call: &mut ModelCall<'_>) -> Progress {
        let Some(opening) = &mut self.opening else { return Progress::outcome(Outcome::INVALID) };
        let (end, share) = (call.end, call.mine());
        match share & !ENDS {
            WAITS => return Progress::Waits,
            MET => {
                call.set_mine(share & ENDS);
                let cause = opening.cause(call.process);
                let done = Completion::of(Outcome::OK).ticket(opening.ticket());
                return Progress::Done(Completion { cause, ..done });
            }
            _ if share & 1 << end != 0 => return Progress::outcome(Outcome::IN_USE),
            _ => {}
        }
        let met = self.holders[usize::from(1 - end)] > 0;
        let (writes, never) = (end == 1, call.willing == Willing::Never);
        if writes && never && !met {
            let ticket = crate::event::look(opening::ticket(opening.number, opening.steps));
            return Progress::Done(Completion::of(Outcome::from_errno(libc::ENXIO)).ticket(ticket));
        }
        if self.holders == [0, 0] {
            opening.number += 1;
            self.lines = opening.new.clone();
        }
        self.holders[usize::from(end)] += 1;
        for (process, other) in call.shares.iter_mut().enumerate() {
            match *other & !ENDS {
                // It holds the end that it waits at, and no other.
                WAITS if *other & ENDS == 1 << (1 - end) => {
                    *other = *other & ENDS | MET;
                    opening.met.retain(|(before, _)| *before as usize != process);
                    if EventId::unpack(call.event).is_some() {
                        opening.met.push((process as ProcessId, call.event));
                    }
                }
                FRESH if writes => *other &= ENDS,
                _ => {}
            }
        }
        let share = call.mine() | 1 << end;
        let ticket = opening.ticket();
        if met || never {
            call.set_mine(if met { share } else { share & ENDS | FRESH });
            return Progress::Done(Completion::of(Outcome::OK).ticket(ticket));
        }
        call.set_mine(share & ENDS | WAITS);
        call.stage.implicit(opening.id, OPEN_AT, Completion::of(Outcome::WOULD_BLOCK).ticket(ticket));
        Progress::Parked
    }

    /// The time of an open is over.
    pub(super) fn give_up_open(&mut self, call: &mut ModelCall<'_>) -> Progress {
        let mut share = call.mine();
        if share & !ENDS == MET {
            return self.open(call);
        }
        let waited = share & !ENDS == WAITS;
        if waited {
            self.close(&mut share, call.end);
            call.set_mine(share);
        }
        let ticket = self.opening.as_mut().filter(|_| waited).map_or(0, Opening::ticket);
        Progress::Done(Completion::of(Outcome::TIMEOUT).ticket(ticket))
    }
}
