//! Whose turn it is on one side of an object of the kernel, and how much has gone through there.
//!
//! The kernel gives no numbers, so steps that do the same take turns, and each counts within its turn: counts are then
//! in the kernel's own order. A process that waits in the kernel keeps its turn and says so: the others wait for the
//! same as it does. Those that only wait for a step to come back from the kernel do not wait for the object.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use zerocopy::FromZeros;

use crate::event::{ProcessId, look};
use crate::objects::{Caller, Completion, Patience};
use crate::os::{clock, futex, interrupts};
use crate::outcome::Outcome;

/// Set in the holder's word while it waits in the kernel.
const WAITS: u32 = 1 << 31;
/// A deadline that has passed.
pub(super) const PAST: u64 = 1;

/// One side, in shared memory. Zeroed, it is no process's turn.
#[derive(Debug, FromZeros)]
#[repr(C)]
pub(crate) struct Side {
    /// The holder's process and one, or 0.
    holder: AtomicU32,
    /// How many wait for their turn, or more where one of them was killed.
    waiting: AtomicU32,
    /// What has gone through. What a killed process has not counted is missing.
    count: AtomicU64,
}

/// A turn, held until this is dropped. A process that is alone on its side needs none.
#[must_use]
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    side: &'a Side,
    /// The holder's word; 0 where it needs no turn, or has lost it.
    own: Cell<u32>,
}

/// Why a step did not get its turn, or did nothing in it, and how much had gone through by then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) errno: i32,
    pub(crate) count: u64,
}

impl Refusal {
    /// How the step ends. Where it gave up, its place is known: after what had gone through.
    pub(crate) fn completion(self, ticket: impl FnOnce(u64) -> u64) -> Completion {
        let gave_up = matches!(self.errno, libc::EAGAIN | libc::ETIMEDOUT);
        let ticket = if gave_up { look(ticket(self.count)) } else { 0 };
        Completion::of(Outcome::from_errno(self.errno)).ticket(ticket)
    }
}

