//! A trace in the formats of other tools.

pub mod chrome;
pub mod json;
pub mod mermaid;
pub mod shiviz;
pub mod tracing_events;
