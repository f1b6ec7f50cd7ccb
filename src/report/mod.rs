//! What people and programs see of a run: one form a file, each made of the plan, the trace and what the judge found.
//!
//! Nothing here looks at a terminal or the environment: whoever calls decides on colour and width. `live` and
//! `progress` show a run while it goes on, `terminal` sums it up, `repeat` sums up several, `exploration` those of the model, of which `story` tells one; `text` lists its events,
//! `json` tells it to programs, `events` to a subscriber of `tracing`; `timeline` draws it in text, `spans` is what every
//! picture is made of. `chrome`, `mermaid` and `shiviz` write it for programs that draw; `suite` is what CI
//! servers see, which `junit` and `tap` write, and `annotations` what they show beside the file; `agreement` compares the
//! traces of two engines, `golden` a trace with one that is kept; `reference` and `schema`
//! tell the catalogue.

pub mod ci;
pub mod export;
pub mod terminal;
pub mod view;

pub mod catalogue;
pub mod html;
#[cfg(test)]
pub(crate) mod testing;
pub mod timeline;
