//! A POSIX semaphore that processes share: `sem_t` in an [`Arena`], `sem_init(3)` with `pshared`.
//!
//! | call | errno |
//! | --- | --- |
//! | [`Semaphore::new`] | `EINVAL`: above [`Semaphore::MAX`] |
//! | [`Semaphore::try_acquire`] | `EAGAIN`: nothing free |
//! | [`Semaphore::acquire`] | `ETIMEDOUT`: the deadline has passed |
//! | [`Semaphore::release`] | `EOVERFLOW`: past [`Semaphore::MAX`]; nothing has changed then |
//!
//! It is never destroyed: glibc and musl hold nothing beyond the `sem_t` itself, which goes with the arena.

use std::cell::UnsafeCell;
use std::io;
use std::mem::MaybeUninit;
use std::sync::atomic::AtomicU32;

use nix::errno::Errno;
use zerocopy::FromZeros;

use super::arena::{Arena, Shared};
use super::{clock, fault, futex, interrupts};

#[cfg(target_env = "gnu")]
unsafe extern "C" {
    // Of glibc since 2.30; the libc crate does not have it.
    fn sem_clockwait(sem: *mut libc::sem_t, clock: libc::clockid_t, deadline: *const libc::timespec) -> libc::c_int;
}

/// A semaphore in shared memory.
#[derive(Clone)]
pub struct Semaphore {
    raw: Shared<Raw>,
    wide: bool,
}

#[derive(FromZeros)]
#[repr(transparent)]
struct Raw(UnsafeCell<MaybeUninit<libc::sem_t>>);

// SAFETY: a `sem_t` made with `pshared` is there to be used by several threads and processes at once.
unsafe impl Sync for Raw {}

impl Semaphore {
    /// The most that one can count to.
    pub const MAX: u32 = i32::MAX as u32;

    /// A semaphore with that many free permits.
    ///
    /// # Errors
    /// `ENOMEM` of mmap(2), `EINVAL` of `sem_init(3)`.
    pub fn new(arena: &Arena, value: u32) -> io::Result<Self> {
        let semaphore = Self { raw: arena.alloc()?, wide: false };
        // SAFETY: the memory is a `sem_t`'s, shared, and no other process uses it yet.
        let init = || unsafe { libc::sem_init(semaphore.pointer(), 1, value) };
        if fault::call("sem_init", &[Errno::ENOSYS], init) != 0 {
            return Err(io::Error::last_os_error());
        }
        let wide = wide::agrees(&semaphore);
        Ok(Self { wide, ..semaphore })
    }

    fn pointer(&self) -> *mut libc::sem_t {
        self.raw.0.get().cast()
    }

    /// Takes a permit if one is free.
    ///
    /// # Errors
    /// `EAGAIN` where none is.
    #[inline]
    pub fn try_acquire(&self) -> Result<(), i32> {
        // SAFETY: the semaphore was initialised and lives as long as `self`.
        check(|| unsafe { libc::sem_trywait(self.pointer()) })
    }

    /// Takes a permit, waiting for one until the deadline of `CLOCK_MONOTONIC`.
    ///
    /// # Errors
    /// `ETIMEDOUT` where the deadline has passed.
    pub fn acquire(&self, deadline: Option<u64>) -> Result<(), i32> {
        match deadline {
            // SAFETY: as for `try_acquire`.
            None => check(|| fault::call("sem_wait", &[Errno::EINTR], || unsafe { libc::sem_wait(self.pointer()) })),
            Some(deadline) => self.acquire_until(deadline),
        }
    }

    #[cfg(target_env = "gnu")]
    fn acquire_until(&self, deadline: u64) -> Result<(), i32> {
        let time = clock::timespec(deadline);
        // SAFETY: as for `try_acquire`; the timespec outlives the call.
        let wait = || unsafe { sem_clockwait(self.pointer(), libc::CLOCK_MONOTONIC, &raw const time) };
        check(|| fault::call("sem_clockwait", &[Errno::EINTR], wait))
    }

    /// Without `sem_clockwait` the deadline is turned into one of the other clock, again whenever that was set.
    #[cfg(not(target_env = "gnu"))]
    fn acquire_until(&self, deadline: u64) -> Result<(), i32> {
        loop {
            let time = clock::realtime(deadline);
            // SAFETY: as for `try_acquire`; the timespec outlives the call.
            match check(|| unsafe { libc::sem_timedwait(self.pointer(), &raw const time) }) {
                Err(libc::ETIMEDOUT) if clock::now() < deadline => {}
                result => return result,
            }
        }
    }

    /// Releases `n` permits: at once where glibc's layout allows it, else one by one.
    ///
    /// # Errors
    /// `EOVERFLOW` where the count would pass [`Semaphore::MAX`].
    #[inline]
    pub fn release(&self, count: u32) -> Result<(), i32> {
        if count == 1 {
            // SAFETY: as for `try_acquire`.
            return check(|| unsafe { libc::sem_post(self.pointer()) });
        }
        if self.wide { wide::release(self, count) } else { self.release_each(count) }
    }

