//! What a trace file held, and the way back to a trace.

use super::meta::Meta;
use super::read::Fault;
use crate::diagnostic::Diagnostic;
use crate::event::{Event, ProcessId, StepId};
use crate::scenario::plan::Plan;
use crate::trace::{Beyond, ProcessEnd, RunEnd, Trace, Waiting, order};
use crate::value::Value;

/// A trace that was read, whose scenario is still text.
#[derive(Debug)]
pub struct Saved {
    pub file: String,
    /// The version of ipcrun that wrote it.
    pub ipcrun: String,
    /// The engine that made the run.
    pub engine: &'static str,
    /// The scenario's path when it ran.
    pub path: String,
    /// The scenario's whole text.
    pub text: String,
    /// Every param with the value it had, whether by `--set` or not.
    pub params: Vec<(String, Value)>,
    pub seed: u64,
    /// The longest the run could take, in ns.
    pub timeout: u64,
    /// `--set`, the machine and the moment.
    pub meta: Meta,
    /// Every object's name and kind.
    pub objects: Vec<(String, String)>,
    pub processes: Vec<String>,
    pub steps: Vec<SavedStep>,
    /// Each process's events, in its own order.
    pub lanes: Vec<Vec<Event>>,
    /// Whose events they are, in the order of the file; none where it has no order but each process's own.
    pub order: Option<Vec<ProcessId>>,
    /// Where the events did not fit in memory, what is known of them.
    pub beyond: Option<Beyond>,
    /// How each process ended.
    pub ends: Vec<ProcessEnd>,
    /// The processes that were stuck.
    pub stuck: Vec<Waiting>,
    /// What the daemons wait for that these wait for.
    pub daemons: Vec<Waiting>,
    /// How the run ended.
    pub end: RunEnd,
    /// The last value of each object, where it has one.
    pub finals: Vec<Option<Value>>,
    /// How often each step was carried out without an event of its own.
    pub counted: Vec<(StepId, u64)>,
    /// Whether every event was recorded one by one.
    pub whole: bool,
    /// What is missing, and why.
    pub lost: Vec<String>,
    /// The processes that may have been within a step as they ended.
    pub unfinished: Vec<ProcessId>,
    /// Whether a deadlock could not have been seen.
    pub unwatched: bool,
    /// How long the recorder held processes up, in ns.
    pub stalled: u64,
    /// From the run's begin to its end, in ns.
    pub duration: u64,
}

/// A step as the file names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SavedStep {
    /// The entry of `[processes]` it belongs to.
    pub process: String,
    pub verb: String,
    /// What it names, as written; empty where it names nothing.
    pub object: String,
    /// Its line, from 1.
    pub line: usize,
}

impl Saved {
    /// The trace, given the plan of [`Saved::text`] with [`Saved::params`] and [`Saved::seed`].
    ///
    /// # Errors
    /// Where the plan has other objects, processes or steps than the file, or an event names what the plan has not
    /// got: then the file was changed by hand, or this version reads the scenario otherwise.
    pub fn into_trace(self, plan: &Plan) -> Result<Trace, Vec<Diagnostic>> {
        if let Some(what) = self.differs(plan) {
            let message = format!("the trace and its scenario have different {what}");
            let help = format!("it was written by ipcrun {}; this is {}", self.ipcrun, env!("CARGO_PKG_VERSION"));
            return Err(vec![Fault::new(message).help(help).diagnostic(&self.file)]);
        }
        for event in self.lanes.iter().flatten() {
            let length = match event.target {
                crate::event::Target::Object(id) => plan.objects[id as usize].object.length().unwrap_or(0),
                _ => 0,
            };
            if let Some(element) = event.element.get().filter(|element| *element >= length) {
                let name = plan.target_name(event.target);
                return Err(vec![Fault::new(format!("`{name}` has no element {element}")).diagnostic(&self.file)]);
            }
        }
        let (events, causality) = match &self.order {
            None => order::arrange(plan, self.lanes),
            Some(order) if self.engine == "model" || self.meta.is_virtual() => {
                order::arrange_along(plan, self.lanes, order)
            }
            Some(order) => order::arrange_again(plan, self.lanes, order),
        };
        Ok(Trace {
            engine: self.engine,
            events,
            beyond: self.beyond,
            causality,
            ends: self.ends,
            stuck: self.stuck,
            daemons: self.daemons,
            end: self.end,
            finals: self.finals,
            counted: self.counted,
            whole: self.whole,
            lost: self.lost,
            unfinished: self.unfinished,
            unwatched: self.unwatched,
            stalled: self.stalled,
            duration: self.duration,
        })
    }

    /// The first table of names in which the plan is not the file's.
    fn differs(&self, plan: &Plan) -> Option<&'static str> {
        let objects = (0..).zip(&plan.objects).map(|(id, object)| (object.name.as_str(), plan.kind(id).name));
        let steps = plan
            .steps
            .iter()
            .map(|step| (plan.programs[step.program].name.as_str(), step.verb, step.object.as_str(), step.line));
        if !self.objects.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).eq(objects) {
            Some("objects")
        } else if !self.processes.iter().eq(plan.processes.iter().map(|process| &process.name)) {
            Some("processes")
        } else if !self
            .steps
            .iter()
            .map(|step| (step.process.as_str(), step.verb.as_str(), step.object.as_str(), step.line))
            .eq(steps)
        {
            Some("steps")
        } else {
            None
        }
    }
}
