//! Drives processes along a schedule: gives each its turn, and waits until it has taken it.
//!
//! One process moves at a time, so what it does is what the schedule foresaw. Where it does something else, or sleeps
//! in a step that could continue in the schedule, the run ends: what comes after would mean nothing.

use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout};

use super::{BUSY, Supervisor};
use crate::diagnostic::{Code, Diagnostic};
use crate::event::ProcessId;
use crate::kernel::scheduler_gate::{
    Answer, CHOICES, DIES, FREE, Grant, HANDLES, PARKS, STAYS, TIMES_OUT, WAITED, WAKES,
};
use crate::kernel::{Notice, Options};
use crate::os::descriptor::poll;
use crate::os::signals::Blocked;
use crate::os::{clock, process as os};
use crate::scenario::plan::Plan;
use crate::schedule::{Rest, Turn, Turns};
use crate::trace::RunEnd;

/// ns after which a process that sleeps has blocked where it should not.
const BLOCKED: u64 = 2_000_000_000;
/// ns after which a process that does not even sleep is given up.
const LOST: u64 = 20_000_000_000;
/// ms between two polls of a process that may sleep in the kernel, and of any other.
const SOON: u16 = 1;
const LATER: u16 = 20;
/// ns after which a turn is cut short that does not end when a signal asks to: where its process sleeps, and otherwise.
const GRACE: u64 = 500_000_000;
const LONGEST_GRACE: u64 = 5_000_000_000;
/// No turn has this number: what waits for it waits for the process's end.
const NO_TURN: u32 = u32::MAX;
/// The most other processes of which a divergence tells where they are.
const TOLD: usize = 8;

/// What became of a process in its turn.
enum Came {
    /// It stands before its next step, or has parked.
    Answered(Answer),
    /// It sleeps in the kernel, within its step.
    Sleeps,
    Ended,
}

/// Why the schedule is left.
enum Stop {
    /// The run is over: a signal asks for it, or the trace is full.
    Over(RunEnd),
    /// A process did something else.
    Diverged(Box<Diagnostic>),
}

/// Says what is wrong with turns before anything starts.
pub(super) fn check(plan: &Plan, turns: &Turns) -> Result<(), Vec<Diagnostic>> {
    let fault = |place: usize, what: String| {
        let message = format!("turn {} of {} {what}", place + 1, turns.turns.len());
        vec![Diagnostic::error(Code::DIVERGED, message).within(&plan.source)]
    };
    for (place, turn) in turns.turns.iter().enumerate() {
        if turn.process as usize >= plan.processes.len() {
            return Err(fault(place, format!("is of process {}, which the scenario does not have", turn.process)));
        }
        if turn.choices.len() > CHOICES {
            return Err(fault(place, format!("has {} choices; {CHOICES} is the most", turn.choices.len())));
        }
    }
    Ok(())
}

impl Supervisor<'_> {
    /// Lets the processes take their turns. Returns how the run ended; none if the remaining processes run freely.
    pub(super) fn drive(
        &mut self,
        turns: &Turns,
        signals: &Blocked,
        options: &mut Options<'_>,
        begin: u64,
    ) -> Result<Option<RunEnd>, Vec<Diagnostic>> {
        let (round, prints) = (clock::now(), self.plan.steps.iter().any(|step| step.verb == "print"));
        let mut driver =
            Driver { supervisor: self, turns, signals, options, begin, round, prints, place: None, asked: None };
        match driver.all() {
            Ok(()) => Ok((turns.rest == Rest::Stop).then(|| turns.left.clone().unwrap_or_else(|| self.out_of_time()))),
            Err(Stop::Over(end)) => Ok(Some(end)),
            Err(Stop::Diverged(diagnostic)) => Err(vec![*diagnostic]),
        }
    }
}

/// Whether what was asked then was asked as many ns ago.
fn is_past(asked: Option<u64>, grace: u64) -> bool {
    asked.is_some_and(|asked| clock::now().saturating_sub(asked) >= grace)
}

