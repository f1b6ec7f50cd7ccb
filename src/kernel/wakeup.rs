//! The bell with which a process calls the supervisor: an eventfd that both hold.

use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::os::fault;

/// An eventfd that never blocks: rung twice is rung once.
pub(super) struct Wakeup(EventFd);

impl Wakeup {
    pub(super) fn new() -> std::io::Result<Self> {
        let open = || EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK);
        Ok(Self(fault::call("eventfd", &[Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM], open)?))
    }

    pub(super) fn ring(&self) {
        // EAGAIN says that the counter is full: it is rung already.
        let _ = self.0.write(1);
    }

    pub(super) fn answer(&self) {
        let _ = self.0.read();
    }
}

impl AsFd for Wakeup {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
