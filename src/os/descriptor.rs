//! A file descriptor that a process can close early, and waiting on one with a deadline.

use std::cell::Cell;
use std::ffi::CString;
use std::io;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollTimeout};

use super::{clock, fault, interrupts};

/// A descriptor held by this process until it is closed; then every use of it ends with EBADF.
///
/// Children inherit descriptors over fork, so each process has a copy of this value and closes its own.
#[derive(Debug)]
pub struct Descriptor(Cell<RawFd>);

const NONE: RawFd = -1;

impl Descriptor {
    pub fn new(fd: OwnedFd) -> Self {
        Self(Cell::new(fd.into_raw_fd()))
    }

    pub const fn empty() -> Self {
        Self(Cell::new(NONE))
    }

    /// Holds a descriptor, and closes the one held so far.
    pub fn set(&self, fd: OwnedFd) {
        self.close();
        self.0.set(fd.into_raw_fd());
    }

    /// The descriptor's number.
    ///
    /// # Errors
    /// EBADF if this process has closed it.
    #[inline]
    pub fn raw(&self) -> Result<RawFd, i32> {
        match self.0.get() {
            NONE => Err(libc::EBADF),
            fd => Ok(fd),
        }
    }

    /// Whether this process holds it.
    pub fn is_open(&self) -> bool {
        self.0.get() != NONE
    }

    /// Lets go of it, in this process. Free where nothing is held.
    pub fn close(&self) {
        let fd = self.0.replace(NONE);
        if fd != NONE {
            // SAFETY: this value owns the descriptor, and has just forgotten it.
            unsafe { libc::close(fd) };
        }
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        self.close();
    }
}

/// The calling thread's errno.
pub(super) fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

/// The result of a call that gives -1 and errno where it fails.
pub(super) fn result(returned: isize) -> Result<usize, i32> {
    usize::try_from(returned).map_err(|_| errno())
}

/// Opens what a descriptor is of once more, through /proc: another open file. It is closed at exec.
///
/// # Errors
/// ENOENT: there is no /proc. Others of open(2).
pub(super) fn reopen(fd: RawFd, flags: libc::c_int) -> Result<OwnedFd, i32> {
    let path = CString::new(format!("/proc/self/fd/{fd}")).map_err(|_| libc::EINVAL)?;
    let opened = fault::call("open", &[Errno::EMFILE, Errno::ENOENT], || {
        // SAFETY: the path is a C string that lives over the call.
        unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC) }
    });
    let opened = result(opened as isize)? as RawFd;
    // SAFETY: open has just made it, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(opened) })
}

/// Waits until something can be read from `fd`, or its end of file has come. `false` where `deadline`, in ns of
/// `CLOCK_MONOTONIC`, passes first; what is there already is seen whatever the deadline. None waits for ever.
///
/// # Errors
/// EBADF, EINVAL, ENOMEM of ppoll(2). EINTR: a signal came that is let in.
pub fn wait_readable(fd: RawFd, deadline: Option<u64>) -> Result<bool, i32> {
    wait(fd, libc::POLLIN, deadline)
}

/// Waits until something can be written to `fd`, or no reader is left. As [`wait_readable`] otherwise.
///
/// # Errors
/// As [`wait_readable`].
pub fn wait_writable(fd: RawFd, deadline: Option<u64>) -> Result<bool, i32> {
    wait(fd, libc::POLLOUT, deadline)
}

fn wait(fd: RawFd, events: libc::c_short, deadline: Option<u64>) -> Result<bool, i32> {
    let mut asked = libc::pollfd { fd, events, revents: 0 };
    loop {
        let left = deadline.map(remaining);
        let timeout = left.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let ready = fault::call("ppoll", &[Errno::EINTR, Errno::ENOMEM], || {
            // SAFETY: `asked` is one pollfd, `timeout` null or a timespec that lives over the call; the mask is null.
            unsafe { libc::ppoll(&raw mut asked, 1, timeout, std::ptr::null()) }
        });
        match result(ready as isize) {
            Ok(0) => return Ok(false),
            Ok(_) if asked.revents & libc::POLLNVAL != 0 => return Err(libc::EBADF),
            Ok(_) => return Ok(true),
            Err(libc::EINTR) if !interrupts::is_noted() => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// poll(2) for that many ms at most: how many descriptors are ready, 0 where a signal came first.
///
/// # Errors
/// `ENOMEM`.
pub fn poll(fds: &mut [PollFd<'_>], milliseconds: PollTimeout) -> io::Result<usize> {
    match fault::call("poll", &[Errno::EINTR, Errno::ENOMEM], || nix::poll::poll(fds, milliseconds)) {
        Ok(ready) => Ok(ready.max(0) as usize),
        Err(Errno::EINTR) => Ok(0),
        Err(errno) => Err(errno.into()),
    }
}

/// The time from now until `deadline`, in ns of `CLOCK_MONOTONIC`; zero where it has passed.
pub(super) fn remaining(deadline: u64) -> libc::timespec {
    clock::timespec(deadline.saturating_sub(clock::now()))
}