impl Side {
    /// Takes the turn. `ready` is that of [`Patience::attempt`].
    ///
    /// # Errors
    /// EAGAIN, ETIMEDOUT where the one that has it waits in the kernel, longer than this step may. One that has been
    /// woken is as good as back: free of a schedule, its end is awaited.
    #[inline]
    pub(crate) fn take(
        &self,
        alone: bool,
        patience: Patience,
        party: &mut dyn Caller,
        ready: impl Fn(Option<u64>) -> Result<bool, i32>,
    ) -> Result<Turn<'_>, Refusal> {
        if !alone && !self.try_take(party.process()) {
            self.await_turn(party.process(), |holder| {
                let deadline = match patience {
                    Patience::Never => Err(libc::EAGAIN),
                    Patience::Until(deadline) if clock::now() >= deadline => Err(libc::ETIMEDOUT),
                    Patience::Until(deadline) => Ok(Some(deadline)),
                    Patience::Forever => Ok(None),
                };
                match deadline {
                    Err(errno) => {
                        let count = self.count();
                        let woken = !party.is_held() && !matches!(ready(Some(PAST)), Ok(false));
                        if woken {
                            futex::wait(&self.holder, holder, None);
                            return None;
                        }
                        (self.still(holder) == Some(count)).then_some(Err(Refusal { errno, count }))
                    }
                    Ok(_) if interrupts::is_noted() => Some(Err(Refusal { errno: libc::EINTR, count: 0 })),
                    Ok(deadline) => {
                        party.block();
                        futex::wait(&self.holder, holder, deadline);
                        None
                    }
                }
            })?;
        }
        Ok(self.turn(alone, party.process()))
    }

    fn turn(&self, alone: bool, process: ProcessId) -> Turn<'_> {
        Turn { side: self, own: Cell::new(if alone { 0 } else { process.wrapping_add(1) }) }
    }

    /// Takes a turn that no process keeps while it waits.
    #[inline]
    pub(crate) fn brief(&self, alone: bool, process: ProcessId) -> Turn<'_> {
        if !alone && !self.try_take(process) {
            let _ = self.await_turn(process, |_| None);
        }
        self.turn(alone, process)
    }

    #[inline]
    fn try_take(&self, process: ProcessId) -> bool {
        self.holder.compare_exchange(0, process.wrapping_add(1), Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Waits for the turn and takes it; `waits` is called with the holder's word while that one waits in the kernel.
    #[cold]
    fn await_turn(
        &self,
        process: ProcessId,
        mut waits: impl FnMut(u32) -> Option<Result<(), Refusal>>,
    ) -> Result<(), Refusal> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let taken = loop {
            if self.try_take(process) {
                break Ok(());
            }
            let holder = self.holder.load(Ordering::SeqCst);
            if holder & WAITS != 0 {
                if let Some(over) = waits(holder) {
                    break over;
                }
            } else if holder != 0 {
                futex::wait(&self.holder, holder, None);
            }
        };
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        taken
    }

    /// What is counted, where that holder still waits in the kernel: nothing has gone through that is not counted.
    fn still(&self, holder: u32) -> Option<u64> {
        let count = self.count();
        (self.holder.load(Ordering::SeqCst) == holder).then_some(count)
    }

    /// Looks at the object while nothing goes through on this side. What is counted goes with the answer.
    ///
    /// # Errors
    /// Those of `look`.
    pub(crate) fn look<T>(
        &self,
        alone: bool,
        process: ProcessId,
        look: impl Fn() -> Result<T, i32>,
    ) -> Result<(T, u64), i32> {
        loop {
            let holder = self.holder.load(Ordering::SeqCst);
            if holder & WAITS == 0 {
                let turn = self.brief_unless_waiting(alone, process);
                if let Some(turn) = turn {
                    return Ok((look()?, turn.side.count()));
                }
            } else {
                let count = self.count();
                let seen = look()?;
                if self.still(holder) == Some(count) {
                    return Ok((seen, count));
                }
            }
        }
    }

    /// The turn; none where the one that has it waits in the kernel.
    fn brief_unless_waiting(&self, alone: bool, process: ProcessId) -> Option<Turn<'_>> {
        if !alone && !self.try_take(process) {
            let refused = Err(Refusal { errno: libc::EAGAIN, count: 0 });
            self.await_turn(process, |_| Some(refused)).ok()?;
        }
        Some(self.turn(alone, process))
    }

    /// What is counted to have gone through.
    #[inline]
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// Counts from 0 again. No process has the turn, or waits for it.
    pub(crate) fn restart(&self) {
        self.count.store(0, Ordering::Release);
    }

    /// Takes the turn from a process that a signal has stopped while it waits in the kernel: it takes nothing until another
    /// continues it.
    pub(crate) fn stopped(&self, process: ProcessId) {
        self.take_away(process.wrapping_add(1) | WAITS);
    }

    /// Takes the turn from a process that has died.
    pub(crate) fn reclaim(&self, process: ProcessId) {
        self.take_away(process.wrapping_add(1));
        self.take_away(process.wrapping_add(1) | WAITS);
    }

    fn take_away(&self, holder: u32) {
        let _ = self.holder.compare_exchange(holder, 0, Ordering::SeqCst, Ordering::SeqCst);
        // The process may have been woken to take its turn, so others are woken even where it held nothing.
        futex::wake_all(&self.holder);
    }
}

impl Turn<'_> {
    /// A step that did nothing within its turn.
    pub(crate) fn refuse(&self, errno: i32) -> Refusal {
        Refusal { errno, count: self.side.count() }
    }

    /// Says that the holder waits in the kernel from now on, or that it does not any more.
    pub(crate) fn waits(&self, waits: bool) {
        let own = self.own.get();
        if own == 0 {
            return;
        }
        let holder = &self.side.holder;
        if waits {
            holder.store(own | WAITS, Ordering::SeqCst);
            if self.side.waiting.load(Ordering::SeqCst) > 0 {
                futex::wake_all(holder);
            }
        } else {
            let before = holder.compare_exchange(own | WAITS, own, Ordering::SeqCst, Ordering::SeqCst);
            // A holder that did not wait keeps its turn. One that was stopped while it waited has lost it to others.
            if before.is_err_and(|before| before != own) {
                self.own.set(0);
            }
        }
    }

    /// Counts what has gone through, and gives the sum.
    #[inline]
    pub(crate) fn count(&self, amount: u64) -> u64 {
        self.side.count.fetch_add(amount, Ordering::AcqRel).wrapping_add(amount)
    }
}

