//! The limits of time and memory of a whole exploration: of searching, judging, shortening the counterexample,
//! counting.
//!
//! Memory is the resident memory of this process beyond that at the begin of the exploration, read from the kernel: no
//! estimate covers everything that is allocated.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::semantics::transition::{ModelError, ModelErrorKind};
use super::strategy::bfs::Cut;
use crate::event::ProcessId;
use crate::os::memory::Own;

/// The least time between two readings of the memory in use, and two looks for a signal, in ns.
const LOOK: u64 = 1_000_000;
/// How many pieces of work are done at most between two looks at the clock.
const MOST: u32 = 64;
/// How long the pieces of work between two looks at the clock may take, in ns.
const SPAN: u64 = 200_000;

const FREE: u8 = 0;
const LATE: u8 = 1;
const FULL: u8 = 2;
const STOPPED: u8 = 3;

/// Time and memory that may be used.
#[derive(Debug)]
pub struct Budget {
    begin: Instant,
    /// Since `begin`, in ns.
    longest: u64,
    bytes: usize,
    whole: Arc<Whole>,
    /// When the memory is measured next, in ns since `begin`.
    look: AtomicU64,
    spent: AtomicU8,
}

type Asked = Box<dyn Fn() -> bool + Send + Sync>;

/// What all parts of a budget share.
struct Whole {
    own: Own,
    /// What was resident at the begin.
    before: usize,
    /// Whether a signal asks to end.
    asked: Option<Asked>,
    stopped: AtomicBool,
}

impl fmt::Debug for Whole {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Whole")
            .field("before", &self.before)
            .field("stopped", &self.stopped)
            .finish_non_exhaustive()
    }
}

impl Default for Budget {
    /// One that is never spent.
    fn default() -> Self {
        Self::new(Instant::now(), None, usize::MAX)
    }
}

impl Budget {
    /// A budget of `longest` from `begin` on, and of `bytes` beyond what is resident now.
    pub fn new(begin: Instant, longest: Option<Duration>, bytes: usize) -> Self {
        Self::until(begin, longest, bytes, None::<fn() -> bool>)
    }

