//! Data that several reports show, computed once: the timeline, statistics, the texts of events.

pub(crate) mod event_text;
pub(crate) mod level;
pub mod position;
pub(crate) mod statistics;
pub mod timeline_model;
