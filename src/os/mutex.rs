//! A POSIX mutex that processes share: `pthread_mutex_t` in an [`Arena`], with `PTHREAD_PROCESS_SHARED`.
//!
//! | call | errno |
//! | --- | --- |
//! | [`Mutex::new`] | `ENOTSUP`, `EINVAL`: the host has not got that protocol, or not that ceiling |
//! | [`Mutex::try_lock`] | `EBUSY`: it is taken; `EAGAIN`: locked too often; `EOWNERDEAD`: taken, its owner died; `ENOTRECOVERABLE` |
//! | [`Mutex::lock`] | `ETIMEDOUT`, `EDEADLK` and the same |
//! | [`Mutex::unlock`] | `EPERM`: by another than its owner |
//!
//! With a ceiling also `EINVAL`: the caller is above it, or under no real-time policy; `EPERM`: it may not be raised.
//!
//! Robustness rests on each thread's robust list, which libc registers anew in a child of its own fork(2) alone. The
//! mutex is never destroyed: libc holds nothing beyond the `pthread_mutex_t` itself, which goes with the arena.

use std::cell::UnsafeCell;
use std::io;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use zerocopy::FromZeros;

use super::arena::{Arena, Shared};
use super::{clock, fault, futex};

unsafe extern "C" {
    // The libc crate does not have these for Linux.
    fn pthread_mutexattr_setprioceiling(
        attributes: *mut libc::pthread_mutexattr_t,
        ceiling: libc::c_int,
    ) -> libc::c_int;
    #[cfg(target_env = "gnu")]
    fn pthread_mutex_clocklock(
        mutex: *mut libc::pthread_mutex_t,
        clock: libc::clockid_t,
        deadline: *const libc::timespec,
    ) -> libc::c_int;
}

/// What a second `lock` by the owner does.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MutexType {
    /// It waits for itself.
    #[default]
    Normal,
    Recursive,
    ErrorCheck,
}

/// At which priority the owner runs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Protocol {
    #[default]
    None,
    /// At the highest priority of the waiting processes.
    Inherit,
    Protect(i32),
}

/// How a mutex is made.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct MutexOptions {
    /// What a second `lock` by the owner does.
    pub kind: MutexType,
    /// Whether the next owner learns of the death of the last.
    pub robust: bool,
    /// At which priority the owner runs.
    pub protocol: Protocol,
}

/// A mutex in shared memory.
#[derive(Clone)]
pub struct Mutex {
    raw: Shared<Raw>,
}

#[derive(FromZeros)]
#[repr(transparent)]
struct Raw(UnsafeCell<MaybeUninit<libc::pthread_mutex_t>>);

// SAFETY: a process-shared `pthread_mutex_t` is there to be used by several threads and processes at once.
unsafe impl Sync for Raw {}

