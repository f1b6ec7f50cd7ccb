//! Runs a process's program a step at a time over a [`World`]: the one meaning of loops, conditions, outcomes and
//! handlers for every engine.
//!
//! A [`Machine`] is the whole state of a process: its place in the program, its slots, its random stream. It computes
//! what is the process's own and asks the world for everything else.

#![allow(clippy::inline_always, reason = "between two steps a call, or a completion moved, costs more than the work")]

mod random;
mod standing;

use std::ops::Range;

use crate::event::{ObjectId, ProcessId, StepId};
use crate::expression::{Builtin, Environment, Error, Expression};
use crate::objects::Completion;
use crate::os::clock;
use crate::outcome::Outcome;
use crate::scenario::plan::{Action, Delay, Failure, Instruction, ObjectAction, Operation, Plan, Processes, Program};
use crate::scenario::units::parse_duration;
use crate::value::Value;

pub use random::{Draw, Random};

/// The most arguments a verb of a kind has: a step keeps them without allocating.
const MOST_ARGUMENTS: usize = 6;

/// What a step on an object is about.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The object.
    pub object: ObjectId,
    /// The verb's place among the kind's.
    pub verb: u8,
    /// The end's place among the object's.
    pub end: u8,
    /// The element's index, within the object's length.
    pub element: Option<u32>,
}

/// What a process asks of the world besides steps on objects, everything computed.
pub enum Request {
    /// A line of output.
    Print(Value),
    /// A label and a value.
    Mark(Value, Value),
    /// A section's label.
    Enter(Value),
    /// A section's label.
    Leave(Value),
    /// ns to sleep.
    Sleep(u64),
    /// ns of CPU time to burn.
    Busy(u64),
    /// sched_yield(2).
    Yield,
    /// The process is ready.
    Ready,
    /// Starts processes.
    Start(Range<ProcessId>),
    /// Waits for the ends of processes.
    Join(Range<ProcessId>),
    /// Asks how a process is.
    Status(ProcessId),
    /// Sends a signal by its number.
    Kill(Range<ProcessId>, i32),
    /// Records that the process ends so; the machine then ends.
    Exit(i32),
    /// Ends the process by SIGABRT.
    Abort,
    /// Records whether a condition holds.
    Assert(bool),
}

impl Request {
    /// The verb of what a process does by itself, whose others take no part in it, and what that ends with in every
    /// world. What it asks of others or of time is given back.
    ///
    /// # Errors
    /// The request, where it is about others or about time.
    pub fn own(self) -> Result<(&'static str, Completion), Self> {
        let labelled = |label, value| Completion { second: label, ..Completion::value(value) };
        let ok = Completion::of(Outcome::OK);
        Ok(match self {
            Self::Print(value) => ("print", Completion::value(Value::from(value.to_text()))),
            Self::Mark(label, value) => ("mark", labelled(label, value)),
            Self::Enter(label) => ("enter", labelled(label, Value::Null)),
            Self::Leave(label) => ("leave", labelled(label, Value::Null)),
            Self::Yield => ("yield", ok),
            Self::Ready => ("ready", ok),
            Self::Exit(status) => ("exit", Completion::value(Value::Int(status.into()))),
            Self::Abort => ("abort", ok),
            Self::Assert(true) => ("assert", ok),
            Self::Assert(false) => ("assert", Completion::of(Outcome::FAILED)),
            other => return Err(other),
        })
    }
}

/// How long a step may wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Timeout {
    /// For ever.
    None,
    /// So many ns; 0: not at all.
    After(u64),
}

/// Everything that is not the process's own.
pub trait World {
    /// Carries out a step on an object and records it. It may wait for as long as `timeout` says. `arguments` are in
    /// the order of the verb's; `compute` gives the value of an `update`'s expression over the value given.
    fn operate(
        &mut self,
        step: StepId,
        place: Place,
        arguments: &[Value],
        compute: &mut dyn FnMut(Value) -> Result<Value, Outcome>,
        timeout: Timeout,
    ) -> Completion;

    /// Carries out any other step and records it.
    fn perform(&mut self, step: StepId, request: Request, timeout: Timeout) -> Completion;

    /// Records a step that failed before it could ask for anything: an expression without a value. `index` is the
    /// step's target where it is known.
    fn refuse(&mut self, step: StepId, outcome: Outcome, message: &str);

