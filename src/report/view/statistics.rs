//! Statistics of a trace: the use of objects, the ends of processes.

use crate::event::{ProcessId, Target};
use crate::scenario::plan::Plan;
use crate::trace::{ProcessEnd, Trace, Waiting};

/// How an object, or an array of them, was used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Usage {
    /// Steps on it that ended.
    pub operations: u64,
    /// Of these, the ones that did not end `ok`.
    pub failed: u64,
    /// Steps that had to wait, those that wait still among them.
    pub waited: u64,
    /// The longest wait, in ns.
    pub longest: u64,
    /// Steps that never ended.
    pub forever: u64,
}

impl Usage {
    fn add(&mut self, other: Self) {
        self.operations += other.operations;
        self.failed += other.failed;
        self.waited += other.waited;
        self.longest = self.longest.max(other.longest);
        self.forever += other.forever;
    }
}

/// How each object was used, by its id. Steps that were only counted are not in it: see [`groups`].
pub(crate) fn objects(plan: &Plan, trace: &Trace) -> Vec<Usage> {
    let mut all = vec![Usage::default(); plan.objects.len()];
    for event in trace.events.iter().filter(|event| !event.implicit) {
        if let Target::Object(id) = event.target {
            let usage = &mut all[id as usize];
            usage.operations += 1;
            usage.failed += u64::from(!event.outcome.is_ok());
            if event.blocked {
                usage.waited += 1;
                usage.longest = usage.longest.max(event.duration());
            }
        }
    }
    for waiting in unfinished(trace) {
        if let Target::Object(id) = waiting.target {
            let usage = &mut all[id as usize];
            usage.forever += 1;
            usage.waited += 1;
            usage.longest = usage.longest.max(trace.duration.saturating_sub(waiting.since));
        }
    }
    all
}

/// How each entry of `[objects]` was used, by its place. Here also count the steps that were carried out without an
/// event of their own, as far as a step names its object by its entry.
pub(crate) fn groups(plan: &Plan, trace: &Trace) -> Vec<Usage> {
    let mut all = vec![Usage::default(); plan.groups.len()];
    for (object, usage) in plan.objects.iter().zip(objects(plan, trace)) {
        all[object.group].add(usage);
    }
    for (step, count) in &trace.counted {
        let written = &plan.steps[*step as usize].object;
        let name = written.split(['[', '.']).next().unwrap_or(written);
        if let Some(group) = plan.groups.iter().position(|group| group.name == name) {
            all[group].operations += count;
        }
    }
    all
}

/// The processes that were in a step when the run ended without it.
pub(crate) fn unfinished(trace: &Trace) -> &[Waiting] {
    trace.end.doing().filter(|_| trace.stuck.is_empty()).unwrap_or(&trace.stuck)
}

/// The processes of each program that ended in the same way, in the plan's order.
pub(crate) fn endings(plan: &Plan, trace: &Trace) -> Vec<(Vec<ProcessId>, ProcessEnd)> {
    let mut all: Vec<(Vec<ProcessId>, ProcessEnd)> = Vec::new();
    // Where the groups of this program begin: those before it take no more.
    let (mut program, mut start) = (usize::MAX, 0);
    for (process, end) in (0..).zip(&trace.ends) {
        let Some(here) = plan.processes.get(process as usize) else { break };
        if here.program != program {
            (program, start) = (here.program, all.len());
        }
        match all[start..].iter_mut().find(|(_, other)| other == end) {
            Some((processes, _)) => processes.push(process),
            None => all.push((vec![process], *end)),
        }
    }
    all
}

/// How a process ended, as said after its name.
pub(crate) fn ending(end: ProcessEnd) -> String {
    match end {
        ProcessEnd::NotStarted => "never started".to_owned(),
        ProcessEnd::Exited(code) => format!("exited {code}"),
        ProcessEnd::Killed(number) => format!("killed by {}", signal(number)),
        ProcessEnd::Crashed(number) => format!("crashed: {}", signal(number)),
        ProcessEnd::Stopped => "stopped with the run".to_owned(),
    }
}

/// A signal's name, or its number where it has none.
pub(crate) fn signal(number: i32) -> String {
    nix::sys::signal::Signal::try_from(number)
        .map_or_else(|_| format!("signal {number}"), |signal| signal.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::file::fixture;

    fn waiting(process: ProcessId, on: &[ProcessId], holder: Option<ProcessId>) -> Waiting {
        Waiting {
            process,
            step: None,
            verb: "lock".to_owned(),
            target: Target::Object(0),
            since: 1_000,
            on: on.to_vec(),
            holder,
        }
    }

    #[test]
    fn what_waits_for_ever_counts_as_a_wait() {
        let plan = fixture::workers();
        let mut trace = fixture::work(&plan);
        trace.stuck = vec![waiting(1, &[], None)];
        trace.counted = vec![(0, 1_000), (1, 5)];
        let usage = Usage { operations: 1_006, failed: 0, waited: 2, longest: trace.duration - 1_000, forever: 1 };
        assert_eq!(groups(&plan, &trace), [usage]);
    }

    #[test]
    fn processes_of_a_program_are_told_together_by_how_they_ended() {
        let plan = fixture::plan("", &[], &[("main", None, 0), ("worker", Some(4), 0)]);
        let mut trace = fixture::trace(&plan, Vec::new());
        trace.ends[2] = ProcessEnd::Killed(9);
        let exited = ProcessEnd::Exited(0);
        assert_eq!(
            endings(&plan, &trace),
            [(vec![0], exited), (vec![1, 3, 4], exited), (vec![2], ProcessEnd::Killed(9))]
        );
        assert_eq!(ending(ProcessEnd::Killed(9)), "killed by SIGKILL");
        assert_eq!(ending(ProcessEnd::Crashed(40)), "crashed: signal 40");
    }
}
