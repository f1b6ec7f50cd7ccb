//! Giving pages of shared memory back to the kernel while they stay mapped.

use std::sync::atomic::AtomicU64;

use nix::errno::Errno;

use super::fault;

/// Gives back the whole pages among these words of anonymous shared memory: every process then reads zeroes there.
/// Where the kernel does not do that, the words keep what they hold.
pub fn release(words: &[AtomicU64]) {
    let page = super::pipe::page() as usize;
    let range = words.as_ptr_range();
    let (start, end) = ((range.start as usize).next_multiple_of(page), range.end as usize / page * page);
    if start < end {
        fault::call("madvise", &[Errno::EINVAL, Errno::ENOMEM], || {
            // SAFETY: the range lies within the words. They are atomics, which any process may set to 0 at any time.
            unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_REMOVE) }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::os::arena::Arena;

    #[test]
    fn released_pages_read_as_zeroes_and_can_be_written_again() {
        let words = Arena::new().slice::<AtomicU64>(1 << 17).expect("shared memory");
        words[700].store(7, Ordering::Relaxed);
        words[5000].store(7, Ordering::Relaxed);
        release(&words[600..]);
        assert_eq!(words[700].load(Ordering::Relaxed), 7, "a page of which a part only was given");
        assert_eq!(words[5000].load(Ordering::Relaxed), 0);
        words[5000].store(8, Ordering::Relaxed);
        assert_eq!(words[5000].load(Ordering::Relaxed), 8);
    }
}
