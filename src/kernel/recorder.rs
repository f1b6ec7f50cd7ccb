//! What a process records of its steps and publishes of its waits, and how an object sees the process meanwhile.

#![allow(clippy::inline_always, reason = "a record that is handed on in memory costs more than writing it")]

use super::scheduler_gate::{Due, Held};
use super::wakeup::Wakeup;
use crate::event::{EventId, ObjectId, ProcessId, StepId};
use crate::objects::kinds::signals::Sent;
use crate::objects::{Caller, Completion, Parked};
use crate::os::clock;
use crate::outcome::Outcome;
use crate::scenario::signal_name;
use crate::trace::record::{self, Head};
use crate::trace::ring_buffer::{Producer, Wait};
use crate::value::Value;

/// Records what a process does.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Recorder<'a> {
    pub(super) process: ProcessId,
    pub(super) producer: Producer,
    pub(super) bell: &'a Wakeup,
    pub(super) full: bool,
    pub(super) first_step: StepId,
    /// The end of the last event: the begin of the next.
    pub(super) last: u64,
    /// The begin of the step in which implicit events have been recorded; 0 where none have.
    pub(super) outer: u64,
    /// How many events were recorded.
    pub(super) number: u64,
    /// Whether this step has published that it could sleep.
    pub(super) entered: bool,
    /// Whether it has said that it waits.
    pub(super) blocked: bool,
    /// Whether the process's alarm can end a wait of the step.
    pub(super) alarmed: bool,
    pub(super) since: u64,
    pub(super) payload: Vec<u8>,
    pub(super) buffer: Vec<u8>,
    /// Where a schedule holds the process: its turns, and the time.
    pub(super) held: Option<Held>,
}

