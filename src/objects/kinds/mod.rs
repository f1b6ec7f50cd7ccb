//! The kinds of objects, a room for each.

pub(crate) mod array;
pub(crate) mod barrier;
pub(crate) mod cells;
pub(crate) mod condition;
pub(crate) mod event;
pub(crate) mod mutex;
pub(crate) mod pipe;
pub(crate) mod queue;
pub(crate) mod semaphore;
pub(crate) mod value;
