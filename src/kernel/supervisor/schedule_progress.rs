//! How far a schedule has come, as the supervisor knows it.

use crate::event::ProcessId;
use crate::kernel::scheduler_gate::SchedulerGate;
use crate::scenario::plan::Plan;

/// How far a schedule has come.
pub(super) struct Course {
    pub(super) turnstile: SchedulerGate,
    /// Whether it chooses random numbers.
    pub(super) random: bool,
    /// ns of virtual time.
    pub(super) at: u64,
    /// Whose events were recorded, in their order.
    pub(super) order: Vec<ProcessId>,
    /// How many of each process's events are in it.
    known: Vec<u64>,
    /// The processes that have begun, and how many have not.
    pub(super) begun: Vec<bool>,
    pub(super) waiting: usize,
    /// Whether the turns are over and the remaining processes run freely.
    pub(super) free: bool,
}

impl Course {
    pub(super) fn new(plan: &Plan, turnstile: SchedulerGate, random: bool) -> Self {
        let processes = plan.processes.len();
        Self {
            turnstile,
            random,
            at: 0,
            order: Vec::new(),
            known: vec![0; processes],
            begun: vec![false; processes],
            waiting: processes,
            free: false,
        }
    }

    /// The number of events that the process has recorded so far.
    pub(super) fn record(&mut self, process: ProcessId, events: u64) {
        let known = &mut self.known[process as usize];
        for _ in *known..events {
            self.order.push(process);
        }
        *known = events.max(*known);
    }

    /// Whether a process has recorded more events than it has in the schedule, whose turns are over.
    pub(super) fn is_passed(&self, mut recorded: impl Iterator<Item = u64>) -> bool {
        self.free && self.known.iter().any(|known| recorded.next().is_some_and(|events| events > *known))
    }
}
