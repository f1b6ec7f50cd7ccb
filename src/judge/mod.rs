//! Expectations over a trace: what held, what was measured, and which events decide it.
//!
//! [`judge`] looks at one run; a [`Tally`] adds up the runs of `--repeat`. A form of `[[expect]]` is a file of
//! `forms/`. This room sees a run only as a [`Trace`](crate::trace::Trace), whichever engine made it.

mod context;
mod finding;
mod forms;

pub use context::Context;
pub use finding::{Finding, Status};
pub use forms::{FORMS, Form, form};
