//! Analyses of a finished search besides its expectations: races, starvation, the number of interleavings.

pub mod interleavings;
pub mod prospects;
pub(crate) mod race_freedom;
pub mod starvation;
