//! pipe(2): a stream of bytes, or of packets (`O_DIRECT`), from those that hold the writing end to those that hold
//! the reading end.
//!
//! | errno | read | write |
//! | --- | --- | --- |
//! | EAGAIN | nothing there, and not to wait | no room, and not to wait |
//! | EBADF | this process has closed the end | the same |
//! | EINTR | a signal's handler ran before anything was moved | the same |
//! | EPIPE | | no process holds the reading end (SIGPIPE must be ignored) |
//!
//! An end of file is no error: 0 bytes read.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::descriptor::{Descriptor, errno, reopen, result};
use super::fault;

/// The most bytes that one write puts into a pipe as a whole, and the size of a packet.
pub const PACKET: usize = libc::PIPE_BUF;

/// The bytes that a pipe's capacity counts for one packet: a page.
pub fn page() -> u64 {
    // SAFETY: a plain query.
    u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// Makes a pipe: the reading end, the writing end. With `packets`, what one write puts is what one read takes, as
/// long as both are at most [`PACKET`] bytes.
///
/// # Errors
/// EMFILE, ENFILE: too many descriptors are open in this process, in the system.
pub fn pipe(packets: bool) -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds = [-1; 2];
    let flags = libc::O_CLOEXEC | if packets { libc::O_DIRECT } else { 0 };
    let made = fault::call("pipe2", &[Errno::EMFILE, Errno::ENFILE], || {
        // SAFETY: `fds` has room for the two descriptors.
        unsafe { libc::pipe2(fds.as_mut_ptr(), flags) }
    });
    if made != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: pipe2 has just made both, and nothing else owns them.
    Ok(unsafe { (OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])) })
}

/// Asks for room for `bytes`, and gives what the pipe then has: a power of two of pages.
///
/// # Errors
/// EPERM: over fs.pipe-max-size, or the user has too many pages in pipes, without `CAP_SYS_RESOURCE`. EBUSY: more
/// than that is in the pipe now. EINVAL: over what any process may ask for.
pub fn set_capacity(pipe: RawFd, bytes: u64) -> io::Result<u64> {
    let bytes = libc::c_int::try_from(bytes).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let given = fault::call("F_SETPIPE_SZ", &[Errno::EPERM, Errno::ENOMEM], || {
        // SAFETY: F_SETPIPE_SZ takes an int.
        unsafe { libc::fcntl(pipe, libc::F_SETPIPE_SZ, bytes) }
    });
    u64::try_from(given).map_err(|_| io::Error::last_os_error())
}

/// The room that a pipe has, in bytes.
///
/// # Errors
/// EBADF: it is no pipe.
pub fn capacity(pipe: RawFd) -> io::Result<u64> {
    // SAFETY: F_GETPIPE_SZ takes no argument.
    let given = unsafe { libc::fcntl(pipe, libc::F_GETPIPE_SZ) };
    u64::try_from(given).map_err(|_| io::Error::last_os_error())
}

/// Reads at most `max` bytes, behind what `buffer` holds. Waits while nothing is there.
///
/// # Errors
/// See the table above.
#[inline]
pub fn read(fd: RawFd, buffer: &mut Vec<u8>, max: usize) -> Result<usize, i32> {
    fill(buffer, max, |to, room| {
        // SAFETY: `to` has `room` bytes of spare capacity.
        fault::call("read", &[Errno::EINTR], || unsafe { libc::read(fd, to.cast(), room) })
    })
}

/// Writes the two parts as one. Waits while there is no room.
///
/// # Errors
/// See the table above.
#[inline]
pub fn write(fd: RawFd, first: &[u8], second: &[u8]) -> Result<usize, i32> {
    if second.is_empty() {
        let written = fault::call("write", &[Errno::EINTR], || {
            // SAFETY: the pointer and the length are those of a slice.
            unsafe { libc::write(fd, first.as_ptr().cast(), first.len()) }
        });
        return result(written);
    }
    let parts = [IoSlice::new(first), IoSlice::new(second)];
    // SAFETY: IoSlice has the layout of iovec, and both parts live over the call.
    result(fault::call("writev", &[Errno::EINTR], || unsafe { libc::writev(fd, parts.as_ptr().cast(), 2) }))
}

/// A pipe's end opened a second time, so that calls on it do not wait. Whether a call waits belongs to the open
/// file that all processes share, and not to the call.
///
/// `twin` is filled on first use and lives as long as the end does; closing one closes the other. Without
/// a /proc to open it by, the flag `RWF_NOWAIT` is used instead, which pipes take from Linux 6.4 on.
#[derive(Debug)]
pub struct Impatient {
    twin: Descriptor,
}

impl Impatient {
    pub const fn new() -> Self {
        Self { twin: Descriptor::empty() }
    }

