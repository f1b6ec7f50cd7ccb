//! The process that makes System V objects, and removes them whatever becomes of the supervisor.
//!
//! It is forked when the first object is asked for, and lives in a session of its own with every signal ignored, so
//! that what ends the supervisor does not end it. It makes the objects itself, so that no death of the supervisor can
//! come between making one and knowing its id; each id goes at once into a list in memory shared with the supervisor.
//! When the last copy of the supervisor's end of their socket closes, it removes all of them and exits. Should
//! the keeper itself have been killed, the supervisor removes what the list still holds; should both have been, the
//! next start of ipcrun does, by the list in a file that the keeper writes besides.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;

use super::super::arena::{Arena, Shared};
use super::super::descriptor::{Descriptor, wait_readable};
use super::super::leftovers::{self, Register};
use super::super::{clock, fault, process, socket};
use super::{SysvQueue, SysvSemaphore};
use crate::os::segment::Segment;

/// How many ids it keeps: as many semaphores and queues as Linux allows by default.
const ROOM: usize = 1 << 16;

/// What is asked of the keeper, and the kind of an id in the list. Never 0, which marks an entry as empty.
pub(super) const SEMAPHORE: u32 = 1;
const QUEUE: u32 = 2;
const SEGMENT: u32 = 3;

/// The longest that the keeper is given for an answer, and to end, ns.
const PATIENCE: u64 = 5_000_000_000;
/// ns after which a keeper that says nothing is continued: something may have stopped it.
const NUDGE: u64 = 100_000_000;

/// Makes System V objects for a run. Dropping it removes all of them.
#[derive(Debug, Default)]
pub struct Keeper {
    started: Option<Started>,
}

#[derive(Debug)]
struct Started {
    supervisor: u32,
    pid: libc::pid_t,
    channel: Descriptor,
    list: Shared<[AtomicU64]>,
    register: Option<Register>,
}

impl Keeper {
    /// A keeper that has made nothing, and has no process yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a semaphore with that many free permits.
    ///
    /// # Errors
    /// ENOSPC: over kernel.sem. ERANGE: over [`SEMAPHORE_MAX`](super::SEMAPHORE_MAX). ENOSYS: a kernel without
    /// System V objects. And what fork(2) or socketpair(2) end with.
    pub fn semaphore(&mut self, value: u32) -> io::Result<SysvSemaphore> {
        if value > super::SEMAPHORE_MAX {
            return Err(io::Error::from_raw_os_error(libc::ERANGE));
        }
        self.ask(SEMAPHORE, value).map(|id| SysvSemaphore { id })
    }

    /// Makes a message queue of the kernel's default capacity.
    ///
    /// # Errors
    /// ENOSPC: over kernel.msgmni. Otherwise as [`Keeper::semaphore`].
    pub fn message_queue(&mut self) -> io::Result<SysvQueue> {
        self.ask(QUEUE, 0).map(|id| SysvQueue { id })
    }

    /// Makes a segment of that many bytes and maps it. It is removed at once, and stays until its last mapping has gone.
    ///
    /// # Errors
    /// EINVAL: over kernel.shmmax. ENOSPC: over kernel.shmmni or kernel.shmall. ENOMEM. Otherwise as [`Keeper::semaphore`].
    pub fn segment(&mut self, length: u32) -> io::Result<Segment> {
        let id = self.ask(SEGMENT, length)?;
        let segment = Segment::attach(id, length as usize);
        // SAFETY: IPC_RMID takes no further argument; the id is this run's own.
        unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) };
        segment
    }

    /// Closes the keeper in a process of the run, right after it was forked: the keeper waits until no process holds
    /// the supervisor's end of their socket.
    pub fn part(&self) {
        if let Some(started) = &self.started {
            started.channel.close();
        }
    }

    /// The keeper's process, once it was started.
    pub fn process(&self) -> Option<i32> {
        self.started.as_ref().map(|started| started.pid)
    }

    fn ask(&mut self, kind: u32, value: u32) -> io::Result<i32> {
        let started = match &mut self.started {
            Some(started) => started,
            none => none.insert(Started::new()?),
        };
        let fd = started.channel.raw().map_err(io::Error::from_raw_os_error)?;
        let mut answer = Vec::with_capacity(8);
        let asked = socket::send(fd, &kind.to_ne_bytes(), &value.to_ne_bytes(), true)
            .and_then(|_| started.await_answer(fd))
            .and_then(|()| retry(|| socket::receive(fd, &mut answer, 8, true)));
        match (asked, read(&answer)) {
            (Ok(_), Some((0, id))) => Ok(id as i32),
            (Ok(_), Some((errno, _))) => Err(io::Error::from_raw_os_error(errno as i32)),
            (Err(libc::ETIMEDOUT), _) => Err(io::Error::other("the keeper process does not answer")),
            (Ok(_) | Err(libc::EPIPE | libc::ECONNRESET), _) => Err(io::Error::other("the keeper process was killed")),
            (Err(errno), _) => Err(io::Error::from_raw_os_error(errno)),
        }
    }
}

