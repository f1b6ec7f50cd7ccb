//! The supervisor: makes objects, forks, opens gates, drains lanes, reaps, and ends the run, whatever happens.

mod collect;
mod controlled;
mod schedule_progress;
mod startup;

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::rc::Rc;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;

use schedule_progress::Course;

use super::deadlock::{Detector, Status, describe};
use super::process;
use super::process::Inheritance;
use super::process_table::Table;
use super::scheduler_gate::{ORIGIN, SchedulerGate};
use super::signals;
use super::wakeup::Wakeup;
use super::{Limits, Notice, Options, Recording, Spool};
use super::{host_limits, memory_estimate};
use crate::diagnostic::Diagnostic;
use crate::event::{ObjectId, ProcessId, StepId, Target};
use crate::objects::{CreateContext, Live};
use crate::os::arena::Arena;
use crate::os::descriptor::poll;
use crate::os::signals::Blocked;
use crate::os::sysv::Keeper;
use crate::os::{clock, fault, leftovers, limits, process as os};
use crate::outcome::Outcome;
use crate::scenario::plan::Plan;
use crate::scenario::steps::STEPS;
use crate::trace::record::{self, Head};
use crate::trace::ring_buffer::{Consumer, RingBuffer};
use crate::trace::wait_for::part;
use crate::trace::{self, Limit, ProcessEnd, RunEnd, Trace, Waiting};
use crate::value::Value;

/// ns between two looks at quiet and at busy lanes.
const QUIET: u64 = 10_000_000;
const BUSY: u64 = 2_000_000;
/// A round is followed by a pause of the same duration in ns, up to [`BUSY`].
const LONG: u64 = 200_000;
/// The longest that processes are given to stop at the end of a run, ns.
const PATIENCE: u64 = 1_000_000_000;
/// The longest that they are awaited once they were killed, all together, ns.
const LAST_PATIENCE: u64 = 20_000_000_000;
/// ns between two searches for a deadlock among some processes while others run.
const LOOK: u64 = 20_000_000;

/// How many events' memory is there before the first step, for all processes together: 64 MiB.
const READY: usize = 1 << 20;

/// Runs a plan on the kernel.
///
/// # Errors
/// What the host could not give, before any step was carried out. Under a schedule also where the processes did not
/// follow it ([`Code::DIVERGED`](crate::diagnostic::Code::DIVERGED)).
pub fn run(plan: &Plan, options: &mut Options<'_>) -> Result<Trace, Vec<Diagnostic>> {
    if let Some(turns) = options.schedule {
        controlled::check(plan, turns)?;
    }
    if let Some(diagnostic) = host_limits::too_many(plan) {
        return Err(vec![diagnostic]);
    }
    // From before the first object: a signal that asks to end must find all of it where it can be removed.
    let signals = Blocked::new(true).map_err(|error| vec![host_limits::engine(plan, "signalfd", &error)])?;
    leftovers::sweep();
    // Where it is refused the old limit stands, and reaching it is reported where it happens.
    limits::raise_open_files();
    let arena = Arena::new();
    let mut keeper = Keeper::new();
    let objects = create(plan, &arena, &mut keeper)?;
    let engine = |what: &str, error: &std::io::Error| vec![host_limits::engine(plan, what, error)];
    let table = Table::new(&arena, plan.processes.len()).map_err(|error| engine("shared memory", &error))?;
    let lanes = lanes(plan, &arena).map_err(|error| engine("shared memory for the trace", &error))?;
    let course = match options.schedule {
        Some(turns) => {
            let turnstile = SchedulerGate::new(&arena, plan.processes.len());
            Some(Course::new(plan, turnstile.map_err(|error| engine("shared memory", &error))?, turns.random))
        }
        None => None,
    };
    let bell = Wakeup::new().map_err(|error| engine("eventfd", &error))?;
    let mut supervisor = Supervisor {
        plan,
        objects,
        table,
        consumers: lanes.iter().cloned().map(Consumer::new).collect(),
        shown: vec![(0, 0); lanes.len()],
        bell,
        full: options.recording == Recording::Full,
        pids: HashMap::with_capacity(plan.processes.len()),
        ends: vec![None; plan.processes.len()],
        lines: Vec::new(),
        detector: Detector::new(plan),
        watches: os::are_shown(),
        stuck: Vec::new(),
        daemons: Vec::new(),
        last_look: 0,
        beyond: None,
        lost: Vec::new(),
        course,
    };
    tracing::debug!(processes = plan.processes.len(), objects = plan.objects.len(), "forking");
    let unprepared = match supervisor.fork_all(&keeper, &lanes, &signals)? {
        None => supervisor.prepare(&signals)?,
        end => end,
    };
    let begin = clock::now();
    supervisor.table.set_origin(if options.schedule.is_some() { ORIGIN } else { begin });
    if let Some(end) = unprepared {
        supervisor.kill_rest();
        return Ok(supervisor.trace(end, 0));
    }
    let stopped = match options.schedule {
        Some(turns) => supervisor.drive(turns, &signals, options, begin)?,
        None => {
            supervisor.open_first();
            None
        }
    };
    let end = match stopped {
        Some(end) => end,
        None if options.schedule.is_some() && supervisor.running().next().is_none() => RunEnd::Completed,
        None => supervisor.watch(&signals, options, begin),
    };
    let finished = clock::now();
    tracing::debug!(?end, "the run has ended");
    supervisor.kill_rest();
    supervisor.show(options.notice, &mut options.spool, u64::MAX);
    let end = options.spool.as_mut().and_then(|spool| spool.flush()).unwrap_or(end);
    let duration = options.schedule.map_or(finished.saturating_sub(begin), |turns| turns.end);
    Ok(supervisor.trace(end, duration))
}

