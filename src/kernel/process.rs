//! A process of the scenario from its fork to its end: it prepares itself, waits for its gate, and runs its program
//! over the real objects, recording each step.

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::process_table::{Preparation, Table, Trouble};
use super::recorder::{Current, Recorder};
use super::scheduler_gate::{Held, SchedulerGate, chosen};
use super::wakeup::Wakeup;
use crate::event::{EventId, ObjectId, ProcessId, StepId};
use crate::explore::semantics::choice_point::begins_turn;
use crate::interpreter::{Clock, Left, Machine, Place, Random, Request, Timeout, World};
use crate::objects::{Call, Completion, Live, Patience};
use crate::os::{clock, limits, process as os};
use crate::outcome::Outcome;
use crate::scenario::plan::{Action, Condition, Plan};
use crate::scenario::steps::STEPS;
use crate::schedule;
use crate::trace::record::{self, Head};
use crate::trace::ring_buffer::{Producer, RingBuffer, Wait};
use crate::value::Value;

/// What a process is given.
pub(super) struct Inheritance<'a> {
    pub(super) plan: &'a Plan,
    pub(super) process: ProcessId,
    pub(super) objects: &'a [Rc<dyn Live>],
    pub(super) table: &'a Table,
    pub(super) lane: RingBuffer,
    pub(super) bell: &'a Wakeup,
    /// Whether every step is recorded, or only what waited or failed.
    pub(super) full: bool,
    pub(super) supervisor: i32,
    pub(super) first_step: StepId,
    /// How many events the process should have memory for at once.
    pub(super) events: usize,
    /// Where a schedule holds the processes: its turnstile, and whether it chooses their random numbers.
    pub(super) turnstile: Option<(&'a SchedulerGate, bool)>,
}

/// Runs the process. Does not return.
pub(super) fn run(inheritance: &Inheritance<'_>) -> ! {
    let run = std::panic::AssertUnwindSafe(|| live(inheritance));
    match std::panic::catch_unwind(run) {
        Ok(Left::Exit(status)) => os::exit_now(status),
        Ok(Left::Abort) | Err(_) => os::abort_now(),
    }
}

fn prepare(inheritance: &Inheritance<'_>) -> Result<(), (Trouble, std::io::Error)> {
    let host = |call: Preparation| move |error| (Trouble::Host(call), error);
    os::die_with_parent(inheritance.supervisor).map_err(host(Preparation::DeathWithParent))?;
    os::leave_group().map_err(host(Preparation::Group))?;
    os::forget_signals().and_then(|()| os::default_signals()).map_err(host(Preparation::Signals))?;
    limits::confine_one_of(inheritance.plan.processes.len()).map_err(host(Preparation::Memory))?;
    let plan = inheritance.plan;
    let process = &plan.processes[inheritance.process as usize];
    let program = &plan.programs[process.program];
    os::set_name(&process.name);
    for (id, object) in inheritance.objects.iter().enumerate() {
        let held = plan.held(inheritance.process, id as ObjectId);
        if !held.is_empty() {
            object.part(&held);
        }
    }
    if let Some(policy) = &program.policy {
        os::set_policy(policy, program.priority.unwrap_or(1) as i32).map_err(|error| (Trouble::Policy, error))?;
    }
    if let Some(nice) = program.nice {
        os::set_nice(nice as i32).map_err(|error| (Trouble::Nice, error))?;
    }
    if !program.cpus.is_empty() {
        os::set_cpus(&program.cpus).map_err(|error| (Trouble::Cpus, error))?;
    }
    Ok(())
}

