//! One end of a pipe or of a pair of sockets, as this process holds it.

use std::os::fd::OwnedFd;

use crate::os::descriptor::{Descriptor, wait_readable, wait_writable};
use crate::os::{pipe, socket};

#[derive(Debug)]
pub(super) struct Port {
    end: Descriptor,
    way: Way,
}

/// How calls on the end are made.
#[derive(Debug)]
enum Way {
    Pipe(pipe::Impatient),
    Socket,
    /// It never waits in the kernel: its open file is its process's own.
    Fifo,
}

impl Port {
    /// An end of a pipe.
    pub(super) fn pipe(end: OwnedFd) -> Self {
        Self { end: Descriptor::new(end), way: Way::Pipe(pipe::Impatient::new()) }
    }

    /// An end of a pair of sockets.
    pub(super) fn socket(end: OwnedFd) -> Self {
        Self { end: Descriptor::new(end), way: Way::Socket }
    }

    /// An end of a fifo, which this process does not hold yet.
    pub(super) fn unopened() -> Self {
        Self { end: Descriptor::empty(), way: Way::Fifo }
    }

    /// Holds an end that was opened.
    pub(super) fn set(&self, end: OwnedFd) {
        self.end.set(end);
    }

    /// Whether this process holds it.
    pub(super) fn is_open(&self) -> bool {
        self.end.is_open()
    }

    /// Lets go of it, in this process.
    pub(super) fn close(&self) {
        if let Way::Pipe(impatient) = &self.way {
            impatient.close();
        }
        self.end.close();
    }

    /// Writes two parts as one; EAGAIN where there is no room and `wait` is not set.
    #[inline]
    pub(super) fn write(&self, first: &[u8], second: &[u8], wait: bool) -> Result<usize, i32> {
        let fd = self.end.raw()?;
        match &self.way {
            Way::Fifo => pipe::write(fd, first, second),
            Way::Pipe(_) if wait => pipe::write(fd, first, second),
            Way::Pipe(impatient) => impatient.write(fd, first, second),
            Way::Socket => socket::send(fd, first, second, wait),
        }
    }

    /// Reads at most `max` bytes behind what `buffer` holds, 0 at the end of file; EAGAIN where nothing is there and
    /// `wait` is not set.
    #[inline]
    pub(super) fn read(&self, buffer: &mut Vec<u8>, max: usize, wait: bool) -> Result<usize, i32> {
        let fd = self.end.raw()?;
        match &self.way {
            Way::Fifo => pipe::read(fd, buffer, max),
            Way::Pipe(_) if wait => pipe::read(fd, buffer, max),
            Way::Pipe(impatient) => impatient.read(fd, buffer, max),
            Way::Socket => loop {
                match socket::receive(fd, buffer, max, wait) {
                    // The other end was closed with something unread. That is said once, before what is still to be
                    // taken here, and does not concern the receiver.
                    Err(libc::ECONNRESET) => {}
                    done => return done,
                }
            },
        }
    }

    /// How much room the pipe has, in bytes.
    pub(super) fn capacity(&self) -> Result<u64, i32> {
        pipe::capacity(self.end.raw()?).map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))
    }

    /// Asks for room for that many bytes, and gives what the pipe then has.
    pub(super) fn resize(&self, bytes: u64) -> Result<u64, i32> {
        pipe::set_capacity(self.end.raw()?, bytes).map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))
    }

    /// Waits until there is something to read or the end of file.
    pub(super) fn wait_readable(&self, deadline: Option<u64>) -> Result<bool, i32> {
        wait_readable(self.end.raw()?, deadline)
    }

    /// Waits until there is room, or no process is left to read.
    pub(super) fn wait_writable(&self, deadline: Option<u64>) -> Result<bool, i32> {
        wait_writable(self.end.raw()?, deadline)
    }
}
