//! socketpair(2) of unix(7): both ways, a stream of bytes or of packets.
//!
//! | errno | receive | send |
//! | --- | --- | --- |
//! | EAGAIN | nothing there, and not to wait | no room, and not to wait |
//! | EBADF | this process has closed the end | the same |
//! | ECONNRESET | the other end was closed with something unread; said once, then the end of file | the same |
//! | EINTR | a signal's handler ran before anything was moved | the same |
//! | EMSGSIZE | | a packet larger than the send buffer |
//! | EPIPE | | no process holds the other end |
//!
//! An end of file is no error: 0 bytes received.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::descriptor::result;
use super::fault;
use super::pipe::fill;

/// Makes a pair of sockets. With `packets`, what one send puts is what one receive takes.
///
/// # Errors
/// EMFILE, ENFILE: too many descriptors are open in this process, in the system.
pub fn pair(packets: bool) -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds = [-1; 2];
    let kind = if packets { libc::SOCK_SEQPACKET } else { libc::SOCK_STREAM };
    let made = fault::call("socketpair", &[Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM], || {
        // SAFETY: `fds` has room for the two descriptors.
        unsafe { libc::socketpair(libc::AF_UNIX, kind | libc::SOCK_CLOEXEC, 0, fds.as_mut_ptr()) }
    });
    if made != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: socketpair has just made both, and nothing else owns them.
    Ok(unsafe { (OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])) })
}

/// Asks for a send buffer of `bytes`, and gives what the kernel keeps room for: twice that, its own overhead
/// included, or less where `net.core.wmem_max` is less and `CAP_NET_ADMIN` is missing.
///
/// # Errors
/// None of a socket that is open.
pub fn set_send_buffer(socket: &OwnedFd, bytes: u64) -> io::Result<u64> {
    let bytes = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX / 2);
    for option in [libc::SO_SNDBUF, libc::SO_SNDBUFFORCE] {
        let (value, length) = ((&raw const bytes).cast(), size_of::<libc::c_int>() as libc::socklen_t);
        fault::call("setsockopt", &[Errno::EPERM], || {
            // SAFETY: both options take an int, whose size is given.
            unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, value, length) }
        });
        if send_buffer(socket)? >= 2 * bytes as u64 {
            break;
        }
    }
    send_buffer(socket)
}

/// What the kernel keeps room for in a socket's send buffer, in bytes.
///
/// # Errors
/// None of a socket that is open.
pub fn send_buffer(socket: &OwnedFd) -> io::Result<u64> {
    let (mut given, mut length) = (0 as libc::c_int, size_of::<libc::c_int>() as libc::socklen_t);
    // SAFETY: the option gives an int, for which there is room.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_SNDBUF,
            (&raw mut given).cast(),
            &raw mut length,
        )
    };
    if done == 0 { Ok(given.max(0) as u64) } else { Err(io::Error::last_os_error()) }
}

/// Receives at most `max` bytes, behind what `buffer` holds. Waits while nothing is there and `wait` is set.
///
/// # Errors
/// See the table above.
#[inline]
pub fn receive(fd: RawFd, buffer: &mut Vec<u8>, max: usize, wait: bool) -> Result<usize, i32> {
    let flags = if wait { 0 } else { libc::MSG_DONTWAIT };
    fill(buffer, max, |to, room| {
        // SAFETY: `to` has `room` bytes of spare capacity.
        fault::call("recv", &[Errno::EINTR, Errno::ENOMEM], || unsafe { libc::recv(fd, to.cast(), room, flags) })
    })
}

/// Sends the two parts as one. Waits while there is no room and `wait` is set.
///
/// # Errors
/// See the table above.
#[inline]
pub fn send(fd: RawFd, first: &[u8], second: &[u8], wait: bool) -> Result<usize, i32> {
    let flags = if wait { 0 } else { libc::MSG_DONTWAIT };
    if second.is_empty() {
        let sent = fault::call("send", &[Errno::EINTR, Errno::ENOBUFS], || {
            // SAFETY: the pointer and the length are those of a slice.
            unsafe { libc::send(fd, first.as_ptr().cast(), first.len(), flags) }
        });
        return result(sent);
    }
    let mut parts = [IoSlice::new(first), IoSlice::new(second)];
    // SAFETY: all zeroes is a msghdr that names nothing.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = parts.as_mut_ptr().cast();
    message.msg_iovlen = 2;
    let sent = fault::call("sendmsg", &[Errno::EINTR, Errno::ENOBUFS], || {
        // SAFETY: IoSlice has the layout of iovec, and both parts live over the call.
        unsafe { libc::sendmsg(fd, &raw const message, flags) }
    });
    result(sent)
}

/// Shuts both directions down: the other end then sees the end of file, even if copies of this one are open.
pub fn shut(fd: RawFd) {
    // SAFETY: a plain system call; a descriptor that is no socket is refused.
    unsafe { libc::shutdown(fd, libc::SHUT_RDWR) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_received_as_it_was_sent() {
        let (a, b) = pair(true).expect("a pair");
        assert_eq!(send(a.as_raw_fd(), b"one", b"two", true), Ok(6));
        assert_eq!(send(a.as_raw_fd(), b"three", b"", true), Ok(5));
        let mut buffer = Vec::new();
        assert_eq!(receive(b.as_raw_fd(), &mut buffer, 100, true), Ok(6));
        assert_eq!(receive(b.as_raw_fd(), &mut buffer, 100, false), Ok(5));
        assert_eq!(receive(b.as_raw_fd(), &mut buffer, 100, false), Err(libc::EAGAIN));
        drop(a);
        assert_eq!(receive(b.as_raw_fd(), &mut buffer, 100, true), Ok(0));
        assert_eq!(send(b.as_raw_fd(), b"x", b"", true), Err(libc::EPIPE));
    }

    #[test]
    fn a_send_buffer_can_be_made_small() {
        let (a, _b) = pair(true).expect("a pair");
        let given = set_send_buffer(&a, 8192).expect("a small buffer");
        assert_eq!(given, 16384);
        assert_eq!(send_buffer(&a).expect("its size"), given);
    }
}
