//! Runs a process's program a step at a time over a [`World`]: the one meaning of loops, conditions, outcomes and
//! handlers for every engine.
//!
//! A [`Machine`] is the whole state of a process: its place in the program, its slots, its random stream. It computes
//! what is the process's own and asks the world for everything else.

#![allow(clippy::inline_always, reason = "between two steps a call, or a completion moved, costs more than the work")]

mod random;
mod signals;
mod standing;

use crate::event::{ProcessId, StepId, Target};
use crate::expression::{Builtin, Environment, Error, Expression};
use crate::objects::contract::operation::{MOST_ARGUMENTS, Operation, Targets, VerbId};
use crate::objects::kinds::own::OwnVerb;
use crate::objects::kinds::signals::SignalVerb;
use crate::objects::{Completion, Form};
use crate::os::clock;
use crate::outcome::Outcome;
use crate::scenario::plan::{Failure, Instruction, Operand, OperationPlan, Plan, Program, fixed_duration};
use crate::scenario::units::parse_duration;
use crate::value::Value;

pub use random::{Draw, Random};

/// How long a step may wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Timeout {
    None,
    /// So many ns; 0: not at all.
    After(u64),
    /// Not at all: a signal's handler has ended its wait, and it ends `interrupted`.
    Interrupted,
}

/// Everything that is not the process's own.
pub trait World {
    /// Carries out a step and records it. It may wait for as long as `timeout` says. `compute` gives the value of an
    /// `update`'s expression over the value given.
    fn operate(
        &mut self,
        step: StepId,
        operation: &Operation<'_>,
        compute: &mut dyn FnMut(Value) -> Result<Value, Outcome>,
        timeout: Timeout,
    ) -> Completion;

    /// Records a step that failed before it could ask for anything: an expression without a value.
    fn refuse(&mut self, step: StepId, outcome: Outcome, message: &str);

    /// The run's clock, for `now`.
    fn clock(&self) -> Clock;

    /// Whether a signal has come in the middle of the step that was carried out last, which is not over then: a handler runs.
    fn is_cut(&self) -> bool {
        false
    }
}

/// The run's clock: the kernel's, or a time that stands still while a step is carried out.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// CLOCK_MONOTONIC, since that time in ns.
    Since(u64),
    /// So many ns since the run began.
    At(u64),
}

impl Clock {
    /// Seconds since the run began.
    pub fn seconds(self) -> f64 {
        match self {
            Self::Since(origin) => clock::now().saturating_sub(origin) as f64 / 1e9,
            Self::At(ns) => ns as f64 / 1e9,
        }
    }
}

/// How a process left its program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Left {
    /// With that exit status.
    Exit(i32),
    Abort,
}

/// A process at a point of its program.
#[derive(Clone)]
pub struct Machine<'p> {
    plan: &'p Plan,
    program: &'p Program,
    process: ProcessId,
    pid: i64,
    place: usize,
    slots: Vec<Value>,
    random: Random,
    /// None where the program has nothing to do with signals.
    signals: Option<Box<signals::Signals>>,
}

/// What an expression of the process reads.
struct Own<'a> {
    slots: &'a [Value],
    random: &'a mut Random,
    plan: &'a Plan,
    process: ProcessId,
    pid: i64,
    clock: Clock,
    it: Value,
}

impl Environment for Own<'_> {
    #[inline]
    fn slot(&self, slot: u32) -> &Value {
        &self.slots[slot as usize]
    }

    fn builtin(&self, builtin: Builtin) -> Value {
        let process = &self.plan.processes[self.process as usize];
        match builtin {
            Builtin::Pid => Value::Int(self.pid),
            Builtin::Name => Value::from(process.name.as_str()),
            Builtin::Index => Value::Int(i64::from(process.index)),
            Builtin::Now => Value::Float(self.clock.seconds()),
            Builtin::It => self.it.clone(),
        }
    }

    fn random(&mut self, low: i64, high: i64) -> i64 {
        self.random.between(low, high)
    }
}

