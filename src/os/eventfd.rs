//! eventfd(2): a counter of 64 bits that processes add to and take from.
//!
//! | errno | read | write |
//! | --- | --- | --- |
//! | EAGAIN | the counter is 0 | the sum would be more than [`MOST`] |

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::descriptor::{errno, result};
use super::fault;

/// The most that the counter holds.
pub const MOST: u64 = u64::MAX - 1;

/// Makes a counter of which no call waits. With `semaphore` a read takes 1, else all.
///
/// # Errors
/// EMFILE, ENFILE, ENOMEM.
pub fn eventfd(value: u32, semaphore: bool) -> io::Result<OwnedFd> {
    let flags = libc::EFD_CLOEXEC | libc::EFD_NONBLOCK | if semaphore { libc::EFD_SEMAPHORE } else { 0 };
    let made = fault::call("eventfd", &[Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM], || {
        // SAFETY: a plain call that makes a descriptor.
        unsafe { libc::eventfd(value, flags) }
    });
    if made < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: eventfd has just made it, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(made) })
}

/// Takes from the counter, and gives what was taken.
///
/// # Errors
/// See the table above.
#[inline]
pub fn read(fd: RawFd) -> Result<u64, i32> {
    let mut taken = 0u64;
    // SAFETY: `taken` has room for the 8 bytes.
    let read = unsafe { libc::read(fd, (&raw mut taken).cast(), size_of::<u64>()) };
    whole(result(read)?)?;
    Ok(taken)
}

/// Adds to the counter.
///
/// # Errors
/// See the table above.
#[inline]
pub fn write(fd: RawFd, amount: u64) -> Result<(), i32> {
    // SAFETY: `amount` is 8 bytes.
    let written = unsafe { libc::write(fd, (&raw const amount).cast(), size_of::<u64>()) };
    whole(result(written)?)
}

fn whole(bytes: usize) -> Result<(), i32> {
    if bytes == size_of::<u64>() { Ok(()) } else { Err(errno()) }
}

/// What the counter has, as /proc says; none where that cannot be read.
pub fn value(fd: RawFd) -> Option<u64> {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).ok()?;
    let count = info.lines().find_map(|line| line.strip_prefix("eventfd-count:"))?;
    u64::from_str_radix(count.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn a_counter_is_taken_whole_or_by_one() {
        for (semaphore, taken, left) in [(false, 5, 0), (true, 1, 4)] {
            let fd = eventfd(2, semaphore).expect("an eventfd");
            let raw = fd.as_raw_fd();
            assert_eq!(write(raw, 3), Ok(()));
            assert_eq!((value(raw), read(raw), value(raw)), (Some(5), Ok(taken), Some(left)));
        }
    }

    #[test]
    fn what_cannot_be_done_at_once_says_so() {
        let fd = eventfd(0, false).expect("an eventfd");
        let raw = fd.as_raw_fd();
        assert_eq!(read(raw), Err(libc::EAGAIN));
        assert_eq!((write(raw, MOST), write(raw, 1)), (Ok(()), Err(libc::EAGAIN)));
        assert_eq!(write(raw, u64::MAX), Err(libc::EINVAL));
    }
}
