//! The interface of a kind of object: names, kernel side, model, translation.

pub(crate) mod create_context;
pub(crate) mod declaration;
pub mod model;
pub mod promela;
pub mod verb_class;
