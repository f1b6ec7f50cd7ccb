//! ipcrun runs scenarios of inter-process communication on real processes and real kernel objects, and judges what
//! happened.
//!
//! ```text
//! file.toml ─ scenario ─> Plan ─┬─ kernel  (real processes, free or held to a schedule) ─┬─> Trace ─ judge ─> Verdict ─ report
//!                               └─ explore (every interleaving, in memory)              ─┘
//! ```
//!
//! Each arrow runs one way, and a module knows only modules on lower floors: a [`scenario::plan::Plan`]
//! is all that an engine sees of a scenario, a [`trace::Trace`] is all that the judge and the reports see of a run.

pub mod cli;
pub mod diagnostic;
pub mod event;
pub mod explore;
pub mod expression;
#[doc(hidden)]
pub mod generate;
pub mod interpreter;
pub mod judge;
pub mod kernel;
pub mod objects;
pub mod os;
pub mod outcome;
pub mod promela;
pub mod report;
pub mod scenario;
pub mod schedule;
pub mod text;
pub mod trace;
pub mod value;
