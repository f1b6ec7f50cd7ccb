//! A POSIX barrier that processes share: `pthread_barrier_t` in an [`Arena`], with `PTHREAD_PROCESS_SHARED`.
//!
//! [`Barrier::new`] ends with `EINVAL` for no parties at all; waiting cannot fail. It is never destroyed: libc holds
//! nothing beyond the `pthread_barrier_t` itself, which goes with the arena.

use std::cell::UnsafeCell;
use std::io;
use std::mem::MaybeUninit;

use nix::errno::Errno;
use zerocopy::FromZeros;

use super::arena::{Arena, Shared};
use super::fault;

/// A barrier in shared memory.
#[derive(Clone)]
pub struct Barrier {
    raw: Shared<Raw>,
}

#[derive(FromZeros)]
#[repr(transparent)]
struct Raw(UnsafeCell<MaybeUninit<libc::pthread_barrier_t>>);

// SAFETY: a process-shared `pthread_barrier_t` is there to be used by several threads and processes at once.
unsafe impl Sync for Raw {}

impl Barrier {
    /// A barrier for that many.
    ///
    /// # Errors
    /// `ENOMEM` of mmap(2), `EINVAL` of `pthread_barrier_init(3)`.
    pub fn new(arena: &Arena, parties: u32) -> io::Result<Self> {
        let barrier = Self { raw: arena.alloc()? };
        let mut attributes = MaybeUninit::uninit();
        let attributes: *mut libc::pthread_barrierattr_t = attributes.as_mut_ptr();
        // SAFETY: the attributes are initialised first and destroyed last, and live on this stack meanwhile.
        unsafe {
            check(fault::code("pthread_barrierattr_init", &[Errno::ENOMEM], || {
                libc::pthread_barrierattr_init(attributes)
            }))?;
            let made =
                check(libc::pthread_barrierattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED)).and_then(|()| {
                    check(fault::code("pthread_barrier_init", &[Errno::EAGAIN, Errno::ENOMEM], || {
                        libc::pthread_barrier_init(barrier.raw.0.get().cast(), attributes, parties)
                    }))
                });
            libc::pthread_barrierattr_destroy(attributes);
            made?;
        }
        Ok(barrier)
    }

    /// Waits until all have come.
    pub fn wait(&self) {
        // SAFETY: the barrier was initialised and lives as long as `self`.
        unsafe { libc::pthread_barrier_wait(self.raw.0.get().cast()) };
    }
}

fn check(errno: libc::c_int) -> io::Result<()> {
    if errno == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(errno)) }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::os::testing::Child;

    #[test]
    fn nobody_passes_before_all_have_come() {
        let arena = Arena::new();
        let (barrier, come) = (Barrier::new(&arena, 3).unwrap(), arena.alloc::<AtomicU32>().unwrap());
        let children: Vec<_> = (0..3)
            .map(|_| {
                let (barrier, come) = (barrier.clone(), come.clone());
                Child::run(move || {
                    for round in 1..=100 {
                        come.fetch_add(1, Ordering::Relaxed);
                        barrier.wait();
                        if come.load(Ordering::Relaxed) < round * 3 {
                            return 1;
                        }
                        barrier.wait();
                    }
                    0
                })
            })
            .collect();
        for child in children {
            assert_eq!(child.join(), Some(0));
        }
        assert!(Barrier::new(&arena, 0).is_err());
    }
}
