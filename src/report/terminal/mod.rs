//! Terminal reports: summaries, lists of events, blocked processes, progress.

pub(crate) mod blocked;
pub mod event_list;
pub mod exploration_summary;
pub mod interleaving;
pub mod process_output;
pub mod progress;
pub mod repeat_summary;
pub mod run_summary;
pub(crate) mod source_snippet;
pub mod stepping;
pub(crate) mod style;
pub mod trace_diff;
