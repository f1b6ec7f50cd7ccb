//! The signals of a process that has to do with them: kept back but while it waits, taken between two steps.

use super::process::{Child, place};
use crate::event::{EventId, ProcessId, StepId, Target};
use crate::interpreter::{Machine, Timeout};
use crate::objects::contract::operation::{Operation, VerbId};
use crate::objects::kinds::process::ProcessVerb;
use crate::objects::kinds::signals::{self, Fate, Sent, SignalSet, SignalVerb, is_fixed, moves_the_process, only};
use crate::objects::kinds::timer::TimerVerb;
use crate::objects::{Completion, Patience};
use crate::os::interrupts::{self, Action, Taken};
use crate::os::process::Payload;
use crate::outcome::Outcome;
use crate::scenario::plan::Program;
use crate::scenario::signal_name;
use crate::trace::record;
use crate::value::Value;
use std::sync::atomic::Ordering;

/// A time of the clock that has passed.
const PAST: u64 = 1;

/// What goes with a signal that an event of that number sends, besides a value.
pub(super) fn payload(pid: i32, number: u64, value: i32) -> Payload {
    Payload { pid, word: (number + 1) << 32 | u64::from(value as u32) }
}

/// The signals of a process.
#[derive(Debug, Default)]
pub(super) struct Caught {
    /// What it masks, catches and ignores.
    dispositions: [SignalSet; 3],
    /// The signals that are let in while it waits in its step.
    pub(super) open: SignalSet,
    /// Whether its program sets alarms.
    alarms: bool,
    /// When its alarm is due, ns of a schedule, in which it rings in a turn.
    alarm: Option<u64>,
    /// The signal that has cut its step short.
    pub(super) cut: Option<Taken>,
    /// One that came within a step which was then done.
    came: Option<Taken>,
}

impl Caught {
    /// Those of a process of the program that has begun.
    pub(super) fn new(program: &Program) -> Self {
        Self { alarms: program.sets_alarms(), ..Self::default() }
    }
}