/// What comes after a step.
enum Then {
    Next,
    /// It is still in its step.
    Stay,
    Goto(usize),
    Leave(Left),
}

impl<'p> Machine<'p> {
    /// A process at the beginning of its program, with its variables at their first values.
    ///
    /// # Errors
    /// Where a first value cannot be computed.
    pub fn new(plan: &'p Plan, process: ProcessId, pid: i64) -> Result<Self, Error> {
        let program = plan.program(process);
        let index = plan.processes[process as usize].index;
        let mut machine = Self {
            plan,
            program,
            process,
            pid,
            place: 0,
            slots: vec![Value::Null; program.slots.len()],
            random: Random::new(plan.seed, &program.name, index),
            signals: signals::Signals::of(program),
        };
        for (slot, value) in &program.vars {
            machine.slots[*slot as usize] = machine.evaluate(value, Clock::At(0))?;
        }
        Ok(machine)
    }

    #[inline]
    fn evaluate(&mut self, expression: &Expression, clock: Clock) -> Result<Value, Error> {
        if let Some(constant) = expression.as_constant() {
            return Ok(constant.clone());
        }
        let frozen = self.signals.as_ref().and_then(|signals| signals.frozen.as_deref());
        expression.evaluate(&mut Own {
            slots: frozen.unwrap_or(&self.slots),
            random: &mut self.random,
            plan: self.plan,
            process: self.process,
            pid: self.pid,
            clock,
            it: Value::Null,
        })
    }

    /// Runs the program to its end.
    pub fn run<W: World>(&mut self, world: &mut W) -> Left {
        loop {
            if let Some(left) = self.advance(world) {
                return left;
            }
        }
    }

    /// Carries out one instruction; says where that was the last.
    #[inline(always)]
    pub fn advance<W: World>(&mut self, world: &mut W) -> Option<Left> {
        let program = self.program;
        let then = match &program.code[self.place] {
            Instruction::Operate(operation) => self.operate(operation, world),
            Instruction::Next { counter, limit, variable, exit } => {
                let round = self.integer(*counter) + 1;
                if round < self.integer(*limit) {
                    self.count(*counter, round);
                    if let Some(variable) = variable {
                        self.count(*variable, round);
                    }
                    Then::Next
                } else {
                    Then::Goto(*exit)
                }
            }
            Instruction::Jump(to) => Then::Goto(*to),
            Instruction::Set { slot, value, step, failure } => match self.evaluate(value, world.clock()) {
                Ok(value) => {
                    self.slots[*slot as usize] = value;
                    Then::Next
                }
                Err(error) => self.refused(*step, failure, &error, world),
            },
            Instruction::Unless { condition, to, step } => match self.truth(condition, world) {
                Ok(true) => Then::Next,
                Ok(false) => Then::Goto(*to),
                Err(error) => self.refused(*step, &Failure::default(), &error, world),
            },
            Instruction::Repeat { times, counter, limit, step } => match self.number(times, world) {
                Ok(times) => {
                    self.slots[*counter as usize] = Value::Int(-1);
                    self.slots[*limit as usize] = Value::Int(times);
                    Then::Next
                }
                Err(error) => self.refused(*step, &Failure::default(), &error, world),
            },
            Instruction::Each { list, counter, items, step } => match self.evaluate(list, world.clock()) {
                Ok(list @ Value::List(_)) => {
                    self.slots[*counter as usize] = Value::Int(-1);
                    self.slots[*items as usize] = list;
                    Then::Next
                }
                Ok(other) => {
                    let error = Error::new(Outcome::INVALID, format!("`in` takes a list, this is {}", other.types()));
                    self.refused(*step, &Failure::default(), &error, world)
                }
                Err(error) => self.refused(*step, &Failure::default(), &error, world),
            },
            Instruction::NextItem { counter, items, variable, exit } => {
                let at = self.integer(*counter) + 1;
                let item = self.slots[*items as usize].as_list().and_then(|items| items.get(at as usize)).cloned();
                match item {
                    Some(item) => {
                        self.slots[*counter as usize] = Value::Int(at);
                        self.slots[*variable as usize] = item;
                        Then::Next
                    }
                    None => Then::Goto(*exit),
                }
            }
            Instruction::Return => Then::Goto(self.come_back()),
            Instruction::End => Then::Leave(Left::Exit(0)),
        };
        match then {
            Then::Next => self.place += 1,
            Then::Stay => {}
            Then::Goto(place) => self.place = place,
            Then::Leave(left) => return Some(left),
        }
        None
    }