/// Makes every object, those that others need first.
fn create(plan: &Plan, arena: &Arena, keeper: &mut Keeper) -> Result<Vec<Rc<dyn Live>>, Vec<Diagnostic>> {
    let mut made: Vec<Option<Rc<dyn Live>>> = vec![None; plan.objects.len()];
    let holders = plan.holders();
    let mut diagnostics = Vec::new();
    let (first, second): (Vec<_>, Vec<_>) =
        (0..plan.objects.len()).partition(|id| plan.objects[*id].object.depends().is_none());
    for id in first.into_iter().chain(second) {
        if !diagnostics.is_empty() && plan.objects[id].object.depends().is_some() {
            continue;
        }
        let mut site = CreateContext {
            object: id as ObjectId,
            name: &plan.objects[id].name,
            arena,
            processes: plan.processes.len() as u32,
            holders: &holders[id],
            sysv: keeper,
            made: &made,
        };
        match plan.objects[id].object.create(&mut site) {
            Ok(live) => made[id] = Some(live),
            Err(error) => {
                diagnostics.push(host_limits::refused(plan, id, error));
                // The rest of an array would be refused in the same words.
                break;
            }
        }
    }
    if diagnostics.is_empty() { Ok(made.into_iter().flatten().collect()) } else { Err(diagnostics) }
}

/// A lane for each process, smaller ones where there are many.
fn lanes(plan: &Plan, arena: &Arena) -> std::io::Result<Vec<RingBuffer>> {
    const BUDGET: usize = 1 << 28;
    let share = BUDGET / plan.processes.len().max(1);
    let records = (share / 2 / 64).clamp(64, 1 << 15);
    let records = if records.is_power_of_two() { records } else { records.next_power_of_two() / 2 };
    let words = (share / 4 / 8).clamp(64, 1 << 14);
    let words = if words.is_power_of_two() { words } else { words.next_power_of_two() / 2 };
    let mut steps = vec![0usize; plan.programs.len()];
    for step in &plan.steps {
        steps[step.program] += 1;
    }
    arena
        .reserve(plan.processes.iter().map(|process| RingBuffer::size(records, words, steps[process.program])).sum())?;
    plan.processes.iter().map(|process| RingBuffer::new(arena, records, words, steps[process.program])).collect()
}

