//! `mq_overview(7)`: messages with priorities, the oldest of the highest priority first.
//!
//! A queue here has no name: it is unlinked as soon as it is made, and inherited over fork.
//!
//! | errno | send | receive |
//! | --- | --- | --- |
//! | EAGAIN | full, and not to wait | empty, and not to wait |
//! | EBADF | this process has closed it | the same |
//! | EINTR | a signal's handler ran while it waited | the same |
//! | EINVAL | a priority over [`PRIORITY_MAX`] | |
//! | EMSGSIZE | longer than the queue's message size | the buffer is shorter than the queue's message size |
//!
//! `mq_timedsend(3)` and `mq_timedreceive(3)` measure time by `CLOCK_REALTIME`, which people set. They are used with a
//! time long past only, which means not to wait; waiting until a time of `CLOCK_MONOTONIC` is ppoll(2)'s, since a
//! queue's descriptor can be polled.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;

use super::descriptor::{Descriptor, result, wait_readable, wait_writable};
use super::pipe::fill;
use super::{clock, fault, leftovers};

/// The highest priority of a message.
pub const PRIORITY_MAX: u32 = 32_767;

/// What the name of a queue begins with until it is unlinked; the number of the process that made it follows.
const PREFIX: &str = "ipcrun-";

/// Where the kernel lists the names of queues, where that is mounted.
const NAMES: &str = "/dev/mqueue";

/// Takes a queue's name away.
fn unlink(name: &CStr) -> io::Result<()> {
    const TRIES: u32 = 3;
    let mut error = io::Error::from_raw_os_error(libc::EINTR);
    for _ in 0..TRIES {
        // SAFETY: the name is a C string.
        if fault::call("mq_unlink", &[Errno::ENOMEM, Errno::ENOENT], || unsafe { libc::mq_unlink(name.as_ptr()) }) == 0
        {
            return Ok(());
        }
        error = io::Error::last_os_error();
        // Another start of ipcrun has taken it for one that was left.
        if error.raw_os_error() == Some(libc::ENOENT) {
            return Ok(());
        }
    }
    Err(io::Error::new(error.kind(), format!("mq_unlink of {}: {error}", name.to_string_lossy())))
}

/// Unlinks the names of this user's queues whose makers died before they could.
pub fn sweep() {
    leftovers::sweep_names(NAMES.as_ref(), PREFIX, unlink);
}

/// A POSIX message queue without a name.
#[derive(Debug)]
pub struct MessageQueue {
    descriptor: Descriptor,
    message_size: usize,
}

/// A time of `CLOCK_REALTIME` that has passed.
static PAST: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };

