//! The event log of a path: events as the kernel's recorder would make them, in virtual time.

use std::collections::HashMap;

use crate::event::{Event, EventId, ObjectId, ProcessId, StepId, Target};
use crate::objects::Completion;
use crate::objects::kinds::signals::{HANDLED, Sent};
use crate::scenario::signal_name;
use crate::value::Value;

/// The events of each process so far.
pub(crate) struct Log {
    pub(crate) lanes: Vec<Vec<Event>>,
    /// Whose events they are, in the order in which they were recorded.
    pub(crate) order: Vec<ProcessId>,
    /// The end of each process's last event: the begin of its next.
    last: Vec<u64>,
    /// The begin of the step in which implicit events were recorded.
    outer: Vec<Option<u64>>,
    /// By process that was started, the event that did.
    starters: HashMap<ProcessId, EventId>,
    /// Whether the step whose event comes next had to wait.
    pub(crate) waited: bool,
}

impl Log {
    pub(crate) fn new(processes: usize) -> Self {
        Self {
            lanes: vec![Vec::new(); processes],
            order: Vec::new(),
            last: vec![0; processes],
            outer: vec![None; processes],
            starters: HashMap::new(),
            waited: false,
        }
    }

    /// Takes the events of a process, which alone has any, and is as new.
    pub(crate) fn take(&mut self, process: ProcessId) -> Vec<Event> {
        (self.last[process as usize], self.outer[process as usize], self.waited) = (0, None, false);
        self.order.clear();
        self.starters.clear();
        std::mem::take(&mut self.lanes[process as usize])
    }

    /// The packed id of the process's next event.
    pub(crate) fn next_event(&self, process: ProcessId) -> u64 {
        EventId::new(process, self.lanes[process as usize].len() as u64).pack()
    }

    /// Notes that the next event of `starter` starts `process`.
    pub(crate) fn started(&mut self, starter: ProcessId, process: ProcessId) {
        self.starters.extend(EventId::unpack(self.next_event(starter)).map(|event| (process, event)));
    }

    pub(crate) fn begin(&mut self, process: ProcessId, now: u64) {
        self.last[process as usize] = now;
        let cause = self.starters.get(&process).copied();
        self.bound(process, now, "begin", Value::Null, cause);
    }

    pub(crate) fn end(&mut self, process: ProcessId, now: u64, code: i64) {
        self.last[process as usize] = now;
        self.bound(process, now, "end", Value::Int(code), None);
    }

    /// Records that the handler of a signal begins.
    pub(crate) fn handle(&mut self, process: ProcessId, now: u64, sent: Sent) {
        self.last[process as usize] = now;
        self.bound(process, now, HANDLED, Value::from(signal_name(sent.signal)), EventId::unpack(sent.event));
    }

    fn bound(&mut self, process: ProcessId, now: u64, verb: &'static str, value: Value, cause: Option<EventId>) {
        let completion = Completion { cause: cause.map_or(0, EventId::pack), ..Completion::value(value) };
        self.push(process, now, now, None, verb, Target::Process(process), None, &completion, false);
    }

    /// Records the end of a step.
    #[expect(clippy::too_many_arguments, reason = "the fields of one event")]
    pub(crate) fn record(
        &mut self,
        process: ProcessId,
        now: u64,
        step: Option<StepId>,
        verb: &'static str,
        target: Target,
        element: Option<u32>,
        completion: &Completion,
    ) {
        let begin = self.outer[process as usize].take().unwrap_or(self.last[process as usize]);
        self.push(process, begin, now, step, verb, target, element, completion, false);
        self.waited = false;
    }

    /// Records what a step did besides.
    pub(crate) fn implicit(
        &mut self,
        process: ProcessId,
        now: u64,
        step: StepId,
        verb: &'static str,
        object: ObjectId,
        completion: &Completion,
    ) {
        let begin = self.last[process as usize];
        self.outer[process as usize].get_or_insert(begin);
        self.push(process, begin, now, Some(step), verb, Target::Object(object), None, completion, true);
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one event")]
    fn push(
        &mut self,
        process: ProcessId,
        begin: u64,
        end: u64,
        step: Option<StepId>,
        verb: &'static str,
        target: Target,
        element: Option<u32>,
        completion: &Completion,
        implicit: bool,
    ) {
        let lane = &mut self.lanes[process as usize];
        lane.push(Event {
            id: EventId::new(process, lane.len() as u64),
            begin,
            end,
            step,
            verb,
            target,
            element: element.into(),
            outcome: completion.outcome,
            value: completion.value.clone(),
            second: completion.second.clone(),
            ticket: completion.ticket,
            cause: EventId::unpack(completion.cause),
            blocked: self.waited && !implicit,
            implicit,
        });
        self.last[process as usize] = end;
        self.order.push(process);
    }

    /// The end of the process's last event.
    pub(crate) fn last(&self, process: ProcessId) -> u64 {
        self.last[process as usize]
    }

    /// The begin of the step that the process is in: the end of its last event that is no part of a step.
    pub(crate) fn since(&self, process: ProcessId) -> u64 {
        self.outer[process as usize].unwrap_or(self.last[process as usize])
    }
}