impl Recorder<'_> {
    /// The time, as records have it.
    pub(super) fn now(&self) -> u64 {
        match &self.held {
            None => clock::now(),
            Some(held) => held.time(),
        }
    }

    /// Waits for its turn, where there are turns, to begin a step, or something that is part of none.
    pub(super) fn approach(&mut self, step: Option<StepId>) -> Due {
        let (events, bell) = (self.number, self.bell);
        self.held.as_mut().map_or(Due::Step, |held| held.approach(step, events, bell))
    }

    /// A signal has come in the middle of a step: its wait is over for now.
    pub(super) fn cut(&mut self) {
        if self.entered {
            self.producer.go_on();
        }
        (self.entered, self.blocked) = (false, false);
    }

    /// Records that the handler of a signal begins.
    pub(super) fn handle(&mut self, sent: Sent) {
        let now = self.now();
        self.last = now;
        let head = Head {
            begin: now,
            end: now,
            ticket: 0,
            cause: sent.event,
            step: record::NONE,
            target: self.process,
            element: None,
            outcome: Outcome::OK,
            verb: record::HANDLE,
            flags: record::PROCESS,
        };
        self.push(&head, &Value::from(signal_name(sent.signal)), &Value::Null);
    }

    /// Waits for a turn, where there are turns, before a random number is drawn as the process begins.
    pub(super) fn before_draw(&mut self) {
        let (events, bell) = (self.number, self.bell);
        if let Some(held) = &mut self.held {
            held.before_draw(events, bell);
        }
    }

    /// Waits for its turn, where there are turns, to end.
    pub(super) fn leave(&mut self) -> Due {
        let (events, bell) = (self.number, self.bell);
        self.held.as_mut().map_or(Due::Step, |held| held.leave(events, bell))
    }

    /// Sends the process a signal that stops it. Where there are turns, its turn is over with that.
    pub(super) fn stop(&mut self, signal: impl Fn() -> Result<(), i32>) -> Result<(), i32> {
        let (events, bell) = (self.number, self.bell);
        match &mut self.held {
            None => signal(),
            Some(held) => held.stop(signal, events, bell),
        }
    }

    pub(super) fn head(&mut self, head: Head) {
        self.push(&head, &Value::Null, &Value::Null);
    }

    #[inline(always)]
    fn push(&mut self, head: &Head, value: &Value, second: &Value) {
        let bell = self.bell;
        if value.is_scalar() && second.is_scalar() {
            self.producer.push(&record::encode(head, value, second, &mut Vec::new()), &|| bell.ring());
        } else {
            self.push_payload(head, value, second);
        }
        self.number += 1;
    }

    #[inline(never)]
    fn push_payload(&mut self, head: &Head, value: &Value, second: &Value) {
        let bell = self.bell;
        self.payload.clear();
        let record = record::encode(head, value, second, &mut self.payload);
        self.producer.push_payload(&record, &self.payload, &|| bell.ring());
    }

    /// As [`Recorder::conclude`], for steps that are seldom hot.
    #[inline(never)]
    #[allow(clippy::too_many_arguments, reason = "the fields of one record")]
    pub(super) fn finish(
        &mut self,
        step: StepId,
        target: u32,
        verb: u8,
        element: Option<u32>,
        flags: u8,
        completion: &Completion,
    ) {
        self.conclude(step, target, verb, element, flags, completion);
    }

    /// Ends a step: takes back what it published and records it, or counts it.
    #[inline(always)]
    #[allow(clippy::too_many_arguments, reason = "the fields of one record")]
    pub(super) fn conclude(
        &mut self,
        step: StepId,
        target: u32,
        verb: u8,
        element: Option<u32>,
        flags: u8,
        completion: &Completion,
    ) {
        if self.held.is_some() {
            return self.conclude_held(step, target, verb, element, flags, completion);
        }
        let waited = self.blocked;
        if self.entered {
            self.producer.go_on();
            self.entered = false;
            self.blocked = false;
        }
        if !self.full && !waited && completion.outcome.is_ok() && flags & record::PROCESS == 0 && target != record::NONE
        {
            self.producer.count((step - self.first_step) as usize);
            return;
        }
        let end = clock::now();
        let begin = if self.outer != 0 {
            std::mem::take(&mut self.outer)
        } else if self.full {
            self.last
        } else if waited {
            self.since
        } else {
            end
        };
        let head = Head {
            begin,
            end,
            ticket: completion.ticket,
            cause: completion.cause,
            step,
            target,
            element,
            outcome: completion.outcome,
            verb,
            flags: flags | if waited { record::BLOCKED } else { 0 },
        };
        self.last = end;
        self.push(&head, &completion.value, &completion.second);
    }

    /// As [`Recorder::conclude`], under a schedule: whether the step waited and when it ended is the schedule's to say.
    #[cold]
    #[inline(never)]
    #[allow(clippy::too_many_arguments, reason = "the fields of one record")]
    fn conclude_held(
        &mut self,
        step: StepId,
        target: u32,
        verb: u8,
        element: Option<u32>,
        flags: u8,
        completion: &Completion,
    ) {
        let bell = self.bell;
        let on_object = flags & record::PROCESS == 0 && target != record::NONE;
        let Some(held) = &mut self.held else { return };
        if on_object {
            held.come_back(bell);
        }
        let waited = if held.is_free() { self.blocked } else { held.take_waited() };
        let end = held.time();
        if self.entered {
            self.producer.go_on();
        }
        (self.entered, self.blocked) = (false, false);
        let last = std::mem::replace(&mut self.last, end);
        if !self.full && !waited && completion.outcome.is_ok() && on_object {
            self.producer.count((step - self.first_step) as usize);
            return;
        }
        let begin = match std::mem::take(&mut self.outer) {
            0 if self.full || waited => last,
            0 => end,
            outer => outer,
        };
        let head = Head {
            begin,
            end,
            ticket: completion.ticket,
            cause: completion.cause,
            step,
            target,
            element,
            outcome: completion.outcome,
            verb,
            flags: flags | if waited { record::BLOCKED } else { 0 },
        };
        self.push(&head, &completion.value, &completion.second);
    }

    /// The next choice out of `count` under a schedule; none where choices are free.
    pub(super) fn choose(&self, count: u32) -> Option<u32> {
        self.held.as_ref().and_then(|held| held.choose(count))
    }

    /// Since when a step that has to wait now does so.
    pub(super) fn waits_since(&self) -> u64 {
        match (&self.held, self.outer) {
            // Under a schedule a step that waits has done so since it began.
            (Some(_), 0) => self.last,
            (Some(_), outer) => outer,
            // Without a record for each step, the last one's end says nothing of this one's begin.
            (None, _) if self.full => self.last,
            (None, _) => clock::now(),
        }
    }

    pub(super) fn wait(&mut self, wait: &Wait) {
        if !self.entered {
            self.producer.wait(&Wait { deadline: wait.deadline || self.alarmed, ..*wait });
            self.entered = true;
        }
    }
}

