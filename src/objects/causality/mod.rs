//! The order between events that objects impose.

pub(crate) mod accesses;
pub mod happens_before;
pub(crate) mod releases;
pub mod sync_clock;