struct Driver<'a, 'p, 'o> {
    supervisor: &'a mut Supervisor<'p>,
    turns: &'a Turns,
    signals: &'a Blocked,
    options: &'a mut Options<'o>,
    /// When the run really began.
    begin: u64,
    /// When all ring buffers were last read.
    round: u64,
    /// Whether there is output to show.
    prints: bool,
    /// The place of the turn; none while the first processes begin.
    place: Option<usize>,
    /// When a signal asked to end. The turn that was given is ended before: half of one would be in no schedule.
    asked: Option<u64>,
}

impl Driver<'_, '_, '_> {
    fn all(&mut self) -> Result<(), Stop> {
        for process in 0..self.supervisor.plan.processes.len() as ProcessId {
            let program = self.supervisor.plan.program(process);
            if !program.manual && program.depends_on.is_empty() {
                if self.is_held(process) {
                    self.supervisor.table.post(process).open();
                } else {
                    self.begin(process, self.first_steps(process))?;
                }
            }
        }
        self.settle()?;
        let turns = self.turns;
        for (place, turn) in turns.turns.iter().enumerate() {
            self.place = Some(place);
            self.at(turn.at);
            if turn.dies {
                self.die(turn)?;
            } else if turn.begins {
                self.begin(turn.process, turn.steps)?;
            } else {
                self.take(turn)?;
            }
            self.settle()?;
            self.may_end()?;
        }
        self.at(turns.end);
        if turns.rest == Rest::Free {
            if self.signals.ask_to_end() {
                self.asked = Some(clock::now());
            }
            self.may_end()?;
            self.free();
        }
        Ok(())
    }

    /// Ends the run between two turns, where that was asked for or the trace is full.
    fn may_end(&self) -> Result<(), Stop> {
        let asked = self.asked.map(|_| RunEnd::Interrupted);
        match asked.or_else(|| self.supervisor.full_trace(self.options.limits).map(RunEnd::Limit)) {
            Some(end) => Err(Stop::Over(end)),
            None => Ok(()),
        }
    }

    fn at(&mut self, at: u64) {
        if let Some(course) = &mut self.supervisor.course {
            course.at = at;
        }
    }

    /// Gives a turn to a process. Its number.
    fn grant(&self, process: ProcessId, steps: u32, flags: u32, choices: &[u32]) -> u32 {
        let Some(course) = &self.supervisor.course else { return 0 };
        course.turnstile.grant(process, &Grant { steps, flags, at: course.at, choices })
    }

    /// Whether the end of a process has to wait for a turn of its own, as a flag.
    fn stays(&self, process: ProcessId) -> u32 {
        if self.turns.leaves.get(process as usize) == Some(&true) { STAYS } else { 0 }
    }

    /// Whether the begin of a process waits for a turn of its own.
    fn is_held(&self, process: ProcessId) -> bool {
        self.turns.held.get(process as usize) == Some(&true)
    }

    /// How many steps a process takes as it begins, where that is no turn of its own.
    fn first_steps(&self, process: ProcessId) -> u32 {
        self.turns.begins.get(process as usize).copied().unwrap_or(0)
    }

    /// Lets a process begin, up to its first step that others can notice.
    fn begin(&mut self, process: ProcessId, steps: u32) -> Result<(), Stop> {
        self.supervisor.table.post(process).open();
        let number = self.grant(process, steps, self.stays(process), &[]);
        if let Some(course) = &mut self.supervisor.course {
            course.waiting -= usize::from(!std::mem::replace(&mut course.begun[process as usize], true));
        }
        match self.wait(process, number, false)? {
            Came::Answered(answer) if !answer.within => self.finish(process, 0),
            _ if self.supervisor.has_ended(process) => self.finish(process, 0),
            _ => Err(self.diverged(process, "waited within a step as it began")),
        }
    }

    /// Lets those begin that were started, or that wait for nothing more.
    fn settle(&mut self) -> Result<(), Stop> {
        while let Some(process) = self.next_to_begin() {
            self.begin(process, self.first_steps(process))?;
        }
        Ok(())
    }

    /// The next processes to begin: those that were started, then those whose conditions hold.
    fn next_to_begin(&self) -> Option<ProcessId> {
        let supervisor = &self.supervisor;
        let course = supervisor.course.as_ref().filter(|course| course.waiting > 0)?;
        let mut left = (0..supervisor.plan.processes.len() as ProcessId)
            .filter(|process| !course.begun[*process as usize] && !supervisor.has_ended(*process))
            .filter(|process| !self.is_held(*process));
        left.clone()
            .find(|process| supervisor.table.post(*process).is_open())
            .or_else(|| left.find(|process| supervisor.is_due(*process)))
    }

    fn take(&mut self, turn: &Turn) -> Result<(), Stop> {
        let process = turn.process;
        self.must_run(process)?;
        let flag = |set: bool, flag: u32| if set { flag } else { 0 };
        let flags = flag(turn.waited, WAITED)
            | flag(turn.parks, PARKS)
            | flag(turn.times_out, TIMES_OUT)
            | flag(turn.wakes, WAKES)
            | flag(turn.handles, HANDLES)
            | if turn.ends { 0 } else { self.stays(process) };
        let number = self.grant(process, turn.steps, flags, &turn.choices);
        let came = self.wait(process, number, turn.parks)?;
        match came {
            Came::Ended if !turn.ends => return Err(self.diverged(process, "ended, but continues in the schedule")),
            Came::Answered(_) | Came::Sleeps if turn.ends => {
                return Err(self.diverged(process, "continues, but ends in the schedule"));
            }
            Came::Answered(answer) if answer.within && !turn.parks => {
                return Err(self.diverged(process, "had to wait within its step, but continues in the schedule"));
            }
            Came::Answered(answer) if !answer.within && turn.parks => {
                return Err(self.diverged(process, "did not have to wait, but waits in the schedule"));
            }
            _ => {}
        }
        self.finish(process, turn.choices.len())
    }

    /// A turn in which a process dies.
    fn die(&mut self, turn: &Turn) -> Result<(), Stop> {
        let process = turn.process;
        self.must_run(process)?;
        let post = self.supervisor.table.post(process);
        let pid = post.pid.load(std::sync::atomic::Ordering::Acquire);
        let signal = turn.choices.first().map_or(0, |signal| *signal as i32);
        let signals = self.supervisor.plan.program(process).signals && !turn.killed;
        if signals && signal != libc::SIGKILL {
            // It keeps back what would end it, and lets that in itself.
            self.grant(process, 0, DIES, &turn.choices);
            let _ = os::kill(pid, libc::SIGCONT);
            return self.has_died(process);
        }
        let which = if signals { 0 } else { turn.choices.first().copied().unwrap_or(0) as usize };
        if turn.killed {
            // Its end is then part of the scenario, and not a crash.
            post.signal(libc::SIGKILL);
        }
        let sent = if turn.killed { Some(libc::SIGKILL) } else { post.pending().nth(which) };
        let Some(signal) = sent else {
            return Err(self.diverged(process, "dies in the schedule of a signal that was not sent to it"));
        };
        // Where it has just died of something else, that is seen below.
        let _ = os::kill(pid, signal);
        // One that is stopped takes its signal as it is continued, before it does anything.
        let _ = os::kill(pid, libc::SIGCONT);
        self.has_died(process)
    }

    /// Waits until a process has died, in whose turn it does.
    fn has_died(&mut self, process: ProcessId) -> Result<(), Stop> {
        match self.wait(process, NO_TURN, false)? {
            Came::Ended => {
                self.record(process);
                Ok(())
            }
            _ => Err(self.diverged(process, "did not die of its signal")),
        }
    }

    /// Notes what the process did in its turn, which is over.
    fn finish(&mut self, process: ProcessId, choices: usize) -> Result<(), Stop> {
        self.record(process);
        let Some(course) = &self.supervisor.course else { return Ok(()) };
        let (left, taken) = (course.turnstile.left(process), course.turnstile.taken(process) as usize);
        if left > 0 {
            return Err(self.diverged(process, &format!("took {left} steps fewer than in the schedule")));
        }
        if taken != choices {
            let what = format!("had {taken} choices, but {choices} in the schedule");
            return Err(self.diverged(process, &what));
        }
        Ok(())
    }

    /// Takes what the process has recorded, which is all that was recorded since the turn before.
    fn record(&mut self, process: ProcessId) {
        let supervisor = &mut *self.supervisor;
        let consumer = &mut supervisor.consumers[process as usize];
        consumer.drain();
        let events = consumer.taken().0 as u64;
        if let Some(course) = &mut supervisor.course {
            course.record(process, events);
        }
        if self.prints {
            supervisor.show(self.options.notice, &mut None, u64::MAX);
        }
    }

    fn must_run(&self, process: ProcessId) -> Result<(), Stop> {
        if self.supervisor.has_ended(process) {
            return Err(self.diverged(process, "has ended already"));
        }
        if !self.supervisor.table.post(process).is_open() {
            return Err(self.diverged(process, "has not begun"));
        }
        Ok(())
    }

    /// Waits until the process has taken the turn of that number; with `parks`, or until it sleeps in the kernel.
    fn wait(&mut self, process: ProcessId, number: u32, parks: bool) -> Result<Came, Stop> {
        let since = clock::now();
        loop {
            self.supervisor.consumers[process as usize].drain();
            if let Some(course) = &self.supervisor.course {
                if let Some(answer) = course.turnstile.answer(process, number) {
                    if answer.stops {
                        self.await_stop(process)?;
                    }
                    return Ok(Came::Answered(answer));
                }
                if parks && course.turnstile.has_returned(process, number) {
                    return Err(self.diverged(process, "did not have to wait, but waits in the schedule"));
                }
            }
            if self.supervisor.has_ended(process) {
                return Ok(Came::Ended);
            }
            if self.look(if parks { SOON } else { LATER })? {
                continue;
            }
            if is_past(self.asked, GRACE) && self.sleeps(process) {
                return Err(Stop::Over(RunEnd::Interrupted));
            }
            let waited = clock::now().saturating_sub(since);
            let sleeps = (parks || waited >= BLOCKED) && self.sleeps(process);
            let came_back =
                self.supervisor.course.as_ref().is_some_and(|course| course.turnstile.has_returned(process, number));
            if parks && sleeps && !came_back && self.answered(process, number).is_none() {
                return Ok(Came::Sleeps);
            }
            if waited >= BLOCKED && sleeps && self.answered(process, number).is_none() {
                return Err(self.diverged(process, "blocked, but continues in the schedule"));
            }
            if waited >= LOST {
                return Err(self.diverged(process, "does not reach its next step"));
            }
        }
    }

    /// Waits until a process that is about to stop itself has done so: the process that continues it must not run
    /// before that.
    fn await_stop(&mut self, process: ProcessId) -> Result<(), Stop> {
        let since = clock::now();
        while !self.supervisor.is_stopped(process) && !self.supervisor.has_ended(process) {
            self.look(SOON)?;
            if clock::now().saturating_sub(since) >= LOST {
                return Err(self.diverged(process, "was not stopped by its signal"));
            }
        }
        Ok(())
    }

    fn answered(&self, process: ProcessId, number: u32) -> Option<Answer> {
        self.supervisor.course.as_ref()?.turnstile.answer(process, number)
    }

    /// Whether the process sleeps in a step that may wait.
    fn sleeps(&self, process: ProcessId) -> bool {
        let supervisor = &self.supervisor;
        let look = || {
            let wait = supervisor.consumers[process as usize].lane().waiting()?;
            let pid = supervisor.table.post(process).pid.load(std::sync::atomic::Ordering::Acquire);
            Some((wait.number, os::asleep(pid)?))
        };
        look().is_some_and(|first| look() == Some(first))
    }

    /// Waits for an event, at most that number of ms, and handles it. Returns whether there was one.
    fn look(&mut self, milliseconds: u16) -> Result<bool, Stop> {
        let supervisor = &mut *self.supervisor;
        let mut fds = [
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(supervisor.bell.as_fd(), PollFlags::POLLIN),
        ];
        // Where it fails this is another round.
        let happened = poll(&mut fds, PollTimeout::from(milliseconds)).unwrap_or(0) > 0;
        let signalled = fds[0].any().unwrap_or(false);
        supervisor.bell.answer();
        if signalled && self.signals.ask_to_end() {
            self.asked.get_or_insert(clock::now());
        }
        if is_past(self.asked, LONGEST_GRACE) {
            return Err(Stop::Over(RunEnd::Interrupted));
        }
        if signalled || !happened {
            supervisor.reap();
        }
        let now = clock::now();
        if now.saturating_sub(self.round) >= BUSY {
            self.round = now;
            supervisor.drain();
            (self.options.notice)(Notice::Tick {
                elapsed: now.saturating_sub(self.begin),
                ended: supervisor.ends.iter().flatten().count(),
                events: supervisor.consumers.iter().map(|consumer| consumer.taken().0).sum(),
            });
        }
        Ok(happened)
    }

    /// Lets all remaining processes run freely.
    fn free(&mut self) {
        if let Some(course) = &mut self.supervisor.course {
            course.free = true;
        }
        let running: Vec<ProcessId> = self.supervisor.running().collect();
        for process in running {
            let post = self.supervisor.table.post(process);
            for signal in post.pending() {
                let _ = os::kill(post.pid.load(std::sync::atomic::Ordering::Acquire), signal);
            }
            self.grant(process, u32::MAX, FREE, &[]);
        }
    }

    /// A process that did something else than the schedule says.
    fn diverged(&self, process: ProcessId, what: &str) -> Stop {
        let supervisor = &self.supervisor;
        let plan = supervisor.plan;
        let name = &plan.processes[process as usize].name;
        let turn = match self.place {
            Some(place) => format!("in turn {} of {}", place + 1, self.turns.turns.len()),
            None => "before the first turn".to_owned(),
        };
        let message = format!("`{name}` {what}, {turn}");
        let step = supervisor.course.as_ref().and_then(|course| course.turnstile.step(process));
        let diagnostic = Diagnostic::error(Code::DIVERGED, message);
        let diagnostic = match step.and_then(|step| plan.steps.get(step as usize)) {
            Some(step) => diagnostic.at(&plan.source, step.span.clone(), "its step"),
            None => diagnostic.at(&plan.source, plan.program(process).span.clone(), "the process"),
        };
        let others = supervisor.running().filter(|other| *other != process);
        let diagnostic =
            others.filter_map(|other| self.where_it_is(other)).take(TOLD).fold(diagnostic, Diagnostic::note);
        Stop::Diverged(Box::new(diagnostic))
    }

    /// Where another process stands, in words.
    fn where_it_is(&self, process: ProcessId) -> Option<String> {
        let supervisor = &self.supervisor;
        let plan = supervisor.plan;
        let step = plan.steps.get(supervisor.course.as_ref()?.turnstile.step(process)? as usize)?;
        let name = &plan.processes[process as usize].name;
        let place = plan.source.line_of(step.span.start);
        let object = if step.object.is_empty() { String::new() } else { format!(" {}", step.object) };
        Some(format!("`{name}` began `{}{object}` last, at {place}", step.verb))
    }
}
