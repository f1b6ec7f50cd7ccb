//! Safe wrappers of what the kernel and libc give, one file a primitive: all `unsafe` of ipcrun lives here.
//!
//! Each block says why it is sound, each call which errno it can end with. Nothing here knows of scenarios.

#![allow(unsafe_code)]

pub mod arena;
pub mod barrier;
pub mod clock;
pub mod descriptor;
pub mod fault;
pub mod futex;
pub mod guard;
pub mod leftovers;
pub mod limits;
pub mod memory;
pub mod mqueue;
pub mod mutex;
pub mod pages;
pub mod pipe;
pub mod prefetch;
pub mod process;
pub mod semaphore;
pub mod signals;
pub mod socket;
pub mod sysv;
#[cfg(test)]
pub(crate) mod testing;
