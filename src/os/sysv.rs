//! System V semaphores, message queues and segments, sysvipc(7), and the keeper that makes and removes them.
//!
//! An id of System V belongs to no process: it stays until it is removed. So ids are made by the [`Keeper`]
//! only, and the values here are plain numbers that use what it made.

mod keeper;
mod queue;
mod semaphore;

pub use keeper::{Keeper, Made, remove_left};
pub use queue::{HEAD, PRIORITY_MAX, SysvQueue};
pub use semaphore::{SEMAPHORE_MAX, SysvSemaphore};