fn live(inheritance: &Inheritance<'_>) -> Left {
    let Inheritance { plan, process, table, .. } = *inheritance;
    let post = table.post(process);
    if let Err((trouble, error)) = prepare(inheritance) {
        table.prepared(process, Some((trouble, error.raw_os_error().unwrap_or(0))));
        return Left::Exit(1);
    }
    let producer = Producer::new(inheritance.lane.clone());
    producer.populate(inheritance.events);
    let pid = std::process::id() as i32;
    post.pid.store(pid, Ordering::Release);
    let told = if inheritance.turnstile.is_some() { schedule::pid(process) } else { i64::from(pid) };
    let mut machine = Machine::new(plan, process, told);
    if let (Some((turnstile, true)), Ok(machine)) = (inheritance.turnstile, &mut machine) {
        machine.draw_from(Random::chosen(chosen(turnstile, process)));
    }
    let mut child = Child {
        plan,
        objects: inheritance.objects,
        table,
        clock: Clock::At(0),
        recorder: Recorder {
            process,
            producer,
            bell: inheritance.bell,
            full: inheritance.full,
            first_step: inheritance.first_step,
            last: 0,
            outer: 0,
            number: 0,
            entered: false,
            blocked: false,
            since: 0,
            payload: Vec::new(),
            buffer: Vec::with_capacity(4096),
            held: inheritance.turnstile.map(|(turnstile, _)| Held::new(turnstile.clone(), process)),
        },
    };
    table.prepared(process, None);
    post.await_gate();
    child.clock = Clock::Since(table.origin());
    if let Some(held) = &mut child.recorder.held {
        held.take_up();
    }
    let begin = child.recorder.now();
    child.recorder.last = begin;
    child.recorder.head(Head {
        begin,
        end: begin,
        ticket: 0,
        cause: post.starter.load(Ordering::Acquire),
        step: record::NONE,
        target: process,
        element: None,
        outcome: Outcome::OK,
        verb: record::BEGIN,
        flags: record::PROCESS,
    });
    match machine {
        Ok(mut machine) if inheritance.turnstile.is_some() => child.take_turns(&mut machine),
        Ok(mut machine) => machine.run(&mut child),
        Err(_) => Left::Exit(1),
    }
}

/// The real world, as one process has it.
struct Child<'a> {
    plan: &'a Plan,
    objects: &'a [Rc<dyn Live>],
    table: &'a Table,
    clock: Clock,
    recorder: Recorder<'a>,
}

#[inline]
fn patience(timeout: Timeout) -> Patience {
    match timeout {
        Timeout::None => Patience::Forever,
        Timeout::After(0) => Patience::Never,
        Timeout::After(ns) => Patience::Until(clock::now().saturating_add(ns)),
    }
}

/// The place of a verb without an object among [`STEPS`].
fn verb(name: &str) -> u8 {
    STEPS.iter().position(|verb| verb.name == name).unwrap_or(0) as u8
}

impl World for Child<'_> {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a completion that is handed on in memory costs more than the step")]
    fn operate(
        &mut self,
        step: StepId,
        place: Place,
        arguments: &[Value],
        compute: &mut dyn FnMut(Value) -> Result<Value, Outcome>,
        timeout: Timeout,
    ) -> Completion {
        let Place { object, verb, end, element } = place;
        let patience = self.patience(timeout);
        let deadline = patience != Patience::Forever;
        let mut current = Current { recorder: &mut self.recorder, compute, step, object, verb, end, deadline };
        let mut call = Call { verb, end, element, arguments, patience, party: &mut current };
        let completion = self.objects[object as usize].perform(&mut call);
        self.recorder.conclude(step, object, verb, element, 0, &completion);
        completion
    }

    fn perform(&mut self, step: StepId, request: Request, timeout: Timeout) -> Completion {
        self.alone(step, request, self.patience(timeout))
    }

    fn refuse(&mut self, step: StepId, outcome: Outcome, message: &str) {
        let mut completion = Completion::of(outcome);
        completion.value = Value::from(message);
        let (target, verb) = self.named(step);
        self.recorder.finish(step, target, verb, None, 0, &completion);
    }

    fn clock(&self) -> Clock {
        self.clock
    }
}

