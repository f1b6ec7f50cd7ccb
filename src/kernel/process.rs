//! A process of the scenario from its fork to its end: it prepares itself, waits for its gate, and runs its program
//! over the real objects, recording each step.

use std::rc::Rc;
use std::sync::atomic::Ordering;

use super::other_processes::Others;
use super::process_table::{Preparation, Table, Trouble};
use super::recorder::{Current, Recorder};
use super::scheduler_gate::{Due, Held, SchedulerGate, chosen};
use super::signals::Caught;
use super::wakeup::Wakeup;
use crate::event::{ObjectId, ProcessId, StepId, Target};
use crate::explore::semantics::choice_point::begins_turn;
use crate::interpreter::{Clock, Left, Machine, Random, Timeout, World};
use crate::objects::contract::operation::{Operation, Targets, VerbId};
use crate::objects::kinds::own::OwnVerb;
use crate::objects::kinds::process::{self, ProcessVerb};
use crate::objects::kinds::timer::TimerVerb;
use crate::objects::{Call, Completion, Live, Patience};
use crate::os::{clock, interrupts, limits, process as os};
use crate::outcome::Outcome;
use crate::scenario::plan::{Condition, Instruction, Plan};
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
    if inheritance.plan.program(inheritance.process).signals {
        interrupts::prepare().map_err(host(Preparation::Signals))?;
        if inheritance.plan.program(inheritance.process).ends_of_pipe {
            interrupts::set_action(libc::SIGPIPE, interrupts::Action::Default).map_err(host(Preparation::Signals))?;
        }
    }
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
        signals: plan.program(process).signals.then(|| Box::new(Caught::new(plan.program(process)))),
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
            alarmed: false,
            since: 0,
            payload: Vec::new(),
            buffer: Vec::with_capacity(4096),
            held: inheritance.turnstile.map(|(turnstile, _)| Held::new(turnstile.clone(), process)),
        },
    };
    if let Ok(machine) = &machine {
        child.follow_signals(machine, None);
    }
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
        cause: post.started(),
        step: record::NONE,
        target: process,
        element: None,
        outcome: Outcome::OK,
        verb: record::BEGIN,
        flags: record::PROCESS,
    });
    let left = match machine {
        Ok(mut machine) if inheritance.turnstile.is_some() || machine.has_signals() => child.take_turns(&mut machine),
        Ok(mut machine) => machine.run(&mut child),
        Err(_) => Left::Exit(1),
    };
    table.post(process).leave();
    for (id, object) in inheritance.objects.iter().enumerate() {
        let mut held = plan.held(process, id as ObjectId);
        if held.contains(&true) {
            held.fill(false);
            object.part(&held);
        }
    }
    left
}

/// The real world, as one process has it.
pub(super) struct Child<'a> {
    pub(super) plan: &'a Plan,
    pub(super) objects: &'a [Rc<dyn Live>],
    pub(super) table: &'a Table,
    clock: Clock,
    pub(super) recorder: Recorder<'a>,
    /// None where the program has nothing to do with signals.
    pub(super) signals: Option<Box<Caught>>,
}

#[inline]
fn patience(timeout: Timeout) -> Patience {
    match timeout {
        Timeout::None => Patience::Forever,
        Timeout::After(0) | Timeout::Interrupted => Patience::Never,
        Timeout::After(ns) => Patience::Until(clock::now().saturating_add(ns)),
    }
}

/// The place of a verb without an object among [`STEPS`].
pub(super) fn place(verb: &str) -> u8 {
    STEPS.iter().position(|step| step.name == verb).unwrap_or(0) as u8
}

impl World for Child<'_> {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a completion that is handed on in memory costs more than the step")]
    fn operate(
        &mut self,
        step: StepId,
        operation: &Operation<'_>,
        compute: &mut dyn FnMut(Value) -> Result<Value, Outcome>,
        timeout: Timeout,
    ) -> Completion {
        if self.signals.is_some() {
            return self.operate_open(step, operation, compute, timeout);
        }
        self.carry_out(step, operation, compute, timeout)
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

    fn is_cut(&self) -> bool {
        self.signals.as_ref().is_some_and(|signals| signals.cut.is_some())
    }
}