    #[inline]
    fn integer(&self, slot: u32) -> i64 {
        match self.slots[slot as usize] {
            Value::Int(n) => n,
            _ => 0,
        }
    }

    /// Gives a slot an int: if it holds one already, there is nothing to drop.
    #[inline]
    fn count(&mut self, slot: u32, n: i64) {
        match &mut self.slots[slot as usize] {
            Value::Int(old) => *old = n,
            other => *other = Value::Int(n),
        }
    }

    fn truth<W: World>(&mut self, condition: &Expression, world: &mut W) -> Result<bool, Error> {
        match self.evaluate(condition, world.clock())? {
            Value::Bool(truth) => Ok(truth),
            other => {
                Err(Error::new(Outcome::INVALID, format!("a condition is true or false, this is {}", other.types())))
            }
        }
    }

    fn number<W: World>(&mut self, expression: &Expression, world: &mut W) -> Result<i64, Error> {
        match self.evaluate(expression, world.clock())? {
            Value::Int(n) => Ok(n),
            other => Err(Error::new(Outcome::INVALID, format!("expected an int, found {}", other.types()))),
        }
    }

    /// A duration in ns: a number where it was known beforehand, else text with its unit.
    fn duration<W: World>(&mut self, duration: &Expression, world: &mut W) -> Result<u64, Error> {
        if let Some(ns) = fixed_duration(duration) {
            return Ok(ns);
        }
        match self.evaluate(duration, world.clock())? {
            Value::String(text) => parse_duration(&text).map_err(|message| Error::new(Outcome::INVALID, message)),
            other => Err(Error::new(
                Outcome::INVALID,
                format!("a duration is text with its unit, this is {}", other.types()),
            )),
        }
    }

    /// What follows a step that could not be asked for.
    #[cold]
    fn refused<W: World>(&mut self, step: StepId, failure: &Failure, error: &Error, world: &mut W) -> Then {
        if let Some(signals) = &mut self.signals {
            (signals.frozen, signals.interrupted) = (None, false);
        }
        world.refuse(step, error.outcome, &error.message);
        self.after(error.outcome, failure)
    }

    /// What follows a step that ended so.
    #[inline(always)]
    fn after(&mut self, outcome: Outcome, failure: &Failure) -> Then {
        if let Some(slot) = failure.outcome {
            self.slots[slot as usize] = Value::from(outcome.name());
        }
        if outcome.is_ok() && failure.handlers.is_empty() {
            return Then::Next;
        }
        match failure.handler(outcome) {
            Some(place) => Then::Goto(place),
            None if outcome.is_ok() || failure.taken.contains(outcome) => Then::Next,
            None => Then::Leave(Left::Exit(1)),
        }
    }

