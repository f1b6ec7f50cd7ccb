//! The forms that continuous integration reads: suites, JUnit, TAP, CTRF, SARIF, annotations, golden traces.

pub mod annotations;
pub mod ctrf;
pub mod golden;
pub mod junit;
pub mod sarif;
pub mod tap;
pub mod test_suite;