    /// The run's clock, for `now`.
    fn clock(&self) -> Clock;
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
    /// By SIGABRT.
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

/// How a step without an object went.
enum Asked {
    Done(Completion),
    Left(Left),
}

/// What comes after a step.
enum Then {
    Next,
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
        expression.evaluate(&mut Own {
            slots: &self.slots,
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
            Instruction::End => Then::Leave(Left::Exit(0)),
        };
        match then {
            Then::Next => self.place += 1,
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

    /// Gives a slot an int: where it holds one already, there is nothing to let go of.
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

    fn delay<W: World>(&mut self, delay: &Delay, world: &mut W) -> Result<u64, Error> {
        match delay {
            Delay::Fixed(ns) => Ok(*ns),
            Delay::Computed(expression) => match self.evaluate(expression, world.clock())? {
                Value::String(text) => parse_duration(&text).map_err(|message| Error::new(Outcome::INVALID, message)),
                other => Err(Error::new(
                    Outcome::INVALID,
                    format!("a duration is text with its unit, this is {}", other.types()),
                )),
            },
        }
    }

    fn range<W: World>(&mut self, processes: &Processes, world: &mut W) -> Result<Range<ProcessId>, Error> {
        match &processes.index {
            None => Ok(processes.range()),
            Some(index) => {
                let at = self.number(index, world)?;
                if !(0..i64::from(processes.count)).contains(&at) {
                    return Err(out_of_range(at, processes.count));
                }
                Ok(processes.first + at as u32..processes.first + at as u32 + 1)
            }
        }
    }

    /// What follows a step that could not be asked for.
    #[cold]
    fn refused<W: World>(&mut self, step: StepId, failure: &Failure, error: &Error, world: &mut W) -> Then {
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
    fn operate<W: World>(&mut self, operation: &Operation, world: &mut W) -> Then {
        let timeout = match &operation.timeout {
            None => Timeout::None,
            Some(delay) => match self.delay(delay, world) {
                Ok(ns) => Timeout::After(ns),
                Err(error) => return self.refused(operation.step, &operation.failure, &error, world),
            },
        };
        let Action::Object(action) = &operation.action else {
            return match self.ask(operation.step, &operation.action, timeout, world) {
                Ok(Asked::Done(completion)) => self.done(operation, completion),
                Ok(Asked::Left(left)) => Then::Leave(left),
                Err(error) => self.refused(operation.step, &operation.failure, &error, world),
            };
        };
        let place = match self.place(action, world) {
            Ok(place) => place,
            Err(error) => return self.refused(operation.step, &operation.failure, &error, world),
        };
        // Most steps have one argument or constant ones, which need no room for more.
        let mut single = Value::Null;
        let arguments = match (&action.constants, action.arguments.as_slice()) {
            (Some(constants), _) => constants.as_slice(),
            (None, [argument]) => match self.evaluate(argument, world.clock()) {
                Ok(value) => {
                    single = value;
                    std::slice::from_ref(&single)
                }
                Err(error) => return self.refused(operation.step, &operation.failure, &error, world),
            },
            (None, _) => return self.operate_several(operation, action, place, timeout, world),
        };
        let then = self.operate_on(operation, action, place, arguments, timeout, world);
        if single.is_scalar() {
            std::mem::forget(single);
        }
        then
    }

    /// A step with several arguments of which one at least has to be computed.
    #[inline(never)]
    fn operate_several<W: World>(
        &mut self,
        operation: &Operation,
        action: &ObjectAction,
        place: Place,
        timeout: Timeout,
        world: &mut W,
    ) -> Then {
        debug_assert!(action.arguments.len() <= MOST_ARGUMENTS, "more arguments than a step has room for");
        let mut computed = [const { Value::Null }; MOST_ARGUMENTS];
        for (place, argument) in computed.iter_mut().zip(&action.arguments) {
            match self.evaluate(argument, world.clock()) {
                Ok(value) => *place = value,
                Err(error) => return self.refused(operation.step, &operation.failure, &error, world),
            }
        }
        let given = action.arguments.len().min(MOST_ARGUMENTS);
        self.operate_on(operation, action, place, &computed[..given], timeout, world)
    }

    #[inline(always)]
    fn operate_on<W: World>(
        &mut self,
        operation: &Operation,
        action: &ObjectAction,
        place: Place,
        arguments: &[Value],
        timeout: Timeout,
        world: &mut W,
    ) -> Then {
        let clock = world.clock();
        let (slots, random, plan, process, pid) = (&self.slots, &mut self.random, self.plan, self.process, self.pid);
        let mut compute = |it: Value| {
            let Some(update) = &action.update else { return Err(Outcome::INVALID) };
            let mut own = Own { slots, random: &mut *random, plan, process, pid, clock, it };
            update.evaluate(&mut own).map_err(|error| error.outcome)
        };
        // The completion is large: from here to `done` it is not moved.
        let completion = world.operate(operation.step, place, arguments, &mut compute, timeout);
        self.done(operation, completion)
    }

    /// Takes what a step gave, and says what follows.
    #[inline(always)]
    fn done(&mut self, operation: &Operation, mut completion: Completion) -> Then {
        let outcome = completion.outcome;
        if outcome.is_ok() {
            if let Some(into) = operation.into {
                self.slots[into as usize] = std::mem::take(&mut completion.value);
            }
            if let Some(second) = operation.second {
                self.slots[second as usize] = std::mem::take(&mut completion.second);
            }
        }
        if completion.value.is_scalar() && completion.second.is_scalar() {
            // There is nothing to let go of, and no call is made for it.
            std::mem::forget(completion);
        }
        self.after(outcome, &operation.failure)
    }

    #[inline(always)]
    fn place<W: World>(&mut self, action: &ObjectAction, world: &mut W) -> Result<Place, Error> {
        let mut object = action.first;
        if let Some((count, index)) = &action.index {
            let at = self.number(index, world)?;
            if !(0..i64::from(*count)).contains(&at) {
                return Err(out_of_range(at, *count));
            }
            object += at as u32;
        }
        let element = match &action.element {
            None => None,
            Some(index) => {
                let at = self.number(index, world)?;
                let length = self.plan.objects[object as usize].object.length().unwrap_or(0);
                if !(0..i64::from(length)).contains(&at) {
                    return Err(out_of_range(at, length));
                }
                Some(at as u32)
            }
        };
        Ok(Place { object, verb: action.verb, end: action.end, element })
    }

    fn ask<W: World>(
        &mut self,
        step: StepId,
        action: &Action,
        timeout: Timeout,
        world: &mut W,
    ) -> Result<Asked, Error> {
        let request = match action {
            Action::Object(_) => return Err(Error::new(Outcome::INVALID, "a step on an object")),
            Action::Print(value) => Request::Print(self.evaluate(value, world.clock())?),
            Action::Mark(label, value) => {
                let label = self.evaluate(label, world.clock())?;
                let value = match value {
                    Some(value) => self.evaluate(value, world.clock())?,
                    None => Value::Null,
                };
                Request::Mark(label, value)
            }
            Action::Enter(label) => Request::Enter(self.evaluate(label, world.clock())?),
            Action::Leave(label) => Request::Leave(self.evaluate(label, world.clock())?),
            Action::Sleep(delay) => Request::Sleep(self.delay(delay, world)?),
            Action::Busy(delay) => Request::Busy(self.delay(delay, world)?),
            Action::Yield => Request::Yield,
            Action::Ready => Request::Ready,
            Action::Start(processes) => Request::Start(self.range(processes, world)?),
            Action::Join(processes) => Request::Join(self.range(processes, world)?),
            Action::Status(processes) => Request::Status(self.range(processes, world)?.start),
            Action::Kill(processes, signal) => Request::Kill(self.range(processes, world)?, *signal),
            Action::Exit(status) => {
                let status = self.number(status, world)?;
                if !(0..=255).contains(&status) {
                    return Err(Error::new(
                        Outcome::OUT_OF_RANGE,
                        format!("an exit status is from 0 to 255, this is {status}"),
                    ));
                }
                world.perform(step, Request::Exit(status as i32), timeout);
                return Ok(Asked::Left(Left::Exit(status as i32)));
            }
            Action::Abort => {
                world.perform(step, Request::Abort, timeout);
                return Ok(Asked::Left(Left::Abort));
            }
            Action::Assert(condition) => Request::Assert(self.truth(condition, world)?),
        };
        Ok(Asked::Done(world.perform(step, request, timeout)))
    }
}

fn out_of_range(at: i64, count: u32) -> Error {
    Error::new(Outcome::OUT_OF_RANGE, format!("index {at} is out of range: from 0 to {}", i64::from(count) - 1))
}
