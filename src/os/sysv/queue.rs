//! A message queue of System V: msgop(2).
//!
//! The type of a message says its priority: receiving asks for the lowest type there is, and the oldest of that.

use nix::errno::Errno;

use super::super::descriptor::result;
use super::super::fault;
use super::super::pipe::fill;

/// The highest priority of a message, the same as a POSIX queue's.
pub const PRIORITY_MAX: u32 = 32_767;

/// The bytes before a message's content in a buffer: its type.
pub const HEAD: usize = size_of::<libc::c_long>();

/// The type of a message of priority 0; those of higher ones are lower.
const TYPE_MAX: libc::c_long = PRIORITY_MAX as libc::c_long + 1;

/// A message queue, by its id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SysvQueue {
    pub(super) id: i32,
}

impl SysvQueue {
    /// Sets how many bytes of content it holds at once.
    ///
    /// # Errors
    /// EPERM: over kernel.msgmnb without `CAP_SYS_RESOURCE`. EIDRM, EINVAL: the id was removed.
    pub fn set_capacity(self, bytes: u64) -> Result<(), i32> {
        let mut state = self.state()?;
        state.msg_qbytes = bytes;
        // SAFETY: the struct was filled by IPC_STAT and lives over the call.
        let set = || unsafe { libc::msgctl(self.id, libc::IPC_SET, &raw mut state) };
        result(fault::call("msgctl", &[Errno::EPERM], set) as isize).map(drop)
    }

    /// The number of messages in it.
    ///
    /// # Errors
    /// EIDRM, EINVAL: the id was removed.
    pub fn len(self) -> Result<u64, i32> {
        self.state().map(|state| state.msg_qnum)
    }

    /// Whether there is no message in it.
    ///
    /// # Errors
    /// EIDRM, EINVAL: the id was removed.
    pub fn is_empty(self) -> Result<bool, i32> {
        Ok(self.len()? == 0)
    }

    /// Puts the content that stands in `message` behind [`HEAD`] bytes of room for its type. Waits for room where
    /// `wait` is set.
    ///
    /// # Errors
    /// EAGAIN: full, and not to wait. EINTR: a signal's handler ran while it waited. EINVAL: a priority over
    /// [`PRIORITY_MAX`], content over kernel.msgmax, or the id was removed; EIDRM: that while it waited.
    #[inline]
    pub fn send(self, message: &mut [u8], priority: u32, wait: bool) -> Result<(), i32> {
        let content = message.len().checked_sub(HEAD).ok_or(libc::EINVAL)?;
        let kind = TYPE_MAX - libc::c_long::from(priority);
        message[..HEAD].copy_from_slice(&kind.to_ne_bytes());
        let sent = fault::call("msgsnd", &[Errno::EINTR, Errno::ENOMEM], || {
            // SAFETY: `message` is a type and `content` bytes. The kernel copies both byte by byte, whatever their
            // alignment.
            unsafe { libc::msgsnd(self.id, message.as_ptr().cast(), content, flags(wait)) }
        });
        result(sent as isize).map(drop)
    }

    /// Takes the oldest message of the highest priority, behind what `buffer` holds: [`HEAD`] bytes, then its
    /// content, at most `max` bytes. Gives its priority. Waits for one where `wait` is set.
    ///
    /// # Errors
    /// EAGAIN: empty, and not to wait. E2BIG: its content is longer than `max`; it stays. EINTR: a signal's handler
    /// ran while it waited. EINVAL, EIDRM: the id was removed.
    #[inline]
    pub fn receive(self, buffer: &mut Vec<u8>, max: usize, wait: bool) -> Result<u32, i32> {
        let begin = buffer.len();
        fill(buffer, HEAD + max, |to, room| {
            let length = fault::call("msgrcv", &[Errno::EINTR], || {
                // SAFETY: `to` has room for a type and `max` bytes of content.
                unsafe { libc::msgrcv(self.id, to.cast(), room - HEAD, -TYPE_MAX, flags(wait)) }
            });
            if length < 0 { length } else { length + HEAD as isize }
        })
        .map_err(|errno| if errno == libc::ENOMSG { libc::EAGAIN } else { errno })?;
        let mut kind = [0; HEAD];
        kind.copy_from_slice(&buffer[begin..begin + HEAD]);
        Ok((TYPE_MAX - libc::c_long::from_ne_bytes(kind)).max(0) as u32)
    }

    fn state(self) -> Result<libc::msqid_ds, i32> {
        // SAFETY: all zeroes is a valid msqid_ds.
        let mut state: libc::msqid_ds = unsafe { std::mem::zeroed() };
        // SAFETY: IPC_STAT fills the struct.
        result(unsafe { libc::msgctl(self.id, libc::IPC_STAT, &raw mut state) } as isize)?;
        Ok(state)
    }
}

fn flags(wait: bool) -> libc::c_int {
    if wait { 0 } else { libc::IPC_NOWAIT }
}

#[cfg(test)]
mod tests {
    use super::super::Keeper;
    use super::*;

    fn message(content: &[u8]) -> Vec<u8> {
        [&[0; HEAD], content].concat()
    }

    #[test]
    fn the_oldest_of_the_highest_priority_comes_first() {
        let mut keeper = Keeper::new();
        let queue = keeper.message_queue().expect("a queue");
        queue.set_capacity(18).expect("a smaller queue");
        assert_eq!(queue.receive(&mut Vec::new(), 6, false), Err(libc::EAGAIN));
        for (content, priority) in [(b"low   ", 1), (b"first ", PRIORITY_MAX), (b"second", PRIORITY_MAX)] {
            assert_eq!(queue.send(&mut message(content), priority, false), Ok(()));
        }
        assert_eq!(queue.send(&mut message(b"!"), 0, false), Err(libc::EAGAIN));
        assert_eq!(queue.len(), Ok(3));
        assert_eq!(queue.receive(&mut Vec::new(), 5, false), Err(libc::E2BIG));
        for (content, priority) in [(b"first ", PRIORITY_MAX), (b"second", PRIORITY_MAX), (b"low   ", 1)] {
            let mut buffer = Vec::new();
            assert_eq!(queue.receive(&mut buffer, 6, true), Ok(priority));
            assert_eq!(&buffer[HEAD..], content);
        }
        assert_eq!(queue.send(&mut message(b"x"), PRIORITY_MAX + 1, false), Err(libc::EINVAL));
    }
}
