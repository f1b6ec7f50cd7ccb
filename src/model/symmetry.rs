//! Symmetry: processes of which none can be told from another can change places without anything being different. Of
//! the states that arise from one another by that, one stands for all: the one whose numbers are in order.

use std::ops::Range;

use super::space::{Move, Space};
use crate::event::ProcessId;
use crate::scenario::expectation::{Argument, BlockedAt, Pattern};
use crate::scenario::plan::{Action, Fact, Plan, Processes};

/// The groups of processes that can change places.
#[derive(Clone)]
pub(super) struct Symmetry {
    groups: Vec<Range<usize>>,
    /// By process: whether the process before it belongs to the same group.
    follows: Vec<bool>,
}

impl Symmetry {
    /// Finds the groups of a plan: processes of one program that never asks who it is, hold the same, and are never
    /// named one by one.
    pub(super) fn new(space: &Space<'_>) -> Self {
        let plan = space.plan;
        let mut groups = Vec::new();
        for program in &plan.programs {
            let range = program.first as usize..program.first as usize + program.count.unwrap_or(1) as usize;
            let same = range.clone().all(|process| {
                space.classes[process] == space.classes[range.start]
                    && plan.processes[process].holds == plan.processes[range.start].holds
            });
            if range.len() > 1 && same && !is_told_apart(plan, range.start as ProcessId..range.end as ProcessId) {
                groups.push(range);
            }
        }
        let mut follows = vec![false; plan.processes.len()];
        for group in &groups {
            follows[group.start + 1..group.end].fill(true);
        }
        Self { groups, follows }
    }

    /// Whether there is any.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Makes of a state the one that stands for it.
    pub(super) fn settle(&self, state: &mut [u32]) {
        for group in &self.groups {
            let part = &mut state[group.clone()];
            // Mostly one of them has changed: insertion.
            for at in 1..part.len() {
                let mut place = at;
                while place > 0 && part[place - 1] > part[place] {
                    part.swap(place - 1, place);
                    place -= 1;
                }
            }
        }
    }

    /// Leaves out moves that lead where another leads: those of a process that stands where its neighbour does.
    pub(super) fn thin(&self, state: &[u32], moves: &mut Vec<Move>) {
        moves.retain(|step| {
            let process = step.process as usize;
            process >= self.follows.len() || !self.follows[process] || state[process] != state[process - 1]
        });
    }
}

/// Whether something names one of these processes and not all of them.
fn is_told_apart(plan: &Plan, group: Range<ProcessId>) -> bool {
    let splits = |range: &Range<ProcessId>| {
        let common = range.start.max(group.start)..range.end.min(group.end);
        !common.is_empty() && common != group
    };
    let list = |processes: &[ProcessId]| {
        let named = processes.iter().filter(|process| group.contains(process)).count();
        named != 0 && named != group.len()
    };
    let pattern = |pattern: &Pattern| {
        pattern.processes.as_ref().is_some_and(splits)
            || matches!(&pattern.target, Some(crate::scenario::expectation::PatternTarget::Processes(range)) if splits(range))
    };
    let steps = |processes: &Processes, result: bool| {
        let range = processes.range();
        splits(&range) || !range.is_empty() && group.contains(&range.start) && (processes.index.is_some() || result)
    };
    let by_step = plan.operations().any(|operation| match &operation.action {
        Action::Start(processes) | Action::Kill(processes, _) => steps(processes, false),
        // Which of several exit statuses is given depends on their order.
        Action::Join(processes) => steps(processes, operation.into.is_some()),
        Action::Status(processes) => steps(processes, true),
        _ => false,
    });
    let by_fact = plan.facts.iter().any(|fact| match fact {
        Fact::Count(named) => pattern(named),
        Fact::Blocked(processes) | Fact::Ended(processes) => list(processes),
        Fact::Exit(process) => group.contains(process),
        // The value of what has an owner is the owner's name.
        Fact::Value(at) => plan.objects[plan.groups[*at].first as usize].object.has_owner(),
        Fact::Size(_) | Fact::Inside(_) => false,
    });
    let blocked = |at: &BlockedAt| list(&at.processes);
    let by_expectation = plan.expectations.iter().flat_map(|expectation| &expectation.arguments).any(
        |(_, argument, _)| match argument {
            Argument::Patterns(patterns) => patterns.iter().any(pattern),
            Argument::Processes(Some(processes)) => list(processes),
            Argument::Blocked(lists) => lists.iter().flatten().any(blocked),
            _ => false,
        },
    );
    by_step || by_fact || by_expectation
}