impl MessageQueue {
    /// Makes a queue for `capacity` messages of at most `message_size` bytes.
    ///
    /// # Errors
    /// EINVAL: over `fs.mqueue.msg_max` or `fs.mqueue.msgsize_max`. EMFILE: over `RLIMIT_MSGQUEUE`, or too many open
    /// descriptors. ENOSPC: over `fs.mqueue.queues_max`. ENOSYS: a kernel without POSIX message queues.
    pub fn new(capacity: u64, message_size: u64) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let limit = |n: u64| libc::c_long::try_from(n).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL));
        // SAFETY: all zeroes is a valid mq_attr.
        let mut attributes: libc::mq_attr = unsafe { std::mem::zeroed() };
        attributes.mq_maxmsg = limit(capacity)?;
        attributes.mq_msgsize = limit(message_size)?;
        let flags = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC;
        let fd = loop {
            // The clock tells this process's names from those of another one that had the same pid in another
            // pid namespace, which can share this one's queues.
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("/{PREFIX}{}-{:x}-{number}", std::process::id(), clock::now());
            let name = CString::new(name).map_err(io::Error::other)?;
            let errno = &[Errno::EMFILE, Errno::ENOSPC, Errno::ENFILE, Errno::ENOMEM, Errno::EEXIST, Errno::EACCES];
            let fd = fault::call("mq_open", errno, || {
                // SAFETY: the name is a C string, the attributes an mq_attr; both live over the call.
                unsafe { libc::mq_open(name.as_ptr(), flags, 0o600 as libc::mode_t, &raw mut attributes) }
            });
            if fd >= 0 {
                // SAFETY: a queue's descriptor is a file descriptor on Linux; mq_open has just made it.
                let fd = unsafe { OwnedFd::from_raw_fd(fd) };
                unlink(&name)?;
                break fd;
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(error);
            }
        };
        Ok(Self { descriptor: Descriptor::new(fd), message_size: message_size as usize })
    }

    /// The descriptor's number, for poll(2).
    ///
    /// # Errors
    /// EBADF where this process has closed it.
    pub fn raw(&self) -> Result<RawFd, i32> {
        self.descriptor.raw()
    }

    /// Closes it, in this process.
    pub fn close(&self) {
        self.descriptor.close();
    }

    /// Puts a message. Waits while the queue is full, with one system call.
    ///
    /// # Errors
    /// See the table above.
    #[inline]
    pub fn send(&self, message: &[u8], priority: u32) -> Result<(), i32> {
        let fd = self.descriptor.raw()?;
        let sent = fault::call("mq_send", &[Errno::EINTR, Errno::ENOMEM], || {
            // SAFETY: the pointer and the length are those of a slice.
            unsafe { libc::mq_send(fd, message.as_ptr().cast(), message.len(), priority) }
        });
        result(sent as isize).map(drop)
    }

    /// Puts a message where there is room; EAGAIN where not.
    ///
    /// # Errors
    /// See the table above.
    pub fn try_send(&self, message: &[u8], priority: u32) -> Result<(), i32> {
        let fd = self.descriptor.raw()?;
        let sent = fault::call("mq_timedsend", &[Errno::ENOMEM], || {
            // SAFETY: as in `send`, and the time is a timespec.
            unsafe { libc::mq_timedsend(fd, message.as_ptr().cast(), message.len(), priority, &raw const PAST) }
        });
        result(sent as isize).map(drop).map_err(would_wait)
    }

    /// Takes the oldest message of the highest priority, behind what `buffer` holds, and gives its priority. Waits
    /// while the queue is empty, with one system call. `max` is the buffer size that is passed to the kernel.
    ///
    /// # Errors
    /// See the table above.
    #[inline]
    pub fn receive(&self, buffer: &mut Vec<u8>, max: usize) -> Result<u32, i32> {
        let (fd, mut priority) = (self.descriptor.raw()?, 0);
        fill(buffer, max, |to, room| {
            // SAFETY: `to` has `room` bytes of spare capacity.
            fault::call("mq_receive", &[Errno::EINTR], || unsafe {
                libc::mq_receive(fd, to.cast(), room, &raw mut priority) as isize
            })
        })?;
        Ok(priority)
    }

    /// Takes a message where there is one; EAGAIN where not.
    ///
    /// # Errors
    /// See the table above.
    pub fn try_receive(&self, buffer: &mut Vec<u8>, max: usize) -> Result<u32, i32> {
        let (fd, mut priority) = (self.descriptor.raw()?, 0);
        fill(buffer, max, |to, room| {
            // SAFETY: `to` has `room` bytes of spare capacity, and the time is a timespec.
            unsafe { libc::mq_timedreceive(fd, to.cast(), room, &raw mut priority, &raw const PAST) as isize }
        })
        .map_err(would_wait)?;
        Ok(priority)
    }

    /// Waits until there is a message; `false` where the time of `CLOCK_MONOTONIC` passes first.
    ///
    /// # Errors
    /// Those of [`wait_readable`].
    pub fn wait_message(&self, deadline: Option<u64>) -> Result<bool, i32> {
        wait_readable(self.descriptor.raw()?, deadline)
    }

    /// Waits until there is room; `false` where the time of `CLOCK_MONOTONIC` passes first.
    ///
    /// # Errors
    /// Those of [`wait_writable`].
    pub fn wait_room(&self, deadline: Option<u64>) -> Result<bool, i32> {
        wait_writable(self.descriptor.raw()?, deadline)
    }

    /// The number of messages in it.
    ///
    /// # Errors
    /// EBADF where this process has closed it.
    pub fn len(&self) -> Result<u64, i32> {
        let fd = self.descriptor.raw()?;
        // SAFETY: all zeroes is a valid mq_attr.
        let mut attributes: libc::mq_attr = unsafe { std::mem::zeroed() };
        // SAFETY: the call fills the attributes.
        result(unsafe { libc::mq_getattr(fd, &raw mut attributes) } as isize)?;
        Ok(attributes.mq_curmsgs.max(0) as u64)
    }

    /// Whether there is no message in it.
    ///
    /// # Errors
    /// EBADF where this process has closed it.
    pub fn is_empty(&self) -> Result<bool, i32> {
        Ok(self.len()? == 0)
    }

    /// The longest message it takes, in bytes.
    pub fn message_size(&self) -> usize {
        self.message_size
    }
}