impl Started {
    fn new() -> io::Result<Self> {
        let list = Arena::new().slice::<AtomicU64>(ROOM)?;
        let register = Register::new();
        let (ours, theirs) = socket::pair(true)?;
        // SAFETY: the child runs `keep` and nothing else, which allocates nothing, takes no lock and never returns.
        let pid = fault::call("fork", &[Errno::EAGAIN, Errno::ENOMEM], || unsafe { libc::fork() });
        if pid == 0 {
            keep(theirs.as_raw_fd(), &list, register.as_ref().map(|register| (register.raw(), register.path())));
        }
        if pid < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { supervisor: std::process::id(), pid, channel: Descriptor::new(ours), list, register })
    }

    /// Waits until the keeper has answered, and continues it where something has stopped it.
    fn await_answer(&self, fd: RawFd) -> Result<(), i32> {
        let deadline = clock::now() + PATIENCE;
        while clock::now() < deadline {
            if wait_readable(fd, Some(clock::now() + NUDGE))? {
                return Ok(());
            }
            // The keeper is not reaped before the run begins, so its number is its own.
            let _ = process::kill(self.pid, libc::SIGCONT);
        }
        Err(libc::ETIMEDOUT)
    }

    /// Waits until the keeper has removed everything and ended. Whether it did.
    fn await_end(&self) -> bool {
        const LONGEST_NAP: u64 = 2_000_000;
        let begin = clock::now();
        let (mut nap, mut nudged) = (20_000, begin);
        loop {
            let mut status = 0;
            // SAFETY: the call fills `status`.
            let wait = || unsafe { libc::waitpid(self.pid, &raw mut status, libc::WNOHANG) };
            match fault::call("waitpid", &[Errno::EINTR], wait) {
                0 => {}
                pid if pid == self.pid => return status == 0,
                _ if super::super::descriptor::errno() == libc::EINTR => {}
                // Taken in before, without a look at how it ended.
                _ => return false,
            }
            let now = clock::now();
            // It is this process's child and not reaped: its number is its own.
            if now >= begin + PATIENCE {
                let _ = process::kill(self.pid, libc::SIGKILL);
                process::await_end(self.pid, now + PATIENCE);
                return false;
            }
            if now >= nudged + NUDGE {
                let _ = process::kill(self.pid, libc::SIGCONT);
                nudged = now;
            }
            clock::sleep_until(now + nap);
            nap = (nap * 2).min(LONGEST_NAP);
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // A copy in a process of the run is not the one that removes.
        if self.supervisor != std::process::id() {
            return;
        }
        // Said to the keeper also where another process still holds a copy of this end.
        if let Ok(fd) = self.channel.raw() {
            socket::shut(fd);
        }
        self.channel.close();
        if !self.await_end() {
            remove_all(&self.list);
        }
        if let Some(register) = &self.register {
            register.remove();
        }
    }
}

/// Does a call again as long as signals interrupt it.
fn retry(mut call: impl FnMut() -> Result<usize, i32>) -> Result<usize, i32> {
    loop {
        match call() {
            Err(libc::EINTR) => {}
            done => return done,
        }
    }
}

/// Two words of a message.
fn read(message: &[u8]) -> Option<(u32, u32)> {
    let first = message.get(..4)?.try_into().ok()?;
    let second = message.get(4..8)?.try_into().ok()?;
    Some((u32::from_ne_bytes(first), u32::from_ne_bytes(second)))
}

