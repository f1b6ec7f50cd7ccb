//! Forked children for unit tests. The test harness has threads, so a child may not allocate, print or panic.

use super::clock;

/// Lets some time pass, another in each round, before a process is killed.
pub(crate) fn moment(round: u32) {
    clock::sleep_until(clock::now() + u64::from(round) * 17_001 % 1_000_000);
}

/// A process that runs a closure and nothing else. One that is dropped is killed.
pub(crate) struct Child(libc::pid_t);

impl Child {
    /// Forks; the child runs `work` and exits with status 0, or 2 after a minute.
    pub(crate) fn fork(work: impl FnOnce()) -> Self {
        Self::run(|| {
            work();
            0
        })
    }

    /// Forks; the child runs `work` and exits with the status it gives.
    pub(crate) fn run(work: impl FnOnce() -> i32) -> Self {
        // SAFETY: the child runs one closure that keeps to what is safe after a fork, and leaves by _exit(2) without
        // unwinding into the harness; should it hang, SIGALRM ends it.
        unsafe {
            match libc::fork() {
                0 => {
                    libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                    libc::alarm(60);
                    libc::_exit(work());
                }
                pid => {
                    assert!(pid > 0, "fork: {}", std::io::Error::last_os_error());
                    Self(pid)
                }
            }
        }
    }

    pub(crate) fn id(&self) -> i32 {
        self.0
    }

    /// The exit status as for [`Child::join`], where it has ended.
    pub(crate) fn poll(&mut self) -> Option<i32> {
        self.reap(libc::WNOHANG)
    }

    /// Waits for its end: the exit status, or a signal's number as a negative one.
    pub(crate) fn join(mut self) -> Option<i32> {
        self.reap(0)
    }

    /// Kills it by SIGKILL and waits for its end.
    pub(crate) fn kill(mut self) -> Option<i32> {
        self.signal();
        self.reap(0)
    }

    fn signal(&self) {
        // SAFETY: the child is not reaped yet, so that the id is its own.
        unsafe { libc::kill(self.0, libc::SIGKILL) };
    }

    fn reap(&mut self, options: libc::c_int) -> Option<i32> {
        let mut status = 0;
        // SAFETY: waitpid writes one int, and the id is that of a child of ours that was not reaped yet.
        let result = unsafe { libc::waitpid(self.0, &raw mut status, options) };
        if result == 0 {
            return None;
        }
        assert_eq!(result, self.0, "waitpid: {}", std::io::Error::last_os_error());
        self.0 = 0;
        if libc::WIFEXITED(status) { Some(libc::WEXITSTATUS(status)) } else { Some(-libc::WTERMSIG(status)) }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.0 > 0 {
            self.signal();
            self.reap(0);
        }
    }
}
