//! A semaphore of System V: semop(2).

use nix::errno::Errno;

use super::super::descriptor::{errno, remaining, result};
use super::super::{clock, fault, interrupts};

/// The highest value of a semaphore, SEMVMX.
pub const SEMAPHORE_MAX: u32 = 32_767;

/// A set of one semaphore, by its id. What is taken is not given back when a process dies (no `SEM_UNDO`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SysvSemaphore {
    pub(super) id: i32,
}

impl SysvSemaphore {
    /// Its key as registers have it.
    #[cfg(test)]
    pub(in crate::os) fn word(self) -> u64 {
        // SAFETY: all zeroes is a valid semid_ds.
        let mut state: libc::semid_ds = unsafe { std::mem::zeroed() };
        // SAFETY: IPC_STAT fills the struct.
        assert_eq!(unsafe { libc::semctl(self.id, 0, libc::IPC_STAT, &raw mut state) }, 0);
        super::keeper::word(super::keeper::SEMAPHORE, state.sem_perm.__key)
    }

    /// Takes `n` permits, all of them or none, where they are free.
    ///
    /// # Errors
    /// EAGAIN: they are not. ERANGE: `n` is over [`SEMAPHORE_MAX`]. EIDRM, EINVAL: the id was removed.
    pub fn try_acquire(self, n: u32) -> Result<(), i32> {
        self.operate(-change(n)?, libc::IPC_NOWAIT as libc::c_short, None)
    }

    /// Takes `n` permits, all of them or none. Waits until they are free, at most until `deadline`, in ns of
    /// `CLOCK_MONOTONIC`; what is free is taken whatever the deadline.
    ///
    /// # Errors
    /// ETIMEDOUT: the deadline passed first. EINTR: a signal came that is let in. ERANGE, EIDRM, EINVAL as for [`SysvSemaphore::try_acquire`].
    pub fn acquire(self, n: u32, deadline: Option<u64>) -> Result<(), i32> {
        let change = -change(n)?;
        loop {
            match self.operate(change, 0, deadline) {
                Err(libc::EINTR) if !interrupts::is_noted() => {}
                Err(libc::EAGAIN) if deadline.is_some_and(|deadline| clock::now() >= deadline) => {
                    return Err(libc::ETIMEDOUT);
                }
                // The kernel rounds a timeout to its own ticks; never be early by that.
                Err(libc::EAGAIN) if deadline.is_some() => {}
                done => return done,
            }
        }
    }

    /// Gives `n` permits back, at once.
    ///
    /// # Errors
    /// ERANGE: the value would pass [`SEMAPHORE_MAX`]. EIDRM, EINVAL: the id was removed.
    pub fn release(self, n: u32) -> Result<(), i32> {
        self.operate(change(n)?, 0, None)
    }

    /// The free permits.
    ///
    /// # Errors
    /// EIDRM, EINVAL: the id was removed.
    pub fn value(self) -> Result<u32, i32> {
        // SAFETY: GETVAL takes no further argument.
        result(unsafe { libc::semctl(self.id, 0, libc::GETVAL) } as isize).map(|value| value as u32)
    }

    /// One semtimedop(2), which libc has no function for.
    fn operate(self, sem_op: libc::c_short, sem_flg: libc::c_short, deadline: Option<u64>) -> Result<(), i32> {
        if sem_op == 0 {
            return Ok(());
        }
        let mut operation = libc::sembuf { sem_num: 0, sem_op, sem_flg };
        let done = match deadline {
            None => fault::call("semop", &[Errno::EINTR, Errno::ENOMEM], || {
                // SAFETY: `operation` is one sembuf.
                unsafe { libc::semop(self.id, &raw mut operation, 1) }
            }),
            Some(deadline) => {
                let left = remaining(deadline);
                fault::call("semtimedop", &[Errno::EINTR, Errno::ENOMEM], || {
                    // SAFETY: `operation` is one sembuf, `left` a timespec; both live over the call.
                    unsafe {
                        libc::syscall(libc::SYS_semtimedop, self.id, &raw mut operation, 1usize, &raw const left) as i32
                    }
                })
            }
        };
        if done == 0 { Ok(()) } else { Err(errno()) }
    }
}

/// `n` as the change of a semaphore's value.
fn change(n: u32) -> Result<libc::c_short, i32> {
    libc::c_short::try_from(n).map_err(|_| libc::ERANGE)
}

#[cfg(test)]
mod tests {
    use super::super::Keeper;
    use super::*;
    use crate::os::testing::Child;

    #[test]
    fn permits_are_taken_and_given_back() {
        let mut keeper = Keeper::new();
        let permits = keeper.semaphore(3).expect("a semaphore");
        assert_eq!(permits.try_acquire(2), Ok(()));
        assert_eq!(permits.try_acquire(2), Err(libc::EAGAIN));
        assert_eq!(permits.value(), Ok(1));
        let deadline = clock::now() + 5_000_000;
        assert_eq!(permits.acquire(2, Some(deadline)), Err(libc::ETIMEDOUT));
        assert!(clock::now() >= deadline);
        assert_eq!(permits.acquire(1, Some(0)), Ok(()));
        assert_eq!(permits.release(SEMAPHORE_MAX), Ok(()));
        assert_eq!(permits.release(1), Err(libc::ERANGE));
        assert_eq!(permits.try_acquire(SEMAPHORE_MAX + 1), Err(libc::ERANGE));
    }

    #[test]
    fn a_waiter_goes_on_when_another_process_releases() {
        let mut keeper = Keeper::new();
        let permits = keeper.semaphore(0).expect("a semaphore");
        let child = Child::run(|| i32::from(permits.acquire(2, None).is_err()));
        assert_eq!(permits.release(1), Ok(()));
        assert_eq!(permits.release(1), Ok(()));
        assert_eq!(child.join(), Some(0));
        assert_eq!(permits.value(), Ok(0));
    }
}
