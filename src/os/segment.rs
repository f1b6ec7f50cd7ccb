//! A segment of memory that processes share, in each way that Linux has: shm_open(3), memfd_create(2), a file, shmget(2) and
//! an anonymous mapping.
//!
//! A segment has a name for some microseconds at most: it is taken away as soon as the segment is mapped, and children inherit
//! the mapping over fork. A segment that has a descriptor can be resized. Its mapping keeps the length that it had: of a page
//! behind the end the kernel gives nothing, and a plain access to it would raise SIGBUS. [`Segment::is_backed`] asks before.

use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;

use super::descriptor::{Descriptor, errno};
use super::pipe::page;
use super::signals::Held;
use super::{clock, fault, leftovers};

/// What the name of a POSIX segment begins with until it is unlinked; the number of the process that made it follows.
const PREFIX: &str = "ipcrun.";

/// Where the C library keeps POSIX segments.
const NAMES: &str = "/dev/shm";

/// How a segment is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// shm_open(3).
    Posix,
    /// memfd_create(2).
    Memfd,
    /// A file without a name in the directory for temporary files.
    File,
    /// An anonymous mapping.
    Anonymous,
}

/// A segment, mapped into this process.
#[derive(Debug)]
pub struct Segment {
    fd: Descriptor,
    start: Cell<*mut u8>,
    length: Cell<usize>,
}

impl Segment {
    /// Makes a segment of that many bytes, all zero.
    ///
    /// # Errors
    /// EMFILE, ENFILE, ENOMEM, ENOSPC, and EOPNOTSUPP for a file where the file system has none without a name.
    pub fn new(way: Way, length: usize) -> io::Result<Self> {
        let fd = match way {
            Way::Posix => Some(posix()?),
            Way::Memfd => {
                let made = fault::call("memfd_create", &[Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM], || {
                    // SAFETY: the name is a C string.
                    unsafe { libc::memfd_create(c"ipcrun".as_ptr(), libc::MFD_CLOEXEC) }
                });
                Some(owned(made)?)
            }
            Way::File => {
                let mut options = OpenOptions::new();
                options.read(true).write(true).custom_flags(libc::O_TMPFILE | libc::O_CLOEXEC).mode(0o600);
                let errno = &[Errno::EMFILE, Errno::ENOSPC, Errno::EOPNOTSUPP];
                Some(fault::call("open", errno, || options.open(std::env::temp_dir()))?.into())
            }
            Way::Anonymous => None,
        };
        let segment = Self { fd: Descriptor::empty(), start: Cell::new(std::ptr::null_mut()), length: Cell::new(0) };
        if let Some(fd) = fd {
            segment.fd.set(fd);
            segment.resize(length as u64).map_err(io::Error::from_raw_os_error)?;
        }
        segment.map(length).map_err(io::Error::from_raw_os_error)?;
        Ok(segment)
    }

