//! What a finished search is asked besides its expectations: races, starvation, the number of interleavings.

pub mod interleavings;
pub(crate) mod race_freedom;
pub mod starvation;
