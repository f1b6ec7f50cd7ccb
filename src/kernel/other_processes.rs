//! The steps of a process on others: it starts, joins and signals them, and asks how they are.

use std::ops::Range;
use std::sync::atomic::Ordering;

use super::process::{Child, place};
use super::signals;
use crate::event::{EventId, ProcessId, StepId};
use crate::objects::contract::operation::Operation;
use crate::objects::kinds::process::{Life, ProcessVerb, Processes};
use crate::objects::{Completion, Patience};
use crate::os::{clock, interrupts, process as os};
use crate::outcome::Outcome;
use crate::trace::record;
use crate::trace::ring_buffer::Wait;

/// The other processes, as a step of one has them.
pub(super) struct Others<'x, 'a> {
    pub(super) child: &'x mut Child<'a>,
    pub(super) step: StepId,
    pub(super) patience: Patience,
}

impl Processes for Others<'_, '_> {
    fn caller(&self) -> ProcessId {
        self.child.recorder.process
    }

    fn life(&self, process: ProcessId) -> Life {
        match self.child.table.post(process).ended_or_ending() {
            _ if !self.child.has_begun(process) => Life::NotBegun,
            Some(code) => Life::Ended(code.into()),
            None => Life::Alive,
        }
    }

    fn is_joined(&self, process: ProcessId) -> bool {
        self.child.table.post(process).is_joined()
    }

    fn start(&mut self, process: ProcessId) -> bool {
        let recorder = &self.child.recorder;
        let post = self.child.table.post(process);
        let manual = self.child.plan.program(process).manual;
        manual && post.start(EventId::new(recorder.process, recorder.number))
    }

    /// A wait for several that a signal cuts short has joined none of them.
    fn awaits(&mut self, operation: &Operation<'_>) -> bool {
        let waits = self.child.signals.is_some() && self.patience != Patience::Never;
        !waits || operation.processes().all(|process| self.await_end(process) != Err(Outcome::INTERRUPTED))
    }

    fn join(&mut self, process: ProcessId) -> Result<i64, Outcome> {
        let code = self.await_end(process)?;
        self.child.table.join(process);
        Ok(code)
    }

    fn await_any(&mut self, among: Range<ProcessId>) -> Option<Result<ProcessId, Outcome>> {
        let own = self.caller();
        loop {
            let table = self.child.table;
            let seen = table.post(own).children();
            let is_left = |process: &ProcessId| table.starter(*process) == Some(own) && !self.is_joined(*process);
            let left: Vec<ProcessId> = among.clone().filter(is_left).collect();
            if left.is_empty() {
                return Some(Err(Outcome::NO_PROCESS));
            }
            let is_ended = |process: &ProcessId| table.post(*process).ended().is_some();
            let ended: Vec<ProcessId> = left.iter().copied().filter(is_ended).collect();
            let at = if ended.len() > 1 { self.child.recorder.choose(ended.len() as u32) } else { None };
            match ended.get(at.unwrap_or(0) as usize) {
                Some(process) if table.join(*process) => return Some(Ok(*process)),
                // Another process has joined it meanwhile.
                Some(_) => continue,
                None => {}
            }
            match self.waits(ProcessVerb::WaitAny, None) {
                Ok(deadline) => table.post(own).await_children(seen, deadline),
                Err(Outcome::INTERRUPTED) => return None,
                Err(_) if left.iter().any(|process| table.post(*process).ended_or_ending().is_some()) => {}
                Err(outcome) => return Some(Err(outcome)),
            }
        }
    }

    fn name(&self, process: ProcessId) -> &str {
        &self.child.plan.processes[process as usize].name
    }

    fn signal(&mut self, process: ProcessId, signal: i32, value: i32) -> Outcome {
        let itself = process == self.caller();
        let held = self.child.is_held();
        let post = self.child.table.post(process);
        // The signal is for a process that has begun, also where its gate was to be opened this moment.
        post.open();
        if signal != 0 {
            post.signal(signal);
        }
        // A process that has to do with signals keeps back what would end it.
        let keeps = self.child.plan.program(process).signals && signal != libc::SIGKILL;
        let later = !itself && os::is_deadly(signal) && held && !keeps;
        if later {
            post.pend(signal);
        }
        if itself && keeps {
            self.child.let_in(signal);
        }
        let number = self.child.recorder.number - u64::from(itself && signal != 0);
        let payload = signals::payload(std::process::id() as i32, number, value);
        let payload = (keeps && signal != 0).then_some(payload);
        let send = || os::signal(post.pid.load(Ordering::Acquire), signal, payload, || post.ended().is_some());
        let sent = match itself && os::is_stop(signal) {
            _ if later => Ok(()),
            true => self.child.recorder.stop(send),
            false => send(),
        };
        // The kernel takes the lowest of several signals first: under a schedule the next must not overtake this one.
        // And what it waits for must go to others as soon as it is stopped.
        if !itself && os::is_stop(signal) && sent.is_ok() {
            os::await_stopped(post.pid.load(Ordering::Acquire), || post.ended().is_some());
            self.child.objects.iter().for_each(|object| object.stopped(process));
        }
        match sent {
            // It may have ended this moment and is not joined yet: as a zombie it would still take the signal.
            Ok(()) | Err(libc::ESRCH) => Outcome::OK,
            Err(errno) => Outcome::from_errno(errno),
        }
    }

    fn set_ready(&mut self) {
        self.child.table.post(self.caller()).set_ready();
        self.child.recorder.bell.ring();
    }

    fn record(&mut self, verb: ProcessVerb, process: Option<ProcessId>, completion: &Completion) {
        let (target, flags) = process.map_or((record::NONE, 0), |process| (process, record::PROCESS));
        let verb = place(verb.described().name);
        self.child.recorder.finish(self.step, target, verb, None, flags, completion);
    }
}

impl Others<'_, '_> {
    /// Waits for the end of a process, whose exit status it gives.
    fn await_end(&mut self, process: ProcessId) -> Result<i64, Outcome> {
        let post = self.child.table.post(process);
        loop {
            if let Some(code) = post.ended() {
                return Ok(code.into());
            }
            match self.waits(ProcessVerb::Join, Some(process)) {
                Ok(deadline) => post.await_end(deadline),
                Err(Outcome::INTERRUPTED) => return Err(Outcome::INTERRUPTED),
                Err(outcome) => return post.ended_or_ending().map(i64::from).ok_or(outcome),
            }
        }
    }

    /// Publishes that the step waits, for the end of that process or of any. The deadline.
    fn waits(&mut self, verb: ProcessVerb, process: Option<ProcessId>) -> Result<Option<u64>, Outcome> {
        let recorder = &mut self.child.recorder;
        let deadline = match self.patience {
            Patience::Until(deadline) => Some(deadline),
            _ => None,
        };
        if interrupts::is_noted() {
            recorder.cut();
            return Err(Outcome::INTERRUPTED);
        }
        if self.patience == Patience::Never {
            return Err(Outcome::WOULD_BLOCK);
        }
        let now = clock::now();
        if deadline.is_some_and(|deadline| now >= deadline) {
            return Err(Outcome::TIMEOUT);
        }
        let since = recorder.waits_since();
        if !recorder.entered {
            recorder.since = since;
        }
        recorder.wait(&Wait {
            number: 0,
            step: self.step,
            target: process.unwrap_or(record::NONE),
            verb: place(verb.described().name),
            end: 0,
            process: true,
            deadline: deadline.is_some(),
            since,
        });
        recorder.blocked = true;
        Ok(deadline)
    }
}
