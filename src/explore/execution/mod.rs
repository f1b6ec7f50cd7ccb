//! Single executions: paths to traces, schedules to paths, and the verdicts over them.

pub mod concretise;
pub mod guided;
pub mod verdicts;
