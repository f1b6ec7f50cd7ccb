//! Tools of the search that know nothing of scenarios: interning, worker threads, counting distinct values.

pub mod distinct_count;
pub(crate) mod injected_bugs;
pub(crate) mod interner;
pub(crate) mod workers;
