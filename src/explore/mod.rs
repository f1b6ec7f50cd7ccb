//! The explorer: every interleaving of a plan's processes over models of its objects.
//!
//! The same [`Machine`](crate::interpreter::Machine) that runs a process on the kernel runs it here, over objects'
//! [`Model`](crate::objects::Model)s. From the ground up:
//!
//! - `base`: interning, worker threads, estimates; it knows nothing of scenarios.
//! - `semantics`: what a transition is and what it does. `execute` carries one out, `process_state` is the local state,
//!   `program_analysis` what is known of a program without running it.
//! - `visited`: the visited set, its packing and its predecessor links.
//! - `history`: what a state keeps of the events before it, because an expectation asks for it.
//! - `state_space`: numbers local states, so that a state of the whole is a row of numbers and a transition that was
//!   computed once is looked up the next time.
//! - `reduction`: partial orders and symmetries.
//! - `execution`: a path made into a trace, a schedule made into a path, and the verdicts over single executions.
//! - `strategy`: breadth first, by several threads, bounded, random.
//! - `analysis`, `counterexample`: what is asked of a finished search.
//! - `run`, `distributed` and `stepper`: the entry points, for one machine, for parts of a search, and for one execution that is
//!   chosen step by step.

pub mod analysis;
pub mod base;
pub mod execution;
pub(crate) mod reduction;
pub mod semantics;
pub mod strategy;

pub mod budget;
pub mod counterexample;
pub mod distributed;
mod history;
pub mod looks;
pub mod run;
pub mod state_space;
pub mod stepper;
#[cfg(test)]
pub(crate) mod testing;
pub mod visited;

#[cfg(test)]
mod tests;
