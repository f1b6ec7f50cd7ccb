//! The monotonic clock, in nanoseconds: what times of a run and deadlines are counted in.

use std::time::Duration;

use nix::errno::Errno;

use super::{fault, interrupts};

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

fn read(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec. Of these clocks the call cannot fail.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec as u64 * SECOND + time.tv_nsec as u64
}

/// `CLOCK_MONOTONIC`.
#[inline]
pub fn now() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// The processor time that the calling thread has used.
pub fn thread_time() -> u64 {
    read(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// A time in ns as the kernel takes it.
pub fn timespec(ns: u64) -> libc::timespec {
    libc::timespec { tv_sec: (ns / SECOND) as libc::time_t, tv_nsec: (ns % SECOND) as _ }
}

/// Sleeps until that time of `CLOCK_MONOTONIC`; a signal does not cut it short.
pub fn sleep_until(deadline: u64) {
    let time = timespec(deadline);
    loop {
        let error = fault::code("clock_nanosleep", &[Errno::EINTR], || {
            // SAFETY: the kernel reads one timespec and, for an absolute time, writes nothing.
            unsafe {
                libc::clock_nanosleep(libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME, &raw const time, std::ptr::null_mut())
            }
        });
        if error != libc::EINTR {
            return;
        }
    }
}

/// The same, but a signal that is let in ends it. Whether the time has come.
pub fn sleep_or_wake(deadline: u64) -> bool {
    let time = timespec(deadline);
    while !interrupts::is_noted() {
        let error = fault::code("clock_nanosleep", &[Errno::EINTR], || {
            // SAFETY: as above.
            unsafe {
                libc::clock_nanosleep(libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME, &raw const time, std::ptr::null_mut())
            }
        });
        if error != libc::EINTR {
            return true;
        }
    }
    now() >= deadline
}

/// Uses the processor until the calling thread has had that much of it.
pub fn burn(time: Duration) {
    let until = thread_time().saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    while thread_time() < until {
        for _ in 0..1000 {
            std::hint::spin_loop();
        }
    }
}

/// A deadline of `CLOCK_MONOTONIC` as the same moment of `CLOCK_REALTIME`, for calls that know no other clock.
pub fn realtime(deadline: u64) -> libc::timespec {
    timespec(read(libc::CLOCK_REALTIME).saturating_add(deadline.saturating_sub(now())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_and_burning_last_at_least_as_long_as_asked() {
        let begin = now();
        sleep_until(begin + 2_000_000);
        assert!(now() >= begin + 2_000_000);
        let used = thread_time();
        burn(Duration::from_millis(2));
        assert!(thread_time() >= used + 2_000_000);
        sleep_until(0);
    }
}
