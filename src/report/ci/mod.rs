//! The forms that continuous integration reads: suites, JUnit, TAP, annotations, golden traces.

pub mod annotations;
pub mod golden;
pub mod junit;
pub mod tap;
pub mod test_suite;