    #[inline(always)]
    fn operate<W: World>(&mut self, planned: &OperationPlan, world: &mut W) -> Then {
        let timeout = match &planned.timeout {
            _ if self.is_interrupted() => Timeout::Interrupted,
            None => Timeout::None,
            Some(duration) => match self.duration(duration, world) {
                Ok(ns) => Timeout::After(ns),
                Err(error) => return self.refused(planned.step, &planned.failure, &error, world),
            },
        };
        // Most steps have one operand at most, and one argument or constant ones, which need no room for more.
        let single;
        let targets = match planned.operands.as_slice() {
            [] => &[],
            [operand] => match self.targets(operand, world) {
                Ok(targets) => {
                    single = targets;
                    std::slice::from_ref(&single)
                }
                Err(error) => return self.refused(planned.step, &planned.failure, &error, world),
            },
            _ => return self.operate_on_several(planned, timeout, world),
        };
        let mut argument = Value::Null;
        let arguments = match (&planned.constants, planned.arguments.as_slice()) {
            (Some(constants), _) => constants.as_slice(),
            (None, [expression]) if planned.verb == VerbId::Object => match self.evaluate(expression, world.clock()) {
                Ok(value) => {
                    argument = value;
                    std::slice::from_ref(&argument)
                }
                Err(error) => return self.refused(planned.step, &planned.failure, &error, world),
            },
            (None, _) => return self.operate_with_several(planned, targets, timeout, world),
        };
        let then = self.operate_on(planned, targets, arguments, timeout, world);
        if argument.is_scalar() {
            std::mem::forget(argument);
        }
        then
    }

    /// A step with several operands.
    #[cold]
    fn operate_on_several<W: World>(&mut self, planned: &OperationPlan, timeout: Timeout, world: &mut W) -> Then {
        let mut targets = Vec::with_capacity(planned.operands.len());
        for operand in &planned.operands {
            match self.targets(operand, world) {
                Ok(named) => targets.push(named),
                Err(error) => return self.refused(planned.step, &planned.failure, &error, world),
            }
        }
        self.operate_with_several(planned, &targets, timeout, world)
    }

    /// A step with several arguments of which one at least has to be computed.
    #[inline(never)]
    fn operate_with_several<W: World>(
        &mut self,
        planned: &OperationPlan,
        targets: &[Targets],
        timeout: Timeout,
        world: &mut W,
    ) -> Then {
        debug_assert!(planned.arguments.len() <= MOST_ARGUMENTS, "more arguments than a step has room for");
        let described = planned.verb.described();
        let mut computed = [const { Value::Null }; MOST_ARGUMENTS];
        for (at, (value, argument)) in computed.iter_mut().zip(&planned.arguments).enumerate() {
            let form = described.map(|verb| verb.arguments[at].form);
            match self.argument(argument, form, world) {
                Ok(argument) => *value = argument,
                Err(error) => return self.refused(planned.step, &planned.failure, &error, world),
            }
        }
        let given = planned.arguments.len().min(MOST_ARGUMENTS);
        self.operate_on(planned, targets, &computed[..given], timeout, world)
    }

    /// An argument. Those of the verbs without an object have the form that the verb says; a kind looks at its own.
    fn argument<W: World>(&mut self, argument: &Expression, form: Option<Form>, world: &mut W) -> Result<Value, Error> {
        match form {
            // It is absent.
            _ if argument.as_constant() == Some(&Value::Null) => Ok(Value::Null),
            Some(Form::Duration) => Ok(Value::Int(self.duration(argument, world)? as i64)),
            Some(Form::Condition) => Ok(Value::Bool(self.truth(argument, world)?)),
            Some(Form::Integer(low, high)) => {
                let value = self.number(argument, world)?;
                if (low..=high).contains(&value) {
                    return Ok(Value::Int(value));
                }
                let message = format!("{value} is out of range: expected an integer from {low} to {high}");
                Err(Error::new(Outcome::OUT_OF_RANGE, message))
            }
            _ => self.evaluate(argument, world.clock()),
        }
    }

