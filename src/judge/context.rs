//! What a form may look at.
use crate::scenario::plan::Plan;
use crate::trace::Trace;

/// The run that is judged, and what several forms want to know of it.
pub struct Context<'a> {
    /// The scenario.
    pub plan: &'a Plan,
    /// The run.
    pub trace: &'a Trace,
}