/// The life of the keeper process. Forked from a process that may have threads, so it only makes system calls.
fn keep(channel: RawFd, list: &[AtomicU64], register: Option<(RawFd, &CStr)>) -> ! {
    let path = register.map(|(_, path)| path);
    let register = register.map(|(fd, _)| fd);
    withdraw(channel, register);
    if let (Some(register), Some(path)) = (register, path) {
        leftovers::name(register, path);
    }
    let mut used = 0;
    loop {
        let mut request = [0u8; 8];
        let length = fault::call("keeper recv", &[Errno::EINTR, Errno::ENOMEM], || {
            // SAFETY: `request` has room for 8 bytes.
            unsafe { libc::recv(channel, request.as_mut_ptr().cast(), request.len(), 0) }
        });
        if length < 0 && super::super::descriptor::errno() == libc::EINTR {
            continue;
        }
        let request = if length == 8 { read(&request) } else { None };
        let Some((kind, value)) = request else { break };
        let (errno, id) = match make(kind, value, list, register, &mut used) {
            Ok(id) => (0, id),
            Err(errno) => (errno, 0),
        };
        let mut answer = [0u8; 8];
        answer[..4].copy_from_slice(&errno.to_ne_bytes());
        answer[4..].copy_from_slice(&id.to_ne_bytes());
        fault::call("keeper send", &[Errno::EINTR, Errno::ENOBUFS], || {
            // SAFETY: `answer` has 8 bytes. A supervisor that has gone is seen by the next receive.
            unsafe { libc::send(channel, answer.as_ptr().cast(), answer.len(), libc::MSG_NOSIGNAL) }
        });
    }
    remove_all(list);
    if let Some(path) = path {
        leftovers::remove(path);
    }
    // SAFETY: ends the process without running what belongs to the supervisor's copy.
    unsafe { libc::_exit(0) }
}

/// Leaves the supervisor's session, signals, directory and descriptors, all but the channel and the register.
fn withdraw(channel: RawFd, register: Option<RawFd>) {
    let other = register.unwrap_or(channel);
    let (first, last) = (channel.min(other), channel.max(other));
    // SAFETY: each is a plain system call on this process, which no other thread shares.
    unsafe {
        libc::setsid();
        for signal in 1..=64 {
            // The C library refuses the few that it uses itself, the kernel KILL and STOP.
            libc::signal(signal, libc::SIG_IGN);
        }
        libc::prctl(libc::PR_SET_NAME, c"ipcrun-keeper".as_ptr());
        libc::chdir(c"/".as_ptr());
        let below = first == 0 || close_range(0, first as u32 - 1);
        let between = last - first <= 1 || close_range(first as u32 + 1, last as u32 - 1);
        if !(close_range(last as u32 + 1, u32::MAX) && below && between) {
            let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
            for fd in (0..limit.rlim_cur.min(1 << 20) as i32).filter(|fd| *fd != channel && *fd != other) {
                libc::close(fd);
            }
        }
    }
}

/// `close_range(2)`, which is there from Linux 5.9 on.
unsafe fn close_range(first: u32, last: u32) -> bool {
    // SAFETY: the caller gives up the descriptors of the range.
    fault::call("close_range", &[Errno::ENOSYS], || unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) })
        == 0
}

/// Makes an object and lists its id. In the register its key stands before it exists: whatever is killed in between, it
/// can be found.
fn make(kind: u32, value: u32, list: &[AtomicU64], register: Option<RawFd>, used: &mut usize) -> Result<i32, i32> {
    const TRIES: u64 = 64;
    let entry = list.get(*used).ok_or(libc::ENOSPC)?;
    let (full, flags) = (&[Errno::ENOSPC, Errno::ENOMEM, Errno::EEXIST], libc::IPC_CREAT | libc::IPC_EXCL | 0o600);
    let mut tries = 0;
    let id = loop {
        let key = key(clock::now().wrapping_add(tries));
        if let Some(register) = register {
            leftovers::list(register, *used, word(kind, key));
        }
        let id = match kind {
            // SAFETY: a plain system call.
            SEMAPHORE => fault::call("semget", full, || unsafe { libc::semget(key, 1, flags) }),
            // SAFETY: a plain system call.
            QUEUE => fault::call("msgget", full, || unsafe { libc::msgget(key, flags) }),
            // SAFETY: a plain system call.
            SEGMENT => fault::call("shmget", full, || unsafe { libc::shmget(key, value as usize, flags) }),
            _ => return Err(libc::EINVAL),
        };
        if id >= 0 {
            break id;
        }
        let errno = super::super::descriptor::errno();
        tries += 1;
        if errno != libc::EEXIST || tries == TRIES {
            return Err(errno);
        }
    };
    entry.store(word(kind, id), Ordering::Release);
    *used += 1;
    // SAFETY: SETVAL takes an int.
    let set = || unsafe { libc::semctl(id, 0, libc::SETVAL, value as libc::c_int) };
    if kind == SEMAPHORE && fault::call("semctl", &[Errno::EACCES], set) < 0 {
        return Err(super::super::descriptor::errno());
    }
    Ok(id)
}