/// What a process does that is in no step.
fn doing(process: ProcessId, verb: &str) -> Waiting {
    let verb = verb.to_owned();
    Waiting { process, step: None, verb, target: Target::None, since: 0, on: Vec::new(), holder: None }
}

struct Supervisor<'p> {
    plan: &'p Plan,
    objects: Vec<Rc<dyn Live>>,
    table: Table,
    consumers: Vec<Consumer>,
    /// How far each lane was searched for output: records and payload bytes.
    shown: Vec<(usize, usize)>,
    bell: Wakeup,
    full: bool,
    /// The processes that were forked and not yet reaped.
    pids: HashMap<i32, ProcessId>,
    ends: Vec<Option<ProcessEnd>>,
    /// Output that may still have to wait for an earlier line of another process.
    lines: Vec<(u64, ProcessId, String)>,
    detector: Detector<'p>,
    /// Whether the host shows which processes sleep: without that no deadlock is looked for.
    watches: bool,
    stuck: Vec<Waiting>,
    /// What the daemons wait for that they wait for.
    daemons: Vec<Waiting>,
    last_look: u64,
    /// How much memory was too little for the events, where they are kept in it no longer.
    beyond: Option<u64>,
    /// What could not be passed on of what was recorded.
    lost: Vec<String>,
    /// How far a schedule has come, where there is one.
    course: Option<Course>,
}

impl Drop for Supervisor<'_> {
    fn drop(&mut self) {
        self.kill_rest();
    }
}

