//! What a kind of object has to say of itself: its words, its kernel side, its model, its translation.

pub(crate) mod create_context;
pub(crate) mod declaration;
pub mod model;
pub mod operation;
pub mod promela;
pub mod verb_class;
pub(crate) mod verbs;
