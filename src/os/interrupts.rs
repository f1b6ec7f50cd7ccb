//! Signals that a process catches: kept back until it asks for one, or let in while it waits in a call, which they interrupt.
//!
//! A signal that comes within a call is only noted by its handler, which also keeps back all others from then on: one call
//! takes one signal at most, and the rest stay pending in the kernel, where they merge or queue. A signal that comes just before
//! a call sleeps would not wake it. So the handler starts a timer, which interrupts again and again until the call has come back.

use std::io;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU64, Ordering};

use nix::errno::Errno;

use super::{clock, fault};

/// A signal that came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Taken {
    pub signal: i32,
    /// The process that sent it.
    pub pid: i32,
    /// What was sent with it; 0 where nothing was.
    pub payload: u64,
}

/// Whether a signal has been noted, and which.
static NOTED: AtomicBool = AtomicBool::new(false);
static SIGNAL: AtomicI32 = AtomicI32::new(0);
static PID: AtomicI32 = AtomicI32::new(0);
static PAYLOAD: AtomicU64 = AtomicU64::new(0);
/// The timer that interrupts calls; null where there is none.
static TIMER: AtomicPtr<libc::c_void> = AtomicPtr::new(std::ptr::null_mut());
static ARMED: AtomicBool = AtomicBool::new(false);
/// Whether a write of this process has found no reader since that was last asked, and whether it does anything at a SIGPIPE.
static BROKEN: AtomicBool = AtomicBool::new(false);
static MINDS: AtomicBool = AtomicBool::new(false);

/// ns between two interruptions.
const AGAIN: i64 = 500_000;

/// The signal of the timer.
fn kick() -> i32 {
    libc::SIGRTMAX()
}

/// Whether a signal has come within the call that is made now.
#[inline]
pub fn is_noted() -> bool {
    NOTED.load(Ordering::Relaxed)
}

fn set_timer(every: i64) {
    let every = libc::timespec { tv_sec: 0, tv_nsec: every as _ };
    let time = libc::itimerspec { it_interval: every, it_value: every };
    // SAFETY: `prepare` has made the timer, and the call reads one itimerspec. It may be made in a handler (signal-safety(7)).
    unsafe { libc::timer_settime(TIMER.load(Ordering::Relaxed), 0, &raw const time, std::ptr::null_mut()) };
}