    /// Maps a segment of System V, by its id.
    ///
    /// # Errors
    /// EINVAL, EIDRM: the id was removed. ENOMEM.
    pub(super) fn attach(id: i32, length: usize) -> io::Result<Self> {
        let start = fault::call("shmat", &[Errno::ENOMEM, Errno::EINVAL], || {
            // SAFETY: the kernel chooses an address at which nothing is mapped.
            unsafe { libc::shmat(id, std::ptr::null(), 0) }
        });
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { fd: Descriptor::empty(), start: Cell::new(start.cast()), length: Cell::new(pages(length)) })
    }

    /// Whether it has a size of its own that can be changed.
    pub fn is_resizable(&self) -> bool {
        self.fd.is_open()
    }

    /// How many bytes of it are mapped in this process.
    pub fn mapped(&self) -> usize {
        self.length.get()
    }

    /// Maps that many bytes of it in this process in place of what is mapped, whole pages, whether it has as many or not.
    ///
    /// # Errors
    /// ENOMEM. What was mapped stays then.
    pub fn map(&self, length: usize) -> Result<(), i32> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let length = pages(length);
        let (fd, flags) = match self.fd.raw() {
            Ok(fd) => (fd, libc::MAP_SHARED),
            Err(_) => (-1, libc::MAP_SHARED | libc::MAP_ANONYMOUS),
        };
        let start = fault::call("mmap", &[Errno::ENOMEM], || {
            // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
            unsafe { libc::mmap(std::ptr::null_mut(), length, access, flags, fd, 0) }
        });
        if start == libc::MAP_FAILED {
            return Err(errno());
        }
        self.unmap();
        self.start.set(start.cast());
        self.length.set(length);
        Ok(())
    }

    fn unmap(&self) {
        let start = self.start.get();
        if !start.is_null() {
            // SAFETY: the range is the whole mapping, to which no reference is ever given.
            unsafe { libc::munmap(start.cast(), self.length.get()) };
        }
    }

    /// Changes the size of the segment itself; no mapping changes.
    ///
    /// # Errors
    /// EBADF where it has none of its own. ENOSPC where the host has no memory for all of it: then it stays as it was.
    pub fn resize(&self, size: u64) -> Result<(), i32> {
        let (fd, old) = (self.fd.raw()?, self.size()?);
        Self::truncate(fd, size)?;
        if size > old {
            // A page for which there is no memory would raise SIGBUS where it is written first.
            let (from, length) = (old as libc::off_t, (size - old) as libc::off_t);
            // SAFETY: a plain system call, which returns its errno.
            let errno = unsafe { libc::posix_fallocate(fd, from, length) };
            if errno != 0 {
                Self::truncate(fd, old)?;
                return Err(errno);
            }
        }
        Ok(())
    }

    fn truncate(fd: RawFd, size: u64) -> Result<(), i32> {
        loop {
            // SAFETY: a plain system call.
            let set = || unsafe { libc::ftruncate(fd, size as libc::off_t) };
            match fault::call("ftruncate", &[Errno::EINTR, Errno::ENOSPC, Errno::EFBIG], set) {
                0 => return Ok(()),
                _ if errno() == libc::EINTR => {}
                _ => return Err(errno()),
            }
        }
    }

    /// The size of the segment itself.
    ///
    /// # Errors
    /// EBADF where it has none of its own.
    pub fn size(&self) -> Result<u64, i32> {
        let fd = self.fd.raw()?;
        // SAFETY: all zeroes is a valid stat.
        let mut about: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: the call fills `about`.
        if unsafe { libc::fstat(fd, &raw mut about) } != 0 {
            return Err(errno());
        }
        Ok(about.st_size as u64)
    }

    /// Whether the kernel has memory for all of these bytes of the mapping: an access to others raises SIGBUS. None where the
    /// kernel does not say. Where a plain load would be interrupted by the signal, a copy by the kernel ends early.
    ///
    /// # Panics
    /// If the range is not one of the mapping.
    pub fn is_backed(&self, at: usize, length: usize) -> Option<bool> {
        assert!(self.holds(at, length), "the range is mapped");
        let mut copy = vec![0u8; length];
        let ours = libc::iovec { iov_base: copy.as_mut_ptr().cast(), iov_len: length };
        // SAFETY: the range lies within the mapping.
        let theirs = libc::iovec { iov_base: unsafe { self.start.get().add(at) }.cast(), iov_len: length };
        let copied = fault::call("process_vm_readv", &[Errno::ENOSYS, Errno::EPERM], || {
            // SAFETY: both ranges are valid for `length` bytes; what the kernel cannot read it does not copy.
            unsafe { libc::process_vm_readv(libc::getpid(), &raw const ours, 1, &raw const theirs, 1, 0) }
        });
        match usize::try_from(copied) {
            Ok(copied) => Some(copied == length),
            Err(_) if errno() == libc::EFAULT => Some(false),
            Err(_) => None,
        }
    }

    fn holds(&self, at: usize, length: usize) -> bool {
        at.checked_add(length).is_some_and(|end| end <= self.length.get())
    }

    /// Copies from it. Bytes that are not backed raise SIGBUS.
    ///
    /// # Panics
    /// If the range is not one of the mapping.
    pub fn read(&self, at: usize, into: &mut [u8]) {
        assert!(self.holds(at, into.len()), "the range is mapped");
        // SAFETY: the range lies within the mapping, to which no reference is given. Others that write it meanwhile are
        // kept away by a lock of its user.
        unsafe { std::ptr::copy_nonoverlapping(self.start.get().add(at), into.as_mut_ptr(), into.len()) }
    }

    /// Copies into it. Bytes that are not backed raise SIGBUS.
    ///
    /// # Panics
    /// If the range is not one of the mapping.
    pub fn write(&self, at: usize, bytes: &[u8]) {
        assert!(self.holds(at, bytes.len()), "the range is mapped");
        // SAFETY: as for `read`.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.get().add(at), bytes.len()) }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        self.unmap();
    }
}

