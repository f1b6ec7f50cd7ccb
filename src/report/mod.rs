//! What is shown to people and programs: one format a file, each a pure function of what it shows.

pub mod reference;
pub mod schema;
