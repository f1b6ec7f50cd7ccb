//! Several pieces of work at once, each in a process of its own.
//!
//! They are forked while this process has one thread. Each writes what it found into a pipe; this process waits for all
//! of them in one poll, and is what Ctrl-C reaches.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use nix::unistd::pipe;

use crate::os::descriptor::poll;
use crate::os::fault;
use crate::os::process::{Fork, await_child, default_signals, die_with_parent, exit_now, fork, kill};
use crate::os::signals::Blocked;

/// How often the caller hears that time has passed, in ms.
const TICK: u16 = 100;

/// What a piece of work became: its bytes, or how its process ended without giving any.
pub(crate) type Outcome = Result<Vec<u8>, String>;

struct Worker {
    place: usize,
    pid: i32,
    pipe: File,
    bytes: Vec<u8>,
}

/// Does `total` pieces of work, `at_once` at a time. `take` gets what each became, in their order; `tick` is called now
/// and then with how many are done.
///
/// Returns whether a signal interrupted it: then each worker has been signalled, and pending work never begins.
///
/// # Errors
/// Those of pipe(2), fork(2), signalfd(2) and poll(2). The workers that run are ended.
pub(crate) fn run(
    total: usize,
    at_once: usize,
    work: &dyn Fn(usize) -> Vec<u8>,
    take: &mut dyn FnMut(usize, Outcome),
    tick: &mut dyn FnMut(usize),
) -> io::Result<bool> {
    let signals = Blocked::new(false)?;
    let mut pool = Pool { workers: Vec::new() };
    let mut outcomes: Vec<Option<Outcome>> = (0..total).map(|_| None).collect();
    let (mut started, mut taken, mut done, mut interrupted) = (0, 0, 0, false);
    loop {
        while !interrupted && started < total && pool.workers.len() < at_once.max(1) {
            pool.start(started, work)?;
            started += 1;
        }
        if pool.workers.is_empty() {
            return Ok(interrupted);
        }
        let (readable, signalled) = pool.wait(&signals)?;
        if signalled && let Some(signal) = signals.take() {
            // After a second signal they do not clean up; the remaining processes free their objects.
            let signal = if interrupted { Signal::SIGKILL } else { signal };
            interrupted = true;
            pool.signal(signal);
        }
        // From the last to the first, so that the places before stay as they are.
        for at in readable.into_iter().rev() {
            if let Some((place, outcome)) = pool.read(at) {
                outcomes[place] = Some(outcome);
                done += 1;
            }
        }
        while let Some(outcome) = outcomes.get_mut(taken).and_then(Option::take) {
            take(taken, outcome);
            taken += 1;
        }
        tick(done);
    }
}

/// The workers that run. Those left when it is dropped are ended.
struct Pool {
    workers: Vec<Worker>,
}

impl Pool {
    fn start(&mut self, place: usize, work: &dyn Fn(usize) -> Vec<u8>) -> io::Result<()> {
        let parent = std::process::id() as i32;
        let (reader, writer): (OwnedFd, OwnedFd) = fault::call("pipe", &[Errno::EMFILE, Errno::ENFILE], pipe)?;
        match fork()? {
            Fork::Parent(pid) => {
                self.workers.push(Worker { place, pid, pipe: File::from(reader), bytes: Vec::new() });
                Ok(())
            }
            Fork::Child => {
                drop(reader);
                let prepared = default_signals().and_then(|()| die_with_parent(parent));
                let worked = prepared.is_ok().then(|| catch_unwind(AssertUnwindSafe(|| work(place))));
                let written = match worked {
                    Some(Ok(bytes)) => File::from(writer).write_all(&bytes).is_ok(),
                    _ => false,
                };
                // Not by returning: everything below on the stack is the parent's.
                exit_now(i32::from(!written))
            }
        }
    }

    /// Waits a while: the places of the workers that can be read, and whether a signal came.
    fn wait(&self, signals: &Blocked) -> io::Result<(Vec<usize>, bool)> {
        let mut fds = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        fds.extend(self.workers.iter().map(|worker| PollFd::new(worker.pipe.as_fd(), PollFlags::POLLIN)));
        poll(&mut fds, PollTimeout::from(TICK))?;
        let ready = |fd: &PollFd<'_>| fd.any().unwrap_or(false);
        let readable = fds[1..].iter().enumerate().filter(|(_, fd)| ready(fd)).map(|(at, _)| at).collect();
        Ok((readable, ready(&fds[0])))
    }

    /// Reads what a worker has to give; at its end, what it became.
    fn read(&mut self, at: usize) -> Option<(usize, Outcome)> {
        let worker = &mut self.workers[at];
        let mut buffer = [0; 1 << 14];
        match fault::call("read", &[Errno::EINTR], || worker.pipe.read(&mut buffer)) {
            Ok(0) => {}
            Ok(length) => {
                worker.bytes.extend_from_slice(&buffer[..length]);
                return None;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return None,
            Err(_) => {}
        }
        let Worker { place, pid, bytes, .. } = self.workers.remove(at);
        let outcome = match await_child(pid) {
            Ok(WaitStatus::Exited(_, 0)) => Ok(bytes),
            Ok(WaitStatus::Exited(_, status)) => Err(format!("with exit status {status}")),
            Ok(WaitStatus::Signaled(_, signal, _)) => Err(format!("by {signal}")),
            Ok(other) => Err(format!("strangely: {other:?}")),
            Err(error) => Err(format!("unseen: {error}")),
        };
        Some((place, outcome))
    }

    fn signal(&self, signal: Signal) {
        for worker in &self.workers {
            // One that has just ended takes no harm.
            let _ = kill(worker.pid, signal as i32);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        for worker in &self.workers {
            let _ = await_child(worker.pid);
        }
    }
}
