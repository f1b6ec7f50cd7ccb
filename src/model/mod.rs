//! The imagined world: every interleaving of a plan's processes over models of its objects.
//!
//! The same [`Machine`](crate::interpreter::Machine) that runs a process on the kernel runs it here, over objects'
//! [`Model`](crate::objects::Model)s. `step` is what an execution is made of. `actor` carries out one turn: one
//! step that others can notice, and what the process does behind it. `program` is what is known of a program
//! without running it, `segment` is where a process stands, `whole` what a turn does to the others. `space` numbers
//! what processes and objects can be, so that a state of the whole is a few numbers and a turn that was taken once
//! is looked up the next time; `store` keeps the states, `together` has several threads look at them, who find what
//! one finds. `tell` follows a path again on real values and gives it as a trace and as turns, `follow` makes a
//! path of a schedule.

mod actor;
mod ample;
pub(crate) mod ask;
mod bounded;
pub mod chance;
mod components;
pub mod count;
pub mod explore;
pub mod follow;
mod future;
pub mod gather;
pub mod ladder;
mod layout;
mod length;
pub mod liveness;
mod log;
pub mod looks;
mod memories;
mod merge;
pub mod minimise;
mod mutant;
mod numbers;
mod parallel;
mod parents;
mod plain;
pub(crate) mod program;
mod races;
pub mod search;
mod segment;
pub mod shard;
pub mod sketch;
pub mod space;
pub mod step;
pub mod store;
pub mod story;
mod stuck;
mod symmetry;
mod table;
pub mod tell;
mod together;
mod walk;
mod walkers;
mod whole;

#[cfg(test)]
mod causes;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod threads;
#[cfg(test)]
mod verdicts;