    /// The same, which is spent as well once `asked` says that a signal asks to end.
    pub fn until(
        begin: Instant,
        longest: Option<Duration>,
        bytes: usize,
        asked: Option<impl Fn() -> bool + Send + Sync + 'static>,
    ) -> Self {
        let own = Own::open();
        let before = own.resident();
        let longest = longest.map_or(u64::MAX, |longest| u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX));
        let (look, spent) = (AtomicU64::new(0), AtomicU8::new(FREE));
        let whole = Arc::new(Whole {
            own,
            before,
            asked: asked.map(|asked| Box::new(asked) as Asked),
            stopped: AtomicBool::new(false),
        });
        Self { begin, longest, bytes, whole, look, spent }
    }

    /// A part of it: `time` and `memory` are fractions, numerator first.
    pub(super) fn part(&self, time: (u64, u64), memory: (usize, usize)) -> Self {
        let longest = if self.longest == u64::MAX { u64::MAX } else { self.longest / time.1 * time.0 };
        let bytes = if self.bytes == usize::MAX { usize::MAX } else { self.bytes / memory.1 * memory.0 };
        let (look, spent) = (AtomicU64::new(0), AtomicU8::new(FREE));
        Self { begin: self.begin, longest, bytes, whole: Arc::clone(&self.whole), look, spent }
    }

    /// How long the exploration has taken.
    pub fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    /// The bytes that may be used.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether it is spent: what of it.
    pub fn spent(&self) -> Option<Cut> {
        match self.spent.load(Ordering::Relaxed) {
            FREE => self.look_at(self.now()),
            LATE => Some(Cut::Time),
            STOPPED => Some(Cut::Stopped),
            _ => Some(Cut::Memory),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn look_at(&self, now: u64) -> Option<Cut> {
        let (spent, cut) = if now > self.longest {
            (LATE, Cut::Time)
        } else if now < self.look.load(Ordering::Relaxed) {
            return None;
        } else if self.is_full(now) {
            (FULL, Cut::Memory)
        } else if self.is_stopped() {
            (STOPPED, Cut::Stopped)
        } else {
            return None;
        };
        self.spent.store(spent, Ordering::Relaxed);
        Some(cut)
    }

    #[cold]
    fn is_full(&self, now: u64) -> bool {
        self.look.store(now + LOOK, Ordering::Relaxed);
        self.bytes < usize::MAX && self.whole.own.resident().saturating_sub(self.whole.before) > self.bytes
    }

    /// Whether a signal has asked to end.
    pub fn is_stopped(&self) -> bool {
        let Whole { asked, stopped, .. } = &*self.whole;
        if asked.as_ref().is_some_and(|asked| asked()) {
            stopped.store(true, Ordering::Relaxed);
        }
        stopped.load(Ordering::Relaxed)
    }
}

/// Looks at a budget between pieces of work: more often the longer they take.
#[derive(Debug)]
pub(super) struct Pace {
    budget: Arc<Budget>,
    begin: u64,
    last: u64,
    every: u32,
    left: u32,
}

impl Pace {
    pub(super) fn new(budget: &Arc<Budget>) -> Self {
        let now = budget.now();
        Self { budget: Arc::clone(budget), begin: now, last: now, every: 1, left: 1 }
    }

    /// Whether the budget is spent, as of the last measurement. To be called before each piece of work.
    #[inline]
    pub(super) fn spent(&mut self) -> Option<Cut> {
        self.left -= 1;
        if self.left > 0 { None } else { self.look() }
    }

    /// The same, as an error of the model: the budget was spent at that process.
    ///
    /// # Errors
    /// [`ModelErrorKind::Spent`].
    #[inline]
    pub(super) fn check(&mut self, process: ProcessId) -> Result<(), ModelError> {
        match self.spent() {
            None => Ok(()),
            Some(cut) => Err(ModelError { process, trouble: ModelErrorKind::Spent(cut) }),
        }
    }

    #[cold]
    fn look(&mut self) -> Option<Cut> {
        let now = self.budget.now();
        let took = now.saturating_sub(self.last).max(1);
        let often = (u64::from(self.every) * SPAN / took).clamp(1, u64::from(self.every) * 2);
        self.every = (often as u32).min(MOST);
        (self.last, self.left) = (now, self.every);
        self.budget.spent()
    }

    /// How long the work has taken since its begin, as of the last measurement.
    pub(super) fn took(&self) -> Duration {
        Duration::from_nanos(self.last - self.begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_memory_are_spent_by_whatever_takes_them() {
        let begin = Instant::now();
        let budget = Budget::new(begin, Some(Duration::from_secs(3600)), usize::MAX);
        assert_eq!(budget.spent(), None);
        assert_eq!(budget.part((1, 1 << 50), (1, 2)).spent(), Some(Cut::Time));
        let budget = Budget::new(begin, None, 16 << 20);
        assert_eq!(budget.spent(), None);
        let taken = vec![1_u8; 256 << 20];
        std::thread::sleep(Duration::from_nanos(2 * LOOK));
        assert_eq!(budget.spent(), Some(Cut::Memory));
        drop(taken);
        // What was spent stays so.
        assert_eq!(budget.spent(), Some(Cut::Memory));
    }

    #[test]
    fn what_takes_long_is_looked_at_each_time() {
        let budget = Arc::new(Budget::new(Instant::now(), Some(Duration::from_millis(20)), usize::MAX));
        let mut pace = Pace::new(&budget);
        let mut pieces = 0;
        while pace.spent().is_none() {
            pieces += 1;
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(pieces <= 5, "{pieces}");
        let budget = Arc::new(Budget::default());
        let mut pace = Pace::new(&budget);
        assert!((0..100_000).all(|_| pace.spent().is_none()));
    }
}