    /// Lets go of it, in this process.
    pub fn close(&self) {
        self.twin.close();
    }

    /// As [`read`], but ends with EAGAIN where it would wait.
    ///
    /// # Errors
    /// See the table above.
    pub fn read(&self, fd: RawFd, buffer: &mut Vec<u8>, max: usize) -> Result<usize, i32> {
        match self.open(fd, libc::O_RDONLY) {
            Ok(twin) => read(twin, buffer, max),
            Err(_) => fill(buffer, max, |to, room| {
                let part = libc::iovec { iov_base: to.cast(), iov_len: room };
                fault::call("preadv2", &[Errno::EINTR], || {
                    // SAFETY: `part` names spare capacity of that size; an offset of -1 means the current one.
                    unsafe { libc::preadv2(fd, &raw const part, 1, -1, libc::RWF_NOWAIT) }
                })
            }),
        }
    }

    /// As [`write()`], but ends with EAGAIN where it would wait.
    ///
    /// # Errors
    /// See the table above.
    pub fn write(&self, fd: RawFd, first: &[u8], second: &[u8]) -> Result<usize, i32> {
        if let Ok(twin) = self.open(fd, libc::O_WRONLY) {
            return write(twin, first, second);
        }
        let parts = [IoSlice::new(first), IoSlice::new(second)];
        // SAFETY: IoSlice has the layout of iovec, and both parts live over the call.
        result(unsafe { libc::pwritev2(fd, parts.as_ptr().cast(), 2, -1, libc::RWF_NOWAIT) })
    }

    fn open(&self, fd: RawFd, direction: libc::c_int) -> Result<RawFd, i32> {
        if let Ok(twin) = self.twin.raw() {
            return Ok(twin);
        }
        // SAFETY: F_GETFL takes no argument.
        let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
        let flags = result(flags as isize)? as libc::c_int & libc::O_DIRECT;
        let twin = reopen(fd, direction | flags | libc::O_NONBLOCK)?;
        let number = twin.as_raw_fd();
        self.twin.set(twin);
        Ok(number)
    }
}

impl Default for Impatient {
    fn default() -> Self {
        Self::new()
    }
}

/// Appends to `buffer` what `call` reads into its spare capacity of at least `max` bytes.
#[inline]
pub(super) fn fill(buffer: &mut Vec<u8>, max: usize, call: impl FnOnce(*mut u8, usize) -> isize) -> Result<usize, i32> {
    buffer.reserve(max);
    let length = buffer.len();
    let returned = call(buffer.spare_capacity_mut().as_mut_ptr().cast(), max);
    if returned < 0 {
        return Err(errno());
    }
    let read = (returned as usize).min(max);
    // SAFETY: the kernel has written `read` bytes, at most `max`, behind the first `length`.
    unsafe { buffer.set_len(length + read) };
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_read_as_it_was_written() {
        let (r, w) = pipe(true).expect("a pipe");
        assert_eq!(write(w.as_raw_fd(), b"one", b"two"), Ok(6));
        assert_eq!(write(w.as_raw_fd(), b"three", b""), Ok(5));
        let mut buffer = Vec::new();
        assert_eq!(read(r.as_raw_fd(), &mut buffer, PACKET), Ok(6));
        assert_eq!(read(r.as_raw_fd(), &mut buffer, PACKET), Ok(5));
        assert_eq!(buffer, b"onetwothree");
        drop(w);
        assert_eq!(read(r.as_raw_fd(), &mut buffer, PACKET), Ok(0));
    }

    #[test]
    fn impatient_calls_do_not_wait() {
        let (r, w) = pipe(true).expect("a pipe");
        assert_eq!(set_capacity(w.as_raw_fd(), 2 * PACKET as u64).expect("room for two"), 2 * PACKET as u64);
        assert_eq!(capacity(r.as_raw_fd()).expect("its room"), 2 * PACKET as u64);
        let (reader, writer) = (Impatient::new(), Impatient::new());
        let mut buffer = Vec::new();
        assert_eq!(reader.read(r.as_raw_fd(), &mut buffer, PACKET), Err(libc::EAGAIN));
        assert_eq!(writer.write(w.as_raw_fd(), b"a", b""), Ok(1));
        assert_eq!(writer.write(w.as_raw_fd(), b"b", b"c"), Ok(2));
        assert_eq!(writer.write(w.as_raw_fd(), b"d", b""), Err(libc::EAGAIN));
        assert_eq!(reader.read(r.as_raw_fd(), &mut buffer, PACKET), Ok(1));
        drop(w);
        writer.close();
        assert_eq!(reader.read(r.as_raw_fd(), &mut buffer, PACKET), Ok(2));
        assert_eq!(reader.read(r.as_raw_fd(), &mut buffer, PACKET), Ok(0));
    }
}
