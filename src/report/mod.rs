//! Reports of a run for people and programs: one file for each format, a function of plan, trace and verdict.
//!
//! Nothing here reads the terminal or the environment: the caller decides on colour and width. `view` computes what
//! several reports show. `terminal` has the summaries of runs and explorations, lists of events and progress;
//! `timeline` draws a run in text, `html` as a page; `export` writes JSON and the formats of other tools, `ci` the
//! formats of CI servers and golden traces; `catalogue` writes the reference and the schema.

pub mod ci;
pub mod export;
pub mod terminal;
pub mod view;

pub mod assumptions;
pub mod catalogue;
pub mod html;
#[cfg(test)]
pub(crate) mod testing;
pub mod timeline;
