//! The order between events that objects bring about.

pub mod happens_before;
pub(crate) mod releases;
pub mod sync_clock;
