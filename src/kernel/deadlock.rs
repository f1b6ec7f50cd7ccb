//! Finds processes that wait for ever, while it happens, and never says so of one that does not.
//!
//! A set of waiting processes is stuck when no process outside of it could unblock one of them. `Detector` knows from
//! the plan what each program could ever do; the greatest set that is closed under it is computed from what the
//! processes publish. Before it counts, every process of the set must have slept through a common instant: seen asleep
//! twice, with the same wait and the same number of context switches both times. A process that was woken and has not
//! run yet is not asleep for the kernel, so it is never taken for a stuck one.
//!
//! A process that a step has stopped by a signal does nothing until a step continues it, and is stuck where none is
//! left that could. One that was stopped from outside the run counts as running.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use super::process_table::Table;
use crate::event::{ObjectId, ProcessId, Target};
use crate::objects::kinds::process::ProcessVerb;
use crate::objects::{Enablers, Live};
use crate::os::process::{asleep, stopped};
use crate::scenario::plan::{Condition, Plan, Program};
use crate::scenario::steps::STEPS;
use crate::trace::Waiting;
use crate::trace::record;
use crate::trace::ring_buffer::Wait;
use std::rc::Rc;

/// How a process is, as far as its entry and its lane say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Status {
    Ended,
    /// It waits for a `start` step.
    Unstarted,
    /// It waits for what it depends on.
    Pending,
    /// It runs, or waits for something that ends by itself.
    Running,
    /// It waits, without a deadline.
    Waiting(Wait),
    /// A step's signal has stopped it. The end of its last event, ns of the clock of records.
    Stopped(u64),
}

/// What a program could ever do to others.
#[derive(Default)]
struct Powers {
    /// Each with the end that it is on; none where the object has no ends.
    verbs: HashSet<(ObjectId, &'static str, Option<&'static str>)>,
    starts: HashSet<ProcessId>,
    kills: HashSet<ProcessId>,
}

/// Which processes could unblock which, by the plan.
pub(super) struct Detector<'p> {
    plan: &'p Plan,
    powers: Vec<Powers>,
}