/// As many bytes in whole pages, one at least.
fn pages(length: usize) -> usize {
    length.max(1).next_multiple_of(page() as usize)
}

fn owned(made: RawFd) -> io::Result<OwnedFd> {
    if made < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a call has just made it, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(made) })
}

/// A segment of shm_open(3) whose name is gone.
fn posix() -> io::Result<OwnedFd> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let _held = Held::new();
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // The clock tells it from the name of a process with the same number in another PID namespace.
        let name = format!("/{PREFIX}{}-{:x}-{number}", std::process::id(), clock::now());
        let name = CString::new(name).map_err(io::Error::other)?;
        let flags = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC;
        let made = fault::call("shm_open", &[Errno::EMFILE, Errno::ENFILE, Errno::EACCES, Errno::EEXIST], || {
            // SAFETY: the name is a C string.
            unsafe { libc::shm_open(name.as_ptr(), flags, 0o600) }
        });
        match owned(made) {
            Ok(fd) => {
                unlink(&name)?;
                return Ok(fd);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

fn unlink(name: &CStr) -> io::Result<()> {
    // SAFETY: the name is a C string.
    let gone = fault::call("shm_unlink", &[Errno::ENOENT], || unsafe { libc::shm_unlink(name.as_ptr()) }) == 0;
    let error = io::Error::last_os_error();
    // Another start of ipcrun can have taken it for one that was left.
    if gone || error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Unlinks the names of this user's segments whose makers died before they could.
pub fn sweep() {
    leftovers::sweep_names(NAMES.as_ref(), PREFIX, unlink);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::testing::Child;

    const PAGE: usize = 4096;

    #[test]
    fn a_child_writes_what_its_parent_reads() {
        for way in [Way::Posix, Way::Memfd, Way::File, Way::Anonymous] {
            let segment = Segment::new(way, 2 * PAGE).expect("a segment");
            assert_eq!(segment.is_resizable(), way != Way::Anonymous);
            let child = Child::fork(|| segment.write(PAGE, b"here"));
            assert_eq!(child.join(), Some(0));
            let mut bytes = [0; 5];
            segment.read(PAGE, &mut bytes);
            assert_eq!(&bytes, b"here\0", "{way:?}");
        }
    }

    #[test]
    fn what_was_cut_off_is_not_backed() {
        for way in [Way::Posix, Way::Memfd, Way::File] {
            let segment = Segment::new(way, 2 * PAGE).expect("a segment");
            assert_ne!(segment.is_backed(PAGE, 1), Some(false));
            assert_eq!(segment.resize(16), Ok(()));
            assert_eq!(segment.size(), Ok(16));
            assert_ne!(segment.is_backed(PAGE, 1), Some(true), "{way:?}");
            assert_ne!(segment.is_backed(PAGE - 1, 2), Some(true), "{way:?}");
            assert_ne!(segment.is_backed(PAGE - 1, 1), Some(false), "the page of the end is whole");
            let child = Child::fork(|| segment.read(PAGE, &mut [0]));
            assert_eq!(child.join(), Some(-libc::SIGBUS), "a plain load is killed by SIGBUS");
            assert_eq!(segment.resize(3 * PAGE as u64), Ok(()));
            assert_eq!(segment.map(3 * PAGE), Ok(()));
            segment.write(3 * PAGE - 1, b"x");
        }
    }

    #[test]
    fn the_name_that_a_dead_process_has_left_is_swept() {
        let child = Child::fork(|| {});
        let dead = child.id();
        assert_eq!(child.join(), Some(0));
        let path = |maker: i32| std::path::Path::new(NAMES).join(format!("{PREFIX}{maker}-0-0"));
        for maker in [dead, std::process::id() as i32] {
            std::fs::write(path(maker), "").expect("a segment");
        }
        sweep();
        assert!(!path(dead).exists() && path(std::process::id() as i32).exists());
        std::fs::remove_file(path(std::process::id() as i32)).expect("it is there");
    }
}