impl Drop for Turn<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.own.get() != 0 {
            self.side.holder.store(0, Ordering::SeqCst);
            if self.side.waiting.load(Ordering::SeqCst) > 0 {
                futex::wake(&self.side.holder, 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::testing::one_object::{Hand, within};
    use crate::os::arena::Arena;
    use crate::os::testing::Child;

    /// A side, and a word that tells how far a child has come.
    fn side() -> (crate::os::arena::Shared<Side>, crate::os::arena::Shared<AtomicU32>) {
        let arena = Arena::new();
        (arena.alloc().expect("shared memory"), arena.alloc().expect("shared memory"))
    }

    /// An object that nothing can be had from.
    #[allow(clippy::unnecessary_wraps)]
    fn never(_: Option<u64>) -> Result<bool, i32> {
        Ok(false)
    }

    fn await_stage(word: &AtomicU32, stage: u32) {
        while word.load(Ordering::SeqCst) != stage {
            std::thread::yield_now();
        }
    }

    #[test]
    fn who_waits_for_a_turn_waits_for_the_object_only_while_its_holder_does() {
        for waits in [false, true] {
            let (side, stage) = side();
            let child = {
                let (side, stage) = (side.clone(), stage.clone());
                Child::fork(move || {
                    let turn = side.take(false, Patience::Forever, &mut Hand::new(1), never).expect("a turn");
                    stage.store(1, Ordering::SeqCst);
                    await_stage(&side.waiting, 1);
                    turn.waits(waits);
                    clock::sleep_until(clock::now() + 5_000_000);
                    turn.waits(false);
                    turn.count(3);
                })
            };
            await_stage(&stage, 1);
            let mut hand = Hand::new(0);
            let turn = side.take(false, Patience::Forever, &mut hand, never).expect("a turn");
            assert_eq!((hand.blocked, turn.count(1)), (waits, 4));
            assert_eq!(child.join(), Some(0));
        }
    }

    #[test]
    fn a_step_that_tries_lets_a_woken_holder_be_first() {
        let (side, stage) = side();
        let child = {
            let (side, stage) = (side.clone(), stage.clone());
            Child::fork(move || {
                let turn = side.take(false, Patience::Forever, &mut Hand::new(1), never).expect("a turn");
                turn.waits(true);
                stage.store(1, Ordering::SeqCst);
                await_stage(&side.waiting, 1);
                turn.waits(false);
                turn.count(3);
            })
        };
        await_stage(&stage, 1);
        let turn = side.take(false, Patience::Never, &mut Hand::new(0), |_| Ok(true)).expect("a turn");
        assert_eq!(turn.count(1), 4);
        assert_eq!(child.join(), Some(0));
    }

    #[test]
    fn a_step_gives_up_where_the_holder_waits_and_looks_all_the_same() {
        let (side, stage) = side();
        let child = {
            let (side, stage) = (side.clone(), stage.clone());
            Child::fork(move || {
                let turn = side.take(false, Patience::Forever, &mut Hand::new(1), never).expect("a turn");
                turn.count(7);
                turn.waits(true);
                stage.store(1, Ordering::SeqCst);
                loop {
                    std::thread::yield_now();
                }
            })
        };
        await_stage(&stage, 1);
        let mut hand = Hand::new(0);
        let refused = side.take(false, Patience::Never, &mut hand, never).expect_err("a refusal");
        assert_eq!((refused.errno, refused.count, hand.blocked), (libc::EAGAIN, 7, false));
        let refused = side.take(false, within(2), &mut hand, never).expect_err("a refusal");
        assert_eq!((refused.errno, hand.blocked), (libc::ETIMEDOUT, true));
        assert_eq!(side.look(false, 0, || Ok(5)), Ok((5, 7)));
        side.stopped(1);
        assert_eq!(side.take(false, Patience::Never, &mut hand, never).expect("a turn").count(1), 8);
        assert_eq!(child.kill(), Some(-libc::SIGKILL));
        side.reclaim(1);
        assert_eq!(side.take(false, Patience::Never, &mut hand, never).expect("a turn").count(1), 9);
    }
}