    fn release_each(&self, count: u32) -> Result<(), i32> {
        if u64::from(self.value()) + u64::from(count) > u64::from(Self::MAX) {
            return Err(libc::EOVERFLOW);
        }
        (0..count).try_for_each(|_| self.release(1))
    }

    /// The permits that are free.
    pub fn value(&self) -> u32 {
        let mut value = 0;
        // SAFETY: as for `try_acquire`; the call writes one int and cannot fail.
        unsafe { libc::sem_getvalue(self.pointer(), &raw mut value) };
        value.max(0) as u32
    }

    /// Wakes every waiter to look again. Harmless; it makes up for a wake-up that went to a process that was killed
    /// before it took the permit, or that a killed process had not sent yet.
    pub fn wake_all(&self) {
        futex::wake_all(self.word());
    }

    /// The word that waiters sleep on.
    fn word(&self) -> &AtomicU32 {
        let at = usize::from(cfg!(all(target_env = "gnu", target_pointer_width = "64", target_endian = "big")));
        // SAFETY: glibc and musl keep that word at the beginning of a `sem_t` (glibc's 64-bit one: the value's half of
        // it), aligned; the reference is only used as an address.
        unsafe { AtomicU32::from_ptr(self.pointer().cast::<u32>().add(at)) }
    }
}

/// glibc's 64-bit layout: one word with the value in its low half and the number of waiters in its high half.
#[cfg(all(target_env = "gnu", target_pointer_width = "64"))]
mod wide {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::{Semaphore, futex};

    fn word(semaphore: &Semaphore) -> &AtomicU64 {
        // SAFETY: a `sem_t` is aligned for, and at least as large as, a u64, which glibc itself changes atomically.
        unsafe { AtomicU64::from_ptr(semaphore.pointer().cast()) }
    }

    /// Whether the word reads as the value says, with one permit more and with one less.
    pub(super) fn agrees(semaphore: &Semaphore) -> bool {
        let reads = |value| semaphore.value() == value && word(semaphore).load(Ordering::Relaxed) == u64::from(value);
        let value = semaphore.value();
        if value < Semaphore::MAX {
            let more = semaphore.release(1).is_ok() && reads(value + 1);
            more && semaphore.try_acquire().is_ok() && reads(value)
        } else {
            reads(value)
        }
    }

    pub(super) fn release(semaphore: &Semaphore, count: u32) -> Result<(), i32> {
        let word = word(semaphore);
        let before = word
            .fetch_update(Ordering::Release, Ordering::Relaxed, |data| {
                let room = Semaphore::MAX - (data as u32).min(Semaphore::MAX);
                (count <= room).then(|| data + u64::from(count))
            })
            .map_err(|_| libc::EOVERFLOW)?;
        if before >> 32 != 0 {
            futex::wake(semaphore.word(), count);
        }
        Ok(())
    }
}

#[cfg(not(all(target_env = "gnu", target_pointer_width = "64")))]
mod wide {
    use super::Semaphore;

    pub(super) fn agrees(_: &Semaphore) -> bool {
        false
    }

    pub(super) fn release(semaphore: &Semaphore, count: u32) -> Result<(), i32> {
        semaphore.release_each(count)
    }
}

/// Makes the call again while a signal interrupts it that is not let in.
#[inline]
fn check(mut call: impl FnMut() -> libc::c_int) -> Result<(), i32> {
    loop {
        if call() == 0 {
            return Ok(());
        }
        match io::Error::last_os_error().raw_os_error().unwrap_or(0) {
            libc::EINTR if !interrupts::is_noted() => {}
            errno => return Err(errno),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::testing::Child;

    #[test]
    fn permits_are_counted() {
        let semaphore = Semaphore::new(&Arena::new(), 1).unwrap();
        assert_eq!(semaphore.try_acquire(), Ok(()));
        assert_eq!(semaphore.try_acquire(), Err(libc::EAGAIN));
        assert_eq!(semaphore.acquire(Some(clock::now())), Err(libc::ETIMEDOUT));
        assert_eq!(semaphore.release(3), Ok(()));
        assert_eq!(semaphore.value(), 3);
        assert_eq!(semaphore.acquire(None), Ok(()));
        assert_eq!(semaphore.release(Semaphore::MAX), Err(libc::EOVERFLOW));
        assert_eq!(semaphore.value(), 2);
        assert_eq!(Semaphore::new(&Arena::new(), u32::MAX).err().and_then(|e| e.raw_os_error()), Some(libc::EINVAL));
    }

    #[test]
    fn one_release_of_many_wakes_as_many() {
        let semaphore = Semaphore::new(&Arena::new(), 0).unwrap();
        let children: Vec<_> = (0..5)
            .map(|_| {
                let semaphore = semaphore.clone();
                Child::run(move || semaphore.acquire(Some(clock::now() + 20_000_000_000)).err().unwrap_or(0))
            })
            .collect();
        clock::sleep_until(clock::now() + 20_000_000);
        assert_eq!(semaphore.release(5), Ok(()));
        for child in children {
            assert_eq!(child.join(), Some(0));
        }
        assert_eq!(semaphore.value(), 0);
    }
}
