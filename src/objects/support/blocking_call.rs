//! One way to carry out a call that may wait, for all kinds over kernel objects that wait by themselves.

use crate::objects::{Caller, Parked, Patience};
use crate::os::clock;

/// A deadline that never comes.
const NEVER_COMES: u64 = 1 << 62;
/// How long a step sleeps that continues by itself under a schedule before it looks whether its time is over, in ns.
const NAP: u64 = 1_000_000;

impl Patience {
    /// The same, for a step that continues in parts: where a schedule says when it does, no part waits in the kernel.
    pub(crate) fn in_parts(self, party: &dyn Caller, waits: bool) -> Self {
        if waits && self == Self::Forever && party.is_held() { Self::Until(NEVER_COMES) } else { self }
    }

    /// Runs `call`, whose argument says whether it may wait, and waits by `ready` where there is a deadline: until
    /// a further try is worth while, or `false` when the time of `CLOCK_MONOTONIC` has passed.
    ///
    /// Without a deadline this is one call. `likely` says whether it will probably have to wait.
    ///
    /// # Errors
    /// The errno of the call: EAGAIN where it was not to wait, ETIMEDOUT where the deadline has passed.
    #[inline]
    pub(crate) fn attempt<T>(
        self,
        party: &mut dyn Caller,
        likely: bool,
        call: impl FnMut(bool) -> Result<T, i32>,
        ready: impl Fn(Option<u64>) -> Result<bool, i32>,
    ) -> Result<T, i32> {
        self.carry_out(party, likely, call, ready, true)
    }

    /// The same for what continues by itself as soon as another takes what is there: a schedule has no turn for it.
    ///
    /// # Errors
    /// As of [`Patience::attempt`].
    pub(crate) fn go_on<T>(
        self,
        party: &mut dyn Caller,
        likely: bool,
        call: impl FnMut(bool) -> Result<T, i32>,
        ready: impl Fn(Option<u64>) -> Result<bool, i32>,
    ) -> Result<T, i32> {
        self.carry_out(party, likely, call, ready, false)
    }

    #[inline]
    fn carry_out<T>(
        self,
        party: &mut dyn Caller,
        likely: bool,
        mut call: impl FnMut(bool) -> Result<T, i32>,
        ready: impl Fn(Option<u64>) -> Result<bool, i32>,
        parks: bool,
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
                        party.block();
                        let parked = if parks { party.park() } else { Parked::Sleep };
                        let goes_on = match parked {
                            Parked::Sleep => sleep(party, deadline, &ready)?,
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

/// Sleeps by `ready` until a further try is worth while; `false` where the time is over.
///
/// # Errors
/// Those of `ready`.
fn sleep(
    party: &mut dyn Caller,
    deadline: u64,
    ready: &impl Fn(Option<u64>) -> Result<bool, i32>,
) -> Result<bool, i32> {
    while party.is_held() {
        if party.is_overdue() {
            // What can be done at once is still done.
            return ready(Some(1));
        }
        if ready(Some(clock::now() + NAP))? {
            return Ok(true);
        }
    }
    ready(Some(deadline))
}