    #[inline(always)]
    fn operate_on<W: World>(
        &mut self,
        planned: &OperationPlan,
        targets: &[Targets],
        arguments: &[Value],
        timeout: Timeout,
        world: &mut W,
    ) -> Then {
        if let VerbId::Signal(verb) = planned.verb {
            return self.operate_on_signals(verb, planned, arguments, timeout, world);
        }
        let clock = world.clock();
        let (slots, random, plan, process, pid) = (&self.slots, &mut self.random, self.plan, self.process, self.pid);
        let mut compute = |it: Value| {
            let Some(update) = &planned.update else { return Err(Outcome::INVALID) };
            let mut own = Own { slots, random: &mut *random, plan, process, pid, clock, it };
            update.evaluate(&mut own).map_err(|error| error.outcome)
        };
        let operation = Operation { verb: planned.verb, targets, arguments, given: planned.given };
        // The completion is large: from here to `done` it is not moved.
        let completion = world.operate(planned.step, &operation, &mut compute, timeout);
        match planned.verb {
            VerbId::Own(OwnVerb::Exit) => Then::Leave(Left::Exit(operation.int(0) as i32)),
            VerbId::Own(OwnVerb::Abort) => Then::Leave(Left::Abort),
            _ if completion.outcome == Outcome::INTERRUPTED && world.is_cut() => Then::Stay,
            _ => self.done(planned, completion),
        }
    }

    /// A step on the signals that the process gets.
    #[cold]
    fn operate_on_signals<W: World>(
        &mut self,
        verb: SignalVerb,
        planned: &OperationPlan,
        arguments: &[Value],
        timeout: Timeout,
        world: &mut W,
    ) -> Then {
        let set = self.about_signals(verb, arguments);
        let arguments = [set.map_or(Value::Null, Value::Int)];
        let operation = Operation { verb: planned.verb, targets: &[], arguments: &arguments, given: planned.given };
        let completion = world.operate(planned.step, &operation, &mut |_| Err(Outcome::INVALID), timeout);
        if completion.outcome == Outcome::INTERRUPTED && world.is_cut() {
            return Then::Stay;
        }
        if let (true, Some(set)) = (completion.outcome.is_ok(), set) {
            self.signalled(verb, planned, set);
        }
        self.done(planned, completion)
    }

    /// Takes what a step gave, and says what follows.
    #[inline(always)]
    fn done(&mut self, operation: &OperationPlan, mut completion: Completion) -> Then {
        let outcome = completion.outcome;
        if let Some(signals) = &mut self.signals {
            (signals.frozen, signals.interrupted) = (None, false);
        }
        if outcome.is_ok() {
            if let Some(into) = operation.into {
                self.slots[into as usize] = std::mem::take(&mut completion.value);
            }
            if let Some(second) = operation.second {
                self.slots[second as usize] = std::mem::take(&mut completion.second);
            }
        }
        if completion.value.is_scalar() && completion.second.is_scalar() {
            // There is nothing to drop, so no call is made.
            std::mem::forget(completion);
        }
        self.after(outcome, &operation.failure)
    }

    #[inline(always)]
    fn targets<W: World>(&mut self, operand: &Operand, world: &mut W) -> Result<Targets, Error> {
        let mut targets = operand.all();
        if let Some(index) = &operand.index {
            let at = self.number(index, world)?;
            if !(0..i64::from(operand.count)).contains(&at) {
                return Err(out_of_range(at, operand.count));
            }
            targets.count = 1;
            match &mut targets.first {
                Target::Object(first) | Target::Process(first) => *first += at as u32,
                Target::None => {}
            }
        }
        if let (Some(index), Target::Object(object)) = (&operand.element, targets.first) {
            let at = self.number(index, world)?;
            let length = self.plan.objects[object as usize].object.length().unwrap_or(u32::MAX);
            if !(0..i64::from(length)).contains(&at) {
                return Err(out_of_range(at, length));
            }
            targets.element = Some(at as u32);
        }
        Ok(targets)
    }
}

fn out_of_range(at: i64, count: u32) -> Error {
    Error::new(Outcome::OUT_OF_RANGE, format!("index {at} is out of range: from 0 to {}", i64::from(count) - 1))
}