/// The handler of every signal that is caught.
extern "C" fn note(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the address of this thread's errno.
    let errno = unsafe { *libc::__errno_location() };
    // SAFETY: the kernel passes a siginfo_t to a handler with SA_SIGINFO.
    let info = unsafe { &*info };
    // SAFETY: of a signal that a process sent, its number and the value are there; the value is 0 without one.
    let (pid, payload) = unsafe { (info.si_pid(), info.si_value().sival_ptr as u64) };
    SIGNAL.store(signal, Ordering::Relaxed);
    PID.store(pid, Ordering::Relaxed);
    PAYLOAD.store(if info.si_code == libc::SI_QUEUE { payload } else { 0 }, Ordering::Relaxed);
    NOTED.store(true, Ordering::Relaxed);
    // SAFETY: the kernel passes a ucontext_t, and takes its mask when the handler is over; both calls only change that set.
    unsafe {
        let mask = &raw mut (*context.cast::<libc::ucontext_t>()).uc_sigmask;
        libc::sigfillset(mask);
        libc::sigdelset(mask, kick());
    }
    ARMED.store(true, Ordering::Relaxed);
    set_timer(AGAIN);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

extern "C" fn wake(_signal: libc::c_int) {}

/// The default action of SIGPIPE. One for a write of this process only ends it when the write's step has been recorded.
extern "C" fn broken(signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the kernel passes a siginfo_t to a handler with SA_SIGINFO, which names the process that the signal is from.
    let own = unsafe { (*info).si_code == libc::SI_USER && (*info).si_pid() == libc::getpid() };
    if own { BROKEN.store(true, Ordering::Relaxed) } else { end_by(signal) }
}

/// Whether a write has found no reader, at which SIGPIPE has its default action, since that was last asked.
pub fn take_broken() -> bool {
    BROKEN.swap(false, Ordering::Relaxed)
}

/// Whether this process does anything at a SIGPIPE.
#[inline]
pub fn minds_broken() -> bool {
    MINDS.load(Ordering::Relaxed)
}

/// Ends this process by a signal.
pub fn end_by(signal: i32) {
    let set = kernel_set(1 << (signal - 1));
    // SAFETY: all zeroes are the default action with an empty mask. The calls may be made in a handler (signal-safety(7)).
    unsafe {
        let new: libc::sigaction = MaybeUninit::zeroed().assume_init();
        libc::sigaction(signal, &raw const new, std::ptr::null_mut());
        libc::kill(libc::getpid(), signal);
        libc::sigprocmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
    }
}

fn act(signal: i32, action: libc::sighandler_t, flags: libc::c_int) -> io::Result<()> {
    // SAFETY: all zeroes are a sigaction with the default action and an empty mask.
    let mut new: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    new.sa_sigaction = action;
    new.sa_flags = flags;
    // SAFETY: the set is this function's own.
    unsafe { libc::sigfillset(&raw mut new.sa_mask) };
    let set = || {
        // SAFETY: the handlers of this file touch atomics and make calls that signal-safety(7) allows.
        unsafe { libc::sigaction(signal, &raw const new, std::ptr::null_mut()) }
    };
    match fault::call("sigaction", &[Errno::EINVAL], set) {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Makes what this process needs to be interrupted.
///
/// # Errors
/// `EAGAIN` of timer_create(2) where the host has none left.
pub fn prepare() -> io::Result<()> {
    act(kick(), wake as extern "C" fn(libc::c_int) as libc::sighandler_t, 0)?;
    // SAFETY: all zeroes are a valid sigevent.
    let mut event: libc::sigevent = unsafe { MaybeUninit::zeroed().assume_init() };
    event.sigev_notify = libc::SIGEV_SIGNAL;
    event.sigev_signo = kick();
    let mut timer: libc::timer_t = std::ptr::null_mut();
    let make = || {
        // SAFETY: the call reads one sigevent and writes one timer_t.
        unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer) }
    };
    match fault::call("timer_create", &[Errno::EAGAIN], make) {
        0 => {
            TIMER.store(timer, Ordering::Relaxed);
            Ok(())
        }
        _ => Err(io::Error::last_os_error()),
    }
}

/// What a process does at a signal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    Default,
    Ignore,
    Catch,
}

/// Sets what this process does at a signal.
///
/// # Errors
/// `EINVAL` for what cannot be caught.
pub fn set_action(signal: i32, action: Action) -> io::Result<()> {
    let catch = note as extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) as libc::sighandler_t;
    if signal == libc::SIGPIPE {
        MINDS.store(action != Action::Ignore, Ordering::Relaxed);
    }
    let broken = broken as extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) as libc::sighandler_t;
    match action {
        Action::Default if signal == libc::SIGPIPE => act(signal, broken, libc::SA_SIGINFO | libc::SA_RESTART),
        Action::Default => act(signal, libc::SIG_DFL, 0),
        Action::Ignore => act(signal, libc::SIG_IGN, 0),
        Action::Catch => act(signal, catch, libc::SA_SIGINFO),
    }
}

/// Sends this process a signal that no process sent.
pub fn raise(signal: i32) {
    let payload = super::process::Payload { pid: 0, word: 0 };
    // A process may send itself any signal; one that queues may find no room, and ALRM does not queue.
    let _ = super::process::signal(std::process::id() as i32, signal, Some(payload), || false);
}

/// Sets the alarm of this process, ns from now; 0 cancels it.
pub fn set_alarm(ns: u64) {
    // What is not 0 must not become that.
    let time = clock::timespec(if ns == 0 { 0 } else { ns.max(1_000) });
    let value = libc::timeval { tv_sec: time.tv_sec, tv_usec: (time.tv_nsec / 1_000) as _ };
    let timer = libc::itimerval { it_interval: libc::timeval { tv_sec: 0, tv_usec: 0 }, it_value: value };
    // SAFETY: the call reads one itimerval. It fails for no time that is in range.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
}

