//! What a process does at a signal: which it catches and masks, and the handlers that it is in.
//!
//! An engine gives a signal to [`Machine::deliver`] between two steps, or in the middle of one that waits. That puts the
//! place of the step aside and goes to the handler; the handler's end comes back to it. A step within which a handler ran
//! computes with the values that it began with, as a call of the kernel has its arguments.

use super::Machine;
use crate::objects::contract::operation::VerbId;
use crate::objects::kinds::signals::{Fate, Sent, SignalSet, SignalVerb, is_fixed, only, set_of};
use crate::objects::kinds::timer::TimerVerb;
use crate::scenario::plan::{Instruction, OperationPlan, Program};
use crate::scenario::signal_name;
use crate::value::{Value, encode};

/// What a process does at a signal of which that is not its default.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Action {
    Ignore,
    /// It runs the steps there; whether the step that waits then continues.
    Handle(usize, bool),
}

/// A handler that has begun and not ended.
#[derive(Clone, Debug)]
struct Frame {
    /// Where its process stood.
    place: usize,
    /// What was masked there.
    mask: SignalSet,
    /// What the step there computes with, and whether it ends `interrupted`.
    frozen: Option<Vec<Value>>,
    interrupted: bool,
    /// What an outer handler knows of its signal.
    outer: [Value; 3],
}

/// What a process does at signals.
#[derive(Clone, Debug, Default)]
pub(super) struct Signals {
    mask: SignalSet,
    actions: Vec<(i32, Action)>,
    frames: Vec<Frame>,
    /// What the step computes with within which a handler ran.
    pub(super) frozen: Option<Vec<Value>>,
    /// Whether the step ends `interrupted`.
    pub(super) interrupted: bool,
}

impl Signals {
    /// Those of a process of the program; none where it has nothing to do with signals.
    pub(super) fn of(program: &Program) -> Option<Box<Self>> {
        let ignored = (!program.ends_of_pipe).then_some((libc::SIGPIPE, Action::Ignore));
        program.signals.then(|| Box::new(Self { actions: ignored.into_iter().collect(), ..Self::default() }))
    }

    fn action(&self, signal: i32) -> Option<Action> {
        self.actions.iter().find(|(known, _)| *known == signal).map(|(_, action)| *action)
    }

    fn caught(&self) -> SignalSet {
        let handled = self.actions.iter().filter(|(_, action)| matches!(action, Action::Handle(..)));
        handled.fold(0, |set, (signal, _)| set | only(*signal))
    }
}

