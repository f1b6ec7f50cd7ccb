//! Ctrl-C and its like, and the ends of children, read from a descriptor where this process waits for several things at once.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::fault;

/// The signals that ask ipcrun to end, and that of a child's end, blocked and taken from a descriptor as long as this
/// lives.
pub struct Blocked {
    fd: SignalFd,
    before: SigSet,
}

impl Blocked {
    /// Takes the signals that ask to end from now on; with `children`, SIGCHLD as well.
    ///
    /// # Errors
    /// `EMFILE`, `ENFILE`, `ENOMEM` of signalfd(2).
    pub fn new(children: bool) -> io::Result<Self> {
        let mut set = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            set.add(signal);
        }
        if children {
            set.add(Signal::SIGCHLD);
        }
        let mut before = SigSet::empty();
        pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&set), Some(&mut before))?;
        let open = || SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC);
        match fault::call("signalfd", &[Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM], open) {
            Ok(fd) => Ok(Self { fd, before }),
            Err(error) => {
                unblock(&before);
                Err(error.into())
            }
        }
    }

    /// The next signal that has come and asks to end.
    pub fn take(&self) -> Option<Signal> {
        loop {
            let information = match fault::call("read", &[Errno::EINTR], || self.fd.read_signal()) {
                Err(Errno::EINTR) => continue,
                Err(_) | Ok(None) => return None,
                Ok(Some(information)) => information,
            };
            match Signal::try_from(information.ssi_signo as i32) {
                Ok(Signal::SIGCHLD) | Err(_) => {}
                Ok(signal) => return Some(signal),
            }
        }
    }

    /// Takes all that have come. Whether one of them asks to end.
    pub fn ask_to_end(&self) -> bool {
        let mut asked = false;
        while self.take().is_some() {
            asked = true;
        }
        asked
    }
}

/// Can be read when a signal has come.
impl AsFd for Blocked {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        unblock(&self.before);
    }
}

fn unblock(before: &SigSet) {
    let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(before), None);
}
