//! Which processes may run: those that wait for nothing, and those whose `depends_on` has come true.

use super::Supervisor;
use crate::event::ProcessId;
use crate::scenario::plan::Condition;
use crate::trace::ProcessEnd;

impl Supervisor<'_> {
    /// Whether a condition of `depends_on` holds.
    pub(super) fn holds(&self, process: ProcessId, condition: Condition) -> bool {
        let post = self.table.post(process);
        match condition {
            Condition::Started => post.is_open(),
            Condition::Ready => post.is_ready(),
            Condition::Exited => self.has_ended(process),
            Condition::Succeeded => self.ends[process as usize] == Some(ProcessEnd::Exited(0)),
        }
    }

    /// Opens the gates of processes that wait for nothing.
    pub(super) fn open_first(&self) {
        for process in 0..self.plan.processes.len() as ProcessId {
            let program = self.plan.program(process);
            if !program.manual && program.depends_on.is_empty() {
                self.table.post(process).open();
            }
        }
        self.open_ready();
    }

    /// Whether the gate of a process is to be opened now, its conditions having come true.
    pub(super) fn is_due(&self, process: ProcessId) -> bool {
        let program = self.plan.program(process);
        !program.manual
            && !program.depends_on.is_empty()
            && !self.table.post(process).is_open()
            && !self.has_ended(process)
            && program
                .depends_on
                .iter()
                .all(|(first, count, condition)| (*first..first + count).all(|other| self.holds(other, *condition)))
    }

    /// Opens the gates of processes whose conditions have come true.
    pub(super) fn open_ready(&self) {
        loop {
            let mut opened = false;
            for process in 0..self.plan.processes.len() as ProcessId {
                opened |= self.is_due(process) && self.table.post(process).open();
            }
            if !opened {
                return;
            }
        }
    }
}
