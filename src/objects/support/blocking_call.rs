//! One way to carry out a call that may wait, for all kinds over kernel objects that wait by themselves.

use super::turn::{PAST, Turn};
use crate::objects::{Caller, Parked, Patience};
use crate::os::{clock, interrupts};

/// A deadline that never comes.
const NEVER_COMES: u64 = 1 << 62;
/// How long a step sleeps that continues by itself under a schedule before it looks whether its time is over, in ns.
const NAP: u64 = 1_000_000;

impl Patience {
    /// The same, for a step that continues in parts: where a schedule says when it does, no part waits in the kernel.
    pub(crate) fn in_parts(self, party: &dyn Caller) -> Self {
        if self == Self::Forever && party.is_held() { Self::Until(NEVER_COMES) } else { self }
    }

    /// Runs `call`, whose argument says whether it may wait, and waits by `ready` where there is a deadline: until
    /// a further try is worth while, or `false` when the time of `CLOCK_MONOTONIC` has passed.
    ///
    /// It is tried first: only what could not be done at once has waited. A turn is kept meanwhile, and waits as well.
    ///
    /// # Errors
    /// The errno of the call: EAGAIN where it was not to wait, ETIMEDOUT where the deadline has passed.
    #[inline]
    pub(crate) fn attempt<T>(
        self,
        party: &mut dyn Caller,
        turn: Option<&Turn<'_>>,
        call: impl FnMut(bool) -> Result<T, i32>,
        ready: impl Fn(Option<u64>) -> Result<bool, i32>,
    ) -> Result<T, i32> {
        self.carry_out(party, turn, call, ready, true)
    }

    /// The same for what continues by itself as soon as another takes what is there: a schedule has no turn for it.
    ///
    /// # Errors
    /// As of [`Patience::attempt`].
    pub(crate) fn go_on<T>(
        self,
        party: &mut dyn Caller,
        turn: Option<&Turn<'_>>,
        call: impl FnMut(bool) -> Result<T, i32>,
        ready: impl Fn(Option<u64>) -> Result<bool, i32>,
    ) -> Result<T, i32> {
        self.carry_out(party, turn, call, ready, false)
    }

    #[inline]
    fn carry_out<T>(
        self,
        party: &mut dyn Caller,
        turn: Option<&Turn<'_>>,
        mut call: impl FnMut(bool) -> Result<T, i32>,
        ready: impl Fn(Option<u64>) -> Result<bool, i32>,
        parks: bool,
    ) -> Result<T, i32> {
        let mut over = false;
        loop {
            match call(false) {
                Err(libc::EINTR) => {}
                Err(libc::EAGAIN) if self == Self::Never => return Err(libc::EAGAIN),
                Err(libc::EAGAIN) if over => return Err(libc::ETIMEDOUT),
                // What continues has changed something, and is not cut short within that.
                Err(libc::EAGAIN) if parks && interrupts::is_noted() => return Err(libc::EINTR),
                Err(libc::EAGAIN) => {
                    party.block();
                    if let Some(turn) = turn {
                        turn.waits(true);
                    }
                    let waited = match self {
                        Self::Until(deadline) => wait(party, deadline, &ready, parks).map(|goes_on| {
                            over = !goes_on;
                            None
                        }),
                        _ => match call(true) {
                            Err(libc::EINTR) => Ok(None),
                            Err(libc::EAGAIN) => ready(None).map(|_| None),
                            done => done.map(Some),
                        },
                    };
                    if let Some(turn) = turn {
                        turn.waits(false);
                    }
                    let waited = match waited {
                        Err(libc::EINTR) if !parks => Ok(None),
                        waited => waited,
                    };
                    if let Some(done) = waited? {
                        return Ok(done);
                    }
                }
                done => return done,
            }
        }
    }
}

/// Waits until a further try is worth while, or for the last time: `false` where the time is over.
///
/// # Errors
/// Those of `ready`; ETIMEDOUT where a schedule says that the time is over.
fn wait(
    party: &mut dyn Caller,
    deadline: u64,
    ready: &impl Fn(Option<u64>) -> Result<bool, i32>,
    parks: bool,
) -> Result<bool, i32> {
    match if parks { party.park() } else { Parked::Sleep } {
        Parked::Sleep => sleep(party, deadline, ready),
        Parked::Again | Parked::Wake => Ok(true),
        Parked::GiveUp => Err(libc::ETIMEDOUT),
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
            return ready(Some(PAST));
        }
        if ready(Some(clock::now() + NAP))? {
            return Ok(true);
        }
    }
    ready(Some(deadline))
}