impl Child<'_> {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as above")]
    pub(super) fn carry_out(
        &mut self,
        step: StepId,
        operation: &Operation<'_>,
        compute: &mut dyn FnMut(Value) -> Result<Value, Outcome>,
        timeout: Timeout,
    ) -> Completion {
        let patience = self.patience(timeout);
        let (VerbId::Object, [Targets { first: Target::Object(object), verb, end, element, .. }]) =
            (operation.verb, operation.targets)
        else {
            return self.operate_on_none(step, operation, patience);
        };
        let (object, verb, end, element) = (*object, *verb, *end, *element);
        let deadline = patience != Patience::Forever;
        let mut current =
            Current { recorder: &mut self.recorder, compute, step, object, verb, end, deadline, noticed: false };
        let mut call = Call { verb, end, element, arguments: operation.arguments, patience, party: &mut current };
        let completion = self.objects[object as usize].perform(&mut call);
        let noticed = current.noticed;
        if completion.outcome == Outcome::INTERRUPTED && interrupts::is_noted() {
            self.recorder.cut();
        } else {
            self.recorder.conclude(step, object, verb, element, 0, &completion);
        }
        if noticed || !completion.outcome.is_ok() {
            self.meet_ends(object, completion.outcome);
        }
        completion
    }

    /// Waits, where a step may have seen what the end of a process did to an object, until that process has ended for all. The
    /// kernel releases a process's locks first, then its files, and lets it be waited for last; an end is one event, and what
    /// this process sees next has to be so after all of it.
    #[cold]
    fn meet_ends(&self, object: ObjectId, outcome: Outcome) {
        const SEEN: [Outcome; 5] =
            [Outcome::OK, Outcome::CLOSED, Outcome::BROKEN, Outcome::OWNER_DIED, Outcome::UNRECOVERABLE];
        if self.is_held() || !SEEN.contains(&outcome) {
            return;
        }
        for process in self.plan.users(object).filter(|process| *process != self.recorder.process) {
            let post = self.table.post(process);
            if post.is_open() {
                post.ended_or_ending();
            }
        }
    }

    /// Runs the program in the turns that a schedule gives, which only steps that ask for something take.
    fn take_turns(&mut self, machine: &mut Machine<'_>) -> Left {
        let chosen = machine.is_chosen();
        loop {
            self.tell_time();
            if chosen && begins_turn(machine.instruction()) {
                self.recorder.before_draw();
                self.tell_time();
            }
            if machine.stops() && self.runs_handler(machine) {
                continue;
            }
            let step = machine.asks();
            if step.is_some() || machine.stops() {
                match self.recorder.approach(step) {
                    Due::Step => {}
                    Due::Ring => {
                        self.ring(machine);
                        continue;
                    }
                    Due::Handle(within) => {
                        self.handle_due(machine, within);
                        continue;
                    }
                    Due::Die(signal) => {
                        self.die_of(machine, signal);
                        continue;
                    }
                }
                self.tell_time();
            }
            self.free_alarm();
            if let Some(signals) = &mut self.signals {
                signals.open = machine.deliverable(true);
            }
            let set = match machine.instruction() {
                Instruction::Operate(operation) => operation.acts_at(),
                _ => None,
            };
            if let Some(left) = machine.advance(self) {
                loop {
                    match self.recorder.leave() {
                        Due::Ring => self.ring(machine),
                        Due::Die(signal) => self.die_of(machine, signal),
                        Due::Step | Due::Handle(_) => return left,
                    }
                }
            }
            self.follow_signals(machine, set);
            if let Some(taken) = self.signals.as_mut().and_then(|signals| signals.cut.take()) {
                self.run_handler(machine, taken, true);
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
    pub(super) fn is_held(&self) -> bool {
        self.recorder.held.as_ref().is_some_and(|held| !held.is_free())
    }

    /// The object and verb of a step that could not be asked for.
    fn named(&self, step: StepId) -> (u32, u8) {
        match self.plan.operation(step).and_then(|operation| operation.accessed().next()) {
            Some(named) => named,
            None => (record::NONE, place(self.plan.steps[step as usize].verb)),
        }
    }

    /// A step without an object.
    #[inline(never)]
    fn operate_on_none(&mut self, step: StepId, operation: &Operation<'_>, patience: Patience) -> Completion {
        match operation.verb {
            VerbId::Object => Completion::of(Outcome::INVALID),
            VerbId::Own(verb) => {
                if verb == OwnVerb::Yield {
                    os::yield_now();
                }
                self.own(step, verb.described().name, verb.complete(operation.arguments))
            }
            VerbId::Timer(verb) => {
                let ns = operation.int(0) as u64;
                match verb {
                    _ if self.is_held() => {}
                    TimerVerb::Sleep => {
                        if !self.sleep(step, ns) {
                            self.recorder.cut();
                            return Completion::of(Outcome::INTERRUPTED);
                        }
                    }
                    TimerVerb::Busy => clock::burn(std::time::Duration::from_nanos(ns)),
                }
                self.own(step, verb.described().name, Completion::of(Outcome::OK))
            }
            VerbId::Signal(verb) => self.on_signals(step, verb, operation, patience),
            VerbId::Process(verb) => {
                let completion = process::perform(verb, operation, &mut Others { child: self, step, patience });
                if verb == ProcessVerb::Start {
                    self.recorder.bell.ring();
                }
                // It comes back to a wait that a signal has cut short.
                completion.unwrap_or_else(|| Completion::of(Outcome::INTERRUPTED))
            }
        }
    }

    pub(super) fn own(&mut self, step: StepId, verb: &str, completion: Completion) -> Completion {
        self.recorder.finish(step, record::NONE, place(verb), None, 0, &completion);
        completion
    }

    /// Sleeps for that many ns. False where a signal has interrupted it.
    fn sleep(&mut self, step: StepId, ns: u64) -> bool {
        let now = clock::now();
        self.publish(step, TimerVerb::Sleep.described().name, true);
        clock::sleep_or_wake(now.saturating_add(ns))
    }

    /// Publishes a wait for nothing that a process has; `deadline`: whether its time ends it.
    pub(super) fn publish(&mut self, step: StepId, verb: &str, deadline: bool) {
        let since = self.recorder.waits_since();
        self.recorder.since = since;
        self.recorder.wait(&Wait {
            number: 0,
            step,
            target: record::NONE,
            verb: place(verb),
            end: 0,
            process: false,
            deadline,
            since,
        });
    }

    /// Whether a process runs, or will without any process's doing: those that wait for nothing but that such have started
    /// all begin with the run, whichever gate is opened first.
    pub(super) fn has_begun(&self, process: ProcessId) -> bool {
        let program = self.plan.program(process);
        let mut depends = program.depends_on.iter();
        self.table.post(process).is_open()
            || !program.manual
                && depends.all(|(first, count, condition)| {
                    *condition == Condition::Started && (*first..first + count).all(|other| self.has_begun(other))
                })
    }
}
