//! Makes the trace of what was taken from all lanes.

use super::Supervisor;
use crate::event::{ObjectId, ProcessId, StepId};
use crate::scenario::plan::Plan;
use crate::scenario::steps::STEPS;
use crate::trace::record::{self, Verbs};
use crate::trace::{Beyond, Lanes, ProcessEnd, RunEnd, Trace, arrange, arrange_along};

impl Supervisor<'_> {
    /// The trace of a run, with its end and its duration in ns.
    pub(super) fn trace(&mut self, end: RunEnd, duration: u64) -> Trace {
        let origin = self.table.origin();
        let mut lost = std::mem::take(&mut self.lost);
        let events: usize = self.consumers.iter().map(|consumer| consumer.taken().0).sum();
        let beyond = self.beyond.map(|most| Beyond { events: events as u64, most, matches: Vec::new() });
        let mut lanes = Lanes::with_capacity(if beyond.is_some() { 0 } else { events });
        let names = Names(self.plan);
        let kept = self.consumers.iter_mut().filter(|_| beyond.is_none());
        for (process, consumer) in (0..).zip(kept) {
            if let Err(error) = lanes.lane(|events| consumer.events(events, process, origin, &names)) {
                lost.push(format!("{}: {error}", self.plan.processes[process as usize].name));
            }
        }
        let mut counted = Vec::new();
        if !self.full {
            let mut sums = vec![0; self.plan.steps.len()];
            for (process, consumer) in self.consumers.iter().enumerate() {
                let program = self.plan.processes[process].program;
                let steps = (0..self.plan.steps.len()).filter(|step| self.plan.steps[*step].program == program);
                for (step, count) in steps.zip(consumer.lane().counts()) {
                    sums[step] += count;
                }
            }
            counted.extend(
                sums.into_iter()
                    .enumerate()
                    .filter(|(_, count)| *count > 0)
                    .map(|(step, count)| (step as StepId, count)),
            );
        }
        // Under a schedule no time passes while a process is held up.
        let stalled = if self.course.is_some() {
            0
        } else {
            self.consumers.iter().map(|consumer| consumer.lane().stalled()).sum()
        };
        let unfinished = (0..).zip(&self.consumers);
        let unfinished = unfinished
            .filter(|(process, consumer)| consumer.is_cut() || self.is_cut_off(*process, &end))
            .map(|(process, _)| process)
            .collect();
        let (events, causality) = match &self.course {
            None => arrange(self.plan, lanes),
            Some(course) => arrange_along(self.plan, lanes, &course.order),
        };
        Trace {
            engine: "kernel",
            events,
            beyond,
            causality,
            ends: (0..)
                .zip(&self.ends)
                .map(|(process, end)| match end {
                    Some(end) => *end,
                    None if self.table.post(process).is_open() => ProcessEnd::Stopped,
                    None => ProcessEnd::NotStarted,
                })
                .collect(),
            stuck: std::mem::take(&mut self.stuck),
            daemons: std::mem::take(&mut self.daemons),
            end,
            finals: self.objects.iter().map(|object| object.value()).collect(),
            counted,
            whole: self.full,
            lost,
            unfinished,
            unwatched: !self.watches,
            stalled,
            duration,
        }
    }

    /// Whether a run that ended so may have ended this process within a step. What sleeps or is blocked for ever does
    /// nothing, and what is held to a schedule is ended between the effects of its steps.
    fn is_cut_off(&self, process: ProcessId, end: &RunEnd) -> bool {
        let free = self.course.as_ref().is_none_or(|course| course.free);
        let blocked = self.stuck.iter().chain(&self.daemons).any(|waiting| waiting.process == process);
        let wait = self.consumers[process as usize].lane().waiting();
        free && !blocked
            && matches!(end, RunEnd::Timeout(_) | RunEnd::Interrupted | RunEnd::Limit(_))
            && self.ends[process as usize] == Some(ProcessEnd::Stopped)
            && wait.is_none_or(|wait| wait.target != record::NONE)
    }
}

/// The verbs of a plan, for reading its records.
pub(super) struct Names<'p>(pub(super) &'p Plan);

impl Verbs for Names<'_> {
    fn of_object(&self, object: ObjectId, verb: u8) -> Option<&'static str> {
        let object = self.0.objects.get(object as usize)?;
        self.0.groups[object.group].kind.verbs.get(verb as usize).map(|verb| verb.name)
    }

    fn of_step(&self, verb: u8) -> Option<&'static str> {
        STEPS.get(verb as usize).map(|verb| verb.name)
    }
}