/// The process within one step on an object.
pub(super) struct Current<'c, 'a> {
    pub(super) recorder: &'c mut Recorder<'a>,
    pub(super) compute: &'c mut dyn FnMut(Value) -> Result<Value, Outcome>,
    pub(super) step: StepId,
    pub(super) object: ObjectId,
    pub(super) verb: u8,
    pub(super) end: u8,
    pub(super) deadline: bool,
    /// Whether it may have seen the end of another process.
    pub(super) noticed: bool,
}

impl Current<'_, '_> {
    fn publish(&mut self, object: ObjectId, verb: u8) {
        let since = self.recorder.waits_since();
        self.recorder.since = since;
        self.recorder.wait(&Wait {
            number: 0,
            step: self.step,
            target: object,
            verb,
            end: self.end,
            process: false,
            deadline: self.deadline,
            since,
        });
    }
}

impl Caller for Current<'_, '_> {
    fn process(&self) -> ProcessId {
        self.recorder.process
    }

    #[inline]
    fn event(&self) -> u64 {
        if !self.recorder.full {
            return 0;
        }
        EventId::new(self.recorder.process, self.recorder.number).pack()
    }

    fn block_on(&mut self, object: ObjectId, verb: u8) {
        // Another wait, with a number of its own: a reader of the one before must not take it for this one.
        if self.recorder.entered {
            self.recorder.producer.go_on();
            self.recorder.entered = false;
        }
        // The step's own time does not end this wait.
        self.deadline = false;
        self.publish(object, verb);
        self.recorder.blocked = true;
    }

    fn notice_end(&mut self) {
        self.noticed = true;
    }

    fn block(&mut self) {
        if !self.recorder.entered {
            self.publish(self.object, self.verb);
        }
        self.recorder.blocked = true;
    }

    fn park(&mut self) -> Parked {
        self.block();
        let (events, bell) = (self.recorder.number, self.recorder.bell);
        self.recorder.held.as_mut().map_or(Parked::Sleep, |held| held.park(events, bell))
    }

    fn pause(&mut self) {
        let (events, bell) = (self.recorder.number, self.recorder.bell);
        if let Some(held) = &mut self.recorder.held {
            held.pause(events, bell);
        }
    }

    fn is_held(&self) -> bool {
        self.recorder.held.as_ref().is_some_and(|held| !held.is_free())
    }

    fn is_overdue(&mut self) -> bool {
        self.recorder.held.as_mut().is_some_and(Held::is_overdue)
    }

    fn choose(&mut self, count: u32) -> Option<u32> {
        self.recorder.choose(count)
    }

    fn compute(&mut self, it: Value) -> Result<Value, Outcome> {
        (self.compute)(it)
    }

    fn implicit(&mut self, object: ObjectId, verb: u8, completion: Completion) {
        if !self.recorder.full {
            return;
        }
        let end = self.recorder.now();
        let head = Head {
            begin: self.recorder.last,
            end,
            ticket: completion.ticket,
            cause: completion.cause,
            step: self.step,
            target: object,
            element: None,
            outcome: completion.outcome,
            verb,
            flags: record::IMPLICIT,
        };
        if self.recorder.outer == 0 {
            self.recorder.outer = self.recorder.last;
        }
        self.recorder.last = end;
        self.recorder.push(&head, &completion.value, &completion.second);
    }

    fn buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.recorder.buffer)
    }

    fn give_back(&mut self, buffer: Vec<u8>) {
        self.recorder.buffer = buffer;
    }
}