impl Child<'_> {
    /// Runs the program in the turns that a schedule gives, which only steps that ask for something take.
    fn take_turns(&mut self, machine: &mut Machine<'_>) -> Left {
        let chosen = machine.is_chosen();
        loop {
            self.tell_time();
            if chosen && begins_turn(machine.instruction()) {
                self.recorder.before_draw();
                self.tell_time();
            }
            if let Some(step) = machine.asks() {
                self.recorder.approach(step);
                self.tell_time();
            }
            if let Some(left) = machine.advance(self) {
                self.recorder.leave();
                return left;
            }
        }
    }

    fn tell_time(&mut self) {
        if let Some(held) = &self.recorder.held {
            self.clock = held.clock();
        }
    }

    #[inline]
    fn patience(&self, timeout: Timeout) -> Patience {
        match &self.recorder.held {
            None => patience(timeout),
            Some(held) => held.patience(timeout),
        }
    }

    /// Whether a schedule says how time passes.
    fn is_held(&self) -> bool {
        self.recorder.held.as_ref().is_some_and(|held| !held.is_free())
    }

    /// The object and verb of a step that could not be asked for.
    fn named(&self, step: StepId) -> (u32, u8) {
        match self.plan.operation(step).map(|operation| &operation.action) {
            Some(Action::Object(action)) => (action.first, action.verb),
            _ => (record::NONE, verb(self.plan.steps[step as usize].verb)),
        }
    }

    fn own(&mut self, step: StepId, name: &str, completion: Completion) -> Completion {
        self.recorder.finish(step, record::NONE, verb(name), None, 0, &completion);
        completion
    }

    fn alone(&mut self, step: StepId, request: Request, patience: Patience) -> Completion {
        match request {
            Request::Sleep(_) if self.is_held() => self.own(step, "sleep", Completion::of(Outcome::OK)),
            Request::Busy(_) if self.is_held() => self.own(step, "busy", Completion::of(Outcome::OK)),
            Request::Sleep(ns) => {
                let now = clock::now();
                self.recorder.wait(&Wait {
                    number: 0,
                    step,
                    target: record::NONE,
                    verb: verb("sleep"),
                    end: 0,
                    process: false,
                    deadline: true,
                    since: if self.recorder.held.is_some() { self.recorder.last } else { now },
                });
                clock::sleep_until(now.saturating_add(ns));
                self.own(step, "sleep", Completion::of(Outcome::OK))
            }
            Request::Busy(ns) => {
                clock::burn(std::time::Duration::from_nanos(ns));
                self.own(step, "busy", Completion::of(Outcome::OK))
            }
            Request::Start(processes) => self.start(step, processes),
            Request::Join(processes) => self.join(step, processes, patience),
            Request::Status(process) => self.status(step, process),
            Request::Kill(processes, signal) => self.kill(step, processes, signal),
            own => self.by_itself(step, own),
        }
    }

    /// What concerns nobody else.
    fn by_itself(&mut self, step: StepId, request: Request) -> Completion {
        if matches!(request, Request::Yield) {
            os::yield_now();
        }
        let ready = matches!(request, Request::Ready);
        // Everything else was taken before.
        let Ok((verb, completion)) = request.own() else { return Completion::of(Outcome::INVALID) };
        let completion = self.own(step, verb, completion);
        if ready {
            self.table.post(self.recorder.process).set_ready();
            self.recorder.bell.ring();
        }
        completion
    }

    /// Records a step on one process of those that it names.
    fn on(&mut self, step: StepId, name: &str, process: ProcessId, completion: &Completion) {
        self.recorder.finish(step, process, verb(name), None, record::PROCESS, completion);
    }

    fn start(&mut self, step: StepId, processes: Range<ProcessId>) -> Completion {
        let mut worst = Completion::of(Outcome::OK);
        for process in processes {
            let post = self.table.post(process);
            let id = EventId { process: self.recorder.process, number: self.recorder.number }.pack();
            let manual = self.plan.program(process).manual;
            if manual && !post.is_open() {
                // Two starters at once: the one whose gate opens is the parent, and the entry says who it is.
                post.starter.store(id, Ordering::Release);
            }
            let completion = Completion::of(if manual && post.open() { Outcome::OK } else { Outcome::IN_USE });
            self.on(step, "start", process, &completion);
            if !completion.outcome.is_ok() {
                worst = completion;
            }
        }
        self.recorder.bell.ring();
        worst
    }

    fn join(&mut self, step: StepId, processes: Range<ProcessId>, patience: Patience) -> Completion {
        let itself = self.recorder.process;
        if processes.contains(&itself) {
            let completion = Completion::of(Outcome::WOULD_DEADLOCK);
            self.on(step, "join", itself, &completion);
            return completion;
        }
        let mut code = 0;
        for process in processes {
            let completion = self.join_one(step, process, patience);
            self.on(step, "join", process, &completion);
            match completion.value {
                Value::Int(other) if completion.outcome.is_ok() => {
                    if code == 0 {
                        code = other;
                    }
                }
                _ => return completion,
            }
        }
        Completion::value(Value::Int(code))
    }

    fn join_one(&mut self, step: StepId, process: ProcessId, patience: Patience) -> Completion {
        let post = self.table.post(process);
        let deadline = match patience {
            Patience::Until(deadline) => Some(deadline),
            _ => None,
        };
        loop {
            if let Some(code) = post.ended() {
                post.join();
                return Completion::value(Value::Int(i64::from(code)));
            }
            if patience == Patience::Never {
                return Completion::of(Outcome::WOULD_BLOCK);
            }
            let now = clock::now();
            if deadline.is_some_and(|deadline| now >= deadline) {
                return Completion::of(Outcome::TIMEOUT);
            }
            let since = if self.recorder.held.is_some() { self.recorder.last } else { now };
            if !self.recorder.entered {
                self.recorder.since = since;
            }
            self.recorder.wait(&Wait {
                number: 0,
                step,
                target: process,
                verb: verb("join"),
                end: 0,
                process: true,
                deadline: deadline.is_some(),
                since,
            });
            self.recorder.blocked = true;
            post.await_end(deadline);
        }
    }

    /// Whether a process runs, or will without anybody's doing: those that wait for nothing but that such have started
    /// all begin with the run, whichever gate is opened first.
    fn has_begun(&self, process: ProcessId) -> bool {
        let program = self.plan.program(process);
        let mut depends = program.depends_on.iter();
        self.table.post(process).is_open()
            || !program.manual
                && depends.all(|(first, count, condition)| {
                    *condition == Condition::Started && (*first..first + count).all(|other| self.has_begun(other))
                })
    }

    fn status(&mut self, step: StepId, process: ProcessId) -> Completion {
        let post = self.table.post(process);
        let ended = post.ended();
        let map = std::collections::BTreeMap::from([
            ("alive".to_owned(), Value::Bool(ended.is_none() && self.has_begun(process))),
            ("code".to_owned(), ended.map_or(Value::Null, |code| Value::Int(i64::from(code)))),
        ]);
        let completion = Completion::value(Value::Map(Arc::new(map)));
        self.on(step, "status", process, &completion);
        completion
    }

    fn kill(&mut self, step: StepId, processes: Range<ProcessId>, signal: i32) -> Completion {
        let mut worst = Completion::of(Outcome::OK);
        let itself = self.recorder.process;
        // What it sends to itself comes last: it may not go on after that.
        let others = processes.clone().filter(|process| *process != itself);
        for process in others.chain(processes.contains(&itself).then_some(itself)) {
            let table = self.table;
            let post = table.post(process);
            let value = Value::Int(i64::from(signal));
            // Of a signal to itself the process may not come back: it is recorded before.
            let recorded = Cell::new(false);
            let outcome = if !self.has_begun(process) || post.is_joined() {
                Outcome::NO_PROCESS
            } else if post.ended().is_some() {
                Outcome::OK
            } else {
                // The signal is for a process that has begun, also where its gate was to be opened this moment.
                post.open();
                if signal != 0 {
                    post.signal(signal);
                }
                if process == itself && signal != 0 {
                    self.on(step, "kill", process, &Completion::value(value.clone()));
                    recorded.set(true);
                }
                let later = process != itself && os::is_deadly(signal) && self.is_held();
                if later {
                    post.pend(signal);
                }
                let send = || os::signal(post.pid.load(Ordering::Acquire), signal, || post.ended().is_some());
                let sent = match process == itself && os::is_stop(signal) {
                    _ if later => Ok(()),
                    true => self.recorder.stop(send),
                    false => send(),
                };
                // The kernel takes the lowest of several signals first: under a schedule the next must not overtake this one.
                if self.is_held() && process != itself && os::is_stop(signal) && sent.is_ok() {
                    os::await_stopped(post.pid.load(Ordering::Acquire), || post.ended().is_some());
                }
                match sent {
                    // It may have ended this moment and is not joined yet: as a zombie it would still take the signal.
                    Ok(()) | Err(libc::ESRCH) => Outcome::OK,
                    Err(errno) => Outcome::from_errno(errno),
                }
            };
            let mut completion = Completion::of(outcome);
            completion.value = value;
            if !recorded.get() {
                self.on(step, "kill", process, &completion);
            }
            if !outcome.is_ok() {
                worst = completion;
            }
        }
        worst
    }
}
