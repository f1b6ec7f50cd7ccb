//! Transitions, and their effect on processes and objects.

pub mod choice_point;
pub(crate) mod event_log;
pub(crate) mod execute;
pub(crate) mod next_operation;
pub(crate) mod process_events;
pub(crate) mod process_state;
pub(crate) mod program_analysis;
pub mod transition;
pub(crate) mod wait_for;
