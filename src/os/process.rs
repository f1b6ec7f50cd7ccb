//! Processes: fork(2), what a child sets for itself, how it is awaited and ended.

use std::io;

use nix::errno::Errno;
use nix::sys::signal::{SigHandler, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::{clock, fault, signals};

/// Which side of a fork this is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fork {
    /// The process that forked; the child's process id.
    Parent(i32),
    Child,
}

/// fork(2). The caller has no other thread at that time, so the child may do whatever the parent could.
///
/// # Errors
/// `EAGAIN` at a limit on processes (RLIMIT_NPROC, pids.max, pid_max), `ENOMEM`.
pub fn fork() -> io::Result<Fork> {
    // SAFETY: the process is single-threaded, so no lock can be held by a thread that the child does not have.
    match fault::call("fork", &[Errno::EAGAIN, Errno::ENOMEM], || unsafe { libc::fork() }) {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(pid)),
    }
}

/// _exit(2): ends the process without running anything of the parent's that it inherited.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: _exit takes any status and does not return.
    unsafe { libc::_exit(status) }
}

/// abort(3): ends the process by SIGABRT, without a core file.
pub fn abort_now() -> ! {
    let _ = nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0);
    // SAFETY: the default action of SIGABRT ends the process; nothing is touched.
    unsafe {
        libc::signal(libc::SIGABRT, libc::SIG_DFL);
        libc::abort()
    }
}

/// Lets this process die with its parent, also by SIGKILL of the parent.
///
/// # Errors
/// `ESRCH` where the parent is gone already.
pub fn die_with_parent(parent: i32) -> io::Result<()> {
    fault::call("prctl", &[Errno::EPERM], || nix::sys::prctl::set_pdeathsig(Signal::SIGKILL))
        .map_err(io::Error::from)?;
    // The parent may have died before the call above.
    if nix::unistd::getppid() == Pid::from_raw(parent) {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(libc::ESRCH))
    }
}

/// Leaves the process group of the parent, to which a terminal sends Ctrl-C.
///
/// # Errors
/// None that the kernel documents for a process that leads no session.
pub fn leave_group() -> io::Result<()> {
    let set = || nix::unistd::setpgid(Pid::from_raw(0), Pid::from_raw(0));
    fault::call("setpgid", &[Errno::EPERM], set).map_err(io::Error::from)
}

/// Takes in the end of a child that was killed. Whether it has ended by that time of `CLOCK_MONOTONIC`.
pub fn await_end(pid: i32, deadline: u64) -> bool {
    const FIRST: u64 = 20_000;
    const LONGEST: u64 = 2_000_000;
    let mut nap = FIRST;
    loop {
        match fault::call("waitpid", &[Errno::EINTR], || waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG))) {
            Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => {}
            Ok(_) | Err(_) => return true,
        }
        let now = clock::now();
        if now >= deadline {
            return false;
        }
        clock::sleep_until(now + nap);
        nap = (nap * 2).min(LONGEST);
    }
}

/// Waits until a child has ended and takes that in.
///
/// # Errors
/// `ECHILD` where it is no child, or was taken in before.
pub fn await_child(pid: i32) -> nix::Result<WaitStatus> {
    loop {
        match fault::call("waitpid", &[Errno::EINTR], || waitpid(Pid::from_raw(pid), None)) {
            Err(Errno::EINTR) => {}
            done => return done,
        }
    }
}

/// A child that has ended and is not taken in yet: its number, and its exit status or the signal that ended it.
pub fn ended_child() -> Option<(i32, Result<i32, i32>)> {
    loop {
        let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
        let look = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        // SAFETY: the call writes one siginfo_t.
        let call = || unsafe { libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), look) };
        if fault::call("waitid", &[Errno::EINTR], call) != 0 {
            if Errno::last() == Errno::EINTR {
                continue;
            }
            return None;
        }
        // SAFETY: zeroes where no child has ended, else what the call has filled in.
        let info = unsafe { info.assume_init() };
        // SAFETY: as above.
        let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
        return match (pid, info.si_code) {
            (0, _) => None,
            (_, libc::CLD_EXITED) => Some((pid, Ok(status))),
            _ => Some((pid, Err(status))),
        };
    }
}

/// Makes a write past RLIMIT_FSIZE an error of the call, EFBIG, instead of a signal that ends the process.
pub fn ignore_file_size_signal() {
    // SAFETY: ignoring installs no code of ours. It fails for no signal that may be ignored.
    let _ = unsafe { nix::sys::signal::signal(Signal::SIGXFSZ, SigHandler::SigIgn) };
}

/// The signals that ipcrun handles or ignores.
const HANDLED: [Signal; 6] =
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGCHLD, Signal::SIGXFSZ];

/// Takes back the signals that a process got as a part of its parent's group, which a terminal's Ctrl-C goes to.
///
/// # Errors
/// None that the kernel documents for these signals.
pub fn forget_signals() -> io::Result<()> {
    act(&HANDLED, SigHandler::SigIgn)
}