/// A key of an object that hardly another has: from the time, in ns, and the process.
fn key(time: u64) -> libc::key_t {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = (time ^ u64::from(std::process::id()) << 40).wrapping_mul(ODD) >> 32;
    // 0 asks for an object without a key.
    mixed as libc::key_t | 1
}

/// A kind with an id, as the list has it, or with a key, as the register does.
pub(super) fn word(kind: u32, number: i32) -> u64 {
    u64::from(kind) << 32 | u64::from(number as u32)
}

/// When and by which process the objects of a list were made.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    pub user: u32,
    /// No earlier than this, in seconds of the system's time.
    pub from: i64,
    pub until: i64,
}

/// Removes an object that a dead run has listed, where it is still the one that the run made.
pub fn remove_left(word: u64, made: Made) {
    let key = word as u32 as i32;
    let is_own = |owner: &libc::ipc_perm, changed: i64| {
        owner.__key == key
            && (owner.uid, owner.cuid) == (made.user, made.user)
            && u32::from(owner.mode) & 0o777 == 0o600
            && (made.from..=made.until).contains(&changed)
    };
    // SAFETY: IPC_STAT fills the struct, for which all zeroes is valid; the others take no further argument. Of a key that
    // no object has the id is -1, of which nothing is known.
    unsafe {
        match (word >> 32) as u32 {
            SEMAPHORE => {
                let id = libc::semget(key, 0, 0);
                let mut state: libc::semid_ds = std::mem::zeroed();
                let known = libc::semctl(id, 0, libc::IPC_STAT, &raw mut state) == 0;
                if known && state.sem_nsems == 1 && is_own(&state.sem_perm, state.sem_ctime) {
                    libc::semctl(id, 0, libc::IPC_RMID);
                }
            }
            QUEUE => {
                let id = libc::msgget(key, 0);
                let mut state: libc::msqid_ds = std::mem::zeroed();
                let known = libc::msgctl(id, libc::IPC_STAT, &raw mut state) == 0;
                if known && is_own(&state.msg_perm, state.msg_ctime) {
                    libc::msgctl(id, libc::IPC_RMID, std::ptr::null_mut());
                }
            }
            SEGMENT => {
                let id = libc::shmget(key, 0, 0);
                let mut state: libc::shmid_ds = std::mem::zeroed();
                let known = libc::shmctl(id, libc::IPC_STAT, &raw mut state) == 0;
                if known && is_own(&state.shm_perm, state.shm_ctime) {
                    libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut());
                }
            }
            _ => {}
        }
    }
}

