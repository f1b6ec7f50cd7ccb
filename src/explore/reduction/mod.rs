//! What the search may leave out: partial orders and symmetries.

pub(crate) mod ample_set;
pub(crate) mod independence;
pub(crate) mod symmetry;
