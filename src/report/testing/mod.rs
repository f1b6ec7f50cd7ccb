//! Traces and verdicts for the tests of the reports.

#[cfg(test)]
pub(crate) mod trace_dsl;
#[cfg(test)]
pub(crate) mod verdicts;
