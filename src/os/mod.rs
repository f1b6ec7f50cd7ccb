//! Safe wrappers of system calls and libc, one file for each primitive: all `unsafe` of ipcrun lives here.
//!
//! Each block documents why it is sound, each call its errors. Nothing here depends on scenarios.

#![allow(unsafe_code)]

pub mod arena;
pub mod barrier;
pub mod clock;
pub mod descriptor;
pub mod eventfd;
pub mod fault;
pub mod fifo;
pub mod futex;
pub mod guard;
pub mod interrupts;
pub mod leftovers;
pub mod limits;
pub mod memory;
pub mod mqueue;
pub mod mutex;
pub mod pages;
pub mod pipe;
pub mod prefetch;
pub mod process;
pub mod segment;
pub mod semaphore;
pub mod signals;
pub mod socket;
pub mod sysv;
#[cfg(test)]
pub(crate) mod testing;
