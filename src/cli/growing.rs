//! A trace file that grows while its run is on, beside the file that takes its place at the end: `NAME.PID.partial`.
//!
//! It has the events as they are collected. Where they fit in memory, the file that is kept has them in the trace's order
//! instead, and the growing one is removed; where they do not, it is what is kept.

use std::io;
use std::path::Path;

use super::files::Replacing;
use super::run_scenario;
use crate::event::Event;
use crate::judge::Matches;
use crate::kernel::Spool;
use crate::scenario::plan::Plan;
use crate::trace::file::{self, Meta, Ordering, TraceFile};
use crate::trace::{Limit, RunEnd, Trace};

/// The part of the free space that the file may take.
const PART: u64 = 4;

/// The file, and what is counted of its events.
pub(crate) struct Growing<'p> {
    plan: &'p Plan,
    file: TraceFile<'p, Replacing>,
    matches: Matches<'p>,
    suffices: bool,
    /// How many bytes it may have.
    most: Option<u64>,
    error: Option<io::Error>,
}

impl<'p> Growing<'p> {
    /// Begins the file. `suffices` says that nothing else wants the events.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn begin(mut file: Replacing, plan: &'p Plan, meta: &Meta, suffices: bool) -> io::Result<Self> {
        file.appear()?;
        let most = file.free().map(|free| free / PART);
        let mut file = TraceFile::begin(file, plan, "kernel", meta, Ordering::Recorded)?;
        file.flush()?;
        Ok(Self { plan, file, matches: Matches::new(plan), suffices, most, error: None })
    }

    /// Puts the trace of the run in its place, and tells it how many events match its expectations where they did not fit in
    /// memory.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn keep(mut self, path: &Path, trace: &mut Trace, meta: &Meta) -> io::Result<()> {
        let plan = self.plan;
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if let Some(beyond) = &mut trace.beyond {
            beyond.matches = self.matches.counts().to_vec();
            return self.file.finish(trace)?.keep();
        }
        // The growing one stays until this has its place.
        let mut file = run_scenario::create(path)?;
        file::write(&mut file, plan, trace, meta)?;
        run_scenario::keep(file)
    }
}

impl Spool for Growing<'_> {
    fn take(&mut self, event: &Event) {
        self.matches.take(event);
        if self.error.is_none() {
            self.error = self.file.event(event).err();
        }
    }

    fn flush(&mut self) -> Option<RunEnd> {
        if self.error.is_none() {
            self.error = self.file.flush().err();
        }
        if self.error.is_some() {
            return Some(RunEnd::Interrupted);
        }
        self.most.filter(|most| self.file.bytes() >= *most).map(|most| RunEnd::Limit(Limit::File(most)))
    }

    fn suffices(&self) -> bool {
        self.suffices
    }
}