impl Machine<'_> {
    /// Forgets what it does at signals: it has ended.
    pub fn forget_signals(&mut self) {
        if let Some(signals) = &mut self.signals {
            **signals = Signals::default();
        }
    }

    /// Whether its program has to do with signals.
    pub fn has_signals(&self) -> bool {
        self.signals.is_some()
    }

    /// The signals that it masks, of which it has handlers, and which it ignores.
    pub fn dispositions(&self) -> [SignalSet; 3] {
        let Some(signals) = &self.signals else { return [0, 0, only(libc::SIGPIPE)] };
        let ignored = signals.actions.iter().filter(|(_, action)| *action == Action::Ignore);
        [signals.mask, signals.caught(), ignored.fold(0, |set, (signal, _)| set | only(*signal))]
    }

    /// Whether it does nothing at a signal, masked or not.
    pub fn ignores(&self, signal: i32) -> bool {
        let [_, caught, ignored] = self.dispositions();
        Fate::of(signal, [0, caught, ignored]) == Fate::Ignored
    }

    /// What becomes of a signal that it is sent.
    pub(crate) fn fate(&self, signal: i32) -> Fate {
        let [mask, caught, ignored] = self.dispositions();
        Fate::of(signal, [mask & self.pause_mask().unwrap_or(mask), caught, ignored])
    }

    /// The signals that its handlers take where it stands: before its step, or `within` it, while it waits.
    pub fn deliverable(&self, within: bool) -> SignalSet {
        let Some(signals) = &self.signals else { return 0 };
        let mask = self.pause_mask().filter(|_| within).unwrap_or(signals.mask);
        signals.caught() & !mask
    }

    /// The mask of a `pause` that it stands at, where that has one.
    fn pause_mask(&self) -> Option<SignalSet> {
        match self.instruction() {
            Instruction::Operate(operation) if operation.verb == VerbId::Signal(SignalVerb::Pause) => {
                let mask = operation.arguments.get(1)?.as_constant()?;
                matches!(mask, Value::List(_)).then(|| set_of(mask))
            }
            _ => None,
        }
    }

    /// Whether a signal can come before what it carries out next: each step of a process with handlers is a turn.
    pub fn stops(&self) -> bool {
        let passing = || {
            matches!(
                self.instruction(),
                Instruction::Jump(_) | Instruction::Next { .. } | Instruction::NextItem { .. } | Instruction::Return
            )
        };
        self.signals.as_ref().is_some_and(|signals| !signals.frames.is_empty() || signals.caught() != 0) && !passing()
    }

    /// Whether a handler can run in the middle of the step that it stands at.
    pub fn is_interruptible(&self) -> bool {
        let Instruction::Operate(operation) = self.instruction() else { return false };
        !self.is_interrupted()
            && (operation.blocks && operation.restarts.is_some() || operation.verb == VerbId::Timer(TimerVerb::Sleep))
    }

    /// Whether its step has been interrupted, and ends so.
    pub fn is_interrupted(&self) -> bool {
        self.signals.as_ref().is_some_and(|signals| signals.interrupted)
    }

    /// Runs the handler of a signal, before the step that it stands at or `within` that.
    pub(crate) fn deliver(&mut self, sent: Sent, within: bool) {
        let mask = self.pause_mask().filter(|_| within);
        let (plan, place) = (self.plan, self.place);
        let read = within.then(|| self.read());
        let Some(signals) = &mut self.signals else { return };
        let Some(Action::Handle(handler, restart)) = signals.action(sent.signal) else { return };
        let restarts = match &self.program.code[place] {
            Instruction::Operate(operation) => restart && operation.restarts == Some(true),
            _ => true,
        };
        let known = [
            Value::from(signal_name(sent.signal)),
            Value::Int(sent.value.into()),
            plan.processes.get(sent.sender as usize).map_or(Value::Null, |sender| Value::from(sender.name.as_str())),
        ];
        let mut outer = known;
        if let Some(slots) = self.program.handler {
            for (slot, value) in slots.iter().zip(&mut outer) {
                std::mem::swap(&mut self.slots[*slot as usize], value);
            }
        }
        signals.frames.push(Frame {
            place,
            mask: signals.mask,
            frozen: signals.frozen.take().or(read),
            interrupted: signals.interrupted || within && !restarts,
            outer,
        });
        signals.interrupted = false;
        signals.mask = mask.unwrap_or(signals.mask) | only(sent.signal);
        self.place = handler;
    }

    /// The values that the step reads, by slot; null for the others.
    fn read(&self) -> Vec<Value> {
        let mut values = vec![Value::Null; self.slots.len()];
        if let Instruction::Operate(operation) = self.instruction() {
            for expression in operation.expressions() {
                expression.slots(&mut |slot| values[slot as usize] = self.slots[slot as usize].clone());
            }
        }
        values
    }

    /// Comes back from a handler. Where to.
    pub(super) fn come_back(&mut self) -> usize {
        let frame = self.signals.as_mut().and_then(|signals| signals.frames.pop());
        let Some(frame) = frame else { return self.program.code.len() - 1 };
        if let Some(slots) = self.program.handler {
            for (slot, value) in slots.iter().zip(frame.outer) {
                self.slots[*slot as usize] = value;
            }
        }
        self.place = frame.place;
        let read = self.read();
        if let Some(signals) = &mut self.signals {
            signals.mask = frame.mask;
            signals.frozen = frame.frozen.filter(|frozen| *frozen != read);
            signals.interrupted = frame.interrupted;
        }
        frame.place
    }

    /// What a step on signals is asked with: of the signals that it names, those that matter. None where it can only end
    /// `invalid`: KILL and STOP have their effect in any case, and only what is masked is waited for.
    pub(super) fn about_signals(&self, verb: SignalVerb, arguments: &[Value]) -> Option<i64> {
        let mask = self.signals.as_ref().map_or(0, |signals| signals.mask);
        let given = |at: usize| arguments.get(at).filter(|value| **value != Value::Null);
        let signal = || given(0).and_then(Value::as_int).unwrap_or(0);
        match verb {
            SignalVerb::Alarm => given(0).and_then(Value::as_int),
            SignalVerb::Action => Some(signal()).filter(|signal| !is_fixed(*signal as i32)),
            SignalVerb::Mask | SignalVerb::Unmask => Some(given(0).map_or(0, set_of) as i64),
            SignalVerb::Pending => Some((only(signal() as i32) & mask) as i64),
            SignalVerb::Await => Some((given(0).map_or(0, set_of) & mask) as i64).filter(|set| *set != 0),
            SignalVerb::Pause => Some(given(1).map_or(mask, set_of) as i64),
        }
    }

    /// A step on signals is done.
    pub(super) fn signalled(&mut self, verb: SignalVerb, planned: &OperationPlan, set: i64) {
        let Some(signals) = &mut self.signals else { return };
        match verb {
            SignalVerb::Mask => signals.mask |= set as SignalSet,
            SignalVerb::Unmask => signals.mask &= !(set as SignalSet),
            SignalVerb::Action => {
                let signal = set as i32;
                let word = |at: usize| planned.arguments.get(at).and_then(|argument| argument.as_constant());
                let action = match (planned.handler, word(2).and_then(Value::as_str)) {
                    (Some(place), _) => Some(Action::Handle(place, word(3) == Some(&Value::Bool(true)))),
                    (None, Some("ignore")) => Some(Action::Ignore),
                    _ => None,
                };
                signals.actions.retain(|(known, _)| *known != signal);
                signals.actions.extend(action.map(|action| (signal, action)));
                signals.actions.sort_unstable_by_key(|(signal, _)| *signal);
            }
            SignalVerb::Pending | SignalVerb::Await | SignalVerb::Pause | SignalVerb::Alarm => {}
        }
    }

    /// Writes what it does at signals.
    pub(super) fn signals_key(&self, key: &mut Vec<u8>) {
        let Some(signals) = &self.signals else { return };
        let values = |values: Option<&[Value]>, key: &mut Vec<u8>| {
            key.push(u8::from(values.is_some()));
            values.into_iter().flatten().for_each(|value| encode(value, key));
        };
        key.extend(signals.mask.to_le_bytes());
        key.extend([signals.actions.len() as u8, u8::from(signals.interrupted)]);
        for (signal, action) in &signals.actions {
            let (place, restart) = match action {
                Action::Ignore => (u32::MAX, false),
                Action::Handle(place, restart) => (*place as u32, *restart),
            };
            key.extend([*signal as u8, u8::from(restart)]);
            key.extend(place.to_le_bytes());
        }
        values(signals.frozen.as_deref(), key);
        key.extend((signals.frames.len() as u32).to_le_bytes());
        for frame in &signals.frames {
            key.extend((frame.place as u32).to_le_bytes());
            key.extend(frame.mask.to_le_bytes());
            key.push(u8::from(frame.interrupted));
            values(frame.frozen.as_deref(), key);
            values(Some(&frame.outer), key);
        }
    }
}
