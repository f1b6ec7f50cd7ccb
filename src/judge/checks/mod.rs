//! Checks of a whole trace that expectations share.

pub(crate) mod accesses;
pub(crate) mod concurrency;
pub(crate) mod fifo;
