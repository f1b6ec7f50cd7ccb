//! SIGINT, SIGTERM and SIGHUP, read from a descriptor.

use std::io;

use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// The signals that ask ipcrun to end, taken from a descriptor as long as this lives.
pub(crate) struct Blocked {
    /// Can be read when one has come.
    pub(crate) fd: SignalFd,
    before: SigSet,
}

impl Blocked {
    /// Takes them from now on.
    ///
    /// # Errors
    /// Those of sigprocmask(2) and signalfd(2).
    pub(crate) fn new() -> io::Result<Self> {
        let mut set = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            set.add(signal);
        }
        let mut before = SigSet::empty();
        pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&set), Some(&mut before))?;
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Self { fd, before })
    }

    /// The next one that has come.
    pub(crate) fn take(&self) -> Option<Signal> {
        let information = self.fd.read_signal().ok().flatten()?;
        Signal::try_from(information.ssi_signo as i32).ok()
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&self.before), None);
    }
}