/// A wait that was not to be ends with ETIMEDOUT.
fn would_wait(errno: i32) -> i32 {
    if errno == libc::ETIMEDOUT { libc::EAGAIN } else { errno }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_the_highest_priority_comes_first() {
        let queue = MessageQueue::new(3, 16).expect("a queue");
        assert_eq!(queue.try_receive(&mut Vec::new(), 16), Err(libc::EAGAIN));
        queue.send(b"low", 1).expect("room");
        queue.try_send(b"first", 7).expect("room");
        queue.send(b"second", 7).expect("room");
        assert_eq!(queue.try_send(b"no room", 7), Err(libc::EAGAIN));
        assert_eq!(queue.wait_room(Some(0)), Ok(false));
        assert_eq!(queue.len(), Ok(3));
        for (text, priority) in [(&b"first"[..], 7), (b"second", 7), (b"low", 1)] {
            let mut buffer = Vec::new();
            assert_eq!(queue.receive(&mut buffer, 16), Ok(priority));
            assert_eq!(buffer, text);
        }
        assert_eq!(queue.wait_message(Some(0)), Ok(false));
        assert_eq!(queue.send(&[0; 17], 0), Err(libc::EMSGSIZE));
        assert_eq!(queue.try_receive(&mut Vec::new(), 15), Err(libc::EMSGSIZE));
    }

    #[test]
    fn only_names_of_makers_that_are_gone_are_swept() {
        let gone = crate::os::testing::Child::fork(|| {});
        let number = gone.id();
        assert_eq!(gone.join(), Some(0));
        let open = |process: i32| {
            let name = CString::new(format!("/{PREFIX}{process}-test-0")).expect("a name");
            // SAFETY: the name is a C string; without attributes the kernel takes its own.
            let fd = unsafe {
                libc::mq_open(name.as_ptr(), libc::O_RDWR | libc::O_CREAT, 0o600, std::ptr::null_mut::<libc::mq_attr>())
            };
            assert!(fd >= 0);
            // SAFETY: opened above.
            unsafe { libc::close(fd) };
            name
        };
        let (dead, alive) = (open(number), open(std::process::id() as i32));
        sweep();
        let listed = std::path::Path::new(NAMES).join(&dead.to_string_lossy()[1..]);
        // Where the kernel's list is not mounted no name can be found; the other is there whatever is mounted.
        let is_mounted = listed.with_file_name(&alive.to_string_lossy()[1..]).exists();
        assert!(!listed.exists());
        // SAFETY: both names are C strings.
        unsafe {
            assert_eq!(libc::mq_unlink(dead.as_ptr()) == 0, !is_mounted);
            assert_eq!(libc::mq_unlink(alive.as_ptr()), 0);
        }
    }

    #[test]
    fn a_closed_queue_is_no_descriptor() {
        let queue = MessageQueue::new(1, 8).expect("a queue");
        queue.close();
        assert_eq!(queue.send(b"x", 0), Err(libc::EBADF));
    }
}