impl Child<'_> {
    /// The signals that the kernel keeps back. Under a schedule all are that can be: each has its effect in a turn.
    fn blocked(&self) -> SignalSet {
        match &self.signals {
            Some(signals) if self.is_held() => {
                // What has no effect is forgotten at once.
                let idle = |signal: &i32| Fate::of(*signal, signals.dispositions) == Fate::Ignored;
                let kept = |signal: &i32| !moves_the_process(*signal) && *signal != libc::SIGRTMAX() && !idle(signal);
                (1..=64).filter(kept).fold(0, |set, signal| set | only(signal))
            }
            Some(signals) => signals.dispositions[0] | signals.dispositions[1],
            None => 0,
        }
    }

    /// Does at signals what the process has come to do. `set`: the signal of which a step has just said that, again or anew.
    pub(super) fn follow_signals(&mut self, machine: &Machine<'_>, set: Option<i32>) {
        let new = machine.dispositions();
        let Some(signals) = &mut self.signals else { return };
        let old = std::mem::replace(&mut signals.dispositions, new);
        interrupts::set_mask(self.blocked() | old[0] | old[1]);
        if let Some(signal) = set.filter(|signal| !is_fixed(*signal)) {
            let action = match () {
                () if new[1] & only(signal) != 0 => Action::Catch,
                () if new[2] & only(signal) != 0 => Action::Ignore,
                () => Action::Default,
            };
            // It fails for no signal that may be caught, which the step has looked at.
            let _ = interrupts::set_action(signal, action);
        }
        let blocked = self.blocked();
        if self.is_held() {
            // A signal that the step itself lets in ends the process with it.
            let let_in = |signal: &i32| Fate::of(*signal, old) == Fate::Held && Fate::of(*signal, new) == Fate::Dies;
            let deadly = (1..=64).filter(let_in).fold(0, |set, signal| set | only(signal));
            interrupts::set_mask(blocked & !deadly);
        }
        interrupts::set_mask(blocked);
        if interrupts::take_broken() {
            interrupts::end_by(libc::SIGPIPE);
        }
    }

    /// Lets a signal that this process sends to itself have its effect at once where that ends it.
    pub(super) fn let_in(&self, signal: i32) {
        if let Some(signals) = &self.signals
            && Fate::of(signal, signals.dispositions) == Fate::Dies
        {
            interrupts::set_mask(self.blocked() & !only(signal));
        }
    }

    /// Its alarm rings: it does so in a turn where there are turns.
    pub(super) fn ring(&mut self, machine: &Machine<'_>) {
        if let Some(signals) = &mut self.signals {
            signals.alarm = None;
            interrupts::raise(libc::SIGALRM);
            self.die_of(machine, libc::SIGALRM);
        }
    }

    /// Sets the alarm, or cancels it.
    fn set_alarm(&mut self, ns: u64) {
        self.table.post(self.recorder.process).signal(libc::SIGALRM);
        let due = self.recorder.held.as_ref().filter(|held| !held.is_free()).map(|held| held.at() + ns);
        match (&mut self.signals, due) {
            (Some(signals), Some(due)) => signals.alarm = Some(due).filter(|_| ns > 0),
            _ => interrupts::set_alarm(ns),
        }
    }

    /// Lets an alarm ring by itself once there are no turns any more.
    pub(super) fn free_alarm(&mut self) {
        if let (Some(signals), Some(held)) = (&mut self.signals, &self.recorder.held)
            && held.is_free()
            && let Some(due) = signals.alarm.take()
        {
            interrupts::set_alarm(due.saturating_sub(held.at()).max(1));
        }
    }

    /// Whether the alarm can end a wait of this step.
    fn is_alarmed(&self, operation: &Operation<'_>) -> bool {
        let Some(signals) = self.signals.as_ref().filter(|signals| signals.alarms) else { return false };
        let waits_for = |set: SignalSet| set & only(libc::SIGALRM) != 0;
        let lets_in = match (Fate::of(libc::SIGALRM, signals.dispositions), operation.verb) {
            (Fate::Dies | Fate::Handled, _) => true,
            (Fate::Held, VerbId::Signal(SignalVerb::Await)) => waits_for(operation.int(0) as SignalSet),
            (Fate::Held, VerbId::Signal(SignalVerb::Pause)) => !waits_for(operation.int(0) as SignalSet),
            (Fate::Ignored | Fate::Held, _) => false,
        };
        lets_in && interrupts::is_alarmed()
    }

    /// Carries out a step within which a signal may come.
    #[cold]
    #[inline(never)]
    pub(super) fn operate_open(
        &mut self,
        step: StepId,
        operation: &Operation<'_>,
        compute: &mut dyn FnMut(Value) -> Result<Value, Outcome>,
        timeout: Timeout,
    ) -> Completion {
        if timeout == Timeout::Interrupted {
            return self.interrupted(step, operation);
        }
        self.recorder.alarmed = self.is_alarmed(operation);
        let waits = match operation.verb {
            VerbId::Object
            | VerbId::Process(ProcessVerb::Join | ProcessVerb::WaitAny)
            | VerbId::Timer(TimerVerb::Sleep) => true,
            VerbId::Signal(verb) => verb.waits(),
            _ => false,
        };
        let meanwhile = |mask: SignalSet| match operation.verb {
            VerbId::Signal(SignalVerb::Pause) => mask & !(operation.int(0) as SignalSet),
            _ => 0,
        };
        let open = self.signals.as_ref().map_or(0, |signals| signals.open | meanwhile(signals.dispositions[0]));
        if !waits || self.is_held() || open == 0 {
            let due = self.is_held() && interrupts::is_pending(only(libc::SIGPIPE));
            let completion = self.carry_out(step, operation, compute, timeout);
            self.ends_of_pipe(operation, due && completion.outcome != Outcome::BROKEN);
            return completion;
        }
        let blocked = self.blocked();
        interrupts::set_mask(blocked & !open);
        let completion = self.carry_out(step, operation, compute, timeout);
        let taken = interrupts::end(blocked);
        self.ends_of_pipe(operation, false);
        if let Some(signals) = &mut self.signals {
            let cut = completion.outcome == Outcome::INTERRUPTED;
            *(if cut { &mut signals.cut } else { &mut signals.came }) = taken;
        }
        completion
    }

    /// Ends the process whose step has found that no process reads what it writes, where that is the action of SIGPIPE. `due`:
    /// whether one was pending before.
    fn ends_of_pipe(&mut self, operation: &Operation<'_>, due: bool) {
        let dies = |signals: &Caught| Fate::of(libc::SIGPIPE, signals.dispositions) == Fate::Dies;
        if operation.verb != VerbId::Object || !self.signals.as_deref().is_some_and(dies) {
            return;
        }
        let pending = || self.is_held() && !due && interrupts::is_pending(only(libc::SIGPIPE));
        if interrupts::take_broken() || pending() {
            interrupts::end_by(libc::SIGPIPE);
        }
    }

    /// Ends a step within which a handler has run.
    fn interrupted(&mut self, step: StepId, operation: &Operation<'_>) -> Completion {
        let completion = Completion::of(Outcome::INTERRUPTED);
        self.recorder.blocked = true;
        let verb = place(operation.verb.described().map_or("", |verb| verb.name));
        let targets = operation.targets.first();
        match targets.map_or(Target::None, |targets| targets.first) {
            Target::Object(object) => {
                let (verb, element) = targets.map_or((0, None), |targets| (targets.verb, targets.element));
                self.recorder.finish(step, object, verb, element, 0, &completion);
            }
            Target::Process(process) => {
                self.recorder.finish(step, process, verb, None, record::PROCESS, &completion);
            }
            Target::None => self.recorder.finish(step, record::NONE, verb, None, 0, &completion),
        }
        completion
    }

    /// A step on the signals that the process gets.
    pub(super) fn on_signals(
        &mut self,
        step: StepId,
        verb: SignalVerb,
        operation: &Operation<'_>,
        patience: Patience,
    ) -> Completion {
        let set = operation.int(0) as SignalSet;
        let name = verb.described().name;
        let until = match patience {
            Patience::Until(deadline) => Some(deadline),
            _ => None,
        };
        let completion = match verb {
            _ if operation.arguments[0] == Value::Null => Completion::of(Outcome::INVALID),
            SignalVerb::Action => Completion::value(Value::from(signal_name(set as i32))),
            SignalVerb::Mask | SignalVerb::Unmask => Completion::of(Outcome::OK),
            SignalVerb::Alarm => {
                self.set_alarm(set);
                Completion::of(Outcome::OK)
            }
            SignalVerb::Pending => Completion::value(Value::Bool(interrupts::is_pending(set))),
            SignalVerb::Await => match interrupts::take(set, Some(PAST)) {
                Ok(taken) => signals::received(self.sent(taken)),
                Err(libc::EAGAIN) if patience == Patience::Never => Completion::of(Outcome::WOULD_BLOCK),
                Err(libc::EAGAIN) => {
                    self.publish(step, name, until.is_some());
                    self.recorder.blocked = true;
                    match interrupts::take(set, until) {
                        Ok(taken) => signals::received(self.sent(taken)),
                        Err(libc::EAGAIN) => Completion::of(Outcome::TIMEOUT),
                        Err(errno) => Completion::of(Outcome::from_errno(errno)),
                    }
                }
                Err(errno) => Completion::of(Outcome::from_errno(errno)),
            },
            SignalVerb::Pause if patience == Patience::Never => Completion::of(Outcome::WOULD_BLOCK),
            SignalVerb::Pause => {
                self.publish(step, name, until.is_some());
                self.recorder.blocked = true;
                let came = interrupts::pause(until);
                Completion::of(if came { Outcome::INTERRUPTED } else { Outcome::TIMEOUT })
            }
        };
        if completion.outcome == Outcome::INTERRUPTED && interrupts::is_noted() {
            self.recorder.cut();
            return completion;
        }
        self.own(step, name, completion)
    }

    /// Runs the handler of a signal that has come between two steps. Whether one has.
    pub(super) fn runs_handler(&mut self, machine: &mut Machine<'_>) -> bool {
        if self.is_held() {
            return false;
        }
        let came = self.signals.as_mut().and_then(|signals| signals.came.take());
        let due = machine.deliverable(false);
        let taken = came.or_else(|| if due == 0 { None } else { interrupts::take(due, Some(PAST)).ok() });
        if let Some(taken) = taken {
            self.run_handler(machine, taken, false);
        }
        taken.is_some()
    }

    /// Runs the handler of a signal that a schedule names: the next that is pending.
    pub(super) fn handle_due(&mut self, machine: &mut Machine<'_>, within: bool) {
        if let Ok(taken) = interrupts::take(machine.deliverable(within), Some(PAST)) {
            self.run_handler(machine, taken, within);
        }
    }

    /// Runs the handler of a signal, before the step that the process stands at or within it.
    pub(super) fn run_handler(&mut self, machine: &mut Machine<'_>, taken: Taken, within: bool) {
        let sent = self.sent(taken);
        self.recorder.handle(sent);
        machine.deliver(sent, within);
    }

    /// Lets a signal that is pending end the process.
    pub(super) fn die_of(&mut self, machine: &Machine<'_>, signal: i32) {
        if machine.fate(signal) == Fate::Dies && interrupts::is_pending(only(signal)) {
            interrupts::set_mask(self.blocked() & !only(signal));
        }
    }

    /// A signal that the kernel has given, as the scenario knows it.
    fn sent(&self, taken: Taken) -> Sent {
        let all = 0..self.plan.processes.len() as ProcessId;
        let sender = all.into_iter().find(|process| self.table.post(*process).pid.load(Ordering::Acquire) == taken.pid);
        let number = taken.payload >> 32;
        let event = match (sender, number.checked_sub(1)) {
            (Some(sender), Some(number)) => EventId::new(sender, number).pack(),
            _ => 0,
        };
        let (signal, value) = (taken.signal, taken.payload as i32);
        Sent { signal, value, sender: sender.unwrap_or(ProcessId::MAX), event, raised: false }
    }
}