impl Mutex {
    /// A mutex that is free.
    ///
    /// # Errors
    /// `ENOMEM` of mmap(2), `ENOTSUP` and `EINVAL` of the calls that set its attributes.
    pub fn new(arena: &Arena, options: MutexOptions) -> io::Result<Self> {
        let mutex = Self { raw: arena.alloc()? };
        let kind = match options.kind {
            MutexType::Normal => libc::PTHREAD_MUTEX_NORMAL,
            MutexType::Recursive => libc::PTHREAD_MUTEX_RECURSIVE,
            MutexType::ErrorCheck => libc::PTHREAD_MUTEX_ERRORCHECK,
        };
        let robust = if options.robust { libc::PTHREAD_MUTEX_ROBUST } else { libc::PTHREAD_MUTEX_STALLED };
        let protocol = match options.protocol {
            Protocol::None => libc::PTHREAD_PRIO_NONE,
            Protocol::Inherit => libc::PTHREAD_PRIO_INHERIT,
            Protocol::Protect(_) => libc::PTHREAD_PRIO_PROTECT,
        };
        let mut attributes = MaybeUninit::uninit();
        let attributes: *mut libc::pthread_mutexattr_t = attributes.as_mut_ptr();
        // SAFETY: the attributes are initialised first and destroyed last, and live on this stack meanwhile.
        unsafe {
            check(fault::code("pthread_mutexattr_init", &[Errno::ENOMEM], || {
                libc::pthread_mutexattr_init(attributes)
            }))?;
            let made = check(libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED))
                .and_then(|()| check(libc::pthread_mutexattr_settype(attributes, kind)))
                .and_then(|()| check(libc::pthread_mutexattr_setrobust(attributes, robust)))
                .and_then(|()| {
                    check(fault::code("pthread_mutexattr_setprotocol", &[Errno::ENOTSUP], || {
                        libc::pthread_mutexattr_setprotocol(attributes, protocol)
                    }))
                })
                .and_then(|()| match options.protocol {
                    Protocol::Protect(ceiling) => check(pthread_mutexattr_setprioceiling(attributes, ceiling)),
                    _ => Ok(()),
                })
                .and_then(|()| {
                    check(fault::code("pthread_mutex_init", &[Errno::ENOTSUP, Errno::ENOMEM], || {
                        libc::pthread_mutex_init(mutex.pointer(), attributes)
                    }))
                });
            libc::pthread_mutexattr_destroy(attributes);
            made?;
        }
        Ok(mutex)
    }

    fn pointer(&self) -> *mut libc::pthread_mutex_t {
        self.raw.0.get().cast()
    }

    /// Takes it if it is free. With `EOWNERDEAD` it is taken as well.
    ///
    /// # Errors
    /// The errno.
    #[inline]
    pub fn try_lock(&self) -> Result<(), i32> {
        // SAFETY: the mutex was initialised and lives as long as `self`.
        let tried = outcome(unsafe { libc::pthread_mutex_trylock(self.pointer()) });
        if tried == Err(libc::ENOTRECOVERABLE) {
            self.give_back();
        }
        tried
    }

    /// Frees the lock word where it is the caller's. glibc's trylock leaves it so with `ENOTRECOVERABLE`, and a later
    /// caller would wait for ever instead of getting the same error.
    #[cold]
    fn give_back(&self) {
        const OWNER: u32 = 0x3fff_ffff;
        if cfg!(target_env = "gnu") {
            // SAFETY: the word lies within the mutex and is aligned, and is only ever used atomically.
            let word = unsafe { AtomicU32::from_ptr(self.pointer().cast::<u32>()) };
            // SAFETY: gettid(2) cannot fail.
            let own = unsafe { libc::gettid() } as u32;
            if word.load(Ordering::Relaxed) & OWNER == own {
                word.store(0, Ordering::Release);
                futex::wake_all(word);
            }
        }
    }

    /// Takes it, waiting for it until the deadline of `CLOCK_MONOTONIC`. With `EOWNERDEAD` it is taken as well.
    ///
    /// # Errors
    /// The errno.
    pub fn lock(&self, deadline: Option<u64>) -> Result<(), i32> {
        match deadline {
            // SAFETY: as for `try_lock`.
            None => outcome(unsafe { libc::pthread_mutex_lock(self.pointer()) }),
            Some(deadline) => self.lock_until(deadline),
        }
    }

    fn lock_until(&self, deadline: u64) -> Result<(), i32> {
        #[cfg(target_env = "gnu")]
        {
            let time = clock::timespec(deadline);
            // SAFETY: as for `try_lock`; the timespec outlives the call.
            let errno = unsafe { pthread_mutex_clocklock(self.pointer(), libc::CLOCK_MONOTONIC, &raw const time) };
            // Before Linux 5.14 a mutex that inherits priorities knows CLOCK_REALTIME alone.
            if errno != libc::EINVAL {
                return outcome(errno);
            }
        }
        loop {
            let time = clock::realtime(deadline);
            // SAFETY: as for `try_lock`; the timespec outlives the call.
            match outcome(unsafe { libc::pthread_mutex_timedlock(self.pointer(), &raw const time) }) {
                // The other clock was set meanwhile.
                Err(libc::ETIMEDOUT) if clock::now() < deadline => {}
                result => return result,
            }
        }
    }

    /// Lets go of it.
    ///
    /// # Errors
    /// The errno.
    #[inline]
    pub fn unlock(&self) -> Result<(), i32> {
        // SAFETY: as for `try_lock`. Callers unlock only what they have locked: of another's normal mutex POSIX says
        // nothing, and libc then releases it as if it were theirs.
        outcome(unsafe { libc::pthread_mutex_unlock(self.pointer()) })
    }

    /// Says that what it protects is right again after `EOWNERDEAD`.
    ///
    /// # Errors
    /// `EINVAL` where its owner has not died.
    pub fn consistent(&self) -> Result<(), i32> {
        // SAFETY: as for `try_lock`.
        outcome(unsafe { libc::pthread_mutex_consistent(self.pointer()) })
    }

    /// Wakes every waiter to look again. Harmless; it makes up for a wake-up that went to a process that was killed
    /// before it took the mutex, or that a killed process had not sent yet.
    pub fn wake_all(&self) {
        // glibc's lock word is the first int of its mutex, musl's the second.
        let at = usize::from(!cfg!(target_env = "gnu"));
        // SAFETY: the word lies within the mutex and is aligned; the reference is only used as an address.
        futex::wake_all(unsafe { AtomicU32::from_ptr(self.pointer().cast::<u32>().add(at)) });
    }
}

