//! Ctrl-C and its like, and the ends of children, read from a descriptor where this process waits for several things at once.

use std::cell::Cell;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::fault;

/// The signals that ask ipcrun to end.
const ASKING: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

thread_local! {
    /// How many [`Held`] this thread has, and what was blocked before the first.
    static HOLDERS: Cell<(usize, Option<SigSet>)> = const { Cell::new((0, None)) };
}

/// As long as this lives, signals that ask to end are pending and end nothing: what exists now will be removed first.
#[derive(Debug)]
pub struct Held(PhantomData<*const ()>);

impl Held {
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it is made for its effect")]
    pub fn new() -> Self {
        let (holders, mut before) = HOLDERS.get();
        if holders == 0 {
            let (set, mut old) = (SigSet::from_iter(ASKING), SigSet::empty());
            // It fails for no set and no such way of changing it.
            let _ = pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&set), Some(&mut old));
            before = Some(old);
        }
        HOLDERS.set((holders + 1, before));
        Self(PhantomData)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let (holders, before) = HOLDERS.get();
        // A forked process may have released them all.
        let holders = holders.saturating_sub(1);
        HOLDERS.set((holders, before));
        if let (0, Some(before)) = (holders, before) {
            HOLDERS.set((0, None));
            let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None);
        }
    }
}

/// Unblocks every signal, whatever was held: one that is pending has its effect then.
///
/// # Errors
/// None that the kernel documents.
pub(super) fn release_all() -> io::Result<()> {
    HOLDERS.set((0, None));
    fault::call("sigprocmask", &[Errno::EPERM], || SigSet::empty().thread_set_mask()).map_err(io::Error::from)
}

/// The signals that ask ipcrun to end, and that of a child's end, held and taken from a descriptor as long as this lives.
pub struct Blocked {
    fd: Arc<SignalFd>,
    /// Whether SIGCHLD is blocked here.
    children: bool,
    _held: Held,
}

impl Blocked {
    /// Takes the signals that ask to end from now on; with `children`, SIGCHLD as well.
    ///
    /// # Errors
    /// `EMFILE`, `ENFILE`, `ENOMEM` of signalfd(2).
    pub fn new(children: bool) -> io::Result<Self> {
        let held = Held::new();
        let mut set = SigSet::from_iter(ASKING);
        if children {
            set.add(Signal::SIGCHLD);
        }
        let open = || SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC);
        let fd = fault::call("signalfd", &[Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM], open)?;
        if children {
            change(SigmaskHow::SIG_BLOCK, Signal::SIGCHLD);
        }
        Ok(Self { fd: Arc::new(fd), children, _held: held })
    }

    /// The next signal that has come and asks to end.
    pub fn take(&self) -> Option<Signal> {
        take(&self.fd)
    }

    /// The same for any thread: whether a signal has come that asks to end, which is taken then.
    pub fn asked(&self) -> impl Fn() -> bool + Send + Sync + 'static + use<> {
        let fd = Arc::clone(&self.fd);
        move || take(&fd).is_some()
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

fn take(fd: &SignalFd) -> Option<Signal> {
    loop {
        let information = match fault::call("read", &[Errno::EINTR], || fd.read_signal()) {
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

/// Can be read when a signal has come.
impl AsFd for Blocked {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        if self.children {
            change(SigmaskHow::SIG_UNBLOCK, Signal::SIGCHLD);
        }
    }
}

/// Changes whether one signal is blocked. It fails for no signal.
fn change(how: SigmaskHow, signal: Signal) {
    let _ = pthread_sigmask(how, Some(&SigSet::from_iter([signal])), None);
}