impl<'p> Detector<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        let powers = plan.programs.iter().map(|program| powers(plan, program)).collect();
        Self { plan, powers }
    }

    /// The processes that are stuck for ever, with what they wait for. Empty where none is, or where it is not certain.
    pub(super) fn stuck(
        &self,
        statuses: &[Status],
        objects: &[Rc<dyn Live>],
        table: &Table,
        ready: &dyn Fn(ProcessId, Condition) -> bool,
        look: &dyn Fn(ProcessId) -> Option<Wait>,
    ) -> Vec<Waiting> {
        let owners: Vec<_> = objects.iter().map(|object| object.owner()).collect();
        let mut inside: Vec<bool> =
            statuses.iter().map(|status| !matches!(status, Status::Ended | Status::Running)).collect();
        if !statuses.iter().any(|status| matches!(status, Status::Waiting(_) | Status::Stopped(_))) {
            return Vec::new();
        }
        // Processes outside the set that are alive, by program.
        let mut outside = vec![0usize; self.plan.programs.len()];
        for (process, status) in statuses.iter().enumerate() {
            if *status == Status::Running {
                outside[self.plan.processes[process].program] += 1;
            }
        }
        loop {
            let mut changed = false;
            for process in 0..statuses.len() {
                if inside[process]
                    && self.can_go_on(process as ProcessId, statuses, &inside, &outside, (&owners, table), ready)
                {
                    inside[process] = false;
                    outside[self.plan.processes[process].program] += 1;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
        let members: Vec<(ProcessId, Status)> = (0..)
            .zip(statuses)
            .filter(|(process, status)| {
                inside[*process as usize] && matches!(status, Status::Waiting(_) | Status::Stopped(_))
            })
            .map(|(process, status)| (process, *status))
            .collect();
        if members.is_empty() || !slept_through(&members, look, table) {
            return Vec::new();
        }
        // One of them may have started another after that was looked at, and have come to its wait since.
        let begun = |(process, status): (ProcessId, &Status)| {
            matches!(status, Status::Unstarted | Status::Pending) && table.post(process).is_open()
        };
        if (0..).zip(statuses).any(begun) {
            return Vec::new();
        }
        let told = members.iter().filter_map(|(process, status)| match status {
            Status::Waiting(wait) => Some(self.tell(*process, wait, &members, &owners, table)),
            Status::Stopped(since) => Some(Waiting::stopped(*process, since.saturating_sub(table.origin()))),
            _ => None,
        });
        told.collect()
    }

    /// Whether a process outside the set could unblock this process.
    fn can_go_on(
        &self,
        process: ProcessId,
        statuses: &[Status],
        inside: &[bool],
        outside: &[usize],
        (owners, table): (&[Option<ProcessId>], &Table),
        ready: &dyn Fn(ProcessId, Condition) -> bool,
    ) -> bool {
        let alive_outside = |other: ProcessId| !inside[other as usize] && statuses[other as usize] != Status::Ended;
        let can_any = |able: &dyn Fn(&Powers) -> bool| {
            self.powers.iter().zip(outside).any(|(powers, count)| *count > 0 && able(powers))
        };
        if can_any(&|powers| powers.kills.contains(&process)) {
            return true;
        }
        // The end of a process that it started is a signal to it.
        let program = self.plan.processes[process as usize].program;
        let begun = !matches!(statuses[process as usize], Status::Unstarted | Status::Pending);
        if begun
            && self.plan.programs[program].signals
            && self.powers[program].starts.iter().any(|one| alive_outside(*one))
        {
            return true;
        }
        // So is the end of the process that started it, where it is to be.
        if begun
            && self.plan.programs[program].parent_death.is_some()
            && table.starter(process).is_some_and(alive_outside)
        {
            return true;
        }
        match statuses[process as usize] {
            Status::Ended | Status::Running => true,
            // Only by a signal, which is checked above.
            Status::Stopped(_) => false,
            Status::Unstarted => can_any(&|powers| powers.starts.contains(&process)),
            Status::Pending => {
                let program = self.plan.program(process);
                program.depends_on.iter().all(|(first, count, condition)| {
                    (*first..first + count).all(|other| ready(other, *condition) || alive_outside(other))
                })
            }
            // For any process that it started: where none is left, it ends.
            Status::Waiting(wait) if wait.process && wait.target == record::NONE => {
                let mut left = children(table, statuses.len(), process).peekable();
                left.peek().is_none()
                    || left.any(|other| statuses[other as usize] == Status::Ended || alive_outside(other))
            }
            // For a signal: only by another process, which is checked above.
            Status::Waiting(wait) if wait.target == record::NONE => false,
            Status::Waiting(wait) if wait.process => {
                let other = wait.target;
                statuses[other as usize] == Status::Ended || alive_outside(other)
            }
            Status::Waiting(wait) => {
                let object = wait.target;
                let enablers = self.enablers(&wait, owners);
                if let Some(owner) = enablers.only {
                    return alive_outside(owner);
                }
                let able = |powers: &Powers| {
                    powers.verbs.iter().any(|(id, verb, end)| *id == object && enablers.has(verb, *end))
                };
                if can_any(&able) {
                    return true;
                }
                let ends = self.plan.objects[object as usize].object.ends();
                let closing = |other: usize| {
                    self.plan.processes[other]
                        .holds
                        .iter()
                        .any(|(held, end)| *held == object && enablers.closing.contains(&ends[*end as usize]))
                };
                !enablers.closing.is_empty()
                    && (0..statuses.len()).any(|other| alive_outside(other as ProcessId) && closing(other))
            }
        }
    }

    fn enablers(&self, wait: &Wait, owners: &[Option<ProcessId>]) -> Enablers {
        let object = &self.plan.objects[wait.target as usize].object;
        let verb = &self.plan.kind(wait.target).verbs[wait.verb as usize];
        let end = object.ends().get(wait.end as usize).copied();
        object.enablers(verb, end, owners[wait.target as usize])
    }

    fn tell(
        &self,
        process: ProcessId,
        wait: &Wait,
        members: &[(ProcessId, Status)],
        owners: &[Option<ProcessId>],
        table: &Table,
    ) -> Waiting {
        let mut waiting = describe(self.plan, process, wait, table.origin());
        match waiting.target {
            Target::Process(other) => waiting.on.push(other),
            Target::Object(object) => {
                let enablers = self.enablers(wait, owners);
                waiting.holder = enablers.only;
                match enablers.only {
                    Some(owner) => waiting.on.push(owner),
                    None => {
                        let able = |other: &ProcessId| self.plan.can_unblock(*other, process, object, &enablers);
                        waiting.on.extend(members.iter().map(|(other, _)| *other).filter(able));
                    }
                }
            }
            Target::None if wait.process => {
                waiting.on.extend(children(table, self.plan.processes.len(), process));
            }
            Target::None => {}
        }
        waiting
    }
}

/// What a process waits for, as a report tells it.
pub(super) fn describe(plan: &Plan, process: ProcessId, wait: &Wait, origin: u64) -> Waiting {
    let target = match wait.target {
        record::NONE => Target::None,
        id if wait.process => Target::Process(id),
        id => Target::Object(id),
    };
    let verb = match target {
        Target::Object(id) => plan.kind(id).verbs[wait.verb as usize].name,
        _ => STEPS[wait.verb as usize].name,
    };
    Waiting {
        process,
        step: Some(wait.step),
        verb: verb.to_owned(),
        target,
        since: wait.since.saturating_sub(origin),
        on: Vec::new(),
        holder: None,
    }
}

/// The processes that one has started and that are not joined.
fn children(table: &Table, count: usize, process: ProcessId) -> impl Iterator<Item = ProcessId> {
    let all = 0..count as ProcessId;
    all.filter(move |other| table.starter(*other) == Some(process) && !table.post(*other).is_joined())
}

/// Whether all of them slept through an instant that they share: between the two looks.
fn slept_through(members: &[(ProcessId, Status)], look: &dyn Fn(ProcessId) -> Option<Wait>, table: &Table) -> bool {
    let pid = |process: ProcessId| table.post(process).pid.load(Ordering::Acquire);
    let pass = || -> Option<Vec<u64>> {
        members
            .iter()
            .map(|(process, status)| match status {
                Status::Waiting(wait) => {
                    let switches = asleep(pid(*process))?;
                    (look(*process)?.number == wait.number).then_some(switches)
                }
                _ => stopped(pid(*process)),
            })
            .collect()
    };
    match pass() {
        Some(first) => pass().is_some_and(|second| first == second),
        None => false,
    }
}

fn powers(plan: &Plan, program: &Program) -> Powers {
    let mut powers = Powers::default();
    for operation in program.operations() {
        powers.verbs.extend(operation.on_objects().flat_map(|operand| {
            operand.objects().map(|id| {
                let end = plan.objects[id as usize].object.ends().get(operand.end as usize).copied();
                (id, plan.kind(id).verbs[operand.verb as usize].name, end)
            })
        }));
        for (verb, processes) in operation.on_processes() {
            match verb {
                ProcessVerb::Start => powers.starts.extend(processes),
                ProcessVerb::Kill if operation.signal() != Some(0) => powers.kills.extend(processes),
                _ => {}
            }
        }
    }
    powers
}