/// Gives signals their default actions back, but for SIGPIPE, which is ignored, so that a broken pipe is an outcome.
/// Unblocks every signal: one that is pending has its effect then.
///
/// # Errors
/// None that the kernel documents for these signals.
pub fn default_signals() -> io::Result<()> {
    act(&HANDLED, SigHandler::SigDfl)?;
    act(&[Signal::SIGPIPE], SigHandler::SigIgn)?;
    signals::release_all()
}

fn act(signals: &[Signal], action: SigHandler) -> io::Result<()> {
    for signal in signals {
        fault::call("sigaction", &[Errno::EPERM], || {
            // SAFETY: neither of the two actions installs code of ours.
            unsafe { nix::sys::signal::signal(*signal, action) }
        })
        .map_err(io::Error::from)?;
    }
    Ok(())
}

/// kill(2). A signal of 0 only asks.
///
/// # Errors
/// The errno: `ESRCH`, `EPERM`.
pub fn kill(pid: i32, signal: i32) -> Result<(), i32> {
    // SAFETY: kill(2) takes any numbers and touches no memory.
    match fault::call("kill", &[Errno::EPERM], || unsafe { libc::kill(pid, signal) }) {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL)),
    }
}

/// What goes with a signal, for a process that takes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Payload {
    /// The process that it is said to come from.
    pub pid: i32,
    pub word: u64,
}

/// A siginfo_t as sigqueue(3) fills it in.
#[repr(C)]
struct Queued {
    signal: i32,
    errno: i32,
    code: i32,
    _pad: i32,
    pid: i32,
    user: u32,
    payload: u64,
    _rest: [u64; 12],
}

/// Sends a signal to a process that may end at any moment, and to no other that has its number by then; with a payload as
/// sigqueue(3) does. `ended` says whether it has ended; it has to say so before the number is given back.
///
/// # Errors
/// The errno: `ESRCH` where it has ended, `EPERM`, `EINVAL`.
pub fn signal(pid: i32, signal: i32, payload: Option<Payload>, ended: impl Fn() -> bool) -> Result<(), i32> {
    let info = payload.map(|payload| Queued {
        signal,
        errno: 0,
        code: libc::SI_QUEUE,
        _pad: 0,
        pid: payload.pid,
        // SAFETY: touches no memory.
        user: unsafe { libc::getuid() },
        payload: payload.word,
        _rest: [0; 12],
    });
    let info = info.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: takes numbers only.
    let open = || unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = fault::call("pidfd_open", &[Errno::EMFILE, Errno::ENOSYS], open) as i32;
    if fd < 0 {
        let errno = io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL);
        // A kernel before 5.3, or no descriptor left: the two calls then lie as close together as they can.
        if errno == libc::ESRCH || ended() {
            return Err(libc::ESRCH);
        }
        if info.is_null() {
            return kill(pid, signal);
        }
        // SAFETY: the kernel reads one siginfo_t.
        return match unsafe { libc::syscall(libc::SYS_rt_sigqueueinfo, pid, signal, info) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL)),
        };
    }
    let sent = if ended() {
        Err(libc::ESRCH)
    } else {
        let sent = fault::call("pidfd_send_signal", &[Errno::EPERM], || {
            // SAFETY: the descriptor is this function's own; the kernel reads one siginfo_t, or none.
            unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, info, 0) }
        });
        if sent == 0 { Ok(()) } else { Err(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL)) }
    };
    // SAFETY: opened above, and nothing else holds it.
    unsafe { libc::close(fd) };
    sent
}

/// Whether a signal ends a process of a run, in which only SIGPIPE has another action than its default: signal(7).
pub fn is_deadly(signal: i32) -> bool {
    !is_stop(signal)
        && !matches!(signal, 0 | libc::SIGPIPE | libc::SIGCHLD | libc::SIGCONT | libc::SIGURG | libc::SIGWINCH)
}

/// The signals that stop a process until SIGCONT comes.
pub const STOPS: [i32; 4] = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// Whether a signal stops a process of a run until SIGCONT comes.
pub fn is_stop(signal: i32) -> bool {
    STOPS.contains(&signal)
}

/// sched_yield(2).
pub fn yield_now() {
    // SAFETY: touches nothing and cannot fail on Linux.
    unsafe { libc::sched_yield() };
}

