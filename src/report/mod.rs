//! What people and programs see of a run: one form a file, each made of the plan, the trace and what the judge found.
//!
//! Nothing here looks at a terminal or the environment: whoever calls decides on colour and width. `live` and
//! `progress` show a run while it goes on, `terminal` sums it up, `repeat` sums up
//! several, `text` lists its events, `json` tells it to
//! programs; `reference` and `schema` tell the catalogue.

mod facts;
#[cfg(test)]
mod fixture;
mod frame;
pub mod html;
pub mod json;
mod layout;
pub mod live;
pub mod progress;
pub mod reference;
pub mod repeat;
pub mod schema;
pub mod spans;
pub mod terminal;
pub mod text;
mod waits;
