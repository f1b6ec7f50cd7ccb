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

pub mod analysis;
pub mod base;
pub mod execution;
pub(crate) mod reduction;
pub mod semantics;
pub mod strategy;

pub mod counterexample;
pub mod distributed;
mod history;
pub mod run;
pub mod state_space;
#[cfg(test)]
pub(crate) mod testing;
pub mod visited;

#[cfg(test)]
mod tests;