impl Supervisor<'_> {
    /// Forks every process. The end of the run where a signal asks for it meanwhile.
    fn fork_all(
        &mut self,
        keeper: &Keeper,
        lanes: &[RingBuffer],
        signals: &Blocked,
    ) -> Result<Option<RunEnd>, Vec<Diagnostic>> {
        /// Forks between two looks for a signal.
        const ROUND: usize = 64;
        let supervisor = std::process::id() as i32;
        let mut first_steps = vec![StepId::MAX; self.plan.programs.len()];
        for (id, step) in self.plan.steps.iter().enumerate() {
            let first = &mut first_steps[step.program];
            *first = (*first).min(id as StepId);
        }
        let expected: Vec<_> =
            self.plan.programs.iter().map(|program| memory_estimate::events(program).min(1 << 20) as usize).collect();
        let share = READY / lanes.len().max(1);
        for (id, lane) in lanes.iter().enumerate() {
            let process = id as ProcessId;
            if id % ROUND == ROUND - 1 && signals.ask_to_end() {
                return Ok(Some(RunEnd::Interrupted));
            }
            match os::fork() {
                Ok(os::Fork::Child) => {
                    keeper.part();
                    process::run(&Inheritance {
                        plan: self.plan,
                        process,
                        objects: &self.objects,
                        table: &self.table,
                        lane: lane.clone(),
                        bell: &self.bell,
                        full: self.full,
                        supervisor,
                        first_step: first_steps[self.plan.processes[id].program],
                        events: expected[self.plan.processes[id].program].min(share),
                        turnstile: self.course.as_ref().map(|course| (&course.turnstile, course.random)),
                    });
                }
                Ok(os::Fork::Parent(pid)) => {
                    self.pids.insert(pid, process);
                    self.table.post(process).pid.store(pid, std::sync::atomic::Ordering::Release);
                }
                Err(error) => return Err(vec![host_limits::fork_failed(self.plan, process, &error)]),
            }
        }
        for (id, object) in self.objects.iter().enumerate() {
            object.part(&vec![false; self.plan.objects[id].object.ends().len()]);
        }
        Ok(None)
    }

    /// Waits until every process has prepared itself. The end of the run where a signal asks for it meanwhile, or where
    /// for as long as the scenario's timeout no further process is ready.
    fn prepare(&mut self, signals: &Blocked) -> Result<Option<RunEnd>, Vec<Diagnostic>> {
        const NAP: u64 = 50_000_000;
        /// A short timeout is the scenario's, not the host's, which may be slow to run new processes.
        const LEAST: u64 = 2_000_000_000;
        let patience = self.plan.timeout.max(LEAST);
        let (mut known, mut since) = (0, clock::now());
        loop {
            let prepared = self.table.await_prepared(clock::now() + NAP);
            if prepared >= self.plan.processes.len() {
                break;
            }
            if signals.ask_to_end() {
                return Ok(Some(RunEnd::Interrupted));
            }
            self.reap();
            if self.ends.iter().any(Option::is_some) {
                break;
            }
            let now = clock::now();
            if prepared > known {
                (known, since) = (prepared, now);
            } else if now.saturating_sub(since) >= patience {
                let late =
                    (0..self.plan.processes.len() as ProcessId).filter(|process| !self.table.is_prepared(*process));
                return Ok(Some(RunEnd::Timeout(late.map(|process| doing(process, "preparing")).collect())));
            }
        }
        let troubles = host_limits::troubles(self.plan, &self.table);
        if troubles.is_empty() { Ok(None) } else { Err(troubles) }
    }

    fn is_daemon(&self, process: ProcessId) -> bool {
        self.plan.program(process).daemon
    }

    fn has_ended(&self, process: ProcessId) -> bool {
        self.ends[process as usize].is_some()
    }

    /// The processes that run: started and not ended.
    fn running(&self) -> impl Iterator<Item = ProcessId> + '_ {
        (0..self.plan.processes.len() as ProcessId)
            .filter(|process| !self.has_ended(*process) && self.table.post(*process).is_open())
    }

    /// Waits for what happens until the run has ended, and says how.
    fn watch(&mut self, signals: &Blocked, options: &mut Options<'_>, begin: u64) -> RunEnd {
        let deadline = begin.saturating_add(self.plan.timeout);
        let factor = 1 + self.plan.processes.len() as u64 / 1000;
        let depends = self.plan.programs.iter().any(|program| !program.depends_on.is_empty());
        let mut tick = BUSY;
        self.last_look = begin;
        loop {
            let now = clock::now();
            let wait = (tick * factor).min(deadline.saturating_sub(now)).max(1_000_000);
            let mut fds =
                [PollFd::new(signals.as_fd(), PollFlags::POLLIN), PollFd::new(self.bell.as_fd(), PollFlags::POLLIN)];
            let milliseconds = PollTimeout::try_from((wait / 1_000_000) as i32).unwrap_or(PollTimeout::ZERO);
            // Where it fails this is another round.
            let _ = poll(&mut fds, milliseconds);
            self.bell.answer();
            if signals.ask_to_end() {
                return RunEnd::Interrupted;
            }
            let before = clock::now();
            let drained = self.drain();
            self.reap();
            if depends {
                self.open_ready();
            }
            self.show(options.notice, &mut options.spool, before);
            (options.notice)(Notice::Tick {
                elapsed: before.saturating_sub(begin),
                ended: self.ends.iter().flatten().count(),
                events: self.consumers.iter().map(|consumer| consumer.taken().0).sum(),
            });
            tick = if drained { BUSY } else { QUIET };
            // What comes after the first event that no schedule foresaw means nothing.
            let recorded = self.consumers.iter().map(|consumer| consumer.taken().0 as u64);
            if self.course.as_ref().is_some_and(|course| course.is_passed(recorded)) {
                return self.out_of_time();
            }
            let told = self.stuck.len();
            if let Some(end) = self.over(drained, before).or_else(|| self.full(options)) {
                return end;
            }
            if self.stuck.len() > told {
                (options.notice)(Notice::Stuck { waiting: &self.stuck, daemons: &self.daemons });
            }
            // Of very many processes a round takes long, and each that ends would call for one: they had better come
            // together.
            let spent = clock::now().saturating_sub(before);
            if spent > LONG {
                clock::sleep_until(before + spent + spent.min(BUSY));
            }
            if before >= deadline {
                return self.out_of_time();
            }
        }
    }

    /// The end of a run whose time is over.
    fn out_of_time(&self) -> RunEnd {
        let left = self.running().filter(|process| !self.is_daemon(*process));
        RunEnd::Timeout(left.map(|process| self.doing(process)).collect())
    }

    /// The limit that the trace has reached.
    fn full_trace(&self, limits: Limits) -> Option<Limit> {
        let taken = self.consumers.iter().map(Consumer::taken);
        let (events, payload) =
            taken.fold((0, 0), |(events, bytes), one| (events + one.0 as u64, bytes + one.1 as u64));
        let events_full = limits.events.filter(|most| events >= *most).map(Limit::Events);
        events_full.or_else(|| {
            let bytes = trace::memory(events, payload);
            limits.bytes.filter(|most| bytes >= *most).map(Limit::Bytes)
        })
    }

    /// The end of a run whose trace has reached its limit. Where a file takes the events, a run continues that needs more
    /// memory for them than it may have: none is kept there from then on.
    fn full(&mut self, options: &mut Options<'_>) -> Option<RunEnd> {
        let spool = options.spool.as_mut();
        if let Some(end) = spool.and_then(|spool| spool.flush()) {
            return Some(end);
        }
        match (self.full_trace(options.limits)?, &options.spool) {
            (Limit::Bytes(most), Some(spool)) if spool.suffices() => {
                self.beyond = Some(most);
                None
            }
            (limit, _) => Some(RunEnd::Limit(limit)),
        }
    }

    /// Whether a step's signal has stopped the process.
    fn is_stopped(&self, process: ProcessId) -> bool {
        let post = self.table.post(process);
        post.was_stopped() && os::stopped(post.pid.load(std::sync::atomic::Ordering::Acquire)).is_some()
    }

    /// What a process is doing that has not ended.
    fn doing(&self, process: ProcessId) -> Waiting {
        if self.is_stopped(process) {
            let last = self.consumers[process as usize].last();
            return Waiting::stopped(process, last.saturating_sub(self.table.origin()));
        }
        match self.consumers[process as usize].lane().waiting() {
            Some(wait) => describe(self.plan, process, &wait, self.table.origin()),
            None => doing(process, "running"),
        }
    }

    /// Whether the run has ended by itself or is stuck.
    fn over(&mut self, drained: bool, now: u64) -> Option<RunEnd> {
        let (daemons, others): (Vec<_>, Vec<_>) = self.running().partition(|process| self.is_daemon(*process));
        if others.is_empty() && daemons.is_empty() {
            return Some(RunEnd::Completed);
        }
        if drained && now.saturating_sub(self.last_look) < LOOK {
            return None;
        }
        self.last_look = now;
        let stuck = self.look();
        let is_stuck = |process: &ProcessId| stuck.iter().any(|waiting| waiting.process == *process);
        let whole = daemons.iter().chain(&others).all(is_stuck);
        let (told, behind) = part(self.plan, stuck);
        // What is stuck stays so: a look that was not certain takes nothing back.
        if told.len() >= self.stuck.len() {
            self.daemons = if told.is_empty() { Vec::new() } else { behind };
            self.stuck = told;
        }
        match (whole, others.is_empty()) {
            (true, true) => Some(RunEnd::Completed),
            (true, false) => Some(RunEnd::Deadlock),
            _ => None,
        }
    }

    fn look(&self) -> Vec<Waiting> {
        let statuses: Vec<_> = (0..self.plan.processes.len() as ProcessId)
            .map(|process| {
                if self.has_ended(process) {
                    Status::Ended
                } else if !self.table.post(process).is_open() {
                    if self.plan.program(process).manual { Status::Unstarted } else { Status::Pending }
                } else if self.is_stopped(process) {
                    Status::Stopped(self.consumers[process as usize].last())
                } else {
                    match self.consumers[process as usize].lane().waiting() {
                        Some(wait) if !wait.deadline => Status::Waiting(wait),
                        _ => Status::Running,
                    }
                }
            })
            .collect();
        if !self.watches {
            return Vec::new();
        }
        self.detector.stuck(
            &statuses,
            &self.objects,
            &self.table,
            &|process, condition| self.holds(process, condition),
            &|process| self.consumers[process as usize].lane().waiting(),
        )
    }

    fn drain(&mut self) -> bool {
        let mut drained = false;
        for consumer in &mut self.consumers {
            drained |= consumer.drain();
        }
        drained
    }

    /// Takes in every process that has ended.
    fn reap(&mut self) {
        // Its end is known to all before its number can become another process's.
        while let Some((pid, end)) = os::ended_child() {
            if let Some(process) = self.pids.remove(&pid) {
                self.ended(process, end);
            }
            let _ = waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG));
        }
    }

    fn ended(&mut self, process: ProcessId, end: Result<i32, i32>) {
        let post = self.table.post(process);
        let started = post.is_open();
        let end = match end {
            _ if !started => ProcessEnd::NotStarted,
            Ok(code) => ProcessEnd::Exited(code),
            Err(signal) if post.was_sent(signal) => ProcessEnd::Killed(signal),
            Err(signal) => ProcessEnd::Crashed(signal),
        };
        self.ends[process as usize] = Some(end);
        self.table.begin_end(process);
        let code = end.code().unwrap_or(0) as i32;
        let killed = matches!(end, ProcessEnd::Killed(_) | ProcessEnd::Crashed(_));
        let consumer = &mut self.consumers[process as usize];
        consumer.drain();
        if started {
            let now = self.course.as_ref().map_or_else(clock::now, |course| ORIGIN + course.at);
            // A process under a schedule dies between the effects of its steps.
            let cut = killed && self.course.as_ref().is_none_or(|course| course.free);
            // One that is killed has died at some time since its last event: its effects may have come before it was reaped.
            let head = Head {
                begin: if cut { consumer.last().clamp(1, now) } else { now },
                end: now,
                ticket: 0,
                cause: 0,
                step: record::NONE,
                target: process,
                element: None,
                outcome: Outcome::OK,
                verb: record::END,
                flags: record::PROCESS,
            };
            consumer.append(record::encode(&head, &Value::Int(i64::from(code)), &Value::Null, &mut Vec::new()), cut);
        }
        for (object, planned) in self.objects.iter().zip(&self.plan.objects) {
            if killed || planned.object.notices_ends() {
                object.reclaim(process);
            }
        }
        // The kernel sends the signals of an end before any process can wait for it; a handler of theirs finds it ended.
        self.tell_orphans(process);
        self.tell_starter(process, code);
        self.table.end(process, code);
    }

    /// Sends those that a process has started, which has ended, the signals that they are to be sent then.
    fn tell_orphans(&self, process: ProcessId) {
        let held = self.course.as_ref().is_some_and(|course| !course.free);
        for (id, planned) in (0..).zip(&self.plan.processes) {
            let program = &self.plan.programs[planned.program];
            let Some(signal) = program.parent_death.filter(|_| self.table.starter(id) == Some(process)) else {
                continue;
            };
            if self.has_ended(id) {
                continue;
            }
            let post = self.table.post(id);
            post.signal(signal);
            // As a `kill` step does.
            if held && os::is_deadly(signal) && (!program.signals || signal == libc::SIGKILL) {
                post.pend(signal);
            } else {
                let payload = program.signals.then(|| self.end_of(process, 0));
                let pid = post.pid.load(std::sync::atomic::Ordering::Acquire);
                let _ = os::signal(pid, signal, payload, || post.ended().is_some());
            }
        }
    }

    /// What goes with a signal that the end of a process sends.
    fn end_of(&self, process: ProcessId, value: i32) -> os::Payload {
        let pid = self.table.post(process).pid.load(std::sync::atomic::Ordering::Acquire);
        let consumer = &self.consumers[process as usize];
        signals::payload(pid, consumer.number(consumer.taken().0.saturating_sub(1)), value)
    }

    /// Sends CHLD to the process whose step started one that has ended, where that has to do with signals.
    fn tell_starter(&self, process: ProcessId, code: i32) {
        let starter = self.table.starter(process);
        let Some(starter) = starter.filter(|starter| self.plan.program(*starter).signals && !self.has_ended(*starter))
        else {
            return;
        };
        let pid = |process: ProcessId| self.table.post(process).pid.load(std::sync::atomic::Ordering::Acquire);
        let payload = self.end_of(process, code);
        self.table.post(starter).signal(libc::SIGCHLD);
        // Where it has ended this moment no process is there to tell.
        let _ = os::signal(pid(starter), libc::SIGCHLD, Some(payload), || self.table.post(starter).ended().is_some());
    }

    /// Passes on what was collected: events to what takes them, and output whose place among the others is certain, since it
    /// ended before `before`.
    fn show(&mut self, notice: &mut dyn FnMut(Notice<'_>), spool: &mut Option<&mut dyn Spool>, before: u64) {
        let print = STEPS.iter().position(|verb| verb.name == "print").unwrap_or(0) as u8;
        let (names, origin) = (collect::Names(self.plan), self.table.origin());
        for (process, consumer) in (0..).zip(&mut self.consumers) {
            let shown = &mut self.shown[process as usize];
            for (number, record, bytes) in consumer.records(*shown) {
                if let Some(spool) = spool {
                    match record::decode(record, bytes, process, number, origin, &names) {
                        Ok(event) => spool.take(&event),
                        Err(error) => {
                            self.lost.push(format!("{}: {error}", self.plan.processes[process as usize].name));
                        }
                    }
                }
                if record::verb(record) == print
                    && (record[6] >> 32) as u32 == record::NONE
                    && let Ok(Value::String(text)) = crate::value::decode(bytes)
                {
                    self.lines.push((record[1], process, text.to_string()));
                }
            }
            *shown = consumer.taken();
            if self.beyond.is_some() {
                consumer.give_up();
            }
        }
        self.lines.sort_by_key(|(at, process, _)| (*at, *process));
        let certain = self.lines.partition_point(|(at, ..)| *at < before);
        for (at, process, text) in self.lines.drain(..certain) {
            notice(Notice::Printed { process, at: at.saturating_sub(origin), text: &text });
        }
    }

    /// Ends every process that is left, and waits until none is.
    ///
    /// All are stopped before one is killed: its death closes the ends that it holds and releases robust mutexes, and
    /// no process may continue by that, since the run is over.
    fn kill_rest(&mut self) {
        for pid in self.pids.keys() {
            let _ = os::kill(*pid, libc::SIGSTOP);
        }
        // What the kernel cannot stop soon, it is in the middle of something for; then it is killed as it is.
        let deadline = clock::now() + PATIENCE;
        let left: Vec<_> = self.pids.keys().copied().collect();
        for pid in left {
            self.await_stop(pid, deadline);
        }
        for pid in self.pids.keys() {
            let _ = os::kill(*pid, libc::SIGKILL);
        }
        let deadline = clock::now() + LAST_PATIENCE;
        for (pid, process) in std::mem::take(&mut self.pids) {
            if !os::await_end(pid, deadline) {
                tracing::warn!(pid, "a process does not end, though it was killed");
            }
            self.consumers[process as usize].drain();
            let started = self.table.post(process).is_open();
            self.ends[process as usize] = Some(if started { ProcessEnd::Stopped } else { ProcessEnd::NotStarted });
        }
    }

    /// Waits until a process has stopped, or takes in its end where that came first.
    fn await_stop(&mut self, pid: i32, deadline: u64) {
        const NAP: u64 = 50_000;
        loop {
            let look = WaitPidFlag::WEXITED | WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
            let end = match fault::call("waitid", &[Errno::EINTR], || waitid(Id::Pid(Pid::from_raw(pid)), look)) {
                Ok(WaitStatus::Exited(_, code)) => Ok(code),
                Ok(WaitStatus::Signaled(_, signal, _)) => Err(signal as i32),
                Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) if clock::now() < deadline => {
                    clock::sleep_until(clock::now() + NAP);
                    continue;
                }
                _ => return,
            };
            if let Some(process) = self.pids.remove(&pid) {
                self.ended(process, end);
            }
            let _ = waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG));
            return;
        }
    }
}
