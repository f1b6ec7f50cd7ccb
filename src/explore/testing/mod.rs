//! Checks of the explorer: random programs, brute force, one thread against several.

#[cfg(test)]
pub(crate) mod brute_force;
#[cfg(test)]
pub(crate) mod causality;
#[cfg(test)]
#[path = "../../../tests/corpus.rs"]
mod corpus;
#[cfg(test)]
mod metamorphic;
#[cfg(test)]
pub(crate) mod random_programs;
#[cfg(test)]
mod step_soundness;
#[cfg(test)]
pub(crate) mod thread_count;
