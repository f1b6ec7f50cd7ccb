//! The local state of a process, for comparing states: its program counter, variables, and position in its random
//! stream.

use super::{Clock, Machine, Random};
use crate::event::{ProcessId, StepId};
use crate::expression::Expression;
use crate::scenario::plan::{Instruction, Plan};
use crate::value::{Value, encode};

impl<'p> Machine<'p> {
    /// The place in the program.
    pub fn place_in_program(&self) -> usize {
        self.place
    }

    /// What it carries out next.
    pub fn instruction(&self) -> &'p Instruction {
        &self.program.code[self.place]
    }

    /// The step that it is about to take, also where it has no value for what it would ask the world; none where it
    /// computes.
    pub fn asks(&self) -> Option<StepId> {
        match self.instruction() {
            Instruction::Operate(operation) => Some(operation.step),
            _ => None,
        }
    }

    /// Whether its random numbers were chosen beforehand.
    pub fn is_chosen(&self) -> bool {
        self.random.is_chosen()
    }

    /// Takes random numbers from elsewhere from now on.
    pub fn draw_from(&mut self, random: Random) {
        self.random = random;
    }

    /// The value that an expression has for this process wherever it stands; none where it has none, or can vary.
    pub fn constant(&mut self, expression: &Expression) -> Option<Value> {
        if expression.varies() { None } else { self.evaluate(expression, Clock::At(0)).ok() }
    }

    /// The values of the variables.
    pub fn slots(&self) -> &[Value] {
        &self.slots
    }

    /// The value of a variable, to be replaced by one that means the same elsewhere.
    pub fn slot_mut(&mut self, slot: u32) -> &mut Value {
        &mut self.slots[slot as usize]
    }

    /// Forgets the values of variables that nothing reads any more: `live` says which are read.
    pub fn forget(&mut self, live: impl Fn(u32) -> bool) {
        for (slot, value) in self.slots.iter_mut().enumerate() {
            if !live(slot as u32) {
                *value = Value::Null;
            }
        }
    }

    /// A process whose first values cannot be computed.
    pub fn failed(plan: &'p Plan, process: ProcessId, pid: i64) -> Self {
        let program = plan.program(process);
        let random = Random::new(plan.seed, &program.name, plan.processes[process as usize].index);
        let slots = vec![Value::Null; program.slots.len()];
        Self { plan, program, process, pid, place: 0, slots, random, signals: None }
    }

    /// Lets another process of its program stand where this one stands.
    pub fn stand_as(&mut self, process: ProcessId, pid: i64) {
        self.process = process;
        self.pid = pid;
    }

    /// Goes to the end of the program.
    pub fn finish(&mut self) {
        self.place = self.program.code.len() - 1;
    }

    /// Writes where the process stands; the place in its random stream too where that matters.
    pub fn key(&self, random: bool, key: &mut Vec<u8>) {
        key.extend((self.place as u32).to_le_bytes());
        for value in &self.slots {
            encode(value, key);
        }
        if random {
            key.extend(self.random.place().to_le_bytes());
        }
        self.signals_key(key);
    }
}
