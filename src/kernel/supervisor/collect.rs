//! Makes the trace of what was taken from all lanes.

use super::Supervisor;
use crate::event::{ObjectId, ProcessId, StepId};
use crate::scenario::plan::Plan;
use crate::scenario::steps::STEPS;
use crate::trace::record::Verbs;
use crate::trace::{ProcessEnd, RunEnd, Trace, arrange, arrange_along};

impl Supervisor<'_> {
    /// The trace of a run, with its end and its duration in ns.
    pub(super) fn trace(&mut self, end: RunEnd, duration: u64) -> Trace {
        let origin = self.table.origin();
        let mut lost = Vec::new();
        let mut lanes = Vec::with_capacity(self.consumers.len());
        let names = Names(self.plan);
        for (process, consumer) in self.consumers.iter_mut().enumerate() {
            match consumer.events(process as ProcessId, origin, &names) {
                Ok(events) => lanes.push(events),
                Err(error) => {
                    lost.push(format!("{}: {error}", self.plan.processes[process].name));
                    lanes.push(Vec::new());
                }
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
        let (events, causality) = match &self.course {
            None => arrange(self.plan, lanes),
            Some(course) => arrange_along(self.plan, lanes, &course.order),
        };
        Trace {
            engine: "kernel",
            events,
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
            unwatched: !self.watches,
            stalled,
            duration,
        }
    }
}

/// The verbs of a plan, for reading its records.
struct Names<'p>(&'p Plan);

impl Verbs for Names<'_> {
    fn of_object(&self, object: ObjectId, verb: u8) -> Option<&'static str> {
        let object = self.0.objects.get(object as usize)?;
        self.0.groups[object.group].kind.verbs.get(verb as usize).map(|verb| verb.name)
    }

    fn of_step(&self, verb: u8) -> Option<&'static str> {
        STEPS.get(verb as usize).map(|verb| verb.name)
    }
}
