//! Reductions of the search: partial order and symmetry.

pub(crate) mod ample_set;
pub(crate) mod independence;
pub(crate) mod symmetry;
