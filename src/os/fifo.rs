//! fifo(7): a pipe whose ends are opened by name.
//!
//! A FIFO here loses its name as soon as it is made. It is held by a descriptor that is no end of it (`O_PATH`), and
//! its ends are opened through /proc/self/fd. No open waits: the ends do not block, and to write is opened where
//! nothing reads, too.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;

use super::descriptor::{reopen, result};
use super::{clock, fault, leftovers};

/// What the name of a FIFO begins with until it is unlinked; the number of the process that made it follows.
const PREFIX: &str = "ipcrun-fifo-";

/// A FIFO without a name.
#[derive(Debug)]
pub struct Fifo(OwnedFd);

impl Fifo {
    /// Makes one.
    ///
    /// # Errors
    /// Those of mkfifo(3) in the last of the places where names can lie, or of open(2) and unlink(2).
    pub fn new() -> io::Result<Self> {
        let mut made = Err(io::Error::new(io::ErrorKind::NotFound, "there is no directory for its name"));
        for place in leftovers::places() {
            made = Self::within(&place);
            if made.is_ok() {
                break;
            }
        }
        made
    }

    fn within(place: &Path) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{:x}-{number}", std::process::id(), clock::now());
        let path = CString::new(place.join(name).as_os_str().as_bytes()).map_err(io::Error::other)?;
        let errnos = &[Errno::EACCES, Errno::ENOSPC, Errno::EEXIST, Errno::EPERM];
        // SAFETY: the path is a C string.
        if fault::call("mkfifo", errnos, || unsafe { libc::mkfifo(path.as_ptr(), 0o600) }) != 0 {
            return Err(io::Error::last_os_error());
        }
        let flags = libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC;
        let opened = fault::call("open", &[Errno::EMFILE, Errno::ENFILE], || {
            // SAFETY: the path is a C string.
            unsafe { libc::open(path.as_ptr(), flags) }
        });
        let opened = match opened {
            // SAFETY: open has just made it, and nothing else owns it.
            fd if fd >= 0 => Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) })),
            _ => Err(io::Error::last_os_error()),
        };
        unlink(&path)?;
        opened
    }

    /// Opens an end that does not block: to read, or to write. `packets` as for [`pipe`](super::pipe::pipe). To write is
    /// only opened where something reads.
    ///
    /// # Errors
    /// ENXIO: nothing reads. ENOENT: there is no /proc here. EMFILE, ENFILE: too many descriptors.
    pub fn open(&self, writes: bool, packets: bool) -> Result<OwnedFd, i32> {
        let flags = if writes { libc::O_WRONLY } else { libc::O_RDONLY } | libc::O_NONBLOCK;
        let end = reopen(self.0.as_raw_fd(), flags)?;
        if packets {
            // open(2) does not take the flag for a FIFO. SAFETY: F_SETFL takes an int.
            let set = unsafe { libc::fcntl(end.as_raw_fd(), libc::F_SETFL, flags | libc::O_DIRECT) };
            result(set as isize)?;
        }
        Ok(end)
    }

    /// Opens the end that writes where nothing reads. What a write finds meanwhile that another makes is undefined.
    ///
    /// # Errors
    /// As [`Fifo::open`], but ENXIO.
    pub fn open_unread(&self, packets: bool) -> Result<OwnedFd, i32> {
        // For as long as this takes, something reads.
        let _reads = self.open(false, false)?;
        self.open(true, packets)
    }
}

fn unlink(path: &CStr) -> io::Result<()> {
    const TRIES: u32 = 3;
    let mut error = io::Error::from_raw_os_error(libc::EIO);
    for _ in 0..TRIES {
        // SAFETY: the path is a C string.
        if fault::call("unlink", &[Errno::EIO, Errno::ENOENT], || unsafe { libc::unlink(path.as_ptr()) }) == 0 {
            return Ok(());
        }
        error = io::Error::last_os_error();
        // Another start of ipcrun has taken it for one that was left.
        if error.raw_os_error() == Some(libc::ENOENT) {
            return Ok(());
        }
    }
    Err(io::Error::new(error.kind(), format!("unlink of {}: {error}", path.to_string_lossy())))
}

/// Unlinks the names of this user's FIFOs in a directory whose makers died before they could.
pub(super) fn sweep(place: &Path) {
    leftovers::sweep_names(place, PREFIX, |name| {
        let path = [place.as_os_str().as_bytes(), name.to_bytes()].concat();
        unlink(&CString::new(path).map_err(io::Error::other)?)
    });
}

#[cfg(test)]
mod tests {
    use super::super::descriptor::wait_readable;
    use super::super::pipe::{PACKET, read, write};
    use super::super::testing::Child;
    use super::*;

    #[test]
    fn ends_are_opened_without_waiting_and_carry_packets() {
        let fifo = Fifo::new().expect("a FIFO");
        assert_eq!(fifo.open(true, true).map(drop), Err(libc::ENXIO));
        let w = fifo.open_unread(true).expect("an end");
        assert_eq!(write(w.as_raw_fd(), b"one", b""), Err(libc::EPIPE), "nothing reads");
        let r = fifo.open(false, true).expect("an end");
        assert_eq!(write(w.as_raw_fd(), b"one", b""), Ok(3));
        assert_eq!(write(w.as_raw_fd(), b"two", b""), Ok(3));
        let mut buffer = Vec::new();
        assert_eq!(read(r.as_raw_fd(), &mut buffer, PACKET), Ok(3));
        drop(w);
        assert_eq!(read(r.as_raw_fd(), &mut buffer, PACKET), Ok(3));
        assert_eq!(read(r.as_raw_fd(), &mut buffer, PACKET), Ok(0));
        let w = fifo.open(true, true).expect("something reads");
        assert_eq!(write(w.as_raw_fd(), b"lost", b""), Ok(4));
        drop((r, w));
        let r = fifo.open(false, true).expect("an end");
        assert_eq!(read(r.as_raw_fd(), &mut buffer, PACKET), Ok(0), "what is left goes with the last end");
    }

    #[test]
    fn the_end_of_file_is_not_ready_before_anything_has_written() {
        let fifo = Fifo::new().expect("a FIFO");
        let r = fifo.open(false, false).expect("an end");
        assert_eq!(read(r.as_raw_fd(), &mut Vec::new(), 1), Ok(0));
        assert_eq!(wait_readable(r.as_raw_fd(), Some(0)), Ok(false));
        drop(fifo.open(true, false).expect("something reads"));
        assert_eq!(wait_readable(r.as_raw_fd(), Some(0)), Ok(true));
    }

    #[test]
    fn a_name_is_swept_only_once_its_maker_is_gone() {
        let place = std::env::temp_dir().join(format!("fifos-{}", std::process::id()));
        std::fs::create_dir_all(&place).expect("a directory");
        let child = Child::fork(|| ());
        let pid = child.id();
        assert_eq!(child.join(), Some(0));
        let paths = [pid, std::process::id() as i32].map(|pid| place.join(format!("{PREFIX}{pid}-1-0")));
        for path in &paths {
            let path = CString::new(path.as_os_str().as_bytes()).expect("a path");
            // SAFETY: the path is a C string.
            assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
        }
        sweep(&place);
        assert_eq!(paths.each_ref().map(|path| path.exists()), [false, true]);
        std::fs::remove_dir_all(&place).expect("it is ours");
    }
}
