//! Text to checked [`plan::Plan`].

pub mod expectation;
pub mod plan;