fn outcome(errno: libc::c_int) -> Result<(), i32> {
    if errno == 0 { Ok(()) } else { Err(errno) }
}

fn check(errno: libc::c_int) -> io::Result<()> {
    outcome(errno).map_err(io::Error::from_raw_os_error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::testing::Child;

    fn mutex(kind: MutexType, robust: bool, protocol: Protocol) -> Mutex {
        Mutex::new(&Arena::new(), MutexOptions { kind, robust, protocol }).unwrap()
    }

    #[test]
    fn each_type_says_what_a_second_lock_does() {
        let normal = mutex(MutexType::Normal, false, Protocol::None);
        assert_eq!(normal.lock(None), Ok(()));
        assert_eq!(normal.try_lock(), Err(libc::EBUSY));
        assert_eq!(normal.lock(Some(clock::now())), Err(libc::ETIMEDOUT));
        assert_eq!(normal.unlock(), Ok(()));
        let recursive = mutex(MutexType::Recursive, false, Protocol::None);
        assert_eq!((recursive.lock(None), recursive.try_lock()), (Ok(()), Ok(())));
        let checked = mutex(MutexType::ErrorCheck, false, Protocol::Inherit);
        assert_eq!((checked.lock(None), checked.lock(None)), (Ok(()), Err(libc::EDEADLK)));
        assert_eq!(checked.consistent(), Err(libc::EINVAL));
    }

    #[test]
    fn a_robust_mutex_outlives_its_owner() {
        for protocol in [Protocol::None, Protocol::Inherit] {
            let mutex = mutex(MutexType::Normal, true, protocol);
            let die = |mutex: Mutex| Child::run(move || mutex.lock(None).err().unwrap_or(0)).join();
            assert_eq!(die(mutex.clone()), Some(0));
            assert_eq!(mutex.lock(Some(clock::now() + 20_000_000_000)), Err(libc::EOWNERDEAD));
            assert_eq!((mutex.consistent(), mutex.unlock()), (Ok(()), Ok(())));
            assert_eq!(die(mutex.clone()), Some(0));
            assert_eq!(mutex.try_lock(), Err(libc::EOWNERDEAD));
            assert_eq!(mutex.unlock(), Ok(()));
            // Every later call gets the same answer.
            assert_eq!(mutex.try_lock(), Err(libc::ENOTRECOVERABLE));
            assert_eq!(mutex.try_lock(), Err(libc::ENOTRECOVERABLE));
            assert_eq!(mutex.lock(Some(clock::now() + 20_000_000_000)), Err(libc::ENOTRECOVERABLE));
        }
    }

    #[test]
    fn a_deadline_holds_with_priority_inheritance_too() {
        let mutex = mutex(MutexType::Normal, false, Protocol::Inherit);
        let owner = {
            let mutex = mutex.clone();
            Child::run(move || {
                let _ = mutex.lock(None);
                loop {
                    clock::sleep_until(clock::now() + 1_000_000_000);
                }
            })
        };
        while mutex.try_lock().is_ok() {
            let _ = mutex.unlock();
            std::thread::yield_now();
        }
        let deadline = clock::now() + 3_000_000;
        assert_eq!(mutex.lock(Some(deadline)), Err(libc::ETIMEDOUT));
        assert!(clock::now() >= deadline);
        owner.kill();
    }
}