/// Whether this process has an alarm that has not rung.
pub fn is_alarmed() -> bool {
    let mut timer = MaybeUninit::<libc::itimerval>::zeroed();
    // SAFETY: the call writes one itimerval, which zeroes are too.
    let left = unsafe {
        libc::getitimer(libc::ITIMER_REAL, timer.as_mut_ptr());
        timer.assume_init().it_value
    };
    left.tv_sec != 0 || left.tv_usec != 0
}

/// A set, a bit for each signal, as the kernel takes it.
fn kernel_set(set: u64) -> libc::sigset_t {
    let mut made = MaybeUninit::uninit();
    // SAFETY: the call makes the set empty; the others add numbers that are signals, or fail.
    unsafe {
        libc::sigemptyset(made.as_mut_ptr());
        for signal in (1..=64).filter(|signal| set & 1 << (signal - 1) != 0) {
            libc::sigaddset(made.as_mut_ptr(), signal);
        }
        made.assume_init()
    }
}

/// Blocks these signals, and no others.
pub fn set_mask(blocked: u64) {
    let set = kernel_set(blocked);
    // SAFETY: the call reads one set. It fails for no set.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut()) };
}

/// Whether one of these signals is pending.
pub fn is_pending(set: u64) -> bool {
    let mut pending = MaybeUninit::uninit();
    // SAFETY: the call writes one set, which the others read.
    unsafe {
        libc::sigpending(pending.as_mut_ptr());
        let pending = pending.assume_init();
        (1..=64).any(|signal| set & 1 << (signal - 1) != 0 && libc::sigismember(&raw const pending, signal) == 1)
    }
}

/// Ends a call within which signals were let in: blocks these again. The signal that came.
pub fn end(blocked: u64) -> Option<Taken> {
    set_mask(blocked);
    if ARMED.swap(false, Ordering::Relaxed) {
        set_timer(0);
    }
    NOTED.swap(false, Ordering::Relaxed).then(|| Taken {
        signal: SIGNAL.load(Ordering::Relaxed),
        pid: PID.load(Ordering::Relaxed),
        payload: PAYLOAD.load(Ordering::Relaxed),
    })
}

/// Takes one of these signals, which are blocked: at once, or by that time of `CLOCK_MONOTONIC`, or whenever it comes.
///
/// # Errors
/// `EAGAIN` where none came; `EINTR` where another signal came that is let in.
pub fn take(set: u64, until: Option<u64>) -> Result<Taken, i32> {
    let set = kernel_set(set);
    loop {
        if is_noted() {
            return Err(libc::EINTR);
        }
        let time = until.map(|until| clock::timespec(until.saturating_sub(clock::now())));
        let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        // SAFETY: the call reads the set and the time, and writes one siginfo_t.
        let wait = || unsafe { libc::sigtimedwait(&raw const set, info.as_mut_ptr(), time) };
        let signal = fault::call("rt_sigtimedwait", &[Errno::EINTR], wait);
        if signal > 0 {
            // SAFETY: the call has filled it in.
            let info = unsafe { info.assume_init() };
            // SAFETY: as for a handler.
            let (pid, payload) = unsafe { (info.si_pid(), info.si_value().sival_ptr as u64) };
            let payload = if info.si_code == libc::SI_QUEUE { payload } else { 0 };
            return Ok(Taken { signal, pid, payload });
        }
        match Errno::last_raw() {
            libc::EINTR => {}
            errno => return Err(errno),
        }
    }
}

/// Waits until a signal comes that is let in, or until that time of `CLOCK_MONOTONIC`. Whether one came.
pub fn pause(until: Option<u64>) -> bool {
    while !is_noted() {
        if until.is_some_and(|until| clock::now() >= until) {
            return false;
        }
        let time = until.map(|until| clock::timespec(until.saturating_sub(clock::now())));
        let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: no descriptor is passed; the call reads the time. A signal that comes before it sleeps is followed by the timer's.
        fault::call("ppoll", &[Errno::EINTR], || unsafe {
            libc::ppoll(std::ptr::null_mut(), 0, time, std::ptr::null())
        });
    }
    true
}