/// Removes every object of the list, and empties it.
fn remove_all(list: &[AtomicU64]) {
    for entry in list {
        let word = entry.load(Ordering::Acquire);
        if word == 0 {
            break;
        }
        let id = word as u32 as i32;
        // SAFETY: IPC_RMID takes no further argument; ids of the list are ours to remove.
        unsafe {
            match (word >> 32) as u32 {
                SEMAPHORE => libc::semctl(id, 0, libc::IPC_RMID),
                // One that was mapped is marked already.
                SEGMENT => libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()),
                _ => libc::msgctl(id, libc::IPC_RMID, std::ptr::null_mut()),
            };
        }
    }
    for entry in list.iter().take_while(|entry| entry.load(Ordering::Relaxed) != 0) {
        entry.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::os::testing::Child;

    /// Whether the kernel knows both ids.
    fn exist(semaphore: SysvSemaphore, queue: SysvQueue) -> (bool, bool) {
        let listed = |file: &str, id: i32| {
            std::fs::read_to_string(file)
                .expect("the kernel's list")
                .lines()
                .any(|line| line.split_whitespace().nth(1) == Some(&id.to_string()))
        };
        (listed("/proc/sysvipc/sem", semaphore.id), listed("/proc/sysvipc/msg", queue.id))
    }

    fn wait_until(mut condition: impl FnMut() -> bool) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(20) {
            if condition() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        false
    }

    #[test]
    fn dropping_the_keeper_removes_what_it_made() {
        let mut keeper = Keeper::new();
        assert_eq!(keeper.process(), None);
        let semaphore = keeper.semaphore(2).expect("a semaphore");
        let queue = keeper.message_queue().expect("a queue");
        assert_eq!(exist(semaphore, queue), (true, true));
        drop(keeper);
        assert_eq!(exist(semaphore, queue), (false, false));
    }

    #[test]
    fn a_child_of_the_run_neither_removes_nor_holds_up_the_removal() {
        let mut keeper = Keeper::new();
        let semaphore = keeper.semaphore(2).expect("a semaphore");
        let queue = keeper.message_queue().expect("a queue");
        let child = Child::fork(|| {
            keeper.part();
            std::thread::sleep(Duration::from_secs(60));
        });
        drop(keeper);
        assert_eq!(exist(semaphore, queue), (false, false));
        child.kill();
    }

    #[test]
    fn a_killed_supervisor_leaves_nothing() {
        let told = Arena::new().slice::<AtomicU64>(2).expect("shared memory");
        let child = Child::fork(|| {
            let mut keeper = Keeper::new();
            if let (Ok(semaphore), Ok(queue)) = (keeper.semaphore(1), keeper.message_queue()) {
                told[0].store(semaphore.id as u64 + 1, Ordering::Release);
                told[1].store(queue.id as u64 + 1, Ordering::Release);
            }
            std::thread::sleep(Duration::from_secs(60));
        });
        assert!(wait_until(|| told[1].load(Ordering::Acquire) != 0));
        let semaphore = SysvSemaphore { id: (told[0].load(Ordering::Acquire) - 1) as i32 };
        let queue = SysvQueue { id: (told[1].load(Ordering::Acquire) - 1) as i32 };
        assert_eq!(exist(semaphore, queue), (true, true));
        child.kill();
        assert!(wait_until(|| exist(semaphore, queue) == (false, false)));
    }

    #[test]
    fn a_killed_keeper_is_stood_in_for() {
        let mut keeper = Keeper::new();
        let semaphore = keeper.semaphore(1).expect("a semaphore");
        let queue = keeper.message_queue().expect("a queue");
        let pid = keeper.process().expect("a keeper process");
        // SAFETY: the process is this test's own child, and not reaped yet.
        unsafe { libc::kill(pid, libc::SIGKILL) };
        assert!(wait_until(|| keeper.message_queue().is_err()));
        assert_eq!(exist(semaphore, queue), (true, true));
        drop(keeper);
        assert_eq!(exist(semaphore, queue), (false, false));
    }

    #[test]
    fn a_segment_is_shared_with_children_and_lives_as_long_as_it_is_mapped() {
        const SIZE: u32 = 5003;
        let attached = || {
            let list = std::fs::read_to_string("/proc/sysvipc/shm").expect("the kernel's list");
            // Of a size that no other test asks for.
            let own = [SIZE.to_string(), std::process::id().to_string()];
            let fields = |line: &str| [3, 5].map(|at| line.split_whitespace().nth(at).unwrap_or_default().to_owned());
            list.lines().filter(|line| fields(line) == own).count()
        };
        let before = attached();
        let mut keeper = Keeper::new();
        let segment = keeper.segment(SIZE).expect("a segment");
        assert_eq!((attached(), segment.is_resizable()), (before + 1, false));
        let child = Child::fork(|| segment.write(4998, b"xy"));
        assert_eq!(child.join(), Some(0));
        drop(keeper);
        let mut bytes = [0; 2];
        segment.read(4998, &mut bytes);
        assert_eq!(&bytes, b"xy");
        drop(segment);
        assert_eq!(attached(), before);
    }

    #[test]
    fn a_thousand_objects_are_kept() {
        let mut keeper = Keeper::new();
        let made: Vec<_> = (0..1000).map(|_| keeper.semaphore(1).expect("a semaphore")).collect();
        drop(keeper);
        assert!(made.iter().all(|semaphore| semaphore.value().is_err()));
    }
}
