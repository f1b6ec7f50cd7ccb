//! futex(2) on words in shared memory: sleep while a word has a value, wake the sleepers.

use std::sync::atomic::{AtomicU32, AtomicU64};

use nix::errno::Errno;

use super::{clock, fault};

/// Sleeps while `word` is `expected`, until it is woken or the deadline of `CLOCK_MONOTONIC` passes.
///
/// True says that the word is worth another look: it had changed already, it was woken, or a signal came. False
/// says that the deadline has passed.
pub fn wait(word: &AtomicU32, expected: u32, deadline: Option<u64>) -> bool {
    let time = deadline.map(clock::timespec);
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let result = fault::call("futex", &[Errno::EINTR, Errno::EAGAIN], || {
        // SAFETY: `word` outlives the call, which only reads it, and `time` is null or a timespec on this stack.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                word.as_ptr(),
                libc::FUTEX_WAIT_BITSET,
                expected,
                time,
                std::ptr::null::<u32>(),
                libc::FUTEX_BITSET_MATCH_ANY,
            )
        }
    });
    result == 0 || std::io::Error::last_os_error().raw_os_error() != Some(libc::ETIMEDOUT)
}

/// Wakes up to `count` sleepers on `word`, and returns how many there were.
pub fn wake(word: &AtomicU32, count: u32) -> u32 {
    let count = count.min(i32::MAX as u32);
    // SAFETY: FUTEX_WAKE reads no memory; it only looks up the sleepers on the address.
    let woken = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, count) };
    woken.max(0) as u32
}

/// Wakes all sleepers on `word`.
pub fn wake_all(word: &AtomicU32) -> u32 {
    wake(word, u32::MAX)
}

/// The half of a 64-bit word that holds its low 32 bits, to sleep on. It changes with the word.
#[inline]
pub fn low(word: &AtomicU64) -> &AtomicU32 {
    half(word, usize::from(cfg!(target_endian = "big")))
}

/// The half of a 64-bit word that holds its high 32 bits.
#[inline]
pub fn high(word: &AtomicU64) -> &AtomicU32 {
    half(word, usize::from(cfg!(target_endian = "little")))
}

#[inline]
fn half(word: &AtomicU64, at: usize) -> &AtomicU32 {
    // SAFETY: both halves lie within the word and are aligned. The reference is given to the kernel, which reads 32
    // bits of it, as other processes on the same word do.
    unsafe { AtomicU32::from_ptr(word.as_ptr().cast::<u32>().add(at)) }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::os::arena::Arena;
    use crate::os::testing::Child;

    #[test]
    fn a_word_that_has_changed_or_a_deadline_that_has_passed_does_not_sleep() {
        let word = AtomicU32::new(1);
        assert!(wait(&word, 2, None));
        assert!(!wait(&word, 1, Some(clock::now())));
        assert_eq!(wake_all(&word), 0);
    }

    #[test]
    fn another_process_wakes_the_sleeper() {
        let word = Arena::new().alloc::<AtomicU64>().unwrap();
        let child = {
            let word = word.clone();
            Child::fork(move || {
                while word.load(Ordering::Acquire) == 0 {
                    wait(high(&word), 0, None);
                }
            })
        };
        while wake_all(high(&word)) == 0 {
            std::thread::yield_now();
        }
        word.store(1 << 32, Ordering::Release);
        wake_all(high(&word));
        assert_eq!(child.join(), Some(0));
    }

    #[test]
    fn halves_are_where_they_say() {
        let word = AtomicU64::new(0x1111_2222_3333_4444);
        assert_eq!(high(&word).load(Ordering::Relaxed), 0x1111_2222);
        assert_eq!(low(&word).load(Ordering::Relaxed), 0x3333_4444);
    }
}