/// setpriority(2) of this process.
///
/// # Errors
/// `EACCES` below the limit of RLIMIT_NICE without CAP_SYS_NICE.
pub fn set_nice(nice: i32) -> io::Result<()> {
    // SAFETY: takes numbers only.
    let set = || unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) };
    match fault::call("setpriority", &[Errno::EACCES], set) {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// sched_setscheduler(2) of this process: `other`, `batch`, `idle`, or `fifo` and `rr` with a priority.
///
/// # Errors
/// `EPERM` for the real-time policies without CAP_SYS_NICE or RLIMIT_RTPRIO.
pub fn set_policy(policy: &str, priority: i32) -> io::Result<()> {
    let number = match policy {
        "batch" => libc::SCHED_BATCH,
        "idle" => libc::SCHED_IDLE,
        "fifo" => libc::SCHED_FIFO,
        "rr" => libc::SCHED_RR,
        _ => libc::SCHED_OTHER,
    };
    let sched_priority = if matches!(policy, "fifo" | "rr") { priority } else { 0 };
    let parameters = libc::sched_param { sched_priority };
    // SAFETY: the parameters outlive the call.
    let set = || unsafe { libc::sched_setscheduler(0, number, &raw const parameters) };
    match fault::call("sched_setscheduler", &[Errno::EPERM], set) {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether this process has a policy whose priorities are real-time ones: sched_getscheduler(2).
pub fn has_real_time_policy() -> bool {
    // SAFETY: the call takes no pointer.
    matches!(unsafe { libc::sched_getscheduler(0) }, libc::SCHED_FIFO | libc::SCHED_RR)
}

/// sched_setaffinity(2) of this process.
///
/// # Errors
/// `EINVAL` where none of the CPUs is one that it may use.
pub fn set_cpus(cpus: &[u32]) -> io::Result<()> {
    let mut set = nix::sched::CpuSet::new();
    for cpu in cpus {
        set.set(*cpu as usize).map_err(io::Error::from)?;
    }
    let bind = || nix::sched::sched_setaffinity(Pid::from_raw(0), &set);
    fault::call("sched_setaffinity", &[Errno::EINVAL], bind).map_err(io::Error::from)
}

/// Names the process as ps(1) and top(1) show it: the first 15 bytes.
pub fn set_name(name: &str) {
    let bytes: Vec<u8> = name.bytes().filter(|byte| *byte != 0).take(15).collect();
    if let Ok(name) = std::ffi::CString::new(bytes) {
        // A name that is not set is no reason to fail.
        let _ = fault::call("prctl", &[Errno::EPERM], || nix::sys::prctl::set_name(&name));
    }
}

/// Whether /proc shows the processes that this one starts, by the numbers by which it knows them: one is there, and is
/// that of its own namespace of process numbers.
pub fn are_shown() -> bool {
    let own = fault::call("readlink", &[Errno::EACCES, Errno::ENOENT], || std::fs::read_link("/proc/self")).ok();
    let number = own.as_ref().and_then(|own| own.to_str()).and_then(|own| own.parse().ok());
    number == Some(std::process::id()) && std::fs::metadata("/proc/self/status").is_ok()
}

/// Whether a process sleeps, by /proc, and how often it was switched out so far: two equal answers mean that it slept
/// all the time between them.
pub fn asleep(pid: i32) -> Option<u64> {
    switches(pid, 'S')
}

/// Whether a signal has stopped a process, by /proc, and how often it was switched out so far: two equal answers mean
/// that it did nothing between them.
pub fn stopped(pid: i32) -> Option<u64> {
    switches(pid, 'T')
}

/// Waits until a signal has stopped a process, or until `ended` says that it is over; for a second at most.
pub fn await_stopped(pid: i32, ended: impl Fn() -> bool) {
    const NAP: u64 = 50_000;
    let deadline = clock::now() + 1_000_000_000;
    while stopped(pid).is_none() && !ended() && clock::now() < deadline {
        clock::sleep_until(clock::now() + NAP);
    }
}

/// Whether a process is on its way out of the kernel, by the flags of proc_pid_stat(5): it has closed its files, or is about to.
pub fn is_exiting(pid: i32) -> bool {
    /// `PF_EXITING` of the kernel's include/linux/sched.h.
    const EXITING: u64 = 0x4;
    /// The place of `flags` after the command's name, which may hold spaces and parentheses.
    const FLAGS: usize = 6;
    let read = || std::fs::read_to_string(format!("/proc/{pid}/stat"));
    let stat = fault::call("open", &[Errno::EMFILE, Errno::ENOENT], read).ok();
    let flags =
        stat.as_ref().and_then(|stat| stat.rsplit_once(')')?.1.split_whitespace().nth(FLAGS)?.parse::<u64>().ok());
    flags.is_some_and(|flags| flags & EXITING != 0)
}

/// How often a process was switched out so far, where it is in that state.
fn switches(pid: i32, wanted: char) -> Option<u64> {
    let read = || std::fs::read_to_string(format!("/proc/{pid}/status"));
    let status = fault::call("open", &[Errno::EMFILE, Errno::ENOENT], read).ok()?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let state = field("State:")?;
    if !state.starts_with(wanted) {
        return None;
    }
    let voluntary: u64 = field("voluntary_ctxt_switches:")?.parse().ok()?;
    let other: u64 = field("nonvoluntary_ctxt_switches:")?.parse().ok()?;
    Some(voluntary + other)
}
