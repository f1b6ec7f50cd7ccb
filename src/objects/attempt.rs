//! One way to carry out a call that may wait, for all kinds over kernel objects that wait by themselves.

use super::{Parked, Party, Patience};

impl Patience {
    /// Carries out `call`, which is told whether it may wait, and waits by `ready` where there is a deadline: until
    /// a further try is worth while, or `false` when the time of `CLOCK_MONOTONIC` has passed.
    ///
    /// Without a deadline this is one call. `likely` says whether it will probably have to wait.
    ///
    /// # Errors
    /// The errno of the call: EAGAIN where it was not to wait, ETIMEDOUT where the deadline has passed.
    #[inline]
    pub(super) fn attempt<T>(
        self,
        party: &mut dyn Party,
        likely: bool,
        mut call: impl FnMut(bool) -> Result<T, i32>,
        ready: impl Fn(Option<u64>) -> Result<bool, i32>,
    ) -> Result<T, i32> {
        if self == Self::Forever {
            if likely {
                party.block();
            } else {
                party.enter();
            }
        }
        loop {
            match call(self == Self::Forever) {
                Err(libc::EINTR) => {}
                Err(libc::EAGAIN) => match self {
                    Self::Never => return Err(libc::EAGAIN),
                    Self::Forever => {
                        party.block();
                        ready(None)?;
                    }
                    Self::Until(deadline) => {
                        let goes_on = match party.park() {
                            Parked::Sleep => ready(Some(deadline))?,
                            Parked::Again => true,
                            Parked::GiveUp => false,
                        };
                        if !goes_on {
                            return Err(libc::ETIMEDOUT);
                        }
                    }
                },
                done => return done,
            }
        }
    }
}
