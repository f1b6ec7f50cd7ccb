//! Single executions: a path made into a trace, a schedule made into a path, and the verdicts over them.

pub mod concretise;
pub mod guided;
pub mod verdicts;
